//! Who signed a request, and what is known of them.

use super::account::{Account, PolicyDocument, Session, SessionOf, Tags};
use crate::policy::mfa::Credentials;
use crate::policy::{Context, Policies, Principal, Source};
use crate::time::Timestamp;

/// Who makes a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) who: Who,
    /// What they signed with; empty in the console.
    pub(super) access_key_id: String,
    pub(super) credentials: Credentials,
    /// Since when, for temporary credentials.
    pub(super) issued: Option<Timestamp>,
    /// Whether they are signed in to the console.
    pub(super) console: bool,
    session_policies: Vec<PolicyDocument>,
    session_policy_arns: Vec<String>,
    session_tags: Tags,
}

/// A kind of principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// No policy applies to them.
    Root,
    /// An IAM user.
    User {
        /// The user's key.
        key: String,
        /// The user's id.
        id: String,
    },
    /// A session of a role.
    Role {
        /// The role's key.
        key: String,
        /// The role's id.
        id: String,
        /// `RoleSessionName`.
        session: String,
    },
}

impl Caller {
    /// Somebody with a long-term access key.
    pub(super) fn long_term(who: Who, access_key_id: &str) -> Self {
        Self {
            who,
            access_key_id: access_key_id.to_owned(),
            credentials: Credentials::LongTerm,
            issued: None,
            console: false,
            session_policies: Vec::new(),
            session_policy_arns: Vec::new(),
            session_tags: Tags::default(),
        }
    }

    /// Somebody with temporary credentials.
    pub(super) fn temporary(session: &Session, access_key_id: &str) -> Self {
        let who = match &session.of {
            SessionOf::User { id, user } => Who::User { key: user.clone(), id: id.clone() },
            SessionOf::Role { id, role, name } => {
                Who::Role { key: role.clone(), id: id.clone(), session: name.clone() }
            }
            SessionOf::Root => Who::Root,
        };
        Self {
            credentials: Credentials::Temporary { authenticated: session.authenticated },
            issued: Some(session.issued),
            session_policies: session.policies.clone(),
            session_policy_arns: session.policy_arns.clone(),
            session_tags: session.tags.clone(),
            ..Self::long_term(who, access_key_id)
        }
    }

    /// Somebody in the console.
    pub(super) fn in_console(who: Who, since: Timestamp, authenticated: Option<Timestamp>) -> Self {
        Self {
            credentials: Credentials::Temporary { authenticated },
            issued: Some(since),
            console: true,
            ..Self::long_term(who, "")
        }
    }

    /// The key of the user who asks; `None` for others.
    pub(super) fn user(&self) -> Option<&str> {
        match &self.who {
            Who::User { key, .. } => Some(key),
            _ => None,
        }
    }

    /// Whether a code was given for these credentials.
    pub(super) fn authenticated(&self) -> bool {
        matches!(self.credentials, Credentials::Temporary { authenticated: Some(_) })
    }

    /// Whether the credentials are those of `GetSessionToken` without a code, which may call next to nothing.
    pub(super) fn without_mfa(&self) -> bool {
        let temporary = matches!(self.credentials, Credentials::Temporary { authenticated: None });
        temporary && !self.console && matches!(self.who, Who::User { .. } | Who::Root)
    }

    /// Whether the user or role that they are is still there, and not another one of the same name.
    pub(super) fn exists(&self, account: &Account) -> bool {
        match &self.who {
            Who::Root => true,
            Who::User { key, id } => account.users.get(key).is_some_and(|user| user.id == *id),
            Who::Role { key, id, .. } => account.roles.get(key).is_some_and(|role| role.id == *id),
        }
    }

    /// As `GetCallerIdentity` and denials call them.
    pub(super) fn arn(&self, account: &Account) -> String {
        match &self.who {
            Who::Root => format!("arn:aws:iam::{}:root", account.id()),
            Who::User { key, .. } => {
                account.users.get(key).map_or_else(|| account.arn("user", "/", key), |user| account.user_arn(user))
            }
            Who::Role { key, session, .. } => {
                let name = account.roles.get(key).map_or(key.as_str(), |role| &role.name);
                format!("arn:aws:sts::{}:assumed-role/{name}/{session}", account.id())
            }
        }
    }

