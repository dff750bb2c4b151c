//! Commands that other tools have, and what does the same here.

use clap::error::{ContextKind, ContextValue};

use super::error::Error;

/// What others call it, and the command that does it.
const ELSEWHERE: [(&[&str], &str); 14] = [
    (&["get", "otp", "totp", "hotp", "token", "generate", "gen", "now", "show-code"], "vmfa code NAME"),
    (&["copy", "clip"], "vmfa code NAME | wl-copy, or xclip -selection clipboard"),
    (&["watch"], "watch -n 1 vmfa code NAME, or `vmfa pair NAME --live` for the next two codes"),
    (&["delete", "del", "erase", "unenroll"], "vmfa remove NAME; `vmfa aws disable NAME` at AWS too"),
    (&["ls-devices", "devices", "status"], "vmfa list; `vmfa aws status` asks AWS"),
    (&["export", "backup", "dump", "reveal", "secret"], "vmfa uri NAME --reveal, or a QR code: vmfa qr NAME"),
    (&["import", "scan", "new", "create", "insert", "enrol", "enroll"], "vmfa add NAME SOURCE"),
    (&["restore"], "vmfa add NAME/ FILE, with the otpauth URIs of an export"),
    (&["check", "validate", "test"], "vmfa verify NAME CODE; `vmfa doctor` checks this machine"),
    (&["mv", "move"], "vmfa rename OLD NEW"),
    (&["edit", "update", "replace"], "vmfa add NAME SOURCE --replace, or vmfa rename OLD NEW"),
    (&["resync", "sync", "resynchronize"], "vmfa aws resync NAME; `vmfa pair NAME` gives two codes for other services"),
    (&["enable", "disable", "session", "exec", "assume-role", "login"], "vmfa aws enable, disable, session, exec"),
    (&["setup", "config", "configure"], "vmfa init"),
];

/// The error for a command that isn't there, where another tool has it.
pub(super) fn unknown_command(error: &clap::Error) -> Option<Error> {
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let (_, here) = ELSEWHERE.iter().find(|(names, _)| names.contains(&given.as_str()))?;
    Some(Error::usage(format!("there is no command `{given}`")).hint(*here).hint("`vmfa help` lists all commands"))
}
