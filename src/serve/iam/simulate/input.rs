//! What a simulation is asked: whose policies, which actions on what, and in which context.

use std::net::IpAddr;

use crate::policy::{self, Context};
use crate::serve::account::{Account, Tags, key};
use crate::serve::call::{Call, no_group, no_role, no_user};
use crate::serve::fault::Fault;
use crate::serve::iam::documents;

/// Whose policies are simulated, by key.
#[derive(Debug, Clone)]
pub(super) enum Principal {
    User(String),
    Group(String),
    Role(String),
}

impl Principal {
    /// The user, group or role that an ARN names; its path doesn't count.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for other ARNs, `NoSuchEntity` for nobody.
    pub(super) fn of(arn: &str, account: &Account) -> Result<Self, Fault> {
        let unclear =
            || Fault::invalid_input(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."));
        let prefix = format!("arn:aws:iam::{}:", account.id());
        let (kind, path) = arn.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')).ok_or_else(unclear)?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).ok_or_else(unclear)?;
        let found = key(name);
        match kind {
            "user" if account.users.contains(&found) => Ok(Self::User(found)),
            "group" if account.groups.contains(&found) => Ok(Self::Group(found)),
            "role" if account.roles.contains(&found) => Ok(Self::Role(found)),
            "user" => Err(no_user(name)),
            "group" => Err(no_group(name)),
            "role" => Err(no_role(name)),
            _ => Err(unclear()),
        }
    }

    /// The condition keys that say who asks. What a request brings along, MFA among it, is the simulation's to say.
    pub(super) fn describe(&self, account: &Account) -> Context {
        let mut context = Context::new();
        context.set("aws:PrincipalAccount", [account.id()]);
        let tags = match self {
            Self::User(key) => account.users.get(key).map(|user| {
                context.set("aws:username", [user.name.as_str()]);
                context.set("aws:userid", [user.id.as_str()]);
                context.set("aws:PrincipalArn", [account.user_arn(user)]);
                context.set("aws:PrincipalType", ["User"]);
                &user.tags
            }),
            Self::Role(key) => account.roles.get(key).map(|role| {
                context.set("aws:PrincipalArn", [account.role_arn(role)]);
                context.set("aws:PrincipalType", ["AssumedRole"]);
                &role.tags
            }),
            Self::Group(_) => None,
        };
        for (name, value) in tags.into_iter().flat_map(Tags::iter) {
            context.set(&format!("aws:PrincipalTag/{name}"), [value.as_str()]);
        }
        context
    }
}

/// The condition keys that say who `CallerArn` is: a user, who needn't be there. The id is the ARN.
///
/// # Errors
///
/// `InvalidInput` for another kind of principal.
pub(super) fn caller(arn: &str, account: &Account) -> Result<Context, Fault> {
    if let Ok(found @ Principal::User(_)) = Principal::of(arn, account) {
        let mut context = found.describe(account);
        context.set("aws:userid", [arn]);
        return Ok(context);
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (owner, name) = match parts.as_slice() {
        ["arn", _, "iam", "", owner, user] if user.starts_with("user/") => (*owner, user.rsplit('/').next()),
        _ => ("", None),
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(Fault::invalid_input(format!(
            "Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )));
    };
    Ok(Context::from_iter([
        ("aws:username", name),
        ("aws:userid", arn),
        ("aws:PrincipalArn", arn),
        ("aws:PrincipalAccount", owner),
        ("aws:PrincipalType", "User"),
    ]))
}

/// The condition keys of nobody in particular.
pub(super) fn nobody() -> Context {
    Context::from_iter([("aws:userid", "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR")])
}

/// What would change the answer and isn't simulated here is refused rather than passed over.
///
/// # Errors
///
/// `InvalidInput`.
pub(super) fn refuse(call: &Call<'_>, parameters: &[&str]) -> Result<(), Fault> {
    let given = |name: &str| call.input.iter().any(|(other, value)| other.starts_with(name) && !value.is_empty());
    match parameters.iter().find(|name| given(name)) {
        Some(name) => Err(Fault::invalid_input(format!("{name} isn't simulated here"))),
        None => Ok(()),
    }
}

/// The keys that the policies of the request ask for, each policy for itself.
///
/// # Errors
///
/// `InvalidInput` for what is none.
pub(super) fn keys(call: &Call<'_>) -> Result<Vec<String>, Fault> {
    let mut keys = Vec::new();
    for (number, text) in (1..).zip(call.input.list("PolicyInputList")) {
        keys.extend(policy::context_keys(text).map_err(|error| {
            let text = documents::identity_text(&error);
            Fault::invalid_input(text).because(format!("PolicyInputList.{number}: {error}"))
        })?);
    }
    Ok(keys)
}

/// `ActionNames`.
///
/// # Errors
///
/// `InvalidInput`.
pub(super) fn actions<'a>(call: &'a Call<'_>) -> Result<Vec<&'a str>, Fault> {
    let actions = call.input.list("ActionNames");
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let valid = |action: &str| action.split_once(':').is_some_and(|(service, name)| is_name(service) && is_name(name));
    match actions.iter().find(|action| !valid(action)) {
        Some(action) => Err(Fault::invalid_input(format!("Invalid Action Name: {action}"))),
        None => Ok(actions),
    }
}

/// `ResourceArns`, or everything.
///
/// # Errors
///
/// `InvalidInput`.
pub(super) fn resources<'a>(call: &'a Call<'_>) -> Result<Vec<&'a str>, Fault> {
    let resources = call.input.list("ResourceArns");
    if resources.is_empty() {
        return Ok(vec!["*"]);
    }
    match resources.iter().find(|resource| **resource != "*" && !is_arn(resource)) {
        Some(resource) => {
            Err(Fault::invalid_input(format!("ResourceNames are not in a valid ARN format: {resource}.")))
        }
        None => Ok(resources),
    }
}

/// That `ResourceOwner` is one; without a resource policy it makes no difference.
///
/// # Errors
///
/// `InvalidInput`.
pub(super) fn owner(call: &Call<'_>) -> Result<(), Fault> {
    match call.input.get("ResourceOwner") {
        Some(owner) if !is_arn(owner) => {
            Err(Fault::invalid_input(format!("'{owner}' is not a valid as a Resource Owner.")))
        }
        _ => Ok(()),
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.splitn(6, ':').count() == 6
}

/// Writes `ContextEntries`, instead of what was known of those keys; those that had values.
///
/// # Errors
///
/// `InvalidInput` for values that aren't of their type.
pub(super) fn context(call: &Call<'_>, context: &mut Context) -> Result<Context, Fault> {
    let mut given = Context::new();
    for entry in call.input.structs("ContextEntries") {
        let Some(name) = entry.get("ContextKeyName") else { continue };
        let values = entry.list("ContextKeyValues");
        let kind = entry.get("ContextKeyType").unwrap_or("stringList");
        let (of, many) = kind.strip_suffix("List").map_or((kind, false), |of| (of, true));
        if !many && values.len() > 1 {
            return Err(Fault::invalid_input(format!("{name} has {} values, and its type is {kind}", values.len())));
        }
        if let Some(odd) = values.iter().find(|value| !is_of(of, value)) {
            return Err(Fault::invalid_input(format!("{odd} in {name} isn't of type {of}")));
        }
        for context in [&mut *context, &mut given] {
            match entry.get("ContextKeyType") {
                _ if values.is_empty() => context.remove(name),
                Some(_) if many => context.set_list(name, values.iter().copied()),
                _ => context.set(name, values.iter().copied()),
            }
        }
    }
    Ok(given)
}

fn is_of(kind: &str, value: &str) -> bool {
    match kind {
        "boolean" => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
        "numeric" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "ip" => value.split('/').next().is_some_and(|address| address.parse::<IpAddr>().is_ok()),
        _ => true,
    }
}
