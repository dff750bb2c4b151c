//! Access tokens: who may ask a lease service for codes, and of which devices. They are kept beside the devices, so that
//! all instances of a service know the same ones.

use crate::name::Name;
use crate::time::Timestamp;

/// What is known of an access token; not the token itself, which only its user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose it is; unique.
    pub name: Name,
    /// SHA-256 of the token, which has 256 random bits.
    pub hash: [u8; 32],
    /// Names and patterns of the devices that it may be used for.
    pub allow: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; none for one that doesn't expire.
    pub expires: Option<Timestamp>,
}

impl AccessToken {
    /// Whether it is refused at this time because it is too old.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// What it allows as a back-end stores it: a JSON array.
    pub(super) fn allow_text(&self) -> String {
        serde_json::Value::from(self.allow.as_slice()).to_string()
    }

    /// From what a back-end stored; the name of the field that can't be read otherwise.
    pub(super) fn from_stored(
        name: &str,
        hash: Vec<u8>,
        allow: &str,
        created: i64,
        expires: Option<i64>,
    ) -> Result<Self, &'static str> {
        Ok(Self {
            name: name.parse().map_err(|_| "name")?,
            hash: hash.try_into().map_err(|_| "hash")?,
            allow: serde_json::from_str(allow).map_err(|_| "allow")?,
            created: Timestamp::from_unix(created.cast_unsigned()),
            expires: expires.map(|expires| Timestamp::from_unix(expires.cast_unsigned())),
        })
    }
}
