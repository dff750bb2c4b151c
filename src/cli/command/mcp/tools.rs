//! The tools, as a client lists them.

use serde_json::{Value, json};

use crate::device::issue::LONGEST_WAIT;

pub(super) const LIST_DEVICES: &str = "list_devices";
pub(super) const GET_CODE: &str = "get_code";
pub(super) const GET_PAIR: &str = "get_pair";

/// How long is waited for a code by default, in seconds: many clients give up after a minute.
pub(super) const TIMEOUT: u64 = 50;

/// The longest name or pattern of a client, in characters.
pub(super) const LONGEST_NAME: usize = 128;

/// What a client tells its model about all of them.
pub(super) const INSTRUCTIONS: &str = "One-time codes (MFA, 2FA) for signing in. Ask for a code just before you type it: \
     each code is given once and is valid for a short time. If a code is refused, ask for another one instead of trying it again. \
     list_devices shows the devices that you may use.";

/// The answer to `tools/list`.
pub(super) fn list() -> Value {
    let device =
        |what: &str| json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "description": what });
    let timeout = json!({
        "type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": TIMEOUT,
        "description": "How many seconds to wait at most; 0 to fail at once",
    });
    let min_validity = json!({
        "type": "integer", "minimum": 0, "maximum": LONGEST_WAIT,
        "description": "For how many seconds the code has to stay valid. Not for counter devices (HOTP)",
    });
    json!({ "tools": [
        {
            "name": LIST_DEVICES,
            "title": "List devices",
            "description": "List the MFA devices that you may use, without their secrets.",
            "inputSchema": { "type": "object", "properties": {}, "additionalProperties": false },
            "outputSchema": or_failure(&object(&[("devices", json!({ "type": "array", "items": described() }))], &[])),
            "annotations": annotations("List devices", true),
        },
        {
            "name": GET_CODE,
            "title": "Get a code",
            "description": "Get a one-time code that nobody got before, for signing in. If the current code is used, it waits for \
                            the next one. The code counts as used from then on.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "device": device("The device's name, or a pool of devices such as ci/*, any of which will do. Not needed if \
                                      there is only one device"),
                    "timeout": timeout,
                    "min_validity": min_validity,
                },
                "additionalProperties": false,
            },
            "outputSchema": or_failure(&codes()),
            "annotations": annotations("Get a code", false),
        },
        {
            "name": GET_PAIR,
            "title": "Get two consecutive codes",
            "description": "Get two consecutive one-time codes, which services ask for when an MFA device is enabled or \
                            resynchronized. To sign in, use get_code.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "device": device("The device's name. Not needed if there is only one device"),
                    "timeout": timeout,
                },
                "additionalProperties": false,
            },
            "outputSchema": or_failure(&pair()),
            "annotations": annotations("Get two consecutive codes", false),
        },
    ] })
}

/// A code is used up, which nothing brings back; nothing that there was is changed or deleted.
fn annotations(title: &str, read_only: bool) -> Value {
    json!({
        "title": title,
        "readOnlyHint": read_only,
        "destructiveHint": false,
        "idempotentHint": read_only,
        "openWorldHint": false,
    })
}

/// An object with these keys, all of them, and perhaps those.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let properties = required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    json!({
        "type": "object",
        "properties": serde_json::Map::from_iter(properties),
        "required": names,
        "additionalProperties": false,
    })
}

/// That, or what tells of a failure: some clients hold failures to the schema, too.
fn or_failure(success: &Value) -> Value {
    let failure = object(
        &[("kind", text()), ("message", text()), ("hints", json!({ "type": "array", "items": text() }))],
        &[("available_at", time()), ("wait_seconds", count())],
    );
    json!({ "type": "object", "anyOf": [success, failure] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn text_or_none() -> Value {
    json!({ "type": ["string", "null"] })
}

/// Without `"format"`: some clients take a schema for broken that has one which they don't know.
fn time() -> Value {
    json!({ "type": "string", "description": "RFC 3339, in UTC" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// What a code is told with, beside itself.
fn of_code() -> Vec<(&'static str, Value)> {
    vec![
        ("step", count()),
        ("counter", count()),
        ("valid_from", time()),
        ("valid_until", time()),
        ("validity_seconds", count()),
        ("repeated", json!({ "const": false })),
        ("claim", text()),
    ]
}

fn code() -> Value {
    object(&[("code", text())], &of_code())
}

fn codes() -> Value {
    let codes = json!({ "type": "array", "items": code(), "minItems": 1, "maxItems": 1 });
    let required =
        [("device", text()), ("issuer", text_or_none()), ("account", text()), ("code", text()), ("codes", codes)];
    object(&required, &of_code())
}

fn pair() -> Value {
    let codes = json!({ "type": "array", "items": code(), "minItems": 2, "maxItems": 2 });
    object(
        &[
            ("device", text()),
            ("issuer", text_or_none()),
            ("account", text()),
            ("serial_number", text_or_none()),
            ("authentication_code1", text()),
            ("authentication_code2", text()),
            ("codes", codes),
        ],
        &[("claim", text())],
    )
}

fn described() -> Value {
    let wrong_clock =
        object(&[("set_seconds", json!({ "type": "integer" })), ("rate_ppm", json!({ "type": "integer" }))], &[]);
    object(
        &[
            ("name", text()),
            ("id", text()),
            ("issuer", text_or_none()),
            ("account", text()),
            ("type", json!({ "enum": ["totp", "hotp", "steam"] })),
            ("algorithm", text()),
            ("digits", count()),
            ("serial_number", text_or_none()),
            ("vault", text()),
            ("created", time()),
        ],
        &[("period", count()), ("counter", count()), ("last_used", time()), ("wrong_clock", wrong_clock)],
    )
}
