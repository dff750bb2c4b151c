//! Which file of `src` names what another one defines: just enough of Rust to follow `use`, paths and re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// `crate::vault::Id` as `["crate", "vault", "Id"]`.
type Name = Vec<String>;

/// For each file, the files it imports, and a name of theirs that it uses.
pub(super) type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

/// What a file says of names.
#[derive(Default)]
struct Source {
    path: PathBuf,
    defines: BTreeSet<String>,
    /// What `use` binds here: `Id` to `crate::vault::Id`; a `*` stands in `globs`.
    binds: BTreeMap<String, Name>,
    globs: Vec<Name>,
    /// What the file's own code needs. A re-export alone needs nothing.
    uses: BTreeSet<Name>,
}

/// The files of the crate by their modules: `["vault", "age"]` for `vault/age/mod.rs`; the root is `[]`.
struct House(BTreeMap<Vec<String>, Source>);

/// The imports of all files below a directory.
pub(super) fn below(source: &Path) -> Imports {
    let mut files = Vec::new();
    super::files_below(source, &mut files);
    let relative = files.iter().map(|file| file.strip_prefix(source).unwrap());
    let own = relative.filter(|path| !path.ends_with("tests.rs") && !path.ends_with("main.rs"));
    House::new(own.map(|path| (path, fs::read_to_string(source.join(path)).unwrap()))).imports()
}

/// The imports of files with these names and texts.
pub(super) fn of(texts: &[(&str, &str)]) -> Imports {
    House::new(texts.iter().map(|(path, text)| (Path::new(path), (*text).to_owned()))).imports()
}

impl House {
    fn new<'a>(texts: impl Iterator<Item = (&'a Path, String)>) -> Self {
        Self(texts.map(|(path, text)| (module_of(path), Source::read(path, &text))).collect())
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, source) in &self.0 {
            let of_file = imports.entry(source.path.clone()).or_default();
            for name in &source.uses {
                if let Some(definer) = self.definer(module, name, 0).filter(|definer| *definer != source.path) {
                    of_file.entry(definer.to_owned()).or_insert_with(|| name.join("::"));
                }
            }
        }
        imports
    }

    /// The file that defines what `name` means in `module`; `None` for other crates, modules and local names.
    fn definer(&self, module: &[String], name: &[String], hops: usize) -> Option<&Path> {
        let source = self.0.get(module)?;
        let (first, rest) = name.split_first()?;
        match first.as_str() {
            _ if hops > 20 => return None, // `use` that names itself
            "crate" => return self.definer(&[], rest, hops + 1),
            "self" => return self.definer(module, rest, hops + 1),
            "super" => return self.definer(module.split_last()?.1, rest, hops + 1),
            _ => {}
        }
        let child = [module, std::slice::from_ref(first)].concat();
        if self.0.contains_key(&child) {
            return self.definer(&child, rest, hops + 1);
        }
        if source.defines.contains(first) {
            return Some(&source.path);
        }
        if let Some(bound) = source.binds.get(first) {
            return self.definer(module, &[bound, rest].concat(), hops + 1);
        }
        source.globs.iter().find_map(|glob| self.definer(module, &[glob, name].concat(), hops + 1))
    }
}

fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib")) {
        module.pop();
    }
    module
}

