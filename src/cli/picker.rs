//! Choosing a device, or an enrolment of a source, on a terminal: what is typed leaves those that fit. It is drawn on stderr, since stdout is for the answer.

use std::time::Duration;

use super::columns::{end_cut, middle_cut};
use super::error::{Error, Kind, Result};
use super::filter::Typed;
use super::note::plain;
use super::screen::{Extent, Screen};
use super::{environment, prompt};
use crate::provision::Enrolment;
use crate::registry::Device;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;

/// As many devices are shown at once.
const SHOWN: usize = 10;

/// How often the terminal is looked at while nothing is typed.
const OFTEN: Duration = Duration::from_secs(1);

/// Whether somebody can choose here.
pub(super) fn possible() -> bool {
    prompt::somebody_there() && environment::text("TERM").is_none_or(|term| term != "dumb")
}

/// Lets the user choose, and gives the device's name.
///
/// # Errors
///
/// Nothing was chosen, a signal came, or the terminal can't be read.
pub(super) fn choose(devices: &[Device]) -> Result<String> {
    chosen(What { name: "device", enter: "for the code" }, devices.iter().map(Line::of).collect())
}

/// Lets the user choose one of some enrolments by their issuers and accounts, and gives its place.
///
/// # Errors
///
/// The same.
pub(super) fn choose_enrolment(enrolments: &[Enrolment]) -> Result<usize> {
    let lines = enrolments.iter().enumerate().map(|(place, enrolment)| Line::of_enrolment(place, enrolment)).collect();
    let place = chosen(What { name: "account", enter: "to take it" }, lines)?;
    // The place is the name that its line was given.
    Ok(place.parse().unwrap_or(usize::MAX))
}

fn chosen(what: What, lines: Vec<Line>) -> Result<String> {
    let mut list = List { what, lines, typed: Typed::default(), fitting: Vec::new(), selected: 0 };
    list.find();
    let screen = Screen::take(Extent::Lines)?;
    draw(&screen, &list)?;
    loop {
        let Some(event) = screen.event(OFTEN)? else { continue };
        if let Event::Key(key) = event
            && key.kind != KeyEventKind::Release
        {
            match list.press(key) {
                Pressed::Going => {}
                Pressed::Chosen(name) => return Ok(name),
                Pressed::Cancelled => {
                    return Err(Error::new(
                        Kind::No,
                        "cancelled",
                        format!("cancelled: no {} was chosen", list.what.name),
                    ));
                }
                // As the terminal would have sent it.
                Pressed::Interrupted => return Err(Error::interrupted(2)),
            }
        }
        draw(&screen, &list)?;
    }
}

/// The question, the devices below it, and the cursor back behind what was typed.
fn draw(screen: &Screen, list: &List) -> Result<()> {
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
    screen.write(text.as_bytes())
}

/// What there is to choose, and what Enter does.
struct What {
    name: &'static str,
    enter: &'static str,
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
        Self::new(device.name.to_string(), &texts)
    }

    fn of_enrolment(place: usize, enrolment: &Enrolment) -> Self {
        let number = format!("{}.", place.saturating_add(1));
        let issuer = enrolment.issuer.as_deref().unwrap_or_default();
        Self::new(place.to_string(), &[&number, issuer, &enrolment.account])
    }

    fn new(name: String, texts: &[&str]) -> Self {
        let shown: Vec<_> = texts.iter().filter(|text| !text.is_empty()).map(|text| plain(text)).collect();
        let shown = shown.join("  ");
        Self { name, lower: shown.to_lowercase(), shown }
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
    what: What,
    lines: Vec<Line>,
    typed: Typed,
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
            _ if self.typed.press(key) => self.find(),
            _ => {}
        }
        Pressed::Going
    }

    fn move_down(&mut self, by: usize) {
        self.selected = self.selected.saturating_add(by).min(self.fitting.len().saturating_sub(1));
    }

    fn find(&mut self) {
        self.fitting = self.typed.fitting(self.lines.iter().map(|line| line.lower.as_str()));
        self.selected = 0;
    }

    /// The lines of the screen, the question first.
    fn drawn(&self, width: usize, height: usize) -> Vec<String> {
        let room = width.saturating_sub(1);
        let mut lines =
            vec![middle_cut(&format!("{}: {}", self.what.name, plain(self.typed.text())), room).into_owned()];
        let shown = SHOWN.min(height.saturating_sub(3)).max(1);
        let first = self.selected.saturating_add(1).saturating_sub(shown);
        for (place, index) in self.fitting.iter().enumerate().skip(first).take(shown) {
            let mark = if place == self.selected { "> " } else { "  " };
            let text = self.lines.get(*index).map_or("", |line| line.shown.as_str());
            lines.push(format!("{mark}{}", end_cut(text, room.saturating_sub(2))));
        }
        let count = format!("  {} of {}", self.fitting.len(), self.lines.len());
        let whole = format!(": type to filter, arrows to move, Enter {}, Esc to cancel", self.what.enter);
        let helps = [whole.as_str(), ": Enter or Esc", ""];
        let fits = |help: &&&str| count.len().saturating_add(help.len()) <= room;
        let help = helps.iter().find(fits).copied().unwrap_or_default();
        lines.push(end_cut(&format!("{count}{help}"), room));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> List {
        let line =
            |name: &&str| Line { name: (*name).to_owned(), shown: (*name).to_owned(), lower: name.to_lowercase() };
        let mut list = List {
            what: What { name: "device", enter: "" },
            lines: names.iter().map(line).collect(),
            typed: Typed::default(),
            fitting: vec![],
            selected: 0,
        };
        list.find();
        list
    }

    fn press(list: &mut List, code: KeyCode) -> Pressed {
        list.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn typed(list: &mut List, text: &str) {
        text.chars().for_each(|character| drop(press(list, KeyCode::Char(character))));
    }

    #[test]
    fn keys_move_choose_and_cancel() {
        let mut some = list(&["a", "b", "c"]);
        for code in [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Up] {
            assert!(matches!(press(&mut some, code), Pressed::Going));
        }
        assert!(matches!(press(&mut some, KeyCode::Enter), Pressed::Chosen(name) if name == "b"));
        assert!(matches!(press(&mut some, KeyCode::Esc), Pressed::Cancelled));
        typed(&mut some, "c");
        assert!(matches!(press(&mut some, KeyCode::Enter), Pressed::Chosen(name) if name == "c"));
        typed(&mut some, "zzz");
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
