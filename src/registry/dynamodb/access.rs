//! Access tokens, in a partition of their own.

use super::DynamoDb;
use super::action::{Key, Look, Write};
use super::hexadecimal::{fingerprint, hexadecimal};
use super::value::{Item, number, number_in, text, text_in};
use crate::name::Name;
use crate::registry::{AccessToken, Error};

/// The partition of all of them.
const PARTITION: &str = "access_token";

fn key(name: &Name) -> Key {
    Key::new(PARTITION, name.as_str())
}

impl DynamoDb {
    pub(super) fn tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.ready()?;
        self.client.look(&Look::at(PARTITION))?.iter().map(|item| self.token_in(item)).collect()
    }

    fn token_in(&self, item: &Item) -> Result<AccessToken, Error> {
        let name = text_in(item, "sk").unwrap_or_default();
        let damaged = |field| self.damaged("access_token", name, field);
        let hash = text_in(item, "hash").and_then(fingerprint).ok_or_else(|| damaged("hash"))?;
        let allow = text_in(item, "allow").ok_or_else(|| damaged("allow"))?;
        let created = number_in(item, "created").ok_or_else(|| damaged("created"))?;
        // One that doesn't expire has no such attribute.
        AccessToken::from_stored(name, hash.to_vec(), allow, created, number_in(item, "expires")).map_err(damaged)
    }

    /// Asked again, it finds what the first one did by its hash.
    pub(super) fn insert_token(&self, token: &AccessToken) -> Result<(), Error> {
        self.ready()?;
        let hash = text(hexadecimal(&token.hash));
        let mut attributes = vec![
            ("hash", hash.clone()),
            ("allow", text(token.allow_text())),
            ("created", number(token.created.as_unix())),
        ];
        attributes.extend(token.expires.map(|expires| ("expires", number(expires.as_unix()))));
        let write = Write::put(&key(&token.name), attributes);
        let write = write.only_if("attribute_not_exists(#pk) OR #hash = :hash", vec![(":hash", hash)]);
        if self.client.write(&write)? { Ok(()) } else { Err(Error::TokenNameTaken(token.name.clone())) }
    }

    /// Where the answer was lost, the token is gone all the same, and this says that there was none.
    pub(super) fn delete_token(&self, name: &Name) -> Result<bool, Error> {
        self.ready()?;
        self.client.write(&Write::delete(key(name)).only_if("attribute_exists(#pk)", Vec::new()))
    }
}
