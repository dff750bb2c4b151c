//! Programs that print credentials: "AWS SDKs and Tools Reference Guide", "Process credential provider".

use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::Credentials;
use crate::time::Timestamp;

/// The variable that tells a program that vmfa asks it. Set in our own environment, it tells that we are that program.
pub const RUNNING: &str = "VMFA_CREDENTIAL_PROCESS";

/// The most that is read of what a program prints, in bytes.
pub const MOST: usize = 65_536;

/// How long is waited between two looks at the time.
const LOOK: Duration = Duration::from_millis(5);

/// Why a program gave no credentials. Never holds what it printed, nor how it is called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such program, or it can't be executed.
    #[error("can't be started: {0}")]
    Start(#[source] io::Error),
    /// Its output can't be read.
    #[error("can't be read from: {0}")]
    Read(#[source] io::Error),
    /// It says that it failed; why, it has said on stderr.
    #[error("failed: {0}")]
    Failed(ExitStatus),
    /// It didn't end in time, and was ended.
    #[error("took too long")]
    TooLong,
    /// More than [`MOST`] bytes.
    #[error("printed more than {MOST} bytes")]
    TooMuch,
    /// Something else.
    #[error("printed no credentials: they are a JSON object with Version 1, AccessKeyId and SecretAccessKey")]
    Output,
}

/// Runs programs: without a shell, with nothing on stdin, with our stderr.
#[derive(Clone)]
pub struct System {
    /// Tells whether the time is over. It may ask a person, so a minute is not much.
    pub expired: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
    }
}

impl System {
    /// Runs a program to its end and gives what it printed.
    ///
    /// # Errors
    ///
    /// A program that can't be run, fails, prints too much or takes too long. It doesn't run any more then.
    pub fn run(&self, words: &[String]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(Error::Start(io::ErrorKind::InvalidInput.into()));
        };
        let mut command = Command::new(program);
        command.args(arguments).env(RUNNING, "1").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut running = Running(command.spawn().map_err(Error::Start)?);
        let stdout = running.0.stdout.take();
        let (sender, receiver) = mpsc::sync_channel(1);
        // Reading a pipe has no time limit. This thread ends with the last program that holds the other end.
        thread::spawn(move || {
            let _ = sender.send(stdout.map_or_else(|| Ok(Zeroizing::default()), whole));
        });
        let output = loop {
            match receiver.recv_timeout(LOOK) {
                Ok(output) => break output.map_err(Error::Read)?,
                Err(RecvTimeoutError::Timeout) if !(self.expired)() => {}
                Err(RecvTimeoutError::Timeout) => return Err(Error::TooLong),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Read(io::ErrorKind::BrokenPipe.into())),
            }
        };
        if output.len() > MOST {
            return Err(Error::TooMuch);
        }
        let status = loop {
            match running.0.try_wait().map_err(Error::Read)? {
                Some(status) => break status,
                None if (self.expired)() => return Err(Error::TooLong),
                None => thread::sleep(LOOK),
            }
        };
        if status.success() { Ok(output) } else { Err(Error::Failed(status)) }
    }
}

/// A program that doesn't outlive us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All of it, but never more than one byte past [`MOST`].
fn whole(source: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room from the start: a growing buffer leaves copies of keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST.saturating_add(64)));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
    source.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u64,
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// Reads what a program printed: the credentials, and until when they count.
///
/// # Errors
///
/// Always [`Error::Output`]: a closer word would repeat what stands there.
pub fn read(output: &[u8]) -> Result<(Credentials, Option<Timestamp>), Error> {
    let printed: Printed = serde_json::from_slice(output).map_err(|_| Error::Output)?;
    let token = printed.session_token.as_ref().map(|token| token.as_str()).filter(|token| !token.is_empty());
    let graphic = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    let (id, secret) = (printed.access_key_id.as_str(), printed.secret_access_key.as_str());
    if printed.version != 1 || id.is_empty() || secret.is_empty() || !graphic(id) || !token.is_none_or(graphic) {
        return Err(Error::Output);
    }
    let expires = printed.expiration.filter(|text| !text.is_empty());
    let expires = expires.map(|text| Timestamp::parse(&text, Timestamp::from_unix(0))).transpose();
    Ok((Credentials::new(id, secret, token), expires.map_err(|_| Error::Output)?))
}
