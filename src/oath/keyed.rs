//! HOTP for many counters of one secret (RFC 4226, section 5.3), where the counters are searched through, and for one
//! counter of many secrets.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::backend::Backend;
use super::chaining::{Batch, Chaining, Pair};
use super::lanes::{Kernel, LOWEST, ROOM};
use super::truncation::reduce_all;
use super::{Algorithm, Code, Digits};
use crate::secret::Secret;

/// A secret made ready for many counters. It is wiped when dropped, and never prints itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Keyed(pub(super) Pads);

/// The larger ones are boxed, so that a fleet of the usual kind is small.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) enum Pads {
    Sha1(Pair<[u32; 5]>),
    Sha256(Box<Pair<[u32; 8]>>),
    Sha512(Box<Pair<[u64; 8]>>),
}

impl Pads {
    pub(super) const fn sha1(&self) -> Option<&Pair<[u32; 5]>> {
        if let Self::Sha1(pads) = self { Some(pads) } else { None }
    }

    pub(super) fn sha256(&self) -> Option<&Pair<[u32; 8]>> {
        if let Self::Sha256(pads) = self { Some(pads) } else { None }
    }

    pub(super) fn sha512(&self) -> Option<&Pair<[u64; 8]>> {
        if let Self::Sha512(pads) = self { Some(pads) } else { None }
    }
}

impl Keyed {
    /// Compresses the two blocks of the key.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        let key = secret.expose();
        Self(match algorithm {
            Algorithm::Sha1 => Pads::Sha1(Pair::new(key)),
            Algorithm::Sha256 => Pads::Sha256(Box::new(Pair::new(key))),
            Algorithm::Sha512 => Pads::Sha512(Box::new(Pair::new(key))),
        })
    }

    /// What [`hmac`](super::hotp::hmac) gives.
    #[must_use]
    pub fn hmac(&self, counter: u64) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match &self.0 {
            Pads::Sha1(pads) => pads.hmac(counter),
            Pads::Sha256(pads) => pads.hmac(counter),
            Pads::Sha512(pads) => pads.hmac(counter),
        })
    }

    /// The codes of all `counters` with the counters they belong to, in order, by the fastest back-end.
    pub fn codes(&self, counters: RangeInclusive<u64>, digits: Digits) -> impl Iterator<Item = (u64, Code)> {
        let backend = Backend::for_counters(&counters);
        self.codes_by(backend, counters, digits)
    }

    /// What [`codes`](Self::codes) gives, by a certain back-end. SHA-256 and SHA-512 have the portable one only, which then
    /// computes their codes.
    pub fn codes_by(
        &self,
        backend: Backend,
        counters: RangeInclusive<u64>,
        digits: Digits,
    ) -> impl Iterator<Item = (u64, Code)> {
        let mut counter = *counters.start();
        let mut search = Search::new(self, backend, counters, digits);
        Numbers::new(move |numbers| search.fill(numbers)).map(move |value| {
            let of = counter;
            counter = counter.wrapping_add(1);
            (of, Code { value, digits })
        })
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed")
    }
}

/// Counters of one secret, of which codes are made batch by batch.
pub(super) struct Search<'a> {
    way: Way<'a>,
    next: Option<u64>,
    last: u64,
    digits: Digits,
}

