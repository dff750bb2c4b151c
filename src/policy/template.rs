//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}`.

use std::borrow::Cow;

use super::context::Context;
use super::pattern::Pattern;

/// Text of a policy in which variables stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    /// The pattern, where it is the same in every context.
    fixed: Option<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Escaped(&'static str),
    Variable { key: String, default: Option<String> },
}

impl Template {
    /// Text of a policy that knows no variables: version 2008-10-17.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(vec![Piece::Text(text.to_owned())])
    }

    /// Text of a version that does; the reason where what begins as a variable is none.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (inside, behind) = closed(after).ok_or("a policy variable isn't closed")?;
            pieces.push(piece(inside)?);
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self::new(pieces))
    }

    fn new(pieces: Vec<Piece>) -> Self {
        let mut template = Self { pieces, fixed: None };
        if !template.is_variable() {
            template.fixed = template.resolved(&Context::new());
        }
        template
    }

    /// Whether a key of the context is asked for.
    pub(super) fn is_variable(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }))
    }

    /// The keys that are asked for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } => Some(key.as_str()),
            _ => None,
        })
    }

    /// The same, and the names of the predefined variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Escaped(name) => Some(*name),
            Piece::Variable { key, .. } => Some(key.as_str()),
        })
    }

    /// What to match against; `None` where a variable has no value. What a variable brings along is literal: a user
    /// called `*` is not every user.
    pub(super) fn pattern(&self, context: &Context) -> Option<Cow<'_, Pattern>> {
        match &self.fixed {
            Some(pattern) => Some(Cow::Borrowed(pattern)),
            None => self.resolved(context).map(Cow::Owned),
        }
    }

    fn resolved(&self, context: &Context) -> Option<Pattern> {
        let mut pattern = Pattern::default();
        self.resolve(context, |text, wild| match wild {
            true => pattern.push_wild(text),
            false => pattern.push_literal(text),
        })?;
        Some(pattern)
    }

    /// What to compare with; `None` where a variable has no value.
    pub(super) fn text(&self, context: &Context) -> Option<String> {
        let mut whole = String::new();
        self.resolve(context, |text, _| whole.push_str(text))?;
        Some(whole)
    }

    /// A default is for a key that is absent; a list is no value, default or not.
    fn resolve(&self, context: &Context, mut add: impl FnMut(&str, bool)) -> Option<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => add(text, true),
                Piece::Escaped(text) => add(text, false),
                Piece::Variable { key, default } => {
                    let absent = context.get(key).is_none_or(<[String]>::is_empty);
                    let default = default.as_deref().filter(|_| absent);
                    add(context.single(key).or(default)?, false);
                }
            }
        }
        Some(())
    }
}

/// Splits at the brace that closes a variable: not one within the quotes of a default.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|character| {
        quoted ^= character == '\'';
        character == '}' && !quoted
    })?;
    Some((text.get(..end)?, text.get(end.saturating_add(1)..)?))
}

fn piece(inside: &str) -> Result<Piece, &'static str> {
    match inside {
        "*" => return Ok(Piece::Escaped("*")),
        "?" => return Ok(Piece::Escaped("?")),
        "$" => return Ok(Piece::Escaped("$")),
        _ => {}
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, quoted)) => {
            let bare = quoted.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            (key, Some(bare.ok_or("the default of a policy variable isn't in single quotes")?.to_owned()))
        }
    };
    let key = key.trim();
    if key.is_empty() || key.contains(['$', '{', '\'', '*', '?']) {
        return Err("a policy variable has no name of a condition key");
    }
    Ok(Piece::Variable { key: key.to_owned(), default })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str, context: &Context) -> Option<String> {
        Template::parse(template).unwrap().text(context)
    }

    fn alice() -> Context {
        Context::from_iter([("aws:username", "alice"), ("aws:PrincipalTag/team", "a*b")])
    }

    #[test]
    fn variables_take_the_values_of_the_context() {
        for (template, expected) in [
            ("user/${aws:username}", "user/alice"),
            ("${AWS:UserName}", "alice"),
            ("${ aws:username , 'nobody' }-x", "alice-x"),
            ("${aws:userid, 'anonymous'}", "anonymous"),
            ("${aws:userid,''}", ""),
            ("${aws:userid, 'a}b'}", "a}b"),
            ("${*}${?}${$}{aws:username}", "*?${aws:username}"),
            ("$aws:username}", "$aws:username}"),
        ] {
            assert_eq!(text(template, &alice()).as_deref(), Some(expected), "{template}");
        }
    }

    #[test]
    fn a_variable_without_one_value_leaves_nothing() {
        let mut context = alice();
        context.set("aws:TagKeys", ["a", "b"]);
        context.set("aws:empty", [""; 0]);
        context.set_list("aws:one", ["a"]);
        for template in [
            "${aws:userid}",
            "x${aws:TagKeys}",
            "${aws:TagKeys, 'default'}",
            "${aws:one, 'default'}",
            "${aws:empty}",
            "${aws:username}${aws:userid}",
        ] {
            assert_eq!(text(template, &context), None, "{template}");
        }
    }

    #[test]
    fn substituted_and_escaped_wildcards_are_literal() {
        let pattern = |text: &str| Template::parse(text).unwrap().pattern(&alice()).unwrap().into_owned();
        assert!(pattern("*/${aws:PrincipalTag/team}").matches("x/a*b"));
        assert!(!pattern("*/${aws:PrincipalTag/team}").matches("x/acb"));
        assert!(pattern("${*}?").matches("*a"));
        assert!(!pattern("${*}?").matches("ba"));
    }

    #[test]
    fn what_begins_as_a_variable_and_is_none_is_refused() {
        for text in ["${", "${}", "a${aws:username", "${a,b}", "${a, 'b}", "${a${b}}", "${, 'x'}", "${a*}", "${ }"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
