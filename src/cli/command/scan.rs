use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::described::Described;
use crate::cli::error::Result;
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates, hints, source};
use crate::provision::{Enrolment, Found, uri};

/// Show what a picture, a file or a text would enrol, and store nothing
///
/// Secrets are left out unless you give --reveal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa scan qr.png
  vmfa scan screen --all                  # every code on a page
  vmfa scan export.txt --json")]
pub(in crate::cli) struct Args {
    /// A path, `-` for stdin, `clipboard`, or `screen` [default: a hidden prompt]
    #[arg(add = candidates::source())]
    source: Option<OsString>,
    /// Show the secrets, as otpauth URIs
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
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let Found { enrolments, warnings, lines } = source::read(self.source.as_deref(), &self.search)?;
        let lines = lines.into_iter().map(Some).chain(std::iter::repeat(None));
        let scanned = Scanned {
            enrolments: enrolments.iter().zip(lines).map(|(one, line)| One::of(one, line, self.reveal)).collect(),
            warnings: warnings.iter().map(ToString::to_string).collect(),
        };
        render::print(&scanned, global.json)?;
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
