//! Backups: no text makes the reader panic or run on, and what it reads is written the same.
#![no_main]

mod quiet;

use vmfa::device::backup::Backup;

libfuzzer_sys::fuzz_target!(init: quiet::workers(), |text: &[u8]| {
    if let Ok(backup) = Backup::read(text) {
        let written = backup.text().expect("a backup can be written");
        let again = Backup::read(&written).expect("what was written can be read");
        assert_eq!(*again.text().expect("a backup can be written"), *written);
    }
});
