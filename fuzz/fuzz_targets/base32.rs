//! Secrets as people paste them: what is read is written and read back as the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(secret) = vmfa::provision::base32::parse(text) {
        assert_eq!(vmfa::provision::base32::parse(&secret.to_base32()), Ok(secret));
    }
});
