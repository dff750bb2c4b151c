//! Conditions: operators, set qualifiers, `…IfExists`, and what an absent key means to each.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::context::Context;
use super::pattern::Arn;
use super::template::Template;
use super::value::{Decimal, Moment, Network, address_of_request};

/// One operator on one key: the values are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<Wanted>,
}

/// What stands in front of a condition's keys: `ForAllValues:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    set: Option<Set>,
    test: Test,
    negated: bool,
    if_exists: bool,
}

/// The qualifier for keys with several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    All,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    String,
    StringIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value of the policy, read as its operator reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Text(Template),
    Number(Decimal),
    Moment(Moment),
    Bool(bool),
    Bytes(Vec<u8>),
    Network(Network),
}

/// A value of the request, read as the operator reads it.
enum Found<'a> {
    Text(&'a str),
    Number(Decimal),
    Moment(Moment),
    Bool(bool),
    Bytes(Vec<u8>),
    Address(IpAddr),
    Arn(Arn<'a>),
}

impl Operator {
    /// `None` for a name that IAM doesn't have; they know case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (set, name) = match name.split_once(':') {
            Some(("ForAllValues", name)) => (Some(Set::All), name),
            Some(("ForAnyValue", name)) => (Some(Set::Any), name),
            Some(_) => return None,
            None => (None, name),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (test, negated) = match name {
            "StringEquals" => (Test::String, false),
            "StringNotEquals" => (Test::String, true),
            "StringEqualsIgnoreCase" => (Test::StringIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::StringIgnoreCase, true),
            "StringLike" => (Test::StringLike, false),
            "StringNotLike" => (Test::StringLike, true),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::IpAddress, false),
            "NotIpAddress" => (Test::IpAddress, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Null" if set.is_none() && !if_exists => (Test::Null, false),
            _ => {
                let (of, order) = name
                    .strip_prefix("Numeric")
                    .map(|order| (Test::Numeric as fn(Order) -> Test, order))
                    .or_else(|| name.strip_prefix("Date").map(|order| (Test::Date as fn(Order) -> Test, order)))?;
                match order {
                    "Equals" => (of(Order::Equal), false),
                    "NotEquals" => (of(Order::Equal), true),
                    "LessThan" => (of(Order::Less), false),
                    "LessThanEquals" => (of(Order::LessOrEqual), false),
                    "GreaterThan" => (of(Order::Greater), false),
                    "GreaterThanEquals" => (of(Order::GreaterOrEqual), false),
                    _ => return None,
                }
            }
        };
        Some(Self { set, test, negated, if_exists })
    }

    /// Reads a value of the policy; the reason where it says nothing to this operator.
    fn wanted(self, text: &str, variables: bool) -> Result<Wanted, &'static str> {
        let boolean = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        match self.test {
            Test::String | Test::StringIgnoreCase | Test::StringLike | Test::Arn if variables => {
                Template::parse(text).map(Wanted::Text)
            }
            Test::String | Test::StringIgnoreCase | Test::StringLike | Test::Arn => {
                Ok(Wanted::Text(Template::plain(text)))
            }
            Test::Numeric(_) => Decimal::parse(text).map(Wanted::Number).ok_or("not a number"),
            Test::Date(_) => {
                Moment::parse(text).map(Wanted::Moment).ok_or("neither an ISO 8601 date nor seconds since 1970")
            }
            Test::Bool | Test::Null => boolean(text).map(Wanted::Bool).ok_or("neither true nor false"),
            Test::Binary => BASE64.decode(text).map(Wanted::Bytes).map_err(|_| "not base64"),
            Test::IpAddress => Network::parse(text).map(Wanted::Network).ok_or("neither an IP address nor a range"),
        }
    }

    /// Reads a value of the request; `None` for what the operator can't compare.
    fn found(self, text: &str) -> Option<Found<'_>> {
        match self.test {
            Test::String | Test::StringIgnoreCase | Test::StringLike => Some(Found::Text(text)),
            Test::Numeric(_) => Decimal::parse(text).map(Found::Number),
            Test::Date(_) => Moment::of_request(text).map(Found::Moment),
            Test::Bool | Test::Null => Some(Found::Bool(text.eq_ignore_ascii_case("true"))),
            Test::Binary => BASE64.decode(text).ok().map(Found::Bytes),
            Test::IpAddress => address_of_request(text).map(Found::Address),
            Test::Arn => Arn::parse(text).map(Found::Arn),
        }
    }

    /// Whether a value of the request is one that the policy names, before any negation; `None` where what the policy
    /// names is no ARN. A variable without a value names nothing.
    fn is(self, wanted: &Wanted, found: &Found<'_>, context: &Context) -> Option<bool> {
        Some(match (self.test, wanted, found) {
            (Test::String, Wanted::Text(template), Found::Text(found)) => {
                template.text(context).is_some_and(|text| text == *found)
            }
            (Test::StringIgnoreCase, Wanted::Text(template), Found::Text(found)) => {
                template.text(context).is_some_and(|text| small(&text) == small(found))
            }
            (Test::StringLike, Wanted::Text(template), Found::Text(found)) => {
                template.pattern(context).is_some_and(|pattern| pattern.matches(found))
            }
            (Test::Arn, Wanted::Text(template), Found::Arn(found)) => match template.pattern(context) {
                Some(pattern) => pattern.matches_arn(found)?,
                None => false,
            },
            (Test::Numeric(order), Wanted::Number(wanted), Found::Number(found)) => order.holds(found.cmp(wanted)),
            (Test::Date(order), Wanted::Moment(wanted), Found::Moment(found)) => order.holds(found.cmp(wanted)),
            (Test::Bool, Wanted::Bool(wanted), Found::Bool(found)) => wanted == found,
            (Test::Binary, Wanted::Bytes(wanted), Found::Bytes(found)) => wanted == found,
            (Test::IpAddress, Wanted::Network(network), Found::Address(found)) => network.contains(*found),
            _ => false,
        })
    }
}

