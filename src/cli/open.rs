//! Opening what was chosen: the registry, and the vault that new devices or one device use.

#[cfg(any(feature = "postgres", feature = "dynamodb"))]
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

#[cfg(target_os = "linux")]
use super::agent;
use super::chosen_registry::Chosen;
use super::config::{self, Config};
#[cfg(feature = "postgres")]
use super::database::with_credentials;
#[cfg(feature = "dynamodb")]
use super::dynamodb;
#[cfg(any(feature = "postgres", feature = "dynamodb"))]
use super::empty::looks_in_database;
use super::error::{Error, Kind as ErrorKind, NOBODY_TO_ASK, Result};
use super::home::Home;
#[cfg(any(feature = "postgres", feature = "dynamodb"))]
use super::note::note;
use super::{Global, environment, hints, plugins, prompt};
#[cfg(feature = "dynamodb")]
use crate::registry::dynamodb::{Address as Table, DynamoDb};
#[cfg(feature = "postgres")]
use crate::registry::postgres::{Address, Postgres};
use crate::registry::sqlite::Sqlite;
use crate::registry::{Device, Kept};
use crate::vault::age::{self, Age, Identity, Shelf};
use crate::vault::keyring::{self, Keyring};
use crate::vault::{self, Kind, Vault};

/// How long to wait for a keyring: while a person may have to answer its prompt, and without one.
const WITH_PERSON: Duration = Duration::from_secs(60);
const ALONE: Duration = Duration::from_secs(10);

/// How long a registry's server is waited for where somebody only looks at what is there.
#[cfg(any(feature = "postgres", feature = "dynamodb"))]
const HASTE: Duration = Duration::from_secs(1);

/// The files, configuration and vaults of this run.
pub(super) struct Place {
    pub(super) home: Home,
    pub(super) config: Config,
    explicit: Option<Kind>,
    global: Global,
    keyring_options: keyring::Options,
    keyring: OnceLock<Arc<Keyring>>,
    age: OnceLock<Arc<Age>>,
    shared: OnceLock<Arc<Age>>,
    #[cfg(feature = "postgres")]
    databases: Mutex<HashMap<String, Arc<Postgres>>>,
    #[cfg(feature = "dynamodb")]
    tables: Mutex<HashMap<String, Arc<DynamoDb>>>,
    passphrase: age::Passphrase,
    plugins: age::Plugins,
    /// Whether it is only told what is there: then a server that can't be reached isn't waited for.
    hasty: bool,
}

/// Where secrets are read.
pub(super) trait Vaults: Send + Sync {
    /// The vault that holds a device's secret.
    ///
    /// # Errors
    ///
    /// Those of opening it.
    fn vault_of(&self, device: &Device) -> Result<Arc<dyn Vault>>;
}

impl Vaults for Place {
    fn vault_of(&self, device: &Device) -> Result<Arc<dyn Vault>> {
        self.vault_of(device)
    }
}

impl Place {
    /// Reads the configuration; opens nothing yet.
    pub(super) fn find(global: &Global) -> Result<Self> {
        let home = Home::find()?;
        let config = Config::read(&home.config)?;
        let explicit = global.vault.as_deref().map(choice).transpose()?;
        let person = prompt::somebody_there();
        let limit = match environment::text("VMFA_KEYRING_TIMEOUT") {
            Some(text) => text
                .parse()
                .map(Duration::from_secs)
                .map_err(|_| Error::usage(format!("VMFA_KEYRING_TIMEOUT is a number of seconds, not `{text}`")))?,
            None if person => WITH_PERSON,
            None => ALONE,
        };
        let passphrase = asked_once(global.passphrase_fd);
        let given = global.passphrase_fd.map(|_| Arc::clone(&passphrase));
        Ok(Self {
            home,
            config,
            explicit,
            keyring_options: keyring::Options { limit, prompt: person },
            keyring: OnceLock::new(),
            age: OnceLock::new(),
            shared: OnceLock::new(),
            #[cfg(feature = "postgres")]
            databases: Mutex::default(),
            #[cfg(feature = "dynamodb")]
            tables: Mutex::default(),
            plugins: plugins::of_run(given, true)?,
            passphrase,
            global: global.clone(),
            hasty: false,
        })
    }

