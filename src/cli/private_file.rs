//! Files with secrets in them: whole or not at all, for their owner's eyes alone.

use std::io::{self, Write as _};
use std::path::Path;

use super::error::{Error, Kind, Result};
use super::hints;

/// Refuses `-`, which means stdout elsewhere: secrets don't go there by the way.
pub(super) fn expect_file(path: &Path) -> Result<()> {
    if path.as_os_str() == "-" {
        return Err(Error::usage("this writes a file, and can't write to stdout").hint(hints::usage::NAME_FILE));
    }
    Ok(())
}

/// Writes a file that isn't there yet, or with `force` one that takes the place of another. It has reached the disk when
/// this returns.
pub(super) fn write(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        // Created with 0600 under any umask.
        let mut file = tempfile::Builder::new().prefix(".vmfa-").tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        if force {
            file.persist(path)?
        } else {
            file.persist_noclobber(path)?
        };
        if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
    };
    if !directory.is_dir() {
        return Err(Error::new(Kind::Storage, "io", format!("there is no directory `{}`", directory.display())));
    }
    write().map_err(|error| {
        let failure = Error::new(Kind::Storage, "io", format!("{}: {error}", path.display()));
        if error.kind() == io::ErrorKind::AlreadyExists { failure.hint(hints::usage::NOT_OVERWRITTEN) } else { failure }
    })
}
