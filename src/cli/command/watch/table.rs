//! The table of `vmfa watch`: its columns, and what a device's row has in each.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::cells::{Cell, put};
use super::model::Model;
use super::palette::Palette;
use super::row::{Given, Row, Turn};
use crate::cli::columns::{self, GAP, Shrinks, middle_cut};
use crate::oath::MovingFactor;

/// With this many seconds left, a code is about to end.
const LAST: u64 = 5;

/// A terminal of this many columns has room for long bars.
const WIDE: u16 = 76;

/// This many columns of a name are shown before less important columns are.
const NAME: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Code,
    Next,
    Left,
    Used,
    Issuer,
    Account,
}

impl Column {
    const fn heading(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Code => "CODE",
            Self::Next => "NEXT",
            Self::Left => "LEFT",
            Self::Used => "USED",
            Self::Issuer => "ISSUER",
            Self::Account => "ACCOUNT",
        }
    }

    const fn shrinks(self) -> Shrinks {
        match self {
            Self::Name => Shrinks::Last,
            Self::Issuer | Self::Account => Shrinks::First,
            Self::Code | Self::Next | Self::Left | Self::Used => Shrinks::Never,
        }
    }
}

/// Draws headings and rows.
pub(super) fn draw(model: &Model, palette: &Palette, screen: &mut Buffer) {
    let wide = screen.area.width >= WIDE;
    let columns = fitted(model, usize::from(screen.area.width).saturating_sub(GAP), wide);
    let mut headings = Vec::new();
    for (column, width) in &columns {
        headings.push((padded(column.heading(), *width), palette.heading));
    }
    put(screen, 2, 1, &headings);
    for (y, (place, row)) in (2_u16..).zip(model.visible().enumerate()) {
        let selected = model.first.saturating_add(place) == model.selected;
        if selected {
            put(screen, 0, y, &[(">".to_owned(), palette.selected)]);
        }
        let mut cells = Vec::new();
        for (column, width) in &columns {
            cells.extend(cell(model, row, *column, *width, palette, (wide, selected)));
        }
        put(screen, 2, y, &cells);
    }
}

/// Which columns there is room for, and how wide they are.
fn fitted(model: &Model, room: usize, wide: bool) -> Vec<(Column, usize)> {
    let rows = || model.fitting.iter().filter_map(|index| model.rows.get(*index));
    let text = |place: usize| rows().filter_map(move |row| row.texts.get(place)).map(|text| text.width()).max();
    let code = rows().map(|row| hidden(row).width()).max().unwrap_or(0);
    let left = rows().map(|row| longest_left(row, wide)).max().unwrap_or(0);
    let width = |column: Column| {
        let wanted = match column {
            Column::Name => text(0).unwrap_or(0),
            Column::Issuer => text(1).unwrap_or(0),
            Column::Account => text(2).unwrap_or(0),
            Column::Code | Column::Next => code,
            Column::Left => left,
            Column::Used => 0,
        };
        wanted.max(column.heading().width())
    };
    let mut columns = vec![Column::Name, Column::Code];
    columns.extend(model.next.then_some(Column::Next));
    columns.extend([Column::Left, Column::Used, Column::Issuer, Column::Account]);
    loop {
        let widths: Vec<usize> = columns.iter().map(|column| width(*column)).collect();
        let shrinks: Vec<Shrinks> = columns.iter().map(|column| column.shrinks()).collect();
        let fitted = columns::fitted(&widths, &shrinks, room);
        let gaps = columns.len().saturating_sub(1).saturating_mul(GAP);
        // Names tell devices apart: they are cut down to nothing for no other column.
        let name = fitted.first().zip(widths.first()).is_some_and(|(fitted, wanted)| *fitted >= NAME.min(*wanted));
        let fits = name && fitted.iter().sum::<usize>().saturating_add(gaps) <= room;
        if fits || !matches!(columns.last(), Some(Column::Account | Column::Issuer)) {
            return columns.into_iter().zip(fitted).collect();
        }
        columns.pop();
    }
}

/// As wide as a column, with the gap behind it.
fn padded(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(text.width()).saturating_add(GAP);
    format!("{text}{}", " ".repeat(gap))
}

