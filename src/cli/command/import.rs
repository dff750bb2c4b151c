mod names;
mod open;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use indicatif::ProgressBar;
use serde::Serialize;

use self::names::{Chosen, Naming};
use crate::cli::described::Described;
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::password::Password;
use crate::cli::pattern::Wanted;
use crate::cli::progress::{self, Counted};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clock, hints, source};
use crate::device::{self, Devices};
use crate::exchange::{Entries, Entry, Failure};
use crate::name::Name;
use crate::provision::Enrolment;
use crate::registry::{Device, Registry};

/// Import the devices of another authenticator's export
///
/// The format is told by the content; `vmfa help import` lists what is read. All entries that can be read are added, or
/// none; an entry that can't be read is reported and doesn't stop the others. An entry whose secret a device has already
/// is skipped.
///
/// A device is named ISSUER/ACCOUNT. If that name is taken, `-2` is put behind it, or the next number that is free.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa import aegis.json --dry-run        # show what it holds
  vmfa import aegis.json
  vmfa import google-1.png google-2.png   # the QR codes of one export
  vmfa import vault.kdbx --only 'GitHub/*' --password-file pass.txt")]
pub(in crate::cli) struct Args {
    /// An export, or pictures of all QR codes of one; `-` for stdin
    #[arg(required = true, value_name = "FILE", add = candidates::source())]
    files: Vec<OsString>,
    /// Show what would be added, and add nothing
    #[arg(long)]
    dry_run: bool,
    /// Import only devices that match: a pattern over names, or any part of name, issuer or account
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Put this in front of all names, such as `phone/`
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Put an entry's folder, group or tag in front of its name
    #[arg(long)]
    group_prefix: bool,
    /// Read the export's password from this file descriptor
    #[arg(long, value_name = "FD", conflicts_with = "password_file")]
    password_fd: Option<u32>,
    /// Read the export's password from the first line of this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Open a KeePass database with this key file, too
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Open it with the key file alone
    #[arg(long, requires = "key_file", conflicts_with_all = ["password_fd", "password_file"])]
    no_password: bool,
    #[command(flatten)]
    effort: source::Effort,
}

/// What an export holds, and what became of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Imported {
    /// The format, such as `aegis`.
    format: &'static str,
    /// Whether the entries were added; false with `--dry-run`.
    added: bool,
    /// The entries that were added, or would be.
    entries: Vec<One>,
    /// The entries that can't be read.
    errors: Vec<Fault>,
    /// The entries whose secret a device has already, or an earlier entry.
    skipped: Vec<Skipped>,
    /// How many things in the export have no one-time password, such as a login with a password alone.
    without: usize,
    #[serde(skip)]
    title: &'static str,
}

