use std::io::{self, Write};

use serde::Serialize;

use crate::cli::chosen_clock::Which;
use crate::cli::empty::looked_in;
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, day};
use crate::cli::{Global, clock, environment, hints};
use crate::device::fleet::{Survey, survey};
use crate::device::issue::{LATELY, LONGEST_WAIT};
use crate::device::{Devices, trash};
use crate::oath::{MovingFactor, totp};
use crate::registry::{AHEAD, Accepted, Device, Registry, State};
use crate::time::Timestamp;
use crate::time::difference::Difference;
use crate::vault::age::{HELD_BY_PLUGIN, PROTECTED};
use crate::vault::{self, Kind, Vault};

/// Check what works here, and say how to fix the rest
///
/// Nobody is prompted, and no device's secret is read. What interrupted runs left behind is cleared up, and what has been in
/// the trash for 30 days is deleted.
/// Exit code 3 where the chosen vault, the registry, or the clock doesn't work.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa doctor
  vmfa doctor --restored                  # after a backup came back
  vmfa doctor --fleet")]
pub(in crate::cli) struct Args {
    /// Accept a registry that was restored or replaced, or a vault's new key: all codes up to now count as handed out
    ///
    /// It works whether or not anything shows that the registry was restored. If the system's clock was wrong, set it, and run it
    /// again: the new time replaces the old one.
    #[arg(long)]
    restored: bool,
    /// Show how much of a fleet is in use, and how far this machine's clock is from the registry's
    #[arg(long)]
    fleet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// Doesn't work, and isn't needed for what was chosen.
    Unavailable,
    Broken,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Check {
    /// What was checked.
    what: &'static str,
    /// How it is.
    status: Status,
    /// That in words.
    detail: String,
    /// What to do, if anything.
    mend: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Report {
    /// vmfa's version.
    version: &'static str,
    checks: Vec<Check>,
}

impl Answer for Report {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let widest = self.checks.iter().map(|check| check.what.len()).max().unwrap_or(0);
        for check in &self.checks {
            let sign = match check.status {
                Status::Ok => "ok",
                Status::Unavailable => "--",
                Status::Broken => "BAD",
            };
            writeln!(out, "{sign:3}  {:widest$}  {}", check.what, check.detail)?;
            for mend in &check.mend {
                writeln!(out, "     {:widest$}  -> {mend}", "")?;
            }
        }
        Ok(())
    }
}

impl Check {
    fn ok(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, status: Status::Ok, detail: detail.into(), mend: Vec::new() }
    }

    fn failed(what: &'static str, needed: bool, error: &Error) -> Self {
        let status = if needed { Status::Broken } else { Status::Unavailable };
        Self { what, status, detail: error.message().to_owned(), mend: error.hints().to_vec() }
    }

    fn of(what: &'static str, needed: bool, result: Result<String>) -> Self {
        match result {
            Ok(detail) => Self::ok(what, detail),
            Err(error) => Self::failed(what, needed, &error),
        }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let mut checks = Vec::new();
        match Place::find_quietly(global) {
            Ok(place) => {
                let place = place.in_haste();
                if self.restored {
                    checks.push(restored(&place));
                }
                checks.extend(of_place(&place, global));
                if self.fleet {
                    checks.extend(of_fleet(&place));
                }
            }
            Err(error) => checks.push(Check::failed("configuration", true, &error)),
        }
        checks.push(match Which::default().open(global) {
            Ok(clock) => clock_check(clock.time()),
            Err(error) => Check::failed("clock", true, &error),
        });
        checks.push(display_check());
        let broken = checks.iter().any(|check| check.status == Status::Broken);
        render::print(&Report { version: env!("CARGO_PKG_VERSION"), checks }, global.json)?;
        if broken { Err(Error::silent(ErrorKind::Storage)) } else { Ok(()) }
    }
}

