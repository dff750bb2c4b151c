//! Names of devices, and how near a miss was.

use std::fmt;
use std::str::FromStr;

/// A device's name: 1 to 128 characters, compared exactly.
///
/// Any letters, digits, spaces and signs, except what would deceive or break a shell habit: control
/// and unseen characters, any white space but a space between others, a leading `-` (it would read as an option),
/// a `/` at either end, and the pattern characters `*`, `?`, `[`, `]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No characters.
    #[error("a device's name can't be empty")]
    Empty,
    /// More than 128 characters.
    #[error("a device's name has at most {max} characters, this one {length}", max = Name::MAX_CHARS)]
    TooLong {
        /// How many there were.
        length: usize,
    },
    /// A character that names can't have, or not at this place.
    #[error("a device's name can't have {character:?} at position {position}")]
    Character {
        /// The character.
        character: char,
        /// Its place, counted from 1.
        position: usize,
    },
}

impl Name {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 128;

    /// A name out of any text: what names can't have becomes `-`, or is left out at the ends; cut to `most` characters.
    /// `None` where nothing is left.
    #[must_use]
    pub fn out_of(text: &str, most: usize) -> Option<Self> {
        let fit = |character: char| if is_refused(character) { '-' } else { character };
        let text: String = text.chars().filter(|character| !is_unseen(*character)).map(fit).take(most).collect();
        text.trim_matches([' ', '/']).trim_start_matches(['-', ' ', '/']).parse().ok()
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let length = text.chars().count();
        if length == 0 {
            return Err(Error::Empty);
        }
        if length > Self::MAX_CHARS {
            return Err(Error::TooLong { length });
        }
        for (index, character) in text.chars().enumerate() {
            let position = index.saturating_add(1);
            let edge = position == 1 || position == length;
            let refused = is_refused(character)
                || (edge && (character.is_whitespace() || character == '/'))
                || (position == 1 && character == '-');
            if refused {
                return Err(Error::Character { character, position });
            }
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether names can't have a character anywhere.
fn is_refused(character: char) -> bool {
    match character {
        '*' | '?' | '[' | ']' => true,
        ' '..='~' => false,
        _ => character.is_control() || character.is_whitespace() || is_unseen(character),
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that take no room or turn the writing direction: two names that look alike must not
/// differ by one of these.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// All characters that don't show by themselves: what [`is_invisible`] names, what joins or varies its neighbours (Unicode's
/// `Default_Ignorable_Code_Point`), and what looks blank without being a space.
pub(crate) fn is_unseen(character: char) -> bool {
    is_invisible(character)
        || matches!(character,
            '\u{034f}' | '\u{180f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}')
}

/// The name nearest to `wanted`, if one is near enough to be a slip of the fingers.
///
/// Near is an edit distance (adjacent swaps count one) of one in three to five characters, two in six to eight, three in
/// more, by the shorter of the two; or a difference in case alone. The last part, behind a `/`, has to be near as well.
/// `worker-1` is no slip for `worker-2`: a number is meant as it is.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .into_iter()
        .filter_map(|name| slips(&wanted, &name.to_lowercase()).map(|distance| (distance, name)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many slips of the fingers make one name of the other; `None` where it takes too many.
fn slips(one: &str, other: &str) -> Option<usize> {
    let near = |one: &str, other: &str| {
        let shorter = one.chars().count().min(other.chars().count());
        let most = if shorter < 3 { 0 } else { shorter.div_euclid(3).min(3) };
        Some(distance(one, other)).filter(|distance| *distance <= most)
    };
    let last = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    let (a, b) = (digits(one), digits(other));
    let same_number = a == b || a.is_empty() || b.is_empty();
    near(one, other).filter(|_| same_number && near(&last(one), &last(other)).is_some())
}

/// The name that was meant: the [`nearest`], else the shortest that begins with what was said, ends with it behind a `/`, or has
/// it inside.
#[must_use]
pub fn meant<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    /// So few characters are part of too many names.
    const LEAST: usize = 2;
    let part = wanted.to_lowercase();
    let rank = |name: &str| {
        let name = name.to_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default();
        let place = [last == part, name.starts_with(&part), last.starts_with(&part), name.contains(&part)];
        place.into_iter().position(|fits| fits)
    };
    let by_part = || {
        let ranked = names.iter().filter_map(|name| Some((rank(name)?, name.chars().count(), *name)));
        ranked.min().filter(|_| part.chars().count() >= LEAST).map(|(.., name)| name)
    };
    nearest(wanted, names.iter().copied()).or_else(by_part)
}

/// Optimal string alignment distance, over two rolling rows and one more for swaps.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i.saturating_add(1));
        let mut previous_b = None;
        for (j, cb) in b.iter().copied().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
            let mut best = at(&last, j).saturating_add(usize::from(ca != cb));
            best = best.min(at(&last, j.saturating_add(1)).saturating_add(1)).min(at(&row, j).saturating_add(1));
            if previous_a == Some(cb) && previous_b == Some(ca) {
                best = best.min(at(&before, j.saturating_sub(1)).saturating_add(1));
            }
            row.push(best);
            previous_b = Some(cb);
        }
        before = std::mem::replace(&mut last, row);
        previous_a = Some(ca);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_writing_are_taken() {
        for name in [
            "mfauser",
            "ci/worker-7",
            "Amazon Web Services",
            "jane.doe@example.com",
            "日本語",
            "👩🚀",
            "étoile",
            "क्षेत्र",
            "a",
            "=x",
            "root+1",
        ] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
        assert!("x".repeat(128).parse::<Name>().is_ok());
    }

    #[test]
    fn names_that_deceive_are_refused() {
        let at = |character, position| Err(Error::Character { character, position });
        assert_eq!("".parse::<Name>(), Err(Error::Empty));
        assert_eq!("x".repeat(129).parse::<Name>(), Err(Error::TooLong { length: 129 }));
        assert_eq!("-x".parse::<Name>(), at('-', 1));
        assert_eq!("a\nb".parse::<Name>(), at('\n', 2));
        assert_eq!("x ".parse::<Name>(), at(' ', 2));
        assert_eq!("ci/*".parse::<Name>(), at('*', 4));
        assert_eq!("a\u{202e}b".parse::<Name>(), at('\u{202e}', 2));
        assert_eq!("dir/".parse::<Name>(), at('/', 4));
        // Each would look like `ab`, or like `a b`.
        let unseen =
            ['\u{200d}', '\u{2800}', '\u{34f}', '\u{fe0f}', '\u{fe00}', '\u{ad}', '\u{180f}', '\u{200b}', '\u{3164}'];
        let blank =
            ['\u{a0}', '\u{2003}', '\u{3000}', '\u{1680}', '\u{202f}', '\u{85}', '\u{1d159}', '\u{e0100}', '\u{e0041}'];
        for character in unseen.into_iter().chain(blank) {
            assert_eq!(format!("a{character}b").parse::<Name>(), at(character, 2), "{character:?}");
        }
    }

    #[test]
    fn a_slip_of_the_fingers_finds_its_name() {
        let names = ["mfauser", "alice", "ci/one"];
        assert_eq!(nearest("mfausr", names), Some("mfauser"));
        assert_eq!(nearest("mfasuer", names), Some("mfauser"));
        assert_eq!(nearest("Alice", names), Some("alice"));
        assert_eq!(nearest("bob", names), None);
        assert_eq!(nearest("ci/ome", names), Some("ci/one"));
    }

    #[test]
    fn another_name_is_no_slip() {
        for (wanted, other) in [
            ("a", "m"),
            ("x", "xy"),
            ("ab", "ac"),
            ("ci/a", "ci/b"),
            ("worker-1", "worker-2"),
            ("alice", "clive"),
            ("prod", "demo"),
            ("production", "prediction-x"),
            ("remove", "rename"),
        ] {
            assert_eq!(nearest(wanted, [other]), None, "{wanted} {other}");
        }
        assert_eq!(nearest("A", ["a"]), Some("a"), "case alone");
        assert_eq!(nearest("worker", ["worker1"]), Some("worker1"), "a number that was forgotten");
    }

    #[test]
    fn a_part_of_a_name_finds_it() {
        let names = ["github-work", "github", "ci/worker-7", "ci/deploy", "amazon"];
        assert_eq!(meant("gith", &names), Some("github"));
        assert_eq!(meant("deploy", &names), Some("ci/deploy"));
        assert_eq!(meant("WORKER", &names), Some("ci/worker-7"));
        assert_eq!(meant("hub-w", &names), Some("github-work"));
        assert_eq!(meant("amazn", &names), Some("amazon"), "a slip comes before a part");
        assert_eq!(meant("a", &names), None);
        assert_eq!(meant("gitlab-x", &names), None);
    }
}
