//! Who makes a request, and who a trust policy names.

/// Who makes a request.
///
/// The root user of an account isn't subject to its policies: the server lets it pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Principal {
    /// An IAM user, by long-term keys or by a session of `GetSessionToken`.
    User {
        /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
        arn: String,
    },
    /// A session of `AssumeRole`.
    RoleSession {
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
        arn: String,
        /// `arn:aws:iam::ACCOUNT:role/PATH/ROLE`.
        role: String,
    },
    /// An AWS service: `ec2.amazonaws.com`.
    Service(String),
    /// An identity provider, by its name or ARN.
    Federated(String),
}

/// How closely a trust policy names the caller: the closer, the fewer other policies have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// The account: its own policies decide who of it.
    Account,
    /// The role of a role session.
    Role,
    /// This user, this session, or everybody.
    Itself,
}

/// One name of a `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Everybody,
    EverybodyOfAws,
    Account(String),
    Arn(String),
    Service(String),
    Federated(String),
    Canonical,
}

impl Principal {
    /// The 12 digits of the account; `None` for services and providers.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::RoleSession { arn, .. } => account_of(arn),
            Self::Service(_) | Self::Federated(_) => None,
        }
    }
}

/// The account's part of an ARN.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

impl Name {
    /// A name under `AWS`, `Service`, `Federated` or `CanonicalUser`; the reason where it names nobody. A wildcard
    /// stands for everybody or not at all.
    pub(super) fn parse(kind: &str, text: &str) -> Result<Self, &'static str> {
        if text.contains('?') || (text.contains('*') && text != "*") {
            return Err("a wildcard can't stand for part of a principal");
        }
        match kind {
            "AWS" if text == "*" => Ok(Self::EverybodyOfAws),
            "AWS" if is_account(text) => Ok(Self::Account(text.to_owned())),
            "AWS" => {
                let parts: Vec<&str> = text.splitn(6, ':').collect();
                match parts.as_slice() {
                    ["arn", partition, "iam", "", account, "root"] if !partition.is_empty() && is_account(account) => {
                        Ok(Self::Account((*account).to_owned()))
                    }
                    ["arn", partition, "iam" | "sts", "", account, what]
                        if !partition.is_empty() && is_account(account) && what.contains('/') =>
                    {
                        Ok(Self::Arn(text.to_owned()))
                    }
                    _ => Err("neither an account, nor the ARN of one, a user, a role or a session"),
                }
            }
            _ if text == "*" || text.is_empty() => Err("not one principal"),
            "Service" => Ok(Self::Service(text.to_owned())),
            "Federated" => Ok(Self::Federated(text.to_owned())),
            _ => Ok(Self::Canonical),
        }
    }

    /// How near this names a principal, if it does.
    pub(super) fn names(&self, principal: &Principal) -> Option<Named> {
        match (self, principal) {
            (Self::Everybody, _) | (Self::EverybodyOfAws, Principal::User { .. } | Principal::RoleSession { .. }) => {
                Some(Named::Itself)
            }
            (Self::Account(account), _) => (principal.account() == Some(account)).then_some(Named::Account),
            (Self::Arn(name), Principal::User { arn }) => (name == arn).then_some(Named::Itself),
            (Self::Arn(name), Principal::RoleSession { arn, .. }) if name == arn => Some(Named::Itself),
            (Self::Arn(name), Principal::RoleSession { role, .. }) => (name == role).then_some(Named::Role),
            (Self::Service(name), Principal::Service(service)) => (name == service).then_some(Named::Itself),
            (Self::Federated(name), Principal::Federated(provider)) => (name == provider).then_some(Named::Itself),
            _ => None,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Principal {
        Principal::RoleSession {
            arn: "arn:aws:sts::123456789012:assumed-role/admin/alice".to_owned(),
            role: "arn:aws:iam::123456789012:role/ops/admin".to_owned(),
        }
    }

    #[test]
    fn the_nearer_a_name_the_more_it_says() {
        let user = Principal::User { arn: "arn:aws:iam::123456789012:user/alice".to_owned() };
        for (kind, name, of_user, of_session) in [
            ("AWS", "*", Some(Named::Itself), Some(Named::Itself)),
            ("AWS", "123456789012", Some(Named::Account), Some(Named::Account)),
            ("AWS", "arn:aws:iam::123456789012:root", Some(Named::Account), Some(Named::Account)),
            ("AWS", "arn:aws:iam::123456789012:user/alice", Some(Named::Itself), None),
            ("AWS", "arn:aws:iam::123456789012:user/Alice", None, None),
            ("AWS", "arn:aws:iam::123456789012:role/ops/admin", None, Some(Named::Role)),
            ("AWS", "arn:aws:sts::123456789012:assumed-role/admin/alice", None, Some(Named::Itself)),
            ("AWS", "210987654321", None, None),
            ("Service", "ec2.amazonaws.com", None, None),
            ("CanonicalUser", "79a59df900b949e5", None, None),
        ] {
            let name = Name::parse(kind, name).unwrap();
            assert_eq!((name.names(&user), name.names(&session())), (of_user, of_session), "{name:?}");
        }
        let service = Principal::Service("ec2.amazonaws.com".to_owned());
        assert_eq!(Name::parse("Service", "ec2.amazonaws.com").unwrap().names(&service), Some(Named::Itself));
        assert_eq!(Name::EverybodyOfAws.names(&service), None);
        assert_eq!(Name::Everybody.names(&service), Some(Named::Itself));
        let provider = Principal::Federated("accounts.google.com".to_owned());
        assert_eq!(Name::parse("Federated", "accounts.google.com").unwrap().names(&provider), Some(Named::Itself));
        assert_eq!(Name::parse("Service", "accounts.google.com").unwrap().names(&provider), None);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for (kind, name) in [
            ("AWS", ""),
            ("AWS", "alice"),
            ("AWS", "12345678901"),
            ("AWS", "arn:aws:iam::123456789012:user/*"),
            ("AWS", "arn:aws:iam::123456789012:user/a?"),
            ("AWS", "arn:aws:iam::*:root"),
            ("AWS", "arn:aws:iam::123456789012:alice"),
            ("AWS", "arn:aws:s3::123456789012:user/alice"),
            ("Service", "*"),
            ("Service", ""),
            ("Federated", "*"),
        ] {
            assert!(Name::parse(kind, name).is_err(), "{kind} {name}");
        }
    }
}
