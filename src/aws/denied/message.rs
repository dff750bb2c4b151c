//! What IAM and STS say when they deny: "Troubleshoot access denied error messages" in the IAM User Guide, and the texts
//! that were measured beside it.

use super::{Kind, Reason};

/// What begins a message about policies.
const USER: &str = "User: ";
const NOT_AUTHORIZED: &str = " is not authorized to perform";
const RESOURCE: &str = " on resource: ";
const IMPLICIT: &str = " because no ";
const EXPLICIT: &str = " with an explicit deny in ";

/// Texts that are rules of the services and not about policies, by how they begin.
const RULES: &[(&str, Reason)] = &[
    ("To complete this action, please ensure that you are authenticated with an MFA device", Reason::OwnDevices),
    ("Cannot call GetSessionToken with session credentials", Reason::Temporary),
    ("Roles may not be assumed by root accounts", Reason::RootUser),
];

/// The types of policies, as messages name them. The guide has `sessions policy` once.
const KINDS: &[(&str, Kind)] = &[
    ("identity-based policy", Kind::Identity),
    ("permissions boundary", Kind::Boundary),
    ("session policy", Kind::Session),
    ("sessions policy", Kind::Session),
    ("role trust policy", Kind::Trust),
    ("resource-based policy", Kind::Resource),
    ("service control policy", Kind::ServiceControl),
    ("resource control policy", Kind::ResourceControl),
    ("VPC endpoint policy", Kind::Endpoint),
];

/// A message about a request that policies deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The ARN of who asked.
    pub(super) caller: String,
    /// `iam:ListUsers`.
    pub(super) action: String,
    /// In the words of the message.
    pub(super) resource: Option<String>,
    /// Whether a statement denies, or none allows.
    pub(super) explicit: Option<bool>,
    /// The type of policy.
    pub(super) kind: Option<Kind>,
    /// The ARN of the policy that denies.
    pub(super) policy: Option<String>,
}

/// The rule of the service that a message is about.
pub(super) fn rule(message: &str) -> Option<Reason> {
    RULES.iter().find(|(text, _)| message.starts_with(text)).map(|(_, reason)| *reason)
}

impl Said {
    /// Reads a message; `None` for one that isn't about policies.
    pub(super) fn read(message: &str) -> Option<Self> {
        let (caller, rest) = message.trim().strip_prefix(USER)?.split_once(NOT_AUTHORIZED)?;
        // GetAccessKeyLastUsed was measured to leave the colon out
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let (rest, mut said) = if let Some((rest, kind)) = rest.rsplit_once(EXPLICIT) {
            (rest, Self::explicit(kind))
        } else if let Some((rest, kind)) = rest.rsplit_once(IMPLICIT) {
            let kind = kind_of(kind);
            (rest, Self { explicit: Some(false), kind, ..Self::nothing() })
        } else {
            (rest, Self::nothing())
        };
        let (action, resource) = match rest.split_once(RESOURCE) {
            Some((action, resource)) => (action, Some(resource.trim().trim_matches('"'))),
            None => (rest, None),
        };
        said.action = action.trim().to_owned();
        said.caller = caller.trim().to_owned();
        said.resource = resource.filter(|resource| !resource.is_empty()).map(str::to_owned);
        let is_action = matches!(said.action.split_once(':'), Some((service, name))
            if !service.is_empty() && !name.is_empty() && !said.action.contains(char::is_whitespace));
        (is_action && said.caller.starts_with("arn:")).then_some(said)
    }

    /// `a permissions boundary`, and since 2026, where it is a managed one, its ARN.
    fn explicit(text: &str) -> Self {
        let text = text.trim_end().trim_end_matches('.');
        let arn = text.split_once(": ").map(|(_, arn)| arn.trim()).filter(|arn| arn.starts_with("arn:"));
        let kind = ["an ", "a ", "the "].into_iter().find_map(|article| text.strip_prefix(article)).unwrap_or(text);
        Self { explicit: Some(true), kind: kind_of(kind), policy: arn.map(str::to_owned), ..Self::nothing() }
    }

    const fn nothing() -> Self {
        Self { caller: String::new(), action: String::new(), resource: None, explicit: None, kind: None, policy: None }
    }
}

