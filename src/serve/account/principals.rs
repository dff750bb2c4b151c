//! Who trust policies name, in their text: RFC 8259, as far as it takes to find the strings of an element.

/// A trust policy's text with another ARN for a principal, everything else byte for byte; `None` where it doesn't name that
/// one. The text was read as a policy already.
///
/// A string that equals the ARN elsewhere, in a condition say, stays: names there are only names.
pub(super) fn renamed(text: &str, old: &str, new: &str) -> Option<String> {
    let new = serde_json::to_string(new).ok()?;
    let mut result = String::with_capacity(text.len());
    let (mut copied, mut place) = (0, Place::default());
    for (start, literal) in Tokens(text, 0) {
        if place.visit(literal) && is(literal, old) {
            result.push_str(text.get(copied..start)?);
            result.push_str(&new);
            copied = start.checked_add(literal.len())?;
        }
    }
    result.push_str(text.get(copied..)?);
    (copied > 0).then_some(result)
}

/// Whether a string literal, escapes and all, says this.
fn is(literal: &str, text: &str) -> bool {
    serde_json::from_str::<String>(literal).is_ok_and(|said| said == text)
}

/// Where a walk through a policy is.
#[derive(Default)]
struct Place<'t> {
    /// How many objects and lists are open.
    depth: usize,
    /// How many of them are objects.
    objects: usize,
    /// The last string, which is a name where a colon follows.
    last: &'t str,
    /// Since which depth it is within the value of `Principal` or `NotPrincipal`.
    principals: Option<usize>,
}

impl<'t> Place<'t> {
    /// Goes on by a token; tells whether it is a string of a principal.
    fn visit(&mut self, token: &'t str) -> bool {
        match token {
            "{" | "[" => {
                self.depth = self.depth.saturating_add(1);
                self.objects = self.objects.saturating_add(usize::from(token == "{"));
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                self.objects = self.objects.saturating_sub(usize::from(token == "}"));
                self.principals = self.principals.filter(|depth| self.depth >= *depth);
            }
            // Elements of a statement stand in the document's second object.
            ":" if self.objects == 2 && (is(self.last, "Principal") || is(self.last, "NotPrincipal")) => {
                self.principals = Some(self.depth);
            }
            "," => self.principals = self.principals.filter(|depth| self.depth > *depth),
            _ if token.starts_with('"') => {
                self.last = token;
                return self.principals.is_some();
            }
            _ => {}
        }
        false
    }
}

/// The punctuation and strings of JSON, with where they begin.
struct Tokens<'t>(&'t str, usize);

impl<'t> Iterator for Tokens<'t> {
    type Item = (usize, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.get(self.1..)?;
        let skipped = rest.find(['{', '}', '[', ']', ':', ',', '"'])?;
        let start = self.1.checked_add(skipped)?;
        let rest = self.0.get(start..)?;
        let length = if rest.starts_with('"') { literal(rest) } else { 1 };
        self.1 = start.checked_add(length)?;
        Some((start, rest.get(..length)?))
    }
}

/// How long the string literal at the beginning is, in bytes.
fn literal(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end.saturating_add(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_renamed_and_nothing_else_is_touched() {
        let text = r#" { "Id": "OLD", "Statement" : [ {"Sid":"a","Principal": {"AWS": ["OLD", "OLDER", "O\u004cD"]},
            "Condition":{"StringLike":{"aws:PrincipalArn":["OLD"],"x:Principal":"OLD","Principal":"OLD"}},"Effect":"Allow"},
            {"Condition":{"a":{"b":"OLD \" } \\"}}, "NotPrincipal":{"AWS":"OLD"}, "Sid" : "OLD"}]}"#;
        let expected = text
            .replace(r#"["OLD", "OLDER", "O\u004cD"]"#, r#"["new", "OLDER", "new"]"#)
            .replace(r#""NotPrincipal":{"AWS":"OLD"}"#, r#""NotPrincipal":{"AWS":"new"}"#);
        assert_ne!(text, expected);
        assert_eq!(renamed(text, "OLD", "new"), Some(expected));
        assert_eq!(renamed(text, "ELSE", "new"), None);
    }

    #[test]
    fn one_statement_without_a_list_and_a_principal_that_is_a_string() {
        let text = r#"{"Statement":{"Principal":"OLD","Sid":"OLD"}}"#;
        assert_eq!(renamed(text, "OLD", "new").unwrap(), r#"{"Statement":{"Principal":"new","Sid":"OLD"}}"#);
    }
}
