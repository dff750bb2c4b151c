//! The tables. Their owner makes them and brings them up to date.

use tokio_postgres::types::Type;

use super::address::Address;
use super::failure::Failure;
use super::link::{Expected, Link};
use super::values::value;
use crate::registry::Error;

/// What brings a schema from one version to the next. Never edited, only added to: databases of every version are out
/// there. What devices and ledgers mean is said in `registry/mod.rs`; numbers of 64 bits are signed here.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE vmfa.registry (
        one       boolean PRIMARY KEY DEFAULT true CHECK (one),
        version   bigint NOT NULL,
        id        uuid NOT NULL DEFAULT gen_random_uuid(),
        accepted  bigint NOT NULL DEFAULT 0
    );
    INSERT INTO vmfa.registry (version) VALUES (0);
    CREATE TABLE vmfa.device (
        id             uuid PRIMARY KEY,
        name           text COLLATE \"C\" NOT NULL,
        state          text NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
        batch          uuid,
        replaces       uuid,
        until          bigint,
        trashed        bigint,
        issuer         text,
        account        text NOT NULL,
        algorithm      text NOT NULL,
        digits         bigint NOT NULL,
        period         bigint,
        counter        bigint,
        serial         text,
        note           text,
        vault          text NOT NULL,
        created        bigint NOT NULL,
        drift_seconds  bigint NOT NULL,
        drift_ppm      bigint NOT NULL,
        drift_since    bigint NOT NULL,
        ledger         uuid,
        former         uuid,
        revision       bigint NOT NULL,
        CHECK ((period IS NULL) <> (counter IS NULL))
    );
    CREATE INDEX device_name ON vmfa.device (name, id);
    CREATE INDEX device_ledger ON vmfa.device (ledger);
    CREATE INDEX device_former ON vmfa.device (former) WHERE former IS NOT NULL;
    CREATE UNIQUE INDEX device_active ON vmfa.device (name) WHERE state = 'active';
    CREATE UNIQUE INDEX device_pending ON vmfa.device (name) WHERE state = 'pending';
    CREATE TABLE vmfa.ledger (
        id             uuid PRIMARY KEY,
        fingerprint    bytea NOT NULL UNIQUE,
        period         bigint,
        last_pair      bigint,
        pair_claimed   boolean,
        pair_before    bigint,
        pair_token     bigint NOT NULL DEFAULT 0,
        pair_given     boolean NOT NULL DEFAULT true,
        pair_released  bigint,
        counter        bigint,
        runs           int8multirange NOT NULL DEFAULT '{}',
        relying_party  text,
        changed        bigint NOT NULL DEFAULT 0,
        revision       bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE vmfa.claimed (
        ledger    uuid NOT NULL,
        step      bigint NOT NULL,
        since     bigint NOT NULL,
        token     bigint NOT NULL,
        again     boolean NOT NULL DEFAULT false,
        given     boolean NOT NULL DEFAULT true,
        released  boolean NOT NULL DEFAULT false,
        retaken   boolean NOT NULL DEFAULT false,
        PRIMARY KEY (ledger, step)
    );
    CREATE TABLE vmfa.vault_key (
        place  text NOT NULL,
        print  bytea NOT NULL,
        known  boolean NOT NULL,
        PRIMARY KEY (place, print)
    );
",
    "
    CREATE TABLE vmfa.item (
        key   text COLLATE \"C\" PRIMARY KEY,
        item  bytea NOT NULL
    );
",
    "
    CREATE TABLE vmfa.access_token (
        name     text COLLATE \"C\" PRIMARY KEY,
        hash     bytea NOT NULL UNIQUE,
        allow    text NOT NULL,
        created  bigint NOT NULL,
        expires  bigint
    );
",
];

/// The newest version.
pub(super) const KNOWN: i64 = MIGRATIONS.len().cast_signed() as i64;

/// The oldest server that has what is used: ranges of several parts.
const OLDEST_SERVER: i32 = 14;

/// One at a time, of all that make or migrate registries in this database.
const ALONE: &str = "SELECT pg_advisory_xact_lock(8531217206)";

/// Makes the registry, or brings it up to date, all or nothing. Nothing changes where it is up to date.
pub(super) fn prepare(address: Address) -> Result<(), Error> {
    let place = address.to_string();
    let mut link = Link::new(address, Expected::Anything)?;
    let outcome = link.begin("BEGIN").and_then(|()| migrate(&mut link, &place)).and_then(|()| link.commit());
    if outcome.is_err() {
        link.roll_back();
    }
    outcome.map_err(|failure| failure.into_error(&place))
}

fn migrate(link: &mut Link, place: &str) -> Result<(), Failure> {
    link.ask(ALONE, &[])?;
    let rows = link.ask("SELECT current_setting('server_version_num')::integer / 10000", &[])?;
    let server: i32 = value(place, &rows, 0)?;
    if server < OLDEST_SERVER {
        let reason = format!("PostgreSQL {server} is too old: it has to be {OLDEST_SERVER} or later");
        return Err(Error::Refused { place: place.to_owned(), reason }.into());
    }
    let rows = link.ask("SELECT to_regnamespace('vmfa') IS NOT NULL, to_regclass('vmfa.registry') IS NOT NULL", &[])?;
    let (schema, tables): (bool, bool) = (value(place, &rows, 0)?, value(place, &rows, 1)?);
    let found: i64 = match tables {
        true => value(place, &link.ask("SELECT version FROM vmfa.registry", &[])?, 0)?,
        false => 0,
    };
    if found > KNOWN {
        return Err(Error::TooNew { path: place.to_owned(), found, known: KNOWN }.into());
    }
    if !schema {
        link.tell("CREATE SCHEMA vmfa")?;
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        link.tell(migration)?;
    }
    if found < KNOWN {
        link.ask("UPDATE vmfa.registry SET version = $1", &[(&KNOWN, Type::INT8)])?;
    }
    Ok(())
}
