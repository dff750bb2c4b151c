//! How the model of `vmfa watch` looks.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::model::{Model, SMALLEST};
use super::palette::Palette;
use super::row::{Given, Row, Turn};
use crate::cli::columns::{self, GAP, Shrinks, end_cut, middle_cut};
use crate::cli::empty::NO_DEVICES;
use crate::cli::render::plain;
use crate::oath::MovingFactor;

/// From so many seconds on, a code is at its end.
const LAST: u64 = 5;

/// From so many columns on, there is room for long bars.
const WIDE: u16 = 76;

/// So many columns of a name are shown before less important columns are.
const NAME: usize = 20;

const NOTICE: &str = "codes that are shown or copied count as handed out";

/// By importance: as many as there is room for.
const KEYS: [(&str, &str); 8] = [
    ("Space", "show"),
    ("Enter", "copy"),
    ("/", "filter"),
    ("q", "quit"),
    ("?", "keys"),
    ("a", "all"),
    ("n", "next"),
    ("c", "copy hidden"),
];

const TYPING: [(&str, &str); 2] = [("Enter", "done"), ("Esc", "clear")];

const HELP: [(&str, &str); 11] = [
    ("Up, Down", "select a device; also PageUp, PageDown, Home, End"),
    ("Space", "show the code, or hide it; it is hidden when you go on"),
    ("Enter", "show the code and copy it"),
    ("c", "copy the code without showing it"),
    ("n", "show the next code beside the current one, or not"),
    ("a", "show all codes on the screen, or hide them"),
    ("g", "give the next code of a counter device (HOTP)"),
    ("/", "filter: type parts of name, issuer or account"),
    ("Esc", "clear the filter"),
    ("Ctrl-Z", "stop; `fg` goes on"),
    ("q", "quit; also Ctrl-C"),
];

/// A text on the screen, and what it means.
type Cell = (String, Style);

/// Draws all of it.
pub(super) fn draw(model: &Model, palette: &Palette, screen: &mut Buffer) {
    if model.is_too_small() {
        let (columns, rows) = SMALLEST;
        put(screen, 0, 0, &[(format!("vmfa watch needs {columns} columns and {rows} rows"), palette.failure)]);
        put(screen, 0, 1, &[("q quits".to_owned(), palette.note)]);
        return;
    }
    title(model, palette, screen);
    let rows = screen.area.height;
    if model.help {
        help(palette, screen);
    } else if model.fitting.is_empty() {
        let none = if model.rows.is_empty() { NO_DEVICES } else { "no device fits: Esc clears the filter" };
        put(screen, 2, 2, &[(none.to_owned(), palette.note)]);
    } else {
        table(model, palette, screen);
    }
    let message = model.message.as_ref().map_or_else(
        || (NOTICE.to_owned(), palette.note),
        |message| {
            let sign = if message.is_failure { "! " } else { "" };
            (
                format!("{sign}{}", plain(&message.text)),
                if message.is_failure { palette.failure } else { palette.title },
            )
        },
    );
    put(screen, 0, rows.saturating_sub(2), &[(end_cut(&message.0, screen.area.width.into()), message.1)]);
    let keys: &[(&str, &str)] = match (model.help, model.typing) {
        (true, _) => &[("Esc", "back")],
        (false, true) => &TYPING,
        (false, false) => &KEYS,
    };
    put(screen, 0, rows.saturating_sub(1), &footer(keys, screen.area.width.into(), palette));
}

/// Writes cells beside each other.
fn put(screen: &mut Buffer, x: u16, y: u16, cells: &[Cell]) {
    if y >= screen.area.height {
        return;
    }
    let mut x = x;
    for (text, style) in cells {
        if x < screen.area.width {
            (x, _) = screen.set_stringn(x, y, text, screen.area.width.saturating_sub(x).into(), *style);
        }
    }
}

