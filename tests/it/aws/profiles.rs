//! The shared files, whatever stands in them.

use proptest::prelude::*;
use vmfa::aws::profile::{Error, Files, Kind, Text};

fn files(config: &[u8], credentials: &[u8]) -> Files {
    let config = Text { name: "config", bytes: Some(config) };
    Files::parse(&config, &Text { name: "credentials", bytes: Some(credentials) })
}

/// Lines that are close to the dialect, so that generated files get past their first.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ \t]{0,3}\\[(profile |services |)[\"'ab ]{0,4}\\]?[ #;x]{0,2}",
        "[ \t]{0,3}[ab #;]{0,3}[=:]?[ab #;=\u{e9}]{0,4}\r?",
        "\\PC{0,8}",
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read(config: Vec<u8>, credentials: Vec<u8>) {
        let files = files(&config, &credentials);
        for name in files.names() {
            let _ = files.profile(name);
        }
    }

    #[test]
    fn every_name_is_a_profile_and_every_error_has_a_line_of_its_file(lines in prop::collection::vec(line(), 0..12)) {
        let text = lines.join("\n");
        let files = files(text.as_bytes(), text.as_bytes());
        let mut errors: Vec<Error> = files.stray().cloned().into_iter().collect();
        for name in files.names() {
            match files.profile(name) {
                Ok(profile) => prop_assert_eq!(profile.unwrap().name(), name),
                Err(error) => errors.push(error),
            }
        }
        for error in errors {
            let Error::Line { file, line, .. } = error else { return Err(TestCaseError::fail("no line")) };
            prop_assert!(file == "config" || file == "credentials");
            prop_assert!((1..=lines.len()).contains(&line));
        }
    }

    #[test]
    fn a_value_comes_back_as_it_was_written(value in "[!-~&&[^#;]]{1,40}") {
        let text = format!("[a]\r\nname = {value} ; comment\r\n");
        let files = files(b"", text.as_bytes());
        let profile = files.profile("a").unwrap().unwrap();
        prop_assert_eq!(profile.get_in(Kind::Credentials, "name"), Some(value.as_str()));
    }
}
