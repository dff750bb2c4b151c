//! What an account begins with: users, groups, policies, roles and devices from a TOML file.
//!
//! Everything is made by the same actions that the API has, as the root user, so that it is held to the same rules; what
//! those refuse is an error with the line that asked for it. `docs/serve.md` describes the format.

mod format;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use toml::Spanned;
use zeroize::Zeroizing;

use self::format::{AccessKey, Device, File, GivenKey, Inline, Role, Tags, User};
use super::account::{Account, Arrival, ROOT, key, managed};
use super::actions::{Action, Service};
use super::asked::Asked;
use super::authorize::Origin;
use super::caller::{Caller, Who};
use super::contract::Contract;
use super::events::Event;
use super::iam::mfa::DEVICES_PER_USER;
use super::random::Random;
use crate::provision::base32;
use crate::time::Timestamp;
use crate::wire::query::Parameters;

/// The largest file, in bytes.
pub const MOST: u64 = 33_554_432;

/// What can be wrong with a scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// At a line.
    #[error("line {line}: {problem}")]
    At {
        /// Counted from 1.
        line: usize,
        /// What is wrong there; never a secret.
        problem: String,
    },
    /// The file as a whole.
    #[error("{0}")]
    File(String),
}

/// The keys of a user of the scenario.
#[derive(Clone, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UserKeys {
    /// Of the access key.
    pub access_key_id: String,
    /// Of the access key.
    #[cfg_attr(test, schemars(with = "String"))]
    pub secret_access_key: Zeroizing<String>,
}

/// An MFA device of the scenario.
#[derive(Clone, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seeded {
    /// Its serial number.
    pub serial_number: String,
    /// The name of the user whose it was from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its secret key, base32.
    #[cfg_attr(test, schemars(with = "String"))]
    pub secret: Zeroizing<String>,
}

/// What a scenario made or gave that somebody has to know.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The keys of users, by name.
    pub(super) users: BTreeMap<String, UserKeys>,
    /// The keys of the root user.
    pub(super) root: Option<UserKeys>,
    /// The devices, in the order of the file.
    pub(super) devices: Vec<Seeded>,
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seeded").field("serial_number", &self.serial_number).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserKeys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// A scenario that was read.
pub struct Scenario {
    file: File,
    text: Zeroizing<String>,
    directory: PathBuf,
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A file that can't be read or is too large; what isn't TOML or isn't in the format, with its line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |error: std::io::Error| {
            Error::File(match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            })
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MOST {
            return Err(Error::File(format!("the file has {size} bytes; at most {MOST} are read")));
        }
        let text = Zeroizing::new(read_bounded(path).map_err(unreadable)?);
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        let file = toml::from_str(&text).map_err(|error| {
            let problem = without_values(error.message());
            match error.span() {
                Some(span) => Error::At { line: line(&text, span.start), problem },
                None => Error::File(problem),
            }
        })?;
        Ok(Self { file, text, directory })
    }

    /// The keys that the administrator is to have.
    ///
    /// # Errors
    ///
    /// What can't be an access key.
    pub(super) fn administrator(&self) -> Result<Option<UserKeys>, Error> {
        self.file.administrator.as_ref().map(|given| self.given_key(given, given.as_ref())).transpose()
    }

    fn given_key<T>(&self, at: &Spanned<T>, given: &GivenKey) -> Result<UserKeys, Error> {
        let GivenKey { id, secret } = given;
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain || !(16..=128).contains(&id.len()) || secret.is_empty() {
            return Err(self.at(at, "an access key has an id of 16 to 128 letters and digits, and a secret"));
        }
        Ok(UserKeys { access_key_id: id.clone(), secret_access_key: secret.clone() })
    }

    /// Makes everything, in an account without it.
    ///
    /// # Errors
    ///
    /// What the actions refuse, with the line that asked for it. The account is to be thrown away then.
    pub(super) fn apply(&self, account: &mut Account, now: Timestamp, random: &mut dyn Random) -> Result<Made, Error> {
        let mut making = Making {
            caller: Caller::long_term(Who::Root, ""),
            origin: Origin {
                peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
                user_agent: None,
                region: "us-east-1".to_owned(),
            },
            scenario: self,
            account,
            now,
            random,
        };
        making.everything()
    }

    fn line_of<T>(&self, spanned: &Spanned<T>) -> usize {
        line(&self.text, spanned.span().start)
    }

    /// Where documents are looked for.
    fn shown_directory(&self) -> std::path::Display<'_> {
        if self.directory.as_os_str().is_empty() { Path::new(".").display() } else { self.directory.display() }
    }

    fn at<T>(&self, spanned: &Spanned<T>, problem: impl Into<String>) -> Error {
        Error::At { line: self.line_of(spanned), problem: problem.into() }
    }

    /// A policy document: itself, or the file of that name beside the scenario.
    fn document(&self, document: &Spanned<String>) -> Result<String, Error> {
        let text = document.as_ref();
        if text.trim_start().starts_with('{') {
            return Ok(text.clone());
        }
        let path = self.directory.join(text);
        read_bounded(&path).map_err(|problem| {
            let problem = match problem.kind() {
                std::io::ErrorKind::NotFound if Path::new(text).is_relative() => {
                    format!("the document `{text}` isn't in {}, the scenario's directory", self.shown_directory())
                }
                _ => format!("the document {}: {problem}", path.display()),
            };
            self.at(document, problem)
        })
    }
}

