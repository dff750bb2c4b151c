//! What is done first, so that secrets stay in this process.

/// Has a command take this process's place; core files stay off. Where the system can't do that, the command is waited for,
/// and its exit code comes back.
///
/// # Errors
///
/// Why it can't be run.
pub(super) fn run_instead(mut command: std::process::Command) -> std::io::Result<u8> {
    #[cfg(unix)]
    {
        Err(std::os::unix::process::CommandExt::exec(&mut command))
    }
    #[cfg(not(unix))]
    {
        let status = command.status()?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }
}

/// Allows this process a number of open files, or as many as the system permits: the result.
pub(super) fn allow_descriptors(wanted: u64) -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let possible = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        if limit.current.is_some_and(|current| current < possible) {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum: limit.maximum });
        }
        getrlimit(Resource::Nofile).current.unwrap_or(wanted)
    }
    #[cfg(not(unix))]
    wanted
}

/// The descriptors that this process was started with.
pub(super) fn descriptor(fd: u32) -> std::io::Result<std::fs::File> {
    std::fs::File::options().write(true).open(format!("/dev/fd/{fd}"))
}

/// Whether a path names what this process has as stdin.
pub(super) fn is_stdin(path: &std::path::Path) -> bool {
    #[cfg(unix)]
    {
        let stdin = rustix::fs::fstat(std::io::stdin()).map(|stat| (stat.st_dev, stat.st_ino));
        let there = rustix::fs::stat(path).map(|stat| (stat.st_dev, stat.st_ino));
        matches!((stdin, there), (Ok(stdin), Ok(there)) if stdin == there)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// No core files; no reading of this process's memory by others of the same user; no words from
/// workers whose panics are answers.
pub(super) fn harden() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        // PR_SET_DUMPABLE 0: /proc/PID/mem and environ become root's.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A decoder that panics on an image has failed to read it, which is reported as that.
        if std::thread::current().name() != Some(crate::provision::qr::WORKER) {
            otherwise(info);
        }
    }));
}
