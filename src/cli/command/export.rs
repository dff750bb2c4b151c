use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::password::Password;
use crate::cli::pattern::{self, Wanted};
use crate::cli::private_file;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clock, hints, progress};
use crate::device::{self, Devices};
use crate::exchange::export::EXPORTERS;
use crate::exchange::{self, Encryption, Entry, Exporter, Request};
use crate::registry::{Device, Registry};

/// Export devices to a file that another authenticator reads
///
/// Anybody who reads the file has the secrets. It is written for you alone (0600), and no file is overwritten without
/// --force. The formats aegis, kdbx and vmfa are encrypted with a password; the others are clear text, which you ask
/// for with --plaintext.
///
/// A counter device (HOTP) is exported with its next counter. Use it in one place only from then on: two that count on
/// their own hand out the same codes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa export phone.json --format aegis           # asks for a password
  vmfa export codes.html --format html --plaintext 'work/**'
  vmfa export uris.txt --format uris --plaintext")]
pub(in crate::cli) struct Args {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which devices: patterns, or parts of name, issuer or account [default: all]
    #[arg(value_name = "DEVICE", add = candidates::pool())]
    devices: Vec<String>,
    /// The format of the file: uris, aegis, 2fas, bitwarden, cxf, kdbx, google, vmfa, html, svg or png
    #[arg(long, value_parser = formats(), hide_possible_values = true)]
    format: String,
    /// Write the secrets in clear text
    #[arg(long)]
    plaintext: bool,
    /// Overwrite the file if there is one
    #[arg(long)]
    force: bool,
    /// Read the password to encrypt with from this file descriptor
    #[arg(long, value_name = "FD", conflicts_with = "password_file")]
    password_fd: Option<u32>,
    /// Read the password to encrypt with from the first line of this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    EXPORTERS.iter().map(|exporter| exporter.id).collect::<Vec<_>>().into()
}

/// What was written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Exported {
    /// The format.
    format: &'static str,
    /// The file.
    file: String,
    /// Whether it is encrypted.
    encrypted: bool,
    /// The names of the devices in it.
    devices: Vec<String>,
    #[serde(skip)]
    title: &'static str,
}

impl Answer for Exported {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let count = self.devices.len();
        let devices = if count == 1 { "device" } else { "devices" };
        writeln!(out, "wrote {}: {} with {count} {devices}", plain(&self.file), self.title)?;
        if !self.encrypted {
            render::note("the secrets are in it in clear text: delete it when you are done with it");
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let exporter = EXPORTERS.iter().find(|exporter| exporter.id == self.format);
        let exporter = exporter.ok_or_else(|| Error::usage(format!("`{}` is not a format", self.format)))?;
        let password = Password { descriptor: self.password_fd, file: self.password_file.as_deref() };
        self.agree(exporter, &password)?;
        private_file::expect_file(&self.file)?;
        if !self.force && self.file.exists() {
            return Err(Error::file_exists(&self.file).hint(hints::FORCE));
        }
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        let devices = self.chosen(device::active(&*registry)?)?;
        let entries = read(&place, &*registry, &devices)?;

        let password = if self.plaintext { None } else { Some(password.chosen()?) };
        let random =
            |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| exchange::Error::Random(error.to_string()));
        let request = Request {
            password: password.as_ref().map(|password| password.as_bytes()),
            random: &random,
            now: clock::now().as_unix(),
        };
        let written = progress::encrypting(|| (exporter.write)(&entries, &request));
        let bytes: Zeroizing<Vec<u8>> = written.map_err(|error| unfit(error, &devices))?;
        private_file::write(&self.file, &bytes, self.force)?;
        let answer = Exported {
            format: exporter.id,
            file: self.file.display().to_string(),
            encrypted: password.is_some(),
            devices: devices.iter().map(|device| device.name.to_string()).collect(),
            title: exporter.title,
        };
        render::print(&answer, global.json)
    }

    /// That clear text was asked for where nothing else can be had, and a password isn't given for nothing.
    fn agree(&self, exporter: &Exporter, password: &Password<'_>) -> Result<()> {
        if self.plaintext && password.is_given() {
            return Err(Error::usage("--plaintext writes without encryption, and a password is given"));
        }
        if exporter.encryption == Encryption::Always && self.plaintext {
            let message = format!("{} is always encrypted, so --plaintext doesn't work with it", exporter.title);
            return Err(Error::usage(message).hint(hints::exports::ALWAYS_ENCRYPTED));
        }
        if exporter.encryption == Encryption::Never && !self.plaintext {
            let message = format!("{} has the secrets in clear text", exporter.title);
            return Err(Error::usage(message).hint(hints::exports::PLAINTEXT).hint(hints::exports::ENCRYPTED));
        }
        Ok(())
    }

    fn chosen(&self, mut devices: Vec<Device>) -> Result<Vec<Device>> {
        let any = !devices.is_empty();
        if !self.devices.is_empty() {
            let wanted = self.devices.iter().map(|text| Wanted::of(text)).collect::<Result<Vec<_>>>()?;
            devices.retain(|device| wanted.iter().any(|wanted| wanted.has(device)));
        }
        match (devices.is_empty(), self.devices.is_empty()) {
            (true, false) => Err(pattern::none_matches(&self.devices, any)),
            (true, true) => {
                Err(Error::new(ErrorKind::No, "no-such-device", "there are no devices to export").no_devices())
            }
            (false, _) => Ok(devices),
        }
    }
}

/// The devices' entries, in order. What stands before the last `/` of a name becomes the group.
fn read(place: &Place, registry: &dyn Registry, devices: &[Device]) -> Result<Vec<Entry>> {
    let mut entries: Vec<Option<Entry>> = vec![None; devices.len()];
    for kind in crate::vault::Kind::LASTING {
        let (places, group): (Vec<usize>, Vec<&Device>) =
            devices.iter().enumerate().filter(|(_, device)| device.vault == kind).unzip();
        let Some(first) = group.first() else { continue };
        let vault = place.vault_of(first)?;
        let read = Devices { vault: vault.as_ref(), registry }.enrolments(&group);
        for ((at, device), enrolment) in places.into_iter().zip(group).zip(read) {
            let mut enrolment = enrolment?;
            if enrolment.account.is_empty() {
                // A nameless entry helps nobody there.
                enrolment.account = device.name.to_string();
            }
            let groups = device.name.as_str().rsplit_once('/').map(|(group, _)| group.to_owned());
            if let Some(entry) = entries.get_mut(at) {
                *entry = Some(Entry { enrolment, groups: groups.into_iter().collect() });
            }
        }
    }
    Ok(entries.into_iter().flatten().collect())
}

/// A device that the format can't hold, by its name.
fn unfit(error: exchange::Error, devices: &[Device]) -> Error {
    match error {
        exchange::Error::Unfit { entry, reason } => {
            let name = devices.get(entry).map_or("", |device| device.name.as_str());
            Error::new(ErrorKind::No, "unfit", format!("`{name}` doesn't fit the format: {reason}"))
                .hint(hints::exports::OTHER_DEVICES)
        }
        error => error.into(),
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "export": Exported;
    "vmfa export": exchange::Document;
}
