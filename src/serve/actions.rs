//! Every action that is implemented, what it is authorized on, and who handles it.

use super::account::{Account, Tags, key};
use super::authorize::{self, Wish};
use super::call::{Handler, flag};
use super::caller::Caller;
use super::iam::{
    account, attachments, boundaries, details, empty, groups, inline, keys, login, mfa, password_policy, policies,
    report, roles, simulate, tags, users, versions,
};
use super::sts;
use crate::policy::{Context, Doubt};
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
        // However it is written, it isn't another service's.
        [Self::Iam, Self::Sts].into_iter().find(|service| name.eq_ignore_ascii_case(service.name()))
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
    /// Allowed to everybody with credentials.
    Nothing,
    /// Decided by the handler: more than the caller's policies have a say.
    Itself,
    /// No resource in particular.
    Everything,
    /// All entities of a kind, `user`, below `PathPrefix`, as denials write them: `arn:aws:iam::ACCOUNT:user/`.
    All(&'static str),
    /// All managed policies below `PathPrefix`.
    AllPolicies,
    /// `UserName`, or the caller.
    User,
    /// The same, or all users where `AllUsers` is true.
    UserOrAll,
    /// The same, where denials write `nullNAME` for a caller who isn't named.
    UserOrNull,
    /// `UserName`, where denials write the ARN.
    UserArn,
    /// `GroupName`.
    Group,
    /// `RoleName`.
    Role,
    /// The same, where denials write the ARN.
    RoleArn,
    /// `PolicyArn`.
    Policy,
    /// The device of `SerialNumber`.
    Device,
    /// What will be there: kind, and the parameter with its name; `Path` is its path.
    New(&'static str, &'static str),
    /// The managed policy that will be there.
    NewPolicy,
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
    // Passwords
    iam("CreateLoginProfile", On::User, login::create_login_profile),
    iam("GetLoginProfile", On::User, login::get_login_profile),
    void("UpdateLoginProfile", On::User, login::update_login_profile),
    void("DeleteLoginProfile", On::User, login::delete_login_profile),
    void("ChangePassword", On::Itself, login::change_password),
    // Access keys
    iam("CreateAccessKey", On::UserOrNull, keys::create_access_key),
    iam("ListAccessKeys", On::UserOrNull, keys::list_access_keys),
    void("UpdateAccessKey", On::User, keys::update_access_key),
    void("DeleteAccessKey", On::User, keys::delete_access_key),
    iam("GetAccessKeyLastUsed", On::Itself, keys::get_access_key_last_used),
    // Groups
    iam("CreateGroup", On::New("group", "GroupName"), groups::create_group),
    iam("GetGroup", On::Group, groups::get_group),
    iam("ListGroups", On::All("group"), groups::list_groups),
    void("UpdateGroup", On::Group, groups::update_group),
    void("DeleteGroup", On::Group, groups::delete_group),
    void("AddUserToGroup", On::Group, groups::add_user_to_group),
    void("RemoveUserFromGroup", On::Group, groups::remove_user_from_group),
    iam("ListGroupsForUser", On::User, groups::list_groups_for_user),
    // Managed policies
    iam("CreatePolicy", On::NewPolicy, policies::create_policy),
    iam("GetPolicy", On::Policy, policies::get_policy),
    iam("ListPolicies", On::AllPolicies, policies::list_policies),
    void("DeletePolicy", On::Policy, policies::delete_policy),
    iam("ListEntitiesForPolicy", On::Policy, policies::list_entities_for_policy),
    iam("CreatePolicyVersion", On::Policy, versions::create_policy_version),
    iam("GetPolicyVersion", On::Policy, versions::get_policy_version),
    iam("ListPolicyVersions", On::Policy, versions::list_policy_versions),
    void("DeletePolicyVersion", On::Policy, versions::delete_policy_version),
    void("SetDefaultPolicyVersion", On::Policy, versions::set_default_policy_version),
    // Inline policies
    void("PutUserPolicy", On::User, inline::put_user_policy),
    iam("GetUserPolicy", On::User, inline::get_user_policy),
    iam("ListUserPolicies", On::User, inline::list_user_policies),
    void("DeleteUserPolicy", On::User, inline::delete_user_policy),
    void("PutGroupPolicy", On::Group, inline::put_group_policy),
    iam("GetGroupPolicy", On::Group, inline::get_group_policy),
    iam("ListGroupPolicies", On::Group, inline::list_group_policies),
    void("DeleteGroupPolicy", On::Group, inline::delete_group_policy),
    void("PutRolePolicy", On::Role, inline::put_role_policy),
    iam("GetRolePolicy", On::Role, inline::get_role_policy),
    iam("ListRolePolicies", On::Role, inline::list_role_policies),
    void("DeleteRolePolicy", On::Role, inline::delete_role_policy),
    // Attached policies
    void("AttachUserPolicy", On::User, attachments::attach_user_policy),
    void("DetachUserPolicy", On::User, attachments::detach_user_policy),
    iam("ListAttachedUserPolicies", On::User, attachments::list_attached_user_policies),
    void("AttachGroupPolicy", On::Group, attachments::attach_group_policy),
    void("DetachGroupPolicy", On::Group, attachments::detach_group_policy),
    iam("ListAttachedGroupPolicies", On::Group, attachments::list_attached_group_policies),
    void("AttachRolePolicy", On::Role, attachments::attach_role_policy),
    void("DetachRolePolicy", On::Role, attachments::detach_role_policy),
    iam("ListAttachedRolePolicies", On::Role, attachments::list_attached_role_policies),
    // Permissions boundaries
    void("PutUserPermissionsBoundary", On::User, boundaries::put_user_permissions_boundary),
    void("DeleteUserPermissionsBoundary", On::User, boundaries::delete_user_permissions_boundary),
    void("PutRolePermissionsBoundary", On::Role, boundaries::put_role_permissions_boundary),
    void("DeleteRolePermissionsBoundary", On::Role, boundaries::delete_role_permissions_boundary),
    // Roles
    iam("CreateRole", On::New("role", "RoleName"), roles::create_role),
    iam("GetRole", On::Role, roles::get_role),
    iam("ListRoles", On::All("role"), roles::list_roles),
    iam("UpdateRole", On::Role, roles::update_role),
    iam("UpdateRoleDescription", On::Role, roles::update_role_description),
    void("UpdateAssumeRolePolicy", On::Role, roles::update_assume_role_policy),
    void("DeleteRole", On::Role, roles::delete_role),
    // Tags
    void("TagUser", On::UserArn, tags::tag_user),
    void("UntagUser", On::UserArn, tags::untag_user),
    iam("ListUserTags", On::UserArn, tags::list_user_tags),
    void("TagRole", On::RoleArn, tags::tag_role),
    void("UntagRole", On::RoleArn, tags::untag_role),
    iam("ListRoleTags", On::RoleArn, tags::list_role_tags),
    void("TagPolicy", On::Policy, tags::tag_policy),
    void("UntagPolicy", On::Policy, tags::untag_policy),
    iam("ListPolicyTags", On::Policy, tags::list_policy_tags),
    // The account
    void("CreateAccountAlias", On::Everything, account::create_account_alias),
    void("DeleteAccountAlias", On::Everything, account::delete_account_alias),
    iam("ListAccountAliases", On::Everything, account::list_account_aliases),
    iam("GetAccountSummary", On::Everything, account::get_account_summary),
    iam("GetAccountPasswordPolicy", On::Itself, password_policy::get_account_password_policy),
    void("UpdateAccountPasswordPolicy", On::Everything, password_policy::update_account_password_policy),
    void("DeleteAccountPasswordPolicy", On::Everything, password_policy::delete_account_password_policy),
    iam("GetAccountAuthorizationDetails", On::Everything, details::get_account_authorization_details),
    iam("GenerateCredentialReport", On::Everything, report::generate_credential_report),
    iam("GetCredentialReport", On::Everything, report::get_credential_report),
    // The simulator
    iam("SimulatePrincipalPolicy", On::PolicySource, simulate::simulate_principal_policy),
    iam("SimulateCustomPolicy", On::Everything, simulate::simulate_custom_policy),
    iam("GetContextKeysForCustomPolicy", On::Everything, simulate::get_context_keys_for_custom_policy),
    iam("GetContextKeysForPrincipalPolicy", On::PolicySource, simulate::get_context_keys_for_principal_policy),
    // What there is none of
    iam("ListSigningCertificates", On::User, empty::list_signing_certificates),
    iam("ListSSHPublicKeys", On::User, empty::list_ssh_public_keys),
    iam("ListServiceSpecificCredentials", On::UserOrAll, empty::list_service_specific_credentials),
    iam("ListInstanceProfilesForRole", On::Role, empty::list_instance_profiles_for_role),
    iam("ListInstanceProfiles", On::All("instance-profile"), empty::list_instance_profiles),
    iam("ListServerCertificates", On::All("server-certificate"), empty::list_server_certificates),
    iam("ListOpenIDConnectProviders", On::Everything, empty::list_open_id_connect_providers),
    iam("ListSAMLProviders", On::Everything, empty::list_saml_providers),
];

