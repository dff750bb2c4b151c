use super::{Error, Found, Limits};
/// Reads a source.
pub fn read(_bytes: &[u8], _limits: &Limits) -> Result<Found, Error> {
    Err(Error::Unrecognized)
}
