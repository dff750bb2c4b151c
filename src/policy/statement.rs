//! One statement of a document.

use std::collections::HashSet;

use super::condition::{Condition, Operator};
use super::error::{Error, Place};
use super::fields::{Fields, texts, wrong_type};
use super::json::Value;
use super::language::{Kind, Version};
use super::pattern::Pattern;
use super::principal::Name;
use super::template::Template;

/// What a statement does to the requests it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows them, unless another denies them.
    Allow,
    /// Denies them, even if other statements allow them.
    Deny,
}

/// One statement: an effect, and to which requests it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) actions: Listed<Pattern>,
    pub(super) target: Target,
    pub(super) conditions: Vec<Condition>,
}

/// A list, or everything but what it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<T> {
    pub(super) not: bool,
    pub(super) items: Vec<T>,
}

/// What a statement is about besides actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Resources(Listed<Template>),
    Principals(Listed<Name>),
}

impl Statement {
    /// Its `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Its effect.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let templates = match &self.target {
            Target::Resources(resources) => resources.items.as_slice(),
            Target::Principals(_) => &[],
        };
        let variables = templates.iter().flat_map(Template::keys);
        variables.chain(self.conditions.iter().flat_map(Condition::keys))
    }
}

/// The elements of a statement, of either kind of policy.
pub(super) const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// The statement, and the place that errors about it name; `index` is counted from 1.
pub(super) fn read(value: Value, index: usize, kind: Kind, version: Version) -> Result<(Statement, Place), Error> {
    let place = Place { statement: Some(index), sid: None };
    let mut fields = Fields::of(value, "Statement", &place)?;
    let sid = fields.take_text("Sid")?;
    let place = Place { sid: sid.clone().filter(|sid| !sid.is_empty()), ..place };
    fields.place_is(place.clone());
    fields.only(&ELEMENTS)?;
    if let Some(sid) = sid.as_ref().filter(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && kind == Kind::Identity
    {
        return Err(invalid(&place, "Sid", sid, "letters and digits only"));
    }
    let effect = effect(&mut fields, &place)?;
    let actions = listed(&mut fields, ["Action", "NotAction"], "Action or NotAction", &place, |key, value| {
        let of = |text: String| action(&text, kind).map_err(|reason| invalid(&place, key, &text, reason));
        texts(value, key, false, &place)?.into_iter().map(of).collect()
    })?;
    let target = match kind {
        Kind::Identity => {
            prohibit(&mut fields, ["Principal", "NotPrincipal"], "an identity policy", &place)?;
            Target::Resources(resources(&mut fields, version, &place)?)
        }
        Kind::Trust => {
            prohibit(&mut fields, ["Resource", "NotResource"], "a trust policy", &place)?;
            Target::Principals(principals(&mut fields, &place)?)
        }
    };
    let conditions = fields.take("Condition").map(|value| conditions(value, version, &place)).transpose()?;
    Ok((Statement { sid, effect, actions, target, conditions: conditions.unwrap_or_default() }, place))
}

pub(super) fn effect(fields: &mut Fields, place: &Place) -> Result<Effect, Error> {
    match fields.take_text("Effect")?.as_deref() {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(other) => Err(invalid(place, "Effect", other, "neither Allow nor Deny")),
        None => Err(Error::Missing { place: place.clone(), element: "Effect" }),
    }
}

/// An element, or the one that lists what is excepted; one of them, and not empty.
fn listed<T>(
    fields: &mut Fields,
    [plain, not]: [&'static str; 2],
    either: &'static str,
    place: &Place,
    read: impl FnOnce(&'static str, Value) -> Result<Vec<T>, Error>,
) -> Result<Listed<T>, Error> {
    let (key, value, excepted) = match (fields.take(plain), fields.take(not)) {
        (Some(_), Some(_)) => return Err(Error::Both { place: place.clone(), one: plain, other: not }),
        (Some(value), None) => (plain, value, false),
        (None, Some(value)) => (not, value, true),
        (None, None) => return Err(Error::Missing { place: place.clone(), element: either }),
    };
    let items = read(key, value)?;
    if items.is_empty() {
        return Err(wrong_type(place, key, "a list of at least one"));
    }
    Ok(Listed { not: excepted, items })
}

fn prohibit(fields: &mut Fields, elements: [&'static str; 2], kind: &'static str, place: &Place) -> Result<(), Error> {
    match elements.into_iter().find(|element| fields.take(element).is_some()) {
        Some(element) => Err(Error::Prohibited { place: place.clone(), element, kind }),
        None => Ok(()),
    }
}

/// `*`, or `SERVICE:NAME` with wildcards; names of actions know no case.
fn action(text: &str, kind: Kind) -> Result<Pattern, &'static str> {
    let sts_only = "a trust policy is about actions of sts only";
    if text == "*" {
        return if kind == Kind::Trust { Err(sts_only) } else { Ok(Pattern::from(text)) };
    }
    let (service, name) = text.split_once(':').ok_or("an action has a service and a colon in front: iam:GetUser")?;
    if name.contains(':') {
        return Err("an action has one colon");
    }
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'?');
    if service.is_empty() || name.is_empty() || !service.bytes().chain(name.bytes()).all(of_name) {
        return Err("no name of an action");
    }
    if kind == Kind::Trust && !service.eq_ignore_ascii_case("sts") {
        return Err(sts_only);
    }
    Ok(Pattern::from(text.to_ascii_lowercase().as_str()))
}

fn resources(fields: &mut Fields, version: Version, place: &Place) -> Result<Listed<Template>, Error> {
    listed(fields, ["Resource", "NotResource"], "Resource or NotResource", place, |key, value| {
        let of = |text: String| resource(&text, version).map_err(|reason| invalid(place, key, &text, reason));
        texts(value, key, false, place)?.into_iter().map(of).collect()
    })
}

/// `*`, or an ARN with wildcards. With variables it may be anything: only a request tells whether it is an ARN then.
fn resource(text: &str, version: Version) -> Result<Template, &'static str> {
    let template = match version {
        Version::V2012 => Template::parse(text)?,
        Version::V2008 => Template::plain(text),
    };
    let is_wild = text.contains('*');
    if text == "*" || template.is_variable() {
        Ok(template)
    } else if !text.starts_with("arn:") {
        Err("neither an ARN nor `*`")
    } else if text.bytes().filter(|byte| *byte == b':').count() < 5 && !is_wild {
        Err("an ARN has six parts")
    } else {
        Ok(template)
    }
}

fn principals(fields: &mut Fields, place: &Place) -> Result<Listed<Name>, Error> {
    listed(fields, ["Principal", "NotPrincipal"], "Principal or NotPrincipal", place, |key, value| {
        if let Value::String(text) = &value {
            return match text.as_str() {
                "*" => Ok(vec![Name::Everybody]),
                other => Err(invalid(place, key, other, "`*`, or an object with AWS, Service or Federated")),
            };
        }
        let mut names = Vec::new();
        for (kind, value) in Fields::of(value, key, place)?.rest() {
            if !matches!(kind.as_str(), "AWS" | "Service" | "Federated" | "CanonicalUser") {
                return Err(Error::Unknown { place: place.clone(), element: kind });
            }
            for text in texts(value, &kind, false, place)? {
                names.push(Name::parse(&kind, &text).map_err(|reason| invalid(place, &kind, &text, reason))?);
            }
        }
        Ok(names)
    })
}

/// An operator with the values of each key.
type Written = (String, Vec<(String, Value)>);

/// The operators of a `Condition`.
pub(super) fn conditions_of(value: Value, place: &Place) -> Result<Vec<Written>, Error> {
    let of = |(name, keys): (String, Value)| Fields::of(keys, &name, place).map(|keys| (name, keys.rest()));
    Fields::of(value, "Condition", place)?.rest().into_iter().map(of).collect()
}

fn conditions(value: Value, version: Version, place: &Place) -> Result<Vec<Condition>, Error> {
    let mut conditions = Vec::new();
    for (name, keys) in conditions_of(value, place)? {
        let operator =
            Operator::parse(&name).ok_or_else(|| invalid(place, "Condition", &name, "no condition operator of IAM"))?;
        let mut seen = HashSet::new();
        for (key, values) in keys {
            if !seen.insert(key.to_lowercase()) {
                return Err(Error::Duplicate { place: place.clone(), key: format!("{name}/{key}") });
            }
            if !matches!(key.split_once(':'), Some((vendor, name)) if !vendor.is_empty() && !name.is_empty()) {
                return Err(invalid(place, &name, &key, "a condition key has a prefix and a colon: aws:username"));
            }
            let within = format!("{name}/{key}");
            let values = texts(values, &within, true, place)?;
            conditions.push(
                Condition::new(operator, &key, &values, version == Version::V2012)
                    .map_err(|(value, reason)| invalid(place, &within, &value, reason))?,
            );
        }
    }
    Ok(conditions)
}

pub(super) fn invalid(place: &Place, key: &str, value: &str, reason: &'static str) -> Error {
    Error::Value { place: place.clone(), key: key.to_owned(), value: value.to_owned(), reason }
}
