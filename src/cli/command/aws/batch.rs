//! Many users at once: enrolled side by side, reported at the end, finished by doing it again.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use super::connect::{Run, is_user_name};
use crate::aws;
use crate::aws::enroll::Wanted;
use crate::aws::flow::Flow;
use crate::aws::sts::Identity;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain, table};
use crate::cli::{Global, progress};
use crate::{device, registry};

/// The largest list of users, in bytes, and the most users: an account has five thousand.
const LARGEST: u64 = 4 << 20;
const MOST: usize = 10_000;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report {
    /// How many have their device now, and how many of these had it before.
    enabled: usize,
    already: usize,
    failed: usize,
    not_tried: usize,
    users: Vec<One>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    user: String,
    device: Option<String>,
    serial_number: Option<String>,
    /// `new`, `finished`, `replaced`, `already`, `failed`, or `not-tried`.
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Failure {
    code: String,
    message: String,
    hints: Vec<String>,
}

impl Answer for Report {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<Vec<String>> = self.users.iter().map(One::row).collect();
        table(out, &["USER", "DEVICE", "OUTCOME"], &rows)?;
        let errors = self.users.iter().filter_map(|one| one.error.as_ref());
        let hints: BTreeSet<&String> = errors.flat_map(|error| &error.hints).collect();
        for hint in hints.into_iter().take(12) {
            render::note(&format!("hint: {}", plain(hint)));
        }
        let Self { enabled, already, failed, not_tried, .. } = self;
        render::note(&format!("{enabled} enabled ({already} were before), {failed} failed, {not_tried} not tried"));
        if failed.saturating_add(*not_tried) > 0 {
            render::note("to retry those that failed, give the same command again");
        }
        Ok(())
    }
}

impl One {
    fn new(user: &str, outcome: impl ToString) -> Self {
        Self { user: user.to_owned(), device: None, serial_number: None, outcome: outcome.to_string(), error: None }
    }

    fn failed(user: &str, error: &Error) -> Self {
        let error = Failure {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            hints: error.hints().to_vec(),
        };
        Self { error: Some(error), ..Self::new(user, "failed") }
    }

    fn row(&self) -> Vec<String> {
        let outcome = match &self.error {
            Some(error) => format!("{}: {}", self.outcome, plain(&error.message)),
            None => self.outcome.clone(),
        };
        let device = self.device.as_deref().unwrap_or("-");
        vec![plain(&self.user).into_owned(), plain(device).into_owned(), outcome]
    }
}

/// The users that are named, each once, in the order in which they were.
pub(super) fn users(named: &[String], file: Option<&Path>) -> Result<Vec<String>> {
    let mut all: Vec<String> = named.to_vec();
    if let Some(path) = file {
        let text = read(path).map_err(|reason| Error::input("users", format!("{}: {reason}", path.display())))?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        all.extend(lines.flat_map(|line| line.split([',', ' ', '\t', '\r'])).map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    all.retain(|user| !user.is_empty() && seen.insert(user.clone()));
    if let Some(bad) = all.iter().find(|user| !is_user_name(user)) {
        let shown: String = bad.chars().take(64).collect();
        return Err(Error::input("users", format!("`{shown}` is no name of a user: nobody was enrolled")));
    }
    match all.len() {
        0 => Err(Error::input("users", "no users are named")),
        length if length > MOST => {
            Err(Error::input("users", format!("{length} users are named; at most {MOST} are taken")))
        }
        _ => Ok(all),
    }
}

fn read(path: &Path) -> std::result::Result<String, String> {
    let mut text = String::new();
    let limit = LARGEST.saturating_add(1);
    let read = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_string(&mut text)
    } else {
        crate::file::open(path, crate::file::Streams::Taken).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    match read {
        Ok(length) if u64::try_from(length).unwrap_or(u64::MAX) > LARGEST => {
            Err(format!("is larger than {LARGEST} bytes"))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}

/// Enrols them, and prints the report.
pub(super) fn enroll(
    run: &Run<'_>,
    global: &Global,
    users: &[String],
    jobs: u8,
    template: impl Fn(&Identity, &str) -> Result<Wanted>,
) -> Result<()> {
    let identity = run.caller().identity().map_err(|error| run.explained(error))?;
    // All names are looked at before anybody is enrolled.
    let wanted = users.iter().map(|user| template(&identity, user)).collect::<Result<Vec<_>>>()?;
    let vault = run.place.vault_for_new()?;
    let flow = run.flow(vault.as_ref());
    run.world.be_quiet();
    let bar = progress::bar("enabling", wanted.len());
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let outcomes: Mutex<Vec<(usize, One)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(wanted) = wanted.get(index) else { break };
                    let (one, concerns_all) = enroll_one(&flow, wanted);
                    if concerns_all {
                        stop.store(true, Ordering::SeqCst);
                    }
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((index, one));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(index, _)| *index);
    let tried: BTreeSet<usize> = outcomes.iter().map(|(index, _)| *index).collect();
    let mut all: Vec<One> = outcomes.into_iter().map(|(_, one)| one).collect();
    let left = users.iter().enumerate().filter(|(index, _)| !tried.contains(index));
    all.extend(left.map(|(_, user)| One::new(user, "not-tried")));
    let count = |outcome: &str| all.iter().filter(|one| one.outcome == outcome).count();
    let (failed, not_tried) = (count("failed"), count("not-tried"));
    let report = Report {
        enabled: all.len().saturating_sub(failed).saturating_sub(not_tried),
        already: count("already"),
        failed,
        not_tried,
        users: all,
    };
    let complete = failed == 0 && not_tried == 0;
    render::print(&report, global.json)?;
    if complete { Ok(()) } else { Err(Error::silent(Kind::No)) }
}

/// One user; and whether what failed would fail for everybody.
fn enroll_one(flow: &Flow<'_>, wanted: &Wanted) -> (One, bool) {
    match flow.enroll(wanted) {
        Ok(enrolled) => {
            let one = One {
                device: Some(enrolled.device.name.to_string()),
                serial_number: enrolled.device.serial,
                ..One::new(&wanted.user, enrolled.how)
            };
            (one, false)
        }
        Err(error) => {
            let concerns_all = concerns_all(&error);
            (One::failed(&wanted.user, &Error::from(error)), concerns_all)
        }
    }
}

fn concerns_all(error: &aws::Error) -> bool {
    let of_keys = [
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "ExpiredToken",
        "ExpiredTokenException",
        "OptInRequired",
    ];
    match error {
        // Of the account's quota of devices; a user's eight are the user's own affair.
        aws::Error::Refused(refusal) if refusal.code == "LimitExceeded" => refusal.action == "CreateVirtualMFADevice",
        aws::Error::Refused(refusal) => of_keys.contains(&refusal.code.as_str()),
        aws::Error::Unreachable { perhaps_done, .. } => !perhaps_done,
        aws::Error::Device(device::Error::Vault(error)) => error.changed_nothing(),
        aws::Error::Device(device::Error::Registry(error)) => {
            matches!(error, registry::Error::Engine { .. } | registry::Error::TooNew { .. })
        }
        aws::Error::Lock { .. } => true,
        _ => false,
    }
}
