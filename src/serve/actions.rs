//! Every action that is implemented, what it is authorized on, and who handles it.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::account::{Account, Tags, key};
use super::authorize::{self, Wish};
use super::call::Handler;
use super::caller::Caller;
use super::iam::{keys, mfa, users};
use super::sts;
use crate::policy::Context;
use crate::wire::query::Parameters;
use crate::wire::xml;

/// A service that is stood in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Iam,
    Sts,
}

impl Service {
    /// Of the credential scope, or of an action in a policy.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "iam" => Some(Self::Iam),
            "sts" => Some(Self::Sts),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    /// The version of its API.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
        }
    }

    pub(super) const fn namespace(self) -> &'static str {
        match self {
            Self::Iam => xml::IAM,
            Self::Sts => xml::STS,
        }
    }
}

/// What an action is authorized on, as the Service Authorization Reference has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    /// Whoever has credentials may.
    Nothing,
    /// Decided by the handler: more than the caller's policies have a say.
    Itself,
    /// No resource in particular.
    Everything,
    /// All entities of a kind, `user`, as denials write them: `arn:aws:iam::ACCOUNT:user/`.
    All(&'static str),
    /// `UserName`, or the caller.
    User,
    /// `GroupName`.
    Group,
    /// `RoleName`.
    Role,
    /// `PolicyArn`.
    Policy,
    /// The device of `SerialNumber`.
    Device,
    /// What will be there: kind, and the parameter with its name; `Path` is its path.
    New(&'static str, &'static str),
    /// `PolicySourceArn`.
    PolicySource,
}

/// An action of a service.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) service: Service,
    pub(super) name: &'static str,
    on: On,
    pub(super) run: Handler,
    /// Whether the answer has a result.
    pub(super) result: bool,
}

const fn iam(name: &'static str, on: On, run: Handler) -> Action {
    Action { service: Service::Iam, name, on, run, result: true }
}

/// One whose answer is empty.
const fn void(name: &'static str, on: On, run: Handler) -> Action {
    Action { service: Service::Iam, name, on, run, result: false }
}

const fn sts(name: &'static str, on: On, run: Handler) -> Action {
    Action { service: Service::Sts, name, on, run, result: true }
}

const ACTIONS: &[Action] = &[
    sts("GetCallerIdentity", On::Nothing, sts::get_caller_identity),
    sts("GetSessionToken", On::Nothing, sts::get_session_token),
    sts("GetAccessKeyInfo", On::Everything, sts::get_access_key_info),
    sts("AssumeRole", On::Itself, sts::assume_role),
    // MFA devices
    iam("CreateVirtualMFADevice", On::New("mfa", "VirtualMFADeviceName"), mfa::create_virtual_mfa_device),
    void("EnableMFADevice", On::User, mfa::enable_mfa_device),
    void("ResyncMFADevice", On::User, mfa::resync_mfa_device),
    void("DeactivateMFADevice", On::User, mfa::deactivate_mfa_device),
    void("DeleteVirtualMFADevice", On::Device, mfa::delete_virtual_mfa_device),
    iam("ListMFADevices", On::User, mfa::list_mfa_devices),
    iam("ListVirtualMFADevices", On::All("mfa"), mfa::list_virtual_mfa_devices),
    iam("GetMFADevice", On::User, mfa::get_mfa_device),
    iam("ListMFADeviceTags", On::Device, mfa::list_mfa_device_tags),
    void("TagMFADevice", On::Device, mfa::tag_mfa_device),
    void("UntagMFADevice", On::Device, mfa::untag_mfa_device),
    // Users
    iam("CreateUser", On::New("user", "UserName"), users::create_user),
    iam("GetUser", On::User, users::get_user),
    iam("ListUsers", On::All("user"), users::list_users),
    void("UpdateUser", On::User, users::update_user),
    void("DeleteUser", On::User, users::delete_user),
    // Access keys
    iam("CreateAccessKey", On::User, keys::create_access_key),
];

impl Action {
    /// The action of that name.
    pub(super) fn find(service: Service, name: &str) -> Option<&'static Self> {
        static INDEX: OnceLock<HashMap<(Service, &'static str), &'static Action>> = OnceLock::new();
        let index: &HashMap<(Service, &str), &'static Self> =
            INDEX.get_or_init(|| ACTIONS.iter().map(|action| ((action.service, action.name), action)).collect());
        index.get(&(service, name)).copied()
    }

