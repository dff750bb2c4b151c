//! What a server's clock shows: the `Date` of its answers (RFC 9110, section 6.6.1).

use std::time::{Duration, UNIX_EPOCH};

use super::clock;
use super::error::{Error, Kind, Result};
use crate::time::difference::Difference;

/// How often a server is asked, and how long an answer may take. When that time is over, nothing more is asked.
const QUESTIONS: u8 = 4;
const LIMIT: Duration = Duration::from_secs(10);

/// Asks a server, several times.
///
/// # Errors
///
/// A URL that isn't one, a server that doesn't answer or gives no date.
pub(super) fn difference(url: &str) -> Result<Difference> {
    let (scheme, rest) = url.split_once("://").map_or((None, ""), |(scheme, rest)| (Some(scheme), rest));
    if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
        return Err(Error::usage("a URL with a user or password in it was not used: a clock needs none"));
    }
    let scheme = scheme.map(str::to_ascii_lowercase);
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(Error::usage(format!("`{url}` is no http:// or https:// URL")));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(LIMIT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("vmfa/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let expired = clock::deadline(LIMIT);
    let mut known = ask(&agent, url)?;
    for _ in 1..QUESTIONS {
        if expired() {
            break;
        }
        // The connection stands by now, so later answers are quicker. One that fails or contradicts says nothing.
        known = ask(&agent, url).ok().and_then(|next| known.and(next)).unwrap_or(known);
    }
    Ok(known)
}

fn ask(agent: &ureq::Agent, url: &str) -> Result<Difference> {
    let failed = |reason: String| {
        Error::new(Kind::Remote, "server-time", format!("{url}: {reason}"))
            .hint("any web server with a right clock will do, such as https://sts.amazonaws.com")
    };
    let (answer, sent, received) = clock::timed(|| agent.head(url).header("cache-control", "no-cache").call());
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    let date = answer.headers().get("date").ok_or_else(|| failed("the answer has no date".to_owned()))?;
    // An answer that a cache kept tells an old time (RFC 9111, section 5.1).
    if answer.headers().get("age").is_some_and(|age| age != "0") {
        return Err(failed("the answer comes from a cache, and its date is old".to_owned()));
    }
    let date = date.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
    let date = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    let date = date.ok_or_else(|| failed("the answer's date can't be read".to_owned()))?;
    Ok(Difference::of(i128::from(date.as_secs()), sent, received))
}
