//! Tables as wide as a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Between columns.
pub(super) const GAP: usize = 2;

/// No column is made narrower.
const NARROWEST: usize = 8;

/// Which columns shrink first if there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shrinks {
    Never,
    /// After all others: names are typed, so they should stay whole.
    Last,
    First,
}

/// The width, in terminal columns, of a text without control characters.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// How wide columns are that would be `widths` wide if there was room for it: the widest of those that may shrink gives way
/// first. Those that don't fit even so stay as wide as they must be.
pub(super) fn fitted(widths: &[usize], shrinks: &[Shrinks], room: usize) -> Vec<usize> {
    let mut fitted = widths.to_vec();
    let gaps = widths.len().saturating_sub(1).saturating_mul(GAP);
    let mut over = fitted.iter().sum::<usize>().saturating_add(gaps).saturating_sub(room);
    for turn in [Shrinks::First, Shrinks::Last] {
        while over > 0 {
            let columns = fitted.iter_mut().zip(shrinks);
            let shrinking = columns.filter(|(width, shrinks)| **shrinks == turn && **width > NARROWEST);
            let Some((widest, _)) = shrinking.max_by_key(|(width, _)| **width) else { break };
            *widest = widest.saturating_sub(1);
            over = over.saturating_sub(1);
        }
    }
    fitted
}

/// A text in at most `width` columns. The middle of a longer one is left out, since names differ at both ends.
pub(super) fn middle_cut(text: &str, width: usize) -> Cow<'_, str> {
    if self::width(text) <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    let end = room / 2;
    let tail: Vec<char> = taken(text.chars().rev(), end).collect();
    let head = taken(text.chars(), room.saturating_sub(end));
    Cow::Owned(head.chain(['…']).chain(tail.into_iter().rev()).collect())
}

/// A text without its end where it is too long: the name comes first.
pub(super) fn end_cut(text: &str, room: usize) -> String {
    if width(text) <= room {
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

/// As many characters as fit.
fn taken(characters: impl Iterator<Item = char>, room: usize) -> impl Iterator<Item = char> {
    let mut left = room;
    characters.take_while(move |character| {
        let fits = left.checked_sub(character.width().unwrap_or(0));
        left = fits.unwrap_or(left);
        fits.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_column_gives_way_first_and_names_last() {
        use Shrinks::{First, Last, Never};
        let shrinks = [Last, First, First, Never];
        assert_eq!(fitted(&[10, 40, 20, 4], &shrinks, 80), [10, 40, 20, 4]);
        assert_eq!(fitted(&[10, 40, 20, 4], &shrinks, 60), [10, 20, 20, 4]);
        assert_eq!(fitted(&[30, 40, 20, 4], &shrinks, 56), [30, 8, 8, 4]);
        assert_eq!(fitted(&[30, 40, 20, 4], &shrinks, 20), [8, 8, 8, 4]);
        assert_eq!(fitted(&[30], &[Never], 20), [30]);
    }

    #[test]
    fn the_middle_is_left_out() {
        assert_eq!(middle_cut("short", 5), "short");
        assert_eq!(middle_cut("integration/worker-17", 11), "integ…er-17");
        assert_eq!(middle_cut("日本語日本語", 7), "日…語");
        assert_eq!(middle_cut("long", 1), "…");
    }

    #[test]
    fn or_the_end() {
        assert_eq!(end_cut("short", 5), "short");
        assert_eq!(end_cut("integration/worker-17", 11), "integratio…");
        assert_eq!(end_cut("日本語日本語", 6), "日本…");
    }
}
