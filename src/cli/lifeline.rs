//! `--exit-with-stdin`: end when the process that started this one ends, however it ends.

use std::ffi::OsString;

use super::error::{Error, Result};

/// Sends SIGTERM to this process when stdin is closed, so that it gives back what it took and answers open requests.
///
/// Nothing else can read stdin from then on: it is empty for this process, and for the command of `aws exec`.
///
/// # Errors
///
/// Stdin that is to be read as a source or for a passphrase, a thread that can't be started, or a system without signals.
pub(super) fn watch(arguments: &[OsString], passphrase_fd: Option<u32>) -> Result<()> {
    if arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "-") {
        return Err(Error::usage("`-` reads stdin, which --exit-with-stdin waits on"));
    }
    if passphrase_fd == Some(0) {
        return Err(Error::usage("--passphrase-fd 0 reads stdin, which --exit-with-stdin waits on"));
    }
    end_with_stdin()
}

#[cfg(unix)]
fn end_with_stdin() -> Result<()> {
    use std::fs::File;
    use std::os::fd::AsFd as _;

    use rustix::process::{Signal, getpid, kill_process};
    use rustix::stdio::dup2_stdin;
    let watch = || {
        let mut lifeline = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        dup2_stdin(File::open("/dev/null")?)?;
        std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            // Input is ignored; a read error counts as the end.
            let _ = std::io::copy(&mut lifeline, &mut std::io::sink());
            let _ = kill_process(getpid(), Signal::TERM);
        })
    };
    watch().map(|_| ()).map_err(|error| Error::usage(format!("--exit-with-stdin can't watch stdin: {error}")))
}

#[cfg(not(unix))]
fn end_with_stdin() -> Result<()> {
    Err(Error::usage("--exit-with-stdin needs a system with signals"))
}