/// Who computes.
enum Way<'a> {
    Lanes(Kernel, &'a Pair<[u32; 5]>),
    Sha1(&'a Pair<[u32; 5]>, Box<Batch<[u32; 5]>>),
    Sha256(&'a Pair<[u32; 8]>, Box<Batch<[u32; 8]>>),
    Sha512(&'a Pair<[u64; 8]>, Box<Batch<[u64; 8]>>),
}

impl<'a> Search<'a> {
    pub(super) fn new(keyed: &'a Keyed, backend: Backend, counters: RangeInclusive<u64>, digits: Digits) -> Self {
        let way = match (&keyed.0, backend.kernel()) {
            (Pads::Sha1(pads), Some(kernel)) => Way::Lanes(kernel, pads),
            (Pads::Sha1(pads), None) => Way::Sha1(pads, Box::new(Batch::new())),
            (Pads::Sha256(pads), _) => Way::Sha256(pads, Box::new(Batch::new())),
            (Pads::Sha512(pads), _) => Way::Sha512(pads, Box::new(Batch::new())),
        };
        let (first, last) = counters.into_inner();
        Self { way, next: (first <= last).then_some(first), last, digits }
    }

    /// The values of codes for the next counters, and the first of these; `None` at the end.
    pub(super) fn next_batch<'b>(&mut self, room: &'b mut [u32; ROOM]) -> Option<(u64, &'b [u32])> {
        let first = self.next?;
        let wanted = self.fill(room);
        Some((first, room.get(wanted)?))
    }

    /// Values of codes for the next counters, and where they are; nowhere at the end.
    ///
    /// Each batch has counters that differ in the lowest bits alone; its places are those bits.
    fn fill(&mut self, numbers: &mut [u32; ROOM]) -> Range<usize> {
        let Some(first) = self.next else { return 0..0 };
        let end = (first | LOWEST).min(self.last);
        self.next = end.checked_add(1).filter(|next| *next <= self.last);
        let wanted = place(first)..place(end).saturating_add(1);
        match &mut self.way {
            Way::Lanes(kernel, pads) => kernel.counters(pads, first, wanted.clone(), numbers),
            Way::Sha1(pads, batch) => batch.some(pads, first, wanted.clone(), numbers),
            Way::Sha256(pads, batch) => batch.some(pads, first, wanted.clone(), numbers),
            Way::Sha512(pads, batch) => batch.some(pads, first, wanted.clone(), numbers),
        }
        reduce_all(numbers, self.digits);
        wanted
    }
}

impl<S: Chaining> Batch<S> {
    fn some(&mut self, pads: &Pair<S>, first: u64, wanted: Range<usize>, numbers: &mut [u32; ROOM]) {
        self.counters(pads, first, numbers.get_mut(wanted).unwrap_or_default());
    }
}

/// The place of a counter in its batch.
fn place(counter: u64) -> usize {
    usize::try_from(counter & LOWEST).unwrap_or_default()
}

/// Values of codes, one by one, that are made many at a time.
pub(super) struct Numbers<F> {
    fill: F,
    batch: [u32; ROOM],
    rest: Range<usize>,
}

impl<F: FnMut(&mut [u32; ROOM]) -> Range<usize>> Numbers<F> {
    /// From what writes the next ones and says where they are; nowhere is the end.
    pub(super) const fn new(fill: F) -> Self {
        Self { fill, batch: [0; ROOM], rest: 0..0 }
    }
}

impl<F: FnMut(&mut [u32; ROOM]) -> Range<usize>> Iterator for Numbers<F> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.rest.is_empty() {
            self.rest = (self.fill)(&mut self.batch);
        }
        self.batch.get(self.rest.next()?).copied()
    }

    fn fold<B, G: FnMut(B, u32) -> B>(mut self, initial: B, mut with: G) -> B {
        let mut value = initial;
        loop {
            let rest = self.batch.get(self.rest).unwrap_or_default();
            value = rest.iter().fold(value, |value, number| with(value, *number));
            self.rest = (self.fill)(&mut self.batch);
            if self.rest.is_empty() {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oath::Parameters;
    use crate::oath::hotp;

    const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

    #[test]
    fn it_agrees_with_hmac_for_secrets_shorter_and_longer_than_a_block() {
        for algorithm in ALGORITHMS {
            for length in 1..=200 {
                let secret = Secret::new((0..length).map(|byte: u8| byte.wrapping_mul(37) ^ 0xa5).collect()).unwrap();
                let keyed = Keyed::new(&secret, algorithm);
                for counter in [0, 1, 0x0235_23ec, u64::from(length) << 40, u64::MAX] {
                    let (ours, theirs) = (keyed.hmac(counter), hotp::hmac(&secret, counter, algorithm));
                    assert_eq!(ours, theirs, "{algorithm}, {length} bytes, counter {counter}");
                }
            }
        }
    }

    #[test]
    fn a_range_gives_every_counter_once_and_in_order() {
        let secret = Secret::new(b"12345678901234567890".to_vec()).unwrap();
        for algorithm in ALGORITHMS {
            let keyed = Keyed::new(&secret, algorithm);
            for digits in (6..=10).filter_map(Digits::new).chain([Digits::STEAM]) {
                let parameters = Parameters { algorithm, digits, ..Parameters::DEFAULT };
                for (first, last) in
                    [(0, 0), (0, 15), (0, 16), (5, 52), (u64::MAX - 40, u64::MAX), (u64::MAX, u64::MAX)]
                {
                    let wanted: Vec<_> =
                        (first..=last).map(|counter| (counter, hotp::code(&secret, counter, &parameters))).collect();
                    assert_eq!(keyed.codes(first..=last, digits).collect::<Vec<_>>(), wanted, "{first} to {last}");
                }
            }
        }
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "that is the case")]
    fn an_empty_range_gives_nothing_and_debug_shows_no_pad() {
        let keyed = Keyed::new(&Secret::new(vec![7; 20]).unwrap(), Algorithm::Sha1);
        assert_eq!(keyed.codes(1..=0, Digits::SIX).count(), 0);
        assert_eq!(format!("{keyed:?}"), "Keyed");
    }
}
