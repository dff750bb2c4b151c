use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::aws::{LOCK_LIMIT, Locks};
use crate::cli::config::{Age as AgeConfig, Config, portable, resolved};
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};
use crate::cli::{Global, hints, prompt, world};
use crate::device::Devices;
use crate::vault::age::{self, HELD_BY_PLUGIN, Identity, PROTECTED};
use crate::vault::{self, Kind, Vault as _};

/// Choose where new secrets live, and make the age vault's identity
///
/// `vmfa init --vault keyring` chooses the OS keyring. `vmfa init --vault age` chooses age files and makes
/// an identity that opens them: protected by a passphrase unless told otherwise. Running it again
/// changes nothing that is set up already.
///
/// With `--registry`, it makes the registry in that database or table, or brings it up to date, and uses it from then on. With
/// `--vault shared` too, the secrets are there as well, encrypted as age files are: `vmfa` on every machine reads them.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("identity").args(["identity_in_keyring", "use_identity", "new_identity"])))]
#[command(after_help = "\
Examples:
  vmfa init
  vmfa init --vault age
  vmfa init --vault age --new-identity ci-identity
  vmfa init --registry postgres://ci@db.example.com/vmfa
  vmfa init --registry 'dynamodb://vmfa?region=eu-central-1'
  vmfa init --vault shared --registry postgres://ci@db.example.com/vmfa")]
pub(in crate::cli) struct Args {
    /// Keep the age identity in the OS keyring: one item there opens any number of devices
    #[arg(long)]
    identity_in_keyring: bool,
    /// Use this identity: an age identity file, also of an age plugin, or an SSH key
    #[arg(long, value_name = "FILE")]
    use_identity: Option<PathBuf>,
    /// Make an identity without a passphrase in this new file: anyone who can read it can read the secrets
    #[arg(long, value_name = "FILE")]
    new_identity: Option<PathBuf>,
    /// Encrypt to this age, plugin or SSH public key too, for a second identity kept elsewhere
    #[arg(long = "recipient", value_name = "KEY")]
    recipients: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Initialized {
    /// `keyring`, `age` or `shared`.
    vault: &'static str,
    /// Where that is, in words.
    place: String,
    /// The file that opens the secrets, if age encrypts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    /// The recipients of age files, or of the shared vault's items.
    recipients: Vec<String>,
    /// Where devices and used codes are, if that is a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    /// The configuration file.
    config: String,
    /// Whether plugins hold the identity, and no other key opens the secrets.
    #[serde(skip)]
    held: bool,
    /// Whether it was all set up like this before.
    #[serde(skip)]
    before: bool,
}

impl Answer for Initialized {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.before {
            render::note("set up already; nothing was changed");
        }
        writeln!(out, "new secrets go to the {} vault: {}", self.vault, self.place)?;
        if let Some(identity) = &self.identity {
            writeln!(out, "they are opened by {identity}")?;
            render::note(if self.held {
                "if the plugin's key is lost, nobody can read the secrets: keep a backup that another key opens (vmfa backup)"
            } else {
                "without that identity nobody can read the secrets: keep a copy in a safe place"
            });
        }
        if let Some(registry) = &self.registry {
            writeln!(out, "devices and used codes are in {registry}")?;
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        // One at a time: two could make two identities.
        let locks = Locks::new(Place::find(global)?.home.locks, LOCK_LIMIT);
        let waiting = |holder| render::note(&format!("waiting for {holder}, which changes the configuration"));
        let _lock = locks.sole("configuration", &world::pause, waiting)?;
        let place = Place::find(global)?;
        let kind = place.default_kind()?;
        let mut config = place.config.clone();
        config.vault = Some(kind.to_string());
        let registry = self.make_registry(&place, global, &mut config)?;
        let mut identity = None;
        match kind {
            Kind::Age | Kind::Shared => {
                let (age, words) = match &place.config.age {
                    Some(age) => self.keep(&place, kind, age)?,
                    None => self.make(&place.with(config.clone()), kind, global)?,
                };
                identity = Some(words);
                config.age = Some(age);
            }
            Kind::Keyring | Kind::Memory => self.refuse_age_options()?,
        }
        let new = place.with(config.clone());
        let place_of_secrets = new.vault(kind)?.probe()?;
        let held = place_of_secrets.ends_with(HELD_BY_PLUGIN);
        let recipients = config.age.as_ref().map(|age| age.recipients.clone()).unwrap_or_default();
        if held {
            // What its file says may not be true of the key.
            new.age(kind)?.try_identity().map_err(|error| self.unfit(error))?;
            if !opens_what_is_there(&new, kind, &recipients)? {
                return Err(set_up_already(kind));
            }
        }
        if kind == Kind::Shared && !held && !place_of_secrets.ends_with(PROTECTED) {
            // Those who only take codes may not be allowed to make it.
            let vault = new.age(kind)?;
            Devices { vault: &*vault, registry: &*new.registry()? }.own_key()?;
        }
        let before = config == place.config;
        config.write(place.config_path())?;
        let answer = Initialized {
            vault: kind.as_str(),
            place: place_of_secrets,
            identity,
            held: held && recipients.len() < 2,
            recipients,
            registry,
            config: place.config_path().display().to_string(),
            before,
        };
        render::print(&answer, global.json)
    }