    /// The same place, without prompts.
    pub(super) fn find_quietly(global: &Global) -> Result<Self> {
        let mut place = Self::find(global)?;
        place.keyring_options.prompt = false;
        let given = global.passphrase_fd.map(|_| place.passphrase());
        place.plugins = plugins::of_run(given, false)?;
        if global.passphrase_fd.is_none() {
            place.passphrase =
                Arc::new(|what| Err(vault::Error::Identity(format!("{what} is protected by a passphrase"))));
        }
        Ok(place)
    }

    /// The same place, where nothing is waited for that can't be reached.
    pub(super) fn in_haste(mut self) -> Self {
        self.hasty = true;
        self
    }

    /// The same place under another configuration.
    pub(super) fn with(&self, config: Config) -> Self {
        Self {
            home: self.home.clone(),
            config,
            explicit: self.explicit,
            global: self.global.clone(),
            keyring_options: self.keyring_options,
            keyring: OnceLock::new(),
            age: OnceLock::new(),
            shared: OnceLock::new(),
            #[cfg(feature = "postgres")]
            databases: Mutex::default(),
            #[cfg(feature = "dynamodb")]
            tables: Mutex::default(),
            passphrase: self.passphrase(),
            plugins: self.plugins.clone(),
            hasty: self.hasty,
        }
    }

    /// The same place for the next task of a long-running process. It connects to the keyring again, which may have been locked
    /// or restarted since, and keeps the age identity and the passphrase.
    pub(super) fn afresh(&self) -> Self {
        let mut place = self.with(self.config.clone());
        // An identity in the keyring may have been locked with it.
        if self.identity_file().is_some() {
            if let Ok(age) = self.age(Kind::Age) {
                place.age = age.into();
            }
            place.shared = self.shared.clone();
        }
        place
    }

    /// What `--vault` says.
    pub(super) fn explicit(&self) -> Option<Kind> {
        self.explicit
    }

    /// The registry, to look at it and at what is in it. Where there is none, it has nothing, and none is made: the home may
    /// be the wrong one.
    pub(super) fn registry(&self) -> Result<Arc<dyn Kept>> {
        self.opened(self.chosen_registry()?)
    }

    /// The same for a registry that is named: a URL, or `file`.
    pub(super) fn registry_named(&self, text: &str) -> Result<Arc<dyn Kept>> {
        self.opened(Chosen::named(text, &self.global, &self.config)?)
    }

    /// The same; a file is made where there is none.
    pub(super) fn registry_named_for_new(&self, text: &str) -> Result<Arc<dyn Kept>> {
        self.opened_for_new(Chosen::named(text, &self.global, &self.config)?)
    }

    fn opened(&self, chosen: Chosen) -> Result<Arc<dyn Kept>> {
        match chosen {
            Chosen::File => Ok(Arc::new(Sqlite::open_to_look(&self.home.registry)?.with_mark(&self.home.mark))),
            #[cfg(feature = "postgres")]
            Chosen::Database(address) => Ok(self.database(address)?),
            #[cfg(feature = "dynamodb")]
            Chosen::Table(address, plain) => Ok(self.table(&address, plain)?),
        }
    }

    /// A table, opened once for all that is in it.
    #[cfg(feature = "dynamodb")]
    fn table(&self, address: &Table, plain: bool) -> Result<Arc<DynamoDb>> {
        let url = address.to_string();
        looks_in_database(url.clone());
        let mut opened = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened.get(&url) {
            return Ok(Arc::clone(known));
        }
        let table = DynamoDb::open(address, dynamodb::way_to(address, plain)?);
        let table = if self.hasty { table.with_patience(HASTE) } else { table };
        let table = Arc::new(table.with_notice(|why| note(&format!("waiting: {why}"))));
        opened.insert(url, Arc::clone(&table));
        Ok(table)
    }

    /// A database, opened once for all that is in it: the registry, and the shared vault.
    #[cfg(feature = "postgres")]
    fn database(&self, address: Address) -> Result<Arc<Postgres>> {
        let url = address.to_url();
        looks_in_database(url.clone());
        let mut opened = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened.get(&url) {
            return Ok(Arc::clone(known));
        }
        let database = Postgres::open(with_credentials(address)?)?;
        let database = if self.hasty { database.with_patience(HASTE) } else { database };
        let database = Arc::new(database.with_notice(|why| note(&format!("waiting: {why}"))));
        opened.insert(url, Arc::clone(&database));
        Ok(database)
    }

