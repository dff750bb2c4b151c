//! What `vmfa mcp` tells its client, in the words of its tools.

// There is no such device, or none may be used.

pub(in crate::cli) const LIST: &str = "list_devices shows all that there are";
pub(in crate::cli) const LIST_FOR_PATTERN: &str =
    "list_devices lists them; `*` matches anything but `/`, `**` that too";
pub(in crate::cli) const SET_DEVICE: &str = "set `device` to one that list_devices shows";
pub(in crate::cli) const NONE_ALLOWED: &str =
    "the person who set up this server has to add or allow one: vmfa mcp --allow PATTERN";

// No code can be given now.

pub(in crate::cli) const LONGER_TIMEOUT: &str = "ask again then, or with a longer `timeout`";
pub(in crate::cli) const SHORTER_VALIDITY: &str = "ask for a shorter `min_validity`";
pub(in crate::cli) const NO_VALIDITY: &str = "leave out `min_validity`";

// The call isn't right, or comes too early.

pub(in crate::cli) const ARGUMENTS: &str = "tools/list tells which it has";
pub(in crate::cli) const BUSY: &str = "try again once one of them is answered";