/// In small letters, as IAM was observed to compare them: characters beyond the Basic Multilingual Plane stay as they are.
fn small(text: &str) -> String {
    let beyond = |character: &char| *character > '\u{ffff}';
    let mut kept = text.chars().filter(beyond);
    let lowered = text.to_lowercase();
    lowered
        .chars()
        .map(|character| if beyond(&character) { kept.next().unwrap_or(character) } else { character })
        .collect()
}

impl Order {
    const fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

impl Condition {
    /// Reads the values of one key; the value and the reason where one says nothing to the operator.
    pub(super) fn new(
        operator: Operator,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> Result<Self, (String, &'static str)> {
        let wanted = |text: &String| operator.wanted(text, variables).map_err(|reason| (text.clone(), reason));
        let values = values.iter().map(wanted).collect::<Result<_, _>>()?;
        Ok(Self { operator, key: key.to_owned(), values })
    }

    /// The keys that it asks for: its own, and those of variables.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self.values.iter().filter_map(|value| match value {
            Wanted::Text(template) => Some(template.keys()),
            _ => None,
        });
        std::iter::once(self.key.as_str()).chain(variables.flatten())
    }

    /// Whether it holds of a request; `None` where it compares with an ARN that is none, which allows nothing and denies.
    ///
    /// An absent key: `…IfExists` and `ForAllValues` hold, `ForAnyValue` doesn't; without any of these, a negated
    /// operator holds and the others don't. A list is compared by the set operators only: it fails all others, negated or
    /// not. A variable without a value is equal to nothing. An operator that names no values holds of absent keys at most.
    pub(super) fn holds(&self, context: &Context) -> Option<bool> {
        let Operator { set, test, negated, if_exists } = self.operator;
        let found = context.found(&self.key);
        let null = found.is_none_or(|found| found.values.is_empty());
        if test == Test::Null {
            return Some(self.values.contains(&Wanted::Bool(null)));
        }
        let Some(found) = found else {
            return Some(match set {
                Some(Set::All) => true,
                Some(Set::Any) => false,
                None => if_exists || (negated && !self.values.is_empty()),
            });
        };
        match set {
            Some(Set::All) => self.count(&found.values, context).map(|count| count == found.values.len()),
            Some(Set::Any) => self.count(&found.values, context).map(|count| count > 0),
            None if null => Some(negated && !self.values.is_empty()),
            None if found.list => Some(false),
            None => self.count(&found.values, context).map(|count| count > 0),
        }
    }

    /// Of how many values of the request it holds.
    fn count(&self, values: &[String], context: &Context) -> Option<usize> {
        let mut count: usize = 0;
        for value in values {
            count = count.saturating_add(self.one_of(value, context)?.into());
        }
        Some(count)
    }

    /// Whether one value of the request is any of those of the policy; negated, whether it is none of them. What is no
    /// number or date is another than every number and date; what is no address or ARN isn't even that.
    fn one_of(&self, value: &str, context: &Context) -> Option<bool> {
        let negated = self.operator.negated;
        if self.values.is_empty() {
            return Some(false);
        }
        let Some(found) = self.operator.found(value) else {
            return Some(negated && matches!(self.operator.test, Test::Numeric(_) | Test::Date(_)));
        };
        for wanted in &self.values {
            if self.operator.is(wanted, &found, context)? {
                return Some(!negated);
            }
        }
        Some(negated)
    }
}

#[cfg(test)]
mod tests;