    /// Every action there is.
    pub(super) fn all() -> &'static [Self] {
        ACTIONS
    }

    /// What has to be allowed before it is run; `None` where nothing has to, or where the handler decides.
    pub(super) fn wish(&self, account: &Account, caller: &Caller, input: &Parameters) -> Option<Wish> {
        let mut context = Context::new();
        let mut shown = None;
        let resources = match self.on {
            On::Nothing | On::Itself => return None,
            On::Everything => vec!["*".to_owned()],
            On::All(kind) => vec![account.arn(kind, "/", "")],
            On::New(kind, name) => {
                let path = input.get("Path").unwrap_or("/");
                vec![account.arn(kind, path, input.get(name).unwrap_or_default())]
            }
            On::User => {
                shown = Some(format!("user {}", shown_user(account, caller, input)));
                on_user(account, caller, input, &mut context)
            }
            On::Group => {
                let name = input.get("GroupName").unwrap_or_default();
                shown = Some(format!("group {name}"));
                let group = account.groups.get(&key(name));
                let mut arns =
                    vec![group.map_or_else(|| account.arn("group", "/", name), |group| account.group_arn(group))];
                if let Some(group) = group {
                    arns.extend(renamed(account, "group", &group.path, &group.name, input, "NewGroupName"));
                }
                arns
            }
            On::Role => {
                let name = input.get("RoleName").unwrap_or_default();
                shown = Some(format!("role {name}"));
                let role = account.roles.get(&key(name));
                authorize::describe_resource(&mut context, role.map_or(&Tags::default(), |role| &role.tags));
                vec![role.map_or_else(|| account.arn("role", "/", name), |role| account.role_arn(role))]
            }
            On::Policy => {
                let arn = input.get("PolicyArn").unwrap_or_default();
                shown = Some(format!("policy {arn}"));
                let policy = account.policy(arn);
                authorize::describe_resource(&mut context, policy.map_or(&Tags::default(), |policy| &policy.tags));
                vec![arn.to_owned()]
            }
            On::Device => {
                let serial = input.get("SerialNumber").unwrap_or_default();
                let device = account.devices.get(serial);
                authorize::describe_resource(&mut context, device.map_or(&Tags::default(), |device| &device.tags));
                vec![serial.to_owned()]
            }
            On::PolicySource => vec![input.get("PolicySourceArn").unwrap_or_default().to_owned()],
        };
        self.describe(input, &mut context);
        Some(Wish { action: format!("{}:{}", self.service.name(), self.name), resources, shown, context })
    }

    /// What has to be allowed too: whoever creates something with tags tags it.
    pub(super) fn tagging(&self, wish: &Wish, input: &Parameters) -> Option<Wish> {
        let On::New(..) = self.on else { return None };
        if input.structs("Tags").is_empty() {
            return None;
        }
        let tagged = self.name.strip_prefix("Create").unwrap_or(self.name).replace("Virtual", "");
        Some(Wish { action: format!("{}:Tag{tagged}", self.service.name()), shown: None, ..wish.clone() })
    }

    /// The keys of the request itself.
    fn describe(&self, input: &Parameters, context: &mut Context) {
        let tags: Tags = input
            .structs("Tags")
            .iter()
            .filter_map(|tag| Some((tag.get("Key")?.to_owned(), tag.get("Value")?.to_owned())))
            .collect();
        authorize::describe_tags(context, &tags);
        let keys = input.list("TagKeys");
        if !keys.is_empty() {
            context.set("aws:TagKeys", keys);
        }
        if let Some(arn) = input.get("PolicyArn") {
            context.set("iam:PolicyARN", [arn]);
        }
        if let Some(arn) = input.get("PermissionsBoundary") {
            context.set("iam:PermissionsBoundary", [arn]);
        }
    }
}

/// What denials call the user.
fn shown_user<'a>(account: &'a Account, caller: &'a Caller, input: &'a Parameters) -> &'a str {
    let own = || caller.user().and_then(|key| account.users.get(key)).map(|user| user.name.as_str());
    input.get("UserName").or_else(own).unwrap_or("null")
}

fn on_user(account: &Account, caller: &Caller, input: &Parameters, context: &mut Context) -> Vec<String> {
    let name = input.get("UserName");
    let user = match name {
        Some(name) => account.users.get(&key(name)),
        None => caller.user().and_then(|key| account.users.get(key)),
    };
    let Some(user) = user else {
        let name = name.unwrap_or_default();
        return vec![account.arn("user", "/", name)];
    };
    authorize::describe_resource(context, &user.tags);
    let mut arns = vec![account.user_arn(user)];
    arns.extend(renamed(account, "user", &user.path, &user.name, input, "NewUserName"));
    arns
}

/// The ARN that an entity gets when it is renamed or moved.
fn renamed(
    account: &Account,
    kind: &str,
    path: &str,
    name: &str,
    input: &Parameters,
    parameter: &str,
) -> Option<String> {
    let (new_path, new_name) = (input.get("NewPath"), input.get(parameter));
    (new_path.is_some() || new_name.is_some())
        .then(|| account.arn(kind, new_path.unwrap_or(path), new_name.unwrap_or(name)))
}
