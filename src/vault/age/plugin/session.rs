//! One run of a plugin: the process, and stanzas to it and from it.
//!
//! It is another's program, so nothing waits for it without end: what is sent goes by a thread, what comes is read by
//! another, and a process that doesn't answer is killed.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::super::{Error, Trouble};
use super::stanza::{self, Read, Stanza};

/// The longest stanza, and the most that a plugin says in a run.
const LONGEST: usize = 128 << 10;
const MOST: usize = 4 << 20;
const CHUNK: usize = 8 << 10;

/// How long a plugin may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(1);

/// After how much silence a person is told what is waited for.
const SILENCE: Duration = Duration::from_secs(5);

type Bytes = Zeroizing<Vec<u8>>;

pub(super) struct Session {
    name: String,
    limit: Duration,
    child: Child,
    /// Closes the plugin's stdin when it goes.
    to_plugin: Option<Sender<Bytes>>,
    from_plugin: Receiver<Bytes>,
    /// What came and isn't read yet.
    pending: Bytes,
    came: usize,
    hopeless: bool,
}

impl Session {
    /// Starts a plugin for one of the two things that plugins do, `recipient-v1` or `identity-v1`.
    pub(super) fn start(name: &str, machine: &str, limit: Duration) -> Result<Self, Error> {
        let failed = |trouble| Error::Plugin { name: name.to_owned(), trouble };
        let not_started = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => failed(Trouble::Missing),
            _ => failed(Trouble::NotStarted(error.to_string())),
        };
        let mut command = Command::new(format!("age-plugin-{name}"));
        // Not where the user is: a directory that is in use can't be unmounted.
        command.arg(format!("--age-plugin={machine}")).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(not_started)?;
        let (to_plugin, what_to_send) = mpsc::channel::<Bytes>();
        let (what_came, from_plugin) = mpsc::sync_channel::<Bytes>(8);
        let pipes = child.stdin.take().zip(child.stdout.take());
        // From here on, what goes wrong ends the plugin too.
        let session = Self {
            name: name.to_owned(),
            limit,
            child,
            to_plugin: Some(to_plugin),
            from_plugin,
            pending: Zeroizing::new(Vec::with_capacity(LONGEST)),
            came: 0,
            hopeless: false,
        };
        let Some((mut stdin, mut stdout)) = pipes else {
            return Err(not_started(io::ErrorKind::BrokenPipe.into()));
        };
        let thread = |work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new().name("age plugin".to_owned()).spawn(work).map_err(not_started)
        };
        thread(Box::new(move || {
            // It ends with the session, or with the plugin.
            while what_to_send.recv().is_ok_and(|bytes| stdin.write_all(&bytes).is_ok()) {}
        }))?;
        thread(Box::new(move || {
            loop {
                let mut chunk = Zeroizing::new(vec![0; CHUNK]);
                match stdout.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => return,
                    Ok(length) => chunk.truncate(length),
                }
                if what_came.send(chunk).is_err() {
                    return;
                }
            }
        }))?;
        Ok(session)
    }

    pub(super) fn failed(&self, trouble: Trouble) -> Error {
        Error::Plugin { name: self.name.clone(), trouble }
    }

    /// Says a command or an answer.
    pub(super) fn send(&self, words: &[&str], body: &[u8]) {
        // One that has ended is told of when its answer is read.
        let _ = self.to_plugin.as_ref().map(|plugin| plugin.send(stanza::written(words, body)));
    }

    /// What the plugin says next; after some time without a word, `silent` is called.
    pub(super) fn receive(&mut self, silent: impl FnOnce()) -> Result<Stanza, Error> {
        let mut silent = Some(silent);
        loop {
            match stanza::read(&self.pending) {
                Read::Whole(stanza, length) => {
                    self.pending.drain(..length);
                    return Ok(stanza);
                }
                Read::Nonsense => return Err(self.failed(Trouble::Nonsense)),
                Read::Part => {}
            }
            let chunk = self.chunk(&mut silent)?;
            self.came = self.came.saturating_add(chunk.len());
            if self.came > MOST || self.pending.len().saturating_add(chunk.len()) > LONGEST {
                return Err(self.failed(Trouble::Nonsense));
            }
            self.pending.extend_from_slice(&chunk);
        }
    }

    fn chunk(&mut self, silent: &mut Option<impl FnOnce()>) -> Result<Bytes, Error> {
        let first = if silent.is_some() { self.limit.min(SILENCE) } else { self.limit };
        let mut came = self.from_plugin.recv_timeout(first);
        if let (Err(RecvTimeoutError::Timeout), Some(silent)) = (&came, silent.take_if(|_| first < self.limit)) {
            silent();
            came = self.from_plugin.recv_timeout(self.limit.saturating_sub(first));
        }
        came.map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                self.hopeless = true;
                self.failed(Trouble::TimedOut { seconds: self.limit.as_secs() })
            }
            RecvTimeoutError::Disconnected => {
                let status =
                    self.status().map_or_else(|| "it closed its output".to_owned(), |status| status.to_string());
                self.failed(Trouble::Ended(status))
            }
        })
    }

    /// How a plugin ended that has closed its output, and so is about to.
    fn status(&mut self) -> Option<ExitStatus> {
        let looks = GRACE.as_millis().checked_div(LOOK.as_millis()).unwrap_or(1);
        for _ in 0..looks {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(LOOK),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.to_plugin = None;
        // One that is done ends by itself, and may have a key to put back in order first.
        while !self.hopeless {
            match self.from_plugin.recv_timeout(GRACE) {
                Ok(chunk) => {
                    self.came = self.came.saturating_add(chunk.len());
                    self.hopeless = self.came > MOST;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    self.status();
                    break;
                }
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
