//! How a source is read: the options that all commands with a source have.

use std::time::Duration;

use crate::cli::clock;
use crate::cli::error::{Error, Result};
use crate::cli::{hints, picker};
use crate::oath::{Algorithm, Digits, MovingFactor, Parameters};
use crate::provision::{Found, Limits};
use crate::time::Period;

/// How long pictures are searched.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Effort {
    /// How much CPU time to search a picture for QR codes, such as 20s
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = seconds)]
    deadline: Duration,
}

impl Effort {
    /// The time starts now. Call this for each picture, after its bytes were read.
    pub(in crate::cli) fn limits(&self) -> Limits {
        Limits { expired: clock::work_limit(self.deadline), ..Limits::default() }
    }
}

/// How a source is read.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Search {
    #[command(flatten)]
    effort: Effort,
    /// Search a picture for more QR codes as long as the deadline lets, for pages with many
    #[arg(long)]
    all: bool,
    /// Choose one on the terminal if the source has several
    #[arg(long)]
    pick: bool,
    /// Accept a bare secret under 80 bits: any short word would pass for one
    #[arg(long)]
    allow_short: bool,
    /// Read a secret key in hexadecimal
    #[arg(long)]
    hex: bool,
    /// How many digits the codes of a bare secret key have (6 to 10), or `steam` [default: 6]
    #[arg(long, value_name = "N", value_parser = digits)]
    digits: Option<Digits>,
    /// How long a code of a bare secret key is valid, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = period)]
    period: Option<Period>,
    /// The algorithm for a bare secret key: SHA1, SHA256 or SHA512 [default: SHA1]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (1..=3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a time from 1s to 1h".to_owned())
}

fn digits(text: &str) -> std::result::Result<Digits, String> {
    if text.eq_ignore_ascii_case("steam") {
        return Ok(Digits::STEAM);
    }
    text.parse().map_err(|_| "expected a number from 6 to 10, or `steam`".to_owned())
}

fn period(text: &str) -> std::result::Result<Period, String> {
    let seconds = crate::time::duration(text).and_then(Period::new);
    seconds.ok_or_else(|| "expected a number of seconds, at least 1".to_owned())
}

impl Search {
    /// The time starts now. Call this for each picture, after its bytes were read.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            allow_short: self.allow_short,
            all: self.all,
            hex: self.hex,
            bare: self.parameters(),
            ..self.effort.limits()
        }
    }

    /// How codes of a secret alone are made.
    fn parameters(&self) -> Parameters {
        Parameters {
            algorithm: self.algorithm.unwrap_or_default(),
            digits: self.digits.unwrap_or(Digits::SIX),
            factor: MovingFactor::Time { period: self.period.unwrap_or(Period::DEFAULT) },
        }
    }

    /// With `--pick`, leaves the one of several that the user chooses.
    ///
    /// # Errors
    ///
    /// Nobody is there to choose, or nothing was chosen.
    pub(super) fn picked(&self, mut found: Found) -> Result<Found> {
        if !self.pick || found.enrolments.len() < 2 {
            return Ok(found);
        }
        if !picker::possible() {
            return Err(Error::usage("--pick needs a terminal to choose at"));
        }
        let place = picker::choose_enrolment(&found.enrolments)?;
        if place < found.enrolments.len() {
            found.enrolments.swap(0, place);
            found.enrolments.truncate(1);
            found.lines.clear();
        }
        Ok(found)
    }

    /// Whether codes are made as the options say.
    fn made(&self, found: &Found) -> bool {
        found.enrolments.iter().all(|one| one.parameters == self.parameters())
    }

    /// # Errors
    ///
    /// Options for a secret alone, where the source says by itself how codes are made.
    pub(super) fn refuse_told(&self, found: &Found) -> Result<()> {
        let given = [
            ("--hex", self.hex),
            ("--digits", self.digits.is_some()),
            ("--period", self.period.is_some()),
            ("--algorithm", self.algorithm.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) if !is_bare(found) || !self.made(found) => Err(told(option)),
            _ => Ok(()),
        }
    }
}

/// Whether a source was nothing but a secret.
pub(in crate::cli) fn is_bare(found: &Found) -> bool {
    matches!(found.enrolments.as_slice(), [one] if one.issuer.is_none() && one.account.is_empty() && one.serial.is_none())
}

/// The error for an option that is of no use for this source.
pub(in crate::cli) fn told(option: &str) -> Error {
    Error::usage(format!("{option} is for a secret key alone, and the source is more than that"))
        .hint(hints::sources::WITHOUT_OPTIONS)
}
