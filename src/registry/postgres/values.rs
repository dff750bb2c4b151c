//! Values of rows, checked: what a server answers is as good as the server.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::failure::Failure;
use crate::registry::{Error, Run, Runs};
use crate::time::Step;

/// The value in a column of the first row.
pub(super) fn value<'a, T: FromSql<'a>>(place: &str, rows: &'a [Row], column: usize) -> Result<T, Failure> {
    let found = rows.first().and_then(|row| row.try_get(column).ok());
    found.ok_or_else(|| odd(place))
}

/// The value in a column of a row.
pub(super) fn of_row<'a, T: FromSql<'a>>(place: &str, row: &'a Row, column: usize) -> Result<T, Failure> {
    row.try_get(column).map_err(|_| odd(place))
}

/// The steps in the first column.
pub(super) fn steps(place: &str, rows: &[Row]) -> Result<Vec<Step>, Failure> {
    rows.iter().map(|row| of_row(place, row, 0).map(step)).collect()
}

pub(super) const fn step(number: i64) -> Step {
    Step::new(number.cast_unsigned())
}

fn odd(place: &str) -> Failure {
    Failure::Final(Error::Engine {
        place: place.to_owned(),
        reason: "the answer is not one that this registry gives".to_owned(),
    })
}

/// Runs as a range of several parts. Steps past half of 64 bits are negative, so a run over that border has two parts.
pub(super) fn to_ranges(runs: &Runs) -> String {
    let parts = runs.as_slice().iter().map(|Run { first, last }| {
        let (first, last) = (first.value().cast_signed(), last.value().cast_signed());
        match (first >= 0, (0..i64::MAX).contains(&last)) {
            (true, false) if last < 0 => format!("[{first},),(,{last}]"),
            (true, false) => format!("[{first},)"),
            _ => format!("[{first},{last}]"),
        }
    });
    format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
}

/// What the server makes of them: the first number of each part, and the one after its last.
pub(super) fn from_ranges(text: &str) -> Option<Runs> {
    let mut runs = Runs::NONE;
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    while !rest.is_empty() {
        let (part, behind) = rest.split_once(')')?;
        rest = behind.strip_prefix(',').unwrap_or(behind);
        let (first, end) = part.strip_prefix(['[', '('])?.split_once(',')?;
        let first = if first.is_empty() { i64::MIN } else { first.parse().ok()? };
        let last = if end.is_empty() { i64::MAX } else { end.parse::<i64>().ok()?.checked_sub(1)? };
        // As they are counted here, those below zero come last.
        if first < 0 {
            runs.add(Run { first: step(first), last: step(last.min(-1)) });
        }
        if last >= 0 {
            runs.add(Run { first: step(first.max(0)), last: step(last) });
        }
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back_from_ranges_as_the_server_writes_them() {
        for (runs, written, answered) in [
            ("", "{}", "{}"),
            ("3-7,9-9", "{[3,7],[9,9]}", "{[3,8),[9,10)}"),
            ("5-9223372036854775807", "{[5,)}", "{[5,)}"),
            ("7-9223372036854775809", "{[7,),(,-9223372036854775807]}", "{(,-9223372036854775806),[7,)}"),
            ("18446744073709551615-18446744073709551615", "{[-1,-1]}", "{[-1,0)}"),
        ] {
            let runs: Runs = runs.parse().unwrap();
            assert_eq!(to_ranges(&runs), written);
            assert_eq!(from_ranges(answered), Some(runs));
        }
        assert_eq!(from_ranges("{(,)}"), Some("0-18446744073709551615".parse().unwrap()));
        for text in ["", "{", "{[1,2]}", "{1,2)}", "{[1)}", "{[x,2)}", "{[1,-9223372036854775808)}"] {
            assert_eq!(from_ranges(text), None, "{text}");
        }
    }
}