    /// Makes the registry in a database, or brings it up to date, and stores the choice: without the password, and only
    /// where it was made by an option.
    fn make_registry(&self, place: &Place, global: &Global, config: &mut Config) -> Result<Option<String>> {
        let chosen = place.chosen_registry()?;
        if global.registry.is_some() {
            config.registry = chosen.stored();
            config.plain_registry = config.registry.is_some() && (global.plain_registry || config.plain_registry);
        }
        chosen.prepare()?.map_or(Ok(None), |()| Ok(Some(place.registry()?.probe()?)))
    }

    fn file(&self) -> Option<&Path> {
        self.use_identity.as_deref().or(self.new_identity.as_deref())
    }

    /// Where other recipients than the identity's were named.
    fn unfit(&self, error: vault::Error) -> Error {
        let misfit =
            matches!(error, vault::Error::Identity(_) | vault::Error::Plugin { trouble: vault::Trouble::Says(_), .. });
        let failure = Error::from(error);
        if misfit && !self.recipients.is_empty() { failure.hint(hints::vaults::NAME_RECIPIENT) } else { failure }
    }

    fn refuse_age_options(&self) -> Result<()> {
        if self.identity_in_keyring || self.file().is_some() || !self.recipients.is_empty() {
            return Err(Error::usage("only the age and the shared vault have identities and recipients")
                .hint(hints::vaults::SAY_AGE));
        }
        Ok(())
    }

    /// What is set up stays: items are encrypted to its recipients. The identity may have moved.
    fn keep(&self, place: &Place, kind: Kind, age: &AgeConfig) -> Result<(AgeConfig, String)> {
        let config = place.config_path();
        let brought = absolute(self.file())?;
        let configured = age.identity_file.as_ref().map(|path| resolved(path, config));
        let mut kept = age.clone();
        let mut other = self.identity_in_keyring && !age.identity_in_keyring
            || self.recipients.iter().any(|recipient| !age.recipients.contains(recipient));
        if let Some(path) = brought.filter(|path| configured.as_ref() != Some(path)) {
            let same = self.use_identity.is_some()
                && recipients_of_file(place, &path)?.iter().all(|recipient| age.recipients.contains(recipient));
            other |= !same;
            kept.identity_file = Some(portable(&path, config));
            kept.identity_in_keyring = false;
        }
        if other {
            return Err(set_up_already(kind));
        }
        let words = describe(&kept, config);
        Ok((kept, words))
    }

