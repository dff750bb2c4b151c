//! How the model of `vmfa watch` looks.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::cells::{Cell, put};
use super::model::{Model, SMALLEST};
use super::palette::Palette;
use super::table;
use crate::cli::columns::{GAP, end_cut, middle_cut};
use crate::cli::hints;
use crate::cli::render::plain;

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
        let none =
            if model.rows.is_empty() { hints::devices::NO_DEVICES } else { "no device fits: Esc clears the filter" };
        put(screen, 2, 2, &[(none.to_owned(), palette.note)]);
    } else {
        table::draw(model, palette, screen);
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
}
