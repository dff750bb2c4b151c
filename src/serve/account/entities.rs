//! What an account consists of, one struct for each kind of entity.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::document::PolicyDocument;
use super::password_policy::PasswordPolicy;
use super::tags::Tags;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What users, groups and roles have in common: policies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::serve) struct Grants {
    /// Inline policies by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::serve) inline: BTreeMap<String, PolicyDocument>,
    /// ARNs of managed policies.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::serve) attached: BTreeSet<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct User {
    pub(in crate::serve) name: String,
    pub(in crate::serve) path: String,
    /// `AIDA…`: never given to anybody else, even if a name is used again.
    pub(in crate::serve) id: String,
    pub(in crate::serve) created: Timestamp,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(in crate::serve) tags: Tags,
    #[serde(default)]
    pub(in crate::serve) grants: Grants,
    /// The ARN of a managed policy that bounds what is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) boundary: Option<String>,
    /// Keys of groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::serve) groups: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) login: Option<Login>,
    /// The password was last used then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) signed_in: Option<Timestamp>,
    /// Ids of access keys, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) access_keys: Vec<String>,
    /// Serial numbers of MFA devices, in the order in which they were enabled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) devices: Vec<String>,
}

impl User {
    /// One without anything.
    pub(in crate::serve) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: "/".to_owned(),
            id: String::new(),
            created: Timestamp::from_unix(0),
            tags: Tags::default(),
            grants: Grants::default(),
            boundary: None,
            groups: BTreeSet::new(),
            login: None,
            signed_in: None,
            access_keys: Vec::new(),
            devices: Vec::new(),
        }
    }
}

/// A user's console password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Login {
    pub(in crate::serve) password: super::password::Hash,
    pub(in crate::serve) created: Timestamp,
    pub(in crate::serve) reset_required: bool,
    /// When the password became what it is; `None` where that was when the profile was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) changed: Option<Timestamp>,
    /// Passwords that may not be chosen again, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) former: Vec<super::password::Hash>,
}

impl Login {
    /// A first password.
    pub(in crate::serve) const fn new(password: super::password::Hash, now: Timestamp, reset_required: bool) -> Self {
        Self { password, created: now, reset_required, changed: None, former: Vec::new() }
    }

    /// Another password instead of the one there was.
    pub(in crate::serve) fn change(&mut self, password: super::password::Hash, now: Timestamp) {
        let old = std::mem::replace(&mut self.password, password);
        self.former.insert(0, old);
        self.former.truncate(PasswordPolicy::MOST_REMEMBERED);
        self.changed = Some(now);
    }

    /// Since when the password is what it is.
    pub(in crate::serve) fn since(&self) -> Timestamp {
        self.changed.unwrap_or(self.created)
    }
}

/// A long-term access key of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::serve) struct AccessKey {
    pub(in crate::serve) id: String,
    pub(in crate::serve) secret: Zeroizing<String>,
    /// The key of the user.
    pub(in crate::serve) user: String,
    pub(in crate::serve) created: Timestamp,
    pub(in crate::serve) active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) used: Option<Use>,
}

/// When and where an access key or a role was last used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Use {
    pub(in crate::serve) at: Timestamp,
    pub(in crate::serve) service: String,
    pub(in crate::serve) region: String,
}

/// An IAM group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Group {
    pub(in crate::serve) name: String,
    pub(in crate::serve) path: String,
    pub(in crate::serve) id: String,
    pub(in crate::serve) created: Timestamp,
    #[serde(default)]
    pub(in crate::serve) grants: Grants,
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Role {
    pub(in crate::serve) name: String,
    pub(in crate::serve) path: String,
    pub(in crate::serve) id: String,
    pub(in crate::serve) created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) description: Option<String>,
    pub(in crate::serve) trust: PolicyDocument,
    /// Seconds.
    pub(in crate::serve) max_session: u64,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(in crate::serve) tags: Tags,
    #[serde(default)]
    pub(in crate::serve) grants: Grants,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) boundary: Option<String>,
    /// When and where its sessions were last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) used: Option<Use>,
}

/// A managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct ManagedPolicy {
    pub(in crate::serve) name: String,
    pub(in crate::serve) path: String,
    pub(in crate::serve) id: String,
    pub(in crate::serve) arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) description: Option<String>,
    pub(in crate::serve) created: Timestamp,
    pub(in crate::serve) updated: Timestamp,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(in crate::serve) tags: Tags,
    /// By number, from 1.
    pub(in crate::serve) versions: BTreeMap<u32, PolicyVersion>,
    /// The version that counts.
    pub(in crate::serve) default: u32,
    /// What the next one is called: numbers aren't given twice.
    pub(in crate::serve) next: u32,
}

/// A version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct PolicyVersion {
    pub(in crate::serve) document: PolicyDocument,
    pub(in crate::serve) created: Timestamp,
}

impl ManagedPolicy {
    /// The document that counts.
    pub(in crate::serve) fn document(&self) -> Option<&PolicyDocument> {
        self.versions.get(&self.default).map(|version| &version.document)
    }
}

/// A virtual MFA device, as IAM shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Device {
    /// The serial number: its ARN.
    pub(in crate::serve) serial: String,
    pub(in crate::serve) name: String,
    #[serde(with = "seed")]
    pub(in crate::serve) seed: Secret,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(in crate::serve) tags: Tags,
    /// Whose it is; nobody's after a cancelled enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) assigned: Option<Assignment>,
}

/// A user's hold on a device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Assignment {
    /// The key of the user.
    pub(in crate::serve) user: String,
    pub(in crate::serve) at: Timestamp,
}

/// Temporary credentials.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Session {
    pub(in crate::serve) secret: Zeroizing<String>,
    pub(in crate::serve) token: Zeroizing<String>,
    pub(in crate::serve) issued: Timestamp,
    pub(in crate::serve) expires: Timestamp,
    /// When a code was accepted for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::serve) authenticated: Option<Timestamp>,
    pub(in crate::serve) of: SessionOf,
    /// Session policies passed when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) policies: Vec<PolicyDocument>,
    /// ARNs of managed policies passed when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) policy_arns: Vec<String>,
    /// Tags passed when it was made.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(in crate::serve) tags: Tags,
}

/// Whose credentials they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::serve) enum SessionOf {
    /// A user's, from `GetSessionToken`; the id tells a later user of that name apart.
    User {
        /// The user's id.
        id: String,
        /// The key of the user.
        user: String,
    },
    /// A role's, from `AssumeRole`.
    Role {
        /// The role's id.
        id: String,
        /// The key of the role.
        role: String,
        /// `RoleSessionName`.
        name: String,
    },
    /// The root user's, from `GetSessionToken`.
    Root,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).field("user", &self.user).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("of", &self.of).field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Seeds as base32 text.
pub(super) mod seed {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use zeroize::Zeroizing;

    use crate::secret::Secret;

    pub(in crate::serve) fn serialize<S: Serializer>(seed: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&seed.to_base32())
    }

    pub(in crate::serve) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = Zeroizing::<String>::deserialize(deserializer)?;
        crate::provision::base32::parse(&text).map_err(D::Error::custom)
    }
}
