use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::cli::chosen_clock::Which;
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::progress::{self, Counted};
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, argv, candidates, clock, hints, source};
use crate::device::{self, Devices};
use crate::name::Name;
use crate::oath::MovingFactor;
use crate::provision::{Enrolment, Found, aws, uri};
use crate::registry::Registry;
use crate::vault::{self, Kind};

use super::code::Code;
use super::show::Description;

/// Add a device from a picture, a URI, a secret key, or an answer of AWS
///
/// If the source has several enrolments, all are added or none, and each is named after its account (with the prefix
/// `NAME/` if you end NAME with a slash).
///
/// Never give a secret or URI as an argument: leave SOURCE out to paste it at a hidden prompt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa add alice qr.png
  vmfa add alice screen
  vmfa add alice                          # paste the secret key at a prompt
  vmfa add alice --issuer GitHub --digits 8
  vmfa add work/ export.txt               # otpauth URIs, one per line")]
pub(in crate::cli) struct Args {
    /// A name for the device
    name: String,
    /// A path, `-` for stdin, `clipboard`, or `screen`; several for pictures of one code's parts [default: a hidden
    /// prompt]
    #[arg(value_name = "SOURCE", add = candidates::source())]
    sources: Vec<OsString>,
    /// Replace the device of this name, which goes to the trash once the new one is stored
    #[arg(long)]
    replace: bool,
    /// The serial number (ARN) of the device at AWS, if SOURCE doesn't tell it
    #[arg(long, value_name = "ARN")]
    serial: Option<String>,
    /// The service that gave the secret, if SOURCE is a secret key alone
    #[arg(long)]
    issuer: Option<String>,
    /// The account at the service, if SOURCE is a secret key alone
    #[arg(long)]
    account: Option<String>,
    /// Print no first code, so that `vmfa code --fresh` can give it
    ///
    /// Nothing is read from the vault then, so you aren't warned of another device with the same secret.
    #[arg(long)]
    no_code: bool,
    #[command(flatten)]
    search: source::Search,
    #[command(flatten)]
    clock: Which,
}

/// What was added, and the first code of each.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Added {
    /// The new devices.
    added: Vec<One>,
    /// What was odd about the source, or which codes could not be made.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    #[serde(flatten)]
    device: Description,
    /// The current code. Left out with `--no-code`, or if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_code: Option<Code>,
}

impl Answer for Added {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for warning in &self.warnings {
            render::note(&format!("warning: {}", plain(warning)));
        }
        for One { device, first_code } in &self.added {
            writeln!(out, "added {}", plain(&device.name))?;
            let mut lines = device.lines();
            if let Some(code) = first_code {
                lines.push(("first code", code.with_validity()));
            }
            fields(out, &lines)?;
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        self.refuse_mixed_up()?;
        if self.serial.as_ref().is_some_and(|serial| !aws::is_mfa_arn(serial)) {
            return Err(Error::usage("--serial takes the ARN of an MFA device: arn:aws:iam::ACCOUNT:mfa/NAME"));
        }
        let clock = self.clock.open(global)?;
        let place = Place::find(global)?;
        let registry = place.registry()?;
        // Before anything is read or asked for: a name that can't be used.
        let prefix = self.name.strip_suffix('/').filter(|prefix| !prefix.is_empty());
        let name: Name = prefix.unwrap_or(&self.name).parse()?;
        if prefix.is_none() && !self.replace && registry.find(&name)?.is_some() {
            return Err(taken(&name));
        }
        let vault = place.vault_for_new()?;
        // Nobody pastes a secret only to hear that there is nowhere to keep it. A locked keyring may be unlocked
        // yet; the age vault stores without what opens it.
        if vault.kind() == Kind::Keyring
            && let Err(error) = vault.probe()
            && !matches!(error, vault::Error::Locked(_))
        {
            return Err(error.into());
        }
        // Without a vault, no home is made: its name may be mistyped.
        let registry = place.registry_for_new()?;
        let Found { mut enrolments, warnings, lines, .. } =
            self.labelled(source::read_all(&self.sources, &self.search)?)?;
        self.number(&mut enrolments)?;
        let several = enrolments.len() > 1;
        if several && self.replace {
            return Err(Error::new(
                ErrorKind::No,
                "ambiguous",
                format!(
                    "the source holds {} enrolments, and --replace takes the place of one device",
                    enrolments.len()
                ),
            )
            .hint(hints::devices::ONE_BY_ONE));
        }
        let named = if several { name_each(prefix, enrolments, &lines)? } else { name_one(prefix, name, enrolments)? };

        let bar = if several { progress::bar("storing", named.len()) } else { ProgressBar::hidden() };
        let vault = Counted { vault: vault.as_ref(), bar };
        let devices = Devices { vault: &vault, registry: &*registry };
        let now = clock::now();
        let added = devices.add(&named, self.replace, now).map_err(|error| match error {
            device::Error::Registry(crate::registry::Error::NameTaken(name)) => taken(&name),
            error => error.into(),
        })?;

        let mut answer = Added { added: Vec::new(), warnings: warnings.iter().map(ToString::to_string).collect() };
        if let (true, None, Some((first, _))) = (several, prefix, named.first()) {
            let count = named.len();
            answer
                .warnings
                .push(format!("the source has {count} enrolments, each named after its account, not `{}`", self.name));
            answer.warnings.push(hints::devices::prefix_instead(&self.name, first.as_str()));
        }
        let moment = clock.moment();
        let now = moment.now;
        for (mut device, (_, enrolment)) in added.into_iter().zip(&named) {
            if self.no_code {
                answer.added.push(One { device: Description::of(&device, Some(enrolment)), first_code: None });
                continue;
            }
            let codes = match device.parameters.factor {
                MovingFactor::Time { .. } => devices.codes(&device, enrolment, moment, 0, 1),
                MovingFactor::Counter { .. } => devices.next_codes(&device, enrolment, 1, now),
            };
            if let (MovingFactor::Counter { next }, Ok([first])) = (&mut device.parameters.factor, codes.as_deref()) {
                *next = first.moving_factor.saturating_add(1);
            }
            // The device is stored: a code that can't be shown is no failure any more. The age vault stores without its
            // identity; to write down what is handed out it may need a passphrase, which is asked for where somebody is.
            let first_code = match codes {
                Ok(codes) => codes.first().map(|issued| Code::of(issued, moment.time)),
                Err(device::Error::Vault(error)) => {
                    answer.warnings.push(format!(
                        "no first code: {error}; `vmfa code {}` gives one",
                        hints::word(device.name.as_str())
                    ));
                    None
                }
                Err(error) => {
                    answer.warnings.push(format!("no first code: {error}"));
                    None
                }
            };
            answer.added.push(One { device: Description::of(&device, Some(enrolment)), first_code });
        }
        answer.warnings.extend(same_secrets(&*registry, &answer.added)?);
        render::print(&answer, global.json)
    }
}

