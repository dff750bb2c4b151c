//! The house: imports point down, and siblings of a layer don't know each other.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the crate by layer, the lowest first. `main.rs` and `lib.rs` stand outside.
const LAYERS: &[&[&str]] = &[
    &["secret", "time", "name", "file"],
    &["oath"],
    &["vault", "registry", "provision", "policy", "wire"],
    &["device"],
    &["aws", "serve"],
    &["cli"],
];

/// What siblings may know of each other all the same, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("registry", "vault", "a record says under which id and in which kind of vault the secret is")];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The crate's modules that a source text names: `crate::x`, and every name of `crate::{x, y::z}`.
fn named_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let first = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => names.push(first(rest)),
            Some(group) => {
                let (mut depth, mut start) = (0, true);
                for (index, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && depth == 0 && !c.is_whitespace() => {
                            names.push(first(&group[index..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn imports_point_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_below(&source, &mut files);
    let mut failures = Vec::new();
    let mut seen = 0;
    for file in &files {
        let relative = file.strip_prefix(&source).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(own) = layer_of(module) else {
            assert!(matches!(module, "main" | "lib"), "{module} has no layer");
            continue;
        };
        // Doc comments may point upwards.
        let text: String = fs::read_to_string(file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        for name in named_in(&text) {
            if name == module || EXCEPTIONS.iter().any(|(from, to, _)| *from == module && *to == name) {
                continue;
            }
            let Some(other) = layer_of(&name) else { continue };
            seen += 1;
            if other >= own {
                failures.push(format!("{} imports {name}", relative.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(seen > 20, "only {seen} imports seen: is the test looking?");
}

#[test]
fn the_check_sees_every_form_of_an_import() {
    let text = "use crate::{name::Name, cli::{a, b}, oath};\nuse crate::vault::Id; crate::time::X";
    assert_eq!(named_in(text), ["name", "cli", "oath", "vault", "time"]);
}
