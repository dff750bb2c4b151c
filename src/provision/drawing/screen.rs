//! What a terminal shows of lines with escape sequences: characters in their colours (ECMA-48, section 8.3.117, SGR).

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// One character as it is shown.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    /// Which of its four by eight parts have the foreground's colour: the highest bit is the upper left corner.
    pub(super) ink: u32,
    pub(super) foreground: Colour,
    pub(super) background: Colour,
}

/// Rows of one length.
pub(super) struct Screen {
    pub(super) rows: Vec<Vec<Cell>>,
}

const BLACK: Colour = [0; 3];
const WHITE: Colour = [255; 3];

/// What nothing was written on.
pub(super) const BLANK: Cell = Cell { ink: 0, foreground: WHITE, background: BLACK };

/// The colours in force.
#[derive(Clone, Copy)]
struct Style {
    foreground: Colour,
    background: Colour,
    inverse: bool,
}

impl Screen {
    /// `kinds`: the background's character and the other, where there are no others. No more than `most` columns.
    pub(super) fn of(lines: &[&str], kinds: Option<[char; 2]>, most: usize) -> Self {
        let mut style = Style { foreground: WHITE, background: BLACK, inverse: false };
        let mut rows: Vec<Vec<Cell>> = lines.iter().map(|line| row(line, kinds, most, &mut style)).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in &mut rows {
            row.resize(columns, BLANK);
        }
        Self { rows }
    }
}

fn row(line: &str, kinds: Option<[char; 2]>, most: usize, style: &mut Style) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        if character == '\x1b' {
            rest = style.escaped(rest);
            continue;
        }
        let (ink, width) = match kinds {
            Some([background, _]) => (if character == background { 0 } else { u32::MAX }, 1),
            None => glyph(character),
        };
        let (foreground, background) =
            if style.inverse { (style.background, style.foreground) } else { (style.foreground, style.background) };
        cells.extend(std::iter::repeat_n(Cell { ink, foreground, background }, width));
        if cells.len() >= most {
            break;
        }
    }
    cells
}

/// The parts of a character that are inked, and how many columns it takes.
fn glyph(character: char) -> (u32, usize) {
    const UPPER: u32 = 0xffff_0000;
    const LEFT: u32 = 0xcccc_cccc;
    let quarters = |upper_left, upper_right, lower_left, lower_right| {
        let quarter = |there: bool, rows: u32, columns: u32| if there { rows & columns } else { 0 };
        quarter(upper_left, UPPER, LEFT)
            | quarter(upper_right, UPPER, !LEFT)
            | quarter(lower_left, !UPPER, LEFT)
            | quarter(lower_right, !UPPER, !LEFT)
    };
    let ink = match character {
        ' ' | '\u{a0}' | '\t' | '\u{2003}' | '░' => 0,
        '▀' => UPPER,
        // From one eighth to all of it, from below.
        '▁'..='█' => {
            let eighths = u32::from(character).saturating_sub(u32::from('▁')).saturating_add(1);
            u32::MAX.checked_shr(32_u32.saturating_sub(eighths.saturating_mul(4))).unwrap_or_default()
        }
        '▌' => LEFT,
        '▐' => !LEFT,
        '▖' => quarters(false, false, true, false),
        '▗' => quarters(false, false, false, true),
        '▘' => quarters(true, false, false, false),
        '▙' => quarters(true, false, true, true),
        '▚' => quarters(true, false, false, true),
        '▛' => quarters(true, true, true, false),
        '▜' => quarters(true, true, false, true),
        '▝' => quarters(false, true, false, false),
        '▞' => quarters(false, true, true, false),
        '▟' => quarters(false, true, true, true),
        // Squares as wide as high.
        '⬛' => return (0, 2),
        '⬜' => return (u32::MAX, 2),
        _ => u32::MAX,
    };
    (ink, 1)
}