/// Tells of devices that have the secret of an added one, as far as that is known: those that gave codes.
fn same_secrets(registry: &dyn Registry, added: &[One]) -> Result<Vec<String>> {
    let mut by_ledger: HashMap<vault::Id, Vec<String>> = HashMap::new();
    for device in device::active(registry)? {
        if let Some(ledger) = device.ledger {
            by_ledger.entry(ledger).or_default().push(device.name.to_string());
        }
    }
    let mut told = Vec::new();
    for names in by_ledger.values().filter(|names| names.len() > 1) {
        for One { device, .. } in added.iter().filter(|one| names.contains(&one.device.name)) {
            let others: Vec<String> =
                names.iter().filter(|name| **name != device.name).map(|name| format!("`{name}`")).collect();
            let (others, name) = (others.join(", "), &device.name);
            told.push(format!("`{name}` has the same secret as {others}: they share which codes are used"));
        }
    }
    told.sort();
    Ok(told)
}

impl Args {
    /// Gives a secret that came alone the issuer and the account that are named. What that makes of it is what it would
    /// be as a URI: an issuer may say that codes are those of Steam Guard.
    fn labelled(&self, found: Found) -> Result<Found> {
        let option = if self.issuer.is_some() { "--issuer" } else { "--account" };
        if self.issuer.is_none() && self.account.is_none() {
            return Ok(found);
        }
        if !source::is_bare(&found) {
            return Err(source::told(option));
        }
        let Found { mut enrolments, mut warnings, .. } = found;
        let Some(mut one) = enrolments.pop() else { return Err(crate::provision::Error::Empty.into()) };
        one.issuer = self.issuer.clone().filter(|issuer| !issuer.trim().is_empty());
        one.account = self.account.clone().unwrap_or_default();
        let mut again = uri::parse(&uri::format(&one))?;
        again.warnings.retain(|warning| !warnings.contains(warning));
        warnings.append(&mut again.warnings);
        Ok(Found { enrolments: again.enrolments, warnings, ..Found::default() })
    }

    /// Gives the one enrolment the serial number of `--serial`.
    fn number(&self, enrolments: &mut [Enrolment]) -> Result<()> {
        let Some(serial) = &self.serial else { return Ok(()) };
        let [enrolment] = enrolments else {
            let message = format!("the source holds {} enrolments, and --serial is of one device", enrolments.len());
            return Err(Error::new(ErrorKind::No, "ambiguous", message));
        };
        let told = enrolment.serial.as_deref();
        if let Some(told) = told.filter(|told| told != serial) {
            let message = format!("the source is of the device {}, not of {serial}", plain(told));
            return Err(Error::new(ErrorKind::No, "other-serial", message).hint(hints::devices::LEAVE_SERIAL));
        }
        aws::number(enrolment, serial);
        Ok(())
    }