fn cell(
    model: &Model,
    row: &Row,
    column: Column,
    width: usize,
    palette: &Palette,
    (wide, selected): (bool, bool),
) -> Vec<Cell> {
    let base = if selected { palette.selected } else { Style::new() };
    let text = |place: usize| row.texts.get(place).map_or("", String::as_str);
    let cut = |text: &str| vec![(padded(&middle_cut(text, width), width), base)];
    let turn = row.turn(model.time());
    let shown = row.current(model.time()).filter(|_| model.reveals(row));
    let code = |given: Option<Given>| match given {
        Some(given) => (padded(&grouped(&given.code.to_string()), width), palette.code),
        None => (padded(&hidden(row), width), palette.hidden),
    };
    match column {
        Column::Name => cut(text(0)),
        Column::Issuer => cut(text(1)),
        Column::Account => cut(text(2)),
        Column::Code => vec![code(shown.map(|shown| shown.code))],
        Column::Next if row.counter().is_some() => vec![(padded("", width), base)],
        Column::Next => vec![code(shown.and_then(|shown| shown.next))],
        Column::Left => match (turn, row.counter()) {
            (Some(turn), _) => left(turn, wide, width, palette),
            (None, Some(counter)) => cut(&format!("counter {counter}")),
            (None, None) => cut("no time"),
        },
        Column::Used => {
            let used = match shown {
                Some(shown) => shown.code.used,
                None => turn.is_some_and(|turn| row.used == Some((turn.step, true))),
            };
            vec![(padded(if used { "used" } else { "" }, width), palette.used)]
        }
    }
}

/// A bar and a number; towards the end, the number has a sign.
fn left(turn: Turn, wide: bool, width: usize, palette: &Palette) -> Vec<Cell> {
    let length = bar_length(wide);
    let full = turn.left.saturating_mul(length).div_ceil(turn.period.max(1)).min(length);
    let count = |number: u64| usize::try_from(number).unwrap_or(0);
    let full_bar = "█".repeat(count(full));
    let rest = "░".repeat(count(length.saturating_sub(full)));
    let is_last = turn.left <= LAST && turn.period > LAST;
    let style = if is_last { palette.last } else { palette.left };
    let sign = if is_last { "!" } else { "" };
    let room = width.saturating_sub(count(length)).saturating_sub(1);
    let seconds = format!("{:>room$}", format!("{}{sign}", seconds(turn.left)));
    vec![(full_bar, style), (rest, palette.hidden), (padded(&format!(" {seconds}"), room.saturating_add(1)), style)]
}

const fn bar_length(wide: bool) -> u64 {
    if wide { 10 } else { 5 }
}

/// Long periods are shown in one unit, so that columns stay narrow.
fn seconds(seconds: u64) -> String {
    match seconds {
        0..1_000 => format!("{seconds} s"),
        1_000..60_000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// How wide the time that is left may become.
fn longest_left(row: &Row, wide: bool) -> usize {
    let bar = usize::try_from(bar_length(wide)).unwrap_or(0);
    match row.device.parameters.factor {
        MovingFactor::Counter { next } => format!("counter {next}").width().min(bar.saturating_add(6)),
        MovingFactor::Time { period } => {
            // One with a minute left is no narrower than one with an hour.
            let widest = if period.seconds() < 1_000 { seconds(period.seconds()).width() } else { "999 min".len() };
            bar.saturating_add(1).saturating_add(widest)
        }
    }
}

/// Digits as people read them: in groups of three, or four where there are as many. Steam Guard's five characters are
/// one group.
fn grouped(digits: &str) -> String {
    let group = match digits.chars().count() {
        0..=5 => return digits.to_owned(),
        6..=7 => 3,
        8 => 4,
        _ => 5,
    };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index == group {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// What stands in a code's place.
fn hidden(row: &Row) -> String {
    grouped(&"•".repeat(row.device.parameters.digits.count().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_groups() {
        for (digits, expected) in [
            ("PV9M4", "PV9M4"),
            ("123456", "123 456"),
            ("1234567", "123 4567"),
            ("12345678", "1234 5678"),
            ("1234567890", "12345 67890"),
        ] {
            assert_eq!(grouped(digits), expected);
        }
        assert_eq!([59, 999, 1_000, 86_400].map(seconds), ["59 s", "999 s", "17 min", "24 h"]);
    }
}
