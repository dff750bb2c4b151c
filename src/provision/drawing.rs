//! QR codes drawn as text: half blocks, full blocks, two characters a module, or colours by escape sequences.
//!
//! What a terminal would show is painted, four by eight pixels a character, and read like any other picture.

#[cfg(feature = "qr")]
mod paint;
#[cfg(feature = "qr")]
mod screen;

use std::ops::Range;

use super::{Error, Foreign, Found, Limits};

/// The fewest lines of a drawing: 21 modules in half blocks.
const LEAST_LINES: usize = 11;

/// The most lines and columns of a drawing: a code of 177 modules, in two characters each, with margins, fits.
const MOST_LINES: usize = 256;
const MOST_COLUMNS: usize = 512;

/// Reads the QR code that a text is a drawing of; nothing where it is none.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Result<Found, Error>> {
    let (lines, kinds) = drawn(text)?;
    Some(read_lines(&lines, kinds, limits))
}

#[cfg(feature = "qr")]
fn read_lines(lines: &[&str], kinds: Option<[char; 2]>, limits: &Limits) -> Result<Found, Error> {
    let screen = screen::Screen::of(lines, kinds, MOST_COLUMNS);
    // Characters are twice as high as wide; where one is a module by itself, it was drawn for a square font.
    for height in [8, 4] {
        let picture = paint::Picture::of(&screen, height);
        match super::payloads::pixels(picture.width, picture.height, &picture.rgba, limits) {
            Err(Error::NoQrCode) => {}
            result => return result,
        }
    }
    Err(Error::Foreign(Foreign::TerminalQr))
}

#[cfg(not(feature = "qr"))]
fn read_lines(_lines: &[&str], _kinds: Option<[char; 2]>, _limits: &Limits) -> Result<Found, Error> {
    Err(Error::Foreign(Foreign::TerminalQr))
}

/// The lines of a text that are a drawing. Where two kinds of characters are all it is made of: which, the background
/// first.
fn drawn(text: &str) -> Option<(Vec<&str>, Option<[char; 2]>)> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    if let Some((range, kinds)) = of_two_kinds(&lines) {
        return Some((lines.get(range)?.to_vec(), Some(kinds)));
    }
    let drawn = |line: &&str| line.contains("\x1b[") || line.contains(is_block);
    let first = lines.iter().position(drawn)?;
    let last = lines.iter().rposition(drawn)?;
    // Lines that are nothing but blanks are part of it: margins of colour come with escape sequences.
    let lines: Vec<&str> = lines.get(first..=last)?.to_vec();
    let count = lines.iter().filter(|line| drawn(line)).count();
    let blocks = lines.iter().flat_map(|line| line.chars()).filter(|character| is_block(*character)).count();
    // Every row has its own colours.
    let escapes: usize = lines.iter().map(|line| line.matches("\x1b[").count()).sum();
    let enough = blocks >= LEAST_LINES.saturating_mul(LEAST_LINES) || escapes >= count;
    (count >= LEAST_LINES && enough && fits(&lines)).then_some((lines, None))
}

/// The longest run of lines that are made of the same two characters: `##` and blanks, `1` and `0`.
fn of_two_kinds(lines: &[&str]) -> Option<(Range<usize>, [char; 2])> {
    let mut best: Option<(Range<usize>, [char; 2])> = None;
    let (mut start, mut kinds): (usize, Vec<char>) = (0, Vec::new());
    for (at, line) in lines.iter().chain([&"end"]).enumerate() {
        // Blanks at the end may have been cut off, so that a line is all of one kind, or empty.
        if let Some(with) = with_kinds(&kinds, line) {
            kinds = with;
            continue;
        }
        let run = start..at;
        if let [one, other] = *kinds
            && run.len() >= best.as_ref().map_or(LEAST_LINES, |(range, _)| range.len().saturating_add(1))
        {
            // What is cut off at the end is blank, so that is the background.
            best = Some((run, if other == ' ' { [other, one] } else { [one, other] }));
        }
        (start, kinds) = match with_kinds(&[], line) {
            Some(kinds) => (at, kinds),
            None => (at.saturating_add(1), Vec::new()),
        };
    }
    let (range, kinds) = best?;
    let lines = lines.get(range.clone())?;
    let [_, ink] = kinds;
    let filled = lines.iter().filter(|line| line.contains(ink)).count();
    (filled >= LEAST_LINES && fits(lines)).then_some((range, kinds))
}

