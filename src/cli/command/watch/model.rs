//! What `vmfa watch` shows, and what keys do to it. Devices, times and codes are handed in.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::row::Row;
use crate::cli::filter::Typed;
use crate::device::issue::Issued;
use crate::registry::Device;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// How long a message stays that isn't of a failure, in seconds.
const STAYS: u8 = 8;

/// The fewest columns and rows that it can be drawn in.
pub(super) const SMALLEST: (u16, u16) = (50, 10);

/// Rows that aren't devices: the title, the headings, the message, the keys.
const AROUND: u16 = 4;

/// What is to be done for a key by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    Nothing,
    Leave,
    Stop,
    Redraw,
    /// Copy the code of the selected device.
    Copy,
    /// Give the next code of the selected device, which counts.
    Give,
}

/// A line for the person who looks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) is_failure: bool,
    /// In seconds; a failure stays until a key is pressed.
    left: u8,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) rows: Vec<Row>,
    /// The rows that fit what was typed.
    pub(super) fitting: Vec<usize>,
    /// Which one of these.
    pub(super) selected: usize,
    /// The first of these on the screen.
    pub(super) first: usize,
    pub(super) filter: Typed,
    /// Whether keys go into the filter.
    pub(super) typing: bool,
    /// Whether the codes of all time-based devices are shown.
    pub(super) all: bool,
    /// Whether the next code is shown beside the current one.
    pub(super) next: bool,
    /// Whether the keys are explained.
    pub(super) help: bool,
    pub(super) message: Option<Message>,
    /// By the clock that codes are made by, in Unix seconds.
    pub(super) time: u64,
    pub(super) size: (u16, u16),
    /// The selected device, if its code is shown.
    revealed: Option<Id>,
}

impl Model {
    /// Takes in the devices there are, by name.
    pub(super) fn load(&mut self, devices: Vec<Device>) {
        let selected = self.selected_id();
        let mut old: std::collections::HashMap<Id, Row> = self.rows.drain(..).map(|row| (row.device.id, row)).collect();
        let row = |device: Device| match old.remove(&device.id) {
            Some(row) => row.renewed(device),
            None => Row::of(device),
        };
        self.rows = devices.into_iter().map(row).collect();
        self.fitting = self.filter.fitting(self.rows.iter().map(|row| row.lower.as_str()));
        let place = self.fitting.iter().position(|index| self.rows.get(*index).map(|row| row.device.id) == selected);
        self.select(place.unwrap_or(self.selected));
    }

