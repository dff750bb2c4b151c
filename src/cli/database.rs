//! How to get into a database: as which user, with which password, and by which roots its certificate is verified.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::environment;
use super::error::{Error, Kind, Result};
use super::hints;
use super::home::Home;
use crate::file::{Streams, open};
use crate::registry::postgres::{Address, password};

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

/// Adds what PostgreSQL's own programs would: a user's name and password from the environment or a password file, and
/// the roots in the file that the address names.
pub(super) fn with_credentials(address: Address) -> Result<Address> {
    let user = || ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(environment::text);
    let address = address.or_user(user());
    let address = match address.roots_file() {
        Some(path) => {
            let pem = read(path)?.ok_or_else(|| unreadable(path, "it isn't there"))?;
            address.with_roots(pem.to_vec())
        }
        None => address,
    };
    if address.has_password() {
        return Ok(address);
    }
    let password = match environment::text("PGPASSWORD") {
        Some(password) => Some(Zeroizing::new(password)),
        None => of_file(&address)?,
    };
    Ok(address.or_password(password))
}

fn of_file(address: &Address) -> Result<Option<Zeroizing<String>>> {
    let named = environment::path("PGPASSFILE");
    let Some(path) = named.or_else(|| Home::of_user().map(|home| home.join(".pgpass"))) else { return Ok(None) };
    let Some(bytes) = read(&path)? else { return Ok(None) };
    expect_private(&path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable(&path, "it is not UTF-8"))?;
    Ok(password(text, address))
}

/// A password file that others can read is left alone, as libpq does, and said so.
#[cfg(unix)]
fn expect_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let open_to_others = path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if open_to_others {
        return Err(unreadable(path, "other users can read it").hint(hints::vaults::chmod(&path.display().to_string())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn expect_private(_: &Path) -> Result<()> {
    Ok(())
}

/// A file's content; none where there is no file.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let path = PathBuf::from(path);
    let file = match open(&path, Streams::Refused) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error.to_string())),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes);
    match read {
        Ok(read) if u64::try_from(read).is_ok_and(|read| read <= LARGEST) => Ok(Some(bytes)),
        Ok(_) => Err(unreadable(&path, "it is too large")),
        Err(error) => Err(unreadable(&path, &error.to_string())),
    }
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(Kind::Storage, "registry-credentials", format!("{} was not used: {why}", path.display()))
}
