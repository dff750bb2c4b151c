use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::progress::{self, Counted};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clock, hints};
use crate::device::Devices;
use crate::device::backup::{Backup, Fate, LARGEST, Planned};
use crate::registry::AHEAD;
use crate::vault::age::{self, Identity};

/// Bring back the devices of a backup
///
/// Devices that are here already stay as they are. If another device has a name, the backup's becomes `restored/NAME`. All
/// secrets go to the vault for new devices, or that of --vault.
///
/// Codes that either home gave stay used. In another home than the backup's, all codes up to now count as handed out, since
/// nobody knows which were given after the backup was made.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa restore mfa.age --dry-run
  vmfa restore mfa.age
  vmfa restore mfa.age --identity key.txt --vault age")]
pub(in crate::cli) struct Args {
    /// The file that `vmfa backup` wrote
    #[arg(add = candidates::file())]
    file: PathBuf,
    /// The age or SSH identity that opens it [default: the age vault's]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    /// Its name here.
    name: String,
    /// Its name in the backup.
    old_name: String,
    /// `restored`, `here` (it was here before), or `expired` (it was in the trash for 30 days).
    fate: &'static str,
    /// Whether it is in the trash.
    trashed: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Restored {
    devices: Vec<One>,
    /// Whether nothing was changed.
    dry_run: bool,
    /// When the backup was made, RFC 3339.
    created: String,
    /// Until when codes count as handed out, because others may have given them, RFC 3339. Left out if the backup is of this
    /// very home.
    #[serde(skip_serializing_if = "Option::is_none")]
    codes_until: Option<String>,
    /// What to look after.
    warnings: Vec<String>,
}

impl Answer for Restored {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let done = if self.dry_run { "would restore" } else { "restored" };
        for One { name, old_name, fate, trashed } in &self.devices {
            let (name, old_name) = (plain(name), plain(old_name));
            let place = if *trashed { " to the trash" } else { "" };
            match *fate {
                "restored" if name == old_name => writeln!(out, "{done} {name}{place}")?,
                "restored" => writeln!(out, "{done} {old_name} as {name}{place}: another device has its name")?,
                "here" => writeln!(out, "{name} is here already")?,
                _ => writeln!(out, "{name} stays away: it was in the trash for 30 days")?,
            }
        }
        if let Some(until) = &self.codes_until {
            render::note(&format!(
                "codes up to {until}, and of the next {AHEAD} steps, count as handed out: others may have been given them"
            ));
        }
        for warning in &self.warnings {
            render::note(&format!("warning: {}", plain(warning)));
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let backup = self.read(&place)?;
        let registry = if self.dry_run { place.registry()? } else { place.registry_for_new()? };
        let vault = place.vault_for_new()?;
        let now = clock::now();
        let looking = Devices { vault: vault.as_ref(), registry: &*registry };
        if !self.dry_run {
            // Another run, which was interrupted, may have left half of the same.
            let _ = looking.recover(now);
        }
        let planned = looking.plan(&backup, now)?;
        let incoming = planned.iter().filter(|plan| plan.fate == Fate::Restored).count();
        let mut codes_until = None;
        let mut warnings = Vec::new();
        let elsewhere = backup.registry() != Some(&registry.id()?) && planned.iter().any(|p| p.fate != Fate::Expired);
        if elsewhere && backup.has_counters() {
            warnings.push(hints::vaults::SKIP_COUNTERS.to_owned());
        }
        if !self.dry_run {
            registry.expect_writable()?;
            // Before any of them can give a code.
            if elsewhere {
                let accepted = registry.accept_restored(now)?;
                codes_until = Some(accepted.until.to_rfc3339());
                warnings.extend(accepted.new_key.then(|| hints::vaults::COUNTERS_ANEW.to_owned()));
            }
            let counted = Counted { vault: vault.as_ref(), bar: progress::bar("storing", incoming) };
            Devices { vault: &counted, registry: &*registry }.bring_back(&backup, &planned, now)?;
        }
        let answer = Restored {
            devices: planned.iter().map(One::of).collect(),
            dry_run: self.dry_run,
            created: backup.created().to_rfc3339(),
            codes_until,
            warnings,
        };
        render::print(&answer, global.json)
    }

    fn read(&self, place: &Place) -> Result<Backup> {
        let from = self.file.display().to_string();
        let bytes = self.bytes()?;
        let text = if age::needs_passphrase(&bytes, &from).map_err(Error::of_backup)? {
            if self.identity.is_some() {
                let message = format!("{from} is encrypted with a passphrase, and not to an identity");
                return Err(Error::usage(message).hint(hints::vaults::LEAVE_IDENTITY));
            }
            age::open_file_with(&bytes, &from, &place.passphrase_of_file()).map_err(Error::of_backup)?
        } else {
            let identity = match &self.identity {
                Some(path) => Identity::File { path: path.clone(), passphrase: place.passphrase() },
                None => place
                    .age(crate::vault::Kind::Age)
                    .map_err(|error| error.hint(hints::vaults::BACKUP_IDENTITY))?
                    .identity()
                    .clone(),
            };
            age::open_file(&bytes, &from, &identity, place.plugins()).map_err(Error::of_backup)?
        };
        Backup::read(&text).map_err(|error| {
            let message = format!("{from}: {error}");
            match error {
                crate::device::backup::Error::TooNew { .. } => {
                    Error::input("backup", message).hint(hints::vaults::UPGRADE_FOR_BACKUP)
                }
                _ => Error::input("backup", message),
            }
        })
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let from = self.file.display();
        let unreadable = |error: io::Error| Error::unreadable("unreadable", &self.file, &error);
        let file = crate::file::open(&self.file, crate::file::Streams::Taken).map_err(unreadable)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
            return Err(Error::input("backup", format!("{from}: is larger than any backup ({} MiB)", LARGEST >> 20)));
        }
        Ok(bytes)
    }
}

impl One {
    fn of(plan: &Planned) -> Self {
        Self {
            name: plan.name.to_string(),
            old_name: plan.old_name.to_string(),
            fate: match plan.fate {
                Fate::Restored => "restored",
                Fate::Here => "here",
                Fate::Expired => "expired",
            },
            trashed: plan.removed.is_some() && plan.fate == Fate::Restored,
        }
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "restore": Restored;
}
