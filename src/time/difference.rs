//! How far two clocks are apart, as the dates of a server's answers tell (RFC 9110, section 6.6.1).
//!
//! A date has whole seconds, and an answer takes time. Both leave an interval in which the difference must lie; several
//! answers narrow it down.

/// The system's clock minus a server's, in milliseconds: between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    least: i128,
    most: i128,
}

impl Difference {
    /// From one answer: its date in seconds, and when the question was sent and the answer there, in milliseconds by
    /// the system's clock. The server wrote the date between the two, and its clock showed that second or a later
    /// fraction of it.
    #[must_use]
    pub const fn of(date: i128, sent: i128, received: i128) -> Self {
        let date = date.saturating_mul(1000);
        Self { least: sent.saturating_sub(date.saturating_add(999)), most: received.saturating_sub(date) }
    }

    /// From one answer with a time in milliseconds, and when the question was sent and the answer there.
    #[must_use]
    pub const fn at(time: i128, sent: i128, received: i128) -> Self {
        Self { least: sent.saturating_sub(time), most: received.saturating_sub(time) }
    }

    /// Of a clock that stands: it shows this whole second, and no fraction of a later one, while the system's shows any part
    /// of its own.
    #[must_use]
    pub const fn standing(second: i128, system: i128) -> Self {
        let exact = system.div_euclid(1000).saturating_sub(second).saturating_mul(1000);
        Self { least: exact, most: exact }
    }

    /// What fits both; `None` where they contradict each other, as servers behind one name may.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        (both.least <= both.most).then_some(both)
    }

    /// The middle, in milliseconds.
    #[must_use]
    pub const fn milliseconds(self) -> i128 {
        self.least.saturating_add(self.most).div_euclid(2)
    }

    /// How far the truth may be from the middle, in milliseconds.
    #[must_use]
    pub const fn uncertainty(self) -> i128 {
        self.most.saturating_sub(self.least).saturating_add(1).div_euclid(2)
    }

    /// What to add to the system's time to have the server's, in whole seconds.
    #[must_use]
    pub fn server_ahead(self) -> i64 {
        let rounded = self.milliseconds().saturating_neg().saturating_add(500).div_euclid(1000);
        i64::try_from(rounded).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_lies_in_the_interval_whatever_the_round_trip() {
        // The system is 2,500 ms ahead. The server writes its date at some moment between sending and receiving.
        for (sent, delay, back) in
            [(1_000_000, 0, 0), (1_000_300, 400, 900), (1_000_999, 1, 2_000), (1_000_001, 30, 30)]
        {
            let server = sent + delay - 2_500;
            let difference = Difference::of(i128::div_euclid(server, 1000), sent, sent + delay + back);
            assert!(difference.least <= 2_500 && 2_500 <= difference.most, "{sent}: {difference:?}");
            assert!(difference.uncertainty() <= (1_000 + delay + back) / 2 + 1);
        }
    }

    #[test]
    fn a_time_in_milliseconds_is_off_by_the_round_trip_at_most() {
        let difference = Difference::at(97_510, 100_000, 100_040);
        assert_eq!((difference.least, difference.most, difference.server_ahead()), (2_490, 2_530, -3));
    }

    #[test]
    fn several_answers_narrow_it_down_and_a_contradiction_is_none() {
        let early = Difference::of(100, 100_050, 100_060);
        let late = Difference::of(100, 100_990, 100_995);
        let both = early.and(late).unwrap();
        assert_eq!((both.least, both.most), (-9, 60));
        assert_eq!(both.server_ahead(), 0);
        assert_eq!(early.and(Difference::of(90, 100_050, 100_060)), None);
    }

    #[test]
    fn a_clock_that_stands_shows_what_it_shows_in_every_part_of_a_second() {
        for milliseconds in [0, 1, 499, 500, 999] {
            let difference = Difference::standing(7, 100_000 + milliseconds);
            assert_eq!(100 + difference.server_ahead(), 7);
            assert_eq!(
                Difference::of(7, 100_000 + milliseconds, 100_050 + milliseconds).and(difference),
                Some(difference)
            );
        }
    }

    #[test]
    fn what_is_added_is_rounded_to_the_nearest_second() {
        let of = |middle: i128| Difference { least: middle - 10, most: middle + 10 }.server_ahead();
        assert_eq!((of(0), of(499), of(501), of(-95_000), of(95_300)), (0, 0, -1, 95, -95));
    }
}
