//! Vaults, and the registry beside them.

use super::word;

// The keyring isn't there.

/// At a terminal; elsewhere the passphrase of an identity can't be asked for.
pub(in crate::cli) const AGE_INSTEAD: &str = "without a keyring (CI, containers, servers): vmfa init --vault age";
pub(in crate::cli) const AGE_INSTEAD_UNATTENDED: &str =
    "without a keyring (CI, containers, servers): vmfa init --vault age --new-identity FILE";
pub(in crate::cli) const WITH_BUS: &str =
    "if a keyring is installed: dbus-run-session -- bash, and unlock the keyring there (vmfa help vaults)";
pub(in crate::cli) const INSTALL_KEYRING: &str = "install and start one: GNOME Keyring, KWallet or KeePassXC";
/// Starts GNOME Keyring where no keyring runs.
pub(in crate::cli) const START_GNOME: &str = "GNOME Keyring without a desktop: printf %s \"$PASSWORD\" | \
                                              gnome-keyring-daemon --unlock --components=secrets";
pub(in crate::cli) const KWALLET_PLUGIN: &str = "KWallet needs a plugin for it: apt-get install libqca-qt5-2-plugins";
pub(in crate::cli) const WAIT_LONGER: &str =
    "answer the keyring's prompt; to wait longer for that: VMFA_KEYRING_TIMEOUT=SECONDS";

// The keyring has no collection to store in. The command unlocks GNOME Keyring without a desktop, making its login
// collection where there is none; the password is read without a line end. It takes the place of any other keyring.

pub(in crate::cli) const NO_COLLECTION_GNOME: &str = "make one: log in to the desktop once, or: printf %s \"$PASSWORD\" | \
                                                      gnome-keyring-daemon --replace --unlock --components=secrets";
pub(in crate::cli) const NO_COLLECTION_KWALLET: &str =
    "make a wallet and set it as the default in KWalletManager, then log in again";
pub(in crate::cli) const NO_COLLECTION_KEEPASSXC: &str =
    "open a database in KeePassXC, and expose a group: Database Settings, Secret Service Integration";
pub(in crate::cli) const NO_COLLECTION: &str = "log in to the desktop once, or make one in the keyring's own program";

// The keyring is locked, or wants to ask.

pub(in crate::cli) const LOCKED_GNOME: &str = "unlock it in the desktop, or: printf %s \"$PASSWORD\" | \
                                               gnome-keyring-daemon --replace --unlock --components=secrets";
pub(in crate::cli) const LOCKED_KWALLET: &str =
    "open the wallet in KWalletManager, or run vmfa in a terminal to be asked";
pub(in crate::cli) const LOCKED_KEEPASSXC: &str = "unlock the database in KeePassXC, and allow access when it asks; not to \
                                                   be asked: Settings, Secret Service Integration";
pub(in crate::cli) const LOCKED: &str = "unlock it in the keyring's own program, or run vmfa in a terminal to be asked";
pub(in crate::cli) const UNCONFIRMED_KEEPASSXC: &str =
    "confirm it in KeePassXC and try again; not to be asked: Settings, Secret Service Integration";
pub(in crate::cli) const UNCONFIRMED: &str = "run vmfa in a terminal, and answer the keyring's question";

// A secret isn't in the keyring.

pub(in crate::cli) const NOT_IN_KEYRING: &str =
    "`vmfa doctor` looks for all of them: it was deleted in another program, or this is another keyring";

// The age vault's identity isn't there, or can't be used.

pub(in crate::cli) const NAME_IDENTITY: &str =
    "for existing devices, give the identity they were added with: --identity-file or VMFA_IDENTITY_FILE";
pub(in crate::cli) const FIRST_IDENTITY: &str =
    "for a first device: vmfa init --vault age; without a terminal, --new-identity FILE too";
pub(in crate::cli) const IDENTITY_MOVED: &str =
    "check the path; if it moved, give the new one: --identity-file FILE or VMFA_IDENTITY_FILE";
pub(in crate::cli) const REMEMBER_IDENTITY: &str =
    "to remember the new path: vmfa init --vault age --use-identity FILE";
