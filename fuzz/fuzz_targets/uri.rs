//! otpauth URIs: what is read is written as ASCII and read back as the same.
#![no_main]

use vmfa::provision::uri;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(found) = uri::parse(text) {
        for enrolment in found.enrolments {
            let written = uri::format(&enrolment);
            assert!(written.is_ascii());
            assert_eq!(uri::parse(&written).map(|again| again.enrolments), Ok(vec![enrolment]));
        }
    }
});
