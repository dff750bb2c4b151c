//! Which registry: the file in vmfa's home, or a database or a table that `--registry`, `VMFA_REGISTRY` or `vmfa init` chose.

use super::config::Config;
#[cfg(feature = "postgres")]
use super::database::with_credentials;
#[cfg(feature = "dynamodb")]
use super::dynamodb;
use super::error::{Error, Kind, Result};
use super::{Global, environment, hints};
#[cfg(feature = "dynamodb")]
use crate::registry::dynamodb::{Address as Table, DynamoDb};
#[cfg(feature = "postgres")]
use crate::registry::postgres::{Address, Postgres};

/// The word for vmfa's own file, where something else is configured.
const FILE: &str = "file";

/// What begins the URL of a table.
const TABLE: &str = "dynamodb://";

/// What was chosen.
pub(super) enum Chosen {
    /// The file in vmfa's home.
    File,
    /// A database. The password isn't looked for yet.
    #[cfg(feature = "postgres")]
    Database(Address),
    /// A table of DynamoDB, and whether that may be reached in clear text. Keys aren't looked for yet.
    #[cfg(feature = "dynamodb")]
    Table(Table, bool),
}

impl Chosen {
    /// What holds for this run: the option, the environment, the configuration.
    pub(super) fn find(global: &Global, config: &Config) -> Result<Self> {
        let text =
            global.registry.clone().or_else(|| environment::text("VMFA_REGISTRY")).or_else(|| config.registry.clone());
        text.map_or(Ok(Self::File), |text| Self::named(&text, global, config))
    }

    /// What a text names.
    pub(super) fn named(text: &str, global: &Global, config: &Config) -> Result<Self> {
        match text {
            FILE => Ok(Self::File),
            text if text.starts_with(TABLE) => Self::table(text, global.plain_registry || config.plain_registry),
            text => Self::database(text, global.plain_registry || config.plain_registry),
        }
    }

    /// What `vmfa init` stores; none for the file.
    pub(super) fn stored(&self) -> Option<String> {
        match self {
            Self::File => None,
            #[cfg(feature = "postgres")]
            Self::Database(address) => Some(address.to_url()),
            #[cfg(feature = "dynamodb")]
            Self::Table(address, _) => Some(address.to_string()),
        }
    }

    /// Makes the registry in a database or a table, or brings it up to date; none for the file, which makes itself.
    pub(super) fn prepare(self) -> Result<Option<()>> {
        match self {
            Self::File => Ok(None),
            #[cfg(feature = "postgres")]
            Self::Database(address) => Ok(Some(Postgres::prepare(with_credentials(address)?)?)),
            #[cfg(feature = "dynamodb")]
            Self::Table(address, plain) => Ok(Some(DynamoDb::prepare(&address, dynamodb::way_to(&address, plain)?)?)),
        }
    }

    #[cfg(feature = "postgres")]
    fn database(text: &str, plain: bool) -> Result<Self> {
        let address = Address::parse(text).map_err(|error| unusable(error.to_string()))?;
        Ok(Self::Database(address.in_clear_text(plain)))
    }

    #[cfg(not(feature = "postgres"))]
    fn database(text: &str, _: bool) -> Result<Self> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(unusable("a registry's URL begins with postgres:// or dynamodb://".to_owned()));
        }
        let message = "this vmfa was built without PostgreSQL";
        Err(Error::new(Kind::Usage, "registry-url", message).hint(hints::registries::WITH_FEATURE))
    }

    #[cfg(feature = "dynamodb")]
    fn table(text: &str, plain: bool) -> Result<Self> {
        let address = Table::parse(text).map_err(|error| unusable(error.to_string()))?;
        Ok(Self::Table(address, plain))
    }

    #[cfg(not(feature = "dynamodb"))]
    fn table(_: &str, _: bool) -> Result<Self> {
        let message = "this vmfa was built without DynamoDB";
        Err(Error::new(Kind::Usage, "registry-url", message).hint(hints::registries::WITH_FEATURE))
    }
}

fn unusable(message: String) -> Error {
    Error::new(Kind::Usage, "registry-url", message).hint(hints::registries::URL)
}

/// Whether names are elsewhere than in vmfa's own file, as far as the environment and the configuration say: then they are
/// not looked for while somebody types.
pub(super) fn is_elsewhere(config: &std::path::Path) -> bool {
    let configured = || Config::read(config).ok().and_then(|config| config.registry);
    environment::text("VMFA_REGISTRY").or_else(configured).is_some_and(|text| text != FILE)
}