    /// The name forgotten, or name and source swapped.
    fn refuse_mixed_up(&self) -> Result<()> {
        let name = &self.name;
        let shown = hints::word(name);
        match self.sources.first().map(|source| source.to_string_lossy()) {
            None if source::is_place(name) || is_file_name(name) => {
                let what = if matches!(name.as_str(), "-" | "clipboard" | "screen") { "a source" } else { "a file" };
                Err(Error::usage(format!("`{name}` is {what}, and the device has no name: give one first"))
                    .hint(hints::devices::name_first(None, &shown)))
            }
            Some(other) if source::is_place(name) && !source::is_place(&other) && !is_file_name(&other) => {
                // What isn't a file may be a secret.
                let secret = argv::might_be_secret(&other);
                let name_there = (!secret).then(|| hints::word(&other));
                Err(Error::usage(format!("`{name}` is a source: the name comes first"))
                    .hint(hints::devices::name_first(name_there.as_deref(), &shown)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a word is the name of a picture or a text, as no device is called.
fn is_file_name(word: &str) -> bool {
    const ENDINGS: [&str; 24] = [
        "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "heic", "avif", "svg", "pdf", "ico", "pnm", "pgm",
        "txt", "json", "xml", "html", "htm", "csv", "uri", "age", "asc",
    ];
    let ending = word.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    word.contains("://") || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn taken(name: &Name) -> Error {
    Error::from(crate::registry::Error::NameTaken(name.clone())).hint(hints::devices::REPLACE)
}

fn name_one(prefix: Option<&str>, name: Name, mut enrolments: Vec<Enrolment>) -> Result<Vec<(Name, Enrolment)>> {
    match (prefix, enrolments.pop()) {
        (Some(_), Some(enrolment)) => name_each(prefix, vec![enrolment], &[]),
        (None, Some(enrolment)) => Ok(vec![(name, enrolment)]),
        (_, None) => Err(crate::provision::Error::Empty.into()),
    }
}

/// Accounts as names; `ISSUER/ACCOUNT` where two issuers have the same account.
fn name_each(prefix: Option<&str>, enrolments: Vec<Enrolment>, lines: &[usize]) -> Result<Vec<(Name, Enrolment)>> {
    let short = |enrolment: &Enrolment| match enrolment.account.as_str() {
        "" => enrolment.issuer.clone().unwrap_or_default(),
        account => account.to_owned(),
    };
    let long = |enrolment: &Enrolment| match &enrolment.issuer {
        Some(issuer) => format!("{issuer}/{}", enrolment.account),
        None => short(enrolment),
    };
    let mut names: Vec<String> = enrolments.iter().map(short).collect();
    if twice(&names).is_some() {
        names = enrolments.iter().map(long).collect();
    }
    if let Some(places) = twice(&names) {
        let name = places.first().and_then(|place| names.get(*place)).map_or("", String::as_str);
        let name = if argv::looks_like_secret(name) { "(not repeated)" } else { name };
        let on: Vec<usize> = places.iter().filter_map(|place| lines.get(*place).copied()).collect();
        let on = if on.is_empty() { String::new() } else { format!(" (on {})", source::lines_in_words(&on)) };
        let message = format!("the source has {} different secrets for `{name}`{on}: nothing was added", places.len());
        return Err(Error::new(ErrorKind::No, "ambiguous", message).hint(hints::devices::OTHER_ACCOUNT));
    }
    let mut named = Vec::with_capacity(enrolments.len());
    for (place, (name, enrolment)) in names.into_iter().zip(enrolments).enumerate() {
        let on = lines.get(place).map_or_else(String::new, |line| format!(" (line {line})"));
        let name = prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}/{name}"));
        if argv::looks_like_secret(&name) {
            return Err(Error::input(
                "account",
                format!("an account of the source{on} looks like a secret, so it can't be a name"),
            )
            .hint(hints::devices::ADD_ALONE));
        }
        let name = name.parse().map_err(|error: crate::name::Error| {
            Error::from(error)
                .about(&format!("an account of the source{on} can't be a name"))
                .hint(hints::devices::ADD_ALONE)
        })?;
        named.push((name, enrolment));
    }
    Ok(named)
}

/// The places of the first name that comes more than once.
fn twice(names: &[String]) -> Option<Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        places.entry(name).or_default().push(place);
    }
    places.into_values().filter(|places| places.len() > 1).min()
}

#[cfg(test)]
crate::cli::schema::answers! {
    "add": Added;
}
