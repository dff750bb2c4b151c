use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::described::Described;
use crate::cli::error::Result;
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates, hints, source};
use crate::provision::Error::NotOtpauth;
use crate::provision::{Enrolment, Found, Other, Warning, uri};

/// Show what a picture, a file or a text would enrol, and store nothing
///
/// QR codes that enrol nothing are shown as what they are. Secrets are left out unless you give --reveal, and so is the text
/// of other codes, but for the beginning of an address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa scan qr.png
  vmfa scan screen --all                  # every code on a page
  vmfa scan part1.png part2.png           # one code in several parts
  vmfa scan export.txt --json")]
pub(in crate::cli) struct Args {
    /// A path, `-` for stdin, `clipboard`, or `screen`; several for pictures of one code's parts [default: a hidden
    /// prompt]
    #[arg(value_name = "SOURCE", add = candidates::source())]
    sources: Vec<OsString>,
    /// Show the secrets, as otpauth URIs, and all text of other codes
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    search: source::Search,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Scanned {
    /// What would be enrolled, in the order of the source.
    enrolments: Vec<One>,
    /// The QR codes that enrol nothing.
    others: Vec<Foreign>,
    /// What was odd about the source.
    warnings: Vec<String>,
}

/// One enrolment.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    #[serde(flatten)]
    described: Described,
    /// The ARN of an AWS device, if the source tells it.
    serial_number: Option<String>,
    /// The length of the secret.
    secret_bits: usize,
    /// The line of the source, if it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The otpauth URI, with the secret. Left out without `--reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    uri: Option<Zeroizing<String>>,
}

/// A QR code that enrols nothing.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Foreign {
    /// What it holds, in words: `a web address`, `a Wi-Fi sign-in`, `other text` …
    what: &'static str,
    /// Its text. Without `--reveal`, an address up to its parameters; left out for anything else, which may be a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    text: Option<Zeroizing<String>>,
}

impl Foreign {
    fn of(other: Other, reveal: bool) -> Self {
        let Other { what, text } = other;
        let address = matches!(what, "a web address" | "an e-mail address" | "a telephone number");
        let shown = match (reveal, address) {
            (true, _) => Some(text),
            (false, true) => Some(Zeroizing::new(until_parameters(&text).to_owned())),
            (false, false) => None,
        };
        Self { what, text: shown }
    }

    fn line(&self) -> String {
        let Some(text) = &self.text else { return self.what.to_owned() };
        let line = text.lines().next().unwrap_or_default();
        let cut: String = line.chars().take(LONGEST).collect();
        let more = if cut.len() < text.len() { "…" } else { "" };
        format!("{}: {}{more}", self.what, plain(&cut))
    }
}

/// The most characters of another code's text that people are shown.
const LONGEST: usize = 100;

/// An address without what may sign somebody in: parameters, a fragment, a user with a password.
fn until_parameters(text: &str) -> &str {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let address = text.get(..end).unwrap_or(text);
    let host = address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(rest));
    if host.contains('@') { "" } else { address }
}

impl One {
    fn of(enrolment: &Enrolment, line: Option<usize>, reveal: bool) -> Self {
        Self {
            described: Described::of(enrolment.issuer.as_deref(), &enrolment.account, &enrolment.parameters),
            serial_number: enrolment.serial.clone(),
            secret_bits: enrolment.secret.bits(),
            line,
            uri: reveal.then(|| uri::format(enrolment)),
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = self.described.lines();
        if let Some(serial) = &self.serial_number {
            lines.push(("serial number", plain(serial).into_owned()));
        }
        lines.push(("secret", format!("{} bits", self.secret_bits)));
        lines
    }
}

impl Answer for Scanned {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for warning in &self.warnings {
            render::note(&format!("warning: {}", plain(warning)));
        }
        for (place, one) in (1_usize..).zip(&self.enrolments) {
            let line = one.line.map_or_else(String::new, |line| format!(" (line {line})"));
            writeln!(out, "{place} of {}{line}", self.enrolments.len())?;
            fields(out, &one.lines())?;
            if let Some(uri) = &one.uri {
                writeln!(out, "  URI  {}", **uri)?;
            }
        }
        match self.others.len() {
            0 => {}
            1 => writeln!(out, "1 QR code enrols nothing")?,
            count => writeln!(out, "{count} QR codes enrol nothing")?,
        }
        for other in &self.others {
            writeln!(out, "  {}", other.line())?;
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let Found { enrolments, mut warnings, lines, others } = source::look(&self.sources, &self.search)?;
        // They are listed.
        warnings.retain(|warning| !matches!(warning, Warning::OtherCodes { .. }));
        let nothing = others.first().filter(|_| enrolments.is_empty()).map(|other| NotOtpauth { what: other.what });
        let lines = lines.into_iter().map(Some).chain(std::iter::repeat(None));
        let scanned = Scanned {
            enrolments: enrolments.iter().zip(lines).map(|(one, line)| One::of(one, line, self.reveal)).collect(),
            others: others.into_iter().map(|other| Foreign::of(other, self.reveal)).collect(),
            warnings: warnings.iter().map(ToString::to_string).collect(),
        };
        render::print(&scanned, global.json)?;
        if let Some(nothing) = nothing {
            return Err(nothing.into());
        }
        if render::for_eyes() && !self.reveal {
            render::note(hints::sources::NOTHING_STORED);
        }
        Ok(())
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "scan": Scanned;
}
