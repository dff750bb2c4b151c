//! What one AWS account knows: entities, credentials, and what became of codes.
//!
//! Names know no case, as in IAM: rows stand under their [`key`].

pub(super) mod authenticator;
mod document;
mod entities;
pub(super) mod index;
pub(super) mod managed;
mod password;
mod password_policy;
mod passwords;
mod principals;
mod sweep;
mod table;
mod tags;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(super) use authenticator::{Arrival, Authenticator};
pub(super) use document::PolicyDocument;
pub(super) use entities::*;
use index::Index;
pub(super) use index::Usage;
pub(super) use password::Hash as PasswordHash;
pub(super) use password_policy::PasswordPolicy;
use table::Kept;
pub(super) use table::Table;
pub(super) use tags::{Keys, Tags};

use super::random::{self, Random};
use super::time::Instant;
use crate::policy::Kind;
use crate::time::Timestamp;

/// An AWS account.
#[derive(Debug)]
pub(super) struct Account {
    id: String,
    pub(super) users: Table<User>,
    pub(super) groups: Table<Group>,
    /// Customer managed policies by ARN.
    pub(super) policies: Table<ManagedPolicy>,
    pub(super) roles: Table<Role>,
    /// By serial number.
    pub(super) devices: Table<Device>,
    /// By serial number.
    pub(super) authenticators: Table<Authenticator>,
    /// By access key id.
    pub(super) access_keys: Table<AccessKey>,
    /// By access key id.
    pub(super) sessions: Table<Session>,
    pub(super) settings: Table<Settings>,
    /// Who has what; [`stored`](Self::stored) keeps it up to date.
    pub(super) index: Index,
    /// The serial number at which the next sweep of authenticators begins.
    swept_to: String,
}

/// What is the account's own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_policy: Option<PasswordPolicy>,
    /// Where virtual time stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Instant>,
    /// The access key id of the bootstrap administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator: Option<String>,
    /// When the last credential report is ready, or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential_report: Option<Timestamp>,
    /// Somebody was told that it isn't.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) credential_report_awaited: bool,
}

/// How many more sessions there are before old ones are looked for.
const SESSIONS_BETWEEN_SWEEPS: usize = 1_024;

/// The key of the one row of [`Account::settings`].
pub(super) const SETTINGS: &str = "account";

/// Whose access keys the root user's are: nobody is named so.
pub(super) const ROOT: &str = "";

