//! `config.toml`: what `vmfa init` chose.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Kind, Result};
use super::hints;
use super::home::Home;
use crate::file::{Streams, open, unwritable};
use crate::vault::Kind as VaultKind;

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

/// The choices; everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The vault for new devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vault: Option<String>,
    /// The registry, if it isn't the file in vmfa's home: a URL without a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) registry: Option<String>,
    /// Whether that may be reached on another machine without TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) plain_registry: bool,
    /// The age vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) age: Option<Age>,
}

/// How age files are written and opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Age {
    /// The recipients of items: age or SSH public keys.
    pub(super) recipients: Vec<String>,
    /// The file that opens them, as [`portable`] gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity_file: Option<PathBuf>,
    /// Whether what opens them is in the OS keyring instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) identity_in_keyring: bool,
}

/// Creates a directory for its owner alone, if it doesn't exist.
pub(super) fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// A path as the configuration keeps it: below the configuration's own directory or the user's home it is written from
/// there on, so that it is right on another machine and for another user's name.
pub(super) fn portable(path: &Path, config: &Path) -> PathBuf {
    let beside = config.parent().and_then(|directory| path.strip_prefix(directory).ok());
    if let Some(beside) = beside {
        return beside.to_owned();
    }
    let below_home = Home::of_user().and_then(|home| Some(Path::new("~").join(path.strip_prefix(home).ok()?)));
    below_home.unwrap_or_else(|| path.to_owned())
}

/// The path that the configuration means.
pub(super) fn resolved(path: &Path, config: &Path) -> PathBuf {
    match (path.strip_prefix("~"), Home::of_user()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => config.parent().unwrap_or(Path::new("")).join(path),
    }
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let failed = |reason: String| {
            Error::new(Kind::Storage, "config", format!("{}: {reason}", path.display())).hint(hints::CORRECT_CONFIG)
        };
        let read = || -> std::io::Result<String> {
            let mut text = String::new();
            let read = open(path, Streams::Refused)?.take(LARGEST.saturating_add(1)).read_to_string(&mut text)?;
            if u64::try_from(read).unwrap_or(u64::MAX) > LARGEST {
                return Err(std::io::Error::other(format!("is larger than {LARGEST} bytes")));
            }
            Ok(text)
        };
        match read() {
            Ok(text) => {
                let config: Self = toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))?;
                if let Some(VaultKind::Memory) = config.vault_kind().map_err(|error| failed(error.to_string()))? {
                    return Err(failed("a vault in memory keeps nothing from run to run".to_owned()));
                }
                Ok(config)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                let message = format!("{} can't be read: you have no permission", path.display());
                Err(Error::new(Kind::Storage, "config", message).hint(hints::OTHER_USER))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    pub(super) fn vault_kind(&self) -> std::result::Result<Option<VaultKind>, crate::vault::Error> {
        self.vault.as_deref().map(str::parse).transpose()
    }

    /// Replaces the file as a whole.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let failed = |reason: String| Error::new(Kind::Storage, "config", format!("{}: {reason}", path.display()));
        let text = toml::to_string(self).map_err(|error| failed(error.to_string()))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            make_private(directory)?;
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            file.write_all(b"# Written by `vmfa init`.\n")?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|error| match unwritable(&error) {
            Some(reason) => {
                let message = format!("{} can't be written: {reason}", path.display());
                Error::new(Kind::Storage, "config", message).hint(hints::MAKE_WRITABLE)
            }
            None => failed(error.to_string()),
        })
    }
}
