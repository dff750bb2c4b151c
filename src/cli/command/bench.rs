use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::cli::error::Result;
use crate::cli::render::{self, Answer, table};
use crate::cli::{Global, clock};
use crate::oath::hotp::{self, Backend, Keyed};
use crate::oath::{Algorithm, Digits, Parameters};
use crate::secret::Secret;

/// Measure how fast this machine computes codes
///
/// Times six-digit SHA-1 codes on one thread, with each instruction set that this processor has. `vmfa` searches for a
/// device's drift with the fastest. It takes about two seconds and reads no device.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa bench
  vmfa bench --json")]
pub(in crate::cli) struct Args {}

/// How many codes are computed in one run.
const CODES: u64 = 2_048;

/// For how long runs are repeated.
const LONG: Duration = Duration::from_millis(150);

/// Any step; what it costs is the same for all.
const STEP: u64 = 60_000_000;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Measured {
    /// The back-ends of this processor, the fastest first.
    backends: Vec<Row>,
    /// Nanoseconds per code, one by one, including the hashing of its key.
    single_ns: f64,
}

/// A back-end.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row {
    /// `avx512`, `avx2`, `sha-ni`, `neon` or `portable`.
    name: &'static str,
    /// Whether `vmfa` uses it.
    used: bool,
    /// How many codes it computes side by side.
    lanes: usize,
    /// Nanoseconds per code, for many steps of one secret.
    one_secret_ns: f64,
    /// Nanoseconds per code, for one step of many prepared secrets.
    many_secrets_ns: f64,
}

impl Answer for Measured {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let row = |row: &Row| {
            let used = if row.used { " (used)" } else { "" };
            vec![
                format!("{}{used}", row.name),
                row.lanes.to_string(),
                nanoseconds(row.one_secret_ns),
                nanoseconds(row.many_secrets_ns),
            ]
        };
        let single = vec!["portable, single".to_owned(), "1".to_owned(), nanoseconds(self.single_ns), String::new()];
        let rows: Vec<_> = self.backends.iter().map(row).chain([single]).collect();
        table(out, &["BACK-END", "LANES", "ONE SECRET", "MANY SECRETS"], &rows)
    }
}

fn nanoseconds(time: f64) -> String {
    format!("{time:.1} ns")
}

impl Args {
    #[expect(clippy::unused_self, reason = "it has no options")]
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let secrets: Vec<Secret> =
            (0..CODES).filter_map(|number| Secret::new([number.to_be_bytes(), [7; 8]].concat()).ok()).collect();
        let Some(first) = secrets.first() else { return Ok(()) };
        let keyed: Vec<Keyed> = secrets.iter().map(|secret| Keyed::new(secret, Algorithm::Sha1)).collect();
        let one = Keyed::new(first, Algorithm::Sha1);
        let steps = STEP..=STEP.saturating_add(CODES).saturating_sub(1);
        let measure = |backend: Backend| Row {
            name: backend.name(),
            used: backend == Backend::best(),
            lanes: backend.lanes(),
            one_secret_ns: fastest(|| {
                one.codes_by(backend, steps.clone(), Digits::SIX).for_each(|code| _ = black_box(code));
            }),
            many_secrets_ns: fastest(|| {
                hotp::codes_of_by(backend, &keyed, STEP, Digits::SIX).for_each(|code| _ = black_box(code));
            }),
        };
        let backends = Backend::available().into_iter().map(measure).collect();
        let single_ns = fastest(|| {
            steps.clone().for_each(|step| _ = black_box(hotp::code(first, step, &Parameters::DEFAULT)));
        });
        render::print(&Measured { backends, single_ns }, global.json)
    }
}

/// Nanoseconds for each of [`CODES`], in the fastest of several runs: the others shared the processor.
fn fastest(work: impl Fn()) -> f64 {
    let elapsed = clock::stopwatch();
    let mut best = f64::INFINITY;
    while elapsed() < LONG {
        let run = clock::stopwatch();
        work();
        best = best.min(run().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let codes = CODES as f64;
    best * 1e9 / codes
}

#[cfg(test)]
crate::cli::schema::answers! {
    "bench": Measured;
}
