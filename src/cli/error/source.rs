//! What sources fail with, and what to do about it.

use super::Error;
use crate::cli::error::Kind;
use crate::cli::hints::sources;
use crate::oath;
use crate::provision::{self, Error as E, Foreign, Format, Unsupported};

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
        E::UnclearParameter { .. } | E::NotSteam { .. } => "unclear-parameter",
        E::Misplaced { .. } => "misplaced-parameter",
        E::BehindFragment { .. } => "fragment",
        E::UriLine { .. } => "uri-line",
        E::OfLine { error, .. } => code(error),
        E::PercentEncoding { .. } => "percent-encoding",
        E::ControlCharacter { .. } => "control-character",
        E::SecretMissing => "secret-missing",
        E::SecretCharacter { .. } | E::HexCharacter { .. } | E::Hexadecimal => "secret-character",
        E::SecretLength { .. } | E::HexLength { .. } => "secret-length",
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
        E::Hexadecimal => sources::HEX,
        E::SecretCharacter { character: '0' | '1' | '8' | '9', .. } => sources::BASE32,
        E::ShortSecret { .. } => {
            return vec![sources::WHOLE_KEY, sources::ALLOW_SHORT];
        }
        E::Unrecognized => sources::KINDS,
        E::NoQrCode => return vec![sources::SHARPER, sources::KEY_INSTEAD],
        E::QrTimeUp => sources::LONGER,
        E::QrPart { .. } => sources::ALL_PARTS,
        E::QrPartsDisagree => sources::PARTS_OF_ONE,
        E::ImageUnsupported { .. } => sources::AS_PNG,
        E::UnsupportedFormat { kind, .. } => match kind {
            Format::Document => sources::SCREENSHOT,
            Format::Video => sources::STILL,
            Format::Archive => sources::UNPACK,
            Format::Spreadsheet => sources::ONE_CELL,
            _ => sources::AS_PNG,
        },
        E::ImageTooLarge { .. } => sources::SMALLER,
        E::NoSeed => sources::NO_SEED,
        E::WrongKind { what: "a web address" } => {
            return vec![sources::CURL, sources::SHOW_PAGE];
        }
        E::NotOtpauth { what: "a web address" } => sources::OPEN_ADDRESS,
        E::WrongKind { what: "an SVG drawing" } => sources::IN_BROWSER,
        E::WrongKind { what } | E::NotOtpauth { what } if what.ends_with("activation") => sources::OTHER_APP,
        E::WrongKind { what } if *what != "binary data" && !what.starts_with("a data URI") => sources::RIGHT_ONE,
        E::NotOtpauth { .. } => sources::RIGHT_ONE,
        E::UriLine { .. } => sources::GREP,
        E::UriType { .. } => sources::TOTP_OR_HOTP,
        E::Unsupported(unsupported) => return unsupported_hint(unsupported).into_iter().collect(),
        E::UnclearParameter { known: "a time offset", .. } => sources::TIME_OFFSET,
        E::UnclearParameter { .. } => sources::RENAME_PARAMETER,
        E::NotSteam { .. } => sources::STEAM,
        E::Misplaced { .. } => sources::SEPARATE,
        E::BehindFragment { .. } => sources::ESCAPE,
        E::Period => sources::PERIOD,
        E::CounterMissing => sources::COUNTER,
        E::Migration => sources::IMPORT,
        E::Foreign(foreign) => return foreign_hint(*foreign).into_iter().collect(),
        _ => return Vec::new(),
    };
    vec![one]
}

const fn unsupported_hint(unsupported: &Unsupported) -> Option<&'static str> {
    match unsupported {
        Unsupported::Yandex => Some(sources::YANDEX),
        Unsupported::TwoStep => Some(sources::TWO_STEP),
        _ => None,
    }
}

/// How to get at the secrets of another program's file.
const fn foreign_hint(foreign: Foreign) -> Option<&'static str> {
    Some(match foreign {
        foreign if foreign.is_imported() => sources::IMPORT,
        Foreign::ProtonPass | Foreign::OtherJson { has_uri: true } => sources::JQ,
        Foreign::BrowserExtension => sources::BROWSER_EXTENSION,
        Foreign::Duo | Foreign::Authy | Foreign::WinAuth | Foreign::AndroidSettings => sources::IN_THE_APP,
        Foreign::KeePassXml => sources::KEE_PASS,
        Foreign::Csv => sources::CSV,
        Foreign::OtherTable => sources::ONE_CELL,
        Foreign::Settings => sources::ONE_VALUE,
        Foreign::OtherJson { has_uri: false } => sources::JQ_FIELD,
        Foreign::OtherXml => sources::XML,
        Foreign::WebPage => sources::SAVE_QR_CODE,
        Foreign::TerminalQr => sources::SHOW_OR_DRAW,
        Foreign::Pgp => sources::GPG,
        Foreign::Age => sources::AGE,
        Foreign::OpenSsl => sources::DECRYPT,
        _ => return None,
    })
}
