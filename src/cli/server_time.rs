//! What a server's clock shows: the `Date` of its answers (RFC 9110, section 6.6.1).
//!
//! A date has whole seconds, and an answer takes time. Both leave an interval in which the difference must lie; several
//! answers narrow it down.

use std::time::{Duration, UNIX_EPOCH};

use super::clock;
use super::error::{Error, Kind, Result};

/// How often a server is asked, and how long an answer may take. When that time is over, nothing more is asked.
const QUESTIONS: u8 = 4;
const LIMIT: Duration = Duration::from_secs(10);

/// The system's clock minus a server's, in milliseconds: between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    least: i128,
    most: i128,
}

impl Difference {
    /// From one answer: its date in seconds, and when the question was sent and the answer there, in milliseconds by
    /// the system's clock. The server wrote the date between the two, and its clock showed that second or a later
    /// fraction of it.
    const fn of(date: i128, sent: i128, received: i128) -> Self {
        let date = date.saturating_mul(1000);
        Self { least: sent.saturating_sub(date.saturating_add(999)), most: received.saturating_sub(date) }
    }

    /// What fits both; `None` where they contradict each other, as servers behind one name may.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        (both.least <= both.most).then_some(both)
    }

    /// The middle, in milliseconds.
    pub(super) const fn milliseconds(self) -> i128 {
        self.least.saturating_add(self.most).div_euclid(2)
    }

    /// How far the truth may be from the middle, in milliseconds.
    pub(super) const fn uncertainty(self) -> i128 {
        self.most.saturating_sub(self.least).saturating_add(1).div_euclid(2)
    }

    /// What to add to the system's time to have the server's, in whole seconds.
    pub(super) fn server_ahead(self) -> i64 {
        let rounded = self.milliseconds().saturating_neg().saturating_add(500).div_euclid(1000);
        i64::try_from(rounded).unwrap_or(0)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_lies_in_the_interval_whatever_the_round_trip() {
        // The system is 2,500 ms ahead. The server writes its date at some moment between sending and receiving.
        for (sent, delay, back) in
            [(1_000_000, 0, 0), (1_000_300, 400, 900), (1_000_999, 1, 2_000), (1_000_001, 30, 30)]
        {
            let server = sent + delay - 2_500;
            let difference = Difference::of(i128::div_euclid(server, 1000), sent, sent + delay + back);
            assert!(difference.least <= 2_500 && 2_500 <= difference.most, "{sent}: {difference:?}");
            assert!(difference.uncertainty() <= (1_000 + delay + back) / 2 + 1);
        }
    }

    #[test]
    fn several_answers_narrow_it_down_and_a_contradiction_is_none() {
        let early = Difference::of(100, 100_050, 100_060);
        let late = Difference::of(100, 100_990, 100_995);
        let both = early.and(late).unwrap();
        assert_eq!((both.least, both.most), (-9, 60));
        assert_eq!(both.server_ahead(), 0);
        assert_eq!(early.and(Difference::of(90, 100_050, 100_060)), None);
    }

    #[test]
    fn what_is_added_is_rounded_to_the_nearest_second() {
        let of = |middle: i128| Difference { least: middle - 10, most: middle + 10 }.server_ahead();
        assert_eq!((of(0), of(499), of(501), of(-95_000), of(95_300)), (0, 0, -1, 95, -95));
    }
}
