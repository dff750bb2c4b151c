//! Conditions: operators, set qualifiers, `…IfExists`, and what an absent key means to each.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::context::{Context, Missing};
use super::template::Template;
use super::value::{Decimal, Moment, Network};

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

/// A test of one value; `None` where a variable of the policy has no value.
type Found = Option<bool>;

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

    /// Whether one value of the request is one that the policy names, before any negation.
    fn is(self, wanted: &Wanted, value: &str, context: &Context, missing: &mut Missing) -> Found {
        Some(match (self.test, wanted) {
            (Test::String, Wanted::Text(template)) => template.text(context, missing)? == value,
            (Test::StringIgnoreCase, Wanted::Text(template)) => {
                template.text(context, missing)?.to_lowercase() == value.to_lowercase()
            }
            (Test::StringLike, Wanted::Text(template)) => template.pattern(context, missing)?.matches(value),
            (Test::Arn, Wanted::Text(template)) => template.pattern(context, missing)?.matches_arn(value),
            (Test::Numeric(order), Wanted::Number(wanted)) => {
                Decimal::parse(value).is_some_and(|value| order.holds(value.cmp(wanted)))
            }
            (Test::Date(order), Wanted::Moment(wanted)) => {
                Moment::parse(value).is_some_and(|value| order.holds(value.cmp(wanted)))
            }
            (Test::Bool, Wanted::Bool(wanted)) => value.eq_ignore_ascii_case(if *wanted { "true" } else { "false" }),
            (Test::Binary, Wanted::Bytes(wanted)) => BASE64.decode(value).is_ok_and(|value| value == *wanted),
            (Test::IpAddress, Wanted::Network(network)) => network.contains(value),
            _ => false,
        })
    }
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

    /// Whether it holds of a request.
    ///
    /// An absent key: `…IfExists` and `ForAllValues` hold, `ForAnyValue` doesn't; without any of these, a negated
    /// operator holds and the others don't. A key whose values are empty is null to the set operators and to `Null`.
    /// A variable without a value fails the comparison, negated or not.
    pub(super) fn holds(&self, context: &Context, missing: &mut Missing) -> bool {
        let Operator { set, test, negated, if_exists } = self.operator;
        let values = context.asked(&self.key, missing);
        let null = values.is_none_or(|values| values.iter().all(String::is_empty));
        if test == Test::Null {
            return self.values.contains(&Wanted::Bool(null));
        }
        let Some(values) = values else {
            return if_exists || set.map_or(negated, |set| set == Set::All);
        };
        let one = |value: &String, missing: &mut Missing| self.one_of(value, context, missing);
        match set {
            Some(Set::All) => null || values.iter().map(|value| one(value, missing)).fold(true, |all, one| all & one),
            Some(Set::Any) => !null && values.iter().map(|value| one(value, missing)).fold(false, |any, one| any | one),
            None if negated => values.iter().map(|value| one(value, missing)).fold(true, |all, one| all & one),
            None => values.iter().map(|value| one(value, missing)).fold(false, |any, one| any | one),
        }
    }

    /// Whether one value of the request is any of those of the policy; negated, whether it is none of them.
    fn one_of(&self, value: &str, context: &Context, missing: &mut Missing) -> bool {
        let found: Vec<Found> =
            self.values.iter().map(|wanted| self.operator.is(wanted, value, context, missing)).collect();
        if self.operator.negated {
            found.iter().all(|found| *found == Some(false))
        } else {
            found.contains(&Some(true))
        }
    }
}

#[cfg(test)]
mod tests;
