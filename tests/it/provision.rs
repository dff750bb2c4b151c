//! Sources: otpauth URIs, what AWS hands out, and whatever wraps them.

use std::fmt::Write as _;
use std::fs;

use base64::Engine as _;
use vmfa::oath::{Digits, MovingFactor, Parameters};
use vmfa::provision::{self, Enrolment, Error, Limits, Warning, uri};
use vmfa::secret::Secret;
use vmfa::time::Period;

use crate::support::vector;

const SEED64: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const SERIAL: &str = "arn:aws:iam::123456789012:mfa/mfauser";

fn read(bytes: impl AsRef<[u8]>) -> Result<provision::Found, Error> {
    provision::read(bytes.as_ref(), &Limits::default())
}

fn one(bytes: impl AsRef<[u8]>) -> Enrolment {
    let mut found = read(bytes).unwrap();
    assert_eq!(found.enrolments.len(), 1);
    found.enrolments.remove(0)
}

fn word(warning: &Warning) -> &'static str {
    match warning {
        Warning::ShortSecret { .. } => "short-secret",
        Warning::IssuersDisagree { .. } => "issuers-disagree",
        Warning::UnknownParameter { .. } => "unknown-parameter",
        Warning::PointlessParameter { .. } => "pointless-parameter",
        Warning::RepeatedParameter { .. } => "repeated-parameter",
        Warning::Fragment => "fragment",
        Warning::HtmlEscapes => "html-escapes",
        _ => "another",
    }
}

