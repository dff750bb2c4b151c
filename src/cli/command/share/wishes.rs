//! What a client asks for: the JSON of a request's body.

use serde::{Deserialize, Deserializer};

use crate::cli::command::dispense::Wish;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::registry::{NotToken, Token};

/// The longest name or pattern, in characters.
const LONGEST_NAME: usize = 256;

/// How many `*` a pattern may have: each one more multiplies what it takes to see that a name doesn't match.
const MOST_WILD: usize = 4;

/// How long a code is waited for where a request doesn't say, and at most, in seconds.
const TIMEOUT: u64 = 300;
const LONGEST_TIMEOUT: u64 = 3_600;

/// How many steps away a code may be.
const FARTHEST: u64 = 1_000;

/// A code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForCode {
    pub(super) device: String,
    #[serde(default, deserialize_with = "whole")]
    min_validity: Option<u64>,
    #[serde(default, deserialize_with = "window")]
    window: Option<Option<u64>>,
    #[serde(default, deserialize_with = "whole")]
    timeout: Option<u64>,
}

/// A pair.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForPair {
    pub(super) device: String,
    #[serde(default, deserialize_with = "whole")]
    timeout: Option<u64>,
}

/// Giving back what a claim has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForRelease {
    pub(super) device: String,
    claim: String,
}

/// A whole number, also where it is written as `5.0`: JSON has one sort of numbers.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let written = || {
        let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
        // Zero may have a sign.
        if number == 0.0 { Some(0) } else { number.to_string().parse().ok() }
    };
    let whole = number.as_u64().or_else(written);
    whole.map(Some).ok_or_else(|| serde::de::Error::custom("a number has to be whole and not negative"))
}

/// A number of steps, or `"accepted"`: what the service accepts.
fn window<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Option<u64>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`window` is a number of steps, or \"accepted\"")]
    enum Window {
        Steps(#[serde(deserialize_with = "whole")] Option<u64>),
        Word(String),
    }
    match Option::<Window>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Window::Steps(steps)) => Ok(Some(steps)),
        Some(Window::Word(word)) if word == "accepted" => Ok(Some(None)),
        Some(Window::Word(_)) => Err(serde::de::Error::custom("`window` is a number of steps, or \"accepted\"")),
    }
}

/// Reads a body.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        // Not its position or what is there, which may be long: the sort of fault.
        let message = match error.classify() {
            serde_json::error::Category::Data => format!("the body is not as it should be: {}", of_data(&error)),
            _ => "the body is not JSON".to_owned(),
        };
        Error::input("request", message).hint(hints::share::DESCRIPTION)
    })
}

/// What is wrong with the data, in short.
fn of_data(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

/// A name or pattern that can be looked for.
pub(super) fn expect_name(text: &str) -> Result<()> {
    if text.is_empty() || text.chars().count() > LONGEST_NAME {
        return Err(Error::usage(format!("`device` has to have 1 to {LONGEST_NAME} characters")));
    }
    if text.matches('*').count() > MOST_WILD {
        return Err(Error::usage(format!("`device` may have at most {MOST_WILD} `*`")));
    }
    Ok(())
}

fn timeout(seconds: Option<u64>) -> Result<u64> {
    let seconds = seconds.unwrap_or(TIMEOUT);
    if seconds > LONGEST_TIMEOUT {
        return Err(Error::usage(format!("`timeout` is a number of seconds up to {LONGEST_TIMEOUT}")));
    }
    Ok(seconds)
}

impl ForCode {
    pub(super) fn wish(&self) -> Result<Wish> {
        expect_name(&self.device)?;
        if self.min_validity.is_some_and(|seconds| seconds > LONGEST_TIMEOUT) {
            return Err(Error::usage(format!("`min_validity` is a number of seconds up to {LONGEST_TIMEOUT}")));
        }
        if self.window.flatten().is_some_and(|steps| steps > FARTHEST) {
            return Err(Error::usage(format!("`window` is a number of steps up to {FARTHEST}, or \"accepted\"")));
        }
        let min_validity = self.min_validity.filter(|seconds| *seconds > 0);
        Ok(Wish { window: self.window, min_validity, timeout: timeout(self.timeout)? })
    }
}

impl ForPair {
    pub(super) fn timeout(&self) -> Result<u64> {
        expect_name(&self.device)?;
        timeout(self.timeout)
    }
}

impl ForRelease {
    pub(super) fn claim(&self) -> Result<Token> {
        expect_name(&self.device)?;
        self.claim.parse().map_err(|error: NotToken| match self.claim.bytes().all(|digit| digit == b'0') {
            // It has the form of one, and nothing has it.
            true if self.claim.len() == 16 => Error::new(Kind::No, "not-handed-out", "no claim has this number"),
            _ => Error::usage(format!("`claim`: {error}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_left_out_is_and_what_is_not_known_is_refused() {
        let code = |text: &str| read::<ForCode>(text.as_bytes()).and_then(|wish| wish.wish());
        let wish = code(r#"{"device":"ci/*"}"#).unwrap();
        assert_eq!((wish.window, wish.min_validity, wish.timeout), (None, None, 300));
        let wish = code(r#"{"device":"a","min_validity":5,"window":2,"timeout":0}"#).unwrap();
        assert_eq!((wish.window, wish.min_validity, wish.timeout), (Some(Some(2)), Some(5), 0));
        let wish = code(r#"{"device":"a","min_validity":5.0,"window":2.0,"timeout":1e2}"#).unwrap();
        assert_eq!((wish.window, wish.min_validity, wish.timeout), (Some(Some(2)), Some(5), 100));
        assert_eq!(code(r#"{"device":"a","min_validity":-0,"timeout":-0.0}"#).unwrap().timeout, 0);
        assert_eq!(code(r#"{"device":"a","window":"accepted"}"#).unwrap().window, Some(None));
        assert_eq!(code(r#"{"device":"a","window":null,"min_validity":null,"timeout":null}"#).unwrap().window, None);
        for text in [
            "",
            "[]",
            "{}",
            "not JSON",
            r#"{"device":""}"#,
            r#"{"device":7}"#,
            r#"{"device":"a","other":1}"#,
            r#"{"device":"a","window":-1}"#,
            r#"{"device":"a","window":"all"}"#,
            r#"{"device":"a","window":{"accepted":null}}"#,
            r#"{"device":"a","window":1001}"#,
            r#"{"device":"a","timeout":3601}"#,
            r#"{"device":"a","timeout":1.5}"#,
            r#"{"device":"a","timeout":-0.5}"#,
            r#"{"device":"a","timeout":1e300}"#,
            r#"{"device":"*****"}"#,
        ] {
            assert!(code(text).is_err(), "{text}");
        }
        assert!(read::<ForRelease>(br#"{"device":"a","claim":"x"}"#).unwrap().claim().is_err());
        assert!(read::<ForRelease>(br#"{"device":"a","claim":"9f2c4e6ab01d7358"}"#).unwrap().claim().is_ok());
    }
}
