//! What a server and the way to it say, told apart by what helps.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::registry::Error;

/// The most of a server's words that is repeated.
const LONGEST_REASON: usize = 300;

/// Why something wasn't done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is gone, or there is none. What was on its way may have been done.
    Lost(String),
    /// The server undid it for the sake of another transaction, or can't do it just now.
    Again(Error),
    /// Trying again doesn't help.
    Final(Error),
}

/// What is known once patience is over, or at once.
impl Failure {
    pub(super) fn into_error(self, place: &str) -> Error {
        match self {
            Self::Lost(reason) => Error::Unreachable { place: place.to_owned(), reason },
            Self::Again(error) | Self::Final(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// What the client library says.
pub(super) fn of_client(place: &str, error: &tokio_postgres::Error) -> Failure {
    let Some(said) = error.as_db_error() else {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(deeper) = source {
            reason = format!("{reason}: {deeper}");
            source = deeper.source();
        }
        let (place, reason) = (place.to_owned(), readable(&reason));
        // An answer that can't be read is no reason to ask again; a connection that broke is.
        let broken = error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>());
        return match broken {
            true => Failure::Lost(reason),
            false if reason.ends_with("password missing") => {
                Failure::Final(Error::Refused { place, reason: "it asks for a password".to_owned() })
            }
            false => Failure::Final(Error::Engine { place, reason }),
        };
    };
    of_server(place, said.code(), &readable(said.message()))
}

fn of_server(place: &str, code: &SqlState, reason: &str) -> Failure {
    let (place, reason) = (place.to_owned(), reason.to_owned());
    let class = code.code().get(..2).unwrap_or_default();
    match *code {
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::IDLE_SESSION_TIMEOUT
        | SqlState::TOO_MANY_CONNECTIONS => Failure::Lost(reason),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            Failure::Again(Error::Engine { place, reason })
        }
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => {
            Failure::Final(Error::Locked { place, holder: None })
        }
        SqlState::DISK_FULL => Failure::Final(Error::Full { place }),
        // A replica that becomes the primary takes a moment.
        SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Again(Error::ReadOnly { place, reason }),
        SqlState::UNDEFINED_TABLE | SqlState::INVALID_SCHEMA_NAME => Failure::Final(Error::NoRegistry { place }),
        SqlState::INSUFFICIENT_PRIVILEGE | SqlState::INVALID_CATALOG_NAME => {
            Failure::Final(Error::Refused { place, reason })
        }
        _ => match class {
            "08" => Failure::Lost(reason),
            "28" => Failure::Final(Error::Refused { place, reason }),
            "XX" => Failure::Final(Error::NotIntact { place, reason }),
            _ => Failure::Final(Error::Engine { place, reason }),
        },
    }
}

/// What a server said, in one line that is short and has nothing that a terminal obeys.
pub(super) fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}
