//! Exports of other authenticators.

// It isn't read.

pub(in crate::cli) const KINDS: &str =
    "`vmfa help import` lists the formats; `vmfa add NAME FILE` takes pictures and URIs";
pub(in crate::cli) const ADD_FROM: &str = "an export is a file; what you copied, or see, is read by `vmfa add NAME`";
pub(in crate::cli) const AGAIN: &str = "export it again, and copy the file whole";
pub(in crate::cli) const IN_PARTS: &str = "export fewer entries at a time, and import one file after the other";
pub(in crate::cli) const OTHER_FORMAT: &str = "update vmfa, or export in another format that the app offers";
pub(in crate::cli) const CHEAPER: &str = "no app writes such a file: get it from the app again";
pub(in crate::cli) const ONE_BY_ONE: &str = "import other exports one at a time";
pub(in crate::cli) const ALL_CODES: &str = "give the pictures of all QR codes: vmfa import 1.png 2.png";
pub(in crate::cli) const ONE_EXPORT: &str = "give the pictures of one export alone";

// It is encrypted.

pub(in crate::cli) const RIGHT_PASSWORD: &str = "it is the password that was set for the export in the app";
pub(in crate::cli) const KEY_FILE: &str = "if a KeePass database has a key file, too: --key-file FILE";
pub(in crate::cli) const IMPORT_WITH_PASSWORD: &str =
    "run it at a terminal, or import the file: vmfa import FILE --password-file PASSWORD-FILE";
pub(in crate::cli) const GIVE_PASSWORD: &str = "give its password: --password-fd FD or --password-file FILE";

// It would be written in clear text.

pub(in crate::cli) const PLAINTEXT: &str = "to write it all the same: --plaintext";
pub(in crate::cli) const ENCRYPTED: &str = "formats that are encrypted with a password: --format vmfa, aegis or kdbx";
pub(in crate::cli) const ALWAYS_ENCRYPTED: &str = "leave out --plaintext, and give a password";
pub(in crate::cli) const OTHER_DEVICES: &str = "name the devices to export, or choose another format";

// Nothing of it is imported.

pub(in crate::cli) const DRY_RUN: &str = "to see what it holds: --dry-run without --only";
