//! Policy documents as IAM takes and shows them: what it says about bad ones, and RFC 3986, section 2.1, around good ones.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::policy::{Error, Kind};
use crate::serve::account::{Account, PolicyDocument, key};
use crate::serve::fault::Fault;

/// Everything but the unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SYNTAX: &str = "Syntax errors in policy.";
const NO_ACTIONS: &str = "Policy statement must contain actions.";
const NO_RESOURCES: &str = "Policy statement must contain resources.";
const NO_VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const LEGACY: &str = "The policy failed legacy parsing";
const OLD_VERSION: &str = "Policy document must be version 2012-10-17 or greater.";
const VENDOR: &str = "Resource vendor must be fully qualified and cannot contain regexes.";
const STS_ONLY: &str = "AssumeRole policy may only specify STS AssumeRole actions.";

/// The partitions there are.
const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// What resources of IAM begin with; `root` too, since there is `sts:AssumeRoot`.
const IAM_PATHS: &[&str] = &[
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// What resources of S3 begin with that have a region, as the Service Authorization Reference lists them.
const S3_REGIONAL: &[&str] =
    &["accesspoint/", "job/", "storage-lens/", "storage-lens-group/", "access-grants/", "async-request/"];

/// The actions of a trust policy, in small letters.
const TRUST_ACTIONS: &[&str] = &[
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

/// As answers carry it.
pub(super) fn encoded(document: &PolicyDocument) -> String {
    utf8_percent_encode(document.text(), ENCODED).to_string()
}

/// A trust policy as answers carry it once it is stored: its statements as a list, and their elements in IAM's order.
pub(super) fn encoded_trust(document: &PolicyDocument) -> String {
    let text = in_order(document.text()).unwrap_or_else(|| document.text().to_owned());
    utf8_percent_encode(&text, ENCODED).to_string()
}

fn in_order(text: &str) -> Option<String> {
    const DOCUMENT: &[&str] = &["Version", "Id"];
    const STATEMENT: &[&str] = &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"];
    let members = |value: &Value, names: &[&str]| -> Option<Vec<String>> {
        let object = value.as_object()?;
        let there = names.iter().filter_map(|name| object.get_key_value(*name));
        Some(there.map(|(name, value)| format!("\"{name}\":{value}")).collect())
    };
    let statements: Option<Vec<String>> =
        statements(text).iter().map(|it| Some(format!("{{{}}}", members(it, STATEMENT)?.join(",")))).collect();
    let mut document = members(&serde_json::from_str(text).ok()?, DOCUMENT)?;
    document.push(format!("\"Statement\":[{}]", statements?.join(",")));
    Some(format!("{{{}}}", document.join(",")))
}

/// How much of a quota it takes up.
pub(super) fn size(document: &PolicyDocument) -> usize {
    document.text().chars().filter(|character| !character.is_whitespace()).count()
}

/// Reads an identity policy.
///
/// # Errors
///
/// `MalformedPolicyDocument`, as AWS words it.
pub(in crate::serve) fn identity(text: &str) -> Result<PolicyDocument, Fault> {
    let document = PolicyDocument::new(text, Kind::Identity)
        .map_err(|error| Fault::malformed_policy(identity_text(&error)).because(error.to_string()))?;
    let odd = statements(text).iter().flat_map(resources).find_map(|resource| resource_text(&resource));
    match odd {
        Some(text) => Err(Fault::malformed_policy(text)),
        None => Ok(document),
    }
}

/// Reads the document of a managed policy, which can't have the older version of the language.
///
/// # Errors
///
/// As [`identity`].
pub(super) fn managed(text: &str) -> Result<PolicyDocument, Fault> {
    let read = identity(text);
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let current = document.get("Version").and_then(Value::as_str) == Some("2012-10-17");
    match read {
        Err(fault) if fault.message == SYNTAX => Err(fault),
        _ if !current => Err(Fault::malformed_policy(OLD_VERSION)),
        read => read,
    }
}

/// Reads a trust policy. Users and roles of this account that it names have to exist.
///
/// # Errors
///
/// `MalformedPolicyDocument`, as AWS words it.
pub(super) fn trust(text: &str, account: &Account) -> Result<PolicyDocument, Fault> {
    let document = PolicyDocument::new(text, Kind::Trust)
        .map_err(|error| Fault::malformed_policy(trust_text(&error)).because(error.to_string()))?;
    for statement in statements(text) {
        for action in texts(&statement, "Action").into_iter().chain(texts(&statement, "NotAction")) {
            let action = action.to_ascii_lowercase();
            if !action.contains(['*', '?']) && !TRUST_ACTIONS.contains(&action.as_str()) {
                return Err(Fault::malformed_policy(STS_ONLY));
            }
        }
        let named = ["Principal", "NotPrincipal"].into_iter().filter_map(|element| statement.get(element));
        if let Some(arn) = named.flat_map(|principal| texts(principal, "AWS")).find(|arn| is_missing(account, arn)) {
            return Err(Fault::malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{arn}\""))
                .because(format!("there is no {arn}")));
        }
    }
    Ok(document)
}

