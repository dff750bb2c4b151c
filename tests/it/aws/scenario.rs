//! Scenarios of `vectors/aws-config`: a home, options, an environment, and what comes of them.
//!
//! A file has a comment and then parts, each below a line `-- PART`: `options` (`NAME: VALUE`), `environment`
//! (`NAME=VALUE`), the files `config` and `credentials`, and `expect`, with lines
//!
//! - `refused: VARIANT` of the error, or `key: ID TOKEN`; of a role, ARN, external id, seconds, session name and the key
//!   that asked for it make the id, with commas;
//! - `region: REGION` or `none`; `iam: URL SIGNING-REGION` and `sts: …`.
//!
//! What isn't listed is left open. `botocore` has the lines that are different there, for the reason that the comment
//! gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vmfa::aws::credentials::process::{self, System};
use vmfa::aws::credentials::{Credentials, Fetch, Role, Source};
use vmfa::aws::settings::{Options, Service, Settings};
use zeroize::Zeroizing;

use crate::support::vector;

/// What is looked at, in this order.
pub const ASPECTS: [&str; 4] = ["key", "region", "iam", "sts"];

pub struct Scenario {
    pub name: String,
    pub options: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
    pub expected: BTreeMap<String, String>,
    /// What is different in botocore.
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "botocore is asked where the whole program is tested")
    )]
    pub elsewhere: BTreeMap<String, String>,
    home: TempDir,
}

/// All scenarios, each with a home of its own.
pub fn all() -> Vec<Scenario> {
    let files = fs::read_dir(vector("aws-config")).unwrap();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let scenarios: Vec<_> = paths.iter().map(|path| Scenario::read(path)).collect();
    assert!(scenarios.len() > 90, "only {} scenarios found", scenarios.len());
    scenarios
}

impl Scenario {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut parts: BTreeMap<&str, String> = BTreeMap::new();
        let mut part = None;
        for line in text.split_inclusive('\n') {
            match line.strip_prefix("-- ") {
                Some(name) => part = Some(parts.entry(name.trim()).or_default()),
                None => match &mut part {
                    Some(part) => part.push_str(line),
                    None => assert!(line.starts_with('#'), "{}: {line}", path.display()),
                },
            }
        }
        let pairs = |name: &str, separator: char| -> BTreeMap<String, String> {
            let lines = parts.get(name).map(String::as_str).unwrap_or_default().lines();
            let pair = |line: &str| {
                let (name, value) = line.split_once(separator).unwrap_or_else(|| panic!("{}: {line}", path.display()));
                (name.to_owned(), value.trim_start().to_owned())
            };
            lines.map(pair).collect()
        };
        for name in parts.keys() {
            let known = ["options", "environment", "config", "credentials", "expect", "botocore"];
            assert!(known.contains(name), "{}: {name}", path.display());
        }
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        for name in ["config", "credentials"] {
            if let Some(text) = parts.get(name) {
                fs::write(home.path().join(".aws").join(name), text).unwrap();
            }
        }
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            options: pairs("options", ':'),
            environment: pairs("environment", '='),
            expected: pairs("expect", ':'),
            elsewhere: pairs("botocore", ':'),
            home,
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What we make of it: every aspect, and `refused` with the error's variant where there is one.
    pub fn ours(&self) -> BTreeMap<String, String> {
        let option = |name: &str| self.options.get(name).cloned();
        let options = Options {
            profile: option("profile"),
            region: option("region"),
            endpoint_url: option("endpoint-url"),
            allow_plain_http: false,
        };
        let environment = |name: &str| self.environment.get(name).filter(|text| !text.is_empty()).cloned();
        let mut found = BTreeMap::new();
        let settings = match Settings::load(&options, &environment, Some(self.home())) {
            Ok(settings) => settings,
            Err(error) => {
                found.insert("refused".to_owned(), variant(&error));
                found.extend(ASPECTS.map(|aspect| (aspect.to_owned(), "refused".to_owned())));
                return found;
            }
        };
        found.insert("region".to_owned(), settings.region().unwrap_or("none").to_owned());
        for service in [Service::Iam, Service::Sts] {
            let endpoint = settings.endpoint(service);
            found.insert(service.to_string(), format!("{} {}", endpoint.url, endpoint.signing_region));
        }
        let fetched = Source::find(&settings, &environment)
            .map_err(|error| variant(&error))
            .and_then(|source| source.fetch(&Pretend).map_err(|error| variant(&error)));
        let key = match fetched {
            Ok(fetched) => {
                let Credentials { access_key_id, session_token, .. } = fetched.credentials;
                let token = session_token.map(|token| format!(" {}", token.as_str())).unwrap_or_default();
                format!("{access_key_id}{token}")
            }
            Err(variant) => {
                found.insert("refused".to_owned(), variant);
                "refused".to_owned()
            }
        };
        found.insert("key".to_owned(), key);
        found
    }
}

/// Runs what is to be run; STS gives a key whose id tells what was asked by whom.
struct Pretend;

impl Fetch for Pretend {
    type Error = std::convert::Infallible;

    fn run(&self, words: &[String]) -> Result<Zeroizing<Vec<u8>>, process::Error> {
        System { expired: std::sync::Arc::new(|| false) }.run(words)
    }

    fn assume_role(&self, credentials: &Credentials, role: &Role) -> Result<Credentials, Self::Error> {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
        let seconds = role.duration_seconds.map(|seconds| seconds.to_string());
        let id = [
            role.arn.clone(),
            or_nothing(&role.external_id),
            or_nothing(&seconds),
            or_nothing(&role.session_name),
            credentials.access_key_id.clone(),
        ];
        Ok(Credentials::new(&id.join(","), "secret", Some("token")))
    }
}

/// The name of an error's variant.
pub fn variant(error: &dyn std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}
