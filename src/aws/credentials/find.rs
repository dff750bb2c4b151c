//! Looking for credentials: botocore's order.

use zeroize::Zeroizing;

use super::process::RUNNING;
use super::{Credentials, Error, Origin, Role, Source, Unsupported, Words};
use crate::aws::profile::{Files, Kind, Profile};
use crate::aws::settings::{Choice, Environment, Settings};

/// What says that a container has credentials to give.
const CONTAINER: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// The most profiles that a role may be away from keys.
const DEEPEST: usize = 16;

struct Search<'a> {
    files: &'a Files,
    environment: Environment<'a>,
}

pub(super) fn find(settings: &Settings, environment: Environment<'_>) -> Result<Source, Error> {
    let search = Search { files: settings.files(), environment };
    let (name, files) = (settings.profile(), settings.files());
    // With `--profile`, keys that happen to be exported don't count.
    let explicit = settings.choice() == Choice::Option;
    if !explicit && let Some(source) = search.environment()? {
        return Ok(source);
    }
    let profile = files.profile(name)?;
    if let Some(profile) = profile.filter(is_role) {
        return search.role(profile, &mut vec![name.to_owned()]);
    }
    if !explicit && search.variable(WEB_IDENTITY).is_some() {
        return Err(unsupported_variable(WEB_IDENTITY, Unsupported::WebIdentity));
    }
    if let Some(profile) = profile
        && let Some(source) = search.direct(profile)?
    {
        return Ok(source);
    }
    if let Some(name) = CONTAINER.into_iter().find(|name| search.variable(name).is_some()) {
        return Err(unsupported_variable(name, Unsupported::Container));
    }
    // What was looked for may stand below a section that couldn't be read.
    if let Some(stray) = files.stray() {
        return Err(stray.clone().into());
    }
    let mut tried = vec![format!("profile `{name}`")];
    let named = [Kind::Credentials, Kind::Config].map(|kind| files.name(kind)).into_iter();
    let named: Vec<&str> = named.filter(|file| !file.is_empty()).collect();
    if !named.is_empty() {
        tried = vec![format!("profile `{name}` in {}", named.join(" and "))];
    }
    if !explicit {
        tried.insert(0, "AWS_ACCESS_KEY_ID".to_owned());
    }
    Err(Error::None { tried })
}

/// A role that keys assume; botocore leaves roles of a web identity to another provider.
fn is_role(profile: &Profile<'_>) -> bool {
    profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none()
}

fn unsupported_variable(name: &str, what: Unsupported) -> Error {
    Error::Unsupported { place: format!("the environment ({name})"), what, profile: None }
}

fn unsupported(profile: &Profile<'_>, what: Unsupported) -> Error {
    let name = profile.name();
    Error::Unsupported { place: format!("profile `{name}`"), what, profile: Some(name.to_owned()) }
}