/// A file's text, as far as it is taken: what isn't a file may have no end.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read =
        crate::file::open(path, crate::file::Streams::Taken)?.take(MOST.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MOST {
        return Err(std::io::Error::other(format!("it has more than {MOST} bytes")));
    }
    Ok(text)
}

/// A message without what it quotes of values: one may be a password.
fn without_values(message: &str) -> String {
    let wrong_type = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match wrong_type.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((_, expected)) => format!("{expected} belongs here"),
        None if message.contains("data did not match any variant") => {
            "true, or { id = …, secret = … } belongs here".to_owned()
        }
        None => message.to_owned(),
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

struct Making<'a> {
    scenario: &'a Scenario,
    account: &'a mut Account,
    caller: Caller,
    origin: Origin,
    now: Timestamp,
    random: &'a mut dyn Random,
}

impl Making<'_> {
    fn everything(&mut self) -> Result<Made, Error> {
        let file = &self.scenario.file;
        if let Some(alias) = &file.alias {
            self.act(alias, "CreateAccountAlias", &[("AccountAlias", alias.as_ref())])?;
        }
        if let Some(rules) = &file.password_policy {
            let parameters = rules.as_ref().parameters();
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            self.act(rules, "UpdateAccountPasswordPolicy", &parameters)?;
        }
        for policy in &file.policies {
            let document = self.scenario.document(&policy.document)?;
            let tags = tagging(&policy.tags);
            let mut parameters = named("PolicyName", &policy.name, policy.path.as_deref());
            parameters.push(("PolicyDocument", &document));
            parameters.extend(policy.description.as_deref().map(|text| ("Description", text)));
            parameters.extend(borrowed(&tags));
            self.act(&policy.name, "CreatePolicy", &parameters)?;
        }
        for group in &file.groups {
            self.act(&group.name, "CreateGroup", &named("GroupName", &group.name, group.path.as_deref()))?;
            self.grant("Group", &group.name, &group.policies, &group.inline)?;
        }
        let mut made = Made::default();
        if let Some(access_key) = &file.root_access_key {
            made.root = self.access_key(access_key, ROOT)?;
        }
        for user in &file.users {
            self.user(user, &mut made)?;
        }
        for role in &file.roles {
            self.role(role)?;
        }
        for device in &file.devices {
            made.devices.push(self.device(device, None)?);
        }
        Ok(made)
    }

    fn user(&mut self, user: &User, made: &mut Made) -> Result<(), Error> {
        let name = user.name.as_ref().as_str();
        let mut parameters = named("UserName", &user.name, user.path.as_deref());
        let boundary = user.boundary.as_ref().map(|boundary| self.policy(boundary)).transpose()?;
        parameters.extend(boundary.as_deref().map(|arn| ("PermissionsBoundary", arn)));
        let tags = tagging(&user.tags);
        parameters.extend(borrowed(&tags));
        self.act(&user.name, "CreateUser", &parameters)?;
        for group in &user.groups {
            self.act(group, "AddUserToGroup", &[("UserName", name), ("GroupName", group.as_ref())])?;
        }
        self.grant("User", &user.name, &user.policies, &user.inline)?;
        match (&user.password, &user.password_reset) {
            (Some(password), reset) => {
                let reset = if reset.as_ref().is_some_and(|reset| *reset.as_ref()) { "true" } else { "false" };
                let parameters =
                    [("UserName", name), ("Password", password.as_ref()), ("PasswordResetRequired", reset)];
                self.act(password, "CreateLoginProfile", &parameters)?;
            }
            (None, Some(reset)) => {
                return Err(self.scenario.at(reset, "`password_reset` goes with a `password`"));
            }
            (None, None) => {}
        }
        for device in &user.devices {
            made.devices.push(self.device(device, Some(name))?);
        }
        if let Some(access_key) = &user.access_key
            && let Some(keys) = self.access_key(access_key, &key(name))?
        {
            made.users.insert(name.to_owned(), keys);
        }
        Ok(())
    }

    fn role(&mut self, role: &Role) -> Result<(), Error> {
        let trust = self.scenario.document(&role.trust)?;
        let seconds = role.max_session.map(|seconds| seconds.to_string());
        let boundary = role.boundary.as_ref().map(|boundary| self.policy(boundary)).transpose()?;
        let tags = tagging(&role.tags);
        let mut parameters = named("RoleName", &role.name, role.path.as_deref());
        parameters.push(("AssumeRolePolicyDocument", &trust));
        parameters.extend(role.description.as_deref().map(|text| ("Description", text)));
        parameters.extend(seconds.as_deref().map(|seconds| ("MaxSessionDuration", seconds)));
        parameters.extend(boundary.as_deref().map(|arn| ("PermissionsBoundary", arn)));
        parameters.extend(borrowed(&tags));
        self.act(&role.name, "CreateRole", &parameters)?;
        self.grant("Role", &role.name, &role.policies, &role.inline)
    }

    /// The access key of a user, or of the root user.
    fn access_key(&mut self, access_key: &Spanned<AccessKey>, user_key: &str) -> Result<Option<UserKeys>, Error> {
        let now = self.now;
        let made = match access_key.as_ref() {
            AccessKey::Random(false) => return Ok(None),
            AccessKey::Random(true) => self
                .account
                .new_access_key(user_key, now, self.random)
                .map_err(|error| self.scenario.at(access_key, error.to_string()))?,
            AccessKey::Given(given) => {
                let UserKeys { access_key_id: id, secret_access_key: secret } =
                    self.scenario.given_key(access_key, given)?;
                if self.account.access_keys.contains(&id) {
                    return Err(self.scenario.at(access_key, format!("the access key {id} is somebody's already")));
                }
                self.account.add_access_key(user_key, id, secret, now)
            }
        };
        Ok(Some(UserKeys { access_key_id: made.id, secret_access_key: made.secret }))
    }

    /// A device, enabled for a user long enough for STS to know it.
    fn device(&mut self, device: &Device, user: Option<&str>) -> Result<Seeded, Error> {
        let name = device.name.as_ref();
        let tags = tagging(&device.tags);
        let mut parameters = named("VirtualMFADeviceName", &device.name, device.path.as_deref());
        parameters.extend(borrowed(&tags));
        self.act(&device.name, "CreateVirtualMFADevice", &parameters)?;
        let serial = self.account.arn("mfa", device.path.as_deref().unwrap_or("/"), name);
        let made = self.account.devices.edit(&serial);
        let made = made.ok_or_else(|| self.scenario.at(&device.name, format!("{serial} isn't there")))?;
        if let Some(secret) = &device.secret {
            made.seed =
                base32::parse(secret.as_ref()).map_err(|problem| self.scenario.at(secret, problem.to_string()))?;
        }
        let secret = made.seed.to_base32();
        if let Some(user) = user {
            let user = key(user);
            if self.account.users.get(&user).is_none_or(|user| user.devices.len() >= DEVICES_PER_USER) {
                return Err(self.scenario.at(&device.name, format!("a user has at most {DEVICES_PER_USER} devices")));
            }
            let now = self.now.into();
            self.account.assign(&user, &serial, now, Arrival::at(now));
        }
        Ok(Seeded { serial_number: serial, user: user.map(str::to_owned), secret })
    }

    /// Attached and inline policies of a user, group or role.
    fn grant(
        &mut self,
        kind: &str,
        name: &Spanned<String>,
        policies: &[Spanned<String>],
        inline: &Inline,
    ) -> Result<(), Error> {
        let parameter = format!("{kind}Name");
        for policy in policies {
            let arn = self.policy(policy)?;
            self.act(policy, &format!("Attach{kind}Policy"), &[(&parameter, name.as_ref()), ("PolicyArn", &arn)])?;
        }
        for (policy, document) in inline {
            let text = self.scenario.document(document)?;
            let parameters =
                [(parameter.as_str(), name.as_ref().as_str()), ("PolicyName", policy), ("PolicyDocument", &text)];
            self.act(document, &format!("Put{kind}Policy"), &parameters)?;
        }
        Ok(())
    }

    /// The ARN of a policy: given, or of a policy of that name, of this scenario or AWS's own.
    fn policy(&self, policy: &Spanned<String>) -> Result<String, Error> {
        let name = policy.as_ref();
        if name.starts_with("arn:") {
            return Ok(name.clone());
        }
        let own = self.account.policies.values().find(|own| own.name == *name).map(|own| own.arn.clone());
        let aws = || managed::policies().find(|aws| aws.name == *name).map(|aws| aws.arn.clone());
        own.or_else(aws).ok_or_else(|| self.scenario.at(policy, format!("no policy is named `{name}`")))
    }

    fn act<T>(&mut self, of: &Spanned<T>, name: &str, parameters: &[(&str, &str)]) -> Result<(), Error> {
        let scenario = self.scenario;
        let version = Service::Iam.version();
        let input: Parameters =
            [("Action", name), ("Version", version)].into_iter().chain(parameters.iter().copied()).collect();
        let action = Action::find(Service::Iam, name).ok_or_else(|| scenario.at(of, format!("{name} isn't there")))?;
        let mut event = Event::new(self.now, "", "iam", name);
        let now = self.now.into();
        let asked = Asked { caller: &self.caller, origin: &self.origin, input: &input, now, request_id: "" };
        let done = Contract::get()
            .check("iam", name, &input)
            .and_then(|()| asked.call(action, self.account, self.random, &mut event));
        done.map(|_| ()).map_err(|fault| {
            let why = fault.why.map(|why| format!(" ({why})")).unwrap_or_default();
            scenario.at(of, format!("{}: {}{why}", fault.code, fault.message))
        })
    }
}

fn named<'a>(parameter: &'a str, name: &'a Spanned<String>, path: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut parameters = vec![(parameter, name.as_ref().as_str())];
    parameters.extend(path.map(|path| ("Path", path)));
    parameters
}

/// Tags as parameters.
fn tagging(tags: &Tags) -> Vec<(String, &str)> {
    let tags = (1_usize..).zip(tags);
    tags.flat_map(|(index, (key, value))| {
        [(format!("Tags.member.{index}.Key"), key.as_str()), (format!("Tags.member.{index}.Value"), value.as_str())]
    })
    .collect()
}

fn borrowed<'a>(parameters: &'a [(String, &str)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    parameters.iter().map(|(name, value)| (name.as_str(), *value))
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scenario")
    }
}
