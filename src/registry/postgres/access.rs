//! Access tokens, in a table of their own.

use tokio_postgres::types::Type;

use super::Postgres;
use super::values::of_row;
use crate::name::Name;
use crate::registry::{AccessToken, Error};

const ALL: &str = "SELECT name, hash, allow, created, expires FROM vmfa.access_token ORDER BY name";

/// Asked again, it finds what the first one did by its hash.
const ADD: &str =
    "INSERT INTO vmfa.access_token AS old (name, hash, allow, created, expires) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (name) DO UPDATE SET created = old.created WHERE old.hash = excluded.hash RETURNING 1";

const REMOVE: &str = "DELETE FROM vmfa.access_token WHERE name = $1 RETURNING 1";

impl Postgres {
    pub(super) fn tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.again(&mut |link| {
            let place = self.place.as_str();
            let rows = link.ask(ALL, &[])?;
            let mut tokens = Vec::with_capacity(rows.len());
            for row in &rows {
                let (name, allow): (String, String) = (of_row(place, row, 0)?, of_row(place, row, 2)?);
                let (hash, created, expires) = (of_row(place, row, 1)?, of_row(place, row, 3)?, of_row(place, row, 4)?);
                let token = AccessToken::from_stored(&name, hash, &allow, created, expires);
                tokens.push(token.map_err(|field| Error::Damaged {
                    place: place.to_owned(),
                    record: "access_token",
                    id: name,
                    field,
                })?);
            }
            Ok(tokens)
        })
    }

    pub(super) fn insert_token(&self, token: &AccessToken) -> Result<(), Error> {
        let (hash, created) = (token.hash.as_slice(), token.created.as_unix().cast_signed());
        let expires = token.expires.map(|expires| expires.as_unix().cast_signed());
        let added = self.ask(
            ADD,
            &[
                (&token.name.as_str(), Type::TEXT),
                (&hash, Type::BYTEA),
                (&token.allow_text(), Type::TEXT),
                (&created, Type::INT8),
                (&expires, Type::INT8),
            ],
        )?;
        if added.is_empty() { Err(Error::TokenNameTaken(token.name.clone())) } else { Ok(()) }
    }

    /// Where the answer was lost, the token is gone all the same, and this says that there was none.
    pub(super) fn delete_token(&self, name: &Name) -> Result<bool, Error> {
        Ok(!self.ask(REMOVE, &[(&name.as_str(), Type::TEXT)])?.is_empty())
    }
}
