//! What is found out about a denied call.

use crate::aws::Refusal;
use crate::aws::iam::Holder;
use crate::policy::Layer;

/// Why a call was denied.
///
/// `Display` has it in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// `iam:DeleteVirtualMFADevice`: sometimes not what was called, but what that needs too, such as a tag action.
    pub action: String,
    /// What it was about, as the service calls it: mostly an ARN, and in IAM's texts also `user NAME`.
    pub resource: Option<String>,
    /// What denied it.
    pub reason: Reason,
    /// The type of policy that the service names.
    pub kind: Option<Kind>,
    /// Whether a statement denies it; `Some(false)` where none allows it, and `None` where neither the service says nor
    /// the policies do.
    pub explicit: Option<bool>,
    /// Whether it was signed by a session that was made with MFA, or came with a code; `None` where that can't be told.
    pub mfa: Option<bool>,
    /// What makes it so, policy by policy; empty where no policy that could be read does.
    pub by: Vec<Rule>,
    /// Whether it would be allowed in a session made with MFA right now, as far as policies of the account go; `None`
    /// where too little could be read.
    pub allowed_with_mfa: Option<bool>,
    /// Condition keys that its policies ask for and only the service knows, as the policies spell them.
    pub unknown: Vec<String>,
    /// How much of the policies could be read.
    pub seen: Seen,
}

/// What denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Policies, or that there are none.
    Policies,
    /// A user who has a device adds and removes devices only in a session made with one of them, even if policies allow more.
    OwnDevices,
    /// `GetSessionToken` takes long-term keys only.
    Temporary,
    /// The root user assumes no role.
    RootUser,
    /// Sessions of `GetSessionToken` without MFA may call nothing of IAM.
    SessionWithoutMfa,
    /// There is no such role. STS says so in the words of one that may not be assumed.
    NoRole,
}

/// A type of policy, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Of a user, its groups, or a role.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// Passed when the session was made.
    Session,
    /// A role's trust policy.
    Trust,
    /// Of what the call was about.
    Resource,
    /// Of the organization, about principals (SCP).
    ServiceControl,
    /// Of the organization, about resources (RCP).
    ResourceControl,
    /// Of a VPC endpoint.
    Endpoint,
}

/// A policy, or a statement of it, that bites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The policy's name; of a trust policy, the role's.
    pub policy: String,
    /// Its ARN, where it is a managed one.
    pub arn: Option<String>,
    /// Who has it, where that could be seen.
    pub of: Option<Holder>,
    /// Where it stands.
    pub layer: Option<Layer>,
    /// Which statement, counted from 1; none for the policy as a whole.
    pub statement: Option<usize>,
    /// The statement's Sid, if it has one.
    pub sid: Option<String>,
    /// What it does.
    pub bite: Bite,
    /// How it is known.
    pub origin: Origin,
    /// Whether it surely does; else it depends on [`Denied::unknown`].
    pub certain: bool,
}

/// What a rule does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bite {
    /// Denies it, in a session with MFA as well.
    Denies,
    /// Denies it, and wouldn't in a session made with MFA right now. Where [`Denied::mfa`] is true already, that one is
    /// too old.
    DeniesWithoutMfa,
    /// Would allow it in a session made with MFA right now, and not as it was signed.
    AllowsWithMfa,
    /// Has to allow it, and has no statement that does.
    AllowsNot,
    /// Denies it, says the service, and what it says couldn't be read.
    Unread,
}

/// How a rule is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was read in the account.
    Read,
    /// The service names it.
    Named,
    /// The account's policies couldn't be read: this one, which AWS has for users who manage their own MFA, would have
    /// done the same.
    Shape,
}

/// What of the policies could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Whether they were looked for: not where they could tell nothing.
    pub asked: bool,
    /// How many were read.
    pub policies: usize,
    /// What couldn't be read; each action that was denied is here once, and wasn't called again.
    pub missing: Vec<Unread>,
}

/// How much was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that the account has about who asks.
    All,
    /// Some.
    Some,
    /// None.
    Nothing,
    /// Nobody looked.
    NotAsked,
}

/// Something that couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// `iam:ListUserPolicies`; empty where no call is at fault.
    pub action: String,
    /// The user or policy it is about.
    pub about: String,
    /// Why.
    pub why: Why,
}

/// Why something couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The service said no.
    Refused(Box<Refusal>),
    /// There was no answer, or none that can be read.
    Failed(String),
    /// It wasn't asked for.
    NotAsked(String),
    /// It is no policy as this program knows them.
    Malformed(String),
}

impl Kind {
    /// Where policies of this type stand; `None` for those that aren't of the account's users and roles.
    #[must_use]
    pub const fn layer(self) -> Option<Layer> {
        match self {
            Self::Identity => Some(Layer::Identity),
            Self::Boundary => Some(Layer::Boundary),
            Self::Session => Some(Layer::Session),
            // As roles' trust policies are called as well
            Self::Trust | Self::Resource => Some(Layer::Trust),
            Self::ServiceControl | Self::ResourceControl | Self::Endpoint => None,
        }
    }
}

impl Seen {
    /// How much that is.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        match (self.asked, self.missing.is_empty(), self.policies) {
            (false, ..) => Extent::NotAsked,
            (true, true, _) => Extent::All,
            (true, false, 0) => Extent::Nothing,
            (true, false, _) => Extent::Some,
        }
    }
}
