//! Registries in databases, and the way to them.

// The database has no registry, or an older one.

pub(in crate::cli) const MAKE: &str = "its owner makes it, and brings it up to date: vmfa init --registry URL";

// The server can't be reached, or refuses.

pub(in crate::cli) const CHOOSE_DATABASE: &str =
    "name the registry's database: vmfa init --vault shared --registry URL, or VMFA_REGISTRY";
pub(in crate::cli) const REACH: &str = "no code was handed out: start the server, or name another by VMFA_REGISTRY";
pub(in crate::cli) const PASSWORD: &str = "give the password by PGPASSWORD, ~/.pgpass, or a URL in VMFA_REGISTRY";
pub(in crate::cli) const LOOK_AGAIN: &str = "see what is there: `vmfa list`, `vmfa show NAME`";

// Another machine would be reached in clear text.

pub(in crate::cli) const TLS: &str =
    "leave out sslmode=disable or http://, or say --plain-registry on a private test network";

// The URL can't be used.

pub(in crate::cli) const URL: &str =
    "for example: postgres://USER@HOST/DATABASE, dynamodb://TABLE, or `file` for the file in vmfa's home";
#[cfg(not(all(feature = "postgres", feature = "dynamodb")))]
pub(in crate::cli) const WITH_FEATURE: &str = "`cargo install --locked --path .` in a checkout builds one that has it";

// A table of DynamoDB can't be found or used, or keys were in its URL.

pub(in crate::cli) const POLICIES: &str = "docs/dynamodb.md has the policies that let each do its work";

#[cfg(feature = "dynamodb")]
pub(in crate::cli) const REGION: &str = "name it in the URL: dynamodb://TABLE?region=REGION";
pub(in crate::cli) const KEYS: &str =
    "give the keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a profile of ~/.aws";
pub(in crate::cli) const REVOKE_KEYS: &str =
    "delete them at AWS if others use this machine, and from your shell's history";

// A password was an argument.

pub(in crate::cli) const CHANGE_PASSWORD: &str =
    "change it if others use this machine, and delete it from your shell's history";

// A clock can't be used.

pub(in crate::cli) const UNSET_CLOCK: &str = "to use this machine's clock again: unset VMFA_CLOCK";

// This machine's clock is not the registry's.

pub(in crate::cli) const ITS_CLOCK: &str = "use the clock that all machines share: VMFA_CLOCK=registry";

// A registry can't be copied now.

pub(in crate::cli) const SETTLE: &str = "two minutes from now, `vmfa doctor` clears it up";
pub(in crate::cli) const STOP_AND_COPY: &str = "stop what uses either registry, and give the command again";
pub(in crate::cli) const CHOOSE_NEW: &str =
    "to use it from now on, on each machine: vmfa init --registry URL; the old one doesn't know which codes it gives";
