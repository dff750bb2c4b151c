//! What isn't AWS's: the time, what happened, and the seeds of a scenario's devices. `/_vmfa/time`, `/_vmfa/events`,
//! `/_vmfa/devices`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::host::foreign_page;
use super::message::{Request, Response};
use super::scenario::Seeded;
use super::stand::Stand;
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
            Response::error(405, "method-not-allowed", "that method isn't for this")
        }
        _ => Response::error(404, "not-found", "there are /_vmfa/time, /_vmfa/events and /_vmfa/devices"),
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
            return Response::error(400, "bad-request", &text);
        }
    };
    let moved = match (&wanted.advance, &wanted.set) {
        (Some(by), None) => match signed_duration(&by.to_string()) {
            Some(seconds) => stand.move_clock(|clock| clock.advance(seconds, wanted.force)),
            None => {
                return Response::error(
                    400,
                    "bad-request",
                    &format!("`{by}` is not a duration such as 30s, 5m, 2h or 1d"),
                );
            }
        },
        (None, Some(to)) => match Instant::parse(&to.to_string(), stand.clock().instant()) {
            Ok(time) => stand.move_clock(|clock| clock.set(time, wanted.force)),
            Err(problem) => return Response::error(400, "bad-request", &problem.to_string()),
        },
        _ => return Response::error(400, "bad-request", "one of \"advance\" and \"set\" is needed"),
    };
    match moved {
        Ok(()) => shown(stand),
        Err(problem @ time::Error::Real) => Response::error(409, "real-time", &problem.to_string()),
        Err(problem @ time::Error::Backwards { .. }) => Response::error(409, "backwards", &problem.to_string()),
        Err(problem @ time::Error::NotKept { .. }) => Response::error(500, "state", &problem.to_string()),
        Err(problem) => Response::error(400, "bad-request", &problem.to_string()),
    }
}

/// `?after=NUMBER` and `?limit=NUMBER`.
fn events(stand: &Stand, request: &Request) -> Response {
    let Ok(input) = Parameters::parse(request.query.as_bytes()) else {
        return Response::error(400, "bad-request", "the query string can't be read");
    };
    let number = |name: &str| input.get(name).map(str::parse::<u64>).transpose();
    let (Ok(after), Ok(limit)) = (number("after"), number("limit")) else {
        return Response::error(400, "bad-request", "`after` and `limit` are whole numbers");
    };
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(EVENTS).min(EVENTS);
    let events = stand.events_after(after.unwrap_or(0), most);
    Response::json(200, &serde_json::json!({ "events": events, "count": stand.event_count() }))
}
