//! `--exit-with-stdin`: a process that ends with the one that started it, however that one ends.

use std::ffi::OsString;

use super::error::{Error, Result};

/// Ends this process by SIGTERM once stdin is closed, so that what was taken is given back, and open requests are answered.
///
/// # Errors
///
/// Stdin that is to be read as a source, a thread that can't be started, or a system without signals.
pub(super) fn watch(arguments: &[OsString]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "-") {
        return Err(Error::usage("stdin is the source already: --exit-with-stdin needs it"));
    }
    end_with_stdin()
}

#[cfg(unix)]
fn end_with_stdin() -> Result<()> {
    use rustix::process::{Signal, getpid, kill_process};
    let waiting = std::thread::Builder::new().name("stdin".to_owned()).spawn(|| {
        // What is written there means nothing; an error ends it as the end does.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = kill_process(getpid(), Signal::TERM);
    });
    waiting.map(|_| ()).map_err(|error| Error::usage(format!("--exit-with-stdin can't watch stdin: {error}")))
}

#[cfg(not(unix))]
fn end_with_stdin() -> Result<()> {
    Err(Error::usage("--exit-with-stdin needs a system with signals"))
}
