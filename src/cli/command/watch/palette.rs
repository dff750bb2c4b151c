//! Colours by what they mean. Each has a word or a sign beside it, and no difference is red against green.

use ratatui::style::{Color, Modifier, Style};

/// How things are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) title: Style,
    pub(super) heading: Style,
    pub(super) selected: Style,
    /// A code that is to be seen.
    pub(super) code: Style,
    /// Codes that aren't.
    pub(super) hidden: Style,
    /// Time that is left, and the last of it.
    pub(super) left: Style,
    pub(super) last: Style,
    pub(super) used: Style,
    pub(super) failure: Style,
    pub(super) key: Style,
    pub(super) note: Style,
}

impl Palette {
    pub(super) const fn of(colours: bool) -> Self {
        const PLAIN: Style = Style::new();
        const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
        const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
        const fn coloured(style: Style, colour: Color, colours: bool) -> Style {
            if colours { style.fg(colour) } else { style }
        }
        Self {
            title: BOLD,
            heading: DIM,
            selected: BOLD,
            code: coloured(BOLD, Color::Cyan, colours),
            hidden: DIM,
            left: coloured(PLAIN, Color::Cyan, colours),
            last: coloured(BOLD, Color::Yellow, colours),
            used: coloured(PLAIN, Color::Magenta, colours),
            failure: coloured(BOLD, Color::Yellow, colours),
            key: BOLD,
            note: DIM,
        }
    }
}
