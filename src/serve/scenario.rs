//! What an account begins with: users, groups, policies, roles and devices from a TOML file.
//!
//! Everything is made by the same actions that the API has, as the root user, so that it is held to the same rules; what
//! those refuse is told with the line that asked for it. `docs/serve.md` describes the format.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::account::{Account, Arrival, Device, ROOT, Tags, key};
use super::actions::{Action, Service};
use super::authorize::Origin;
use super::caller::{Caller, Who};
use super::contract::Contract;
use super::events::Event;
use super::iam::mfa::DEVICES_PER_USER;
use super::random::Random;
use super::stand::Asked;
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
pub struct UserKeys {
    /// Of the access key.
    pub access_key_id: String,
    /// Of the access key.
    pub secret_access_key: Zeroizing<String>,
}

/// The keys that a scenario made or gave.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Of users, by name.
    pub(super) users: BTreeMap<String, UserKeys>,
    /// Of the root user.
    pub(super) root: Option<UserKeys>,
}

impl std::fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserKeys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    alias: Option<Spanned<String>>,
    root_access_key: Option<Spanned<AccessKey>>,
    #[serde(default, rename = "policy")]
    policies: Vec<Policy>,
    #[serde(default, rename = "group")]
    groups: Vec<Group>,
    #[serde(default, rename = "user")]
    users: Vec<User>,
    #[serde(default, rename = "role")]
    roles: Vec<Role>,
    #[serde(default, rename = "device")]
    devices: Vec<UserDevice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    name: Spanned<String>,
    path: Option<String>,
    document: Spanned<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: Spanned<String>,
    path: Option<String>,
    #[serde(default)]
    policies: Vec<Spanned<String>>,
    #[serde(default)]
    inline: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: Spanned<String>,
    path: Option<String>,
    #[serde(default)]
    groups: Vec<Spanned<String>>,
    #[serde(default)]
    policies: Vec<Spanned<String>>,
    #[serde(default)]
    inline: BTreeMap<String, Spanned<String>>,
    boundary: Option<Spanned<String>>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    password: Option<Spanned<Zeroizing<String>>>,
    access_key: Option<Spanned<AccessKey>>,
    #[serde(default, rename = "device")]
    devices: Vec<UserDevice>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AccessKey {
    Random(bool),
    Given(GivenKey),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenKey {
    id: String,
    secret: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserDevice {
    name: Spanned<String>,
    path: Option<String>,
    secret: Option<Spanned<Zeroizing<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    name: Spanned<String>,
    path: Option<String>,
    trust: Spanned<String>,
    #[serde(default)]
    policies: Vec<Spanned<String>>,
    #[serde(default)]
    inline: BTreeMap<String, Spanned<String>>,
    max_session: Option<u64>,
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
        let unreadable = |error: std::io::Error| Error::File(error.to_string());
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
        read_bounded(&path).map_err(|problem| self.at(document, format!("the document {}: {problem}", path.display())))
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
        for policy in &file.policies {
            let document = self.scenario.document(&policy.document)?;
            let mut parameters = named("PolicyName", &policy.name, policy.path.as_deref());
            parameters.push(("PolicyDocument", &document));
            parameters.extend(policy.description.as_deref().map(|text| ("Description", text)));
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
            made.users.extend(self.user(user)?.map(|found| (user.name.as_ref().clone(), found)));
        }
        for role in &file.roles {
            let trust = self.scenario.document(&role.trust)?;
            let seconds = role.max_session.map(|seconds| seconds.to_string());
            let mut parameters = named("RoleName", &role.name, role.path.as_deref());
            parameters.push(("AssumeRolePolicyDocument", &trust));
            parameters.extend(seconds.as_deref().map(|seconds| ("MaxSessionDuration", seconds)));
            self.act(&role.name, "CreateRole", &parameters)?;
            self.grant("Role", &role.name, &role.policies, &role.inline)?;
        }
        for device in &file.devices {
            self.device(device, None)?;
        }
        Ok(made)
    }

    fn user(&mut self, user: &User) -> Result<Option<UserKeys>, Error> {
        let name = user.name.as_ref().as_str();
        let mut parameters = named("UserName", &user.name, user.path.as_deref());
        let boundary = user.boundary.as_ref().map(|boundary| self.policy(boundary)).transpose()?;
        parameters.extend(boundary.as_deref().map(|arn| ("PermissionsBoundary", arn)));
        let tags: Vec<(String, &String)> = (1..)
            .zip(&user.tags)
            .flat_map(|(index, (key, value))| {
                [(format!("Tags.member.{index}.Key"), key), (format!("Tags.member.{index}.Value"), value)]
            })
            .collect();
        parameters.extend(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.act(&user.name, "CreateUser", &parameters)?;
        for group in &user.groups {
            self.act(group, "AddUserToGroup", &[("UserName", name), ("GroupName", group.as_ref())])?;
        }
        self.grant("User", &user.name, &user.policies, &user.inline)?;
        if let Some(password) = &user.password {
            self.act(password, "CreateLoginProfile", &[("UserName", name), ("Password", password.as_ref())])?;
        }
        for device in &user.devices {
            self.device(device, Some(name))?;
        }
        user.access_key.as_ref().map_or(Ok(None), |access_key| self.access_key(access_key, &key(name)))
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
            AccessKey::Given(GivenKey { id, secret }) => {
                let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if !plain || !(16..=128).contains(&id.len()) || secret.is_empty() {
                    return Err(self
                        .scenario
                        .at(access_key, "an access key has an id of 16 to 128 letters and digits, and a secret"));
                }
                if self.account.access_keys.contains(id) {
                    return Err(self.scenario.at(access_key, format!("the access key {id} is somebody's already")));
                }
                self.account.add_access_key(user_key, id.clone(), secret.clone(), now)
            }
        };
        Ok(Some(UserKeys { access_key_id: made.id, secret_access_key: made.secret }))
    }

    /// A device, enabled for a user long enough for STS to know it.
    fn device(&mut self, device: &UserDevice, user: Option<&str>) -> Result<(), Error> {
        let name = device.name.as_ref();
        self.act(
            &device.name,
            "CreateVirtualMFADevice",
            &named("VirtualMFADeviceName", &device.name, device.path.as_deref()),
        )?;
        let serial = self.account.arn("mfa", device.path.as_deref().unwrap_or("/"), name);
        if let Some(secret) = &device.secret {
            let seed =
                base32::parse(secret.as_ref()).map_err(|problem| self.scenario.at(secret, problem.to_string()))?;
            let made =
                Device { serial: serial.clone(), name: name.clone(), seed, tags: Tags::default(), assigned: None };
            self.account.devices.insert(serial.clone(), made);
        }
        let Some(user) = user else { return Ok(()) };
        let user = key(user);
        if self.account.users.get(&user).is_none_or(|user| user.devices.len() >= DEVICES_PER_USER) {
            return Err(self.scenario.at(&device.name, format!("a user has at most {DEVICES_PER_USER} devices")));
        }
        let now = self.now.into();
        self.account.assign(&user, &serial, now, Arrival::at(now));
        Ok(())
    }

    /// Attached and inline policies of a user, group or role.
    fn grant(
        &mut self,
        kind: &str,
        name: &Spanned<String>,
        policies: &[Spanned<String>],
        inline: &BTreeMap<String, Spanned<String>>,
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
        let aws = || self.account.managed().find(|aws| aws.name == *name).map(|aws| aws.arn.clone());
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

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scenario")
    }
}