    /// The registry; a file is made where there is none.
    pub(super) fn registry_for_new(&self) -> Result<Arc<dyn Kept>> {
        self.opened_for_new(self.chosen_registry()?)
    }

    fn opened_for_new(&self, chosen: Chosen) -> Result<Arc<dyn Kept>> {
        match chosen {
            Chosen::File => Ok(Arc::new(Sqlite::open(&self.home.registry)?.with_mark(&self.home.mark))),
            #[cfg(any(feature = "postgres", feature = "dynamodb"))]
            chosen => self.opened(chosen),
        }
    }

    /// Which registry that is.
    pub(super) fn chosen_registry(&self) -> Result<Chosen> {
        Chosen::find(&self.global, &self.config)
    }

    /// Whether the registry is a file that isn't there yet.
    pub(super) fn lacks_registry_file(&self) -> bool {
        matches!(self.chosen_registry(), Ok(Chosen::File)) && !self.home.registry.exists()
    }

    /// The vault for new devices: `--vault`, `VMFA_VAULT`, what `vmfa init` chose, the keyring.
    pub(super) fn default_kind(&self) -> Result<Kind> {
        if let Some(kind) = self.explicit {
            return Ok(kind);
        }
        if let Some(kind) = of_environment()? {
            return Ok(kind);
        }
        Ok(self.config.vault_kind()?.unwrap_or(Kind::Keyring))
    }

    /// Starts what reading a secret takes (the connection to the keyring) while the registry is opened.
    pub(super) fn expect_reading(&self) {
        if matches!(self.default_kind(), Ok(Kind::Keyring)) {
            self.keyring().warm_up();
        }
    }

    pub(super) fn vault_for_new(&self) -> Result<Arc<dyn Vault>> {
        self.vault(self.default_kind()?)
    }

    /// The vault that holds a device's secret. Another one that was asked for by `--vault` is opened
    /// instead, so that its error names both.
    pub(super) fn vault_of(&self, device: &Device) -> Result<Arc<dyn Vault>> {
        self.vault(self.explicit.unwrap_or(device.vault))
    }

    pub(super) fn vault(&self, kind: Kind) -> Result<Arc<dyn Vault>> {
        match kind {
            Kind::Age | Kind::Shared => Ok(self.age(kind)?),
            Kind::Keyring => Ok(self.keyring()),
            Kind::Memory => Err(vault::Error::UnknownKind(kind.to_string()).into()),
        }
    }

    /// The vault of a kind that age encrypts.
    pub(super) fn age(&self, kind: Kind) -> Result<Arc<Age>> {
        let kept = if kind == Kind::Shared { &self.shared } else { &self.age };
        if let Some(age) = kept.get() {
            return Ok(Arc::clone(age));
        }
        let age = Arc::new(self.open_age(kind)?);
        Ok(Arc::clone(kept.get_or_init(|| age)))
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(self.keyring.get_or_init(|| Arc::new(Keyring::new(self.keyring_options))))
    }

    /// Recipients as configured, or the one that belongs to the identity file.
    fn open_age(&self, kind: Kind) -> Result<Age> {
        let configured = self.config.age.as_ref();
        let file = self.identity_file();
        let identity = match (&file, configured) {
            (Some(path), _) if is_stream(path) => read_once(path.clone()),
            #[cfg(target_os = "linux")]
            (Some(path), _) => agent::identity(&self.home, path, self.passphrase()),
            #[cfg(not(target_os = "linux"))]
            (Some(path), _) => Identity::File { path: path.clone(), passphrase: self.passphrase() },
            (None, Some(age)) if age.identity_in_keyring => {
                let keyring = self.keyring();
                Identity::Kept(Arc::new(move || keyring.get_identity()))
            }
            (None, _) => Identity::None,
        };
        if matches!(identity, Identity::None) && environment::variable("VMFA_IDENTITY").is_some() {
            return Err(Error::new(
                ErrorKind::Storage,
                "age-identity",
                "VMFA_IDENTITY is not supported: other programs can read environment variables",
            )
            .hint(hints::vaults::IDENTITY_AS_FILE));
        }
        if configured.is_none() && file.is_none() {
            return Err(vault::Error::NoIdentity.into());
        }
        let recipients = configured.map(|age| age.recipients.clone()).unwrap_or_default();
        let age = match kind {
            Kind::Shared => Age::on(self.shared_shelf()?, recipients, identity),
            _ => Age::new(self.home.age.clone(), recipients, identity),
        };
        Ok(age.with_plugins(self.plugins.clone()))
    }

