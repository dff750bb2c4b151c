//! Asking a person.

use std::fs::File;
use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::OnceLock;

use zeroize::Zeroizing;

pub(super) use super::environment::somebody_there;
use super::error::{Error, Kind, Result};
use super::{hints, screen};

/// Whether there is a terminal to ask at, whatever stdin is.
pub(super) fn terminal_there() -> bool {
    !cfg!(unix) || File::open("/dev/tty").is_ok()
}

/// A line typed or pasted without being shown.
pub(super) fn hidden(question: &str) -> Result<Zeroizing<String>> {
    screen::aside(|| hidden_on_lines(question))
}

fn hidden_on_lines(question: &str) -> Result<Zeroizing<String>> {
    #[cfg(unix)]
    let terminal = super::terminal::Terminal::open(String::new);
    let answer = rpassword::prompt_password(format!("{question}: ")).map(Zeroizing::new);
    #[cfg(unix)]
    if terminal.is_some_and(|terminal| terminal.discard_more()) {
        // Otherwise the rest of a pasted secret would go to the shell.
        return Err(Error::input("prompt", "more than one line was pasted: nothing of it was used")
            .hint(hints::sources::SEVERAL_LINES));
    }
    answer.map_err(|error| Error::input("prompt", format!("nothing could be asked for: {error}")))
}

/// A line typed for everybody to see.
pub(super) fn shown(question: &str) -> Result<String> {
    const LONGEST: u64 = 4096;
    screen::aside(|| {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{question}: ");
        let _ = stderr.flush();
        let mut line = String::new();
        // Where stdin is something else, there may still be a terminal.
        let read = if cfg!(unix) {
            File::open("/dev/tty")
                .and_then(|terminal| std::io::BufReader::new(terminal.take(LONGEST)).read_line(&mut line))
        } else {
            std::io::stdin().lock().take(LONGEST).read_line(&mut line)
        };
        read.map_err(|error| Error::input("prompt", format!("nothing could be asked for: {error}")))?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    })
}

/// A new passphrase, twice.
pub(super) fn new_passphrase() -> Result<Zeroizing<String>> {
    twice("passphrase")
}

/// A new password, twice.
pub(super) fn new_password() -> Result<Zeroizing<String>> {
    twice("password")
}

fn twice(what: &str) -> Result<Zeroizing<String>> {
    let first = hidden(&format!("new {what}"))?;
    if first.is_empty() {
        return Err(Error::usage(format!("an empty {what} protects nothing")));
    }
    if *first != *hidden(&format!("confirm {what}"))? {
        return Err(Error::usage(format!("the two {what}s differ")));
    }
    Ok(first)
}

/// The descriptor of `--passphrase-fd`, once it is taken over.
static TAKEN: OnceLock<(u32, std::io::Result<File>)> = OnceLock::new();

/// Takes over the descriptor that a passphrase comes by, before anything else is opened: what this program runs doesn't
/// inherit it, and could read the passphrase once more. The three standard ones stay.
pub(super) fn take_over(descriptor: Option<u32>) {
    if let Some(descriptor) = descriptor.filter(|descriptor| *descriptor > 2) {
        let _ = TAKEN.set((descriptor, taken_over(descriptor)));
    }
}

#[cfg(unix)]
fn taken_over(descriptor: u32) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
    // A FIFO that nobody writes to any more would be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = open(format!("/dev/fd/{descriptor}"), flags, Mode::empty());
    if let Ok(number) = std::os::fd::RawFd::try_from(descriptor) {
        // The caller of this program opened it, and nothing here owns it yet.
        let _ = nix::unistd::close(number);
    }
    let file = opened?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file.into())
}

#[cfg(not(unix))]
fn taken_over(_: u32) -> std::io::Result<File> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// A passphrase from a file descriptor: its first line, or all of it where there is no line end.
pub(super) fn from_descriptor(descriptor: u32) -> Result<Zeroizing<String>> {
    const LONGEST: u64 = 4096;
    let failed = |reason: &str| Error::input("passphrase-fd", format!("file descriptor {descriptor}: {reason}"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let read = match TAKEN.get() {
        Some((_, Ok(file))) => file.take(LONGEST).read_to_end(&mut bytes),
        Some((_, Err(error))) => Err(error.kind().into()),
        None if descriptor == 0 => std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes),
        None => File::open(format!("/dev/fd/{descriptor}")).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)),
    };
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed("is not open").hint(hints::usage::OPEN_DESCRIPTOR),
        _ => failed(&error.to_string()),
    })?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| failed("the passphrase is not UTF-8"))?;
    if text.is_empty() {
        return Err(failed("the passphrase is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whether the user typed `yes`. Without a terminal, an error that says what would be done and names `--yes`.
pub(super) fn confirm(question: &str, what: &str) -> Result<()> {
    if !somebody_there() {
        return Err(Error::usage(format!("{what}, and there is no terminal to confirm it at")).hint(hints::YES));
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question} [y/N] ");
    let _ = stderr.flush();
    let mut line = String::new();
    let _ = std::io::stdin().lock().take(64).read_line(&mut line);
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::new(Kind::No, "not-confirmed", "not confirmed: nothing was changed")),
    }
}