fn title(model: &Model, palette: &Palette, screen: &mut Buffer) {
    let width = usize::from(screen.area.width);
    let (fitting, all) = (model.fitting.len(), model.rows.len());
    let devices = if all == 1 { "device" } else { "devices" };
    let last = model.first.saturating_add(model.room()).min(fitting);
    let mut count = if fitting == all { format!("{all} {devices}") } else { format!("{fitting} of {all} {devices}") };
    if last.saturating_sub(model.first) < fitting {
        count.push_str(&format!(", {}-{last} on the screen", model.first.saturating_add(1)));
    }
    let time = model.time().to_rfc3339();
    let time = time.split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z');
    let time = format!("{time} UTC");
    let room = width.saturating_sub("vmfa watch  ".len()).saturating_sub(time.width()).saturating_sub(GAP);
    let mut cells = vec![("vmfa watch".to_owned(), palette.title), ("  ".to_owned(), palette.note)];
    if model.typing || !model.filter.text().is_empty() {
        let cursor = if model.typing { "_" } else { "" };
        let typed = format!("/{}{cursor}  ", plain(model.filter.text()));
        let typed = middle_cut(&typed, room).into_owned();
        let left = room.saturating_sub(typed.width());
        cells.push((typed, palette.key));
        cells.push((end_cut(&count, left), palette.note));
    } else {
        cells.push((end_cut(&count, room), palette.note));
    }
    put(screen, 0, 0, &cells);
    let x = screen.area.width.saturating_sub(u16::try_from(time.width()).unwrap_or(0));
    put(screen, x, 0, &[(time, palette.note)]);
}

fn help(palette: &Palette, screen: &mut Buffer) {
    for (y, (key, what)) in (2_u16..screen.area.height.saturating_sub(2)).zip(HELP) {
        put(screen, 2, y, &[(format!("{key:<10}"), palette.key), (what.to_owned(), Style::new())]);
    }
}

/// Keys and what they do, as many as fit.
fn footer(keys: &[(&str, &str)], width: usize, palette: &Palette) -> Vec<Cell> {
    let mut used = 0_usize;
    let mut cells = Vec::new();
    for (key, what) in keys {
        let gap = if used == 0 { "" } else { "  " };
        used = used.saturating_add(gap.len()).saturating_add(key.len()).saturating_add(1).saturating_add(what.len());
        if used > width {
            break;
        }
        cells.push((format!("{gap}{key}"), palette.key));
        cells.push((format!(" {what}"), palette.note));
    }
    cells
}

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

