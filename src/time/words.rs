//! Lengths of time for people.

/// From this many seconds on, larger units read better.
const LONG: u64 = 180;

/// A number of seconds in words: `18 s`, `5 min 30 s`, `1 day`, `30 days 2 h`. Of the units, the largest and the next
/// are shown.
#[must_use]
pub fn words(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "h"), (60, "min"), (1, "s")];
    if seconds < LONG {
        return format!("{seconds} s");
    }
    let mut rest = seconds;
    let counts = UNITS.map(|(length, unit)| {
        let count = rest.checked_div(length).unwrap_or(0);
        rest = rest.saturating_sub(count.saturating_mul(length));
        (count, unit)
    });
    let first = counts.iter().position(|(count, _)| *count > 0).unwrap_or(0);
    let told = counts.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, unit)| match (unit, count) {
            (&"day", 2..) => format!("{count} days"),
            _ => format!("{count} {unit}"),
        })
        .collect();
    told.join(" ")
}

/// The same with a sign in front: `+95 s`, `-1 h`.
#[must_use]
pub fn signed_words(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{}", words(seconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_units_that_people_use() {
        for (seconds, expected) in [
            (0, "0 s"),
            (18, "18 s"),
            (120, "120 s"),
            (180, "3 min"),
            (330, "5 min 30 s"),
            (3_600, "1 h"),
            (3_601, "1 h"),
            (5_400, "1 h 30 min"),
            (86_400, "1 day"),
            (90_000, "1 day 1 h"),
            (2_592_014, "30 days"),
            (u64::MAX, "213503982334601 days 7 h"),
        ] {
            assert_eq!(words(seconds), expected);
        }
        assert_eq!([95, -3_600, 0].map(signed_words), ["+95 s", "-1 h", "+0 s"]);
    }
}