/// Whether an ARN is that of a user or role of this account who isn't there.
fn is_missing(account: &Account, arn: &str) -> bool {
    let Some(rest) = arn.strip_prefix(&format!("arn:aws:iam::{}:", account.id())) else { return false };
    let name = key(rest.rsplit('/').next().unwrap_or_default());
    if rest.starts_with("user/") {
        account.users.get(&name).is_none_or(|user| account.user_arn(user) != arn)
    } else if rest.starts_with("role/") {
        account.roles.get(&name).is_none_or(|role| account.role_arn(role) != arn)
    } else {
        false
    }
}

/// What AWS says about an identity policy.
pub(super) fn identity_text(error: &Error) -> String {
    let text = match error {
        Error::Missing { element, .. } if element.contains("Action") => NO_ACTIONS,
        Error::Missing { element, .. } if element.contains("Resource") => NO_RESOURCES,
        Error::Type { key, expected, .. } if expected.starts_with("a list of at least") => match key.as_str() {
            "Action" | "NotAction" => NO_ACTIONS,
            _ => NO_RESOURCES,
        },
        Error::Prohibited { .. } => "Policy document should not specify a principal.",
        Error::Value { key, value, .. } => match key.as_str() {
            "Sid" if value.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                "Statement IDs (SID) in a single policy must be unique."
            }
            "Sid" => {
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
                 [0-9A-Za-z]*"
            }
            "Action" | "NotAction" => return action_text(value),
            "Resource" | "NotResource" => return resource_text(value).unwrap_or_else(|| SYNTAX.to_owned()),
            "Effect" if ["allow", "deny"].contains(&value.to_ascii_lowercase().as_str()) => LEGACY,
            "Version" | "Effect" | "Condition" => SYNTAX,
            // Values stand behind a slash; this is a condition key.
            other if !other.contains('/') => NO_VENDOR,
            _ => SYNTAX,
        },
        _ => SYNTAX,
    };
    text.to_owned()
}

fn action_text(action: &str) -> String {
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*?".contains(&byte));
    match action.split_once(':') {
        None | Some(("", _)) => NO_VENDOR.to_owned(),
        Some((_, name)) if name.contains(':') => "Actions/Condition can contain only one colon.".to_owned(),
        Some((vendor, _)) if !is_name(vendor) => format!("Vendor {vendor} is not valid"),
        Some(_) => SYNTAX.to_owned(),
    }
}

