//! What was odd about a source and could be read all the same.

use std::fmt;

/// Something odd that a person should know about. docs/sources.md lists what each reading is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// An entry of another authenticator's export that can't be read.
    LeftOut {
        /// Its place in the export, counted from 1.
        entry: usize,
        /// What is wrong, and whose it is.
        reason: String,
    },
    /// RFC 4226, section 4, R6: at least 128 bits are required.
    ShortSecret {
        /// How many there are.
        bits: usize,
    },
    /// A bare secret that reads like words: perhaps a password was copied.
    LooksLikeWords,
    /// The label's issuer isn't the parameter's; the parameter is taken, as Google Authenticator does.
    IssuersDisagree {
        /// In front of the label's colon.
        label: String,
        /// The `issuer` parameter.
        parameter: String,
    },
    /// A parameter that the key URI format doesn't have; it is passed over.
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A parameter for the other type: `counter` of a TOTP, `period` of an HOTP URI.
    PointlessParameter {
        /// Its name.
        name: String,
    },
    /// A parameter twice with two values; the first is taken.
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// A parameter that says nothing: empty, `null`, or a period of 0. The default is taken.
    DefaultTaken {
        /// Its name.
        name: &'static str,
        /// What it says.
        value: String,
        /// What is taken.
        default: &'static str,
    },
    /// A value that says what it means in other words than the key URI format: `Algorithm.sha1`, ` 6`, `30.0`.
    OddValue {
        /// Whose.
        name: &'static str,
    },
    /// A period that would be an ordinary one if it were in milliseconds.
    LongPeriod {
        /// In seconds.
        seconds: u64,
    },
    /// `#` and what follows it, which is passed over.
    Fragment,
    /// `&amp;`, `&#038;`, `&#x3D;` …: the URI was copied from the source of a page.
    HtmlEscapes,
    /// A `?` where an `&` belongs, or in the label.
    QuestionMark,
    /// `+` between the groups of a secret, as forms write spaces.
    PlusInSecret,
    /// Characters that take no room.
    Invisible,
    /// Quotation marks around all of it.
    Quoted,
    /// Something in front of the URI, or around it: `QR-Code:`, Markdown.
    Surrounded,
    /// The scheme `apple-otpauth`, which means the same.
    AppleScheme,
    /// The URIs are the links of a web page.
    WebPage,
    /// The QR codes are in pictures of a web page.
    PagePictures,
    /// The issuer alone says that codes are those of Steam Guard.
    Steam,
    /// Other QR codes of the same image that are no enrolments.
    OtherCodes {
        /// How many.
        count: usize,
    },
    /// One of a source with several lines.
    OfLine {
        /// Counted from 1.
        line: usize,
        /// Whose, as the label has it; may be empty.
        account: String,
        /// What is odd.
        warning: Box<Warning>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut { entry, reason } => write!(f, "entry {entry} is left out: {reason}"),
            Self::ShortSecret { bits } => {
                write!(f, "the secret has {bits} bits; RFC 4226 requires at least 128")
            }
            Self::LooksLikeWords => f.write_str("the secret looks like words: is it a secret key, not a password?"),
            Self::IssuersDisagree { label, parameter } => {
                write!(f, "the label says issuer `{label}`, the parameter says `{parameter}`: using the parameter")
            }
            Self::UnknownParameter { name } => write!(f, "the URI has an unknown parameter `{name}`"),
            Self::PointlessParameter { name } => {
                write!(f, "the URI's parameter `{name}` has no meaning for its type")
            }
            Self::RepeatedParameter { name } => {
                write!(f, "the URI has `{name}` twice with two values: using the first")
            }
            Self::DefaultTaken { name: name @ "period", value, default } if value == "0" => {
                write!(
                    f,
                    "the URI's `{name}` is 0: using {default}; if the service uses another period, correct the URI"
                )
            }
            Self::DefaultTaken { name, value, default } if value.is_empty() => {
                write!(f, "the URI's `{name}` is empty: using {default}")
            }
            Self::DefaultTaken { name, value, default } => {
                write!(f, "the URI's `{name}` is `{value}`: using {default}")
            }
            Self::OddValue { name } => write!(f, "the URI's `{name}` is written in an unusual way"),
            Self::LongPeriod { seconds } => {
                write!(f, "the URI's `period` is {seconds} s: if that is in milliseconds, the codes will be wrong")
            }
            Self::Fragment => f.write_str("ignoring what follows the URI's `#`"),
            Self::HtmlEscapes => f.write_str("the URI has HTML escapes such as `&amp;`: decoding them"),
            Self::QuestionMark => f.write_str("the URI has a `?` in an odd place: finding the parameters by name"),
            Self::PlusInSecret => f.write_str("the secret has `+` between its groups: reading them as spaces"),
            Self::Invisible => f.write_str("ignoring invisible characters"),
            Self::Quoted => f.write_str("ignoring the quotation marks around it"),
            Self::Surrounded => f.write_str("ignoring the text around the URI"),
            Self::AppleScheme => f.write_str("the scheme is `apple-otpauth`: reading it as `otpauth`"),
            Self::WebPage => f.write_str("the source is a web page: reading its otpauth links"),
            Self::PagePictures => f.write_str("the source is a web page: reading the QR codes in its pictures"),
            Self::Steam => f.write_str("the issuer is Steam: making the five characters of Steam Guard"),
            Self::OtherCodes { count } => write!(f, "the image has {count} more QR code(s) that enrol nothing"),
            Self::OfLine { line, account, warning } if account.is_empty() => write!(f, "line {line}: {warning}"),
            Self::OfLine { line, account, warning } => write!(f, "line {line} ({account}): {warning}"),
        }
    }
}

/// Adds a warning that says the same however often there was reason for it.
pub(super) fn warn_once(warnings: &mut Vec<Warning>, warning: Warning) {
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}
