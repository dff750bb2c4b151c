//! Filter as you type: which devices match, the best first.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest filter.
const LONGEST: usize = 64;

/// What was typed so far.
#[derive(Debug, Default)]
pub(super) struct Typed(String);

impl Typed {
    /// Whether a key changed it.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Backspace => self.0.pop().is_some(),
            KeyCode::Char('u') if control => self.clear(),
            KeyCode::Char(character) if !control && self.0.chars().count() < LONGEST => {
                self.0.push(character);
                true
            }
            _ => false,
        }
    }

    pub(super) fn clear(&mut self) -> bool {
        let any = !self.0.is_empty();
        self.0.clear();
        any
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Which of some texts in lower case fit.
    pub(super) fn fitting<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let wanted = self.0.to_lowercase();
        let fit = |(index, text): (usize, &str)| cost(text, &wanted).map(|cost| (cost, index));
        let mut found: Vec<(usize, usize)> = texts.enumerate().filter_map(fit).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, index)| index).collect()
    }
}

/// How badly a text matches what was typed; 0 is best. Its characters have to come in this order; in one piece and early is
/// better. `None` if they don't.
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
    // After all texts that have it in one piece.
    Some(gaps.saturating_add(text.len()).saturating_add(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(texts: &[&'a str], typed: &str) -> Vec<&'a str> {
        let mut filter = Typed::default();
        for character in typed.chars() {
            assert!(filter.press(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
        }
        filter.fitting(texts.iter().copied()).into_iter().map(|index| texts[index]).collect()
    }

    #[test]
    fn what_is_typed_leaves_what_fits_the_best_first() {
        let names = ["ci/worker-12", "ci/worker-2", "work", "prod/w2"];
        assert_eq!(found(&names, "Work"), ["work", "ci/worker-12", "ci/worker-2"]);
        assert_eq!(found(&names, "w2"), ["prod/w2", "ci/worker-2", "ci/worker-12"]);
        assert!(found(&names, "xyz").is_empty());
        assert_eq!(found(&names, ""), names);
    }

    #[test]
    fn what_is_typed_has_an_end_and_can_be_taken_back() {
        let mut filter = Typed::default();
        let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let typed = (0..100).filter(|_| filter.press(key(KeyCode::Char('x')))).count();
        assert_eq!((typed, filter.text().len()), (LONGEST, LONGEST));
        assert!(filter.press(key(KeyCode::Backspace)));
        assert!(filter.press(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)) && filter.text().is_empty());
        assert!(!filter.press(key(KeyCode::Backspace)) && !filter.press(key(KeyCode::Tab)));
    }
}