    /// Where the shared vault's items are: beside the registry.
    fn shared_shelf(&self) -> Result<Arc<dyn Shelf>> {
        match self.chosen_registry()? {
            Chosen::File => {
                Err(Error::usage("the shared vault is in the registry's database, and your registry is a file")
                    .hint(hints::registries::CHOOSE_DATABASE))
            }
            #[cfg(feature = "postgres")]
            Chosen::Database(address) => Ok(self.database(address)?),
            #[cfg(feature = "dynamodb")]
            Chosen::Table(address, plain) => Ok(self.table(&address, plain)?),
        }
    }

    /// `--identity-file`, `VMFA_IDENTITY_FILE`, `$CREDENTIALS_DIRECTORY/vmfa-identity` (systemd), or the
    /// configured one.
    pub(super) fn identity_file(&self) -> Option<PathBuf> {
        let credential = || {
            let path = environment::path("CREDENTIALS_DIRECTORY")?.join("vmfa-identity");
            path.exists().then_some(path)
        };
        let configured = || {
            let path = self.config.age.as_ref()?.identity_file.as_ref()?;
            Some(config::resolved(path, &self.home.config))
        };
        self.global
            .identity_file
            .clone()
            .or_else(|| environment::path("VMFA_IDENTITY_FILE"))
            .or_else(credential)
            .or_else(configured)
    }

    /// How the passphrase of an identity comes in, should it have one.
    pub(super) fn passphrase(&self) -> age::Passphrase {
        Arc::clone(&self.passphrase)
    }

    /// How plugins of age are dealt with.
    pub(super) const fn plugins(&self) -> &age::Plugins {
        &self.plugins
    }

    /// How the passphrase of a file comes in that isn't an identity. Asked for, it is another one; a descriptor has only one.
    pub(super) fn passphrase_of_file(&self) -> age::Passphrase {
        if self.global.passphrase_fd.is_some() { self.passphrase() } else { asked_once(None) }
    }

    pub(super) fn config_path(&self) -> &Path {
        &self.home.config
    }
}

/// Whether a path can be read only once, such as a pipe.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// An identity that comes through a pipe.
fn read_once(path: PathBuf) -> Identity {
    let text: Mutex<Option<Zeroizing<String>>> = Mutex::default();
    Identity::Kept(Arc::new(move || {
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*text {
            return Ok(known.clone());
        }
        let bytes = age::read_identity(&path)?;
        let read = std::str::from_utf8(&bytes)
            .map_err(|_| vault::Error::Identity(format!("{} {}", path.display(), age::NO_IDENTITY)))?;
        let read = Zeroizing::new(read.to_owned());
        *text = Some(read.clone());
        Ok(read)
    }))
}

/// Asks for the passphrase, or reads the descriptor, once in a run.
fn asked_once(descriptor: Option<u32>) -> age::Passphrase {
    let answer: Mutex<Option<Zeroizing<String>>> = Mutex::default();
    Arc::new(move |what| {
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*answer {
            return Ok(known.clone());
        }
        let asked = match descriptor {
            Some(descriptor) => prompt::from_descriptor(descriptor),
            None if !prompt::terminal_there() => {
                return Err(vault::Error::Identity(format!("{what} needs a passphrase, and {NOBODY_TO_ASK}")));
            }
            None => prompt::hidden(&format!("passphrase of {what}")),
        };
        let asked = asked.map_err(|error| vault::Error::Identity(error.to_string()))?;
        *answer = Some(asked.clone());
        Ok(asked)
    })
}

/// The value of `VMFA_VAULT`, checked before any command runs.
pub(super) fn of_environment() -> Result<Option<Kind>> {
    let named = environment::text("VMFA_VAULT");
    named.map(|text| choice(&text).map_err(|error| error.about("VMFA_VAULT"))).transpose()
}

fn choice(text: &str) -> Result<Kind> {
    match text.parse()? {
        Kind::Memory => Err(vault::Error::UnknownKind(text.to_owned()).into()),
        kind => Ok(kind),
    }
}
