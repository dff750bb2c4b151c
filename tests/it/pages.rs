//! Every console block of the README and of docs/, each page in order in a session of its own: a real keyring, an empty home.
//! What a line `$ export …` sets holds for the commands after it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::serve::socket::Server;
use crate::support::desktop::Desktop;
use crate::support::{Home, installed, run, tool};

/// What differs from run to run is made the same: codes, steps, times, seconds left.
fn steady(line: &str) -> String {
    let mut text = String::new();
    let mut digits = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        // An account's twelve digits, and short numbers that aren't seconds left, stay.
        let moving = matches!(digits.len(), 6..=11) || text.ends_with("valid for ") || text.ends_with("seconds\":");
        let time = text.ends_with(['-', ':', 'T']) || (digits.len() == 4 && character == '-');
        match digits.len() {
            0 => {}
            _ if moving || time => text.push('N'),
            _ => text.push_str(&digits),
        }
        digits.clear();
        if character != '\n' {
            text.push(character);
        }
    }
    text
}

/// Whether a line is as expected, where `[..]` stands for anything.
fn fits(expected: &str, line: &str) -> bool {
    let (expected, line) = (steady(expected), steady(line));
    let mut parts = expected.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut wild = false;
    for part in parts {
        wild = true;
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || (wild && expected.ends_with("[..]"))
}

/// The blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    text.split("```").skip(1).step_by(2).filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn the_test_in_python_runs_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/serve.md")).unwrap();
    let server = Server::start(&["--time", "virtual"]);
    let keys = server.administrator();
    let home = Home::new();
    let script = home.file("test.py", blocks(&text, "python").next().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_vmfa")).parent().unwrap();
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut python = home.other(installed("python3"));
    python
        .arg(script)
        .env("PATH", path)
        .env("HOME", home.path())
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.as_str())
        .env("AWS_DEFAULT_REGION", "us-east-1");
    run(&mut python, b"").expect(0);
}

/// The commands of a page that didn't do what it says.
fn failures(page: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(page)).unwrap();
    let desktop = Desktop::new();
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("vectors"), home.path().join("vectors")).unwrap();
    let ours =
        [Path::new(env!("CARGO_BIN_EXE_vmfa")), &installed("aws")].map(|program| program.parent().unwrap().into());
    let others = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&others))).unwrap();

    // If the page has a scenario: the stand-in with it, and the keys of its user.
    let server = blocks(&text, "toml").find(|block| block.starts_with("# alice.toml")).map(|scenario| {
        let aside = Home::new();
        std::os::unix::fs::symlink(root.join("vectors"), aside.path().join("vectors")).unwrap();
        let scenario = aside.file("alice.toml", scenario);
        Server::start_in(aside, &["--time", "virtual", "--scenario", scenario.to_str().unwrap()])
    });

    let mut failures = Vec::new();
    for block in blocks(&text, "console") {
        let mut exported = String::new();
        for part in format!("\n{block}").split("\n$ ").filter(|part| !part.is_empty()) {
            let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
            if command.starts_with("export ") {
                exported.push_str(&format!("{command}\n"));
            }
            let mut shell = tool("bash", "bash");
            shell.args(["-c", &format!("{{ {exported}{command}\n}} 2>&1")]).current_dir(home.path()).env_clear();
            desktop.enter(&mut shell);
            if let Some(server) = &server {
                let alice = &server.ready["users"]["alice"];
                shell
                    .env("AWS_ENDPOINT_URL", server.endpoint())
                    .env("AWS_ACCESS_KEY_ID", alice["access_key_id"].as_str().unwrap())
                    .env("AWS_SECRET_ACCESS_KEY", alice["secret_access_key"].as_str().unwrap());
            }
            let output = shell.env("PATH", &path).output().unwrap();
            let output = String::from_utf8_lossy(&output.stdout)
                .replace(home.path().to_str().unwrap(), "/home/you/demo")
                .replace(desktop.home().to_str().unwrap(), "/home/you");
            let (mut expected, mut got): (Vec<&str>, Vec<&str>) =
                (expected.lines().collect(), output.lines().collect());
            // stdout and stderr come in either order.
            expected.sort_by_key(|line| steady(line));
            got.sort_by_key(|line| steady(line));
            // A time that was asked for has one code.
            let fits = if command.contains("--at ") { |e: &str, g: &str| e == g } else { fits };
            let same = expected.len() == got.len() && expected.iter().zip(&got).all(|(e, g)| fits(e, g));
            if !same {
                failures.push(format!("$ {command}\nexpected {expected:#?}\ngot {got:#?}"));
            }
        }
    }
    assert!(blocks(&text, "console").next().is_some(), "{page} has no console block");
    failures
}