/// The key under which an entity of this name stands.
pub(super) fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl Account {
    /// An empty account of a number of twelve digits.
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            users: Table::default(),
            groups: Table::default(),
            policies: Table::default(),
            roles: Table::default(),
            devices: Table::default(),
            authenticators: Table::default(),
            access_keys: Table::default(),
            sessions: Table::default(),
            settings: Table::default(),
            index: Index::default(),
            swept_to: String::new(),
        }
    }

    /// Its number, twelve digits.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn alias(&self) -> Option<&str> {
        self.settings.get(SETTINGS).and_then(|settings| settings.alias.as_deref())
    }

    /// What QR codes call the account: its alias, or else its number.
    pub(super) fn shown_as(&self) -> &str {
        self.alias().unwrap_or(&self.id)
    }

    /// What is the account's own.
    pub(super) fn settings(&self) -> Settings {
        self.settings.get(SETTINGS).cloned().unwrap_or_default()
    }

    /// What passwords have to be like, if the account has its own rules.
    pub(super) fn password_policy(&self) -> Option<&PasswordPolicy> {
        self.settings.get(SETTINGS).and_then(|settings| settings.password_policy.as_ref())
    }

    pub(super) fn edit_settings(&mut self) -> &mut Settings {
        self.settings.edit_or_new(SETTINGS)
    }

    /// An ARN of IAM in this account: `kind` is `user`, `group`, `mfa`…; the path begins and ends with a slash.
    pub(super) fn arn(&self, kind: &str, path: &str, name: &str) -> String {
        format!("arn:aws:iam::{}:{kind}{path}{name}", self.id)
    }

    pub(super) fn user_arn(&self, user: &User) -> String {
        self.arn("user", &user.path, &user.name)
    }

    pub(super) fn group_arn(&self, group: &Group) -> String {
        self.arn("group", &group.path, &group.name)
    }

    pub(super) fn role_arn(&self, role: &Role) -> String {
        self.arn("role", &role.path, &role.name)
    }

    /// The ARN of the user, group or role of this account whose name another ARN ends with; the path doesn't count.
    pub(super) fn entity_named_by(&self, arn: &str) -> Option<String> {
        let rest = arn.strip_prefix(&format!("arn:aws:iam::{}:", self.id))?;
        let (kind, path) = rest.split_once('/')?;
        let name = key(path.rsplit('/').next()?);
        match kind {
            "user" => self.users.get(&name).map(|user| self.user_arn(user)),
            "group" => self.groups.get(&name).map(|group| self.group_arn(group)),
            "role" => self.roles.get(&name).map(|role| self.role_arn(role)),
            _ => None,
        }
    }

    /// A managed policy, the customer's or AWS's.
    pub(super) fn policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        self.policies.get(arn).or_else(|| managed::policy(arn))
    }

    /// Lets the users in a group be in it under its new key.
    pub(super) fn rename_membership(&mut self, old: &str, new: &str) {
        for member in self.index.members.get(old).cloned().unwrap_or_default() {
            if let Some(user) = self.users.edit(&member) {
                user.groups.remove(old);
                user.groups.insert(new.to_owned());
            }
        }
    }

    /// A new access key for a user who exists.
    ///
    /// # Errors
    ///
    /// Without random numbers.
    pub(super) fn new_access_key(
        &mut self,
        user: &str,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<AccessKey, random::Error> {
        let id = random::id(random, "AKIA", 16)?;
        let secret = random::secret_access_key(random)?;
        Ok(self.add_access_key(user, id, secret, now))
    }

    /// The same, of a known id and secret.
    pub(super) fn add_access_key(
        &mut self,
        user: &str,
        id: String,
        secret: Zeroizing<String>,
        now: Timestamp,
    ) -> AccessKey {
        let access_key = AccessKey { id, secret, user: user.to_owned(), created: now, active: true, used: None };
        if let Some(user) = self.users.edit(user) {
            user.access_keys.push(access_key.id.clone());
        }
        self.access_keys.insert(access_key.id.clone(), access_key.clone());
        access_key
    }

    /// The access keys of the root user, the oldest first.
    pub(super) fn root_access_keys(&self) -> impl Iterator<Item = &AccessKey> {
        let ids = self.index.access_keys.get(ROOT).into_iter().flatten();
        ids.filter_map(|id| self.access_keys.get(id))
    }

    /// Enables a device for a user. Where one of the two isn't there, nothing happens.
    pub(super) fn assign(&mut self, user_key: &str, serial: &str, now: Instant, arrival: Arrival) {
        let (Some(user), Some(device)) = (self.users.edit(user_key), self.devices.edit(serial)) else { return };
        user.devices.push(serial.to_owned());
        device.assigned = Some(Assignment { user: user_key.to_owned(), at: now.timestamp() });
        self.authenticators.edit_or_new(serial).bind(Some(&user.id), &device.seed, arrival, now);
    }

    /// Keeps new temporary credentials. Now and then, those are forgotten that ended more than a day ago: until then a
    /// client is told that they did.
    pub(super) fn add_session(&mut self, id: String, session: Session, now: Timestamp) {
        self.sessions.insert(id, session);
        if !self.sessions.len().is_multiple_of(SESSIONS_BETWEEN_SWEEPS) {
            return;
        }
        let over = |session: &Session| session.expires.plus(86_400).is_some_and(|then| then < now);
        let ended: Vec<String> =
            self.sessions.iter().filter(|(_, session)| over(session)).map(|(id, _)| id.clone()).collect();
        for id in ended {
            self.sessions.remove(&id);
        }
    }

    /// Lets the sessions of a user go on under the user's new key.
    pub(super) fn rename_sessions(&mut self, old: &str, new: &str) {
        let of_user = |session: &Session| matches!(&session.of, SessionOf::User { user, .. } if user == old);
        let ids: Vec<String> =
            self.sessions.iter().filter(|(_, session)| of_user(session)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            if let Some(SessionOf::User { user, .. }) = self.sessions.edit(&id).map(|session| &mut session.of) {
                new.clone_into(user);
            }
        }
    }

    /// Lets the trust policies that name a user go on naming the same one: AWS keeps ids there, and shows the ARN that
    /// the id has at the time.
    pub(super) fn rename_trusted(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        let renamed = self.roles.iter().filter_map(|(key, role)| {
            let text = principals::renamed(role.trust.text(), old, new)?;
            Some((key.clone(), PolicyDocument::new(&text, Kind::Trust).ok()?))
        });
        for (key, trust) in renamed.collect::<Vec<_>>() {
            if let Some(role) = self.roles.edit(&key) {
                role.trust = trust;
            }
        }
    }

    /// All that is kept.
    fn tables(&mut self) -> [&mut dyn Kept; 9] {
        [
            &mut self.users,
            &mut self.groups,
            &mut self.policies,
            &mut self.roles,
            &mut self.devices,
            &mut self.authenticators,
            &mut self.access_keys,
            &mut self.sessions,
            &mut self.settings,
        ]
    }

    /// Whether there is something to store.
    pub(super) fn has_changed(&mut self) -> bool {
        self.tables().iter().any(|table| table.has_changed())
    }

    /// All rows were read.
    pub(super) fn read(&mut self) {
        self.index.read(&self.users);
        self.index.read(&self.groups);
        self.index.read(&self.roles);
        self.index.read(&self.devices);
        self.index.read(&self.access_keys);
    }

    /// Everything is stored.
    pub(super) fn stored(&mut self) {
        self.index.follow(&self.users);
        self.index.follow(&self.groups);
        self.index.follow(&self.roles);
        self.index.follow(&self.devices);
        self.index.follow(&self.access_keys);
        self.tables().into_iter().for_each(Kept::stored);
    }

    /// Everything is again as it was stored last.
    pub(super) fn undo(&mut self) {
        self.tables().into_iter().for_each(Kept::undo);
    }
}
