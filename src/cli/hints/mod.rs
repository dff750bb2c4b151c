//! What an error advises, in one table: a file for each area, in it a heading for what went wrong. A hint is a command to run,
//! or the one thing to do (docs/style.md).
//!
//! All hints of the command line are here; the test below keeps it so. Fixed ones are constants, the others functions of what
//! they name; each is called after what it is for.

pub(super) mod agents;
pub(super) mod aws;
pub(super) mod devices;
pub(super) mod exports;
pub(super) mod registries;
pub(super) mod serve;
pub(super) mod share;
pub(super) mod sources;
pub(super) mod usage;
pub(super) mod vaults;

/// A word of a command as a shell takes it: names may have spaces.
pub(super) fn word(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| "…".to_owned(), |word| word.into_owned())
}

// Something else was meant.

pub(super) fn did_you_mean(near: &str) -> String {
    format!("did you mean `{near}`?")
}

/// The first names of several.
fn there_are(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => format!("there are {shown}"),
        more => format!("there are {shown} and {more} more"),
    }
}

// It may work later.

pub(super) const TRY_AGAIN: &str = "try again";

// A file or a directory can't be written, or read.

pub(super) const MAKE_WRITABLE: &str =
    "make it and its directory writable for you, or set VMFA_HOME to a directory that is";
pub(super) const OTHER_USER: &str = "if it belongs to another user: set HOME or VMFA_HOME to a directory of your own";
pub(super) const NO_HOME: &str = "set HOME, or VMFA_HOME to a directory for this program alone";
pub(super) const CORRECT_CONFIG: &str = "correct the file, or move it away and run `vmfa init` again";

// A file is there already.

pub(super) const FORCE: &str = "to replace it: --force";

// Nobody can be asked.

pub(super) const YES: &str = "to do it without being asked: --yes";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    fn files(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    /// What stands between the parentheses of each call of these methods.
    fn arguments<'a>(text: &'a str, methods: &[&str]) -> Vec<&'a str> {
        let mut found = Vec::new();
        for method in methods {
            for (at, _) in text.match_indices(method) {
                let rest = text[at..].strip_prefix(method).unwrap();
                let (mut depth, mut literal, mut escaped) = (1_u8, false, false);
                let end = rest.find(|c| {
                    match c {
                        _ if escaped => escaped = false,
                        '\\' if literal => escaped = true,
                        '"' => literal = !literal,
                        '(' if !literal => depth = depth.saturating_add(1),
                        ')' if !literal => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    depth == 0
                });
                found.push(&rest[..end.unwrap_or(rest.len())]);
            }
        }
        found
    }

    const METHODS: [&str; 3] = [".hint(", ".hint_first(", "mend.push("];

    #[test]
    fn no_other_file_has_hints_of_its_own() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
        let (mut seen, mut wrong) = (0, Vec::new());
        for path in files(&source).iter().filter(|path| !path.starts_with(source.join("hints"))) {
            let text = fs::read_to_string(path).unwrap();
            for argument in arguments(&text, &METHODS) {
                seen += 1;
                if argument.contains('"') {
                    wrong.push(format!("{}: {argument}", path.strip_prefix(&source).unwrap().display()));
                }
            }
        }
        assert!(wrong.is_empty(), "these belong into src/cli/hints:\n{}", wrong.join("\n"));
        assert!(seen > 150, "only {seen} hints seen: is the test looking?");
    }

    #[test]
    fn a_literal_is_seen_wherever_it_stands() {
        let text = "error.hint(\"a (\\\" b\").hint(format!(\"{}\", f(x))).hint_first(hints::A).hint(near(\")\"))";
        let found = arguments(text, &METHODS);
        assert_eq!(found, ["\"a (\\\" b\"", "format!(\"{}\", f(x))", "near(\")\")", "hints::A"]);
    }

    /// The texts of the table, with the file that each is in.
    fn texts() -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/hints")) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().replace("\\\"", "'");
            let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let name = path.file_name().unwrap().to_string_lossy();
            texts.extend(code.split('"').skip(1).step_by(2).map(|text| (name.to_string(), text.to_owned())));
        }
        texts
    }

    #[test]
    fn no_hint_is_there_twice_and_none_is_a_sentence_of_prose() {
        let texts = texts();
        assert!(texts.len() > 150, "only {} texts", texts.len());
        let mut wrong = Vec::new();
        for (at, (file, text)) in texts.iter().enumerate() {
            let words = |text: &str| text.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
            if text.len() > 12 && texts.iter().take(at).any(|(_, other)| words(other) == words(text)) {
                wrong.push(format!("{file}: twice: {text}"));
            }
            if text.ends_with('.') || text.starts_with(|c: char| c.is_whitespace()) {
                wrong.push(format!("{file}: ends or begins wrongly: {text}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