/// What AWS says about a resource that can't be one; `None` where there is nothing to say.
fn resource_text(resource: &str) -> Option<String> {
    // A variable may be any part of an ARN.
    if resource == "*" || resource.contains("${") {
        return None;
    }
    let parts = components(resource);
    let no_arn = || Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    let [scheme, partition, rest @ ..] = parts.as_slice() else { return no_arn() };
    if !is_open(partition) && !PARTITIONS.contains(partition) {
        let missing = std::iter::repeat_n("*", 4_usize.saturating_sub(rest.len()));
        let rest: Vec<&str> = rest.iter().copied().chain(missing).collect();
        let rest = rest.join(":");
        return Some(format!("Partition \"{partition}\" is not valid for resource \"arn:{partition}:{rest}\"."));
    }
    if *scheme != "arn" {
        return no_arn();
    }
    match rest {
        [] if is_open(partition) => None,
        [] => Some(VENDOR.to_owned()),
        [vendor, ..] if vendor.contains(['*', '?']) => Some(VENDOR.to_owned()),
        ["iam", region, _, _] if !region.is_empty() && !is_open(region) => {
            Some(format!("IAM resource {resource} cannot contain region information."))
        }
        ["iam", _, _, path] if !IAM_PATHS.iter().any(|kind| may_begin(path, kind)) && !may_begin(path, "root") => {
            Some(format!("IAM resource path must either be \"*\" or start with {}.", IAM_PATHS.join(", ")))
        }
        ["s3", region, account, path] if !region.is_empty() && !is_open(region) => {
            let regional = !account.is_empty() && S3_REGIONAL.iter().any(|kind| may_begin(path, kind));
            (!regional).then(|| format!("Resource {resource} can not contain region information."))
        }
        ["", ..] => Some(LEGACY.to_owned()),
        [_, _, _, _] => None,
        parts if parts.iter().any(|part| is_open(part)) => None,
        _ => Some(LEGACY.to_owned()),
    }
}

