//! A stand-in's time, asked for and moved by its own path, `/_vmfa/time`.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use super::hints;
use crate::aws::https::ClearText;

/// How long a stand-in may take to tell or move its time.
const ANSWER: Duration = Duration::from_secs(10);

/// Where a stand-in may be.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    url: String,
    agent: ureq::Agent,
}

/// What it tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// In Unix seconds.
    pub(super) unix: u64,
    /// Whether it stands until it is moved.
    pub(super) is_virtual: bool,
}

impl StandIn {
    pub(super) fn at(url: &str, clear_text: ClearText) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self::by(clear_text.agent(config), url)
    }

    /// The same over connections that are there already; the agent takes no status for an error.
    pub(super) fn by(agent: ureq::Agent, url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), agent }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Its time; `None` if nobody answers like a stand-in.
    pub(super) fn time(&self) -> Option<Told> {
        let mut answer = self.agent.get(format!("{}/_vmfa/time", self.url)).call().ok()?;
        if answer.status() != 200 {
            return None;
        }
        let value: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
        Some(Told { unix: value.get("unix")?.as_u64()?, is_virtual: value.get("virtual")?.as_bool()? })
    }

    /// Moves its time forward to this one, unless it is there already: several processes that wait for the same time move it
    /// once. `false` if that isn't possible.
    pub(super) fn move_to(&self, unix: u64) -> bool {
        let body = format!("{{\"set\": \"{unix}\"}}");
        let moved = self.agent.post(format!("{}/_vmfa/time", self.url)).content_type("application/json").send(body);
        moved.is_ok_and(|answer| answer.status() == 200) || self.time().is_some_and(|told| told.unix >= unix)
    }
}

/// What to try if nobody answers at a URL. A URL on this machine is that of a stand-in.
pub(super) fn hint(url: &str) -> Option<&'static str> {
    let (_, rest) = url.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(authority, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    let here = host.parse::<IpAddr>().map_or_else(|_| host == "localhost", |address| address.is_loopback());
    here.then_some(hints::serve::RUNNING_THERE)
}

/// The command that moves it.
pub(super) fn command(url: &str, seconds: u64) -> String {
    format!("vmfa serve time +{seconds}s --endpoint-url {url}")
}