impl Search<'_> {
    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        (self.environment)(name).map(Zeroizing::new).filter(|text| !text.is_empty())
    }

    fn environment(&self) -> Result<Option<Source>, Error> {
        let variable = |name| self.variable(name);
        let id = variable("AWS_ACCESS_KEY_ID");
        let secret = variable("AWS_SECRET_ACCESS_KEY");
        // The old name of the token is still exported by old tools.
        let token = variable("AWS_SESSION_TOKEN").or_else(|| variable("AWS_SECURITY_TOKEN"));
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        let [id, secret, token] = [&id, &secret, &token].map(|text| text.as_ref().map(|text| text.as_str()));
        keys(names, [id, secret, token], Origin::Environment)
    }

    /// A role, and who assumes it. `asked` has the profiles on the way here.
    fn role(&self, profile: Profile<'_>, asked: &mut Vec<String>) -> Result<Source, Error> {
        let name = profile.name().to_owned();
        let text = |setting| profile.get(setting).map(str::to_owned);
        let duration = profile.get("duration_seconds").map(|text| text.trim().parse());
        let has_serial = |source: &&str| {
            self.files.profile(source).is_ok_and(|found| found.is_some_and(|found| found.get("mfa_serial").is_some()))
        };
        let serial_in_source = match profile.get("mfa_serial") {
            Some(_) => None,
            None => profile.get("source_profile").filter(has_serial).map(str::to_owned),
        };
        let role = Role {
            profile: name.clone(),
            arn: text("role_arn").unwrap_or_default(),
            session_name: text("role_session_name"),
            external_id: text("external_id"),
            duration_seconds: duration.transpose().map_err(|_| Error::Duration { profile: name.clone() })?,
            mfa_serial: text("mfa_serial"),
            serial_in_source,
        };
        let source = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(_), Some(_)) => return Err(Error::TwoSources { profile: name }),
            (None, None) => return Err(Error::NoSource { profile: name }),
            (None, Some("Environment")) => self.environment()?.ok_or(Error::EmptyEnvironment { profile: name })?,
            (None, Some("Ec2InstanceMetadata")) => return Err(unsupported(&profile, Unsupported::Instance)),
            (None, Some("EcsContainer")) => return Err(unsupported(&profile, Unsupported::Container)),
            (None, Some(_)) => return Err(Error::CredentialSource { profile: name }),
            (Some(source_profile), None) => self.source_profile(&name, source_profile, asked)?,
        };
        Ok(Source::Role { source: Box::new(source), role })
    }

    /// Who assumes the role of a profile. Keys of the source count before its own role, so that a profile may be
    /// its own source, with the keys for its role.
    fn source_profile(&self, profile: &str, source: &str, asked: &mut Vec<String>) -> Result<Source, Error> {
        let found = self.files.profile(source)?;
        let missing = || Error::NoSourceProfile { profile: profile.to_owned(), source_profile: source.to_owned() };
        let found = found.ok_or_else(missing)?;
        let has_keys = ["aws_access_key_id", "aws_secret_access_key"].iter().any(|name| found.get(name).is_some());
        let again = asked.iter().any(|name| name == source);
        asked.push(source.to_owned());
        if asked.len() > DEEPEST {
            return Err(Error::Deep { most: DEEPEST });
        }
        if again && !(source == profile && has_keys) {
            return Err(Error::Circle { profiles: std::mem::take(asked) });
        }
        if is_role(&found) && !has_keys {
            return self.role(found, asked);
        }
        self.direct(found)?.ok_or_else(|| Error::EmptySource { profile: source.to_owned() })
    }

    /// What a profile has itself.
    fn direct(&self, profile: Profile<'_>) -> Result<Option<Source>, Error> {
        let has = |setting| profile.get(setting).is_some();
        if has("web_identity_token_file") {
            return Err(unsupported(&profile, Unsupported::WebIdentity));
        }
        // A session alone is there for tokens, not for keys.
        if has("sso_account_id") || has("sso_role_name") {
            return Err(unsupported(&profile, Unsupported::Sso));
        }
        if let Some(source) = self.keys_in(Kind::Credentials, profile)? {
            return Ok(Some(source));
        }
        if has("login_session") {
            return Err(unsupported(&profile, Unsupported::Login));
        }
        if let Some(command) = profile.get("credential_process") {
            let profile = profile.name().to_owned();
            if self.variable(RUNNING).is_some() {
                return Err(Error::Loop { profile });
            }
            let words = Zeroizing::new(shlex::split(command).unwrap_or_default());
            if words.is_empty() {
                return Err(Error::Command { profile });
            }
            return Ok(Some(Source::Process { words: Words(words), profile }));
        }
        self.keys_in(Kind::Config, profile)
    }

    fn keys_in(&self, kind: Kind, profile: Profile<'_>) -> Result<Option<Source>, Error> {
        let get = |name| profile.get_in(kind, name);
        let names = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
        let token = get("aws_session_token").or_else(|| get("aws_security_token"));
        let origin = Origin::Profile { profile: profile.name().to_owned(), file: self.files.name(kind).to_owned() };
        keys(names, [get("aws_access_key_id"), get("aws_secret_access_key"), token], origin)
    }
}

/// Keys from their parts: id, secret, token.
fn keys(names: [&'static str; 3], parts: [Option<&str>; 3], origin: Origin) -> Result<Option<Source>, Error> {
    let [id_name, secret_name, token_name] = names;
    let [id, secret, token] = parts;
    let half = |there, missing| Error::Half { place: origin.to_string(), there, missing };
    let (id, secret) = match (id, secret) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(half(id_name, secret_name)),
        (None, Some(_)) => return Err(half(secret_name, id_name)),
        (Some(id), Some(secret)) => (id, secret),
    };
    // Both go into headers as they are.
    for (name, text) in [(id_name, Some(id)), (token_name, token)] {
        if !text.unwrap_or_default().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::Character { place: origin.to_string(), name });
        }
    }
    Ok(Some(Source::Keys { credentials: Credentials::new(id, secret, token), origin }))
}
