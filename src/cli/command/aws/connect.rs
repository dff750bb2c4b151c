//! What every AWS command takes, and what it opens with that.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::aws::client::{Caller, Client};
use crate::aws::credentials::{Failure, Fetch, Role, Source, process};
use crate::aws::flow::Flow;
use crate::aws::https::{ClearText, Https};
use crate::aws::session::{self, Session, Wanted};
use crate::aws::settings::{Options, Service, Settings};
use crate::aws::sts::{Identity, RoleRequest, Temporary};
use crate::aws::{self, Locks, World as _};
use crate::cli::bundle::read_roots;
use crate::cli::chosen_clock::Which;
use crate::cli::command::code::patience;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::server_time::Server;
use crate::cli::stand_in::StandIn;
use crate::cli::world::Real;
use crate::cli::{Global, candidates, clock, environment, hints, proxy};
use crate::device::{self, Devices};
use crate::registry::{Device, Kept};
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vault::memory::Memory;
use crate::wire::sigv4::Credentials;

/// The name of sessions with roles that nobody named.
pub(super) const SESSION_NAME: &str = "vmfa";

/// How often a call is made at most, unless AWS_MAX_ATTEMPTS says otherwise: as the AWS CLI has it in its standard mode,
/// and one more.
const ATTEMPTS: u8 = 4;

/// How long a lock is waited for; its holder may be waiting for a code.
const LOCK_TIMEOUT: &str = "10m";

/// Whose keys, where, and how.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "AWS options")]
pub(super) struct Args {
    /// The profile of ~/.aws/config and ~/.aws/credentials [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME", add = candidates::profile())]
    profile: Option<String>,
    /// The region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Another server than AWS, such as `vmfa serve` [env: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_IAM,
    /// AWS_ENDPOINT_URL_STS]
    #[arg(long, visible_alias = "endpoint", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Allow plain http to another machine: anyone on the network path can read secrets and sessions
    #[arg(long)]
    plain_http: bool,
    /// The clock to make codes by: `system`, a server's (URL), the `registry`'s, or the system's shifted, such as +90s
    /// [default: the service's] [env: VMFA_CLOCK]
    #[arg(long, value_name = "CLOCK", allow_hyphen_values = true)]
    clock: Option<String>,
    /// How long to wait for an answer to a call, 1s to 10m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = limit)]
    timeout: u64,
    /// How long to wait for another vmfa process that works on the same device, such as 45s or 5m
    #[arg(long, value_name = "TIME", default_value = LOCK_TIMEOUT, value_parser = patience)]
    lock_timeout: u64,
    /// Don't wait and try again where that could help
    #[arg(long)]
    no_retry: bool,
    /// Advance a stand-in's virtual time instead of waiting
    #[arg(long)]
    jump: bool,
    /// Log each request to stderr, without codes and secrets
    #[arg(long)]
    debug: bool,
}

/// What is open.
pub(super) struct Run<'a> {
    pub(super) place: &'a Place,
    pub(super) registry: &'a dyn Kept,
    pub(super) client: &'a Client<'a>,
    pub(super) world: &'a Real,
    pub(super) credentials: &'a Credentials,
    pub(super) settings: &'a Settings,
    locks: &'a Locks,
    clock: Option<&'a (dyn Fn() -> Timestamp + Sync)>,
    retry: bool,
}

