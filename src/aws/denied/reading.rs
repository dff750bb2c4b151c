//! The policies that have a say about who asks, as far as they may be read.
//!
//! An action that was denied once isn't asked for again: the account's log shows a few refusals, not
//! dozens.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::message::Said;
use super::{Unread, Why};
use crate::aws::Error;
use crate::aws::client::Caller;
use crate::aws::iam::{Detail, Holder, Page};
use crate::aws::sts::Identity;
use crate::policy::{Document, Kind, Layer};

/// The most calls.
const CALLS: u8 = 60;

/// A policy that was read.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// Its name; of a trust policy, the role's.
    pub(super) name: String,
    /// Its ARN, where it is a managed one.
    pub(super) arn: Option<String>,
    /// Who has it; none where that couldn't be seen.
    pub(super) of: Option<Holder>,
    /// Where it stands.
    pub(super) layer: Layer,
    /// `Version`.
    pub(super) version: Option<Value>,
    /// `Statement`.
    pub(super) statements: Vec<Value>,
}

/// What was read, and what wasn't.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    caller: Caller<'a>,
    left: u8,
    stopped: bool,
    denied: BTreeSet<String>,
    managed: BTreeMap<String, Option<String>>,
    pub(super) policies: Vec<Policy>,
    pub(super) missing: Vec<Unread>,
    /// Of the user or role that asks.
    pub(super) detail: Option<Detail>,
    /// There is no role of the ARN that was to be assumed.
    pub(super) no_role: bool,
}

/// The user or role whose policies are asked for.
pub(super) fn holder(identity: &Identity) -> Option<Holder> {
    if let Some(user) = identity.user() {
        return Some(Holder::User(user.to_owned()));
    }
    let role = identity.resource().strip_prefix("assumed-role/")?.split('/').next()?;
    Some(Holder::Role(role.to_owned()))
}

impl<'a> Reading<'a> {
    /// Reads what may be read: first what tells the most.
    pub(super) fn of(caller: Caller<'a>, identity: &Identity, said: &Said) -> Self {
        let mut reading = Self {
            caller,
            left: CALLS,
            stopped: false,
            denied: BTreeSet::new(),
            managed: BTreeMap::new(),
            policies: Vec::new(),
            missing: Vec::new(),
            detail: None,
            no_role: false,
        };
        if let Some(arn) = &said.policy {
            reading.managed(arn);
        }
        reading.read_trust(identity, said);
        if reading.no_role {
            return reading;
        }
        if let Some(holder) = holder(identity) {
            reading.read_holder(&holder);
        } else {
            let why = Why::NotAsked("it is neither a user nor a role".to_owned());
            reading.missing.push(Unread { action: String::new(), about: identity.arn.clone(), why });
        }
        // Named by the service, and whose it is couldn't be seen
        if let Some(arn) = said.policy.as_deref().filter(|arn| !reading.knows(arn))
            && let Some(text) = reading.managed(arn)
        {
            let layer = said.kind.and_then(super::Kind::layer).unwrap_or(Layer::Identity);
            reading.add(name_of(arn), Some(arn), None, layer, &text);
        }
        reading
    }

    /// Whether everything was read.
    pub(super) const fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    fn knows(&self, arn: &str) -> bool {
        self.policies.iter().any(|policy| policy.arn.as_deref() == Some(arn))
    }

    /// The trust policy of a role of the same account that was to be assumed.
    fn read_trust(&mut self, identity: &Identity, said: &Said) {
        let Some(arn) = said.resource.as_deref().filter(|_| said.action.eq_ignore_ascii_case("sts:AssumeRole")) else {
            return;
        };
        let about = |why| Unread { action: "iam:GetRole".to_owned(), about: arn.to_owned(), why };
        if arn.split(':').nth(4) != Some(identity.account.as_str()) {
            self.missing.push(about(Why::NotAsked("it is a role of another account".to_owned())));
            return;
        }
        let role = Holder::Role(name_of(arn).to_owned());
        let detail = self.ask("GetRole", arn, |caller| match caller.detail(&role) {
            Ok(detail) => Ok(Some(detail)),
            Err(error) if error.has_code("NoSuchEntity") => Ok(None),
            Err(error) => Err(error),
        });
        match detail {
            None => {}
            Some(Some(detail)) if detail.arn == arn => {
                if let Some(text) = &detail.trust {
                    self.add(role.name(), None, Some(&role), Layer::Trust, text);
                } else {
                    self.missing.push(about(Why::Malformed("it has no trust policy".to_owned())));
                }
            }
            Some(_) => self.no_role = true,
        }
    }

