//! The bytes of a file that somebody names, or of stdin: bounded, and wiped when dropped.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::argv::might_be_secret;
use super::error::{Error, Result};
use super::hints;
use crate::file::{Streams, open};
use crate::provision::Limits;

/// The bytes of a file or of stdin, and what to call it.
pub(super) fn of(source: &OsStr) -> Result<(Zeroizing<Vec<u8>>, String)> {
    if source == "-" {
        return Ok((from_stdin()?, "stdin".to_owned()));
    }
    let path = path_of(source)?;
    Ok((from_path(&path)?, path.display().to_string()))
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
            let failure = Error::unreadable("unreadable", path, &error);
            return match beside(path) {
                Some(near) => failure.hint(hints::did_you_mean(&near)),
                // Those who read a source take these before.
                None if matches!(&*text, "clipboard" | "screen") => failure.hint(hints::exports::ADD_FROM),
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