/// The kinds of characters with those of a line; nothing where there are more than two.
fn with_kinds(kinds: &[char], line: &str) -> Option<Vec<char>> {
    let mut kinds = kinds.to_vec();
    for character in line.chars() {
        if !kinds.contains(&character) {
            kinds.push(character);
        }
        if kinds.len() > 2 {
            return None;
        }
    }
    Some(kinds)
}

fn fits(lines: &[&str]) -> bool {
    lines.len() <= MOST_LINES && lines.iter().all(|line| line.len() <= MOST_COLUMNS.saturating_mul(32))
}

const fn is_block(character: char) -> bool {
    matches!(character, '\u{2580}'..='\u{259f}' | '\u{2b1b}' | '\u{2b1c}')
}

#[cfg(test)]
#[cfg(feature = "qr")]
mod tests {
    use super::super::draw::Drawing;
    use super::super::uri;
    use super::*;

    const URI: &str = "otpauth://totp/Ex:joe?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ex";

    fn is_read(text: &str) -> bool {
        let expected = uri::parse(URI).unwrap().enrolments;
        read(text, &Limits::default()).is_some_and(|found| found.is_ok_and(|found| found.enrolments == expected))
    }

    /// The drawing of half blocks in other characters: each module as a text of its own.
    fn modules(light: &str, dark: &str) -> String {
        let drawing = Drawing::new(URI).unwrap().to_terminal(false, 4);
        let mut text = String::new();
        for line in drawing.lines() {
            for (upper, mark) in [(true, '▀'), (false, '▄')] {
                let is_light = |character: char| character == '█' || character == mark;
                text.extend(line.chars().map(|character| if is_light(character) { light } else { dark }));
                text.push('\n');
                let _ = upper;
            }
        }
        text
    }

    #[test]
    fn what_is_drawn_here_is_read_whatever_surrounds_it() {
        for quiet in [0, 1, 2, 4] {
            for colours in [false, true] {
                let drawing = Drawing::new(URI).unwrap().to_terminal(colours, quiet);
                assert!(is_read(&drawing), "{colours}, {quiet}");
                let pasted = format!("$ vmfa qr joe\n{}$ \n", *drawing);
                assert!(is_read(&pasted), "{colours}, {quiet}");
                assert!(is_read(&drawing.replace('\n', "\r\n")), "{colours}, {quiet}");
                let indented: String = drawing.lines().map(|line| format!("    {line}\n")).collect();
                assert!(is_read(&indented), "{colours}, {quiet}");
            }
        }
    }

    #[test]
    fn other_characters_do_as_well() {
        let pairs = [("  ", "##"), ("##", "  "), ("██", "  "), ("0", "1"), ("..", "@@"), ("⬜", "⬛"), (" ", "█")];
        for (light, dark) in pairs {
            assert!(is_read(&modules(light, dark)), "{light:?}, {dark:?}");
        }
        let trimmed: String = modules("  ", "##").lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert!(is_read(&trimmed));
        let coloured = modules("\x1b[47m  ", "\x1b[40m  ");
        assert!(is_read(&coloured));
        assert!(is_read(&modules("\x1b[0m  ", "\x1b[7m  ")));
    }

    #[test]
    fn what_is_no_drawing_is_left_alone_and_what_shows_nothing_is_refused() {
        for text in ["", "GEZDGNBVGY3TQOJQ", &"a b c\n".repeat(40), &"x\n".repeat(40), URI, &"\n".repeat(40)] {
            assert!(read(text, &Limits::default()).is_none(), "{text}");
        }
        for text in ["##  \n".repeat(40), "█".repeat(40) + &"█▀ ▄\n".repeat(40), "\x1b[7m \x1b[0m \n".repeat(20)]
        {
            let found = read(&text, &Limits::default());
            assert_eq!(found, Some(Err(Error::Foreign(Foreign::TerminalQr))), "{text}");
        }
        assert!(read(&"██ ".repeat(9_000).repeat(11), &Limits::default()).is_none());
        assert!(read(&"██ \n".repeat(9_000), &Limits::default()).is_none());
    }
}
