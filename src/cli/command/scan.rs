use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::error::Result;
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates, hints, source};
use crate::oath::MovingFactor;
use crate::provision::{Enrolment, Found, uri};

use super::show::codes_in_words;

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
    /// Who gives the secret.
    issuer: Option<String>,
    /// For which account; may be empty.
    account: String,
    /// `totp`, `hotp` or `steam`.
    r#type: &'static str,
    /// `SHA1`, `SHA256` or `SHA512`.
    algorithm: &'static str,
    /// How many digits a code has, or how many characters one of Steam Guard.
    digits: u8,
    /// TOTP and Steam Guard: the period in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    /// HOTP: the next counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
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
        let (period, counter) = match enrolment.parameters.factor {
            MovingFactor::Time { period } => (Some(period.seconds()), None),
            MovingFactor::Counter { next } => (None, Some(next)),
        };
        Self {
            issuer: enrolment.issuer.clone(),
            account: enrolment.account.clone(),
            r#type: enrolment.parameters.kind(),
            algorithm: enrolment.parameters.algorithm.as_str(),
            digits: enrolment.parameters.digits.count(),
            period,
            counter,
            serial_number: enrolment.serial.clone(),
            secret_bits: enrolment.secret.bits(),
            line,
            uri: reveal.then(|| uri::format(enrolment)),
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let or_none = |text: &str| plain(if text.is_empty() { "-" } else { text }).into_owned();
        let mut lines = vec![
            ("issuer", or_none(self.issuer.as_deref().unwrap_or_default())),
            ("account", or_none(&self.account)),
            ("codes", codes_in_words(self.r#type, self.algorithm, self.digits, self.period, self.counter)),
        ];
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