/// The actions with the key `iam:PermissionsBoundary`: the boundary of the user or role they are about.
const BOUNDED: &[&str] = &[
    "PutUserPolicy",
    "DeleteUserPolicy",
    "AttachUserPolicy",
    "DetachUserPolicy",
    "DeleteUserPermissionsBoundary",
    "GetRole",
    "UpdateRole",
    "UpdateRoleDescription",
    "UpdateAssumeRolePolicy",
    "DeleteRole",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "DeleteRolePermissionsBoundary",
];

impl Action {
    /// Whether temporary credentials without MFA may call it, as measured; `GetSessionToken` refuses them in its own words.
    pub(super) fn without_mfa(&self) -> bool {
        matches!(self.name, "AssumeRole" | "GetCallerIdentity" | "GetSessionToken")
    }

    /// The action of that name.
    pub(super) fn find(service: Service, name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.service == service && action.name == name)
    }

    /// Every action there is.
    #[cfg(test)]
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
            On::All(kind) => vec![account.arn(kind, input.get("PathPrefix").unwrap_or("/"), "")],
            On::AllPolicies => {
                let prefix = input.get("PathPrefix").unwrap_or("/");
                shown = Some(format!("policy path {prefix}"));
                vec![account.arn("policy", prefix, "")]
            }
            On::New(kind, name) => {
                let path = input.get("Path").unwrap_or("/");
                vec![account.arn(kind, path, input.get(name).unwrap_or_default())]
            }
            On::NewPolicy => {
                let name = input.get("PolicyName").unwrap_or_default();
                shown = Some(format!("policy {name}"));
                vec![account.arn("policy", input.get("Path").unwrap_or("/"), name)]
            }
            On::UserOrAll if flag(input, "AllUsers").unwrap_or_default() => vec![account.arn("user", "/", "*")],
            On::User | On::UserOrAll | On::UserOrNull | On::UserArn => {
                shown = match self.on {
                    On::UserArn => None,
                    On::UserOrNull if input.get("UserName").is_none() => {
                        Some(format!("user null{}", shown_user(account, caller, input)))
                    }
                    _ => Some(format!("user {}", shown_user(account, caller, input))),
                };
                self.on_user(account, caller, input, &mut context)
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
            On::Role | On::RoleArn => {
                let name = input.get("RoleName").unwrap_or_default();
                shown = matches!(self.on, On::Role).then(|| format!("role {name}"));
                let role = account.roles.get(&key(name));
                self.bounded(role.and_then(|role| role.boundary.as_ref()), &mut context);
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
            On::PolicySource => {
                let arn = input.get("PolicySourceArn").unwrap_or_default();
                // Its path doesn't count: the name alone decides.
                vec![account.entity_named_by(arn).unwrap_or_else(|| arn.to_owned())]
            }
        };
        self.describe(input, &mut context);
        Some(Wish {
            action: format!("{}:{}", self.service.name(), self.name),
            resources,
            shown,
            doubt: Doubt::default(),
            context,
        })
    }

    /// What has to be allowed too: to create something with tags is to tag it.
    pub(super) fn tagging(&self, wish: &Wish, input: &Parameters) -> Option<Wish> {
        let (On::New(..) | On::NewPolicy) = self.on else { return None };
        if input.structs("Tags").is_empty() {
            return None;
        }
        let tagged = self.name.strip_prefix("Create").unwrap_or(self.name).replace("Virtual", "");
        Some(Wish { action: format!("{}:Tag{tagged}", self.service.name()), shown: None, ..wish.clone() })
    }

    fn on_user(&self, account: &Account, caller: &Caller, input: &Parameters, context: &mut Context) -> Vec<String> {
        let name = input.get("UserName");
        let user = match name {
            Some(name) => account.users.get(&key(name)),
            None => caller.user().and_then(|key| account.users.get(key)),
        };
        let Some(user) = user else {
            return vec![account.arn("user", "/", name.unwrap_or_default())];
        };
        authorize::describe_resource(context, &user.tags);
        self.bounded(user.boundary.as_ref(), context);
        let mut arns = vec![account.user_arn(user)];
        arns.extend(renamed(account, "user", &user.path, &user.name, input, "NewUserName"));
        arns
    }

    fn bounded(&self, boundary: Option<&String>, context: &mut Context) {
        if let Some(arn) = boundary.filter(|_| BOUNDED.contains(&self.name)) {
            context.set("iam:PermissionsBoundary", [arn]);
        }
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
        let attaches = self.name.starts_with("Attach") || self.name.starts_with("Detach");
        if let Some(arn) = input.get("PolicyArn").filter(|_| attaches) {
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