    fn make(&self, place: &Place, kind: Kind, global: &Global) -> Result<(AgeConfig, String)> {
        for recipient in &self.recipients {
            super::backup::check_recipient(recipient)?;
        }
        let held = place.registry()?.list()?.iter().filter(|device| device.vault == kind).count();
        let makes_one = self.new_identity.is_some() || self.identity_in_keyring;
        let brings_one = self.use_identity.is_some() || place.identity_file().is_some();
        if held > 0 && (makes_one || !brings_one) {
            return Err(Error::new(
                ErrorKind::No,
                "initialized",
                format!("the {kind} vault holds devices ({held}), which another identity would not open"),
            )
            .hint(hints::vaults::USE_THE_SAME));
        }
        let brought = self.file().map(Path::to_owned).or_else(|| place.identity_file());
        let (mut recipients, identity_file) = if self.identity_in_keyring {
            (keep_in_keyring(place)?, None)
        } else if let Some(path) = absolute(brought.as_deref())? {
            if self.new_identity.is_some() {
                if path.exists() {
                    return Err(Error::usage(format!("{} exists already, and is not overwritten", path.display()))
                        .hint(hints::vaults::use_identity(path.display())));
                }
                let (identity, _) = age::generate();
                age::write_new_file(&path, identity.as_bytes())?;
            }
            (recipients_of_file(place, &path)?, Some(path))
        } else {
            (self.make_protected(place, global)?, Some(place.home.identity.clone()))
        };
        recipients.extend(self.recipients.iter().cloned());
        let config = place.config_path();
        let identity_file = identity_file.map(|path| portable(&path, config));
        let age = AgeConfig { recipients, identity_file, identity_in_keyring: self.identity_in_keyring };
        let words = describe(&age, config);
        Ok((age, words))
    }

    /// An identity under a passphrase, in this program's own directory.
    fn make_protected(&self, place: &Place, global: &Global) -> Result<Vec<String>> {
        let path = &place.home.identity;
        if path.exists() {
            // Made before, by a run that didn't come to its end.
            return recipients_of_file(place, path);
        }
        let passphrase = match global.passphrase_fd {
            Some(descriptor) => prompt::from_descriptor(descriptor)?,
            None if prompt::somebody_there() => prompt::new_passphrase()?,
            None => {
                return Err(Error::usage(
                    "the age vault needs an identity, and there is no terminal to ask for a passphrase at",
                )
                .hint(hints::vaults::NEW_IDENTITY)
                .hint(hints::vaults::OTHER_IDENTITIES));
            }
        };
        let (identity, recipient) = age::generate();
        age::write_new_file(path, &age::encrypt_identity(&identity, &passphrase, None)?)?;
        Ok(vec![recipient])
    }
}

fn recipients_of_file(place: &Place, path: &Path) -> Result<Vec<String>> {
    let identity = Identity::File { path: path.to_owned(), passphrase: place.passphrase() };
    Ok(age::recipient_of(&identity)?)
}

/// Whether an identity is that of the secrets which are there. Where recipients are named, it was tried on them.
fn opens_what_is_there(place: &Place, kind: Kind, recipients: &[String]) -> Result<bool> {
    let empty = || -> Result<bool> { Ok(place.registry()?.list()?.iter().all(|device| device.vault != kind)) };
    Ok(!recipients.is_empty() || empty()? || place.age(kind)?.find_own_key()?.is_some())
}

fn set_up_already(kind: Kind) -> Error {
    let message = format!("the {kind} vault is set up already, with another identity or recipients");
    Error::new(ErrorKind::No, "initialized", message).hint(hints::vaults::OTHER_HOME)
}

/// The identity in the keyring: the one that is there, else a new one.
fn keep_in_keyring(place: &Place) -> Result<Vec<String>> {
    let keyring = place.keyring();
    match keyring.get_identity() {
        Ok(identity) => Ok(age::recipient_of(&Identity::Text(identity))?),
        Err(crate::vault::Error::NoIdentity) => {
            let (identity, recipient) = age::generate();
            keyring.put_identity(&identity)?;
            Ok(vec![recipient])
        }
        Err(error) => Err(error.into()),
    }
}

fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>> {
    let path = path.map(std::path::absolute).transpose().map_err(|error| Error::usage(error.to_string()))?;
    match &path {
        Some(path) if path.to_str().is_none() => Err(Error::usage(format!(
            "{}: the configuration can only name files whose names are Unicode",
            path.display()
        ))),
        _ => Ok(path),
    }
}

fn describe(age: &AgeConfig, config: &Path) -> String {
    match &age.identity_file {
        Some(path) => resolved(path, config).display().to_string(),
        None if age.identity_in_keyring => "the identity in the OS keyring".to_owned(),
        None => "an identity brought along (--identity-file)".to_owned(),
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "init": Initialized;
}
