//! The model of `vmfa watch` on a terminal: keys and seconds go in, codes are handed out for it, what differs is drawn.

use std::process::Child;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use zeroize::Zeroizing;

use super::model::{Do, Model};
use super::palette::Palette;
use super::source::Source;
use super::times::Times;
use super::view;
use crate::cli::clipboard::{Clipboard, Way};
use crate::cli::clock;
use crate::cli::error::{Error, Result};
use crate::cli::screen::{Extent, Screen};
use crate::registry::Device;
use crate::time::words;

/// The largest screen that is drawn on; the rest of a larger one stays empty.
const LARGEST: (u16, u16) = (500, 300);

/// A second of the clock, in milliseconds.
const SECOND: i128 = 1_000;

pub(super) struct Live {
    source: Source,
    times: Times,
    copies: (Way, u64),
    palette: Palette,
    model: Model,
    /// What is on the screen.
    drawn: Buffer,
    /// Those that keep codes on the clipboard.
    keepers: Vec<Child>,
}

impl Live {
    pub(super) fn new(source: Source, times: Times, copies: (Way, u64), palette: Palette) -> Self {
        let (model, drawn) = (Model::default(), Buffer::default());
        Self { source, times, copies, palette, model, drawn, keepers: Vec::new() }
    }

    /// Runs until a person leaves.
    ///
    /// # Errors
    ///
    /// A terminal that is gone, and a registry that can't be read at first.
    pub(super) fn run(mut self, devices: Vec<Device>) -> Result<()> {
        self.source.has_changed()?;
        self.model.load(devices);
        let screen = Screen::take(Extent::Whole)?;
        let (mut asks, mut second) = (false, 0);
        loop {
            self.model.at(self.times.moment().time, size());
            self.look();
            self.hand_out(&screen, asks)?;
            self.draw(&screen)?;
            let now = clock::milliseconds();
            let left = SECOND.saturating_sub(now.rem_euclid(SECOND));
            let event = screen.event(Duration::from_millis(u64::try_from(left).unwrap_or(0)))?;
            asks = false;
            if let Some(Event::Key(key)) = event
                && key.kind != KeyEventKind::Release
            {
                let todo = self.model.press(key);
                self.model.at(self.times.moment().time, size());
                match todo {
                    Do::Nothing => {}
                    Do::Leave => return Ok(()),
                    Do::Stop => screen.stop()?,
                    Do::Redraw => self.drawn = Buffer::default(),
                    Do::Copy => self.copy(&screen)?,
                    Do::Give => self.give(&screen)?,
                }
                asks = true;
            }
            let now = clock::milliseconds().div_euclid(SECOND);
            if now != second {
                second = now;
                self.model.tick();
                self.keepers.retain_mut(|keeper| matches!(keeper.try_wait(), Ok(None)));
            }
        }
    }

    /// Has a look at what other processes changed.
    fn look(&mut self) {
        match self.source.has_changed() {
            Ok(true) => self.reload(),
            Ok(false) => {}
            Err(error) => self.model.complain(told(&error)),
        }
        for (device, step) in self.model.unknown() {
            match self.source.is_used(&device, step) {
                Ok(used) => {
                    if let Some(row) = self.model.row_of(device.id) {
                        row.used = Some((step, used));
                    }
                }
                Err(error) => return self.model.complain(told(&error)),
            }
        }
    }

    fn reload(&mut self) {
        match self.source.devices() {
            Ok(devices) => self.model.load(devices),
            Err(error) => self.model.complain(told(&error)),
        }
    }

    /// Hands out the codes that are to be seen and aren't there. `asks` where a key was pressed: then somebody is there who
    /// can be asked for a passphrase.
    fn hand_out(&mut self, screen: &Screen, asks: bool) -> Result<()> {
        let lacking = self.model.lacking();
        if lacking.is_empty() {
            return Ok(());
        }
        if asks {
            self.draw_reading(screen)?;
        }
        let answers = self.source.issue(&lacking, || self.times.moment(), asks);
        for (id, issued) in answers {
            match issued {
                Ok(issued) => self.model.show(id, &issued),
                Err(error) => {
                    self.model.fail(id);
                    self.model.complain(told(&error));
                }
            }
        }
        self.reload();
        self.model.at(self.times.moment().time, size());
        self.look();
        Ok(())
    }

