//! What bulk codes can be computed by on this machine.

use std::fmt;
use std::ops::RangeInclusive;

use super::lanes::Kernel;

/// A way to compute many SHA-1 codes at once, which this processor has.
///
/// All of them give the same codes; they differ in pace alone. To measure that, take those of [`available`](Self::available). [`Keyed::codes`](super::hotp::Keyed::codes) and
/// [`codes_of`](super::hotp::codes_of) choose by themselves. Those besides the portable one need the feature `lanes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backend(Option<Kernel>);

impl Backend {
    /// Block after block, by the crate `sha1`; every machine has it.
    pub const PORTABLE: Self = Self(None);

    /// All that this processor has, the fastest first. The portable one is always among them.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all: Vec<_> = Kernel::available().map(|kernel| Self(Some(kernel))).collect();
        all.insert(Kernel::available().filter(|kernel| kernel.beats_portable()).count(), Self::PORTABLE);
        all
    }

    /// The fastest that this processor has, for many codes. In builds for debugging that is the portable one, since the
    /// instructions of the others are calls there.
    #[must_use]
    pub fn best() -> Self {
        Self(Kernel::available().next().filter(|kernel| kernel.beats_portable()))
    }

    /// The available one of this [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|backend| backend.name() == name)
    }

    /// `portable`, `avx512`, `avx2`, `sha-ni` or `neon`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            None => "portable",
            Some(kernel) => kernel.name(),
        }
    }

    /// How many codes it computes side by side. A group that isn't full takes as long as a full one.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self.0 {
            None => 1,
            Some(kernel) => kernel.lanes(),
        }
    }

    /// The best one, unless its lanes would mostly be empty.
    pub(super) fn for_count(count: u64) -> Self {
        let best = Self::best();
        let enough = u64::try_from(best.lanes()).is_ok_and(|lanes| count >= lanes / 2);
        if enough { best } else { Self::PORTABLE }
    }

    pub(super) fn for_counters(counters: &RangeInclusive<u64>) -> Self {
        Self::for_count(counters.end().saturating_sub(*counters.start()).saturating_add(1))
    }

    pub(super) const fn kernel(self) -> Option<Kernel> {
        self.0
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
