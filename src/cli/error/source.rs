//! What sources fail with, and what to do about it.

use super::Error;
use crate::cli::error::Kind;
use crate::oath;
use crate::provision::{self, Error as E, Foreign, Format, Unsupported};

/// Takes the lines with otpauth URIs out of any text, and those out of JSON.
const GREP: &str = "only the lines that have one: grep -o 'otpauth://.*' FILE | vmfa add NAME -";
const JQ: &str = "its otpauth URIs: jq -r '.. | strings | select(startswith(\"otpauth://\"))' FILE | vmfa add NAME/ -";

/// Where another QR code or text was taken.
const ANOTHER: &str =
    "the service shows the right one where it sets up an authenticator app: a QR code, or a secret key";

/// The way out for pictures.
const AS_PNG: &str = "save it as PNG or JPEG, or open it and read the screen (SOURCE is `screen`)";

impl From<provision::Error> for Error {
    fn from(error: provision::Error) -> Self {
        let failure = Self::new(Kind::Input, code(&error), error.to_string());
        hints(&error).into_iter().fold(failure, Self::hint)
    }
}

/// A word for programs.
fn code(error: &E) -> &'static str {
    match error {
        E::Empty => "empty",
        E::TooLarge { .. } => "too-large",
        E::Unrecognized => "unrecognized",
        E::WrongKind { .. } | E::Foreign(_) => "wrong-kind",
        E::ImageTooLarge { .. } => "image-too-large",
        E::UnsupportedFormat { .. } => "unsupported-format",
        E::ImageBroken { .. } => "image-broken",
        E::ImageUnsupported { .. } => "image-unsupported",
        E::ImagesUnsupported => "images-unsupported",
        E::NoQrCode => "no-qr-code",
        E::QrTimeUp => "qr-time-up",
        E::QrPart { .. } => "qr-part",
        E::QrPartsDisagree => "qr-parts-disagree",
        E::NotOtpauth { .. } => "not-otpauth",
        E::UriType { .. } => "uri-type",
        E::Unsupported(_) => "unsupported",
        E::UnclearParameter { .. } => "unclear-parameter",
        E::Misplaced { .. } => "misplaced-parameter",
        E::BehindFragment { .. } => "fragment",
        E::UriLine { .. } => "uri-line",
        E::OfLine { error, .. } => code(error),
        E::PercentEncoding { .. } => "percent-encoding",
        E::ControlCharacter { .. } => "control-character",
        E::SecretMissing => "secret-missing",
        E::SecretCharacter { .. } => "secret-character",
        E::SecretLength { .. } => "secret-length",
        E::ShortSecret { .. } => "secret-short",
        E::Secret(crate::secret::Error::Empty) => "secret-empty",
        E::Secret(_) => "secret-too-long",
        E::RepeatedParameter { .. } => "repeated-parameter",
        E::Parameter(oath::Error::Algorithm(_)) => "algorithm",
        E::Parameter(_) => "digits",
        E::Period => "period",
        E::CounterMissing => "counter-missing",
        E::Counter => "counter",
        E::TextTooLong { .. } => "text-too-long",
        E::Malformed { .. } => "malformed",
        E::NoSeed => "no-seed",
        E::Migration => "migration",
    }
}

/// The way out.
fn hints(error: &E) -> Vec<&'static str> {
    let one = match error {
        E::OfLine { error, .. } => return hints(error),
        E::SecretCharacter { character: '0' | '1' | '8' | '9', .. } => {
            "base32 has the letters A to Z and the digits 2 to 7: was 0 an O, 1 an I or L, 8 a B? check the original"
        }
        E::ShortSecret { .. } => {
            return vec![
                "a secret key has 16 characters or more: was all of it copied?",
                "to use it all the same: --allow-short",
            ];
        }
        E::Unrecognized => "`vmfa help sources` lists what is read",
        E::NoQrCode => "try a larger or sharper picture, the secret key as text, or `screen`",
        E::QrTimeUp => "give it longer, such as `--deadline 20s`, or cut the code out of the picture",
        E::QrPart { .. } => "take one picture with all parts in it",
        E::QrPartsDisagree => "take one picture with all parts of one text, and nothing else",
        E::ImageUnsupported { .. } => AS_PNG,
        E::UnsupportedFormat { kind, .. } => match kind {
            Format::Document => "open it and read the screen (SOURCE is `screen`), or take a screenshot of it",
            Format::Video => "take a screenshot of the moment that shows the code",
            Format::Archive => "unpack it first",
            _ => AS_PNG,
        },
        E::ImageTooLarge { .. } => "cut the code out of the picture, or scale it down",
        E::NoSeed => "AWS shows the secret key only in the answer that creates the device",
        E::WrongKind { what: "a web address" } => {
            return vec![
                "vmfa fetches nothing; if it is the address of a picture: curl -sS URL | vmfa add NAME -",
                "if it is a page: show it and use `screen`",
            ];
        }
        E::NotOtpauth { what: "a web address" } => {
            "open the address: if that page shows a QR code for an authenticator app, use `screen`"
        }
        E::WrongKind { what: "an SVG drawing" } => "open it in a browser, and use `screen`",
        E::WrongKind { what } | E::NotOtpauth { what } if what.ends_with("activation") => {
            "where the service offers it, choose another authenticator app (or \"can't scan\"): it shows an otpauth code"
        }
        E::WrongKind { what } if *what != "binary data" && !what.starts_with("a data URI") => ANOTHER,
        E::NotOtpauth { .. } => ANOTHER,
        E::UriLine { .. } => GREP,
        E::UriType { .. } => "vmfa reads otpauth://totp/ and otpauth://hotp/",
        E::Unsupported(unsupported) => return unsupported_hint(unsupported).into_iter().collect(),
        E::UnclearParameter { known: "a time offset", .. } => {
            "remove it if the service uses the true time; else add the device without it, then: vmfa drift NAME --set SECONDS"
        }
        E::UnclearParameter { .. } => {
            "if it changes the codes, rename it as the format does (algorithm, digits, period); if not, remove it"
        }
        E::Misplaced { .. } => "put a `?` before the first parameter, and an `&` between the others",
        E::BehindFragment { .. } => "separate parameters by `&`, and write a `#` in a name as %23",
        E::Period => "most services use 30 s, a few 60 s: set `period=30`, or leave it out",
        E::CounterMissing => {
            "for a new device, add `&counter=0` to the URI; else the counter that the service expects next"
        }
        E::Migration => "in Google Authenticator, tap an account's own QR code; or the service enrols another app",
        E::Foreign(foreign) => return foreign_hint(*foreign).into_iter().collect(),
        _ => return Vec::new(),
    };
    vec![one]
}

