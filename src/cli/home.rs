//! Where files are.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use super::environment;
use super::error::{Error, Kind, Result};
use super::hints;

fn none(message: &str) -> Error {
    Error::new(Kind::Storage, "no-home", message).hint(hints::NO_HOME)
}

/// The files of one user: all under `VMFA_HOME` if it is set, else in the platform's usual places.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// `config.toml`.
    pub(super) config: PathBuf,
    /// The registry.
    pub(super) registry: PathBuf,
    /// The directory of the age vault, with its items below it.
    pub(super) age: PathBuf,
    /// The mark that an older copy of the registry is noticed by. It is beside the age vault, which may be elsewhere.
    pub(super) mark: PathBuf,
    /// Lock files.
    pub(super) locks: PathBuf,
    /// The identity that `vmfa init` makes.
    pub(super) identity: PathBuf,
}

impl Home {
    pub(super) fn find() -> Result<Self> {
        if let Some(home) = environment::path("VMFA_HOME") {
            let home = std::path::absolute(&home)
                .map_err(|error| Error::usage(format!("VMFA_HOME ({}): {error}", home.display())))?;
            if home.is_file() {
                return Err(Error::usage(format!("VMFA_HOME ({}) is a file, not a directory", home.display())));
            }
            return Ok(Self::below(&home, &home, &home));
        }
        let strategy = etcetera::choose_base_strategy().map_err(|_| none("no home directory found"))?;
        // A relative path would mean other files in each directory.
        if !strategy.home_dir().is_absolute() {
            return Err(none(&format!("HOME ({}) is not an absolute path", strategy.home_dir().display())));
        }
        // A user without a home, such as `nobody`, has one in name only; and nobody else should get files in it.
        if strategy.data_dir().starts_with(strategy.home_dir()) && !strategy.home_dir().exists() {
            return Err(none(&format!("the home directory {} doesn't exist", strategy.home_dir().display())));
        }
        let data = strategy.data_dir().join("vmfa");
        let state = strategy.state_dir().map_or_else(|| data.clone(), |state| state.join("vmfa"));
        Ok(Self::below(&strategy.config_dir().join("vmfa"), &data, &state))
    }

    /// The user's own directory, if it is known.
    pub(super) fn of_user() -> Option<PathBuf> {
        etcetera::home_dir().ok().filter(|home| home.is_absolute())
    }

    fn below(config: &std::path::Path, data: &std::path::Path, state: &std::path::Path) -> Self {
        Self {
            config: config.join("config.toml"),
            registry: state.join("registry.sqlite3"),
            age: data.to_owned(),
            mark: data.join("registry.mark"),
            locks: state.join("locks"),
            identity: data.join("identity.age"),
        }
    }
}
