//! Schemas of what `--json` answers, kept in docs/schema. After a change: `VMFA_UPDATE=1 cargo nextest run schema`, and read
//! the diff: keys may come, and none may go.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Holds a command's file in docs/schema to the types that it answers with.
macro_rules! answers {
    ($($command:literal: $($shape:ty),+;)+) => {
        mod schema {
            use super::*;

            #[test]
            fn is_in_docs() {
                $({
                    let mut generator = $crate::cli::schema::generator();
                    let shapes = vec![$(generator.subschema_for::<$shape>()),+];
                    $crate::cli::schema::hold($command, shapes, generator);
                })+
            }
        }
    };
}
pub(super) use answers;

/// One for what is written, not for what is read.
pub(super) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// `shapes`: any of them is an answer of the command.
pub(super) fn hold(command: &str, mut shapes: Vec<Schema>, mut generator: SchemaGenerator) {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": match command {
            "error" => "an error".to_owned(),
            "backup file" => "what `vmfa backup` encrypts".to_owned(),
            "vmfa export" => "what `vmfa export --format vmfa` writes".to_owned(),
            command => format!("vmfa {command} --json"),
        },
        "$defs": generator.take_definitions(true),
    });
    match (shapes.pop(), shapes.is_empty()) {
        (Some(only), true) => schema["$ref"] = only.as_value()["$ref"].clone(),
        (last, _) => {
            shapes.extend(last);
            schema["anyOf"] = shapes.into_iter().map(Schema::to_value).collect::<Value>();
        }
    }
    let text = format!("{schema:#}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(command.replace(' ', "-") + ".json");
    #[expect(clippy::disallowed_methods, reason = "a test, which reads its own switch")]
    let update = std::env::var_os("VMFA_UPDATE").is_some();
    if update {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} is behind: VMFA_UPDATE=1 cargo nextest run schema", path.display());
}
