//! Options that every command takes.

use super::registry_words::registry;

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Global {
    /// Print the answer, or the error, as JSON
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,
    /// Where the secret is: `keyring`, `age` or `shared` [default: the device's own; for new devices as `vmfa init`
    /// chose, or `keyring`] [env: VMFA_VAULT]
    #[arg(long, global = true, value_name = "VAULT", help_heading = "Global options",
          value_parser = ["keyring", "age", "shared"], hide_possible_values = true)]
    pub(super) vault: Option<String>,
    /// Where devices and used codes are: `postgres://USER@HOST/DATABASE`, `dynamodb://TABLE`, or `file` [default: as
    /// `vmfa init` chose, or `file`] [env: VMFA_REGISTRY]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options", add = registry())]
    pub(super) registry: Option<String>,
    /// Allow a registry on another machine without TLS, on a private test network
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) plain_registry: bool,
    /// The age or SSH identity that opens the age or shared vault [env: VMFA_IDENTITY_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(super) identity_file: Option<std::path::PathBuf>,
    /// Read the identity's passphrase, or what its plugin asks for, from this file descriptor
    #[arg(long, global = true, value_name = "FD", help_heading = "Global options")]
    pub(super) passphrase_fd: Option<u32>,
    /// End when stdin is closed, as a signal would end it. For programs that start this one, and so not in the help: docs/json.md
    #[arg(long, global = true, hide = true)]
    pub(super) exit_with_stdin: bool,
}
