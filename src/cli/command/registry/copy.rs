use std::io::{self, Write};

use serde::Serialize;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};
use crate::cli::{Global, hints, progress, registry_words};
use crate::registry;

/// Copy all devices, and which codes were handed out, to another registry
///
/// Stop what uses either registry first. The copy is read back and compared. Secrets stay in their vault, and devices keep
/// their ids, so each machine needs the same vault. Given again, the command takes over what is new.
///
/// Then choose the new registry with `vmfa init --registry URL` on each machine, and don't use the old one any more: it
/// wouldn't know which codes were given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa registry copy --from file --to postgres://vmfa@db.example.com/vmfa
  vmfa registry copy --from postgres://vmfa@db.example.com/vmfa --to file
  vmfa registry copy --from file --to 'dynamodb://vmfa?region=eu-central-1'")]
pub(super) struct Args {
    /// The registry to copy: a URL, or `file` for the file in vmfa's home
    #[arg(long, value_name = "REGISTRY", add = registry_words::registry())]
    from: String,
    /// The registry to copy to, made by `vmfa init` before
    #[arg(long, value_name = "REGISTRY", add = registry_words::registry())]
    to: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Copied {
    /// The number of devices that came in.
    devices: usize,
    /// The number of devices that were there already.
    there: usize,
    /// The number of secrets of which codes were handed out.
    ledgers: usize,
    /// Whether what was read back has everything.
    verified: bool,
}

impl Answer for Copied {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let s = if self.devices == 1 { "" } else { "s" };
        let there = if self.there > 0 { format!(", {} there already", self.there) } else { String::new() };
        writeln!(out, "copied {} device{s}{there}; read back and verified", self.devices)?;
        render::note(hints::registries::CHOOSE_NEW);
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        if self.from == self.to {
            return Err(Error::usage("--from and --to name the same registry"));
        }
        let place = Place::find(global)?;
        let from = place.registry_named(&self.from)?;
        let to = place.registry_named_for_new(&self.to)?;
        if from.id()? == to.id()? {
            return Err(Error::usage("--from and --to name the same registry"));
        }
        let mut bar = None;
        let copied = registry::copy(&*from, &*to, |done, all| {
            let bar = bar.get_or_insert_with(|| progress::bar("copying", all));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        })?;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if copied.changed {
            let message = "the registry was changed while it was copied, so the copy may lack something";
            return Err(Error::new(Kind::Storage, "conflict", message).hint(hints::registries::STOP_AND_COPY));
        }
        let registry::Copied { devices, there, ledgers, .. } = copied;
        render::print(&Copied { devices, there, ledgers, verified: true }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "registry copy": Copied;
}
