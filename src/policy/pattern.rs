//! `*` and `?` of IAM: any characters or none, and exactly one. As IAM was observed to, `?` counts in UTF-16: a character
//! beyond the Basic Multilingual Plane takes two.

/// Text to match against, its wildcards told from the same characters meant as such.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pattern(Vec<Token>);

type Unit = u16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Exactly(Unit),
    One,
    Many,
}

const STAR: Unit = b'*' as Unit;
const QUESTION_MARK: Unit = b'?' as Unit;
const COLON: Unit = b':' as Unit;

impl Pattern {
    /// Whether some text that begins so is of the pattern.
    pub(super) fn may_begin_with(&self, text: &str) -> bool {
        for (index, unit) in text.encode_utf16().enumerate() {
            match self.0.get(index) {
                Some(Token::Many) => return true,
                Some(Token::One) => {}
                Some(Token::Exactly(wanted)) if *wanted == unit => {}
                _ => return false,
            }
        }
        true
    }

    /// Adds text in which `*` and `?` are wildcards.
    pub(super) fn push_wild(&mut self, text: &str) {
        self.0.extend(text.encode_utf16().map(|unit| match unit {
            STAR => Token::Many,
            QUESTION_MARK => Token::One,
            other => Token::Exactly(other),
        }));
    }

    /// Adds text in which they are not.
    pub(super) fn push_literal(&mut self, text: &str) {
        self.0.extend(text.encode_utf16().map(Token::Exactly));
    }

    /// Whether the whole text is of this pattern, case told apart.
    pub(super) fn matches(&self, text: &str) -> bool {
        matched(&self.0, text, Unit::eq)
    }

    /// Whether a text may be of it in which a `?` is any one character.
    pub(super) fn may_match(&self, text: &str) -> bool {
        matched(&self.0, text, |wanted, found| wanted == found || *found == QUESTION_MARK)
    }

    /// Whether all six parts of an ARN are of this pattern's six parts, each on its own: a `*` ends at its colon. `*` alone
    /// is every ARN; `None` for another pattern that hasn't six parts.
    pub(super) fn matches_arn(&self, arn: &Arn<'_>) -> Option<bool> {
        if self.0 == [Token::Many] {
            return Some(true);
        }
        let parts: Vec<&[Token]> = self.0.splitn(6, |token| *token == Token::Exactly(COLON)).collect();
        let of = |(pattern, part): (&&[Token], &&str)| matched(pattern, part, Unit::eq);
        (parts.len() == 6).then(|| parts.iter().zip(&arn.0).all(of))
    }
}

/// The six parts of an ARN.
#[derive(Debug)]
pub(super) struct Arn<'a>([&'a str; 6]);

impl<'a> Arn<'a> {
    /// `None` for what is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        parts.try_into().ok().filter(|[scheme, ..]: &[&str; 6]| *scheme == "arn").map(Self)
    }
}

fn units(text: &str) -> Vec<Unit> {
    text.encode_utf16().collect()
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_wild(text);
        pattern
    }
}

/// Whether the text is of the pattern. Of ASCII, which nearly all texts are, each byte is a unit.
fn matched(pattern: &[Token], text: &str, same: fn(&Unit, &Unit) -> bool) -> bool {
    match text.is_ascii() {
        true => counted(pattern, text.as_bytes(), same).0,
        false => counted(pattern, &units(text), same).0,
    }
}

