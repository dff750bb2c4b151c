//! Choosing a device on a terminal: what is typed leaves those that fit. It is drawn on stderr, since stdout is for the answer.

use std::io::{self, Write as _};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::columns::middle_cut;
use super::error::{Error, Kind, Result};
use super::note::plain;
use super::{environment, prompt};
use crate::registry::Device;

/// As many devices are shown at once.
const SHOWN: usize = 10;

/// As much as is typed.
const LONGEST: usize = 64;

/// Whether somebody can choose here.
pub(super) fn possible() -> bool {
    prompt::somebody_there() && environment::text("TERM").is_none_or(|term| term != "dumb")
}

/// The name of the device that a person chose.
///
/// # Errors
///
/// `cancelled` where none was, a signal, and a terminal that can't be read.
pub(super) fn choose(devices: &[Device]) -> Result<String> {
    let lines = devices.iter().map(Line::of).collect();
    let mut list = List { lines, typed: String::new(), fitting: Vec::new(), selected: 0 };
    list.find();
    // By a thread of its own: a terminal that was hung up is read without end.
    let _ended_by_signals = prompt::give_back_on_signals();
    let screen = Screen::take()?;
    loop {
        screen.draw(&list);
        match event::read().map_err(unreadable)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match list.press(key) {
                Pressed::Going => {}
                Pressed::Chosen(name) => return Ok(name),
                Pressed::Cancelled => {
                    return Err(Error::new(Kind::No, "cancelled", "cancelled: no device was chosen"));
                }
                // As the terminal would have sent it.
                Pressed::Interrupted => return Err(Error::interrupted(2)),
            },
            _ => {}
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::input("prompt", format!("the terminal can't be read: {error}"))
}

/// The terminal without echo and without lines; given back when this goes, also by a panic.
struct Screen;

impl Screen {
    fn take() -> Result<Self> {
        terminal::enable_raw_mode().map_err(unreadable)?;
        Ok(Self)
    }

    /// The question, the devices below it, and the cursor back behind what was typed.
    fn draw(&self, list: &List) {
        let (width, height) = terminal::size().map_or((80, 24), |(width, height)| (width.into(), height.into()));
        let lines = list.drawn(width, height);
        let (question, below) = lines.split_first().map_or(("", &[][..]), |(first, below)| (first.as_str(), below));
        let mut text = format!("\r\x1b[J{question}");
        for line in below {
            text.push_str("\r\n");
            text.push_str(line);
        }
        if !below.is_empty() {
            text.push_str(&format!("\x1b[{}A\r{question}", below.len()));
        }
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write!(io::stderr(), "\r\x1b[J");
        let _ = terminal::disable_raw_mode();
    }
}

/// A device as it is shown, and as it is looked through.
struct Line {
    name: String,
    shown: String,
    lower: String,
}

impl Line {
    fn of(device: &Device) -> Self {
        let texts = [device.name.as_str(), device.issuer.as_deref().unwrap_or_default(), device.account.as_str()];
        let shown: Vec<_> = texts.iter().filter(|text| !text.is_empty()).map(|text| plain(text)).collect();
        let shown = shown.join("  ");
        Self { name: device.name.to_string(), lower: shown.to_lowercase(), shown }
    }
}

/// What a key did.
enum Pressed {
    Going,
    Chosen(String),
    Cancelled,
    Interrupted,
}

struct List {
    lines: Vec<Line>,
    typed: String,
    /// The lines that fit what was typed, the best first.
    fitting: Vec<usize>,
    /// Which one of these.
    selected: usize,
}

impl List {
    fn press(&mut self, key: KeyEvent) -> Pressed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => {
                let line = self.fitting.get(self.selected).and_then(|index| self.lines.get(*index));
                return line.map_or(Pressed::Going, |line| Pressed::Chosen(line.name.clone()));
            }
            KeyCode::Esc => return Pressed::Cancelled,
            KeyCode::Char('d') if control => return Pressed::Cancelled,
            KeyCode::Char('c') if control => return Pressed::Interrupted,
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Char('p') if control => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down => self.move_down(1),
            KeyCode::Char('n') if control => self.move_down(1),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(SHOWN),
            KeyCode::PageDown => self.move_down(SHOWN),
            KeyCode::Backspace => {
                self.typed.pop();
                self.find();
            }
            KeyCode::Char('u') if control => {
                self.typed.clear();
                self.find();
            }
            KeyCode::Char(character) if !control && self.typed.chars().count() < LONGEST => {
                self.typed.push(character);
                self.find();
            }
            _ => {}
        }
        Pressed::Going
    }

    fn move_down(&mut self, by: usize) {
        self.selected = self.selected.saturating_add(by).min(self.fitting.len().saturating_sub(1));
    }

    fn find(&mut self) {
        let wanted = self.typed.to_lowercase();
        let fit = |(index, line): (usize, &Line)| cost(&line.lower, &wanted).map(|cost| (cost, index));
        let mut found: Vec<(usize, usize)> = self.lines.iter().enumerate().filter_map(fit).collect();
        found.sort_unstable();
        self.fitting = found.into_iter().map(|(_, index)| index).collect();
        self.selected = 0;
    }

    /// The lines of the screen, the question first.
    fn drawn(&self, width: usize, height: usize) -> Vec<String> {
        let room = width.saturating_sub(1);
        let mut lines = vec![middle_cut(&format!("device: {}", plain(&self.typed)), room).into_owned()];
        let shown = SHOWN.min(height.saturating_sub(3)).max(1);
        let first = self.selected.saturating_add(1).saturating_sub(shown);
        for (place, index) in self.fitting.iter().enumerate().skip(first).take(shown) {
            let mark = if place == self.selected { "> " } else { "  " };
            let text = self.lines.get(*index).map_or("", |line| line.shown.as_str());
            lines.push(format!("{mark}{}", end_cut(text, room.saturating_sub(2))));
        }
        let count = format!("  {} of {}", self.fitting.len(), self.lines.len());
        let helps = [": type to filter, arrows to move, Enter for the code, Esc to cancel", ": Enter or Esc", ""];
        let fits = |help: &&&str| count.len().saturating_add(help.len()) <= room;
        let help = helps.iter().find(fits).copied().unwrap_or_default();
        lines.push(end_cut(&format!("{count}{help}"), room));
        lines
    }
}

