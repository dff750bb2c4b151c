//! How a source is read: the options that all commands with a source have.

use std::time::Duration;

use crate::cli::clock;
use crate::provision::Limits;

/// How a source is read.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Search {
    /// How much CPU time to search a picture for QR codes, such as 20s
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = seconds)]
    deadline: Duration,
    /// Accept a bare secret under 80 bits: any short word would pass for one
    #[arg(long)]
    allow_short: bool,
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (1..=3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a time from 1s to 1h".to_owned())
}

impl Search {
    /// The time starts now. Call this for each picture, after its bytes were read.
    pub(in crate::cli) fn limits(&self) -> Limits {
        Limits { expired: clock::work_limit(self.deadline), allow_short: self.allow_short, ..Limits::default() }
    }
}