/// An entry, and the device that is made of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    /// The device's name.
    name: String,
    #[serde(flatten)]
    described: Described,
    /// The folders, groups or tags it is in.
    groups: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Fault {
    /// Its place among all entries of the export, counted from 1.
    entry: usize,
    /// What is wrong, for programs: `missing`, `invalid`, `damaged` or `unsupported`.
    code: &'static str,
    /// What is wrong, and whose it is.
    message: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Skipped {
    /// The name that it would have.
    name: String,
    /// The device with the same secret; `null` for an earlier entry of the export.
    device: Option<String>,
}

impl One {
    fn of(name: &Name, entry: &Entry) -> Self {
        let Enrolment { issuer, account, parameters, .. } = &entry.enrolment;
        Self {
            name: name.to_string(),
            described: Described::of(issuer.as_deref(), account, parameters),
            groups: entry.groups.clone(),
        }
    }
}

impl From<&Failure> for Fault {
    fn from(failure: &Failure) -> Self {
        Self { entry: failure.entry, code: failure.flaw.code(), message: failure.to_string() }
    }
}

impl Answer for Imported {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for Fault { entry, message, .. } in &self.errors {
            render::note(&format!("entry {entry} is left out: {}", plain(message)));
        }
        for Skipped { name, device } in &self.skipped {
            let (name, other) = (plain(name), device.as_deref().map(plain));
            render::note(&match other {
                Some(device) => format!("{name} is skipped: `{device}` has the same secret"),
                None => format!("{name} is skipped: an earlier entry has the same secret"),
            });
        }
        let verb = if self.added { "added" } else { "would add" };
        render::many(out, &self.entries, |out, One { name, .. }| writeln!(out, "{verb} {}", plain(name)))?;
        let count = self.entries.len();
        let left = match self.errors.len().saturating_add(self.skipped.len()) {
            0 => String::new(),
            left => format!(", {left} left out"),
        };
        let devices = if count == 1 { "device" } else { "devices" };
        writeln!(out, "{}: {count} {devices}{left}", self.title)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let wanted = self.only.iter().map(|text| Wanted::of(text)).collect::<Result<Vec<_>>>()?;
        let naming = Naming::new(self.prefix.as_deref(), self.group_prefix)?;
        let place = Place::find(global)?;
        let password = Password { descriptor: self.password_fd, file: self.password_file.as_deref() };
        let opener = open::Opener { password, key_file: self.key_file.as_deref(), no_password: self.no_password };
        let (importer, Entries { entries, failures, without }) = open::all(&self.files, &self.effort, &opener)?;

        let registry = if self.dry_run { place.registry()? } else { place.registry_for_new()? };
        if !self.dry_run {
            // A run before, which was interrupted, may have left all of the same: then it is there.
            let vault = place.vault_for_new()?;
            let _ = Devices { vault: vault.as_ref(), registry: &*registry }.recover(clock::now());
        }
        let there = device::active(&*registry)?;
        let mut taken: HashSet<String> = there.iter().map(|device| device.name.to_string()).collect();
        let mut answer = Imported {
            format: importer.id,
            added: false,
            entries: Vec::new(),
            errors: failures.iter().map(Fault::from).collect(),
            skipped: Vec::new(),
            without,
            title: importer.title,
        };
        let same = same_as(&place, &*registry, &there, &entries)?;
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for (entry, same) in entries.iter().zip(same) {
            let Chosen { plain, free } = naming.choose(entry, &taken);
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted.has_entry(&plain, &entry.enrolment)) {
                continue;
            }
            let earlier = !seen.insert((entry.enrolment.secret.expose(), entry.enrolment.parameters));
            if earlier || same.is_some() {
                answer.skipped.push(Skipped { name: plain.to_string(), device: same.filter(|_| !earlier) });
                continue;
            }
            taken.insert(free.to_string());
            answer.entries.push(One::of(&free, entry));
            new.push((free, entry.enrolment.clone()));
        }
        if new.is_empty() && answer.skipped.is_empty() {
            return Err(self.nothing(&answer));
        }
        if !self.dry_run && !new.is_empty() {
            let vault = place.vault_for_new()?;
            let bar = if new.len() > 1 { progress::bar("storing", new.len()) } else { ProgressBar::hidden() };
            let vault = Counted { vault: vault.as_ref(), bar };
            Devices { vault: &vault, registry: &*registry }.add(&new, false, clock::now())?;
        }
        answer.added = !self.dry_run;
        render::print(&answer, global.json)
    }

    /// An export of which nothing is imported: an error with everything that was wrong.
    fn nothing(&self, answer: &Imported) -> Error {
        if answer.errors.is_empty() {
            let failure = if self.only.is_empty() {
                Error::input("nothing-to-import", format!("{} without any one-time password", answer.title))
            } else {
                let patterns: Vec<String> = self.only.iter().map(|text| format!("`{text}`")).collect();
                Error::new(ErrorKind::No, "no-such-device", format!("no entry matches {}", patterns.join(" or ")))
            };
            return failure.hint(hints::exports::DRY_RUN);
        }
        let first = answer.errors.first().map_or("", |fault| fault.message.as_str());
        let others = match answer.errors.len().saturating_sub(1) {
            0 => String::new(),
            others => format!(", and {others} more can't be read either"),
        };
        Error::input("nothing-to-import", format!("no entry can be imported: {first}{others}"))
    }
}

/// For each entry, the device that has its secret already. Only devices of the same issuer and account are compared:
/// reading all secrets of a keyring would take long.
fn same_as<'a>(
    place: &Place,
    registry: &dyn Registry,
    there: &'a [Device],
    entries: &'a [Entry],
) -> Result<Vec<Option<String>>> {
    let mut by_account: HashMap<(Option<&str>, &str), Vec<&'a Device>> = HashMap::new();
    for device in there {
        by_account.entry((device.issuer.as_deref(), &device.account)).or_default().push(device);
    }
    let candidates = |entry: &'a Entry| -> Vec<&'a Device> {
        let Enrolment { issuer, account, .. } = &entry.enrolment;
        by_account.get(&(issuer.as_deref(), account.as_str())).cloned().unwrap_or_default()
    };
    let mut wanted: Vec<&Device> = entries.iter().flat_map(candidates).collect();
    wanted.sort_by_key(|device| (device.vault.as_str(), device.id));
    wanted.dedup_by_key(|device| device.id);
    let mut secrets = HashMap::new();
    for group in wanted.chunk_by(|one, next| one.vault == next.vault) {
        let Some(first) = group.first() else { continue };
        let vault = place.vault(first.vault)?;
        let read = Devices { vault: vault.as_ref(), registry }.enrolments(group);
        for (device, enrolment) in group.iter().zip(read) {
            secrets.insert(device.id, enrolment?.secret);
        }
    }
    let same = |entry: &'a Entry| {
        let has = |device: &&Device| secrets.get(&device.id) == Some(&entry.enrolment.secret);
        candidates(entry).into_iter().find(has).map(|device| device.name.to_string())
    };
    Ok(entries.iter().map(same).collect())
}

#[cfg(test)]
crate::cli::schema::answers! {
    "import": Imported;
}
