//! The command line can't be read.

use super::word;

// There is no such command.

pub(in crate::cli) const ALL_COMMANDS: &str = "`vmfa help` lists all commands and topics";
pub(in crate::cli) const COMMAND_FIRST: &str = "the command comes first, then the device";

pub(in crate::cli) fn its_commands(parent: &str) -> String {
    format!("its commands: {parent} --help")
}

pub(in crate::cli) fn is_device(device: &str) -> String {
    format!("`{device}` is a device; its code: vmfa code {}", word(device))
}

pub(in crate::cli) fn near_device(device: &str) -> String {
    format!("did you mean the device `{device}`? its code: vmfa code {}", word(device))
}

/// What other programs call it, and the command that does it.
pub(in crate::cli) const ELSEWHERE: [(&[&str], &str); 14] = [
    (&["get", "otp", "totp", "hotp", "token", "generate", "gen", "now", "show-code"], "vmfa code NAME"),
    (&["copy", "clip"], "vmfa code NAME --copy"),
    (&["delete", "del", "erase", "unenroll"], "vmfa remove NAME; `vmfa aws disable NAME` at AWS too"),
    (&["undelete", "undo", "recover", "unremove"], "vmfa trash restore NAME; `vmfa trash list` shows what is in it"),
    (&["ls-devices", "devices", "status"], "vmfa list; `vmfa aws status` asks AWS"),
    (&["dump", "reveal", "secret"], "vmfa uri NAME --reveal, or a QR code: vmfa qr NAME; vmfa export FILE"),
    (
        &["new", "create", "insert", "enrol", "enroll"],
        "vmfa add NAME SOURCE; `vmfa import FILE` for another app's export",
    ),
    (&["check", "validate", "test"], "vmfa verify NAME CODE; `vmfa doctor` checks this machine"),
    (&["mv", "move"], "vmfa rename OLD NEW"),
    (&["update", "replace", "change", "set"], "vmfa edit NAME; for another secret, vmfa add NAME SOURCE --replace"),
    (&["resync", "sync", "resynchronize"], "vmfa aws resync NAME; `vmfa pair NAME` gives two codes for other services"),
    (&["enable", "disable", "session", "exec", "assume-role", "login"], "vmfa aws enable, disable, session, exec"),
    (&["setup", "config", "configure"], "vmfa init"),
    (&["agent", "agents"], "vmfa mcp --allow NAME"),
];

// There is no such option of this command.

/// Options that a command doesn't have although others do, with what to do there.
pub(in crate::cli) const WITHOUT: [(&str, &str, &str); 3] = [
    ("pair", "--fresh", "leave it out: each pair is newer than the last; to wait for one: --wait"),
    ("pair", "--aws", "for the arguments of the AWS CLI: --as aws-cli"),
    ("edit", "--name", "for another name: vmfa rename DEVICE NAME"),
];

/// For commands that have the option, such as `vmfa code`.
pub(in crate::cli) fn option_of(option: &str, commands: &[String]) -> String {
    let has = if commands.len() == 1 { "has" } else { "have" };
    let commands: Vec<String> = commands.iter().map(|command| format!("`{command}`")).collect();
    let named = match commands.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        all => all.concat(),
    };
    format!("{named} {has} {option}")
}

// Options exclude each other.

pub(in crate::cli) const INSTEAD: [(&str, &str, &str); 6] = [
    ("--fresh", "--count", "--fresh gives one code: run it again for another, or take two by `vmfa pair`"),
    ("--fresh", "--next", "--fresh waits for the next code if the current one is used"),
    ("--fresh", "--previous", "--fresh --window takes an unused code near the current one"),
    ("--fresh", "--from", "--from stores nothing, so it can't know which codes are used: `vmfa add` the device first"),
    ("--keep", "--remove", "--keep leaves the secret here; --remove deletes it"),
    ("DEVICE", "--from", "name a device that was added, or read a source with --from"),
];

// Anything else that can't be read.

pub(in crate::cli) fn usage(line: &str) -> String {
    format!("usage: {line}")
}

pub(in crate::cli) fn all_options(command: &str) -> String {
    format!("all options: {command} --help")
}

pub(in crate::cli) const QUOTE_PATTERN: &str = "give one device, or a pattern in quotes: vmfa code 'ci/*' --fresh";
pub(in crate::cli) const BEFORE_COMMAND: &str = "put `--` before the command";

// No device is named.

/// Some of all devices.
pub(in crate::cli) fn there_are(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = super::there_are(names, SHOWN);
    if names.len() > SHOWN { format!("{shown}: vmfa list") } else { shown }
}

pub(in crate::cli) fn device_and_code(command: &str) -> String {
    format!("usage: vmfa {command} DEVICE CODE, or --from SOURCE CODE")
}

// A secret is among the arguments.

pub(in crate::cli) const PASTE: &str = "leave the source out and paste at the hidden prompt: vmfa add NAME";
pub(in crate::cli) const PIPE: &str = "or by stdin or clipboard: vmfa add NAME - < FILE, or vmfa add NAME clipboard";
pub(in crate::cli) const PUBLIC_PART: &str =
    "a recipient is the public part of an identity: age-keygen -y IDENTITY prints it";
pub(in crate::cli) const IDENTITY_BY_FILE: &str =
    "to use the identity, name its file: vmfa init --vault age --use-identity FILE";
pub(in crate::cli) const PATH_OF_IDENTITY: &str =
    "give the path of its file, or read it from a pipe: VMFA_IDENTITY_FILE=/dev/stdin";
pub(in crate::cli) const IDENTITY_BY_STDIN: &str =
    "for an identity in a CI secret: printf '%s\\n' \"$IDENTITY\" | VMFA_IDENTITY_FILE=/dev/stdin vmfa …";
pub(in crate::cli) const LOGGED: &str = "if it was printed to a log before, replace it";
pub(in crate::cli) const HISTORY: &str = "the shell's history may hold it now: clear it there";

pub(in crate::cli) const OPEN_DESCRIPTOR: &str = "open it in the shell: --passphrase-fd 3 3< FILE";

pub(in crate::cli) fn passphrase_fd(command: &str) -> String {
    format!("{command} … --passphrase-fd 3 3< FILE")
}

// What is written would be a secret, or a picture on a terminal.

pub(in crate::cli) const REVEAL: &str = "to write it all the same: --reveal";
pub(in crate::cli) const NAME_PNG: &str = "name a file: --png FILE";
pub(in crate::cli) const ENLARGE: &str = "enlarge the terminal, or write a picture: --png FILE";
pub(in crate::cli) const AS_URI: &str = "`vmfa uri` gives the same as text";
pub(in crate::cli) const NAME_FILE: &str = "give a path; for a file named `-`: ./-";
pub(in crate::cli) const NOT_OVERWRITTEN: &str = "nothing is overwritten: remove it first";

// The terminal or the clipboard isn't there.

pub(in crate::cli) const CODES_ONCE: &str = "to print the codes once: vmfa list --codes";
pub(in crate::cli) const CODES_AS_JSON: &str = "all current codes as JSON: vmfa list --codes --json";
pub(in crate::cli) const COPY_BY_TERMINAL: &str =
    "over SSH, or where there is no display: --copy=osc52, if your terminal takes it";
