//! What to do where there are no devices.

use super::hints;
use super::home::Home;

/// Where devices were looked for, since `VMFA_HOME` may be missing in a new shell; `None` if that is unknown.
pub(super) fn looked_in() -> Option<String> {
    let home = Home::find().ok()?;
    Some(hints::devices::looked_in(&home.registry.display().to_string()))
}
