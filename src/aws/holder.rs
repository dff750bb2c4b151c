//! Who has a lock.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _};

/// Who has a lock: a process, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(pub(super) Option<u32>);

impl Holder {
    /// What the file of a lock says that somebody has.
    pub(super) fn read(file: &mut File) -> Self {
        let mut text = String::new();
        let read = file.rewind().and_then(|()| file.take(16).read_to_string(&mut text));
        Self(read.ok().and_then(|_| text.trim().parse().ok()))
    }

    /// The process's number.
    #[must_use]
    pub const fn process(self) -> Option<u32> {
        self.0
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}