/// The components of an ARN, at most six; colons within policy variables separate none.
fn components(arn: &str) -> Vec<&str> {
    let (mut parts, mut start, mut variable) = (Vec::new(), 0, false);
    for (index, character) in arn.char_indices() {
        match character {
            '{' if arn.get(..index).is_some_and(|before| before.ends_with('$')) => variable = true,
            '}' => variable = false,
            ':' if !variable && parts.len() < 5 => {
                parts.push(arn.get(start..index).unwrap_or_default());
                start = index.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.push(arn.get(start..).unwrap_or_default());
    parts
}

/// Whether wildcards or variables let a component be more than one text.
fn is_open(text: &str) -> bool {
    text.contains(['*', '?']) || text.contains("${")
}

/// Whether what a resource's path matches may begin with a kind.
fn may_begin(path: &str, kind: &str) -> bool {
    let open = path.find(['*', '?']).into_iter().chain(path.find("${")).min();
    let fixed = open.and_then(|open| path.get(..open)).unwrap_or(path);
    fixed.starts_with(kind) || (open.is_some() && kind.starts_with(fixed))
}

/// What AWS says about a trust policy.
fn trust_text(error: &Error) -> String {
    match error {
        Error::Json { .. } => "This policy contains invalid Json".to_owned(),
        Error::Prohibited { element, .. } => format!("Has prohibited field {element}"),
        Error::Missing { element, .. } => match element.split_once(' ') {
            Some((first, _)) => format!("Missing required field {first}"),
            None if *element == "Statement" => SYNTAX.to_owned(),
            None => format!("Missing required field {element}"),
        },
        Error::Value { key, value, .. } => match key.as_str() {
            "Action" | "NotAction" => STS_ONLY.to_owned(),
            "AWS" | "Service" | "Federated" | "CanonicalUser" => {
                format!("Invalid principal in policy: \"{key}\":\"{value}\"")
            }
            _ => SYNTAX.to_owned(),
        },
        _ => SYNTAX.to_owned(),
    }
}

/// The statements of a document that was read already.
fn statements(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    }
}

fn resources(statement: &Value) -> Vec<String> {
    let mut resources = texts(statement, "Resource");
    resources.extend(texts(statement, "NotResource"));
    resources
}

/// One text or a list of them.
fn texts(value: &Value, name: &str) -> Vec<String> {
    match value.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IAM_PATH: &str = "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
                            instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, \
                            oidc-provider/, report/, access-report/.";

    fn refused(text: &str) -> String {
        identity(text).unwrap_err().message
    }

    fn statement(inside: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{{inside}}}]}}"#)
    }

    #[test]
    fn identity_policies_are_refused_in_the_words_of_aws() {
        let rest = r#","Action":"s3:*","Resource":"*""#;
        let on = |resource: &str| statement(&format!(r#""Effect":"Allow","Action":"s3:*","Resource":{resource}"#));
        let doing = |action: &str| statement(&format!(r#""Effect":"Allow","Action":{action},"Resource":"*""#));
        for (text, message) in [
            ("{".to_owned(), SYNTAX),
            (r#"{"Version":"2012-10-17"}"#.to_owned(), SYNTAX),
            (r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(), SYNTAX),
            (r#"{"Version":"2012-10-17","Statement":"x"}"#.to_owned(), SYNTAX),
            (r#"{"Version":"2020-10-17","Statement":[]}"#.to_owned(), SYNTAX),
            (statement(&rest[1..]), SYNTAX),
            (statement(&format!(r#""Effect":"allow"{rest}"#)), LEGACY),
            (statement(&format!(r#""Effect":"permit"{rest}"#)), SYNTAX),
            (statement(&format!(r#""Effect":"Allow","NotAction":"s3:*"{rest}"#)), SYNTAX),
            (statement(&format!(r#""Effect":"Allow","Colour":"s3:*"{rest}"#)), SYNTAX),
            (statement(r#""Effect":"Allow","Resource":"*""#), NO_ACTIONS),
            (statement(r#""Effect":"Allow","Action":"s3:*""#), NO_RESOURCES),
            (on("[]"), NO_RESOURCES),
            (doing("[]"), NO_ACTIONS),
            (doing(r#""listbuckets""#), NO_VENDOR),
            (doing(r#""s3:List:Buckets""#), "Actions/Condition can contain only one colon."),
            (doing(r#""iam :List""#), "Vendor iam  is not valid"),
            (on(r#""bucket""#), "Resource bucket must be in ARN format or \"*\"."),
            (on(r#""arn:aws2:s3:::b/*""#), "Partition \"aws2\" is not valid for resource \"arn:aws2:s3:::b/*\"."),
            (on(r#""a:b:c""#), "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"."),
            (on(r#""aws:s3:::b""#), "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\"."),
            (on(r#""a:aws:s3:::b""#), "Resource a:aws:s3:::b must be in ARN format or \"*\"."),
            (on(r#""arn:aws""#), VENDOR),
            (on(r#""arn:aws:*:::b""#), VENDOR),
            (on(r#""arn:aws:s3::b""#), LEGACY),
            (on(r#""arn:aws::b""#), LEGACY),
            (on(r#""arn:aws::::b""#), LEGACY),
            (
                on(r#""arn:aws:iam:us-east-1:1:user/a""#),
                "IAM resource arn:aws:iam:us-east-1:1:user/a cannot contain region information.",
            ),
            (on(r#""arn:aws:iam:::b""#), IAM_PATH),
            (
                on(r#""arn:aws:s3:us-east-1:1:b/accesspoint/""#),
                "Resource arn:aws:s3:us-east-1:1:b/accesspoint/ can not contain region information.",
            ),
            (
                on(r#""arn:aws:s3:us-east-1::b""#),
                "Resource arn:aws:s3:us-east-1::b can not contain region information.",
            ),
            (
                statement(&format!(r#""Effect":"Allow","Principal":"*"{rest}"#)),
                "Policy document should not specify a principal.",
            ),
            (
                statement(&format!(r#""Sid":"a b","Effect":"Allow"{rest}"#)),
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
                 [0-9A-Za-z]*",
            ),
            (
                statement(&format!(r#""Sid":"a","Effect":"Allow"{rest}}},{{"Sid":"a","Effect":"Allow"{rest}"#)),
                "Statement IDs (SID) in a single policy must be unique.",
            ),
            (statement(&format!(r#""Effect":"Allow","Condition":{{"Bool":{{"mfa":"true"}}}}{rest}"#)), NO_VENDOR),
            (statement(&format!(r#""Effect":"Allow","Condition":{{"Boo":{{"a:mfa":"true"}}}}{rest}"#)), SYNTAX),
        ] {
            assert_eq!(refused(&text), message, "{text}");
        }
        for resource in [
            "*",
            "arn:aws:s3:::b",
            "arn:*",
            "arn:aws:iam::*:user/${aws:username}",
            "arn:aws:iam:::user/b",
            "arn:aws:iam::*:*",
            "arn:aws:iam::*:us*",
            "arn:aws:iam::*:${aws:PrincipalTag/kind}/b",
            "arn:aws:iam::123456789012:root",
            "arn:aws:s3:*:*:b",
            "arn:aws:s3:us-west-2:123456789012:accesspoint/mine/object/*",
            "arn:aws:s3:us-west-2:123456789012:job/*",
            "arn:aws:s3::123456789012:accesspoint/alias.mrap",
        ] {
            assert!(identity(&on(&format!("\"{resource}\""))).is_ok(), "{resource}");
        }
    }

    #[test]
    fn managed_policies_have_the_current_version_of_the_language() {
        let rest = r#""Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        for version in ["", r#""Version":"2008-10-17","#] {
            let text = format!("{{{version}{rest}");
            assert_eq!(managed(&text).unwrap_err().message, OLD_VERSION);
            assert!(identity(&text).is_ok(), "inline ones needn't");
        }
        assert_eq!(managed(&format!(r#"{{"Version":"2013-10-17",{rest}"#)).unwrap_err().message, SYNTAX);
        let bad = rest.replace("s3:*", "s3");
        assert_eq!(managed(&format!("{{{bad}")).unwrap_err().message, OLD_VERSION);
        assert_eq!(managed(&format!(r#"{{"Version":"2012-10-17",{bad}"#)).unwrap_err().message, NO_VENDOR);
        assert!(managed(&format!(r#"{{"Version":"2012-10-17",{rest}"#)).is_ok());
    }

    #[test]
    fn trust_policies_are_refused_in_the_words_of_aws() {
        let account = Account::new("123456789012");
        let by = r#""Principal":{"AWS":"123456789012"}"#;
        for (text, message) in [
            ("{".to_owned(), "This policy contains invalid Json"),
            (statement(&format!(r#""Effect":"Allow","Action":"s3:Get",{by}"#)), STS_ONLY),
            (statement(&format!(r#""Effect":"Allow","Action":"*",{by}"#)), STS_ONLY),
            (statement(&format!(r#""Effect":"Allow","Action":"sts:GetCallerIdentity",{by}"#)), STS_ONLY),
            (
                statement(&format!(r#""Effect":"Allow","Action":"sts:AssumeRole","Resource":"*",{by}"#)),
                "Has prohibited field Resource",
            ),
            (statement(r#""Effect":"Allow","Action":"sts:AssumeRole""#), "Missing required field Principal"),
            (statement(&format!(r#""Effect":"Allow",{by}"#)), "Missing required field Action"),
            (
                statement(r#""Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"nobody"}"#),
                "Invalid principal in policy: \"AWS\":\"nobody\"",
            ),
            (
                statement(
                    r#""Effect":"Allow","Action":"sts:*","Principal":{"AWS":"arn:aws:iam::123456789012:user/gone"}"#,
                ),
                "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/gone\"",
            ),
        ] {
            assert_eq!(trust(&text, &account).unwrap_err().message, message, "{text}");
        }
        assert!(trust(&statement(&format!(r#""Effect":"Allow","Action":"sts:AssumeRole",{by}"#)), &account).is_ok());
    }
}
