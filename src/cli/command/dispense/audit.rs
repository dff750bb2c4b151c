//! The file in which every code is written down before it is handed out: JSON, a line for each.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::json;

/// A client of `vmfa mcp`, as it calls itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::cli::command) struct Client {
    pub(in crate::cli::command) name: String,
    pub(in crate::cli::command) version: String,
}

/// Who asked, and how.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::cli::command) enum Who<'a> {
    /// By a tool of `vmfa mcp`.
    Agent { tool: &'static str, client: &'a Client },
    /// By a path of `vmfa share`, with the access token of this name.
    Worker { path: &'static str, token: &'a str, peer: String },
}

/// What was handed out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli::command) enum What {
    Step(u64),
    Counter(u64),
    Steps([u64; 2]),
    Counters([u64; 2]),
}

/// A line.
#[derive(Debug, Serialize)]
pub(in crate::cli::command) struct Line<'a> {
    /// By the system's clock.
    pub(in crate::cli::command) time: String,
    pub(in crate::cli::command) device: &'a str,
    #[serde(flatten)]
    pub(in crate::cli::command) who: Who<'a>,
    #[serde(flatten)]
    pub(in crate::cli::command) what: What,
}

/// The open file.
#[derive(Debug)]
pub(in crate::cli::command) struct Audit {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Whether its last line has no end: the disk was full in the midst of it.
    broken: bool,
}

impl Audit {
    /// Opens the file to be appended to, making it (mode 0600) where there is none.
    ///
    /// # Errors
    ///
    /// What is no regular file, and those of the system.
    pub(in crate::cli::command) fn open(path: &Path) -> Result<Self> {
        let state = State::open(path).map_err(|reason| {
            Error::new(Kind::Storage, "audit", format!("the audit file {} {reason}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), state: Mutex::new(state) })
    }

    /// Writes a line, which has reached the disk when this returns.
    ///
    /// # Errors
    ///
    /// Those of the system. The line may be there then, or a part of it.
    pub(in crate::cli::command) fn write(&self, line: &Line<'_>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if !is_at(&state.file, &self.path)? {
            // Moved away or deleted, as those do who rotate logs.
            *state = State::open(&self.path).map_err(io::Error::other)?;
        }
        let mut bytes = if state.broken { vec![b'\n'] } else { Vec::new() };
        json::write(&mut bytes, line)?;
        bytes.push(b'\n');
        // In one piece: other processes may append to the same file.
        let written = loop {
            match state.file.write(&bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written?,
            }
        };
        if written < bytes.len() {
            state.broken = state.broken || written > 0;
            return Err(io::Error::new(io::ErrorKind::StorageFull, "there is no room for a whole line"));
        }
        state.broken = false;
        state.file.sync_all()
    }

    pub(in crate::cli::command) fn path(&self) -> &Path {
        &self.path
    }
}

impl State {
    /// Opens it, or says why it can't.
    fn open(path: &Path) -> std::result::Result<Self, String> {
        let new = !path.exists();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            use std::os::unix::fs::OpenOptionsExt as _;
            // The open of a FIFO isn't waited for, and a terminal doesn't become this process's own.
            options.mode(0o600).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        }
        let refused = "is no regular file";
        let file = options.open(path).map_err(|error| {
            let other = path.metadata().is_ok_and(|metadata| !metadata.is_file());
            if other { refused.to_owned() } else { format!("can't be opened: {error}") }
        })?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(refused.to_owned());
        }
        if new && let Some(directory) = path.parent() {
            // So that the file itself outlives a power cut, where a directory can be flushed.
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
        Ok(Self { broken: is_broken(path), file })
    }
}

/// Whether a path leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let own = file.metadata()?;
    Ok(path.metadata().is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())))
}

/// Whether a file ends within a line; not of one that can't be read.
fn is_broken(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte).map(|()| byte)
    };
    last().is_ok_and(|byte: [u8; 1]| byte != *b"\n")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn line(client: &Client) -> Line<'_> {
        let who = Who::Agent { tool: "get_code", client };
        Line { time: "2030-01-01T00:00:00Z".to_owned(), device: "ci/a", who, what: What::Step(7) }
    }

    #[test]
    fn lines_are_appended_and_nothing_in_them_acts_on_a_terminal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        let client = Client { name: "a\u{1b}[2J\n\"\u{202e}".to_owned(), version: "1".to_owned() };
        Audit::open(&path).unwrap().write(&line(&client)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let who = Who::Agent { tool: "get_pair", client: &client };
        let pair = Line { what: What::Counters([1, 2]), who, ..line(&client) };
        Audit::open(&path).unwrap().write(&pair).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let start = r#"{"time":"2030-01-01T00:00:00Z","device":"ci/a","tool":"get_"#;
        let client = r#""client":{"name":"a\u001b[2J\n\"\u202e","version":"1"}"#;
        assert_eq!(text, format!("{start}code\",{client},\"step\":7}}\n{start}pair\",{client},\"counters\":[1,2]}}\n"));
    }

    #[test]
    fn what_is_no_file_is_refused_and_a_link_to_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let _reader = File::options().read(true).write(true).open(&fifo).unwrap();
        let (to_fifo, to_file) = (directory.path().join("to-fifo"), directory.path().join("to-file"));
        std::os::unix::fs::symlink(&fifo, &to_fifo).unwrap();
        std::os::unix::fs::symlink(directory.path().join("file"), &to_file).unwrap();
        for path in [&fifo, &to_fifo, directory.path(), Path::new("/dev/full"), Path::new("/dev/null")] {
            assert!(Audit::open(path).unwrap_err().message().ends_with("is no regular file"), "{}", path.display());
        }
        Audit::open(&to_file).unwrap();
        assert!(Audit::open(&directory.path().join("no/file")).is_err());
    }

    #[test]
    fn a_line_behind_one_that_broke_off_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        std::fs::write(&path, "{\"time\":").unwrap();
        let client = Client::default();
        let audit = Audit::open(&path).unwrap();
        audit.write(&line(&client)).unwrap();
        audit.write(&line(&client)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let whole: Vec<bool> =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).collect();
        assert_eq!(whole, [false, true, true]);
        let moved = directory.path().join("moved");
        std::fs::rename(&path, &moved).unwrap();
        audit.write(&line(&client)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
        std::fs::remove_file(&path).unwrap();
        audit.write(&line(&client)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), text);
    }
}
