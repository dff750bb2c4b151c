//! The patterns of the services' models, as far as the contract's table has them.
//!
//! Nearly all are one class of characters, repeated. A crate for all regular expressions is two hundred times as much
//! code, and looks at a value in more steps.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A pattern that a whole value has to match.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As AWS writes it, in Java's syntax.
    pub(super) text: &'static str,
    /// None of a form that no pattern had so far: nothing matches it.
    form: Option<Form>,
}

#[derive(Debug)]
enum Form {
    /// `[…]+`, or `[…]*` where there may be none.
    Repeated { class: Class, may_be_empty: bool },
    /// A slash, then any number of the class.
    AfterSlash(Class),
    /// A slash, or some of the class between two.
    BetweenSlashes(Class),
    /// Names of the class, with a slash before and after each.
    Names(Class),
    /// `v1`, `v12`, `v1.` and anything of the class.
    Version(Class),
    /// Small letters, digits and single hyphens inside.
    Alias,
}

impl Pattern {
    /// Reads a pattern of the table.
    pub(super) fn read(text: &'static str) -> Self {
        Self { text, form: Form::read(text) }
    }

    /// Whether all of the value matches.
    pub(super) fn matches(&self, value: &str) -> bool {
        let Some(form) = &self.form else { return false };
        match form {
            Form::Repeated { class, may_be_empty } => class.holds(value) && (*may_be_empty || !value.is_empty()),
            Form::AfterSlash(class) => value.strip_prefix('/').is_some_and(|rest| class.holds(rest)),
            Form::BetweenSlashes(class) => {
                let inside = value.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
                value == "/" || inside.is_some_and(|inside| !inside.is_empty() && class.holds(inside))
            }
            Form::Names(class) => match value.strip_suffix('/') {
                Some("") => true,
                Some(names) => names
                    .strip_prefix('/')
                    .is_some_and(|names| names.split('/').all(|name| !name.is_empty() && class.holds(name))),
                None => false,
            },
            Form::Version(class) => value.strip_prefix('v').is_some_and(|rest| {
                let (number, label) = rest.split_once('.').unwrap_or((rest, ""));
                number.starts_with(|first| matches!(first, '1'..='9'))
                    && number.bytes().all(|byte| byte.is_ascii_digit())
                    && class.holds(label)
            }),
            Form::Alias => {
                let plain = value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                let hyphens = value.contains("--") || value.starts_with('-') || value.ends_with('-');
                plain && !hyphens && (3..=63).contains(&value.len())
            }
        }
    }
}

impl Form {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            r"\u002F[\u0021-\u007F]*" => Self::AfterSlash(Class::read(r"\u0021-\u007F")?),
            r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)" => Self::BetweenSlashes(Class::read(r"\u0021-\u007E")?),
            r"((/[A-Za-z0-9\.,\+@=_-]+)*)/" => Self::Names(Class::read(r"A-Za-z0-9\.,\+@=_-")?),
            r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?" => Self::Version(Class::read("A-Za-z0-9-")?),
            r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$" => Self::Alias,
            _ => {
                let class = text.strip_prefix('[')?;
                let (class, may_be_empty) = match class.strip_suffix("]+") {
                    Some(class) => (class, false),
                    None => (class.strip_suffix("]*")?, true),
                };
                Self::Repeated { class: Class::read(class)?, may_be_empty }
            }
        })
    }
}

/// A class of characters: what stands between brackets.
#[derive(Debug, Default)]
struct Class {
    /// From the first to the last, both included.
    ranges: Vec<(char, char)>,
    /// `\p{L}`, `\p{N}`, `\p{Z}` (UAX #44, section 5.7.1).
    groups: Vec<GeneralCategoryGroup>,
}

impl Class {
    fn read(text: &str) -> Option<Self> {
        let mut class = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(r"\w") {
                class.ranges.extend([('A', 'Z'), ('a', 'z'), ('0', '9'), ('_', '_')]);
                rest = after;
            } else if let Some(after) = rest.strip_prefix(r"\d") {
                class.ranges.push(('0', '9'));
                rest = after;
            } else if let Some(after) = rest.strip_prefix(r"\p{") {
                let (name, after) = after.split_once('}')?;
                class.groups.push(match name {
                    "L" => GeneralCategoryGroup::Letter,
                    "N" => GeneralCategoryGroup::Number,
                    "Z" => GeneralCategoryGroup::Separator,
                    _ => return None,
                });
                rest = after;
            } else {
                let (first, after) = character(rest)?;
                let last = after.strip_prefix('-').filter(|last| !last.is_empty());
                let (last, after) = last.map_or(Some((first, after)), character)?;
                class.ranges.push((first, last));
                rest = after;
            }
        }
        Some(class)
    }

    /// Whether it has every character of the text.
    fn holds(&self, text: &str) -> bool {
        text.chars().all(|character| {
            self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&character))
                || (!self.groups.is_empty() && self.groups.contains(&character.general_category_group()))
        })
    }
}

