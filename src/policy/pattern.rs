//! `*` and `?` of IAM: any characters or none, and exactly one.

/// Text to match against, its wildcards told from the same characters meant as such.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Exactly(char),
    One,
    Many,
}

impl Pattern {
    /// Whether some text that begins so is of the pattern.
    pub(super) fn may_begin_with(&self, text: &str) -> bool {
        for (index, character) in text.chars().enumerate() {
            match self.0.get(index) {
                Some(Token::Many) => return true,
                Some(Token::One) => {}
                Some(Token::Exactly(wanted)) if *wanted == character => {}
                _ => return false,
            }
        }
        true
    }

    /// Adds text in which `*` and `?` are wildcards.
    pub(super) fn push_wild(&mut self, text: &str) {
        self.0.extend(text.chars().map(|character| match character {
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Exactly(other),
        }));
    }

    /// Adds text in which they are not.
    pub(super) fn push_literal(&mut self, text: &str) {
        self.0.extend(text.chars().map(Token::Exactly));
    }

    /// Whether the whole text is of this pattern, case told apart.
    pub(super) fn matches(&self, text: &str) -> bool {
        counted(&self.0, &text.chars().collect::<Vec<char>>()).0
    }

    /// Whether all six parts of an ARN are of this pattern's six parts, each on its own: a `*` ends at its colon. What
    /// hasn't six parts is no ARN, and matches nothing.
    pub(super) fn matches_arn(&self, arn: &str) -> bool {
        let pattern: Vec<&[Token]> = self.0.splitn(6, |token| *token == Token::Exactly(':')).collect();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        pattern.len() == 6
            && parts.len() == 6
            && pattern.iter().zip(parts).all(|(pattern, part)| counted(pattern, &part.chars().collect::<Vec<_>>()).0)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_wild(text);
        pattern
    }
}

/// Whether the text is of the pattern, and in how many steps that was found.
///
/// Only the last `*` is ever tried again, so there are at most as many steps as pattern times text has characters:
/// whatever an earlier one could still take, a later one can.
fn counted(pattern: &[Token], text: &[char]) -> (bool, u64) {
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
            (Some(Token::Exactly(wanted)), Some(found)) if wanted == found => {
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
        counted(&Pattern::from(pattern).0, &text.chars().collect::<Vec<_>>()).1
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
        let pattern = Pattern::from("arn:aws:someservice:*:111122223333:finance/*");
        assert!(pattern.matches_arn("arn:aws:someservice:us-east-2:111122223333:finance/a:b"));
        let two_accounts = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
        assert!(pattern.matches(two_accounts));
        assert!(!pattern.matches_arn(two_accounts));
        for no_arn in ["", "*", "arn:aws:someservice:*:111122223333"] {
            assert!(!pattern.matches_arn(no_arn), "{no_arn}");
            assert!(!Pattern::from(no_arn).matches_arn("arn:aws:iam::123456789012:user/a"), "{no_arn}");
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
        fn a_match_is_what_the_definition_says(pattern in "[ab*?]{0,8}", text in "[ab*]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::from(pattern.as_str()).matches(&text), naive(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn no_pattern_takes_more_steps_than_pattern_times_text(pattern in "[ab*?]{0,60}", text in "[ab]{0,200}") {
            prop_assert!(steps(&pattern, &text) <= most_steps(pattern.len() as u64, text.len() as u64));
        }
    }
}
