//! The house: imports point down, siblings of a layer don't know each other, and no files import each other in a circle.

mod imports;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;

/// Modules of the crate by layer, the lowest first. `main.rs` and `lib.rs` stand outside.
const LAYERS: &[&[&str]] = &[
    &["secret", "time", "name", "file", "threads"],
    &["oath", "bus"],
    &["wire"],
    &["vault", "registry", "provision", "policy"],
    &["device", "exchange"],
    &["aws", "serve"],
    &["cli", "testing"],
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

/// The shortest way from a file over imports back to itself.
fn circle_of<'a>(start: &'a Path, imports: &'a Imports) -> Option<Vec<&'a Path>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in imports[*way.last()?].keys() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

/// All circles, each once: a line for each import, with a name that makes it one.
fn circles(imports: &Imports) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut circles = imports.keys().filter_map(|file| circle_of(file, imports)).collect::<Vec<_>>();
    circles.retain(|circle| seen.insert(circle.iter().copied().collect::<BTreeSet<_>>()));
    let line = |from: &Path, to: &Path| format!("{} -> {}: {}\n", from.display(), to.display(), imports[from][to]);
    let lines =
        |circle: &Vec<&Path>| circle.iter().zip(circle.iter().cycle().skip(1)).map(|(a, b)| line(a, b)).collect();
    circles.iter().map(lines).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let circles = circles(&imports);
    let rule = "move what both need down, into a file of its own or into the lower of the two";
    assert!(circles.is_empty(), "{} circles; {rule}:\n\n{}", circles.len(), circles.join("\n"));
    let seen: usize = imports.values().map(BTreeMap::len).sum();
    assert!(seen > 1_000, "only {seen} imports seen: is the test looking?");
}

#[test]
fn a_circle_is_seen_whatever_form_its_imports_have() {
    let one_and_two = |one: &str, two: &str| {
        let module = "mod one;\nmod two;\npub use one::One;\npub use self::two::{self as second, Two as Other};";
        circles(&imports::of(&[("lib.rs", "mod a;"), ("a/mod.rs", module), ("a/one.rs", one), ("a/two.rs", two)]))
    };
    let two = "pub struct Two(super::One);";
    for one in [
        "use super::two::Two;\npub struct One;",
        "use crate::a::{two};\npub struct One;\nfn f() { two::Two::new() }",
        "use super::Other;\npub struct One;",
        "use crate::{a::{second::*}};\npub struct One(Two);",
        "pub struct One;\nmacro!(crate::a::two::Two)",
        "pub struct One;\npub use super::two::Two as Third;",
    ] {
        let circles = one_and_two(one, two);
        assert_eq!(circles.len(), 1, "{one}");
        assert!(circles[0].contains("a/two.rs -> a/one.rs: super::One"), "{circles:?}");
    }
    for one in [
        "pub struct One;",
        "// use super::two::Two;\n/* Two */\npub struct One(&'static str);\nconst C: char = '\"';",
        "/// [`Two`](super::two::Two)\npub struct One;\nconst S: &str = \"super::two::Two\";",
        "pub struct One;\n#[cfg(test)]\nmod tests { use super::super::two::Two; }",
        "use other::Two;\npub struct One(Two);",
    ] {
        assert!(one_and_two(one, two).is_empty(), "{one}");
    }
}

#[test]
fn a_variant_that_is_called_as_what_is_handed_on_is_no_import() {
    let module = "mod one;\npub use one::One;\npub enum All { One(u8), #[other] Two { field: u8 } }\n";
    let one = "pub struct One(super::All);";
    let circles_with = |code: &str| circles(&imports::of(&[("lib.rs", &[module, code].concat()), ("one.rs", one)]));
    assert!(circles_with("fn f() {}").is_empty());
    assert_eq!(circles_with("fn f() { One::new() }").len(), 1);
    assert_eq!(circles_with("enum Other { Three(One) }").len(), 1);
}

#[test]
fn files_that_the_design_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in ["src", "tests"] {
        files_below(&root.join(directory), &mut files);
    }
    let design = fs::read_to_string(root.join("docs/design.md")).unwrap();
    let named: Vec<&str> = design.split('`').skip(1).step_by(2).filter(|text| text.ends_with(".rs")).collect();
    let lost: Vec<&&str> = named.iter().filter(|name| !files.iter().any(|file| file.ends_with(name))).collect();
    assert!(lost.is_empty(), "docs/design.md names files that aren't there: {lost:?}");
    assert!(named.len() > 30, "only {} files seen: is the test looking?", named.len());
}