/// How much of a fleet is in use, and whether this machine's clock is that of the others.
fn of_fleet(place: &Place) -> Vec<Check> {
    /// A difference that matters to codes, in seconds.
    const FAR: f64 = 2.0;
    let mut mend = Vec::new();
    let mut look = || -> Result<(String, String)> {
        let registry = place.registry()?;
        let Survey { devices, used, codes, ahead, until } = survey(&*registry, clock::now())?;
        let minutes = LATELY / 60;
        let a_minute = codes as f64 / minutes as f64;
        let waiting = match until {
            Some(until) if ahead == 1 => format!("; 1 code of a later time is taken, of {until}"),
            Some(until) => format!("; {ahead} codes of later times are taken, the last of {until}"),
            None => String::new(),
        };
        let use_of = format!(
            "{used} of {devices} devices used in the last {minutes} minutes, {a_minute:.1} codes a minute{waiting}"
        );
        // The first question connects, which takes time that is no part of the answer's.
        registry.clock()?;
        let (shown, sent, received) = clock::timed(|| registry.clock());
        let clocks = match shown? {
            Some(time) => {
                let difference = Difference::at(time.into(), sent, received);
                let seconds = difference.milliseconds() as f64 / 1000.0;
                let way = if seconds < 0.0 { "behind" } else { "ahead of" };
                if seconds.abs() > FAR {
                    mend.push(hints::registries::ITS_CLOCK.to_owned());
                }
                let uncertain = difference.uncertainty() as f64 / 1000.0;
                format!("{:.3} s {way} the registry's (± {uncertain:.3} s)", seconds.abs())
            }
            None => "the registry is on this machine, and has the same clock".to_owned(),
        };
        Ok((use_of, clocks))
    };
    match look() {
        Ok((use_of, clocks)) => {
            vec![Check::ok("fleet", use_of), Check { mend, ..Check::ok("fleet clock", clocks) }]
        }
        Err(error) => vec![Check::failed("fleet", true, &error)],
    }
}

/// Does as told: nobody else may know that a registry was restored.
fn restored(place: &Place) -> Check {
    let was_there = !place.lacks_registry_file();
    let accept = || -> Result<(Accepted, bool)> {
        let registry = place.registry_for_new()?;
        registry.expect_writable()?;
        let now = clock::now();
        let accepted = registry.accept_restored(now)?;
        let counts = |device: &Device| matches!(device.parameters.factor, MovingFactor::Counter { .. });
        Ok((accepted, crate::device::active(&*registry)?.iter().any(counts)))
    };
    let (accepted, counters) = match accept() {
        Ok(done) => done,
        Err(error) => return Check::failed("restored", true, &error),
    };
    let Accepted { until, before, noticed, new_key } = accepted;
    let before = match before.filter(|before| *before != until) {
        Some(before) => format!(" (before: up to {before})"),
        None => String::new(),
    };
    let mut mend = vec![hints::vaults::TIME_WRONG.to_owned()];
    if !noticed && !new_key {
        mend.insert(0, hints::vaults::ON_YOUR_WORD.to_owned());
    }
    if !noticed && counters {
        mend.push(hints::vaults::SKIP_COUNTERS.to_owned());
    }
    if new_key {
        mend.push(hints::vaults::COUNTERS_ANEW.to_owned());
    }
    let made = if was_there {
        ""
    } else {
        mend.splice(0..0, looked_in());
        "there was no registry, so a new one was made: "
    };
    Check {
        mend,
        ..Check::ok(
            "restored",
            format!("{made}codes up to {until}, and of the next {AHEAD} steps, count as handed out{before}"),
        )
    }
}

