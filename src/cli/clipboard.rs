//! Codes on the clipboard. On X11 and Wayland a clipboard lasts as long as the process that copied, so a second process holds
//! the code and clears it after a while. It gets the code by a pipe: other processes can read arguments.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use base64::Engine as _;
use clap::ValueEnum;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::{clock, environment, hints};

/// How long a code stays there, in seconds.
pub(super) const CLEAR_AFTER: &str = "45s";

/// The command, which isn't in the help, that keeps a code on the clipboard.
pub(super) const KEEPER: &str = "keep-clipboard";

/// What a keeper says when it has reached the clipboard, and when the code is on it.
const READY: &str = "ready";
const COPIED: &str = "copied";

/// How often a keeper looks whether the clipboard is still its own.
const LOOK: Duration = Duration::from_millis(500);

/// The longest line between the two.
const LONGEST: u64 = 4096;

/// How a code gets onto a clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// That of the display.
    Clipboard,
    /// The terminal's, by an escape sequence: also over SSH.
    Osc52,
}

/// A clipboard that can be reached. This is checked before a code is taken, so that none is used up in vain.
#[derive(Debug)]
pub(super) enum Clipboard {
    Kept(Child, BufReader<std::process::ChildStdout>),
    Terminal(std::fs::File),
}

fn failed(reason: impl std::fmt::Display) -> Error {
    Error::input("clipboard", format!("the clipboard can't be written: {reason}")).hint(hints::usage::COPY_BY_TERMINAL)
}

impl Clipboard {
    /// # Errors
    ///
    /// No display or, for OSC 52, no terminal.
    pub(super) fn reach(way: Way, clear_after: u64) -> Result<Self> {
        match way {
            Way::Osc52 => {
                let terminal = std::fs::File::options().write(true).open("/dev/tty");
                terminal.map(Self::Terminal).map_err(|_| {
                    Error::input("clipboard", "the clipboard can't be written: there is no terminal to send OSC 52 to")
                })
            }
            Way::Clipboard => {
                #[cfg(target_os = "linux")]
                if environment::variable("WAYLAND_DISPLAY").or_else(|| environment::variable("DISPLAY")).is_none() {
                    return Err(failed("there is no display (neither WAYLAND_DISPLAY nor DISPLAY is set)"));
                }
                start_keeper(clear_after)
            }
        }
    }

    /// Puts a text there. The result is the process that keeps it.
    ///
    /// # Errors
    ///
    /// A display or a terminal that went away meanwhile.
    pub(super) fn copy(self, text: &str) -> Result<Option<Child>> {
        match self {
            Self::Terminal(mut terminal) => {
                let base64 = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(text));
                let sequence = Zeroizing::new(format!("\x1b]52;c;{}\x07", *base64));
                terminal.write_all(sequence.as_bytes()).map(|()| None).map_err(failed)
            }
            Self::Kept(mut child, mut answers) => {
                let line = Zeroizing::new(format!("{text}\n"));
                let mut stdin = child.stdin.take().ok_or_else(|| failed("its keeper has ended"))?;
                stdin.write_all(line.as_bytes()).map_err(failed)?;
                drop(stdin);
                expect(COPIED, &mut answers)?;
                Ok(Some(child))
            }
        }
    }
}

fn start_keeper(clear_after: u64) -> Result<Clipboard> {
    let mut command = Command::new(environment::this_program().map_err(failed)?);
    command.args([KEEPER, &clear_after.to_string()]).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    let answers = child.stdout.take().ok_or_else(|| failed("its keeper has ended"))?;
    let mut answers = BufReader::new(answers);
    expect(READY, &mut answers)?;
    Ok(Clipboard::Kept(child, answers))
}

/// A keeper's next line.
fn expect(wanted: &str, answers: &mut BufReader<std::process::ChildStdout>) -> Result<()> {
    let mut line = String::new();
    answers.by_ref().take(LONGEST).read_line(&mut line).map_err(failed)?;
    match line.trim() {
        line if line == wanted => Ok(()),
        "" => Err(failed("its keeper has ended")),
        reason => Err(failed(reason)),
    }
}

/// What the second process does: reads a line from stdin, copies it, and clears it after a while. It ends at once when
/// something else is copied. Errors go to stdout as one line, for the process that started it.
pub(super) fn keep(seconds: &OsStr) -> ExitCode {
    let seconds = seconds.to_str().and_then(|seconds| seconds.parse().ok());
    let Some(seconds) = seconds else { return ExitCode::FAILURE };
    keep_until(&*clock::deadline(Duration::from_secs(seconds)));
    ExitCode::SUCCESS
}

fn keep_until(over: &dyn Fn() -> bool) {
    // It has to outlive the terminal, and the process that started it.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    let say = |text: &str| {
        let mut stdout = io::stdout().lock();
        let _ = writeln!(stdout, "{}", text.replace('\n', " ")).and_then(|()| stdout.flush());
    };
    let mut clipboard = match arboard::Clipboard::new() {
        Ok(clipboard) => clipboard,
        Err(error) => return say(&error.to_string()),
    };
    say(READY);
    let mut line = Zeroizing::new(String::with_capacity(64));
    // The process that started it may end without a code.
    if io::stdin().lock().take(LONGEST).read_line(&mut line).is_err() || line.trim().is_empty() {
        return;
    }
    let text = line.trim();
    if let Err(error) = hidden_from_history(clipboard.set()).text(text) {
        return say(&error.to_string());
    }
    say(COPIED);
    let mut holds = || clipboard.get_text().map(Zeroizing::new).is_ok_and(|found| *found == text);
    while !over() {
        std::thread::sleep(LOOK);
        if !holds() {
            return;
        }
    }
    if holds() {
        let _ = clipboard.clear();
    }
}

/// Marks the text so that clipboard managers don't remember it.
fn hidden_from_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    #[cfg(target_os = "linux")]
    let set = arboard::SetExtLinux::exclude_from_history(set);
    #[cfg(target_os = "macos")]
    let set = arboard::SetExtApple::exclude_from_history(set);
    #[cfg(target_os = "windows")]
    let set = arboard::SetExtWindows::exclude_from_monitoring(set);
    set
}