const fn unsupported_hint(unsupported: &Unsupported) -> Option<&'static str> {
    match unsupported {
        Unsupported::Steam => Some("Steam's own app shows the codes"),
        Unsupported::Yandex => Some("Yandex's own app, Aegis and Stratum ask for the PIN"),
        Unsupported::TwoStep => Some("ask the administrator to enrol it without two-step enrolment"),
        _ => None,
    }
}

/// How to get at the secrets of another program's file.
const fn foreign_hint(foreign: Foreign) -> Option<&'static str> {
    Some(match foreign {
        Foreign::Aegis | Foreign::AegisEncrypted => {
            "in Aegis, export as a text file of otpauth URIs (\"Google Authenticator URI\"), without encryption"
        }
        Foreign::Stratum => "in Stratum, back up as a list of authenticator URIs, and add that",
        Foreign::EnteEncrypted => "in Ente Auth, export as plain text (a list of otpauth URIs), and add that",
        Foreign::FreeOtpPlus => "in FreeOTP+, export in key URI format, and add that",
        Foreign::Bitwarden => "one item: bw get item ITEM | jq -r .login.totp | vmfa add NAME -",
        Foreign::BitwardenEncrypted => {
            "one item: bw get item ITEM | jq -r .login.totp | vmfa add NAME -; or export as plain .json"
        }
        Foreign::ProtonAuthenticator | Foreign::ProtonPass | Foreign::CredentialExchange => JQ,
        Foreign::OtherJson { has_uri: true } => JQ,
        Foreign::BrowserExtension => {
            "one account: jq -r '.[].secret' FILE | head -1 | vmfa add NAME - (if it has 6 digits, 30 s and SHA1)"
        }
        Foreign::Raivo | Foreign::AndOtp => {
            "one account: jq -r '.[0].secret' FILE | vmfa add NAME - (if it has 6 digits, 30 s and SHA1)"
        }
        Foreign::TwoFas => {
            "one account: jq -r '.services[0].secret' FILE | vmfa add NAME - (if it has 6 digits, 30 s and SHA1)"
        }
        Foreign::LastPass => {
            "one account: jq -r '.accounts[0].secret' FILE | vmfa add NAME - (if it has 6 digits, 30 s and SHA1)"
        }
        Foreign::Duo | Foreign::Authy | Foreign::WinAuth | Foreign::AndroidSettings => {
            "show an account's QR code or secret key in the app, and add that"
        }
        Foreign::KeePassXml => "one entry: keepassxc-cli show -s -a otp DATABASE ENTRY | vmfa add NAME -",
        Foreign::Csv => "its otpauth URIs: grep -o 'otpauth://[^,\"]*' FILE | vmfa add NAME/ -",
        Foreign::OtherJson { has_uri: false } => {
            "if it has the secret key in a field: jq -r .FIELD FILE | vmfa add NAME -"
        }
        Foreign::OtherXml => "vmfa reads the XML with which AWS answers CreateVirtualMFADevice",
        Foreign::WebPage => "show the page and use `screen`, or save its QR code as a picture",
        Foreign::TerminalQr => {
            "show it on a screen and use `screen`; or have the program write a picture: qrencode -o qr.png"
        }
        Foreign::Pgp => "gpg -d FILE | vmfa add NAME -",
        Foreign::Age => "age -d -i IDENTITY FILE | vmfa add NAME -",
        Foreign::OpenSsl => "decrypt it first, and pipe the result: … | vmfa add NAME -",
        Foreign::Pskc | Foreign::PropertyList | Foreign::AwsError | Foreign::PrivateKey | Foreign::Rtf => return None,
    })
}