impl Source {
    fn read(path: &Path, text: &str) -> Self {
        let tokens = tokens(text);
        let mut source = Self { path: path.to_owned(), ..Self::default() };
        let (mut at, mut depth) = (0, 0);
        // What stands between the braces of an enum, and not between other ones inside, is the name of a variant.
        let (mut in_enum, mut inside) = (false, 0);
        while let Some(token) = tokens.get(at) {
            let before = at.checked_sub(1).map_or("", |before| tokens[before].as_str());
            match token.as_str() {
                "#" if tokens[at..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]"].map(String::from)) => {
                    at = after_item(&tokens, at + 7);
                    continue;
                }
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    in_enum &= depth > 0;
                }
                "(" | "[" => inside += 1,
                ")" | "]" => inside -= 1,
                // `use<'a>` names what a type captures.
                "use" if tokens[at + 1] != "<" => {
                    at += 1;
                    // `pub use`, `pub(super) use`
                    source.read_use(&tokens, &mut at, &[], matches!(before, "pub" | ")"));
                    continue;
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "macro_rules" if depth == 0 => {
                    let name = tokens[at + 1..].iter().find(|token| !matches!(token.as_str(), "!" | "fn" | "mut"));
                    source.defines.extend(name.cloned());
                    in_enum = token == "enum";
                }
                "mod" if depth == 0 => source.defines.extend((tokens[at + 2] == "{").then(|| tokens[at + 1].clone())),
                _ if in_enum && depth == 1 && inside == 0 => {}
                word if is_word(word) && !matches!(before, "." | "::" | "fn" | "mod") => {
                    let mut name = vec![word.to_owned()];
                    while tokens.get(at + 1).is_some_and(|next| next == "::")
                        && tokens.get(at + 2).is_some_and(|next| is_word(next))
                    {
                        name.push(tokens[at + 2].clone());
                        at += 2;
                    }
                    source.uses.insert(name);
                }
                _ => {}
            }
            at += 1;
        }
        source
    }

    /// Reads one branch of a `use` up to its end: `a::{b, c as d}`, `a::*`, `a::b`.
    fn read_use(&mut self, tokens: &[String], at: &mut usize, parent: &[String], public: bool) {
        let mut name = parent.to_vec();
        loop {
            let token = tokens[*at].as_str();
            *at += 1;
            match token {
                "::" => continue,
                "{" => {
                    while tokens[*at] != "}" {
                        self.read_use(tokens, at, &name, public);
                        *at += usize::from(tokens[*at] == ",");
                    }
                    *at += 1;
                    return;
                }
                "*" => {
                    self.globs.push(name);
                    return;
                }
                "self" if name == parent && !parent.is_empty() => {}
                word if is_word(word) => name.push(word.to_owned()),
                other => panic!("`{other}` in a `use`"),
            }
            if tokens[*at] != "::" {
                break;
            }
        }
        let mut alias = name.last().cloned().unwrap_or_default();
        if tokens[*at] == "as" {
            alias.clone_from(&tokens[*at + 1]);
            *at += 2;
        }
        // A module that hands on what a file below it defines needs nothing of it.
        if !public || matches!(name[0].as_str(), "super" | "crate") {
            self.uses.insert(name.clone());
        }
        self.binds.insert(alias, name);
    }
}

/// The place behind the item that starts at `at`: behind its `;` or its body.
fn after_item(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ";" if depth == 0 => break,
            _ => {}
        }
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::`, and single characters; without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let raw = rest
            .trim_start_matches('b')
            .strip_prefix('r')
            .map(|raw| raw.split_at(raw.len() - raw.trim_start_matches('#').len()));
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some((hashes, _)) = raw.filter(|(_, body)| body.starts_with('"')) {
            let open = rest.find('"').unwrap() + 1;
            open + rest[open..].find(&format!("\"{hashes}")).unwrap() + 1 + hashes.len()
        } else if first == '"' {
            1 + end_of_string(&rest[1..])
        } else if first == '\'' {
            let mut after = rest.char_indices().skip(2);
            match (rest[1..].starts_with('\\'), after.next()) {
                (true, _) => 3 + rest[3..].find('\'').unwrap() + 1,
                (false, Some((end, '\''))) => end + 1,
                (false, _) => rest[1..].find(|character| !is_part(character)).map_or(rest.len(), |end| end + 1),
            }
        } else if is_part(first) {
            rest.find(|character| !is_part(character)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let token;
        (token, rest) = rest.split_at(length);
        if !token.starts_with("//") && !token.starts_with('\'') && !token.contains('"') && !first.is_whitespace() {
            tokens.push(token.to_owned());
        }
    }
    tokens
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match character {
            '"' if !escaped => return index + 1,
            _ => escaped = character == '\\' && !escaped,
        }
    }
    text.len()
}