fn does_what_it_says(page: &str) {
    let failures = failures(page);
    assert!(failures.is_empty(), "{page}:\n{}", failures.join("\n"));
}

#[test]
fn the_readme_does_what_it_says() {
    does_what_it_says("README.md");
}

#[test]
fn the_quick_start_does_what_it_says() {
    does_what_it_says("docs/start.md");
}

#[test]
fn the_page_on_aws_does_what_it_says() {
    does_what_it_says("docs/aws.md");
}

#[test]
fn the_guide_for_ci_does_what_it_says() {
    does_what_it_says("docs/guides/ci.md");
}

#[test]
fn the_guide_for_the_aws_cli_does_what_it_says() {
    does_what_it_says("docs/guides/aws-cli.md");
}

#[test]
fn the_guide_for_a_device_out_of_sync_does_what_it_says() {
    does_what_it_says("docs/guides/out-of-sync.md");
}

#[test]
fn the_guide_for_moving_does_what_it_says() {
    does_what_it_says("docs/guides/moving.md");
}

#[test]
fn the_guide_for_backups_does_what_it_says() {
    does_what_it_says("docs/guides/backup.md");
}

#[test]
fn the_guide_for_a_fleet_does_what_it_says() {
    does_what_it_says("docs/guides/fleet.md");
}

#[test]
fn the_guide_without_an_account_does_what_it_says() {
    does_what_it_says("docs/guides/no-account.md");
}

#[test]
fn the_guide_for_agents_does_what_it_says() {
    does_what_it_says("docs/guides/agents.md");
}

#[test]
fn the_page_on_the_server_for_agents_does_what_it_says() {
    does_what_it_says("docs/mcp.md");
}

/// Every page of the documentation, the packages' own among them.
pub(super) fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = ["docs", "docs/guides"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let docs = docs.into_iter().flatten().map(|entry| entry.unwrap().path());
    let named = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|name| root.join(name));
    let packages = ["python", "node"].map(|name| root.join("integrations").join(name).join("README.md"));
    let pages = docs.chain(named).chain(packages).filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.filter(|path| path.exists()).collect()
}

/// A page with console blocks that no test above runs would be one that nothing holds to what it says.
#[test]
fn every_page_with_console_blocks_is_run() {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pages.rs")).unwrap();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap();
        let run = source.contains(&format!("does_what_it_says(\"{name}\")"));
        assert!(run || blocks(&text, "console").next().is_none(), "{name} has console blocks that aren't run");
    }
}

/// The anchor that a heading gets on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = fs::read_to_string(&target).is_ok_and(|target| {
                let mut headings = target.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
                heading.is_empty() || headings.any(|line| anchor(line) == heading)
            });
            let there = there || target.is_dir() || (heading.is_empty() && target.is_file());
            if !there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_comparison_is_strict_where_it_should_be() {
    assert!(fits("493817", "000001") && !fits("493817", "00001"));
    assert!(fits("a [..]b", "a xyz b") && !fits("a [..]b", "a xyz c"));
    assert!(
        fits("mfauser@123456789012", "mfauser@123456789012") && !fits("mfauser@123456789012", "mfauser@023456789012")
    );
    assert!(fits("2026-11-21T12:00:00Z", "2027-01-01T00:00:30Z"));
    assert!(!fits("every 30 s", "every 60 s"));
}
