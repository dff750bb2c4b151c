//! What is done before anything else, so that secrets stay in this process.

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
