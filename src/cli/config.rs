//! `config.toml`: what `vmfa init` chose.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Kind, Result};
use crate::vault::Kind as VaultKind;

/// The choices; everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The vault for new devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vault: Option<String>,
    /// The age vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) age: Option<Age>,
}

/// How age files are written and opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Age {
    /// To whom items are encrypted: age or SSH public keys.
    pub(super) recipients: Vec<String>,
    /// The file that opens them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity_file: Option<PathBuf>,
    /// Whether what opens them is in the OS keyring instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) identity_in_keyring: bool,
}

/// A directory for its owner alone, where there is none.
pub(super) fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let failed = |reason: String| {
            Error::new(Kind::Storage, "config", format!("{}: {reason}", path.display()))
                .hint("mend the file, or move it away and run `vmfa init` again")
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let config: Self = toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))?;
                if let Some(VaultKind::Memory) = config.vault_kind().map_err(|error| failed(error.to_string()))? {
                    return Err(failed("a vault in memory keeps nothing from run to run".to_owned()));
                }
                Ok(config)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
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
        write().map_err(|error| failed(error.to_string()))
    }
}