pub(in crate::cli) const IDENTITY_AS_FILE: &str =
    "give it as a file: --identity-file FILE or VMFA_IDENTITY_FILE, which may be /dev/stdin";
pub(in crate::cli) const ITS_IDENTITY: &str =
    "give the identity that it was added with: --identity-file FILE or VMFA_IDENTITY_FILE";
pub(in crate::cli) const WHAT_IDENTITY: &str =
    "an identity begins with AGE-SECRET-KEY-1, or is an SSH key; age1… is a recipient";
pub(in crate::cli) const IDENTITY_NOT_USED: &str =
    "VMFA_IDENTITY isn't read: write it to a file for you alone, and name that in VMFA_IDENTITY_FILE";
pub(in crate::cli) const UNLOCK: &str = "enter it once for 8 hours, at a terminal: vmfa unlock";
pub(in crate::cli) const PASSPHRASE_FD: &str = "or give it to this command: --passphrase-fd 3 3< FILE";

pub(in crate::cli) fn chmod(path: &str) -> String {
    format!("chmod 600 {path}")
}

pub(in crate::cli) fn by_stdin(path: &str) -> String {
    format!("if you can't change it: VMFA_IDENTITY_FILE=/dev/stdin, with < {path}")
}

// A plugin that holds the identity isn't there, or doesn't answer.

pub(in crate::cli) fn install_plugin(name: &str) -> String {
    format!("install it: `age-plugin-{name}` has to be a program in a directory of PATH")
}

pub(in crate::cli) const OTHER_OPENER: &str = "or use another identity that opens the same files: --identity-file FILE";
pub(in crate::cli) const PLUGIN_LONGER: &str =
    "plug in or touch its key, if it has one; to wait longer: VMFA_PLUGIN_TIMEOUT=SECONDS";
pub(in crate::cli) const PLUGIN_ASKS: &str = "run vmfa in a terminal; a secret can come by --passphrase-fd FD, too";

pub(in crate::cli) fn try_plugin(name: &str) -> String {
    format!("see what it says by itself: age-plugin-{name} --help; a newer version of it may help")
}

pub(in crate::cli) const NAME_RECIPIENT: &str =
    "the file doesn't say which recipient is the identity's: give it too, --recipient age1NAME1…";

// There is no passphrase to enter once.

pub(in crate::cli) const PLUGIN_STAYS: &str =
    "no `vmfa unlock` is needed, and none helps: the plugin opens each secret, and asks if it has to";

pub(in crate::cli) const NOTHING_TO_UNLOCK: &str =
    "there is nothing to unlock; an SSH key with a passphrase can't be, so use an age identity";

// The recipients can't be changed.

pub(in crate::cli) const LIST_RECIPIENTS: &str = "`vmfa recipients list` shows them all";
pub(in crate::cli) const ADD_RECIPIENT_FIRST: &str = "add another one first: vmfa recipients add RECIPIENT";
pub(in crate::cli) const FINISH_RECIPIENTS: &str =
    "to finish it, give the last command again: vmfa recipients add, or vmfa recipients remove";
pub(in crate::cli) const NAME_PLUGINS_RECIPIENT: &str =
    "name them once: vmfa init --vault age --use-identity FILE --recipient age1NAME1…";

// A backup can't be written, or read.

pub(in crate::cli) const BACKUP_UNATTENDED: &str = "for scripts: -r KEY, -R FILE, or --passphrase-fd FD";
pub(in crate::cli) const NOT_A_BACKUP: &str =
    "give a file that `vmfa backup` wrote; for another app's export: vmfa import FILE";
pub(in crate::cli) const BACKUP_PASSPHRASE: &str =
    "run it at a terminal, or give the passphrase: --passphrase-fd 3 3< FILE";
pub(in crate::cli) const LEAVE_IDENTITY: &str = "leave out --identity";
pub(in crate::cli) const BACKUPS_OWN_IDENTITY: &str =
    "check the path that you gave by --identity; --identity-file is for the vault's identity";
