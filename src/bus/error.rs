//! What goes wrong on a message bus.

use std::io;

/// Why something can't be done over the bus.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no bus, or it doesn't let this user in.
    #[error("{0}")]
    NoBus(String),
    /// The deadline has passed.
    #[error("there was no answer in time")]
    Late,
    /// Sending or receiving failed.
    #[error("the message bus: {0}")]
    Io(io::Error),
    /// What came isn't what the protocol allows.
    #[error("the message bus sent something unexpected: {0}")]
    Malformed(String),
    /// A message is longer than allowed.
    #[error("a message on the bus is too long")]
    TooLong,
    /// A value isn't of the type that was asked for.
    #[error("a message on the bus holds something other than expected: {0}")]
    Value(#[from] zvariant::Error),
    /// The call was answered by an error.
    #[error("{name}: {text}")]
    Answered {
        /// Its name, such as `org.freedesktop.DBus.Error.UnknownMethod`.
        name: String,
        /// What the sender says about it; may be empty.
        text: String,
    },
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a timeout of a socket is reported as.
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Late,
            _ => Self::Io(error),
        }
    }
}