impl Style {
    /// Takes in what follows an escape character, and gives what is behind it.
    fn escaped<'a>(&mut self, rest: &'a str) -> &'a str {
        let Some(body) = rest.strip_prefix('[') else {
            return rest;
        };
        // Parameters, then one letter (ECMA-48, section 5.4).
        let end = body.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)).unwrap_or(body.len());
        let (parameters, rest) = body.split_at_checked(end).unwrap_or((body, ""));
        if let Some(rest) = rest.strip_prefix('m') {
            self.set(parameters);
            return rest;
        }
        rest.get(1..).unwrap_or_default()
    }

    fn set(&mut self, parameters: &str) {
        const MOST: usize = 32;
        let mut numbers = parameters.split([';', ':']).take(MOST).map(|number| number.parse::<u16>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self { foreground: WHITE, background: BLACK, inverse: false },
                7 => self.inverse = true,
                27 => self.inverse = false,
                30..=37 => self.foreground = indexed(number.saturating_sub(30)),
                40..=47 => self.background = indexed(number.saturating_sub(40)),
                90..=97 => self.foreground = indexed(number.saturating_sub(82)),
                100..=107 => self.background = indexed(number.saturating_sub(92)),
                39 => self.foreground = WHITE,
                49 => self.background = BLACK,
                38 | 48 => {
                    let colour = match numbers.next() {
                        Some(5) => numbers.next().map(indexed),
                        Some(2) => {
                            let mut part = || u8::try_from(numbers.next()?).ok();
                            part().zip(part()).zip(part()).map(|((red, green), blue)| [red, green, blue])
                        }
                        _ => None,
                    };
                    let place = if number == 38 { &mut self.foreground } else { &mut self.background };
                    *place = colour.unwrap_or(*place);
                }
                _ => {}
            }
        }
    }
}

/// A colour of the 256 that terminals have: sixteen by name, a cube of six a side, and greys.
fn indexed(number: u16) -> Colour {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |of: u16| LEVELS.get(usize::from(of % 6)).copied().unwrap_or_default();
    match number {
        0..=15 => {
            let full = if number < 8 { 205 } else { 255 };
            let part = |bit: u16| if number & bit == 0 { 0 } else { full };
            match number {
                7 => [229; 3],
                8 => [127; 3],
                _ => [part(1), part(2), part(4)],
            }
        }
        16..=231 => {
            let place = number.saturating_sub(16);
            [level(place / 36), level(place / 6), level(place)]
        }
        _ => [u8::try_from(number.saturating_sub(232).saturating_mul(10).saturating_add(8)).unwrap_or(u8::MAX); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inks(line: &str) -> Vec<u32> {
        Screen::of(&[line], None, 80).rows[0].iter().map(|cell| cell.ink).collect()
    }

    #[test]
    fn characters_have_their_parts() {
        assert_eq!(inks(" █▀▄"), [0, u32::MAX, 0xffff_0000, 0x0000_ffff]);
        assert_eq!(inks("▌▐▘▟"), [0xcccc_cccc, 0x3333_3333, 0xcccc_0000, 0x3333_ffff]);
        assert_eq!(inks("▁▇"), [0xf, 0x0fff_ffff]);
        assert_eq!(inks("⬜⬛"), [u32::MAX, u32::MAX, 0, 0]);
    }

    #[test]
    fn colours_are_those_of_the_escapes_before() {
        let colours = |line: &str| {
            let screen = Screen::of(&[line], None, 80);
            let last = screen.rows[0].last().unwrap();
            (last.foreground, last.background)
        };
        assert_eq!(colours("x"), (WHITE, BLACK));
        assert_eq!(colours("\x1b[7mx"), (BLACK, WHITE));
        assert_eq!(colours("\x1b[30;107mx"), (BLACK, WHITE));
        assert_eq!(colours("\x1b[38;2;1;2;3;48;5;231mx"), ([1, 2, 3], WHITE));
        assert_eq!(colours("\x1b[41m\x1b[0mx"), (WHITE, BLACK));
        assert_eq!(colours("\x1b[2K\x1b[47mx"), (WHITE, [229; 3]));
        for odd in ["\x1b", "\x1b[", "\x1b[999999999m", "\x1b[38;5mx", "\x1b[38;2;300;0;0mx", "\x1b]0;x\x07"] {
            let _ = Screen::of(&[odd], None, 80);
        }
    }
}
