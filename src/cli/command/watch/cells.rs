//! Texts on the screen of `vmfa watch`.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// A text on the screen, and what it means.
pub(super) type Cell = (String, Style);

/// Writes cells beside each other.
pub(super) fn put(screen: &mut Buffer, x: u16, y: u16, cells: &[Cell]) {
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
