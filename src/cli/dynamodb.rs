//! The way to a table of DynamoDB: where it is by AWS's own settings, and the keys that the AWS CLI would use.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::bundle::read_roots;
use super::error::{Error, Kind, Result};
use super::world::Real;
use super::{clock, environment, hints, proxy};
use crate::aws::client::{Caller, Client, Transport as _};
use crate::aws::credentials::{self, Fetch, Role, Source, process};
use crate::aws::https::{ClearText, Https};
use crate::aws::settings::{self, Options, Service, Settings};
use crate::aws::{self, sts};
use crate::registry;
use crate::registry::dynamodb::{Address, Answer, Credentials, Keys, Lost, Transport, Way, World};
use crate::time::Timestamp;

/// How long an answer may take. One that is lost is asked for again.
const LIMIT: Duration = Duration::from_secs(10);

/// How often STS is asked for a role.
const ATTEMPTS: u8 = 4;

/// The name of sessions with roles that nobody named.
const SESSION_NAME: &str = "vmfa";

/// Looks up where the service is and who signs. Nothing is asked yet.
///
/// # Errors
///
/// Settings that can't be used; no region; no keys; another machine that would be reached in clear text.
pub(super) fn way_to(address: &Address, plain: bool) -> Result<Way> {
    let source = Of { address: address.clone(), plain };
    let settings = source.settings(address.endpoint())?;
    let endpoint = settings.dynamodb().ok_or_else(|| {
        let message = format!("{address} has no region, and none is set");
        Error::new(Kind::Usage, "registry-url", message).hint(hints::registries::REGION)
    })?;
    if endpoint.url.starts_with("https://") {
        proxy::expect_usable()?;
    }
    let roots = settings.ca_bundle().map(read_roots).transpose()?;
    let clear_text = if plain { ClearText::Anywhere } else { ClearText::Here };
    let app = environment::text("AWS_SDK_UA_APP_ID");
    let https = Https::new(roots.as_deref(), LIMIT, clear_text, app.as_deref())
        .map_err(|reason| Error::new(Kind::Usage, "ca-bundle", format!("the CA bundle {reason}")))?;
    // What is missing is said before anything is done.
    Source::find(&source.settings(None)?, &environment::text)?;
    let https = Arc::new(https);
    Ok(Way {
        url: endpoint.url.clone(),
        region: endpoint.signing_region.clone(),
        transport: Box::new(Over(Arc::clone(&https))),
        keys: Box::new(Found { source, https }),
        world: Box::new(Clocks),
    })
}

/// Where settings come from.
#[derive(Debug, Clone)]
struct Of {
    address: Address,
    plain: bool,
}

impl Of {
    /// Reads AWS's files and variables; what the address names comes first.
    fn settings(&self, endpoint: Option<&str>) -> Result<Settings> {
        let options = Options {
            profile: self.address.profile().map(str::to_owned),
            region: self.address.region().map(str::to_owned),
            endpoint_url: endpoint.map(str::to_owned),
            allow_plain_http: self.plain,
        };
        let home = environment::home_of_aws();
        Settings::load(&options, &environment::text, home.as_deref()).map_err(|error| match error {
            settings::Error::PlainHttp { .. } => registry::Error::ClearText { place: self.address.to_string() }.into(),
            error => error.into(),
        })
    }
}

/// Requests over HTTP.
struct Over(Arc<Https>);

impl fmt::Debug for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Over")
    }
}

impl Transport for Over {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> std::result::Result<Answer, Lost> {
        let incoming = self.0.post(url, headers, body);
        let incoming = incoming.map_err(|lost| Lost { reason: lost.reason, perhaps_arrived: lost.perhaps_arrived })?;
        let date = incoming.date.as_deref().and_then(|text| httpdate::parse_http_date(text).ok());
        let date = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let date = date.map(|since| Timestamp::from_unix(since.as_secs()));
        Ok(Answer { status: incoming.status, date, body: incoming.body })
    }
}

/// Clocks and pauses of this machine.
#[derive(Debug)]
struct Clocks;

impl World for Clocks {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn deadline(&self, limit: Duration) -> Box<dyn Fn() -> bool + Send + Sync> {
        let expired = clock::deadline(limit);
        Box::new(move || expired())
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Keys as the AWS CLI finds them. They are looked for again when they are over, since others may have renewed them.
struct Found {
    source: Of,
    https: Arc<Https>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Keys for Found {
    fn fetch(&self, place: &str) -> std::result::Result<Credentials, registry::Error> {
        let refused = |reason: String| registry::Error::Refused { place: place.to_owned(), reason };
        let settings = self.source.settings(None).map_err(|error| refused(error.message().to_owned()))?;
        let source = Source::find(&settings, &environment::text).map_err(|error| refused(error.to_string()))?;
        let found = source.fetch(&Fetching { settings: &settings, https: &self.https });
        found.map(|found| found.credentials).map_err(|failure| {
            refused(match failure {
                credentials::Failure::Role { arn, error } => format!("{arn} can't be assumed: {error}"),
                failure @ credentials::Failure::Process { .. } => failure.to_string(),
            })
        })
    }
}

/// Fetches credentials that stand nowhere.
struct Fetching<'a> {
    settings: &'a Settings,
    https: &'a Https,
}

/// Why a role can't be assumed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// Its code would come from the registry that it is to open.
    #[error("profile `{0}` asks for a code of an MFA device, and the devices are in this registry")]
    Circle(String),
}

impl Fetch for Fetching<'_> {
    type Error = Trouble;

    fn run(&self, words: &[String]) -> std::result::Result<Zeroizing<Vec<u8>>, process::Error> {
        process::System { expired: clock::deadline(Duration::from_secs(60)) }.run(words)
    }

    fn assume_role(&self, credentials: &Credentials, role: &Role) -> std::result::Result<Credentials, Trouble> {
        if role.mfa_serial.is_some() {
            return Err(Trouble::Circle(role.profile.clone()));
        }
        let world = Real::new(None, false, false);
        let [iam, sts] = [Service::Iam, Service::Sts].map(|service| self.settings.endpoint(service).clone());
        let client = Client::new(iam, sts, self.https, &world, ATTEMPTS);
        let request = sts::RoleRequest {
            arn: &role.arn,
            session_name: role.session_name.as_deref().unwrap_or(SESSION_NAME),
            external_id: role.external_id.as_deref(),
            duration: role.duration_seconds.map(u64::from),
        };
        Ok(Caller { client: &client, credentials }.assume_role(&request, None)?.credentials)
    }
}