    /// It is this time, and the screen is so large.
    pub(super) fn at(&mut self, time: Timestamp, size: (u16, u16)) {
        (self.time, self.size) = (time.as_unix(), size);
        self.select(self.selected);
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        if let Some(message) = self.message.as_mut().filter(|message| !message.is_failure) {
            message.left = message.left.saturating_sub(1);
            if message.left == 0 {
                self.message = None;
            }
        }
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), is_failure: false, left: STAYS });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), is_failure: true, left: STAYS });
    }

    pub(super) const fn time(&self) -> Timestamp {
        Timestamp::from_unix(self.time)
    }

    /// How many devices the screen has room for.
    pub(super) fn room(&self) -> usize {
        usize::from(self.size.1.saturating_sub(AROUND)).max(1)
    }

    /// The rows on the screen.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Row> {
        self.fitting.iter().skip(self.first).take(self.room()).filter_map(|index| self.rows.get(*index))
    }

    pub(super) fn selected_row(&self) -> Option<&Row> {
        self.fitting.get(self.selected).and_then(|index| self.rows.get(*index))
    }

    fn selected_id(&self) -> Option<Id> {
        self.selected_row().map(|row| row.device.id)
    }

    pub(super) fn row_of(&mut self, id: Id) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.device.id == id)
    }

    /// Whether a row's code is to be seen.
    pub(super) fn reveals(&self, row: &Row) -> bool {
        self.revealed == Some(row.device.id) || (self.all && row.counter().is_none())
    }

    /// The time-based devices on the screen whose codes are to be seen and aren't there, and how many codes of each.
    pub(super) fn lacking(&self) -> Vec<(Device, u16)> {
        if self.is_too_small() || self.help {
            return Vec::new();
        }
        let lacks = |row: &&Row| {
            let Some(turn) = row.turn(self.time()).filter(|_| self.reveals(row)) else { return false };
            let there = row.current(self.time()).is_some_and(|shown| shown.next.is_some() || !self.next);
            !there && row.failed != Some(turn.step)
        };
        let count = if self.next { 2 } else { 1 };
        self.visible().filter(lacks).map(|row| (row.device.clone(), count)).collect()
    }

    /// The devices on the screen of whose current step it isn't known whether it was handed out.
    pub(super) fn unknown(&self) -> Vec<(Device, Step)> {
        let unknown = |row: &Row| {
            let turn = row.turn(self.time())?;
            (row.used.map(|(step, _)| step) != Some(turn.step)).then(|| (row.device.clone(), turn.step))
        };
        self.visible().filter_map(unknown).collect()
    }

    /// Takes in codes that were handed out.
    pub(super) fn show(&mut self, id: Id, issued: &[Issued]) {
        if let Some(row) = self.row_of(id) {
            row.show(issued);
        }
    }

    /// No code of a device can be had now.
    pub(super) fn fail(&mut self, id: Id) {
        let time = self.time();
        if let Some(row) = self.row_of(id) {
            row.failed = row.turn(time).map(|turn| turn.step);
        }
    }

    /// Shows the selected device's code, until another one is selected.
    pub(super) fn reveal(&mut self) {
        self.revealed = self.selected_id();
        // What failed is tried again.
        self.rows.iter_mut().for_each(|row| row.failed = None);
    }

    pub(super) const fn is_too_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Do {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        self.message = None;
        match key.code {
            KeyCode::Char('c') if control => return Do::Leave,
            KeyCode::Char('z') if control => return Do::Stop,
            KeyCode::Char('l') if control => return Do::Redraw,
            _ if self.help => {
                self.help = false;
                return Do::Nothing;
            }
            KeyCode::Up => self.select(self.selected.saturating_sub(1)),
            KeyCode::Down => self.select(self.selected.saturating_add(1)),
            KeyCode::Char('p') if control => self.select(self.selected.saturating_sub(1)),
            KeyCode::Char('n') if control => self.select(self.selected.saturating_add(1)),
            KeyCode::PageUp => self.select(self.selected.saturating_sub(self.room())),
            KeyCode::PageDown => self.select(self.selected.saturating_add(self.room())),
            KeyCode::Home => self.select(0),
            KeyCode::End => self.select(usize::MAX),
            KeyCode::Esc => {
                self.typing = false;
                if self.filter.clear() {
                    self.find();
                }
            }
            _ if self.typing => self.type_in(key),
            KeyCode::Char(_) if control => {}
            KeyCode::Char('k') => self.select(self.selected.saturating_sub(1)),
            KeyCode::Char('j') => self.select(self.selected.saturating_add(1)),
            KeyCode::Char(' ') => self.toggle(),
            KeyCode::Enter => {
                if self.selected_row().is_some_and(|row| row.counter().is_none()) {
                    self.reveal();
                }
                return Do::Copy;
            }
            KeyCode::Char('c') => return Do::Copy,
            KeyCode::Char('g') => return Do::Give,
            KeyCode::Char('a') => {
                self.all = !self.all;
                self.revealed = None;
                self.forget();
                self.rows.iter_mut().for_each(|row| row.failed = None);
            }
            KeyCode::Char('n') => {
                self.next = !self.next;
                if self.next && !self.all && self.revealed.is_none() {
                    self.say("the next code is shown beside the current one: Space shows both");
                }
            }
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('q') => return Do::Leave,
            _ => {}
        }
        Do::Nothing
    }

    fn type_in(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Backspace if self.filter.text().is_empty() => self.typing = false,
            _ if self.filter.press(key) => self.find(),
            _ => {}
        }
    }

    /// Shows the selected device's code, or hides it again.
    fn toggle(&mut self) {
        if self.revealed.is_some() {
            self.revealed = None;
            self.forget();
        } else if self.selected_row().is_some_and(|row| row.counter().is_some()) {
            self.say("a counter device: g gives its next code, which uses it up");
        } else {
            self.reveal();
        }
    }

    fn find(&mut self) {
        self.fitting = self.filter.fitting(self.rows.iter().map(|row| row.lower.as_str()));
        self.select(0);
    }

    /// Selects one of those that fit, and moves it onto the screen.
    fn select(&mut self, wanted: usize) {
        self.selected = wanted.min(self.fitting.len().saturating_sub(1));
        if self.revealed.is_some() && self.revealed != self.selected_id() {
            self.revealed = None;
            self.forget();
        }
        let room = self.room();
        let last = self.first.saturating_add(room.saturating_sub(1));
        if self.selected < self.first {
            self.first = self.selected;
        } else if self.selected > last {
            self.first = self.selected.saturating_sub(room.saturating_sub(1));
        }
        // No empty lines below the last device.
        self.first = self.first.min(self.fitting.len().saturating_sub(room));
    }

    /// Codes that aren't to be seen any more.
    fn forget(&mut self) {
        let (revealed, all) = (self.revealed, self.all);
        for row in &mut self.rows {
            if revealed != Some(row.device.id) && !(all && row.counter().is_none()) && row.shown.take().is_some() {
                // What was shown was handed out.
                row.used = None;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::oath::{MovingFactor, Parameters};
    use crate::registry::State;
    use crate::time::Drift;
    use crate::vault::Kind;

    /// A device of 30 s; of those whose number can be divided by seven, one that counts.
    pub(in super::super) fn device(number: u64, name: &str, issuer: &str, account: &str) -> Device {
        let factor = MovingFactor::Counter { next: number };
        let counts = number > 0 && number.is_multiple_of(7);
        Device {
            id: Id::random(),
            name: name.parse().unwrap(),
            issuer: Some(issuer.to_owned()),
            account: account.to_owned(),
            parameters: if counts { Parameters { factor, ..Parameters::DEFAULT } } else { Parameters::DEFAULT },
            serial: None,
            note: None,
            vault: Kind::Memory,
            created: Timestamp::from_unix(0),
            state: State::Active,
            drift: Drift::default(),
            ledger: None,
            revision: 0,
        }
    }

    pub(in super::super) fn issued(step: u64, code: &str, repeated: bool) -> Issued {
        Issued { code: code.parse().unwrap(), moving_factor: step, valid: None, repeated, claim: None }
    }

    fn model(names: &[&str]) -> Model {
        let mut model = Model::default();
        model.load((0..).zip(names).map(|(number, name)| device(number, name, "Acme", "x")).collect());
        model.at(Timestamp::from_unix(60), (80, 24));
        model
    }

    fn press(model: &mut Model, code: KeyCode) -> Do {
        model.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn keys(model: &mut Model, keys: &str) {
        keys.chars().for_each(|key| assert_eq!(press(model, KeyCode::Char(key)), Do::Nothing, "{key}"));
    }

    fn lacking(model: &Model) -> Vec<(String, u16)> {
        model.lacking().into_iter().map(|(device, count)| (device.name.to_string(), count)).collect()
    }

    fn names(model: &Model) -> Vec<&str> {
        model.visible().map(|row| row.device.name.as_str()).collect()
    }

    #[test]
    fn a_code_is_asked_for_once_in_a_step_and_only_of_the_row_that_shows_it() {
        let mut model = model(&["a", "b", "c"]);
        assert!(lacking(&model).is_empty());
        keys(&mut model, "j ");
        assert_eq!(lacking(&model), [("b".to_owned(), 1)]);
        let id = model.lacking()[0].0.id;
        model.show(id, &[issued(2, "123456", false)]);
        assert!(lacking(&model).is_empty());
        model.at(Timestamp::from_unix(89), (80, 24));
        assert!(lacking(&model).is_empty());
        model.at(Timestamp::from_unix(90), (80, 24));
        assert_eq!(lacking(&model), [("b".to_owned(), 1)]);
        model.fail(id);
        assert!(lacking(&model).is_empty());
        model.at(Timestamp::from_unix(120), (80, 24));
        assert_eq!(lacking(&model), [("b".to_owned(), 1)]);
    }

    #[test]
    fn moving_on_hides_a_code_and_forgets_it() {
        let mut model = model(&["a", "b", "c"]);
        for moves in ["j", "/c"] {
            keys(&mut model, " ");
            let id = model.lacking()[0].0.id;
            model.show(id, &[issued(2, "123456", false)]);
            assert!(model.selected_row().unwrap().shown.is_some());
            keys(&mut model, moves);
            assert!(lacking(&model).is_empty() && model.rows.iter().all(|row| row.shown.is_none()), "{moves}");
            assert_eq!(press(&mut model, KeyCode::Esc), Do::Nothing);
            assert_eq!(press(&mut model, KeyCode::Home), Do::Nothing);
        }
        // A device that is gone takes its code with it.
        keys(&mut model, " ");
        let devices = model.rows.iter().skip(1).map(|row| row.device.clone()).collect();
        model.load(devices);
        assert!(lacking(&model).is_empty() && names(&model) == ["b", "c"]);
    }

    #[test]
    fn all_codes_are_those_on_the_screen_and_none_of_a_counter() {
        let names: Vec<String> = (0..40).map(|number| format!("device-{number:02}")).collect();
        let mut model = model(&names.iter().map(String::as_str).collect::<Vec<_>>());
        keys(&mut model, "a");
        // 20 rows, of which 7 and 14 count.
        assert_eq!(lacking(&model).len(), 18);
        press(&mut model, KeyCode::End);
        assert_eq!(lacking(&model).len(), 17);
        keys(&mut model, "n");
        assert!(lacking(&model).iter().all(|(_, count)| *count == 2));
        keys(&mut model, "a");
        assert!(lacking(&model).is_empty());
    }

    #[test]
    fn a_next_code_that_was_shown_is_not_used_when_its_time_comes() {
        let mut model = model(&["a"]);
        keys(&mut model, " ");
        let id = model.lacking()[0].0.id;
        model.show(id, &[issued(2, "111111", true)]);
        keys(&mut model, "n");
        model.show(id, &[issued(2, "111111", true), issued(3, "222222", false)]);
        model.at(Timestamp::from_unix(90), (80, 24));
        assert_eq!(lacking(&model), [("a".to_owned(), 2)]);
        model.show(id, &[issued(3, "222222", true), issued(4, "333333", true)]);
        let shown = model.selected_row().unwrap().current(model.time()).unwrap();
        assert_eq!((shown.code.used, shown.next.map(|next| next.used)), (false, Some(true)));
    }

    #[test]
    fn a_filter_takes_the_keys_of_commands_until_it_is_closed() {
        let mut model = model(&["quartz", "b", "c"]);
        keys(&mut model, "/qa");
        assert_eq!((names(&model), model.all), (vec!["quartz"], false));
        press(&mut model, KeyCode::Enter);
        keys(&mut model, "a");
        assert!(model.all && names(&model) == ["quartz"]);
        press(&mut model, KeyCode::Esc);
        assert_eq!(names(&model), ["quartz", "b", "c"]);
        keys(&mut model, "/xyz");
        assert_eq!((names(&model).len(), press(&mut model, KeyCode::Enter)), (0, Do::Nothing));
        assert_eq!(press(&mut model, KeyCode::Char('q')), Do::Leave);
    }

    #[test]
    fn the_selected_device_stays_on_the_screen_whatever_its_size_and_whoever_comes() {
        let names: Vec<String> = (0..200).map(|number| format!("d{number:03}")).collect();
        let mut model = model(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for (code, expected) in [
            (KeyCode::PageDown, "d020"),
            (KeyCode::PageDown, "d040"),
            (KeyCode::Up, "d039"),
            (KeyCode::End, "d199"),
            (KeyCode::PageUp, "d179"),
        ] {
            model.at(Timestamp::from_unix(60), (80, 24));
            press(&mut model, code);
            assert_eq!(model.selected_row().unwrap().device.name.as_str(), expected);
            for size in [(80, 10), (80, 24), (200, 60)] {
                model.at(Timestamp::from_unix(60), size);
                assert!(super::tests::names(&model).contains(&expected), "{expected} {size:?}");
                assert_eq!(model.visible().count(), model.room());
            }
        }
        let mut devices: Vec<Device> = model.rows.iter().map(|row| row.device.clone()).collect();
        devices.insert(0, device(0, "a-new-one", "", ""));
        model.load(devices);
        assert_eq!(model.selected_row().unwrap().device.name.as_str(), "d179");
    }

    #[test]
    fn a_counter_device_gives_its_code_by_its_own_key_only() {
        let names: Vec<String> = (0..8).map(|number| format!("d{number}")).collect();
        let mut model = model(&names.iter().map(String::as_str).collect::<Vec<_>>());
        press(&mut model, KeyCode::End);
        keys(&mut model, " ");
        assert!(model.message.as_ref().is_some_and(|message| message.text.contains("counter device")));
        assert_eq!(press(&mut model, KeyCode::Enter), Do::Copy);
        assert!(lacking(&model).is_empty());
        assert_eq!(press(&mut model, KeyCode::Char('g')), Do::Give);
    }

    #[test]
    fn messages_go_with_time_and_failures_with_a_key() {
        let mut model = model(&["a"]);
        model.say("copied");
        (0..STAYS).for_each(|_| model.tick());
        assert_eq!(model.message, None);
        model.complain("the keyring is locked");
        (0..STAYS).for_each(|_| model.tick());
        assert!(model.message.as_ref().is_some_and(|message| message.is_failure));
        press(&mut model, KeyCode::Down);
        assert_eq!(model.message, None);
    }
}
