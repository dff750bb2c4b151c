//! What a client asks a tool for.

use serde_json::{Map, Value};

use super::tools::{GET_CODE, GET_PAIR, LIST_DEVICES, LONGEST_NAME, TIMEOUT};
use crate::cli::error::{Error, Result};
use crate::cli::hints;
use crate::device::issue::LONGEST_WAIT;

/// How many `*` a pattern may have: each one more multiplies what it takes to see that a name doesn't match.
const MOST_WILD: usize = 4;

/// A call of a tool.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    List,
    Code { device: Option<String>, timeout: u64, min_validity: Option<u64> },
    Pair { device: Option<String>, timeout: u64 },
}

impl Asked {
    /// None where there is no such tool.
    ///
    /// # Errors
    ///
    /// An argument that it doesn't have, or with a value that it can't have.
    pub(super) fn of(tool: &str, mut arguments: Map<String, Value>) -> Option<Result<Self>> {
        let mut read = || match tool {
            GET_CODE => Ok(Self::Code {
                device: device(arguments.remove("device"))?,
                timeout: seconds("timeout", arguments.remove("timeout"))?.unwrap_or(TIMEOUT),
                min_validity: seconds("min_validity", arguments.remove("min_validity"))?.filter(|seconds| *seconds > 0),
            }),
            GET_PAIR => Ok(Self::Pair {
                device: device(arguments.remove("device"))?,
                timeout: seconds("timeout", arguments.remove("timeout"))?.unwrap_or(TIMEOUT),
            }),
            _ => Ok(Self::List),
        };
        if ![LIST_DEVICES, GET_CODE, GET_PAIR].contains(&tool) {
            return None;
        }
        let read = read();
        if arguments.is_empty() || read.is_err() {
            return Some(read);
        }
        // Its name is the client's, and may be long.
        Some(Err(Error::usage(format!("{tool} has no such argument")).hint(hints::agents::ARGUMENTS)))
    }

    /// The tool's name.
    pub(super) const fn tool(&self) -> &'static str {
        match self {
            Self::List => LIST_DEVICES,
            Self::Code { .. } => GET_CODE,
            Self::Pair { .. } => GET_PAIR,
        }
    }
}

/// A name or pattern; none where it is left out.
fn device(value: Option<Value>) -> Result<Option<String>> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Error::usage("`device` has to be a string")),
    };
    if text.is_empty() || text.chars().count() > LONGEST_NAME {
        return Err(Error::usage(format!("`device` has to have 1 to {LONGEST_NAME} characters")));
    }
    if text.matches('*').count() > MOST_WILD {
        return Err(Error::usage(format!("`device` may have at most {MOST_WILD} `*`")));
    }
    Ok(Some(text))
}

/// A number of seconds; none where it is left out.
fn seconds(name: &str, value: Option<Value>) -> Result<Option<u64>> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(_) => None,
    };
    let wrong = || Error::usage(format!("`{name}` has to be a whole number of seconds from 0 to {LONGEST_WAIT}"));
    number.filter(|seconds| *seconds <= LONGEST_WAIT).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(tool: &str, arguments: Value) -> Option<std::result::Result<Asked, String>> {
        let Value::Object(arguments) = arguments else { panic!() };
        Asked::of(tool, arguments).map(|asked| asked.map_err(|error| error.message().to_owned()))
    }

    #[test]
    fn arguments_are_read_and_bounded() {
        let code = |device: Option<&str>, timeout, min_validity| {
            Some(Ok(Asked::Code { device: device.map(str::to_owned), timeout, min_validity }))
        };
        assert_eq!(asked("get_code", json!({})), code(None, TIMEOUT, None));
        let all = json!({ "device": "ci/*", "timeout": 0, "min_validity": 86_400 });
        assert_eq!(asked("get_code", all), code(Some("ci/*"), 0, Some(86_400)));
        let none = json!({ "device": null, "timeout": null, "min_validity": 0 });
        assert_eq!(asked("get_code", none), code(None, TIMEOUT, None));
        assert_eq!(asked("list_devices", json!({})), Some(Ok(Asked::List)));
        assert_eq!(asked("get_secret", json!({})), None);
        for (tool, arguments) in [
            ("list_devices", json!({ "device": "x" })),
            ("get_pair", json!({ "min_validity": 5 })),
            ("get_code", json!({ "device": 1 })),
            ("get_code", json!({ "device": "" })),
            ("get_code", json!({ "device": "é".repeat(LONGEST_NAME + 1) })),
            ("get_code", json!({ "device": "*a*a*a*a*b" })),
            ("get_code", json!({ "timeout": -1 })),
            ("get_code", json!({ "timeout": 1.5 })),
            ("get_code", json!({ "timeout": "5" })),
            ("get_code", json!({ "timeout": 86_401 })),
            ("get_code", json!({ "x".repeat(9000): 1 })),
        ] {
            let message = asked(tool, arguments.clone()).unwrap().unwrap_err();
            assert!(message.len() < 100, "{tool} {arguments}: {message}");
        }
    }
}
