//! The description of the server (OpenAPI 3.1), made of the types that it answers with. After a change:
//! `VMFA_UPDATE=1 cargo nextest run openapi`, and read the diff.

use std::fs;
use std::path::Path;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::desk::Listed;
use crate::cli::command::code::Codes;
use crate::cli::command::pair::Answered;
use crate::cli::command::release::Released;
use crate::cli::error::Written;

fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.into_generator()
}

/// An answer of JSON.
fn answer(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// What can go wrong at a path, by status.
fn errors(schema: &Value, statuses: &[(&str, &str)]) -> Value {
    let later = json!({
        "description": "In how many seconds it is worth another try.",
        "schema": { "type": "integer", "minimum": 0 },
    });
    let error = |(status, description): &(&str, &str)| {
        let mut error = answer(description, schema);
        if ["409", "429", "503"].contains(status) {
            error["headers"] = json!({ "Retry-After": later });
        }
        ((*status).to_owned(), error)
    };
    Value::Object(statuses.iter().map(error).collect())
}

fn with(mut responses: Value, ok: &Value) -> Value {
    responses["200"] = ok.clone();
    responses
}

const BODY: &[(&str, &str)] = &[
    ("400", "The request is not as it should be."),
    ("401", "There is no access token, or one that isn't known, has expired or was removed."),
    ("404", "There is no such device that this access token may use."),
    ("408", "The body took too long."),
    ("409", "It can't be had now; `available_at` tells when."),
    ("413", "The body is too large."),
    ("415", "The body isn't said to be JSON."),
    ("429", "This access token makes too many requests."),
    ("503", "The registry, the vault or the server can't do it now."),
];

const LOOK: &[(&str, &str)] = &[
    ("401", "There is no access token, or one that isn't known, has expired or was removed."),
    ("429", "This access token makes too many requests."),
    ("503", "The registry can't be read now."),
];

fn described() -> Value {
    let mut generator = generator();
    let of = |schema: schemars::Schema| schema.to_value();
    let codes = of(generator.subschema_for::<Codes>());
    let pair = of(generator.subschema_for::<Answered>());
    let released = of(generator.subschema_for::<Released>());
    let devices = of(generator.subschema_for::<Listed>());
    let error = of(generator.subschema_for::<Written<'static>>());
    let device = |what: &str, example: &str| json!({ "type": "string", "minLength": 1, "maxLength": 256, "description": what, "examples": [example] });
    let seconds = |what: &str| json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 3600, "description": what, "examples": [0] });
    let body = |required: &[&str], properties: Value| {
        json!({
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object", "additionalProperties": false, "required": required, "properties": properties,
            } } },
        })
    };
    let name = "The device's name.";
    let post = |id: &str, summary: &str, body: Value, ok: &str, schema: &Value| {
        json!({ "post": {
            "operationId": id,
            "summary": summary,
            "requestBody": body,
            "responses": with(errors(&error, BODY), &answer(ok, schema)),
        } })
    };
    let open = json!([]);
    let status = json!({
        "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } },
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "vmfa share",
            "version": "1",
            "summary": "Codes of virtual MFA devices, each of them once",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "access_token": [] }],
        "paths": {
            "/v1/codes": post(
                "code",
                "Get a code that nobody else has or will get",
                body(&["device"], json!({
                    "device": device("The device's name, or a pattern such as `ci/*`: then the code is of whichever device has one soonest.", "ci/*"),
                    "min_validity": seconds("For how many seconds the code has to be good."),
                    "window": {
                        "oneOf": [
                            { "type": "integer", "minimum": 0, "maximum": 1000 },
                            { "const": "accepted" },
                            { "type": "null" },
                        ],
                        "description": "How many steps away a code may be, instead of waiting; `accepted` is what the service accepts.",
                    },
                    "timeout": seconds("How many seconds the code may be waited for. 300 if left out."),
                })),
                "A code. It is handed out and used up.",
                &codes,
            ),
            "/v1/pairs": post(
                "pair",
                "Get two consecutive codes, to enable or resynchronize a device",
                body(&["device"], json!({
                    "device": device(name, "ci/1"),
                    "timeout": seconds("How many seconds the pair may be waited for. 300 if left out."),
                })),
                "A pair. It is handed out and used up.",
                &pair,
            ),
            "/v1/release": post(
                "release",
                "Give back a code or a pair that never reached the service",
                body(&["device", "claim"], json!({
                    "device": device(name, "ci/1"),
                    "claim": { "type": "string", "pattern": "^[0-9a-fA-F]{16}$", "description": "The `claim` of what was handed out.", "examples": ["9f2c4e6ab01d7358"] },
                })),
                "It can be handed out again.",
                &released,
            ),
            "/v1/devices": { "get": {
                "operationId": "devices",
                "summary": "List the devices that the access token may use, without their secrets",
                "responses": with(errors(&error, LOOK), &answer("The devices, by name.", &devices)),
            } },
            "/healthz": { "get": {
                "operationId": "health",
                "summary": "Tell whether codes can be handed out",
                "security": open,
                "responses": with(
                    errors(&error, &[("503", "They can't be: the registry can't be reached, or written.")]),
                    &answer("They can be.", &status),
                ),
            } },
            "/metrics": { "get": {
                "operationId": "metrics",
                "summary": "Tell what was handed out, in the text format of Prometheus",
                "responses": with(errors(&error, LOOK), &json!({
                    "description": "Counters and gauges.",
                    "content": { "text/plain": { "schema": { "type": "string" } } },
                })),
            } },
            "/v1/openapi.json": { "get": {
                "operationId": "description",
                "summary": "Get this description",
                "security": open,
                "responses": { "200": answer("This description.", &json!({ "type": "object" })) },
            } },
        },
        "components": {
            "securitySchemes": { "access_token": {
                "type": "http", "scheme": "bearer", "description": "Made by `vmfa share token add`.",
            } },
            "schemas": generator.take_definitions(true),
        },
    })
}

#[test]
fn describes_what_is_answered() {
    let text = format!("{:#}\n", described());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/command/share/openapi.json");
    #[expect(clippy::disallowed_methods, reason = "a test, which reads its own switch")]
    let update = std::env::var_os("VMFA_UPDATE").is_some();
    if update {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} is behind: VMFA_UPDATE=1 cargo nextest run openapi", path.display());
}
