//! How a stand-in begins: an empty account with an administrator, or the one that was kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::account::{Account, User, key, managed};
use super::random::{self, Random};
use super::scenario::{self, Made, Scenario, Seeded, UserKeys};
use super::stand::Stand;
use super::store::{self, Store};
use super::time::Clock;
use crate::time::Timestamp;

/// What a stand-in is made of.
pub struct Options {
    /// The account's number, twelve digits.
    pub account: String,
    /// Its alias.
    pub alias: Option<String>,
    /// The time it lives by. Virtual time goes on where it stood in a kept account.
    pub clock: Clock,
    /// Where virtual time is to begin, where that was said: then it goes on there, if that is later.
    pub starts_at: Option<Timestamp>,
    /// Where keys and seeds come from.
    pub random: Box<dyn Random>,
    /// Where the account is kept; in memory only where there is none.
    pub state: Option<PathBuf>,
    /// What a new account begins with; one that was kept goes on as it was.
    pub scenario: Option<Scenario>,
}

/// What there is to know of a stand-in that began.
#[derive(Debug)]
pub struct Begun {
    /// Who acts first in a story.
    pub administrator: Administrator,
    /// The keys of the scenario's users, by name.
    pub users: BTreeMap<String, UserKeys>,
    /// The keys of the root user, where the scenario gives some.
    pub root: Option<UserKeys>,
    /// The scenario's devices, with their secret keys.
    pub devices: Vec<Seeded>,
    /// Whether the account was kept from an earlier run.
    pub kept: bool,
}

/// The keys of the administrator, the first user: everything is allowed to them.
pub struct Administrator {
    /// Of the access key.
    pub access_key_id: String,
    /// Of the access key.
    pub secret_access_key: Zeroizing<String>,
}

/// Why a stand-in doesn't begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not twelve digits.
    #[error("`{0}` is no account number: twelve digits")]
    Account(String),
    /// Not an alias as AWS takes them.
    #[error("`{0}` is no account alias: 3 to 63 small letters, digits and single dashes between them")]
    Alias(String),
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] random::Error),
    /// The state can't be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The scenario can't be made.
    #[error("the scenario: {0}")]
    Scenario(#[from] scenario::Error),
}

/// What the administrator is called.
const ADMINISTRATOR: &str = "administrator";

impl Stand {
    /// Begins, or goes on where the kept state left off.
    ///
    /// # Errors
    ///
    /// Options that can't be; a state that can't be used.
    pub fn open(options: Options) -> Result<(Self, Begun), Error> {
        let Options { account: id, alias, clock, starts_at, mut random, state, scenario } = options;
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::Account(id));
        }
        if let Some(alias) = alias.as_ref().filter(|alias| !is_alias(alias)) {
            return Err(Error::Alias(alias.clone()));
        }
        let mut store = state.map(|directory| Store::open(&directory)).transpose()?;
        let found = store.as_ref().map(|store| store.read(&id)).transpose()?.flatten();
        let kept = found.is_some();
        let mut account = found.unwrap_or_else(|| Account::new(&id));
        if clock.is_virtual() {
            // Virtual time goes on where it stood, or codes that were used could be used again.
            if let Some(stood) = account.settings().time {
                let _ = clock.set(starts_at.map_or(stood, |starts_at| stood.max(starts_at.into())), true);
            }
            account.edit_settings().time = Some(clock.instant());
        }
        if alias.is_some() {
            account.edit_settings().alias = alias;
        }
        let scenario = scenario.filter(|_| !kept);
        let given = scenario.as_ref().map(Scenario::administrator).transpose()?.flatten();
        let administrator = account.administrator(given, &clock, random.as_mut())?;
        let made = scenario.map(|scenario| scenario.apply(&mut account, clock.now(), random.as_mut()));
        let Made { users, root, devices } = made.transpose()?.unwrap_or_default();
        match &mut store {
            Some(store) => store.write(&mut account)?,
            None => account.stored(),
        }
        let stand = Self::new(account, clock, random, store, devices.clone());
        Ok((stand, Begun { administrator, users, root, devices, kept }))
    }
}

/// Whether AWS takes it as an alias.
pub(super) fn is_alias(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && (3..=63).contains(&text.len()) && !text.contains("--") && !text.starts_with('-') && !text.ends_with('-')
}

impl Account {
    /// The keys of the administrator, who is created if there is none. If you delete the user or the key, you get new
    /// ones at the next start.
    fn administrator(
        &mut self,
        given: Option<UserKeys>,
        clock: &Clock,
        random: &mut dyn Random,
    ) -> Result<Administrator, random::Error> {
        let kept = self.settings().administrator.and_then(|id| self.access_keys.get(&id).cloned());
        let access_key = match kept.filter(|access_key| access_key.active) {
            Some(access_key) => access_key,
            None => {
                let user_key = key(ADMINISTRATOR);
                if !self.users.contains(&user_key) {
                    let mut user = User::new(ADMINISTRATOR);
                    user.id = random::id(random, "AIDA", 17)?;
                    user.created = clock.now();
                    user.grants.attached.insert(managed::arn("AdministratorAccess"));
                    self.users.insert(user_key.clone(), user);
                }
                let access_key = match given {
                    Some(UserKeys { access_key_id: id, secret_access_key: secret }) => {
                        self.add_access_key(&user_key, id, secret, clock.now())
                    }
                    None => self.new_access_key(&user_key, clock.now(), random)?,
                };
                self.edit_settings().administrator = Some(access_key.id.clone());
                access_key
            }
        };
        Ok(Administrator { access_key_id: access_key.id, secret_access_key: access_key.secret })
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("account", &self.account).field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Administrator").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
