//! What the clients and devices of one stand-in share.

use std::sync::Arc;
use std::time::Duration;

use super::device::Shelf;
use crate::aws::client::Client;
use crate::aws::https::Https;
use crate::aws::settings::Endpoint;
use crate::aws::{self, Interrupted, Locks, World};
use crate::serve::scenario::Seeded;
use crate::serve::time::Clock;
use crate::wire::sigv4::Credentials;

/// The account's number.
pub(super) const ACCOUNT: &str = "123456789012";

/// For which region requests are signed.
pub(super) const REGION: &str = "us-east-1";

/// What clients and devices share.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) endpoint: String,
    pub(super) https: Https,
    pub(super) world: Virtual,
    pub(super) administrator: Credentials,
    pub(super) shelf: Arc<Shelf>,
    pub(super) seeded: Vec<Seeded>,
    pub(super) locks: Locks,
    #[expect(dead_code, reason = "it goes when this goes")]
    pub(super) directory: tempfile::TempDir,
}

/// A world on the stand-in's clock, where a wait moves the clock.
#[derive(Debug)]
pub(super) struct Virtual {
    pub(super) clock: Clock,
}

impl Bench {
    /// A client of the stand-in.
    pub(super) fn client(&self) -> Client<'_> {
        let endpoint = Endpoint { url: self.endpoint.clone(), signing_region: REGION.to_owned(), custom: true };
        Client::new(endpoint.clone(), endpoint, &self.https, &self.world, 4)
    }
}

impl World for Virtual {
    fn milliseconds(&self) -> i128 {
        i128::from(self.clock.instant().as_unix_millis())
    }

    fn wait(&self, seconds: u64, _what: &str) -> Result<(), aws::Error> {
        // One that can't be moved so far shows at the next call.
        let _ = self.clock.advance(i64::try_from(seconds).unwrap_or(i64::MAX), false);
        Ok(())
    }

    fn pause(&self, milliseconds: u64) -> Result<(), Interrupted> {
        std::thread::sleep(Duration::from_millis(milliseconds.min(100)));
        Ok(())
    }

    fn random(&self, _below: u64) -> u64 {
        0
    }

    fn tell(&self, _note: &str) {}

    fn debug(&self, _line: &dyn Fn() -> String) {}
}