fn kind_of(text: &str) -> Option<Kind> {
    KINDS.iter().find(|(name, _)| text.starts_with(name)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Denials of AWS, with the accounts made up: the message, then action, resource, whether explicit, the type of
    /// policy and the policy.
    #[allow(clippy::type_complexity)]
    const MESSAGES: &[(&str, &str, Option<&str>, Option<bool>, Option<Kind>, Option<&str>)] = &[
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::123456789012:user/ because no identity-based policy allows the iam:ListUsers action",
            "iam:ListUsers",
            Some("arn:aws:iam::123456789012:user/"),
            Some(false),
            Some(Kind::Identity),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/team/alice is not authorized to perform: iam:DeactivateMFADevice on \
             resource: user alice with an explicit deny in an identity-based policy",
            "iam:DeactivateMFADevice",
            Some("user alice"),
            Some(true),
            Some(Kind::Identity),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:DeleteVirtualMFADevice on \
             resource: arn:aws:iam::123456789012:mfa/alice with an explicit deny in an identity-based policy: \
             arn:aws:iam::123456789012:policy/ForceMFA",
            "iam:DeleteVirtualMFADevice",
            Some("arn:aws:iam::123456789012:mfa/alice"),
            Some(true),
            Some(Kind::Identity),
            Some("arn:aws:iam::123456789012:policy/ForceMFA"),
        ),
        (
            "User: arn:aws:sts::123456789012:assumed-role/admin/alice is not authorized to perform: iam:GetRole on \
             resource: role other because no permissions boundary allows the iam:GetRole action",
            "iam:GetRole",
            Some("role other"),
            Some(false),
            Some(Kind::Boundary),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:CreateUser on resource: \
             arn:aws:iam::123456789012:user/bob with an explicit deny in a permissions boundary: \
             arn:aws:iam::123456789012:policy/edge.",
            "iam:CreateUser",
            Some("arn:aws:iam::123456789012:user/bob"),
            Some(true),
            Some(Kind::Boundary),
            Some("arn:aws:iam::123456789012:policy/edge"),
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: codedeploy:ListDeployments on \
             resource: arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* with an explicit deny in a sessions \
             policy",
            "codedeploy:ListDeployments",
            Some("arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:*"),
            Some(true),
            Some(Kind::Session),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: codecommit:ListRepositories \
             because no service control policy allows the codecommit:ListRepositories action",
            "codecommit:ListRepositories",
            None,
            Some(false),
            Some(Kind::ServiceControl),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:root is not authorized to perform: iam:CreateVirtualMFADevice on resource: \
             arn:aws:iam::123456789012:mfa/root with an explicit deny in a service control policy: \
             arn:aws:organizations::210987654321:policy/o-a1b2c3d4e5/service_control_policy/p-12345678",
            "iam:CreateVirtualMFADevice",
            Some("arn:aws:iam::123456789012:mfa/root"),
            Some(true),
            Some(Kind::ServiceControl),
            Some("arn:aws:organizations::210987654321:policy/o-a1b2c3d4e5/service_control_policy/p-12345678"),
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: secretsmanager:GetSecretValue on \
             resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:* with an explicit deny in a resource \
             control policy",
            "secretsmanager:GetSecretValue",
            Some("arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
            Some(true),
            Some(Kind::ResourceControl),
            None,
        ),
        (
            "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: SNS:Publish on resource: \
             arn:aws:sns:us-east-1:210987654321:topic with an explicit deny in a VPC endpoint policy transitively \
             through a service control policy",
            "SNS:Publish",
            Some("arn:aws:sns:us-east-1:210987654321:topic"),
            Some(true),
            Some(Kind::Endpoint),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:GetObject on resource: \
             \"arn:aws:s3:::bucket/key\" because no resource-based policy allows the s3:GetObject action",
            "s3:GetObject",
            Some("arn:aws:s3:::bucket/key"),
            Some(false),
            Some(Kind::Resource),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole with an explicit \
             deny in the role trust policy",
            "sts:AssumeRole",
            None,
            Some(true),
            Some(Kind::Trust),
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::123456789012:role/admin",
            "sts:AssumeRole",
            Some("arn:aws:iam::123456789012:role/admin"),
            None,
            None,
            None,
        ),
        (
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform iam:GetAccessKeyLastUsed on \
             resource: access key AKIAIOSFODNN7EXAMPLE",
            "iam:GetAccessKeyLastUsed",
            Some("access key AKIAIOSFODNN7EXAMPLE"),
            None,
            None,
            None,
        ),
        (
            "User: arn:aws-cn:iam::123456789012:user/alice is not authorized to perform: iam:GetUser on resource: user \
             bob with an explicit deny in a policy of the future",
            "iam:GetUser",
            Some("user bob"),
            Some(true),
            None,
            None,
        ),
    ];

    #[test]
    fn a_message_says_who_what_and_which_type_of_policy() {
        for (message, action, resource, explicit, kind, policy) in MESSAGES {
            let said = Said::read(message).unwrap_or_else(|| panic!("not read: {message}"));
            assert_eq!(said.action, *action, "{message}");
            assert_eq!(said.resource.as_deref(), *resource, "{message}");
            assert_eq!((said.explicit, said.kind), (*explicit, *kind), "{message}");
            assert_eq!(said.policy.as_deref(), *policy, "{message}");
            assert!(message.contains(&said.caller), "{message}");
        }
    }

    #[test]
    fn what_is_about_no_policy_is_none() {
        for message in [
            "",
            "User: ",
            "Access Denied",
            "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
            "The old password was incorrect.",
            "User: alice is not authorized to perform: iam:GetUser",
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: ",
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: this action",
            "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/alice",
        ] {
            assert_eq!(Said::read(message), None, "{message}");
            assert_eq!(rule(message), None, "{message}");
        }
    }

    #[test]
    fn rules_of_the_services_are_told_from_policies() {
        for (message, reason) in [
            (
                "To complete this action, please ensure that you are authenticated with an MFA device that is enabled \
                 for this user.",
                Reason::OwnDevices,
            ),
            ("Cannot call GetSessionToken with session credentials", Reason::Temporary),
            ("Roles may not be assumed by root accounts.", Reason::RootUser),
        ] {
            assert_eq!((rule(message), Said::read(message)), (Some(reason), None), "{message}");
        }
    }
}
