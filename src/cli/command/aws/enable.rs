use std::io::{self, Write};

use serde::Serialize;

use super::batch;
use super::connect::{self, Run};
use crate::aws;
use crate::aws::World as _;
use crate::aws::enroll::{Enrolled, How, Wanted};
use crate::aws::session::Wanted as Session;
use crate::aws::sts::Identity;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates, hints};
use crate::device::trash;
use crate::name::Name;
use crate::oath::relying_party::PROPAGATION;
use crate::registry::Device;
use crate::time::Timestamp;

/// Create a virtual MFA device at AWS, store its secret, and enable it
///
/// For the user whose keys sign, or, with an administrator's keys, for others (--user). The secret is stored before anything
/// else can fail; after an interruption, run the same command again to continue. A device that was created before and never
/// enabled is enabled if its secret is here, and replaced if it may be deleted.
///
/// At AWS the device has the user's name, as policies for self-managed MFA require; here it has that name, or DEVICE.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("many").args(["for_user", "users_from"]).multiple(true)))]
#[command(after_help = "\
Examples:
  vmfa aws enable
  vmfa aws enable --user alice
  vmfa aws enable ci/ --users-from users.txt --jobs 8")]
pub(in crate::cli) struct Args {
    /// The device's name here, not the user's; for many users a prefix such as `ci/` [default: the user's name]
    #[arg(add = candidates::device())]
    device: Option<String>,
    /// The user to enable it for [default: the user whose keys sign]
    #[arg(long, value_name = "NAME", conflicts_with = "many", value_parser = connect::user_name)]
    user: Option<String>,
    /// Users to enable a device for, separated by commas; those who have one are left alone
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    for_user: Vec<String>,
    /// A file with the names of such users, `-` for stdin: separated by spaces, commas or lines; `#` begins a comment
    #[arg(long, value_name = "FILE")]
    users_from: Option<std::path::PathBuf>,
    /// How many users to work on at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4, requires = "many", value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// The device's name at AWS [default: the user's name]
    #[arg(long, value_name = "NAME", conflicts_with = "many", value_parser = device_name)]
    device_name: Option<String>,
    /// The device's path at AWS
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = path)]
    path: String,
    /// Tags for the device at AWS: KEY=VALUE, separated by commas
    #[arg(long, value_name = "TAGS", value_delimiter = ',', value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Don't wait until STS accepts codes
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    connect: connect::Args,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answered {
    device: String,
    serial_number: String,
    user: String,
    /// `new`, `finished`, `replaced`, or `already`.
    how: String,
    enabled_at: String,
    /// Whether a session was had with it; none where nobody tried.
    checked: Option<bool>,
    /// From when on STS should know it.
    sessions_from: String,
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let words = match self.how.as_str() {
            "already" => "is enabled already",
            "finished" => "is enabled: an earlier run had begun it",
            "replaced" => "is enabled, instead of one that was created earlier and never enabled",
            _ => "is enabled",
        };
        writeln!(out, "{} {words}", plain(&self.device))?;
        let sessions = match self.checked {
            Some(true) => "ready (STS accepts its codes)".to_owned(),
            Some(false) => "not yet (STS doesn't know the device)".to_owned(),
            None => format!("from {} on", self.sessions_from),
        };
        fields(
            out,
            &[
                ("user", plain(&self.user).into_owned()),
                ("serial number", plain(&self.serial_number).into_owned()),
                ("enabled", self.enabled_at.clone()),
                ("session", sessions),
            ],
        )
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        if !self.for_user.is_empty() || self.users_from.is_some() {
            let users = batch::users(&self.for_user, self.users_from.as_deref())?;
            let prefix = self.device.as_deref().map(prefix).transpose()?;
            let template = |identity: &Identity, user: &str| {
                let name = prefix.map_or_else(|| user.to_owned(), |prefix| format!("{prefix}{user}"));
                Ok(self.wanted(identity, user, user, name.parse()?))
            };
            return self.connect.open_for_new(global, |run| batch::enroll(run, global, &users, self.jobs, template));
        }
        let answered = self.connect.open_for_new(global, |run| self.one(run))?;
        render::print(&answered, global.json)
    }

    fn one(&self, run: &Run<'_>) -> Result<Answered> {
        let (identity, user) = run.user(self.user.as_deref())?;
        let device_name = self.device_name.as_deref().unwrap_or(&user);
        let name: Name = self.device.as_deref().unwrap_or(device_name).parse()?;
        let wanted = self.wanted(&identity, &user, device_name, name);
        let vault = run.place.vault_for_new()?;
        let own = identity.user() == Some(&user);
        // A device that is here, whole or not, stays where it is.
        let serial = wanted.serial();
        let (trashed, known): (Vec<Device>, Vec<Device>) = run
            .registry
            .list()?
            .into_iter()
            .filter(|device| device.serial.as_ref() == Some(&serial))
            .partition(|device| trash::removed(device).is_some());
        let known = known.into_iter().next();
        self.check_name(run, &user, &serial, &wanted.name, known.as_ref())?;
        let vault = known.map(|device| run.place.vault_of(&device)).transpose()?.unwrap_or(vault);
        let session = if own { self.session_for_another(run, &wanted)? } else { None };
        let flow = run.flow(vault.as_ref());
        let enrolling = session.as_ref().map_or(flow, |session| flow.signed_by(session));
        let enrolled = enrolling.enroll(&wanted).map_err(|error| {
            let error = Error::from(enrolling.explained(error));
            // Asking an administrator first would be asking for the wrong thing.
            if error.code() == "aws-denied" && device_name != user {
                return error.hint_first(hints::aws::OWN_NAME);
            }
            if let Some(device) = trashed.first().filter(|_| error.code() == "aws-enabled-elsewhere") {
                return error.hint_first(hints::devices::in_trash(device.name.as_str()));
            }
            error
        })?;
        let Enrolled { device, how, enabled } = enrolled;
        let checks = own && !self.no_wait && run.credentials.session_token.is_none();
        let checked = match how {
            _ if !checks => None,
            // That there is such a device doesn't say that it has the secret that is here. STS may not know yet what was
            // enabled a moment ago.
            How::Already if known_from(enabled) <= flow.time() => {
                flow.session(&device, &Session::default()).map_err(|error| run.explained(error))?;
                flow.remember_number(&device)?;
                Some(true)
            }
            // What this run enabled is enabled, whatever comes now.
            _ => match (how, flow.wait_for_sts(&device, enabled, PROPAGATION.enabled)) {
                (How::Already, Err(error @ crate::aws::Error::Explained { .. })) => return Err(run.explained(error)),
                (_, session) => Some(run.checked(session)),
            },
        };
        Ok(Answered {
            device: device.name.to_string(),
            serial_number: device.serial.unwrap_or_default(),
            user,
            how: how.to_string(),
            enabled_at: enabled.to_rfc3339(),
            checked,
            sessions_from: known_from(enabled).to_rfc3339(),
        })
    }

    /// A name that was given is the device's, not the user's, and isn't passed over where the device has another.
    fn check_name(&self, run: &Run<'_>, user: &str, serial: &str, name: &Name, known: Option<&Device>) -> Result<()> {
        match (&self.device, known) {
            (Some(_), Some(known)) if known.name != *name => Err(Error::new(
                Kind::No,
                "aws-other-name",
                format!("the device of user `{user}` is named `{}` here already, not `{name}`", known.name),
            )
            .hint(hints::aws::rename(known.name.as_str(), name.as_str()))
            .hint(hints::aws::go_on_with(known.name.as_str()))
            .hint(hints::aws::another_device(serial))),
            (Some(_), None) if self.user.is_none() && name.as_str() != user => {
                let text =
                    format!("`{name}` is the device's name here; the user is `{user}` (for another user: --user NAME)");
                run.world.tell(&text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A user who has a device already adds another with a session only: one with a device that is here.
    fn session_for_another(&self, run: &Run<'_>, wanted: &Wanted) -> Result<Option<crate::wire::sigv4::Credentials>> {
        if run.credentials.session_token.is_some() {
            return Ok(None);
        }
        let listed = run.caller().list_mfa_devices(Some(&wanted.user)).map_err(|error| run.explained(error))?;
        let serial = wanted.serial();
        if listed.is_empty() || listed.iter().any(|listed| listed.serial == serial) {
            return Ok(None);
        }
        let devices = crate::device::active(run.registry)?;
        let here = devices
            .into_iter()
            .find(|device| listed.iter().any(|listed| Some(&listed.serial) == device.serial.as_ref()));
        let Some(here) = here else {
            let others: Vec<&str> = listed.iter().map(|listed| listed.serial.as_str()).collect();
            return Err(Error::from(aws::Error::NeedsSession { user: wanted.user.clone(), serial: others.join(", ") }));
        };
        let vault = run.place.vault_of(&here)?;
        let session =
            run.flow(vault.as_ref()).session(&here, &Session::default()).map_err(|error| run.explained(error))?;
        Ok(Some(session.temporary.credentials))
    }

    fn wanted(&self, identity: &Identity, user: &str, device_name: &str, name: Name) -> Wanted {
        Wanted {
            partition: identity.partition().to_owned(),
            account: identity.account.clone(),
            user: user.to_owned(),
            device_name: device_name.to_owned(),
            path: self.path.clone(),
            tags: self.tags.clone(),
            name,
        }
    }
}

/// From when on STS should know what IAM did.
fn known_from(enabled: Timestamp) -> Timestamp {
    enabled.plus(PROPAGATION.most.as_secs()).unwrap_or(enabled)
}

fn prefix(text: &str) -> Result<&str> {
    if text.ends_with('/') {
        return Ok(text);
    }
    Err(Error::usage(format!("with many users, `{text}` can't be the name of each")).hint(hints::aws::prefix(text)))
}

/// `[\w+=,.@-]+`, as the contract of CreateVirtualMFADevice has it.
fn device_name(text: &str) -> std::result::Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=226).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a device's name at AWS has letters, digits and any of _+=,.@- only".to_owned())
}

/// `(/)|(/[!-~]+/)`, at most 512 characters.
fn path(text: &str) -> std::result::Result<String, String> {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let good = inner.is_some_and(|inner| !inner.is_empty() && inner.bytes().all(|byte| (b'!'..=b'~').contains(&byte)));
    if text == "/" || (good && text.len() <= 512) {
        return Ok(text.to_owned());
    }
    Err("a path begins and ends with a slash, and has no spaces: /team/".to_owned())
}

fn tag(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && key.chars().count() <= 128 && value.chars().count() <= 256 => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("a tag is KEY=VALUE, with 128 and 256 characters at most".to_owned()),
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "aws enable": Answered, batch::Report;
}
