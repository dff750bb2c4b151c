//! Where an enrolment comes from: a path, `-`, `clipboard`, `screen`, or a hidden prompt.

mod desktop;
mod export;
mod search;

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::argv::might_be_secret;
use super::error::{Error, Result};
pub(super) use super::places::is_place;
use super::progress::searching;
use super::{hints, prompt};
use crate::file::{Streams, open};
use crate::provision::{self, Enrolment, Found, Limits};
pub(super) use search::Search;

/// Reads a source; the hidden prompt where none is named.
pub(super) fn read(source: Option<&OsStr>, search: &Search) -> Result<Found> {
    let Some(source) = source else {
        return from_prompt(search);
    };
    if source == "clipboard" {
        return desktop::clipboard(search);
    }
    if source == "screen" {
        return desktop::screen(search);
    }
    let (bytes, place) = bytes_of(source)?;
    if let Some(found) = export::read(&bytes, &place) {
        return found;
    }
    searching(|| provision::read(&bytes, &search.limits())).map_err(|error| Error::from(error).about(&place))
}

/// The bytes of a file or of stdin, and what to call it.
pub(super) fn bytes_of(source: &OsStr) -> Result<(Zeroizing<Vec<u8>>, String)> {
    if source == "-" {
        return Ok((from_stdin()?, "stdin".to_owned()));
    }
    let path = path_of(source)?;
    Ok((from_path(&path)?, path.display().to_string()))
}

/// The one enrolment of a source, or the one of `account` where it holds several.
pub(super) fn read_one(
    source: Option<&OsStr>,
    account: Option<&str>,
    search: &Search,
) -> Result<(Enrolment, Vec<provision::Warning>)> {
    let Found { mut enrolments, warnings, lines } = read(source, search)?;
    let all: Vec<(String, Option<usize>)> = {
        let accounts = enrolments.iter().map(|enrolment| enrolment.account.clone());
        accounts.zip(lines.into_iter().map(Some).chain(std::iter::repeat(None))).collect()
    };
    if let Some(account) = account {
        enrolments.retain(|enrolment| enrolment.account == account);
    }
    let one = if enrolments.len() == 1 { enrolments.pop() } else { None };
    one.map(|enrolment| (enrolment, warnings)).ok_or_else(|| {
        let (among, of) = match account {
            Some(account) => {
                (all.iter().filter(|(other, _)| other == account).collect(), format!(" of account `{account}`"))
            }
            None => (all.iter().collect::<Vec<_>>(), String::new()),
        };
        let on: Vec<usize> = among.iter().filter_map(|(_, line)| *line).collect();
        let on =
            if account.is_some() && !on.is_empty() { format!(", on {}", lines_in_words(&on)) } else { String::new() };
        let message = format!("the source has {} enrolments{of}{on}", among.len());
        let mut error = Error::new(super::error::Kind::No, "ambiguous", message);
        let mut told: Vec<&str> = Vec::new();
        for (name, _) in &all {
            if !told.contains(&name.as_str()) && Some(name.as_str()) != account {
                told.push(name);
                error = error.hint(hints::sources::account(name));
            }
        }
        if told.is_empty() || (account.is_some() && !among.is_empty()) {
            error = error.hint(hints::sources::ONE_LINE);
        }
        error
    })
}

/// `lines 1 and 2`.
pub(super) fn lines_in_words(lines: &[usize]) -> String {
    let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("line {one}"),
        [before @ .., last] => format!("lines {} and {last}", before.join(", ")),
        [] => String::new(),
    }
}

/// The path that a source is; one by URL is read where it is here.
fn path_of(source: &OsStr) -> Result<PathBuf> {
    let text = source.to_string_lossy();
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(PathBuf::from(source));
    };
    let known =
        |scheme: &str| !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if scheme.eq_ignore_ascii_case("file") {
        // RFC 8089: no host, or this one.
        let path = rest.strip_prefix("localhost").filter(|rest| rest.starts_with('/')).unwrap_or(rest);
        let path = percent_encoding::percent_decode_str(path).decode_utf8();
        return match path {
            Ok(path) if path.starts_with('/') => Ok(PathBuf::from(path.into_owned())),
            _ => Err(Error::usage(
                "a file:// URL needs the absolute path of a file on this machine: file:///home/you/qr.png",
            )),
        };
    }
    if !known(scheme) || Path::new(source).exists() {
        return Ok(PathBuf::from(source));
    }
    // The address isn't repeated: its parameters may hold a secret.
    let failure = Error::usage(format!("the source is a web address ({scheme}://…), and vmfa fetches nothing"));
    Err(match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => failure.hint(hints::sources::CURL).hint(hints::sources::SHOW_PAGE),
        _ => failure.hint(hints::sources::NAME_SOURCE),
    })
}

fn from_prompt(search: &Search) -> Result<Found> {
    if !std::io::stdin().is_terminal() {
        return Err(
            Error::usage("no source is named, and there is no terminal to ask at").hint(hints::sources::NAME_SOURCE)
        );
    }
    let text = prompt::hidden("secret key or otpauth URI (not shown)")?;
    Ok(provision::read(text.as_bytes(), &search.limits())?)
}

fn from_stdin() -> Result<Zeroizing<Vec<u8>>> {
    if std::io::stdin().is_terminal() {
        return Err(Error::usage("`-` reads stdin, which is the terminal and would show what is typed")
            .hint(hints::sources::LEAVE_OUT));
    }
    bounded(std::io::stdin().lock(), 0).map_err(|error| Error::input("unreadable", format!("stdin: {error}")))
}

fn from_path(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |reason: String| Error::input("unreadable", format!("{}: {reason}", path.display()));
    let file = open(path, Streams::Taken).map_err(|error| {
        let text = path.to_string_lossy();
        if error.kind() == std::io::ErrorKind::NotFound && (text.starts_with(['{', '<']) || might_be_secret(&text)) {
            return Error::input("unreadable", "SOURCE names no file; it is not repeated here, as it may be a secret")
                .hint(hints::sources::SECRETLY);
        }
        if error.kind() == std::io::ErrorKind::NotFound {
            let failure = Error::input("unreadable", format!("there is no file `{text}`"));
            return match beside(path) {
                Some(near) => failure.hint(hints::did_you_mean(&near)),
                None => failure.hint(hints::sources::NAME_SOURCE),
            };
        }
        failed(error.to_string())
    })?;
    let metadata = file.metadata().map_err(|error| failed(error.to_string()))?;
    bounded(file, metadata.len()).map_err(|error| failed(error.to_string()))
}

/// The file beside a path that a slip of the fingers may have meant.
fn beside(path: &Path) -> Option<String> {
    const MOST: usize = 1_000;
    let wanted = path.file_name()?.to_str()?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(directory).ok()?.flatten().take(MOST);
    let names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = crate::name::nearest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

/// One byte more than is taken, so that too much is noticed, and never more memory than that. Room is
/// made beforehand: a buffer that grows leaves copies behind.
fn bounded(from: impl Read, expected: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let most = Limits::BYTES.saturating_add(1);
    let room = usize::try_from(expected).unwrap_or(most).saturating_add(1).clamp(64 << 10, most);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    from.take(most.try_into().unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
