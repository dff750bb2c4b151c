//! What the agent and its clients say to each other, and how each makes sure of the other.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The command, which isn't in the help, that starts this program as an agent.
pub(in crate::cli) const KEEPER: &str = "hold-the-identity";

/// What a client asks for.
pub(super) const GET: &str = "vmfa agent 1 get";
pub(super) const LOCK: &str = "vmfa agent 1 lock";

/// What the agent says once it answers: whether its memory is kept off the disk.
pub(super) const READY: &str = "ready, never swapped";
pub(super) const READY_UNLOCKED: &str = "ready";

/// The longest identity.
pub(super) const LONGEST: u64 = 64 << 10;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);

/// That the other side of a connection is a process of this user, by what the kernel says (`SO_PEERCRED`); and that it
/// doesn't keep this one waiting.
pub(super) fn expect_same_user(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if rustix::net::sockopt::socket_peercred(stream)?.uid == rustix::process::getuid() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other side is another user"))
}