    /// The code of the selected device onto the clipboard.
    fn copy(&mut self, screen: &Screen) -> Result<()> {
        let Some(row) = self.model.selected_row() else { return Ok(()) };
        let device = row.device.clone();
        if row.shown.is_none() && row.counter().is_some() {
            self.model.say("a counter device: g gives its next code, which uses it up");
            return Ok(());
        }
        let (way, clear_after) = self.copies;
        // Before a code is taken, which would be used up in vain.
        let clipboard = match Clipboard::reach(way, clear_after) {
            Ok(clipboard) => clipboard,
            Err(error) => {
                self.model.complain(told(&error));
                return Ok(());
            }
        };
        // That took a moment: perhaps the last of a code that is shown.
        self.model.at(self.times.moment().time, size());
        let current = self.model.selected_row().and_then(|row| row.current(self.model.time()));
        let code = match current.map(|shown| shown.code.code) {
            Some(code) => Ok(Some(code)),
            None => {
                self.draw_reading(screen)?;
                let mut answers = self.source.issue(&[(device.clone(), 1)], || self.times.moment(), true);
                let issued = answers.pop().map_or(Ok(Vec::new()), |(_, issued)| issued);
                // Enter shows it as well.
                if let Ok(issued) = &issued
                    && self.model.selected_row().is_some_and(|row| self.model.reveals(row))
                {
                    self.model.show(device.id, issued);
                }
                self.reload();
                issued.map(|issued| issued.first().map(|issued| issued.code))
            }
        };
        let copied = code.and_then(|code| match code {
            Some(code) => clipboard.copy(&Zeroizing::new(code.to_string())).map(|keeper| self.keepers.extend(keeper)),
            None => Ok(()),
        });
        match (copied, way) {
            (Err(error), _) => self.model.complain(told(&error)),
            (Ok(()), Way::Clipboard) => {
                self.model.say(format!(
                    "copied the code of {}; the clipboard is cleared in {}",
                    device.name.as_str(),
                    words(clear_after)
                ));
            }
            (Ok(()), Way::Osc52) => {
                self.model.say(format!(
                    "sent the code of {} to the terminal, which copies it if it can",
                    device.name.as_str()
                ));
            }
        }
        Ok(())
    }

    /// The next code of the selected device, if it counts.
    fn give(&mut self, screen: &Screen) -> Result<()> {
        let Some(row) = self.model.selected_row() else { return Ok(()) };
        let device = row.device.clone();
        if row.counter().is_none() {
            self.model.say("not a counter device: Space shows its code");
            return Ok(());
        }
        self.draw_reading(screen)?;
        match self.source.next_of_counter(&device, self.times.moment().now) {
            Ok(issued) => {
                self.reload();
                self.model.reveal();
                self.model.show(device.id, &issued);
            }
            Err(error) => self.model.complain(told(&error)),
        }
        Ok(())
    }

    /// A vault may take its time, or ask somebody.
    fn draw_reading(&mut self, screen: &Screen) -> Result<()> {
        self.model.say("reading the vault…");
        self.draw(screen)?;
        self.model.message = None;
        Ok(())
    }

    /// Writes what differs from what is on the screen.
    fn draw(&mut self, screen: &Screen) -> Result<()> {
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut text = Zeroizing::new(Vec::with_capacity(16 << 10));
        if screen.is_blank() {
            self.drawn = Buffer::empty(area);
        } else if self.drawn.area != area {
            // Whatever a terminal of another size did with what was on it.
            text.extend_from_slice(crate::cli::screen::erased().as_bytes());
            self.drawn = Buffer::empty(area);
        }
        let mut next = Buffer::empty(area);
        view::draw(&self.model, &self.palette, &mut next);
        let differs = self.drawn.diff(&next);
        if !differs.is_empty() {
            let mut backend = CrosstermBackend::new(&mut *text);
            let drawn = backend.draw(differs.into_iter());
            drawn.map_err(|error| Error::input("prompt", format!("the terminal can't be drawn on: {error}")))?;
        }
        self.drawn = next;
        if text.is_empty() { Ok(()) } else { screen.write(&text) }
    }
}

/// The terminal's columns and rows.
fn size() -> (u16, u16) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    (columns.clamp(1, LARGEST.0), rows.clamp(1, LARGEST.1))
}

/// An error in a line, with what to do about it.
fn told(error: &Error) -> String {
    match error.hints().first() {
        Some(hint) => format!("{}; {hint}", error.message()),
        None => error.message().to_owned(),
    }
}
