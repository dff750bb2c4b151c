use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};
use crate::cli::{Global, candidates, hints};
use crate::device::{self, Devices};
use crate::provision::{self, Enrolment};

/// Print a device's otpauth URI, which holds its secret in clear text
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa uri alice
  vmfa uri alice --reveal | qrencode -o alice.png")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// Write the secret even if stdout is not a terminal
    #[arg(long)]
    reveal: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Revealed {
    /// The device's name.
    device: String,
    /// The otpauth URI, with the secret.
    #[cfg_attr(test, schemars(with = "String"))]
    uri: Zeroizing<String>,
}

impl Answer for Revealed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", *self.uri)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        ask_for_reveal(self.reveal)?;
        let uri = provision::uri::format(&of_device(global, &self.device)?);
        render::print(&Revealed { device: self.device.clone(), uri }, global.json)
    }
}

/// A secret goes to something else than a person's eyes only where that was said.
pub(super) fn ask_for_reveal(reveal: bool) -> Result<()> {
    if reveal || io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Error::usage("this writes the secret in clear text, and stdout is not a terminal").hint(hints::usage::REVEAL))
}

/// What another authenticator would enrol: an HOTP counter stands where the next code is made.
pub(super) fn of_device(global: &Global, name: &str) -> Result<Enrolment> {
    let place = Place::find(global)?;
    place.expect_reading();
    let registry = place.registry()?;
    let device = device::find(&*registry, name)?;
    let vault = place.vault_of(&device)?;
    let mut enrolment = Devices { vault: vault.as_ref(), registry: &*registry }.enrolment(&device)?;
    if enrolment.account.is_empty() {
        // A nameless entry helps nobody there.
        enrolment.account = device.name.to_string();
    }
    Ok(enrolment)
}

#[cfg(test)]
crate::cli::schema::answers! {
    "uri": Revealed;
}
