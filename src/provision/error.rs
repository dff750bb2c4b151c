use super::{Foreign, Format};
use crate::{oath, secret};

/// Why a source gives no enrolment. Never holds any of the source's text but names and single
/// characters: it might be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bytes, or white space only.
    #[error("the source is empty")]
    Empty,
    /// More than [`Limits::BYTES`](super::Limits::BYTES), or more text than any enrolment has.
    #[error("the source has more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// Neither an image nor text that enrols.
    #[error("the source is not an image, otpauth URI, base32 secret, or answer of AWS")]
    Unrecognized,
    /// Text of a known kind that enrols nothing.
    #[error("the source is {what}, which holds no secret key")]
    WrongKind {
        /// Which kind.
        what: &'static str,
    },
    /// A file of a known format that isn't read.
    #[error("the source is {what}, a format that vmfa can't read")]
    UnsupportedFormat {
        /// Which format.
        what: &'static str,
        /// What the way out depends on.
        kind: Format,
    },
    /// What another program wrote for itself.
    #[error("the source is {}{}", .0, unread(*.0))]
    Foreign(Foreign),
    /// An image whose header announces too much.
    #[error("the image has {width}×{height} pixels; at most {limit} megapixels are read")]
    ImageTooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// In 2^20 pixels.
        limit: u64,
    },
    /// An image that can't be decoded.
    #[error("the {format} image is damaged: {reason}")]
    ImageBroken {
        /// Which format its first bytes say it is.
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// This build reads no images.
    #[error("the source is an image, and this build was made without reading images (feature `qr`)")]
    ImagesUnsupported,
    /// An image without any QR code that can be read.
    #[error("the image has no readable QR code")]
    NoQrCode,
    /// Time was up before a QR code was found: there may be one.
    #[error("time was up before a QR code was found in the image")]
    QrTimeUp,
    /// Structured append: a text that is split over several QR codes, of which some are missing.
    #[error("the QR code is part {part} of {of} of one text, and part {missing} is missing")]
    QrPart {
        /// The first part that was found, counted from 1.
        part: u8,
        /// How many parts there are.
        of: u8,
        /// The first part that wasn't.
        missing: u8,
    },
    /// Parts of a split text that don't make one text.
    #[error("there are QR codes that are parts of different texts")]
    QrPartsDisagree,
    /// An image of a known format in a variant that isn't read.
    #[error("the {format} image is in a variant that is not supported: {reason}")]
    ImageUnsupported {
        /// Which format it is.
        format: &'static str,
        /// What of it isn't read.
        reason: String,
    },
    /// QR codes, but none enrols.
    #[error("the image's QR code holds {what}, not an otpauth URI")]
    NotOtpauth {
        /// What it holds, in a word.
        what: &'static str,
    },
    /// Neither `totp` nor `hotp`.
    #[error("the URI's type is `{kind}`, none of totp, hotp and steam")]
    UriType {
        /// What it is.
        kind: String,
    },
    /// An account whose codes are made in another way.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// A parameter that may be one of the format by another name.
    #[error("the URI's parameter `{name}` may mean {known}, which changes the codes")]
    UnclearParameter {
        /// Its name.
        name: String,
        /// What it may mean.
        known: &'static str,
    },
    /// A parameter inside of something else: `;` or an escape that nobody knows stands where an `&` belongs.
    #[error("the URI has `{name}=` inside its {place}, so it isn't clear where that parameter begins")]
    Misplaced {
        /// Which.
        name: &'static str,
        /// Label or parameter.
        place: String,
    },
    /// A parameter that the URI's `#` cuts off.
    #[error("the URI has a `#` in front of its `{name}`, which cuts it off")]
    BehindFragment {
        /// Which.
        name: &'static str,
    },
    /// Not a URI at this line.
    #[error("line {line} is not an otpauth URI")]
    UriLine {
        /// Counted from 1.
        line: usize,
    },
    /// One of a source with several lines.
    #[error("{}: {error}", place(*line, account))]
    OfLine {
        /// Counted from 1.
        line: usize,
        /// Whose, as the label has it; may be empty.
        account: String,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// `%` without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the URI's {place} is not percent-encoded UTF-8")]
    PercentEncoding {
        /// Label or parameter.
        place: String,
    },
    /// A line feed, an escape, or another of their kind.
    #[error("the URI's {place} has a control character in it")]
    ControlCharacter {
        /// Label or parameter.
        place: &'static str,
    },
    /// No `secret` parameter.
    #[error("the URI has no secret")]
    SecretMissing,
    /// A character that base32 doesn't have.
    #[error("{character:?} at position {position} of the secret is not a base32 character")]
    SecretCharacter {
        /// The character.
        character: char,
        /// Its place in the text as given, counted from 1.
        position: usize,
    },
    /// A secret of hexadecimal digits, which base32 hasn't all of.
    #[error("the secret reads like hexadecimal, not base32")]
    Hexadecimal,
    /// A character that hexadecimal doesn't have.
    #[error("{character:?} at position {position} of the secret is not a hexadecimal digit")]
    HexCharacter {
        /// The character.
        character: char,
        /// Its place in the text as given, counted from 1.
        position: usize,
    },
    /// Half a byte at the end.
    #[error("the secret has {characters} hexadecimal digits, an odd number: one is missing or too many")]
    HexLength {
        /// Without spaces, dashes and colons.
        characters: usize,
    },
    /// A number of characters that no bytes encode to.
    #[error("the secret has {characters} characters, a number that base32 never gives: one is missing or too many")]
    SecretLength {
        /// Without spaces, dashes and padding.
        characters: usize,
    },
    /// A bare text that is base32, and so short that any word may be.
    #[error("a bare secret of {bits} bits: any short word would pass for one{}", if *words { ", and this looks like a word" } else { "" })]
    ShortSecret {
        /// How many.
        bits: usize,
        /// Whether it has the letters of a word.
        words: bool,
    },
    /// Empty or too long.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The same parameter twice, with two values, where a choice would be a guess.
    #[error("the URI has `{name}` twice with two values")]
    RepeatedParameter {
        /// Which.
        name: &'static str,
    },
    /// An algorithm or number of digits that isn't taken.
    #[error(transparent)]
    Parameter(#[from] oath::Error),
    /// A Steam account by its type, issuer, algorithm or encoder, and something else by another part of it.
    #[error("this is a Steam account, whose codes have 5 characters, but its {name} says otherwise")]
    NotSteam {
        /// Which part.
        name: &'static str,
    },
    /// Not a whole number of seconds, at least 1.
    #[error("the period is not a whole number of seconds of at least 1")]
    Period,
    /// An HOTP URI without a counter.
    #[error("the URI is of type hotp, and has no counter")]
    CounterMissing,
    /// Not a number of 64 bits.
    #[error("the counter is not a whole number that fits 64 bits")]
    Counter,
    /// A label that is longer than anybody's.
    #[error("the URI's {place} is longer than {limit} characters")]
    TextTooLong {
        /// Label or parameter.
        place: &'static str,
        /// The limit.
        limit: usize,
    },
    /// JSON that doesn't parse, or XML.
    #[error("the {format} is malformed at {place}")]
    Malformed {
        /// JSON or XML.
        format: &'static str,
        /// Line and column, or byte.
        place: String,
    },
    /// AWS's answer, without what it hands out only once.
    #[error("the answer of AWS has neither Base32StringSeed nor QRCodePNG")]
    NoSeed,
    /// Google Authenticator's export.
    #[error("the source is an export of Google Authenticator (otpauth-migration)")]
    Migration,
}

/// Accounts whose codes are no codes of HOTP, TOTP or Steam Guard, or can't be made of the URI alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// By type, encoder or PIN.
    #[error("this is a Yandex account: its codes need the PIN, so it is not a TOTP device")]
    Yandex,
    /// Mobile-OTP.
    #[error("this is an mOTP account: its codes need MD5 and a PIN, so it is not a TOTP device")]
    Motp,
    /// privacyIDEA's push token.
    #[error("this is a privacyIDEA push token, which has no codes")]
    Push,
    /// RFC 6287.
    #[error("this is an OCRA token (RFC 6287): its codes need the challenge, so it is not a TOTP device")]
    Ocra,
    /// privacyIDEA's parameters of two-step enrolment.
    #[error("this is half a secret: in a two-step enrolment (2step, privacyIDEA) the app adds the other half")]
    TwoStep,
    /// A PIN among the parameters.
    #[error("this account has a PIN that goes into its codes, so it is not a TOTP device")]
    Pin,
    /// An encoder that isn't known.
    #[error("the URI's encoder is `{0}`, which vmfa doesn't know: its codes would be wrong")]
    Encoder(String),
}

/// What is wrong with a thing of that name, where the name doesn't say it.
const fn unread(foreign: Foreign) -> &'static str {
    match foreign {
        Foreign::WebPage | Foreign::OtherJson { .. } | Foreign::OtherXml | Foreign::AwsError => "",
        Foreign::OtherTable | Foreign::Settings => "",
        foreign if foreign.is_imported() => "",
        _ => ", which vmfa doesn't read",
    }
}

fn place(line: usize, account: &str) -> String {
    if account.is_empty() { format!("line {line}") } else { format!("line {line} ({account})") }
}
