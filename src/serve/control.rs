//! What isn't AWS's: the time, what happened, and the seeds of a scenario's devices. `/_vmfa/time`, `/_vmfa/events`,
//! `/_vmfa/devices`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::scenario::Seeded;
use super::stand::{Request, Response, Stand};
use super::time::{self, Instant};
use crate::time::signed_duration;
use crate::wire::query::Parameters;

/// How many events one answer has, unless asked for fewer.
const EVENTS: usize = 1_000;

/// What moves the clock: one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: Option<Amount>,
    set: Option<Amount>,
    #[serde(default)]
    force: bool,
}

/// `"30s"`, or a number of seconds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Amount {
    Seconds(i64),
    Text(String),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the clock shows.
#[derive(Debug, Serialize)]
struct Shown {
    time: String,
    unix: u64,
    r#virtual: bool,
}

/// What a scenario made.
#[derive(Serialize)]
struct Devices<'a> {
    devices: &'a [Seeded],
}

pub(super) fn answer(stand: &Stand, request: &Request) -> Response {
    if let Some(refusal) = foreign_page(request) {
        return refusal;
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_vmfa/time") => shown(stand),
        ("POST", "/_vmfa/time") => move_clock(stand, request),
        ("GET", "/_vmfa/events") => events(stand, request),
        ("GET", "/_vmfa/devices") => Response::json(200, &Devices { devices: stand.seeded() }),
        (_, "/_vmfa/time" | "/_vmfa/events" | "/_vmfa/devices") => {
            error(405, "method-not-allowed", "that method isn't for this")
        }
        _ => error(404, "not-found", "there are /_vmfa/time, /_vmfa/events and /_vmfa/devices"),
    }
}

/// Refuses what a page of another site made a browser send: by its origin, or under a name that was made to point here.
/// A browser doesn't always say that it is one, so names that somebody could make point here are refused to all.
pub(super) fn foreign_page(request: &Request) -> Option<Response> {
    let host = request.header("host").unwrap_or_default();
    let same = request.header("origin").is_none_or(|of| of.split_once("://").is_some_and(|(_, of)| of == host));
    let refused = !same || !is_ours(host);
    refused.then(|| {
        error(403, "foreign-origin", "this is answered under addresses, `localhost` and names without dots only")
    })
}

/// Whether a `Host` is a name that nobody else can make point here: an address, this machine, a name without dots (a
/// container's), or one below the domains reserved for such.
fn is_ours(host: &str) -> bool {
    is_address(host)
        || matches!(Name::of(host), Some(Name::Text(name)) if !name.contains('.') || is_below(name, "internal"))
}

/// Whether a `Host` is an address, or a name that always means this machine.
pub(super) fn is_address(host: &str) -> bool {
    match Name::of(host) {
        Some(Name::Address) => true,
        Some(Name::Text(name)) => name.eq_ignore_ascii_case("localhost") || is_below(name, "localhost"),
        None => false,
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(below, last)| !below.is_empty() && last.eq_ignore_ascii_case(domain))
}

/// What a `Host` names: RFC 9110, section 7.2, by the grammar of RFC 3986, section 3.2.2.
enum Name<'a> {
    Address,
    Text(&'a str),
}

impl<'a> Name<'a> {
    /// `None` for what isn't a name or an address with or without a port, nothing before or after.
    fn of(host: &'a str) -> Option<Self> {
        let is_port = |text: &str| {
            text.is_empty()
                || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
        };
        if let Some(rest) = host.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            return (address.parse::<Ipv6Addr>().is_ok() && is_port(port)).then_some(Self::Address);
        }
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(plain) || !is_port(port) {
            return None;
        }
        Some(if name.parse::<Ipv4Addr>().is_ok() { Self::Address } else { Self::Text(name) })
    }
}