impl Args {
    /// Opens everything, and works with it.
    pub(super) fn open<T>(&self, global: &Global, work: impl FnOnce(&Run<'_>) -> Result<T>) -> Result<T> {
        self.open_with(Place::registry, global, work)
    }

    /// The same for work that may add a device.
    pub(super) fn open_for_new<T>(&self, global: &Global, work: impl FnOnce(&Run<'_>) -> Result<T>) -> Result<T> {
        self.open_with(Place::registry_for_new, global, work)
    }

    fn open_with<T>(
        &self,
        registry: impl FnOnce(&Place) -> Result<Arc<dyn Kept>>,
        global: &Global,
        work: impl FnOnce(&Run<'_>) -> Result<T>,
    ) -> Result<T> {
        let place = Place::find(global)?;
        place.expect_reading();
        let settings = self.settings()?;
        let clock = Which::named(self.clock.clone()).open_if_named(global)?;
        let registry = registry(&place)?;
        let iam = settings.endpoint(Service::Iam);
        let clear_text = if self.plain_http { ClearText::Anywhere } else { ClearText::Here };
        let stand_in = (iam.custom && iam.url.starts_with("http://")).then(|| StandIn::at(&iam.url, clear_text));
        let world = Real::new(stand_in, self.jump, self.debug);
        if iam.url.starts_with("https://") {
            proxy::expect_usable()?;
        }
        let roots = settings.ca_bundle().map(read_roots).transpose()?;
        let app = environment::text("AWS_SDK_UA_APP_ID");
        let transport = Https::new(roots.as_deref(), Duration::from_secs(self.timeout), clear_text, app.as_deref())
            .map_err(|reason| Error::new(Kind::Usage, "ca-bundle", format!("the CA bundle {reason}")))?;
        let attempts = settings.max_attempts().map_or(ATTEMPTS, |most| u8::try_from(most.get()).unwrap_or(u8::MAX));
        let client = Client::new(iam.clone(), settings.endpoint(Service::Sts).clone(), &transport, &world, attempts);
        if let Some(difference) = world.difference() {
            client.learn(difference);
        }
        let time = clock.map(|clock| {
            // One that is virtual is asked at each use: it moves when somebody moves it.
            clock.server().map(Server::stand_in);
            move || clock.time()
        });
        let locks = Locks::new(place.home.locks.clone(), self.lock_timeout);
        let mut run = Run {
            place: &place,
            registry: &*registry,
            client: &client,
            world: &world,
            credentials: &Credentials::new("", "", None),
            settings: &settings,
            locks: &locks,
            clock: time.as_ref().map(|time| time as &(dyn Fn() -> Timestamp + Sync)),
            retry: !self.no_retry,
        };
        let source = Source::find(&settings, &environment::text)?;
        let found = source.fetch(&run).map_err(|failure| match failure {
            Failure::Role { error: Trouble::Aws(error), arn } => {
                Error::from(error).about(&format!("{arn} can't be assumed"))
            }
            Failure::Role { error: Trouble::Cli(error), .. } => error,
            failure @ Failure::Process { .. } => Error::new(Kind::Input, "credential-process", failure.to_string()),
        })?;
        // Whether they are over already, the service says by its own clock.
        world.debug(&|| format!("keys {} from {}", found.credentials.access_key_id, found.origin));
        run.credentials = &found.credentials;
        work(&run)
    }

    /// The endpoint that the command line names.
    pub(super) fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    fn settings(&self) -> Result<Settings> {
        let options = Options {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            allow_plain_http: self.plain_http,
        };
        let home = environment::home_of_aws();
        Ok(Settings::load(&options, &environment::text, home.as_deref())?)
    }
}

/// `[\w+=,.@-]+`, 1 to 128 characters, as IAM's contract has it.
pub(super) fn is_user_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(allowed)
}

/// The name of a user on the command line.
pub(super) fn user_name(text: &str) -> std::result::Result<String, String> {
    if is_user_name(text) {
        return Ok(text.to_owned());
    }
    Err("a user's name has letters, digits and any of _+=,.@- only".to_owned())
}

/// How long a call may take.
fn limit(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (1..=600).contains(seconds));
    seconds.ok_or_else(|| "expected a time from 1s to 10m".to_owned())
}

impl Run<'_> {
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { client: self.client, credentials: self.credentials }
    }

    pub(super) fn flow<'f>(&'f self, vault: &'f dyn Vault) -> Flow<'f> {
        Flow {
            caller: self.caller(),
            devices: Devices { vault, registry: self.registry },
            locks: self.locks,
            clock: self.clock,
            retry: self.retry,
        }
    }

    /// The region, where the environment doesn't have it.
    pub(super) fn region_to_name(&self) -> Option<String> {
        let known = ["AWS_REGION", "AWS_DEFAULT_REGION"].map(environment::text);
        self.settings
            .region()
            .filter(|region| known.iter().any(|known| known.as_deref() != Some(region)))
            .map(str::to_owned)
    }

    /// The endpoint of both services, where the environment doesn't have it.
    pub(super) fn endpoint_to_name(&self) -> Option<String> {
        let (iam, sts) = (self.settings.endpoint(Service::Iam), self.settings.endpoint(Service::Sts));
        let known = environment::text("AWS_ENDPOINT_URL");
        let named =
            iam.custom && iam.url == sts.url && known.as_deref().map(|url| url.trim_end_matches('/')) != Some(&iam.url);
        named.then(|| iam.url.clone())
    }

    /// A device of this name, its serial number looked for where it isn't known, and the vault that has its secret.
    pub(super) fn device(&self, name: &str) -> Result<(Device, Arc<dyn Vault>)> {
        let device = device::find(self.registry, name)?;
        let vault = self.place.vault_of(&device)?;
        let device = self.flow(vault.as_ref()).numbered(device).map_err(|error| self.explained(error))?;
        Ok((device, vault))
    }

    /// A session with a device of this name.
    pub(super) fn session(&self, name: &str, wanted: &Wanted) -> Result<(Device, Session)> {
        let (device, vault) = self.device(name)?;
        let flow = self.flow(vault.as_ref());
        let session = flow.session(&device, wanted).map_err(|error| self.explained(error))?;
        flow.remember_number(&device)?;
        Ok((device, session))
    }

    /// An error of a flow as people see it.
    pub(super) fn explained(&self, error: aws::Error) -> Error {
        let vault = Memory::default();
        self.flow(&vault).explained(error).into()
    }

    /// Whether a session was had; what stood in the way is told.
    pub(super) fn checked(&self, session: std::result::Result<Option<Temporary>, aws::Error>) -> bool {
        match session {
            Ok(session) => session.is_some(),
            Err(error) => {
                let error = self.explained(error);
                self.world.tell(&format!("no session yet: {}", error.message()));
                for hint in error.hints() {
                    self.world.tell(&format!("hint: {hint}"));
                }
                false
            }
        }
    }

    /// Whose device it is: the user named, else the IAM user who calls.
    pub(super) fn user(&self, named: Option<&str>) -> Result<(Identity, String)> {
        let identity = self.caller().identity().map_err(|error| self.explained(error))?;
        let user = match (named, identity.user()) {
            (Some(named), _) => named.to_owned(),
            (None, Some(user)) => user.to_owned(),
            (None, None) if identity.resource() == "root" => {
                return Err(Error::new(
                    Kind::No,
                    "aws-root",
                    "these are the root user's keys, and IAM's API has no devices for it",
                )
                .hint(hints::aws::IN_CONSOLE)
                .hint(hints::aws::FOR_USER));
            }
            (None, None) => {
                return Err(Error::usage(format!("{} is no IAM user", identity.arn)).hint(hints::aws::NAME_USER));
            }
        };
        Ok((identity, user))
    }
}