/// A text without its end where it is too long: the name comes first.
fn end_cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let fits = |character: &char| match left.checked_sub(character.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// How badly a text fits what was typed: its characters come in this order, best in one piece and early. `None` where they
/// don't.
fn cost(text: &str, wanted: &str) -> Option<usize> {
    if let Some(at) = text.find(wanted) {
        return Some(at);
    }
    let (mut gaps, mut last) = (0_usize, None);
    let mut characters = text.chars().enumerate();
    for wanted in wanted.chars().filter(|character| !character.is_whitespace()) {
        let (at, _) = characters.by_ref().find(|(_, character)| *character == wanted)?;
        gaps = gaps.saturating_add(at.saturating_sub(last.map_or(0, |last: usize| last.saturating_add(1))));
        last = Some(at);
    }
    // Behind all that have it in one piece.
    Some(gaps.saturating_add(text.len()).saturating_add(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> List {
        let line =
            |name: &&str| Line { name: (*name).to_owned(), shown: (*name).to_owned(), lower: name.to_lowercase() };
        let mut list =
            List { lines: names.iter().map(line).collect(), typed: String::new(), fitting: vec![], selected: 0 };
        list.find();
        list
    }

    fn press(list: &mut List, code: KeyCode) -> Pressed {
        list.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn typed(list: &mut List, text: &str) -> Vec<String> {
        text.chars().for_each(|character| drop(press(list, KeyCode::Char(character))));
        list.fitting.iter().map(|index| list.lines[*index].name.clone()).collect()
    }

    #[test]
    fn what_is_typed_leaves_what_fits_the_best_first() {
        let names = ["ci/worker-12", "ci/worker-2", "Work", "prod/w2"];
        assert_eq!(typed(&mut list(&names), "work"), ["Work", "ci/worker-12", "ci/worker-2"]);
        assert_eq!(typed(&mut list(&names), "w2"), ["prod/w2", "ci/worker-2", "ci/worker-12"]);
        assert!(typed(&mut list(&names), "xyz").is_empty());
    }

    #[test]
    fn keys_move_choose_and_cancel() {
        let mut some = list(&["a", "b", "c"]);
        for code in [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Up] {
            assert!(matches!(press(&mut some, code), Pressed::Going));
        }
        assert!(matches!(press(&mut some, KeyCode::Enter), Pressed::Chosen(name) if name == "b"));
        assert!(matches!(press(&mut some, KeyCode::Esc), Pressed::Cancelled));
        let _ = typed(&mut some, "zzz");
        assert!(matches!(press(&mut some, KeyCode::Enter), Pressed::Going));
    }

    #[test]
    fn it_fits_the_terminal_and_shows_what_is_selected() {
        let names: Vec<String> = (0..200).map(|number| format!("device-{number:03}-{}", "x".repeat(90))).collect();
        let mut many = list(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for _ in 0..30 {
            let _ = press(&mut many, KeyCode::Down);
        }
        for (width, height) in [(60, 24), (80, 8), (200, 50), (10, 1)] {
            let lines = many.drawn(width, height);
            assert!(lines.iter().all(|line| line.chars().count() < width), "{lines:?}");
            assert!(lines.len() <= height.max(3));
            assert_eq!(lines.iter().filter(|line| line.starts_with("> ")).count(), 1);
            assert!(width < 60 || lines.iter().any(|line| line.starts_with("> device-030")), "{lines:?}");
        }
    }
}