pub(in crate::cli) const RECIPIENTS_FILE: &str = "it is a file; to read recipients from it: -R FILE";

pub(in crate::cli) fn public_part(file: &str) -> String {
    let file = word(file);
    format!("its recipient: age-keygen -y {file}")
}

pub(in crate::cli) const BACKUP_IDENTITY: &str =
    "give the identity that opens the backup: --identity FILE (--identity-file is for the vault's)";
pub(in crate::cli) const UPGRADE_FOR_BACKUP: &str = "a newer vmfa wrote it: upgrade this one";

// `vmfa init` can't set up what was asked for.

pub(in crate::cli) const SAY_AGE: &str =
    "to use them, choose that vault: --vault age, or --vault shared with --registry";
pub(in crate::cli) const OTHER_HOME: &str =
    "for a new age vault, set VMFA_HOME to another directory: another identity can't open this one";
pub(in crate::cli) const USE_THE_SAME: &str = "name the identity they were added with: --use-identity FILE";
pub(in crate::cli) const NEW_IDENTITY: &str =
    "for scripts, one without a passphrase: vmfa init --vault age --new-identity FILE";
pub(in crate::cli) const OTHER_IDENTITIES: &str = "or --use-identity FILE, --passphrase-fd FD, --identity-in-keyring";

pub(in crate::cli) fn use_identity(path: impl std::fmt::Display) -> String {
    format!("to use it as it is: --use-identity {path}")
}

/// Where the age vault is set up, and not chosen.
pub(in crate::cli) const CHOOSE_AGE: &str = "to use the age vault, which is set up: --vault age, or VMFA_VAULT=age";

// The registry can't be read or written.

pub(in crate::cli) const UPGRADE: &str = "upgrade vmfa, or use another VMFA_HOME";
pub(in crate::cli) const RESTORE_REGISTRY: &str =
    "keep the file, and restore its newest backup: it holds which codes were handed out";
pub(in crate::cli) const RESTORED: &str = "then `vmfa doctor --restored`; the secrets are not in it, and are not lost";
pub(in crate::cli) const WHEN_ENDED: &str = "nothing was changed: try again when it has ended";
pub(in crate::cli) const FREE_SPACE: &str = "nothing was changed: free some space there, and try again";
pub(in crate::cli) const ONLY_LOOK: &str =
    "to look without changing anything: `vmfa list`, `vmfa show NAME`, `vmfa code NAME --at TIME`";
pub(in crate::cli) const LOCAL_DIRECTORY: &str =
    "set VMFA_HOME to a local directory: without locks two processes can get the same code";
pub(in crate::cli) const DOCTOR: &str = "`vmfa doctor` looks at the file";

pub(in crate::cli) fn resume(process: &str) -> String {
    format!("resume it: kill -CONT {process}")
}

// The registry or the vault's key is an older one.

pub(in crate::cli) const NEWEST_COPY: &str = "restore the newest copy, if you have one";
pub(in crate::cli) const GO_ON: &str =
    "to go on with this one: `vmfa doctor --restored`; codes up to now then count as handed out";
pub(in crate::cli) const KEY_DELETED: &str =
    "use the keyring that was there before, unless it was deleted there in another program";
pub(in crate::cli) const KEYRING_BEFORE: &str = "use the keyring that was there before";

pub(in crate::cli) fn restore_key(file: &str) -> String {
    format!("restore it from a backup: items/{file}.age in the age vault's directory")
}

// What `vmfa doctor --restored` did.

pub(in crate::cli) const ON_YOUR_WORD: &str =
    "nothing showed that the registry was restored: it was done because you said so";
pub(in crate::cli) const TIME_WRONG: &str = "if that time is wrong, set the clock and run it again";
pub(in crate::cli) const SKIP_COUNTERS: &str =
    "counters stay where they are: if codes are missing there, `vmfa code NAME --count N` skips N of them";
pub(in crate::cli) const COUNTERS_ANEW: &str = "a counter device that you add again starts at its source's counter";

// The system's clock is wrong.

pub(in crate::cli) const SET_CLOCK: &str = "set the clock, or have it set: timedatectl set-ntp true";
