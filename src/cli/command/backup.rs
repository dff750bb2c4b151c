use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::argv::is_identity;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, clock, hints, private_file, prompt};
use crate::device::Devices;
use crate::device::backup::Backup;
use crate::registry::{Device, State};
use crate::vault::age::{self, Identity, Openers};
use crate::vault::{self, Kind as VaultKind};

/// Write all devices to one encrypted file
///
/// It holds the devices with their secrets, those in the trash, and what was handed out and verified; not sessions, and not
/// what `vmfa init` chose. It is an age file, which `vmfa restore` reads. With --vault, the devices of one vault.
///
/// Without -r and -R, a passphrase is asked for, or read from --passphrase-fd. It must also be the age identity's
/// passphrase, if that has one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa backup mfa.age
  vmfa backup mfa.age -r age1… --identity key.txt
  vmfa backup /media/stick/mfa.age -R recipients.txt --force")]
pub(in crate::cli) struct Args {
    /// The file to write
    file: PathBuf,
    /// Encrypt to this recipient, a public key of age, of an age plugin, or of SSH (may be repeated)
    #[arg(long = "recipient", short, value_name = "KEY")]
    recipients: Vec<String>,
    /// Encrypt to the recipients in this file, one per line (may be repeated)
    #[arg(long = "recipients-file", short = 'R', value_name = "FILE")]
    recipient_files: Vec<PathBuf>,
    /// Read the file back with this identity before it gets its name
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Replace FILE if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BackedUp {
    /// The file, as it was given.
    file: String,
    /// How many devices are in it.
    devices: usize,
    /// How many of them are in the trash.
    trashed: usize,
    /// Its recipients; none if it has a passphrase.
    recipients: Vec<String>,
    /// Whether it was read back and found right.
    verified: bool,
}

impl Answer for BackedUp {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let s = if self.devices == 1 { "" } else { "s" };
        let trash = if self.trashed > 0 { format!(" ({} in the trash)", self.trashed) } else { String::new() };
        writeln!(out, "backed up {} device{s}{trash} to {}", self.devices, plain(&self.file))?;
        render::note(if self.verified { "read back and verified" } else { "not read back: for that, --identity FILE" });
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        private_file::expect_file(&self.file)?;
        private_file::expect_directory(&self.file)?;
        self.refuse_existing()?;
        let recipients = self.all_recipients()?;
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let mut devices = registry.list()?;
        devices.retain(|device| matches!(device.state, State::Active | State::Trashed { .. }));
        devices.retain(|device| place.explicit().is_none_or(|kind| device.vault == kind));
        if devices.is_empty() {
            return Err(Error::new(Kind::No, "no-devices", "there are no devices to back up").no_devices());
        }
        if recipients.is_empty() && global.passphrase_fd.is_none() && !prompt::terminal_there() {
            let message = "the backup needs a passphrase, and there is no terminal to ask at";
            return Err(Error::usage(message).hint(hints::vaults::BACKUP_UNATTENDED));
        }
        let mut backup = Backup::new(Some(registry.id()?), clock::now());
        let mut all: Vec<&Device> = Vec::with_capacity(devices.len());
        for kind in VaultKind::LASTING {
            let its: Vec<&Device> = devices.iter().filter(|device| device.vault == kind).collect();
            if !its.is_empty() {
                Devices { vault: place.vault(kind)?.as_ref(), registry: &*registry }.back_up(&its, &mut backup)?;
                all.extend(its);
            }
        }
        backup.add_ledgers(&*registry, &all)?;
        // After the vault's own passphrase, as `vmfa export` asks.
        let openers = match recipients.as_slice() {
            [] => Openers::Passphrase(self.passphrase(global, &place)?),
            keys => Openers::Recipients(keys),
        };
        let text = backup.text().map_err(|error| Error::input("backup", error.to_string()))?;
        let sealed = age::seal_file(&text, &openers, place.plugins())?;
        let from = self.file.display().to_string();
        let identity =
            self.identity.as_ref().map(|path| Identity::File { path: path.clone(), passphrase: place.passphrase() });
        let verify = |written: &[u8]| {
            let opened = match (&openers, &identity) {
                (Openers::Passphrase(passphrase), _) => {
                    let known = passphrase.clone();
                    let answer: age::Passphrase = Arc::new(move |_: &str| Ok(known.clone()));
                    age::open_file_with(written, &from, &answer)?
                }
                (Openers::Recipients(_), Some(identity)) => age::open_file(written, &from, identity, place.plugins())?,
                (Openers::Recipients(_), None) => return Ok(()),
            };
            if *opened == *text { Ok(()) } else { Err(damaged(&from)) }
        };
        age::write_verified(&self.file, &sealed, self.force, verify).map_err(|error| self.explained(error))?;
        let (devices, trashed) = backup.counts();
        let verified = recipients.is_empty() || identity.is_some();
        render::print(&BackedUp { file: from, devices, trashed, recipients, verified }, global.json)
    }

