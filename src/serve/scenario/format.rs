//! What a scenario's TOML may hold, one struct a table. `docs/serve.md` lists all of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

/// Tags by their keys.
pub(super) type Tags = BTreeMap<String, String>;

/// Inline policies by their names.
pub(super) type Inline = BTreeMap<String, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) alias: Option<Spanned<String>>,
    pub(super) administrator: Option<Spanned<GivenKey>>,
    pub(super) root_access_key: Option<Spanned<AccessKey>>,
    pub(super) password_policy: Option<Spanned<PasswordPolicy>>,
    #[serde(default, rename = "policy")]
    pub(super) policies: Vec<Policy>,
    #[serde(default, rename = "group")]
    pub(super) groups: Vec<Group>,
    #[serde(default, rename = "user")]
    pub(super) users: Vec<User>,
    #[serde(default, rename = "role")]
    pub(super) roles: Vec<Role>,
    #[serde(default, rename = "device")]
    pub(super) devices: Vec<Device>,
}

/// The parameters of `UpdateAccountPasswordPolicy`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordPolicy {
    pub(super) minimum_password_length: Option<u64>,
    pub(super) require_symbols: Option<bool>,
    pub(super) require_numbers: Option<bool>,
    pub(super) require_uppercase_characters: Option<bool>,
    pub(super) require_lowercase_characters: Option<bool>,
    pub(super) allow_users_to_change_password: Option<bool>,
    pub(super) max_password_age: Option<u64>,
    pub(super) password_reuse_prevention: Option<u64>,
    pub(super) hard_expiry: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<String>,
    pub(super) document: Spanned<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) tags: Tags,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) inline: Inline,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) groups: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) inline: Inline,
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: Tags,
    pub(super) password: Option<Spanned<Zeroizing<String>>>,
    pub(super) password_reset: Option<Spanned<bool>>,
    pub(super) access_key: Option<Spanned<AccessKey>>,
    #[serde(default, rename = "device")]
    pub(super) devices: Vec<Device>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum AccessKey {
    Random(bool),
    Given(GivenKey),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenKey {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Device {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) tags: Tags,
    pub(super) secret: Option<Spanned<Zeroizing<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<String>,
    pub(super) description: Option<String>,
    pub(super) trust: Spanned<String>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) inline: Inline,
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: Tags,
    pub(super) max_session: Option<u64>,
}

impl PasswordPolicy {
    /// As the action takes them.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let numbers = [
            ("MinimumPasswordLength", self.minimum_password_length),
            ("MaxPasswordAge", self.max_password_age),
            ("PasswordReusePrevention", self.password_reuse_prevention),
        ];
        let flags = [
            ("RequireSymbols", self.require_symbols),
            ("RequireNumbers", self.require_numbers),
            ("RequireUppercaseCharacters", self.require_uppercase_characters),
            ("RequireLowercaseCharacters", self.require_lowercase_characters),
            ("AllowUsersToChangePassword", self.allow_users_to_change_password),
            ("HardExpiry", self.hard_expiry),
        ];
        let numbers = numbers.into_iter().filter_map(|(name, value)| Some((name, value?.to_string())));
        numbers.chain(flags.into_iter().filter_map(|(name, value)| Some((name, value?.to_string())))).collect()
    }
}