/// Why a role's credentials couldn't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Aws(#[from] aws::Error),
    #[error("{0}")]
    Cli(Error),
}

impl Fetch for Run<'_> {
    type Error = Trouble;

    fn run(&self, words: &[String]) -> std::result::Result<Zeroizing<Vec<u8>>, process::Error> {
        process::System { expired: clock::deadline(Duration::from_secs(60)) }.run(words)
    }

    /// With the session of a device that is here, where the role wants one.
    fn assume_role(&self, credentials: &Credentials, role: &Role) -> std::result::Result<Credentials, Trouble> {
        let session_name = role.session_name.as_deref().unwrap_or(SESSION_NAME);
        let duration = role.duration_seconds.map(u64::from);
        let caller = Caller { client: self.client, credentials };
        let Some(serial) = &role.mfa_serial else {
            let request =
                RoleRequest { arn: &role.arn, session_name, external_id: role.external_id.as_deref(), duration };
            let refused = |error: aws::Error| without_serial(error, role);
            return Ok(caller.assume_role(&request, None).map_err(refused)?.credentials);
        };
        let devices = device::active(self.registry).map_err(|error| Trouble::Cli(error.into()))?;
        let device = devices
            .into_iter()
            .find(|device| device.serial.as_ref() == Some(serial))
            .ok_or_else(|| Trouble::Cli(no_such_serial(serial, &role.profile)))?;
        let vault = self.place.vault_of(&device).map_err(Trouble::Cli)?;
        let role = session::Role {
            arn: role.arn.clone(),
            session_name: session_name.to_owned(),
            external_id: role.external_id.clone(),
        };
        let wanted = Wanted { duration, role: Some(role), ..Wanted::default() };
        let flow = self.flow(vault.as_ref());
        Ok(Flow { caller, ..flow }.session(&device, &wanted)?.temporary.credentials)
    }
}

/// A role that was refused without a code, where one may have been meant to come with it.
fn without_serial(error: aws::Error, role: &Role) -> Trouble {
    match (&role.serial_in_source, error.has_code("AccessDenied")) {
        (Some(source), true) => Trouble::Cli(
            Error::from(error)
                .about(&format!("{} can't be assumed", role.arn))
                .hint(hints::aws::serial_in_source(source, &role.profile)),
        ),
        _ => error.into(),
    }
}

fn no_such_serial(serial: &str, profile: &str) -> Error {
    let of = |kind: &str| serial.splitn(6, ':').last().is_some_and(|resource| resource.starts_with(kind));
    if of("user/") || of("role/") || of("root") {
        return Error::new(
            Kind::No,
            "no-such-device",
            format!("the mfa_serial of profile `{profile}` is {serial}, the ARN of an identity, not of an MFA device"),
        )
        .hint(hints::aws::OWN_ARN);
    }
    Error::new(Kind::No, "no-such-device", format!("no device here has the serial number {serial}"))
        .hint(hints::aws::serial_of_profile(profile))
}