fn of_place(place: &Place, global: &Global) -> Vec<Check> {
    let path = place.config_path();
    let absent = if path.exists() { "" } else { " (not there: defaults)" };
    let mut checks = vec![Check::ok("configuration", format!("{}{absent}", path.display()))];
    let chosen = place.default_kind();
    let chosen = match &chosen {
        Ok(kind) => Some(*kind),
        Err(error) => {
            checks.push(Check::failed("vault", true, error));
            None
        }
    };
    let registry = place.registry();
    let devices =
        registry.as_ref().ok().and_then(|registry| crate::device::active(&**registry).ok()).unwrap_or_default();
    for kind in Kind::LASTING {
        let holding = devices.iter().filter(|device| device.vault == kind).count();
        let what = match kind {
            Kind::Keyring => "vault keyring",
            Kind::Shared if chosen != Some(kind) && holding == 0 => continue,
            Kind::Shared => "vault shared",
            Kind::Age | Kind::Memory => "vault age",
        };
        let there = |vault: &dyn Vault| -> Result<()> {
            // A look at each takes a keyring some time; a fleet belongs into age files.
            let ours = devices.iter().filter(|device| device.vault == kind).take(500);
            let mut missing = Vec::new();
            for device in ours {
                if !vault.holds(device.id)? {
                    missing.push(format!("`{}`", device.name));
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            let text = format!("{} of {holding} secrets are not there: {}", missing.len(), missing.join(", "));
            Err(Error::new(ErrorKind::Storage, "secret-not-there", text).hint(hints::devices::RESTORE_OR_REMOVE))
        };
        let probed = place.vault(kind).and_then(|vault| {
            let mut detail = vault.probe()?;
            there(vault.as_ref())?;
            if kind.has_recipients() && place.age(kind)?.is_changing()? {
                let text = "a change of the recipients was interrupted: not all secrets are encrypted to all of them";
                return Err(
                    Error::new(ErrorKind::Storage, "recipients-changing", text).hint(hints::vaults::FINISH_RECIPIENTS)
                );
            }
            if kind.has_recipients() && detail.ends_with(PROTECTED) {
                detail.push_str(if global.passphrase_fd.is_some() {
                    place.age(kind)?.try_identity()?;
                    " that opens it"
                } else {
                    " (to test the passphrase too: --passphrase-fd FD)"
                });
            }
            if kind.has_recipients() && detail.ends_with(HELD_BY_PLUGIN) {
                detail.push_str(match place.age(kind)?.try_identity() {
                    Err(vault::Error::Plugin { trouble: vault::Trouble::Asks { .. }, .. }) => {
                        " (it asks for a secret: to test that too, --passphrase-fd FD)"
                    }
                    result => result.map(|()| " that opens it")?,
                });
            }
            Ok(detail)
        });
        let probed = probed.map(|detail| {
            let role = if chosen == Some(kind) { ", chosen for new devices" } else { "" };
            format!("{detail} ({holding} device{}{role})", if holding == 1 { "" } else { "s" })
        });
        let probed = probed.map_err(|error| without_another_age(error, place, kind, chosen, holding));
        checks.push(Check::of(what, chosen == Some(kind) || holding > 0, probed));
    }
    match registry {
        Ok(registry) => {
            let absent = if place.lacks_registry_file() { " (not there yet)" } else { "" };
            let detail = registry.probe().and_then(|detail| registry.expect_writable().map(|()| detail));
            let probed = detail.map(|detail| format!("{detail}{absent}"));
            checks.push(Check::of("registry", true, probed.map_err(Error::from)));
            checks.extend(ahead(&devices, &*registry));
            checks.extend(leftovers(place, &*registry));
            checks.extend(trashed(&*registry));
        }
        Err(error) => checks.push(Check::failed("registry", true, &error)),
    }
    checks
}

/// An error without the advice to make an age vault where there is one.
fn without_another_age(error: Error, place: &Place, kind: Kind, chosen: Option<Kind>, holding: usize) -> Error {
    use hints::vaults::{AGE_INSTEAD, AGE_INSTEAD_UNATTENDED, CHOOSE_AGE, FIRST_IDENTITY};
    let there = place.config.age.is_some() || place.identity_file().is_some() || (kind.has_recipients() && holding > 0);
    if !there {
        return error;
    }
    let advised = error.hints().len();
    let error = error.without(&[AGE_INSTEAD, AGE_INSTEAD_UNATTENDED, FIRST_IDENTITY]);
    let chooses = kind == Kind::Keyring && chosen == Some(kind) && error.hints().len() < advised;
    if chooses { error.hint(CHOOSE_AGE) } else { error }
}

/// Devices that have no code for a while, because a clock that ran ahead used up those of the present.
fn ahead(devices: &[Device], registry: &dyn Registry) -> Option<Check> {
    let now = clock::now();
    let mut late = Vec::new();
    for device in devices {
        let Some((ledger, period)) = device.ledger.zip(device.parameters.period().ok()) else { continue };
        let Some((step, _)) = period.step_at(now, totp::EPOCH) else { continue };
        let Ok(known) = registry.ledger(ledger) else { continue };
        let end = known.forgotten.run_of(step).and_then(|run| period.start_of(run.last.shifted(1)?, totp::EPOCH));
        // Less than that is waited for by everybody who takes codes faster than they come.
        if let Some(end) = end.filter(|end| end.as_unix() > now.as_unix().saturating_add(LONGEST_WAIT)) {
            late.push((device, end));
        }
    }
    let (device, end) = late.first()?;
    let others = match late.len() {
        1 => String::new(),
        more => format!(" (and {} more)", more.saturating_sub(1)),
    };
    let text = format!("all codes of `{}` up to {end} count as handed out{others}: a clock ran ahead", device.name);
    Some(Check::failed(
        "codes",
        true,
        &Error::new(ErrorKind::Storage, "ahead", text)
            .hint(hints::devices::NEW_SECRET)
            .hint(hints::devices::NEW_SECRET_AT_AWS)
            .hint(hints::devices::RESTORED_AHEAD),
    ))
}

/// Clears up after interrupted runs, in each vault that has something to clear; and deletes what has been in the trash for
/// long enough.
fn leftovers(place: &Place, registry: &dyn Registry) -> Option<Check> {
    let now = clock::now();
    let is_left = |device: &Device| match device.state {
        State::Active => false,
        State::Trashed { .. } => trash::kept_until(device).is_some_and(|until| until < now),
        State::Pending { .. } | State::Retired { .. } => true,
    };
    let unfinished = registry.list().ok()?.into_iter().filter(is_left);
    let unfinished: Vec<Kind> = unfinished.map(|device| device.vault).collect();
    if unfinished.is_empty() {
        return None;
    }
    for kind in Kind::LASTING.into_iter().filter(|kind| unfinished.contains(kind)) {
        let recovered =
            place.vault(kind).and_then(|vault| Ok(Devices { vault: vault.as_ref(), registry }.recover(now)?));
        if let Err(error) = recovered {
            return Some(Check::failed("leftovers", true, &error));
        }
    }
    let left = registry.list().ok()?.into_iter().filter(is_left).count();
    Some(Check::ok(
        "leftovers",
        format!("{} cleared up, {left} of runs that may still be under way", unfinished.len().saturating_sub(left)),
    ))
}

/// What is in the trash, and when the first of it is deleted.
fn trashed(registry: &dyn Registry) -> Option<Check> {
    let devices = trash::list(registry).ok()?;
    let first = trash::kept_until(devices.last()?)?.to_rfc3339();
    let count = devices.len();
    let s = if count == 1 { "" } else { "s" };
    let detail =
        format!("{count} removed device{s}; secrets are deleted after 30 days, the first after {}", day(&first));
    Some(Check::ok("trash", detail))
}

fn clock_check(now: Timestamp) -> Check {
    if now >= clock::RELEASED {
        return Check::ok("clock", now.to_rfc3339());
    }
    let error = Error::usage(format!("{now} lies before this version was released: codes will be wrong"))
        .hint(hints::vaults::SET_CLOCK);
    Check::failed("clock", true, &error)
}

fn display_check() -> Check {
    let set = |name: &str| environment::text(name).map(|value| format!("{name}={value}"));
    match set("WAYLAND_DISPLAY").or_else(|| set("DISPLAY")) {
        Some(display) => match arboard::Clipboard::new() {
            Ok(_) => Check::ok("display", format!("{display}: sources `clipboard` and `screen`")),
            Err(error) => Check::failed(
                "display",
                false,
                &Error::usage(format!("{display} doesn't answer: {error}")).hint(hints::sources::WITHOUT_DISPLAY),
            ),
        },
        None if cfg!(target_os = "linux") => Check::failed(
            "display",
            false,
            &Error::usage("no display: sources `clipboard` and `screen` don't work")
                .hint(hints::sources::WITHOUT_DISPLAY),
        ),
        None => Check::ok("display", "source `clipboard`"),
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "doctor": Report;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_release_is_wrong() {
        assert_eq!(clock_check(Timestamp::from_unix(0)).status, Status::Broken);
        assert_eq!(clock_check(clock::RELEASED).status, Status::Ok);
    }
}