    /// `aws:userid`.
    pub(super) fn user_id(&self, account: &Account) -> String {
        match &self.who {
            Who::Root => account.id().to_owned(),
            Who::User { id, .. } => id.clone(),
            Who::Role { id, session, .. } => format!("{id}:{session}"),
        }
    }

    /// For policies that name principals.
    pub(super) fn principal(&self, account: &Account) -> Principal {
        match &self.who {
            Who::Root | Who::User { .. } => Principal::User { arn: self.arn(account) },
            Who::Role { key, .. } => Principal::RoleSession {
                arn: self.arn(account),
                role: account.roles.get(key).map(|role| account.role_arn(role)).unwrap_or_default(),
            },
        }
    }

    /// The condition keys that say who asks.
    pub(super) fn describe(&self, account: &Account, now: Timestamp, context: &mut Context) {
        let kind = match &self.who {
            Who::Root => "Account",
            Who::User { .. } => "User",
            Who::Role { .. } => "AssumedRole",
        };
        context.set("aws:PrincipalType", [kind]);
        context.set("aws:PrincipalAccount", [account.id()]);
        context.set("aws:userid", [self.user_id(account)]);
        let (mut arn, mut tags) = (self.arn(account), None);
        match &self.who {
            Who::Root => {}
            Who::User { key, .. } => {
                if let Some(user) = account.users.get(key) {
                    context.set("aws:username", [user.name.as_str()]);
                    tags = Some(&user.tags);
                }
            }
            Who::Role { key, .. } => {
                if let Some(role) = account.roles.get(key) {
                    arn = account.role_arn(role);
                    tags = Some(&role.tags);
                }
            }
        }
        context.set("aws:PrincipalArn", [arn]);
        for (name, value) in tags.into_iter().flat_map(Tags::iter).chain(self.session_tags.iter()) {
            context.set(&format!("aws:PrincipalTag/{name}"), [value.as_str()]);
        }
        if let Some(issued) = self.issued {
            context.set("aws:TokenIssueTime", [issued.to_rfc3339()]);
        }
        self.credentials.apply(now, context);
    }

    /// Every policy with a say about what they do; `None` where nothing may be allowed, for they don't exist any more or a
    /// policy that bounds them doesn't.
    pub(super) fn policies<'a>(&'a self, account: &'a Account) -> Option<Policies<'a>> {
        let mut policies = Policies::default();
        let mut boundary = None;
        match &self.who {
            Who::Root => {}
            Who::User { key, id } => {
                let user = account.users.get(key).filter(|user| user.id == *id)?;
                account.add_sources(&user.grants, &mut policies.identity);
                for group in user.groups.iter().filter_map(|key| account.groups.get(key)) {
                    account.add_sources(&group.grants, &mut policies.identity);
                }
                boundary = user.boundary.as_deref();
            }
            Who::Role { key, id, .. } => {
                let role = account.roles.get(key).filter(|role| role.id == *id)?;
                account.add_sources(&role.grants, &mut policies.identity);
                boundary = role.boundary.as_deref();
            }
        }
        if let Some(arn) = boundary {
            policies.boundary = Some(account.source(arn)?);
        }
        for document in &self.session_policies {
            policies.session.push(Source { name: "session policy", document: document.document() });
        }
        for arn in &self.session_policy_arns {
            policies.session.push(account.source(arn)?);
        }
        Some(policies)
    }
}

impl Account {
    /// A managed policy as it counts.
    pub(super) fn source<'a>(&'a self, arn: &'a str) -> Option<Source<'a>> {
        let document = self.policy(arn)?.document()?;
        Some(Source { name: arn, document: document.document() })
    }

    pub(super) fn add_sources<'a>(&'a self, grants: &'a super::account::Grants, sources: &mut Vec<Source<'a>>) {
        for (name, document) in &grants.inline {
            sources.push(Source { name, document: document.document() });
        }
        sources.extend(grants.attached.iter().filter_map(|arn| self.source(arn)));
    }
}
