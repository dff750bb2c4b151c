//! The agent that `vmfa unlock` starts: a process that holds an age identity, opened, so that its passphrase is asked for once.
//!
//! There is one for each identity file, behind a socket in a directory of the user's own. The socket is named after the
//! file's content, so that another identity under the same path is another agent's.

mod keeper;
mod protocol;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::environment;
use super::error::{Error, Kind, Result};
use super::home::Home;
use crate::vault::age::{self, Identity};

pub(super) use keeper::hold;
pub(super) use protocol::KEEPER;

use protocol::{GET, LOCK, LONGEST, READY, READY_UNLOCKED, expect_same_user};

/// Where the agent of an identity is, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Agent {
    socket: PathBuf,
}

/// An identity file that needs a passphrase, with the agent that may hold it; otherwise as it is.
pub(super) fn identity(home: &Home, path: &Path, passphrase: age::Passphrase) -> Identity {
    let file = Identity::File { path: path.to_owned(), passphrase };
    let agent =
        age::read_identity(path).ok().filter(|bytes| age::is_encrypted(bytes)).map(|bytes| Agent::of(home, &bytes));
    match agent.filter(|agent| agent.socket.exists()) {
        // It may end at any time.
        Some(agent) => Identity::Kept(Arc::new(move || agent.identity().map_or_else(|| age::unlocked(&file), Ok))),
        None => file,
    }
}

impl Agent {
    /// The one for an identity file of this content.
    pub(super) fn of(home: &Home, content: &[u8]) -> Self {
        let runtime = environment::path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
        let directory = runtime.map_or_else(|| home.locks.join("agent"), |path| path.join("vmfa"));
        let digest = Sha256::digest(content);
        let name = digest.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        Self { socket: directory.join(format!("{name}.sock")) }
    }

    /// The identity that it holds; none where there is no agent any more.
    pub(super) fn identity(&self) -> Option<Zeroizing<String>> {
        self.ask(GET).ok().filter(|text| !text.is_empty())
    }

    /// Ends it; false where there was none.
    pub(super) fn lock(&self) -> bool {
        self.ask(LOCK).is_ok()
    }

    fn ask(&self, what: &str) -> io::Result<Zeroizing<String>> {
        self.expect_own_directory()?;
        let mut stream = UnixStream::connect(&self.socket)?;
        expect_same_user(&stream)?;
        stream.write_all(format!("{what}\n").as_bytes())?;
        // Room for all of it, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).unwrap_or_default()));
        stream.take(LONGEST).read_to_string(&mut text)?;
        Ok(text)
    }

    /// Starts one that holds an identity for a number of seconds. The result is whether its memory is never swapped.
    pub(super) fn start(&self, identity: &Zeroizing<String>, seconds: u64) -> Result<bool> {
        let failed = |reason: &dyn std::fmt::Display| {
            Error::new(Kind::Storage, "agent", format!("the agent can't be started: {reason}"))
        };
        self.make_directory().map_err(|error| failed(&error))?;
        let mut command = Command::new(environment::this_program().map_err(|error| failed(&error))?);
        command.arg(KEEPER).arg(&self.socket).arg(seconds.to_string()).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(failed(&"it has no pipes")) };
        stdin.write_all(identity.as_bytes()).map_err(|error| failed(&error))?;
        drop(stdin);
        let mut line = String::new();
        BufReader::new(stdout.take(1000)).read_line(&mut line).map_err(|error| failed(&error))?;
        match line.trim() {
            READY => Ok(true),
            READY_UNLOCKED => Ok(false),
            "" => Err(failed(&"it ended at once")),
            reason => Err(failed(&reason)),
        }
    }

    fn directory(&self) -> &Path {
        self.socket.parent().unwrap_or(Path::new("/"))
    }

    fn make_directory(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.directory())?;
        self.expect_own_directory()
    }

    /// Nobody else may put a socket there, or connect to one.
    fn expect_own_directory(&self) -> io::Result<()> {
        let metadata = fs::symlink_metadata(self.directory())?;
        let own = metadata.is_dir() && metadata.uid() == rustix::process::getuid().as_raw();
        if own && metadata.mode() & 0o077 == 0 {
            return Ok(());
        }
        let reason = format!("{} is not a directory for you alone (0700)", self.directory().display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
    }
}
