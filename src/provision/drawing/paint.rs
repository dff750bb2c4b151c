//! Pixels of what a terminal shows.

use zeroize::Zeroizing;

use super::screen::{BLANK, Cell, Screen};

/// Columns of pixels that a character has.
const WIDE: u32 = 4;

/// Rows of parts that a character has.
const PARTS: usize = 8;

/// Characters around the drawing, since its margin may not have been copied.
const MARGIN: usize = 4;

/// Rows from the top, four bytes a pixel.
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgba: Zeroizing<Vec<u8>>,
}

impl Picture {
    /// Paints a screen, each character 4 pixels wide and `high` pixels high (at most 8).
    pub(super) fn of(screen: &Screen, high: usize) -> Self {
        let columns = screen.rows.first().map_or(0, Vec::len).saturating_add(MARGIN.saturating_mul(2));
        let empty = vec![BLANK; columns];
        let mut rgba = Zeroizing::new(Vec::new());
        let lines = screen.rows.len().saturating_add(MARGIN);
        // Room from the start: growing leaves copies behind.
        rgba.reserve_exact(
            lines.saturating_add(MARGIN).saturating_mul(high).saturating_mul(columns).saturating_mul(16),
        );
        let around = || std::iter::repeat_n(&empty, MARGIN / 2);
        let mut height = 0_u32;
        for row in around().chain(&screen.rows).chain(around()) {
            let edge = || std::iter::repeat_n(&BLANK, MARGIN);
            let cells: Vec<&Cell> =
                if row.len() == columns { row.iter().collect() } else { edge().chain(row).chain(edge()).collect() };
            for line in 0..high {
                let part = line.saturating_mul(PARTS).checked_div(high).unwrap_or_default();
                cells.iter().for_each(|cell| line_of(cell, part, &mut rgba));
                height = height.saturating_add(1);
            }
        }
        Self { width: u32::try_from(columns).unwrap_or_default().saturating_mul(WIDE), height, rgba }
    }
}

/// The four pixels of a character in one of its eight rows.
fn line_of(cell: &Cell, part: usize, rgba: &mut Vec<u8>) {
    let shift = u32::try_from(PARTS.saturating_sub(1).saturating_sub(part)).unwrap_or_default().saturating_mul(WIDE);
    let bits = cell.ink.checked_shr(shift).unwrap_or_default();
    for bit in [8, 4, 2, 1] {
        let [red, green, blue] = if bits & bit == 0 { cell.background } else { cell.foreground };
        rgba.extend([red, green, blue, u8::MAX]);
    }
}