    fn read_holder(&mut self, holder: &Holder) {
        let about = holder.to_string();
        self.detail = self.ask(&format!("Get{}", holder.kind()), &about, |caller| caller.detail(holder));
        if let Some(arn) = self.detail.as_ref().and_then(|detail| detail.boundary.clone())
            && let Some(text) = self.managed(&arn)
        {
            self.add(name_of(&arn), Some(&arn), Some(holder), Layer::Boundary, &text);
        }
        self.read_policies(holder);
        if let Holder::User(user) = holder {
            let groups =
                self.pages("ListGroupsForUser", &about, |caller, marker| caller.list_groups_for_user(user, marker));
            for group in groups {
                self.read_policies(&Holder::Group(group));
            }
        }
    }

    /// What is attached to somebody, and inline.
    fn read_policies(&mut self, holder: &Holder) {
        let about = holder.to_string();
        let action = format!("ListAttached{}Policies", holder.kind());
        for attached in self.pages(&action, &about, |caller, marker| caller.list_attached_policies(holder, marker)) {
            if let Some(text) = self.managed(&attached.arn) {
                self.add(&attached.name, Some(&attached.arn), Some(holder), Layer::Identity, &text);
            }
        }
        let action = format!("List{}Policies", holder.kind());
        for name in self.pages(&action, &about, |caller, marker| caller.list_policies(holder, marker)) {
            let action = format!("Get{}Policy", holder.kind());
            if let Some(text) = self.ask(&action, &about, |caller| caller.policy(holder, &name)) {
                self.add(&name, None, Some(holder), Layer::Identity, &text);
            }
        }
    }

    /// The text of a managed policy; each is asked for once.
    fn managed(&mut self, arn: &str) -> Option<String> {
        if let Some(known) = self.managed.get(arn) {
            return known.clone();
        }
        let version = self.ask("GetPolicy", arn, |caller| caller.default_version(arn));
        let text = version
            .and_then(|version| self.ask("GetPolicyVersion", arn, |caller| caller.policy_version(arn, &version)));
        self.managed.insert(arn.to_owned(), text.clone());
        text
    }

    /// Takes a policy in that can be understood.
    fn add(&mut self, name: &str, arn: Option<&str>, of: Option<&Holder>, layer: Layer, text: &str) {
        let kind = if layer == Layer::Trust { Kind::Trust } else { Kind::Identity };
        let read = Document::parse(text, kind).map_err(|error| error.to_string()).and_then(|_| {
            let mut value: Value = serde_json::from_str(text).map_err(|_| "the policy is not JSON".to_owned())?;
            let statements = match value.get_mut("Statement").map(Value::take) {
                Some(Value::Array(statements)) => statements,
                Some(statement) => vec![statement],
                None => Vec::new(),
            };
            Ok((value.get_mut("Version").map(Value::take), statements))
        });
        let (arn, of) = (arn.map(str::to_owned), of.cloned());
        match read {
            Ok((version, statements)) => {
                self.policies.push(Policy { name: name.to_owned(), arn, of, layer, version, statements });
            }
            Err(error) => {
                let about = arn.unwrap_or_else(|| name.to_owned());
                self.missing.push(Unread { action: String::new(), about, why: Why::Malformed(error) });
            }
        }
    }

    fn pages<T>(
        &mut self,
        action: &str,
        about: &str,
        page: impl Fn(Caller<'a>, Option<&str>) -> Result<Page<T>, Error>,
    ) -> Vec<T> {
        let (mut items, mut marker) = (Vec::new(), None::<String>);
        while let Some(page) = self.ask(action, about, |caller| page(caller, marker.as_deref())) {
            items.extend(page.items);
            marker = page.next;
            if marker.is_none() {
                break;
            }
        }
        items
    }

    /// One call, unless there were too many, or it would be denied again.
    fn ask<T>(&mut self, action: &str, about: &str, call: impl FnOnce(Caller<'a>) -> Result<T, Error>) -> Option<T> {
        if self.denied.contains(action) {
            return None;
        }
        let why = if self.stopped {
            return None;
        } else if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            match call(self.caller) {
                Ok(answer) => return Some(answer),
                Err(Error::Refused(refusal)) => {
                    let one_of_many = matches!(refusal.code.as_str(), "AccessDenied" | "NoSuchEntity");
                    self.stopped = !one_of_many;
                    if refusal.code == "AccessDenied" {
                        self.denied.insert(action.to_owned());
                    }
                    Why::Refused(refusal)
                }
                Err(error) => {
                    self.stopped = true;
                    Why::Failed(error.to_string())
                }
            }
        } else {
            self.stopped = true;
            Why::NotAsked(format!("{CALLS} calls are enough"))
        };
        self.missing.push(Unread { action: format!("iam:{action}"), about: about.to_owned(), why });
        None
    }
}

/// What an ARN ends in.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
