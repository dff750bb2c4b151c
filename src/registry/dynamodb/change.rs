//! One change of a device.

use crate::registry::Device;
use crate::vault::Id;

/// One change.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Insert(Device),
    Update(Device),
    Remove(Id),
}

impl Change {
    pub(super) const fn id(&self) -> Id {
        match self {
            Self::Insert(device) | Self::Update(device) => device.id,
            Self::Remove(id) => *id,
        }
    }

    pub(super) const fn device(&self) -> Option<&Device> {
        match self {
            Self::Insert(device) | Self::Update(device) => Some(device),
            Self::Remove(_) => None,
        }
    }
}
