//! HOTP for one counter of many secrets (RFC 4226, section 5.3): the codes of a fleet at one time step.

use super::backend::Backend;
use super::chaining::{Batch, Chaining, Pair};
use super::keyed::{Keyed, Numbers, Pads};
use super::lanes::{KeyColumns, PadColumns, ROOM};
use super::truncation::reduce_all;
use super::{Algorithm, Code, Digits};
use crate::secret::Secret;

/// The code of one counter or step for each of many prepared secrets, in order, by the fastest back-end.
///
/// Prepare them if you need codes of several steps; for a single step, [`codes_of_secrets`] is faster.
pub fn codes_of(keyed: &[Keyed], counter: u64, digits: Digits) -> impl Iterator<Item = Code> {
    codes_of_by(Backend::for_count(count(keyed.len())), keyed, counter, digits)
}

/// What [`codes_of`] gives, by a certain back-end. Codes of SHA-256 and SHA-512 are computed by the portable one in any case.
pub fn codes_of_by(backend: Backend, keyed: &[Keyed], counter: u64, digits: Digits) -> impl Iterator<Item = Code> {
    let mut lanes = backend.kernel().map(|kernel| (kernel, Box::new(PadColumns::new())));
    let mut portable = Portable::default();
    let mut rest = keyed;
    let fill = move |numbers: &mut [u32; ROOM]| {
        let (now, later) = rest.split_at(rest.len().min(ROOM));
        rest = later;
        let sha1 = if let Some((kernel, columns)) = &mut lanes {
            let sha1 = now.iter().enumerate().filter_map(|(column, keyed)| Some((column, keyed.0.sha1()?)));
            let count = sha1.map(|(column, pads)| columns.set(column, pads)).count();
            kernel.pads(columns, counter, now.len(), numbers);
            count
        } else {
            portable.sha1(now, counter, numbers)
        };
        if sha1 < now.len() {
            portable.sha2(now, counter, numbers);
        }
        reduce_all(numbers, digits);
        0..now.len()
    };
    Numbers::new(fill).map(move |value| Code { value, digits })
}

/// The code of one counter or step for each of many secrets, in order, by the fastest back-end.
pub fn codes_of_secrets<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    algorithm: Algorithm,
    counter: u64,
    digits: Digits,
) -> impl Iterator<Item = Code> {
    let secrets = secrets.into_iter();
    let most = secrets.size_hint().1.map_or(u64::MAX, count);
    codes_of_secrets_by(Backend::for_count(most), secrets, algorithm, counter, digits)
}

/// What [`codes_of_secrets`] gives, by a certain back-end. Codes of SHA-256 and SHA-512 are computed by the portable one in any
/// case.
pub fn codes_of_secrets_by<'a>(
    backend: Backend,
    secrets: impl IntoIterator<Item = &'a Secret>,
    algorithm: Algorithm,
    counter: u64,
    digits: Digits,
) -> impl Iterator<Item = Code> {
    let kernel = backend.kernel().filter(|_| algorithm == Algorithm::Sha1);
    let mut lanes = kernel.map(|kernel| (kernel, Box::new(KeyColumns::new())));
    let mut portable = Portable::default();
    let mut secrets = secrets.into_iter().fuse();
    let fill = move |numbers: &mut [u32; ROOM]| {
        let now = secrets.by_ref().take(ROOM);
        let count = if let Some((kernel, columns)) = &mut lanes {
            let count = now.enumerate().map(|(column, secret)| set(columns, column, secret)).count();
            kernel.keys(columns, counter, count, numbers);
            count
        } else {
            // Never moved: what is left behind isn't wiped.
            let mut keyed = Vec::with_capacity(ROOM);
            keyed.extend(now.map(|secret| Keyed::new(secret, algorithm)));
            portable.sha1(&keyed, counter, numbers);
            portable.sha2(&keyed, counter, numbers);
            keyed.len()
        };
        reduce_all(numbers, digits);
        0..count
    };
    Numbers::new(fill).map(move |value| Code { value, digits })
}

/// Writes a secret as HMAC's key: hashed first if it is longer than a block (RFC 2104, section 2).
fn set(columns: &mut KeyColumns, column: usize, secret: &Secret) {
    let key = secret.expose();
    if key.len() > 64 {
        columns.set(column, &<[u32; 5]>::hash(key));
    } else {
        columns.set(column, key);
    }
}

/// Room for batches, made when it is needed.
#[derive(Default)]
struct Portable {
    sha1: Option<Box<Batch<[u32; 5]>>>,
    sha256: Option<Box<Batch<[u32; 8]>>>,
    sha512: Option<Box<Batch<[u64; 8]>>>,
}

impl Portable {
    /// The truncated numbers of those that use SHA-1, each to its place, and how many they are.
    fn sha1(&mut self, keyed: &[Keyed], counter: u64, numbers: &mut [u32; ROOM]) -> usize {
        some(&mut self.sha1, keyed, Pads::sha1, counter, numbers)
    }

    /// The truncated numbers of those that use SHA-256 or SHA-512, each to its place.
    fn sha2(&mut self, keyed: &[Keyed], counter: u64, numbers: &mut [u32; ROOM]) {
        some(&mut self.sha256, keyed, Pads::sha256, counter, numbers);
        some(&mut self.sha512, keyed, Pads::sha512, counter, numbers);
    }
}

/// The truncated numbers of those of at most [`ROOM`] that have such pads, each to its place, and how many they are.
fn some<S: Chaining>(
    batch: &mut Option<Box<Batch<S>>>,
    keyed: &[Keyed],
    pads: fn(&Pads) -> Option<&Pair<S>>,
    counter: u64,
    numbers: &mut [u32; ROOM],
) -> usize {
    let chosen: Vec<&Pair<S>> = keyed.iter().filter_map(|keyed| pads(&keyed.0)).collect();
    if chosen.is_empty() {
        return 0;
    }
    let mut made = [0; ROOM];
    let batch = batch.get_or_insert_with(|| Box::new(Batch::new()));
    batch.keys(&chosen, counter, made.get_mut(..chosen.len()).unwrap_or_default());
    let places = numbers.iter_mut().zip(keyed).filter(|(_, keyed)| pads(&keyed.0).is_some());
    for ((number, _), made) in places.zip(made) {
        *number = made;
    }
    chosen.len()
}

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}
