use std::io::{self, Write};

use serde::Serialize;

use super::connect;
use crate::aws::status::{Line, Standing, Status, Whose};
use crate::cli::Global;
use crate::cli::error::Result;
use crate::cli::render::{self, Answer, plain, table};
use crate::vault::memory::Memory;

/// Compare IAM's list of devices with the devices here
///
/// matched: enabled there, the secret here. missing-here: enabled there, the secret elsewhere. missing-there: the secret
/// here, and IAM has no such device. orphan: there, and enabled for nobody. not-virtual: a security key or hardware token,
/// which IAM doesn't list for all users.
/// unknown: the secret here, and IAM doesn't let its list be seen.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa aws status
  vmfa aws status --all-users --json")]
pub(in crate::cli) struct Args {
    /// The devices of this user [default: the user whose keys sign, and devices here that are enabled for nobody]
    #[arg(long, value_name = "NAME", conflicts_with = "all_users", value_parser = connect::user_name)]
    user: Option<String>,
    /// The devices of all users of the account
    #[arg(long)]
    all_users: bool,
    #[command(flatten)]
    connect: connect::Args,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answered {
    account: String,
    /// None with --all-users.
    user: Option<String>,
    /// Whether the account's whole list could be seen.
    complete: bool,
    devices: Vec<One>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    serial_number: String,
    user: Option<String>,
    device: Option<String>,
    standing: &'static str,
    enabled: Option<String>,
    never_used: bool,
}

impl One {
    fn of(line: &Line) -> Self {
        Self {
            serial_number: line.serial.clone(),
            user: line.user.clone(),
            device: line.name.as_ref().map(ToString::to_string),
            standing: match line.standing {
                Standing::Matched => "matched",
                Standing::MissingHere => "missing-here",
                Standing::MissingThere => "missing-there",
                Standing::Orphan => "orphan",
                Standing::NotVirtual => "not-virtual",
                Standing::Unknown => "unknown",
            },
            enabled: line.enabled.map(|time| time.to_rfc3339()),
            never_used: line.never_used,
        }
    }

    fn row(&self) -> Vec<String> {
        let or_dash =
            |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), |text| plain(text).into_owned());
        let standing =
            if self.never_used { format!("{}, never used", self.standing) } else { self.standing.to_owned() };
        vec![
            or_dash(&self.user),
            or_dash(&self.device),
            standing,
            or_dash(&self.enabled),
            plain(&self.serial_number).into_owned(),
        ]
    }
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.complete {
            render::note("you may not list all virtual devices: orphans and devices of others are left out");
        }
        if self.devices.is_empty() {
            let whose = self.user.as_deref().unwrap_or("anybody");
            render::note(&format!(
                "{} has no device, neither in account {} nor here",
                plain(whose),
                plain(&self.account)
            ));
            return Ok(());
        }
        let rows: Vec<Vec<String>> = self.devices.iter().map(One::row).collect();
        table(out, &["USER", "DEVICE", "STANDING", "ENABLED", "SERIAL NUMBER"], &rows)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let answered = self.connect.open(global, |run| {
            let identity = run.caller().identity()?;
            let user = match &self.user {
                Some(user) => Some(user.clone()),
                None if self.all_users => None,
                None => Some(run.user(None)?.1),
            };
            // No secret is read.
            let vault = Memory::default();
            let whose = match (&user, &self.user) {
                (None, _) => Whose::Everybody,
                (Some(user), Some(_)) => Whose::User(user),
                (Some(user), None) => Whose::Caller(user),
            };
            let status = run.flow(&vault).status(&identity, whose);
            let Status { lines, whole } = status.map_err(|error| run.explained(error))?;
            let devices = lines.iter().map(One::of).collect();
            Ok(Answered { account: identity.account, user, complete: whole, devices })
        })?;
        render::print(&answered, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "aws status": Answered;
}
