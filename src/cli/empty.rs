//! What to do where there are no devices.

use super::home::Home;

/// The first thing to do.
pub(super) const NO_DEVICES: &str = "there are no devices yet: vmfa add NAME SOURCE";

/// Where devices were looked for: in a new shell, `VMFA_HOME` may be missing. None where that can't be said.
pub(super) fn looked_in() -> Option<String> {
    let home = Home::find().ok()?;
    Some(format!("devices are looked for in {}; VMFA_HOME names another home", home.registry.display()))
}
