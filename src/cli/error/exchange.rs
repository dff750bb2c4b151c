//! What exports fail with, and what to do about it.

use super::Error;
use crate::cli::hints::exports;
use crate::exchange;

impl From<exchange::Error> for Error {
    fn from(error: exchange::Error) -> Self {
        use exchange::Error as E;
        let failure = Self::input(error.code(), error.to_string());
        match error {
            E::Unrecognized => failure.hint(exports::KINDS),
            E::WrongPassword => failure.hint(exports::RIGHT_PASSWORD),
            E::WrongPasswordOrDamaged => failure.hint(exports::RIGHT_PASSWORD).hint(exports::AGAIN),
            E::Damaged { .. } => failure.hint(exports::AGAIN),
            E::TooLarge { .. } | E::TooMany { .. } => failure.hint(exports::IN_PARTS),
            E::Version { .. } => failure.hint(exports::OTHER_FORMAT),
            E::Costly { .. } => failure.hint(exports::CHEAPER),
            E::PartMissing { .. } => failure.hint(exports::ALL_CODES),
            E::PartsDisagree => failure.hint(exports::ONE_EXPORT),
            _ => failure,
        }
    }
}
