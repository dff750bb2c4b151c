//! Registries in databases, and the way to them.

// The database has no registry, or an older one.

pub(in crate::cli) const MAKE: &str = "its owner makes it, and brings it up to date: vmfa init --registry URL";

// The server can't be reached, or refuses.

pub(in crate::cli) const REACH: &str = "no code was handed out: start the server, or name another by VMFA_REGISTRY";
pub(in crate::cli) const PASSWORD: &str = "give the password by PGPASSWORD, ~/.pgpass, or a URL in VMFA_REGISTRY";
pub(in crate::cli) const LOOK_AGAIN: &str = "see what is there: `vmfa list`, `vmfa show NAME`";

// Another machine would be reached in clear text.

pub(in crate::cli) const TLS: &str = "leave out sslmode=disable, or --plain-registry on a private test network";
