//! `vmfa serve time` and `vmfa serve events`: talking to a stand-in that runs.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, environment, hints, stand_in};
use crate::serve::{Ended, Event};

/// The first Unix time that counts as one without an `@`: a year after 1970.
const LEAST: u64 = 365 * 86_400;

/// How long a stand-in may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a thousand events have 12,000 characters each at most, of six bytes.
const MOST: u64 = 80_000_000;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Time(Time),
    Events(Events),
}

/// Show or move the virtual time of a stand-in
///
/// Without TO, shows it. +30s, +5m, +2h or +1d moves it on; a time sets it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa serve time
  vmfa serve time +30s
  vmfa serve time 2030-01-01T00:00:00Z")]
pub(super) struct Time {
    /// Such as +30s, 2026-01-01T00:00:00Z, Unix seconds, or -30s with --force
    #[arg(allow_hyphen_values = true)]
    to: Option<String>,
    /// Allow it to go backwards: expired codes and credentials become valid again
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    which: Which,
}

/// Show what a stand-in accepted and refused, and why
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa serve events
  vmfa serve events --after 100 --json")]
pub(super) struct Events {
    /// Only events after the one of this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    which: Which,
}

/// Which stand-in.
#[derive(Debug, clap::Args)]
struct Which {
    /// The stand-in's URL [env: AWS_ENDPOINT_URL]
    #[arg(long, visible_alias = "endpoint", value_name = "URL")]
    endpoint_url: Option<String>,
}

/// What `/_vmfa/time` answers.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Shown {
    time: String,
    unix: u64,
    r#virtual: bool,
}

/// What `/_vmfa/events` answers.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listed {
    count: u64,
    events: Vec<Event>,
}

impl Answer for Shown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", plain(&self.time))
    }
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for event in &self.events {
            let outcome = match event.ended {
                Ended::Accepted => "accepted",
                Ended::Refused => "refused",
                Ended::Passed => "passed",
            };
            let (number, time) = (event.number, plain(&event.time));
            write!(out, "{number}  {time}  {}:{}  {outcome}", plain(&event.service), plain(&event.action))?;
            if let Some(principal) = &event.principal {
                write!(out, "  {}", plain(principal))?;
            }
            writeln!(out)?;
            if let (Some(status), Some(code), Some(message)) = (event.status, &event.code, &event.message) {
                writeln!(out, "    {status} {}: {}", plain(code), plain(message))?;
            }
            if let Some(why) = &event.why {
                writeln!(out, "    {}", plain(why))?;
            }
        }
        Ok(())
    }
}

impl Command {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Time(time) => {
                let answer: Shown = time.which.ask("/_vmfa/time", time.body()?)?;
                render::print(&answer, global.json)
            }
            Self::Events(events) => {
                let all = events.which.events(events.after)?;
                render::print(&all, global.json)
            }
        }
    }
}

impl Time {
    fn body(&self) -> Result<Option<Value>> {
        let Some(to) = &self.to else {
            return if self.force { Err(Error::usage("--force goes with a time to go to")) } else { Ok(None) };
        };
        // A number without a sign is a time; nobody means 1970.
        let length = crate::time::duration(to).filter(|seconds| *seconds < LEAST);
        if let Some(seconds) = length {
            let failure = Error::usage(format!("`{to}` is not a time to go to"));
            let unit = if to.ends_with(|c: char| c.is_ascii_digit()) { "s" } else { "" };
            return Err(failure.hint(hints::serve::move_on(to, unit)).hint(hints::serve::unix_time(seconds)));
        }
        let key = if to.starts_with(['+', '-']) { "advance" } else { "set" };
        Ok(Some(json!({ key: to, "force": self.force })))
    }
}

impl Which {
    /// The events after a number that there are now: while they are read, a busy stand-in may have new ones faster.
    fn events(&self, after: u64) -> Result<Listed> {
        let page = |after: u64| -> Result<Listed> {
            let page: Listed = self.ask(&format!("/_vmfa/events?after={after}"), None)?;
            let mut last = after;
            let ascending = page.events.iter().all(|event| std::mem::replace(&mut last, event.number) < event.number);
            if ascending { Ok(page) } else { Err(unlike(&self.endpoint()?, "it tells events twice or out of order")) }
        };
        let mut all = page(after)?;
        while let Some(last) = all.events.last().map(|event| event.number).filter(|last| *last < all.count) {
            let next = page(last)?;
            if next.events.is_empty() {
                break;
            }
            all.events.extend(next.events);
        }
        Ok(all)
    }

    fn endpoint(&self) -> Result<String> {
        self.endpoint_url
            .clone()
            .or_else(|| environment::text("AWS_ENDPOINT_URL"))
            .ok_or_else(|| Error::usage("no stand-in given").hint(hints::serve::NAME_STAND_IN))
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, path: &str, body: Option<Value>) -> Result<T> {
        let endpoint = self.endpoint()?;
        if !endpoint.starts_with("http://") {
            return Err(Error::usage(format!("`{endpoint}` is no http:// URL")));
        }
        let url = format!("{}{path}", endpoint.trim_end_matches('/'));
        let failed = |reason: &str| unlike(&endpoint, reason);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let answer = match &body {
            Some(body) => agent.post(&url).content_type("application/json").send(body.to_string()),
            None => agent.get(&url).call(),
        };
        let mut answer = answer.map_err(|error| failed(&error.to_string()))?;
        let status = answer.status().as_u16();
        let text =
            answer.body_mut().with_config().limit(MOST).read_to_string().map_err(|error| failed(&error.to_string()))?;
        if status == 200 {
            return serde_json::from_str(&text).map_err(|_| failed("it doesn't answer as a stand-in does"));
        }
        let message = serde_json::from_str::<Value>(&text).ok();
        let message = message.as_ref().and_then(|value| value.pointer("/error/message")?.as_str());
        Err(match (status, message) {
            (409, Some(message)) if message.contains("backwards") => {
                Error::new(Kind::No, "clock", "time would go backwards").hint(hints::serve::FORCE)
            }
            (409, Some(message)) => Error::new(Kind::No, "clock", message),
            (400, Some(message)) => Error::usage(message),
            (_, Some(message)) => failed(message),
            (_, None) => failed(&format!("status {status}")),
        })
    }
}

/// That it isn't as a stand-in should be.
fn unlike(endpoint: &str, reason: &str) -> Error {
    let reason = reason.strip_prefix("io: ").unwrap_or(reason);
    Error::new(Kind::Remote, "stand-in", format!("{endpoint}: {reason}"))
        .hint(stand_in::hint(endpoint).unwrap_or(hints::serve::RUNNING))
}

#[cfg(test)]
crate::cli::schema::answers! {
    "serve time": Shown;
    "serve events": Listed;
}
