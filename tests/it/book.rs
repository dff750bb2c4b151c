//! The book that mdBook makes of docs/: it has every page, without a warning, and its links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pages::pages;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Where a page's links and pictures lead.
fn links(html: &str) -> Vec<&str> {
    let parts = [" href=\"", " src=\""].into_iter().flat_map(|begin| html.split(begin).skip(1));
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_book_is_made_without_a_warning_and_its_links_lead_somewhere() {
    let program = root().join("target/crates/bin/mdbook");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    let place = tempfile::tempdir().unwrap();
    let done = Command::new(program).args(["build", "--dest-dir"]).arg(place.path()).arg(root()).output().unwrap();
    let told = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(done.status.success(), "{told}");
    assert!(!told.lines().any(|line| ["WARN", "ERROR"].iter().any(|word| line.contains(word))), "{told}");

    let mut broken = Vec::new();
    let written = files(place.path());
    // `toc.html` is for browsers without scripts and has its links from the top; `404.html` is for a server's top.
    let html = written.iter().filter(|path| path.extension().is_some_and(|end| end == "html"));
    let html = html
        .filter(|path| !["404.html", "toc.html", "print.html"].contains(&path.file_name().unwrap().to_str().unwrap()));
    let mut looked_at = 0;
    for page in html {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("data:") || link.contains('?') {
                continue;
            }
            looked_at += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = target.exists()
                && (anchor.is_empty() || fs::read_to_string(&target).unwrap().contains(&format!("id=\"{anchor}\"")));
            if !there {
                broken.push(format!("{}: {link}", page.strip_prefix(place.path()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(looked_at > 1000, "only {looked_at} links");
}

#[test]
fn every_page_is_in_the_book() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: Vec<&str> = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    // What a page of one line includes is in the book, too.
    let mut included = Vec::new();
    for page in &listed {
        let page = docs.join(page);
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        included.extend(text.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}\n")).map(|file| {
            page.parent().unwrap().join(file).canonicalize().unwrap_or_else(|error| panic!("{file}: {error}"))
        }));
    }
    let left_out: Vec<_> = pages()
        .into_iter()
        .filter(|page| {
            let name = page.strip_prefix(&docs).ok().and_then(Path::to_str);
            name != Some("SUMMARY.md") && !name.is_some_and(|name| listed.contains(&name)) && !included.contains(page)
        })
        .collect();
    assert!(left_out.is_empty(), "not in docs/SUMMARY.md: {left_out:#?}");
}

/// What stands in a page's tables under a heading that begins so, as far as it is code.
fn quoted(page: &str) -> Vec<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.filter_map(|cell| Some(cell.strip_prefix('`')?.split('`').next()?.to_owned())).collect()
}

/// A message as the source has it: its text around what is put in.
#[test]
fn every_message_that_is_explained_occurs_in_the_program() {
    let source: String = files(&root().join("src")).iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    // Texts that go on in the next line, and quotation marks in a text.
    let source = source.replace("\\\"", "\"");
    let mut lines = source.split("\\\n");
    let source: String = lines.next().into_iter().chain(lines.map(str::trim_start)).collect();
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let messages = quoted(&page);
    let unknown: Vec<&String> =
        messages.iter().filter(|message| !message.split('…').all(|part| source.contains(part.trim()))).collect();
    assert!(unknown.is_empty(), "these messages of docs/troubleshooting.md aren't in src/: {unknown:#?}");
    assert!(messages.len() >= 50, "only {} messages", messages.len());
}