fn table(model: &Model, palette: &Palette, screen: &mut Buffer) {
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

/// Long periods are told in one unit, so that columns stay narrow.
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

/// Digits as people read them: in groups of three, or four where there are as many.
fn grouped(digits: &str) -> String {
    let group = match digits.chars().count() {
        0..=7 => 3,
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
    use std::path::Path;

    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier};

    use super::super::model::tests::{device, issued};
    use super::*;
    use crate::cli::environment;
    use crate::time::Timestamp;

    const ISSUERS: [&str; 4] = ["Amazon Web Services", "GitHub", "Example Corporation of the East", ""];

    fn model(devices: u64, size: (u16, u16)) -> Model {
        let name = |number: u64| match number {
            3 => "日本語のデバイス".to_owned(),
            4 => "e\u{301}toile".to_owned(),
            8 => format!("{}/one-with-a-very-long-name", "nested/".repeat(9)),
            _ => format!("ci/worker-{number:03}"),
        };
        let issuer = |number: u64| ISSUERS[usize::try_from(number % 4).unwrap()];
        let account = |number: u64| match number {
            5 => "es\u{1b}[31mcaped\u{7}\u{202e}".to_owned(),
            number => format!("worker-{number:03}@build.example.com"),
        };
        let mut model = Model::default();
        model
            .load((0..devices).map(|number| device(number, &name(number), issuer(number), &account(number))).collect());
        model.at(Timestamp::from_unix(1_795_305_607), size);
        for (number, row) in (0_u64..).zip(&mut model.rows) {
            row.used = row.turn(Timestamp::from_unix(1_795_305_607)).map(|turn| (turn.step, number % 5 == 1));
        }
        model
    }

    fn press(model: &mut Model, keys: &str) {
        use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
        for key in keys.chars() {
            model.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
        }
        for (number, (device, count)) in (1_u64..).zip(model.lacking()) {
            let step = device.parameters.step_at(model.time()).unwrap().value();
            let repeated = number.is_multiple_of(3);
            let one = |later: u64| {
                let code = format!("{:06}", number.wrapping_mul(12_345).wrapping_add(later));
                issued(step.wrapping_add(later), &code, repeated)
            };
            let codes: Vec<_> = (0..count.into()).map(one).collect();
            model.show(device.id, &codes);
        }
    }

    fn drawn(model: &Model, colours: bool) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.0, model.size.1));
        draw(model, &Palette::of(colours), &mut buffer);
        buffer
    }

    /// What is on the screen, without trailing spaces.
    fn text(buffer: &Buffer) -> String {
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let (mut line, mut begins) = (String::new(), 0);
            for x in 0..usize::from(buffer.area.width) {
                let symbol = buffer[(u16::try_from(x).unwrap(), y)].symbol();
                // A wide character has a cell behind it.
                if x >= begins {
                    line.push_str(symbol);
                    begins = x.saturating_add(symbol.width().max(1));
                }
            }
            assert!(line.width() <= buffer.area.width.into(), "{line}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// After a change: `VMFA_UPDATE=1 cargo nextest run watch`, and read the diff.
    #[test]
    fn it_looks_as_it_did() {
        let mut behind = Vec::new();
        for (devices, size, keys) in [
            (10, (60, 16), " "),
            (10, (80, 16), "jj "),
            (10, (200, 16), "an"),
            (200, (60, 10), "a"),
            (200, (80, 24), "/work2"),
            (200, (200, 24), "n"),
            (10, (80, 16), "?"),
            (0, (80, 10), ""),
            (10, (40, 8), " "),
        ] {
            let mut model = model(devices, size);
            press(&mut model, keys);
            let name = match keys {
                "?" => "keys".to_owned(),
                _ => format!("{devices}-devices-{}x{}", size.0, size.1),
            };
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/watch").join(format!("{name}.txt"));
            let text = text(&drawn(&model, true));
            if environment::variable("VMFA_UPDATE").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            if std::fs::read_to_string(&path).unwrap_or_default() != text {
                behind.push(format!("{}\n{text}", path.display()));
            }
        }
        assert!(behind.is_empty(), "{}", behind.join("\n"));
    }

    #[test]
    fn it_fits_every_size_and_has_nothing_that_a_terminal_obeys() {
        for width in (1..240).step_by(7) {
            for height in [1, 9, 10, 30] {
                for keys in ["", "a", "an", "?", "/e", "/zzzz"] {
                    let mut model = model(12, (width, height));
                    press(&mut model, keys);
                    let text = text(&drawn(&model, true));
                    assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{text}");
                    assert_eq!(text.contains("needs 50 columns"), width > 26 && model.is_too_small(), "{text}");
                }
            }
        }
    }

    #[test]
    fn colours_stand_beside_signs_and_can_be_left_out() {
        let mut model = model(10, (80, 16));
        model.at(Timestamp::from_unix(1_795_305_627), (80, 16));
        press(&mut model, "a");
        model.complain("the keyring is locked");
        let [coloured, plain] = [true, false].map(|colours| drawn(&model, colours));
        assert_eq!(text(&coloured), text(&plain));
        assert!(text(&plain).contains("3 s!") && text(&plain).contains("! the keyring is locked"));
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        let colours: Vec<Color> = coloured.content.iter().map(|cell| cell.fg).collect();
        assert!(colours.contains(&Color::Cyan) && colours.contains(&Color::Yellow));
        assert!(!colours.iter().any(|colour| matches!(colour, Color::Red | Color::Green)));
        assert!(plain.content.iter().any(|cell| cell.modifier.contains(Modifier::BOLD)));
    }

    #[test]
    fn codes_are_read_in_groups() {
        for (digits, expected) in
            [("123456", "123 456"), ("1234567", "123 4567"), ("12345678", "1234 5678"), ("1234567890", "12345 67890")]
        {
            assert_eq!(grouped(digits), expected);
        }
        assert_eq!([59, 999, 1_000, 86_400].map(seconds), ["59 s", "999 s", "17 min", "24 h"]);
    }
}
