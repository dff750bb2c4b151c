//! What to do where there are no devices.

use super::home::Home;

/// The first thing to do.
pub(super) const NO_DEVICES: &str = "there are no devices yet: vmfa add NAME SOURCE";

/// Where devices were looked for, since `VMFA_HOME` may be missing in a new shell; `None` if that is unknown.
pub(super) fn looked_in() -> Option<String> {
    let home = Home::find().ok()?;
    Some(format!("devices are looked for in {}; VMFA_HOME names another home", home.registry.display()))
}
