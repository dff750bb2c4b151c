//! Asking a person.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use zeroize::Zeroizing;

use super::error::{Error, Kind, Result};

/// Whether somebody is there to be asked.
pub(super) fn somebody_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line typed or pasted without being shown.
pub(super) fn hidden(question: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(format!("{question}: "))
        .map(Zeroizing::new)
        .map_err(|error| Error::input("prompt", format!("nothing could be asked for: {error}")))
}

/// A new passphrase, twice.
pub(super) fn new_passphrase() -> Result<Zeroizing<String>> {
    let first = hidden("new passphrase")?;
    if first.is_empty() {
        return Err(Error::usage("an empty passphrase protects nothing"));
    }
    if *first != *hidden("the same again")? {
        return Err(Error::usage("the two passphrases differ"));
    }
    Ok(first)
}

/// A passphrase from a file descriptor: its first line, or all of it where there is no line end.
pub(super) fn from_descriptor(descriptor: u32) -> Result<Zeroizing<String>> {
    const LONGEST: u64 = 4096;
    let failed = |reason: &str| Error::input("passphrase-fd", format!("file descriptor {descriptor}: {reason}"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let read = if descriptor == 0 {
        std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)
    } else {
        // By its name, so that no descriptor of this process is taken over or closed.
        std::fs::File::open(format!("/dev/fd/{descriptor}")).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
    };
    read.map_err(|error| failed(&error.to_string()))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| failed("the passphrase is not UTF-8"))?;
    if text.is_empty() {
        return Err(failed("the passphrase is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// A yes, typed out; anything else is a no. Without a terminal it is an error that names `--yes`.
pub(super) fn confirm(question: &str) -> Result<()> {
    if !somebody_there() {
        return Err(Error::usage("nobody is there to confirm it").hint("say --yes to do it without asking"));
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