fn shown(stand: &Stand) -> Response {
    let now = stand.clock().instant();
    let (time, unix) = (now.to_string(), now.timestamp().as_unix());
    Response::json(200, &Shown { time, unix, r#virtual: stand.clock().is_virtual() })
}

fn move_clock(stand: &Stand, request: &Request) -> Response {
    let wanted: Move = match serde_json::from_slice(&request.body) {
        Ok(wanted) => wanted,
        Err(problem) => {
            let text = format!("{problem}; expected {{\"advance\": \"30s\"}} or {{\"set\": \"2026-01-01T00:00:00Z\"}}");
            return error(400, "bad-request", &text);
        }
    };
    let moved = match (&wanted.advance, &wanted.set) {
        (Some(by), None) => match signed_duration(&by.to_string()) {
            Some(seconds) => stand.move_clock(|clock| clock.advance(seconds, wanted.force)),
            None => return error(400, "bad-request", &format!("`{by}` is no duration: 30s, 5m, 2h, 1d")),
        },
        (None, Some(to)) => match Instant::parse(&to.to_string(), stand.clock().instant()) {
            Ok(time) => stand.move_clock(|clock| clock.set(time, wanted.force)),
            Err(problem) => return error(400, "bad-request", &problem.to_string()),
        },
        _ => return error(400, "bad-request", "one of \"advance\" and \"set\" is needed"),
    };
    match moved {
        Ok(()) => shown(stand),
        Err(problem @ time::Error::Real) => error(409, "real-time", &problem.to_string()),
        Err(problem @ time::Error::Backwards { .. }) => error(409, "backwards", &problem.to_string()),
        Err(problem @ time::Error::NotKept { .. }) => error(500, "state", &problem.to_string()),
        Err(problem) => error(400, "bad-request", &problem.to_string()),
    }
}

/// `?after=NUMBER` and `?limit=NUMBER`.
fn events(stand: &Stand, request: &Request) -> Response {
    let Ok(input) = Parameters::parse(request.query.as_bytes()) else {
        return error(400, "bad-request", "the query string can't be read");
    };
    let number = |name: &str| input.get(name).map(str::parse::<u64>).transpose();
    let (Ok(after), Ok(limit)) = (number("after"), number("limit")) else {
        return error(400, "bad-request", "`after` and `limit` are whole numbers");
    };
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(EVENTS).min(EVENTS);
    let events = stand.events_after(after.unwrap_or(0), most);
    Response::json(200, &serde_json::json!({ "events": events, "count": stand.event_count() }))
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &serde_json::json!({ "error": { "code": code, "message": message } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What isn't a `Host` as a whole.
    const NO_HOSTS: [&str; 21] = [
        "[::1]evil.com",
        "[::1]evil.com:80",
        "[::1]:80:80",
        "[::1]:evil",
        "[::1",
        "::1",
        "::1]",
        "[[::1]]",
        "[127.0.0.1]",
        "[localhost]",
        "[]",
        ":80",
        "localhost:",
        "localhost:+80",
        "localhost:65536",
        "localhost:80@evil.com",
        "user@localhost",
        "localhost/evil.com",
        "localhost evil.com",
        "localhost,evil",
        "127.0.0.1:80.evil.com",
    ];

    #[test]
    fn names_that_anybody_could_make_point_here_are_not_ours() {
        for host in ["127.0.0.1:80", "localhost", "vmfa:4566", "host.docker.internal:1", "a.localhost:1"] {
            assert!(is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:80", "127.0.0.1.evil.example", ".internal", "evil.example:1.internal"]
        {
            assert!(!is_ours(host), "{host}");
        }
        for host in NO_HOSTS {
            assert!(!is_ours(host) && !is_address(host), "{host}");
        }
    }

    #[test]
    fn addresses_and_localhost_are_this_machine() {
        for host in
            ["127.0.0.1:80", "127.0.0.1", "[::1]:80", "[::1]", "localhost:1", "a.localhost", "10.1.2.3:8", "LocalHost"]
        {
            assert!(is_address(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example:1"] {
            assert!(!is_address(host), "{host}");
        }
    }
}