/// Whether the text is of the pattern, and in how many steps that was found.
///
/// Only the last `*` is ever tried again, so there are at most as many steps as pattern times text has characters:
/// a later one can take anything that an earlier one still could.
fn counted<U: Copy + Into<Unit>>(pattern: &[Token], text: &[U], same: impl Fn(&Unit, &Unit) -> bool) -> (bool, u64) {
    let (mut at, mut from, mut steps) = (0_usize, 0_usize, 0_u64);
    let mut last_star: Option<(usize, usize)> = None;
    loop {
        steps = steps.saturating_add(1);
        match (pattern.get(at), text.get(from)) {
            (None, None) => return (true, steps),
            (Some(Token::Many), _) => {
                last_star = Some((at, from));
                at = at.saturating_add(1);
                continue;
            }
            (Some(Token::One), Some(_)) => {
                (at, from) = (at.saturating_add(1), from.saturating_add(1));
                continue;
            }
            (Some(Token::Exactly(wanted)), Some(found)) if same(wanted, &(*found).into()) => {
                (at, from) = (at.saturating_add(1), from.saturating_add(1));
                continue;
            }
            _ => {}
        }
        match last_star {
            Some((star, taken)) if taken < text.len() => {
                let taken = taken.saturating_add(1);
                last_star = Some((star, taken));
                (at, from) = (star.saturating_add(1), taken);
            }
            _ => return (false, steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the definition reads: exponential, and right.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            Some(('?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((wanted, rest)) => text.first() == Some(wanted) && naive(rest, &text[1..]),
        }
    }

    fn steps(pattern: &str, text: &str) -> u64 {
        counted(&Pattern::from(pattern).0, &units(text), Unit::eq).1
    }

    fn most_steps(pattern: u64, text: u64) -> u64 {
        pattern.saturating_add(1).saturating_mul(text.saturating_add(2)).saturating_add(2)
    }

    #[test]
    fn wildcards_stand_for_any_characters_and_for_one() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "*"),
            ("**", "a"),
            ("a*c", "abcabc"),
            ("a?c", "aäc"),
            ("*b", "aab"),
            ("arn:aws:iam::*:mfa/alice", "arn:aws:iam::123456789012:mfa/alice"),
        ] {
            assert!(Pattern::from(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("?", ""), ("a", "A"), ("a?c", "ac"), ("a*b", "abc"), ("arn:*", "*"), ("a*a", "a")]
        {
            assert!(!Pattern::from(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn literal_text_has_no_wildcards() {
        let mut pattern = Pattern::from("user/");
        pattern.push_literal("*");
        assert!(pattern.matches("user/*"));
        assert!(!pattern.matches("user/alice"));
    }

    #[test]
    fn each_part_of_an_arn_is_matched_on_its_own() {
        let of = |pattern: &str, arn: &str| Pattern::from(pattern).matches_arn(&Arn::parse(arn).unwrap());
        let pattern = "arn:aws:someservice:*:111122223333:finance/*";
        assert_eq!(of(pattern, "arn:aws:someservice:us-east-2:111122223333:finance/a:b"), Some(true));
        let two_accounts = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
        assert!(Pattern::from(pattern).matches(two_accounts));
        assert_eq!(of(pattern, two_accounts), Some(false));
        let user = "arn:aws:iam::123456789012:user/a";
        assert_eq!(of("*", user), Some(true));
        for no_arn in ["", "**", "arn:aws:someservice:*:111122223333"] {
            assert!(Arn::parse(no_arn).is_none(), "{no_arn}");
            assert_eq!(of(no_arn, user), None, "{no_arn}");
        }
        assert!(Arn::parse("urn:a:b:c:d:e").is_none());
    }

    #[test]
    fn a_question_mark_is_one_unit_of_utf_16() {
        for (pattern, text, expected) in [
            ("?", "ä", true),
            ("?", "𐐀", false),
            ("??", "𐐀", true),
            ("𐐀?", "𐐀x", true),
            ("*?", "𐐀", true),
            ("𐐀", "𐐀", true),
        ] {
            assert_eq!(Pattern::from(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn time_stays_linear_where_backtracking_explodes() {
        for stars in [1, 10, 100] {
            let pattern = format!("{}b", "a*".repeat(stars));
            let (short, long) = (steps(&pattern, &"a".repeat(1_000)), steps(&pattern, &"a".repeat(10_000)));
            assert!(long <= 12 * short, "{stars} stars: {short} steps, then {long}");
            assert!(long <= 4 * 10_000 + 4 * 100, "{stars} stars: {long}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_match_is_what_the_definition_says(pattern in "[abä*?]{0,8}", text in "[abä*]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::from(pattern.as_str()).matches(&text), naive(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn no_pattern_takes_more_steps_than_pattern_times_text(pattern in "[ab*?]{0,60}", text in "[ab]{0,200}") {
            prop_assert!(steps(&pattern, &text) <= most_steps(pattern.len() as u64, text.len() as u64));
        }
    }
}