/// Many a secret begins as pictures and documents do, in itself or taken as base64.
#[test]
fn every_secret_is_read_as_that_whatever_it_begins_with() {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut failures = Vec::new();
    for number in 0..32_usize.pow(3) {
        let prefix = [number / 1024, number / 32 % 32, number % 32].map(|letter| letters[letter]);
        for length in [13, 16, 26, 32, 64] {
            let rest = (3..length).map(|place| letters[(number * 7 + place * (place + 5)) % 32]);
            let upper: Vec<u8> = prefix.iter().copied().chain(rest).collect();
            for text in [upper.clone(), upper.to_ascii_lowercase()] {
                let limits = Limits { allow_short: true, ..Limits::default() };
                match provision::read(&text, &limits) {
                    Ok(found) if found.enrolments[0].secret.expose().len() == length * 5 / 8 => {}
                    other => failures.push(format!("{}: {other:?}", String::from_utf8_lossy(&text))),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures, such as {:#?}", failures.len(), &failures[..failures.len().min(8)]);
}

/// An enrolment in the words of `vectors/otpauth-uris.txt`, defaults left out.
fn describe(enrolment: &Enrolment, warnings: &[Warning]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| writeln!(text, "{name} {value}").unwrap();
    if let Some(issuer) = &enrolment.issuer {
        line("issuer", issuer);
    }
    if !enrolment.account.is_empty() {
        line("account", &enrolment.account);
    }
    let hex: String = enrolment.secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    line("secret", &hex);
    let Parameters { algorithm, digits, factor } = enrolment.parameters;
    if algorithm != Parameters::DEFAULT.algorithm {
        line("algorithm", algorithm.as_str());
    }
    if digits != Parameters::DEFAULT.digits {
        line("digits", &digits.count().to_string());
    }
    match factor {
        MovingFactor::Time { period } if period == Period::DEFAULT => {}
        MovingFactor::Time { period } => line("period", &period.seconds().to_string()),
        MovingFactor::Counter { next } => line("counter", &next.to_string()),
    }
    for warning in warnings {
        line("warn", word(warning));
    }
    text
}

#[test]
fn every_uri_of_the_vectors_means_what_its_block_says() {
    let text = fs::read_to_string(vector("otpauth-uris.txt")).unwrap();
    let mut failures = Vec::new();
    let mut blocks = 0;
    for block in text.split("\n\n") {
        let lines: Vec<&str> = block.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let Some((first, rest)) = lines.split_first() else { continue };
        blocks += 1;
        let uri = first.strip_prefix("uri").expect("a block begins with its URI").trim();
        let expected: String = rest
            .iter()
            .map(|line| {
                let (name, value) = line.split_once(' ').unwrap();
                format!("{name} {}\n", value.trim())
            })
            .collect();
        match read(uri) {
            Ok(found) => {
                let got = describe(&found.enrolments[0], &found.warnings);
                if got != expected {
                    failures.push(format!("{uri}\nexpected\n{expected}got\n{got}"));
                }
                // What is written is read back as the same.
                let again = one(uri::format(&found.enrolments[0]).as_bytes());
                if again != found.enrolments[0] {
                    failures.push(format!("{uri}\nis not read back from what is written of it"));
                }
            }
            Err(error) => failures.push(format!("{uri}\n{error}")),
        }
    }
    assert!(failures.is_empty(), "{} of {blocks}:\n{}", failures.len(), failures.join("\n"));
    assert!(blocks >= 40, "only {blocks} blocks");
}

#[test]
fn what_aws_puts_into_its_qr_code_is_written_to_the_letter() {
    let text = format!(
        "otpauth://totp/Amazon%20Web%20Services:mfauser@123456789012?secret={SEED64}&issuer=Amazon%20Web%20Services"
    );
    assert_eq!(*uri::format(&one(&text)), text);
}

#[test]
fn a_steam_account_is_written_with_a_type_of_its_own() {
    let text = format!("otpauth://steam/Steam:joe?secret={SEED64}&issuer=Steam");
    assert_eq!(*uri::format(&one(&text)), text);
    let by_issuer = format!("otpauth://totp/Steam:joe?secret={SEED64}&issuer=Steam&digits=5");
    assert_eq!(*uri::format(&one(by_issuer)), text);
    let alone = one(format!("steam://{SEED64}"));
    assert_eq!(*uri::format(&alone), format!("otpauth://steam/Steam:?secret={SEED64}&issuer=Steam"));
}

#[test]
fn several_uris_make_several_enrolments_and_the_same_one_twice_makes_one() {
    let line = |account: &str| format!("otpauth://totp/Example:{account}?secret={SEED64}\n");
    let text = format!("# exported\n{}\n{}{}", line("a"), line("b"), line("a"));
    let accounts: Vec<String> = read(text).unwrap().enrolments.into_iter().map(|e| e.account).collect();
    assert_eq!(accounts, ["a", "b"]);
}

fn aws(shape: &str, enrolment: &Enrolment) {
    assert_eq!(*enrolment.secret.to_base32(), SEED64, "{shape}");
    assert_eq!(enrolment.issuer.as_deref(), Some("Amazon Web Services"), "{shape}");
    assert_eq!(enrolment.account, "mfauser@123456789012", "{shape}");
    assert_eq!(enrolment.serial.as_deref(), Some(SERIAL), "{shape}");
    assert_eq!(enrolment.parameters, Parameters::DEFAULT, "{shape}");
}

#[test]
fn every_shape_of_aws_answer_is_read_with_its_serial_number() {
    let mut shapes = 0;
    for entry in fs::read_dir(vector("aws")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let name = path.display().to_string();
        aws(&name, &one(&bytes));
        aws(&format!("{name} in base64"), &one(base64::engine::general_purpose::STANDARD.encode(&bytes)));
        let utf16: Vec<u8> = std::iter::once(0xfeff)
            .chain(String::from_utf8(bytes).unwrap().encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        aws(&format!("{name} as PowerShell writes it"), &one(utf16));
        shapes += 1;
    }
    assert!(shapes >= 5, "only {shapes} shapes");
}

#[test]
fn the_outfile_of_a_seed_is_read() {
    assert_eq!(*one(SEED64).secret.to_base32(), SEED64);
    assert_eq!(*one(base64::engine::general_purpose::STANDARD.encode(SEED64)).secret.to_base32(), SEED64);
}

#[cfg(feature = "qr")]
#[test]
fn the_outfile_of_an_image_is_read() {
    let image = fs::read(vector("qr/aws-mfauser.png")).unwrap();
    assert_eq!(*one(&image).secret.to_base32(), SEED64);
    let base64 = base64::engine::general_purpose::STANDARD.encode(&image);
    assert_eq!(*one(&base64).secret.to_base32(), SEED64);
    assert_eq!(*one(format!("data:image/png;base64,{base64}")).secret.to_base32(), SEED64);
    let unpadded = base64.trim_end_matches('=');
    let escaped = base64.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
    let all_escaped: String = image.iter().map(|byte| format!("%{byte:02X}")).collect();
    for uri in [
        format!("DATA:IMAGE/PNG;BASE64,{base64}"),
        format!("data:image/png;charset=x;base64,{unpadded}"),
        format!("data:image/png;base64,{escaped}"),
        format!("data:image/png,{all_escaped}"),
    ] {
        assert_eq!(*one(&uri).secret.to_base32(), SEED64, "{}", &uri[..40]);
    }
}

#[cfg(feature = "qr")]
#[test]
fn an_answer_with_an_image_alone_is_read_from_the_image() {
    let image = base64::engine::general_purpose::STANDARD.encode(fs::read(vector("qr/aws-mfauser.png")).unwrap());
    let json = format!(r#"{{"VirtualMFADevice": {{"SerialNumber": "{SERIAL}", "QRCodePNG": "{image}"}}}}"#);
    aws("QRCodePNG", &one(json));
}

#[test]
fn a_device_below_a_path_is_named_by_its_last_part() {
    let json = format!(
        r#"{{"SerialNumber": "arn:aws-cn:iam::123456789012:mfa/team/a/mfauser", "Base32StringSeed": "{SEED64}"}}"#
    );
    assert_eq!(one(json).account, "mfauser@123456789012");
}

mod generated {
    use super::*;
    use proptest::prelude::*;

    fn enrolments() -> impl Strategy<Value = Enrolment> {
        let text = "[^\\p{C}\\p{Z}]([^\\p{C}]{0,20}[^\\p{C}\\p{Z}])?";
        let factor = prop_oneof![
            (1..u64::MAX).prop_map(|period| MovingFactor::Time { period: Period::new(period).unwrap() }),
            any::<u64>().prop_map(|next| MovingFactor::Counter { next }),
        ];
        let algorithm = prop_oneof![Just("SHA1"), Just("SHA256"), Just("SHA512")];
        let secret = proptest::collection::vec(any::<u8>(), 1..100);
        // Colons alone name nobody.
        let issuer = text.prop_filter("an issuer", |text| !text.chars().all(|character| character == ':'));
        (proptest::option::of(issuer), prop_oneof![Just(String::new()), text], secret, algorithm, 5..=10_u8, factor)
            .prop_map(|(issuer, account, secret, algorithm, digits, factor)| {
                let digits = match factor {
                    MovingFactor::Time { .. } => Digits::new(digits).unwrap_or(Digits::STEAM),
                    MovingFactor::Counter { .. } => Digits::new(digits).unwrap_or(Digits::SIX),
                };
                Enrolment {
                    issuer,
                    account,
                    secret: Secret::new(secret).unwrap(),
                    parameters: Parameters { algorithm: algorithm.parse().unwrap(), digits, factor },
                    serial: None,
                }
            })
    }

    /// What labels and parameters are made of, odd ends among them.
    fn pieces() -> impl Strategy<Value = (Vec<&'static str>, Vec<&'static str>)> {
        let label = prop::sample::select(vec![
            "a",
            "b",
            ":",
            "%3A",
            "%3a",
            " ",
            "%20",
            "+",
            "?",
            "#",
            "/",
            "&amp;",
            "&#38;",
            "null",
            "Steam",
            "\u{200b}",
            "%E2%80%8B",
            "%22",
            "\"",
            "@",
            "%26",
            "&",
            "otpauth://",
            "a:b",
            "127.0.0.1%3A8000",
        ]);
        let parameter = prop::sample::select(vec![
            "&",
            "&amp;",
            "&#038;",
            "?",
            "#",
            "issuer=",
            "digits=8",
            "digits=",
            "period=0",
            "period=60.0",
            "algorithm=SHA256",
            "algorithm=Algorithm.sha1",
            "a",
            "b",
            ":",
            "%3A",
            "+",
            " ",
            "null",
            "%22",
            "\"",
            "'",
            "lock=1",
            "\u{feff}",
            "&issuer=a",
            "&issuer=a%3Ab",
            "&issuer=a+b",
            "&digits=7",
        ]);
        (prop::collection::vec(label, 0..8), prop::collection::vec(parameter, 0..8))
    }

    proptest! {
        #[test]
        fn a_written_uri_is_ascii_and_read_back_as_the_same_enrolment(enrolment in enrolments()) {
            let uri = uri::format(&enrolment);
            prop_assert!(uri.is_ascii());
            prop_assert_eq!(one(uri.as_bytes()), enrolment);
        }

        #[test]
        fn whatever_is_read_of_a_uri_is_read_back_from_what_is_written_of_it(parts in pieces()) {
            let text = format!("otpauth://totp/{}?secret=GEZDGNBVGY3TQOJQ{}", parts.0.concat(), parts.1.concat());
            if let Ok(found) = uri::parse(&text) {
                for enrolment in found.enrolments {
                    let again = uri::parse(&uri::format(&enrolment)).map(|again| again.enrolments);
                    prop_assert_eq!(again, Ok(vec![enrolment]), "{}", text);
                }
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,300}") {
            let _ = read(text);
        }

        #[test]
        fn no_text_behind_the_scheme_makes_the_reader_panic(text in "[ -~]{0,120}") {
            let _ = read(format!("otpauth://totp/{text}"));
            let _ = read(format!("otpauth://hotp/x?secret=GEZDGNBV&{text}"));
        }
    }
}
