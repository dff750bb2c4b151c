//! What KWallet needs beyond the Secret Service, and offers on the same connection (its own interface, `org.kde.KWallet`).

use zvariant::{OwnedObjectPath, OwnedValue};

use super::super::super::{KWallet, Provider};
use super::session::{PROPERTIES, Session, unexpected};
use super::{COLLECTION, Error};

const INTERFACE: &str = "org.kde.KWallet";
/// The name under which KWallet opens a wallet for the Secret Service.
const APPLICATION: &str = "org.freedesktop.secrets";

impl Session {
    /// Has what was changed reach the disk.
    ///
    /// KWallet writes a wallet five seconds after it was changed, but the list of what it holds at once: one that is
    /// killed in between has items without secrets. It can be told to write now.
    pub(super) fn settle(&self, collection: &OwnedObjectPath) {
        let Provider::KWallet(which) = self.provider() else { return };
        let path = match which {
            KWallet::Five => "/modules/kwalletd5",
            KWallet::Six => "/modules/kwalletd6",
            KWallet::KSecretD => "/ksecretd",
        };
        let told = || -> Result<(), Error> {
            let label: OwnedValue = self.call(collection.as_str(), PROPERTIES, "Get", &(COLLECTION, "Label"))?;
            let label = String::try_from(label).map_err(unexpected)?;
            // The wallet is open, and this only tells its handle.
            let handle: i32 = self.call(path, INTERFACE, "open", &(label, 0_i64, APPLICATION))?;
            let _: () = self.call(path, INTERFACE, "sync", &(handle, APPLICATION))?;
            let _: i32 = self.call(path, INTERFACE, "close", &(handle, false, APPLICATION))?;
            Ok(())
        };
        // Where its own interface is turned off, it writes in five seconds.
        let _ = told();
    }

    /// A label as the provider can keep it.
    ///
    /// What stands before a slash is a folder to KWallet, and an item that gets into another folder by its new label
    /// comes out with a secret in another encoding.
    pub(super) fn label(&self, label: &str) -> String {
        match self.provider() {
            Provider::KWallet(_) => label.replace('/', "\u{2215}"),
            _ => label.to_owned(),
        }
    }
}
