//! Access tokens, in the same file.

use rusqlite::{OptionalExtension as _, Row, params};

use super::Sqlite;
use crate::name::Name;
use crate::registry::{AccessToken, Error};

impl Sqlite {
    pub(super) fn tokens(&self) -> Result<Vec<AccessToken>, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let connection = self.connection();
        let sql = "SELECT name, hash, allow, created, expires FROM access_token ORDER BY name";
        let mut select = connection.prepare_cached(sql).map_err(engine)?;
        let mut rows = select.query([]).map_err(engine)?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            tokens.push(self.token(row)?);
        }
        Ok(tokens)
    }

    fn token(&self, row: &Row<'_>) -> Result<AccessToken, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let name: String = row.get(0).map_err(engine)?;
        let allow: String = row.get(2).map_err(engine)?;
        let (hash, created, expires) =
            (row.get(1).map_err(engine)?, row.get(3).map_err(engine)?, row.get(4).map_err(engine)?);
        AccessToken::from_stored(&name, hash, &allow, created, expires).map_err(|field| Error::Damaged {
            place: self.path.display().to_string(),
            record: "access_token",
            id: name,
            field,
        })
    }

    pub(super) fn insert_token(&self, token: &AccessToken) -> Result<(), Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let mut connection = self.connection();
        let transaction = self.begin_change(&mut connection)?;
        let known = transaction
            .query_row("SELECT 1 FROM access_token WHERE name = ?1", [token.name.as_str()], |_| Ok(()))
            .optional();
        if known.map_err(engine)?.is_some() {
            return Err(Error::TokenNameTaken(token.name.clone()));
        }
        let sql = "INSERT INTO access_token (name, hash, allow, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)";
        let expires = token.expires.map(|expires| expires.as_unix().cast_signed());
        let values = params![
            token.name.as_str(),
            token.hash,
            token.allow_text(),
            token.created.as_unix().cast_signed(),
            expires
        ];
        transaction.execute(sql, values).map_err(engine)?;
        transaction.commit().map_err(engine)
    }

    pub(super) fn delete_token(&self, name: &Name) -> Result<bool, Error> {
        let mut connection = self.connection();
        let transaction = self.begin_change(&mut connection)?;
        let deleted = transaction.execute("DELETE FROM access_token WHERE name = ?1", [name.as_str()]);
        let deleted = deleted.map_err(|error| self.failed(&error))?;
        transaction.commit().map_err(|error| self.failed(&error))?;
        Ok(deleted == 1)
    }
}