    /// Before anybody is asked for anything.
    fn refuse_existing(&self) -> Result<()> {
        match fs::symlink_metadata(&self.file) {
            Ok(metadata) if !metadata.is_file() => {
                Err(Error::usage(format!("{} exists, and isn't a file", self.file.display())))
            }
            Ok(_) if !self.force => Err(self.there()),
            _ => Ok(()),
        }
    }

    fn there(&self) -> Error {
        Error::file_exists(&self.file).hint(hints::FORCE)
    }

    fn explained(&self, error: vault::Error) -> Error {
        match error {
            vault::Error::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => self.there(),
            error => Error::of_backup(error),
        }
    }

    fn all_recipients(&self) -> Result<Vec<String>> {
        all_recipients(&self.recipients, &self.recipient_files)
    }

    fn passphrase(&self, global: &Global, place: &Place) -> Result<Zeroizing<String>> {
        if global.passphrase_fd.is_some() {
            // One descriptor gives one passphrase: the age vault's, if it needs one, is the same.
            return Ok(place.passphrase()(&self.file.display().to_string())?);
        }
        render::note("choose a passphrase for the backup: without it, nobody can read the file");
        prompt::new_passphrase()
    }
}

/// Recipients that are named, and those of files, each checked.
pub(super) fn all_recipients(named: &[String], files: &[PathBuf]) -> Result<Vec<String>> {
    named.iter().try_for_each(|recipient| check_recipient(recipient))?;
    let mut all = named.to_vec();
    for path in files {
        for recipient in recipients_in(path)? {
            age::check_recipient(&recipient).map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
            all.push(recipient);
        }
    }
    Ok(all)
}

/// A recipient of the command line, where a file's name is mostly meant as the file.
pub(super) fn check_recipient(text: &str) -> Result<()> {
    let failed = |error: vault::Error| {
        let path = Path::new(text);
        let failure = Error::usage(error.to_string());
        if !path.is_file() {
            return failure;
        }
        match recipients_in(path) {
            Ok(_) => failure.hint(hints::vaults::RECIPIENTS_FILE),
            Err(error) => error,
        }
    };
    age::check_recipient(text).map_err(failed)
}

/// The recipients of a file, one per line; what follows a `#` at the beginning of a line is a comment.
pub(super) fn recipients_in(path: &Path) -> Result<Vec<String>> {
    const LARGEST: u64 = 1 << 20;
    let unreadable = |error: io::Error| Error::unreadable("recipients", path, &error);
    // An identity may have been named by mistake.
    let mut text = Zeroizing::new(String::new());
    let file = crate::file::open(path, crate::file::Streams::Taken).map_err(unreadable)?;
    io::Read::read_to_string(&mut io::Read::take(file, LARGEST), &mut text).map_err(unreadable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.clone().any(is_identity) {
        let path = path.display().to_string();
        let message = format!("{path} holds an identity, which opens secrets, and not a recipient");
        return Err(Error::input("recipients", message).hint(hints::vaults::public_part(&path)));
    }
    let found: Vec<String> = lines.map(str::to_owned).collect();
    if found.is_empty() {
        return Err(Error::input("recipients", format!("{}: has no recipient in it", path.display())));
    }
    Ok(found)
}

fn damaged(path: &str) -> vault::Error {
    vault::Error::AgeFile { path: path.to_owned(), reason: "is not what was written".to_owned() }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "backup": BackedUp;
    "backup file": Backup;
}