/// One character of a class, and what comes after it.
///
/// `\u` has four digits, also in `\u10000-\u10FFFF`: so AWS reads it, and refuses what is beyond U+FFFF.
fn character(text: &str) -> Option<(char, &str)> {
    if let Some(digits) = text.strip_prefix(r"\u") {
        let (digits, rest) = digits.split_at_checked(4)?;
        return Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, rest));
    }
    let mut characters = text.strip_prefix('\\').unwrap_or(text).chars();
    Some((characters.next()?, characters.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};
    use regex::Regex;

    use super::super::TABLE;
    use super::*;

    /// The pattern in the syntax of `regex`, which has no look-ahead.
    fn peer(pattern: &str) -> Regex {
        let mut parts = pattern.split(r"\u");
        let mut text = parts.next().unwrap().replace(r"\w", "A-Za-z0-9_").replace(r"\d", "0-9");
        for part in parts {
            let (digits, rest) = part.split_at(4);
            text.push_str(&format!(r"\x{{{digits}}}{rest}"));
        }
        Regex::new(&format!("^(?:{text})$")).unwrap()
    }

    fn patterns() -> std::collections::BTreeSet<&'static str> {
        let parameters = TABLE.lines().filter(|line| line.starts_with(' '));
        let patterns = parameters.filter_map(|line| line.split_whitespace().nth(6)).filter(|pattern| *pattern != "-");
        let patterns: std::collections::BTreeSet<_> = patterns.collect();
        assert!(patterns.len() > 15, "{patterns:?}");
        patterns
    }

    #[test]
    fn every_pattern_of_the_table_is_understood() {
        for pattern in patterns() {
            assert!(Pattern::read(pattern).form.is_some(), "{pattern}");
        }
        for odd in ["a+", "[a", "[a]", r"[\p{Lu}]+", r"[\u00]+", r"[\ud800]+", "[a]{3}", ""] {
            assert!(Pattern::read(odd).form.is_none() && !Pattern::read(odd).matches("a"), "{odd}");
        }
    }

    #[test]
    fn patterns_hold_for_the_whole_value() {
        let matches = |pattern, value: &str| Pattern::read(pattern).matches(value);
        assert!(matches(r"[\w+=,.@-]+", "alice@example.com"));
        for odd in ["", "a b", "alice\n", "zoë", "a/b"] {
            assert!(!matches(r"[\w+=,.@-]+", odd), "{odd:?}");
        }
        let arn = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";
        assert!(matches(arn, "arn:ü\u{fffd}") && !matches(arn, "arn:\u{10000}"));
        assert!(matches(r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b/"));
        assert!(!matches(r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b"));
        let alias = r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
        for (value, right) in [("a-b", true), ("ab", false), ("a--b", false), ("-ab", false), ("ab-", false)] {
            assert_eq!(matches(alias, value), right, "{value}");
        }
        assert!(matches(alias, &"a".repeat(63)) && !matches(alias, &"a".repeat(64)));
    }

    /// Those that both can read.
    fn pairs() -> Vec<(Pattern, Regex)> {
        let patterns = patterns().into_iter().filter(|pattern| !pattern.contains("(?!"));
        patterns.map(|pattern| (Pattern::read(pattern), peer(pattern))).collect()
    }

    #[test]
    fn every_character_is_in_the_classes_that_another_reader_finds_it_in() {
        let unassigned = Regex::new(r"^\p{Cn}$").unwrap();
        for (ours, theirs) in pairs() {
            // As far as classes and scripts go.
            for character in '\0'..='\u{10fff}' {
                let mut buffer = [0; 4];
                let value = &*character.encode_utf8(&mut buffer);
                let same = ours.matches(value) == theirs.is_match(value);
                // The other reader may know an older Unicode.
                assert!(same || (ours.text.contains(r"\p{") && unassigned.is_match(value)), "{}: {value:?}", ours.text);
            }
        }
    }

    #[test]
    fn values_match_where_they_match_for_another_reader() {
        let pairs = pairs();
        proptest!(|(value in "[v/a-cA1-3.0,=@_ é\u{7f}-]{0,8}")| {
            for (ours, theirs) in &pairs {
                prop_assert_eq!(ours.matches(&value), theirs.is_match(&value), "{}", ours.text);
            }
        });
    }
}
