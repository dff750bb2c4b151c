//! Denials in words.

use std::fmt;

use super::{Bite, Denied, Extent, Kind, Origin, Reason, Rule, Unread, Why};
use crate::policy::Layer;

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        if let Some(resource) = &self.resource {
            write!(f, " on {resource}")?;
        }
        match self.reason {
            Reason::Policies => self.by_policies(f),
            Reason::OwnDevices => f.write_str(
                " needs a session made with one of the user's devices once there is one, even if policies allow it without",
            ),
            Reason::Temporary => f.write_str(" takes a user's own keys, and these are those of a session"),
            Reason::RootUser => f.write_str(" is not for the root user, who assumes no role"),
            Reason::SessionWithoutMfa => f.write_str(" takes no session that was made without MFA"),
            Reason::NoRole => f.write_str(" is denied: there is no such role"),
        }
    }
}

impl Denied {
    fn by_policies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_bite = |bite: Bite| self.by.iter().filter(move |rule| rule.bite == bite && rule.origin == Origin::Read);
        // What is denied with MFA too comes first: MFA doesn't help there
        if let Some(rule) = of_bite(Bite::Denies).next() {
            return write!(f, " {} denied by {rule}", is(rule));
        }
        let again = if self.mfa == Some(true) { " more recently" } else { "" };
        if let Some(rule) = of_bite(Bite::DeniesWithoutMfa).next() {
            return write!(f, " {} denied by {rule} unless one signed in with MFA{again}", is(rule));
        }
        if let Some(rule) = of_bite(Bite::AllowsNot).next() {
            let not = if rule.certain { "isn't" } else { "perhaps isn't" };
            return write!(f, " {not} allowed by {rule}");
        }
        if let Some(rule) = of_bite(Bite::AllowsWithMfa).next() {
            return write!(f, " {} allowed by {rule} only if one signed in with MFA{again}", is(rule));
        }
        let named = self.by.iter().find(|rule| rule.origin == Origin::Named);
        let shape = self.by.iter().find(|rule| rule.origin == Origin::Shape);
        let kind = self.kind.map_or("policy", Kind::name);
        match (self.explicit, named) {
            (Some(true), Some(rule)) => write!(f, " is denied by {kind} `{}`", rule.policy)?,
            (Some(true), None) => write!(f, " is denied by {} {kind}", article(kind))?,
            (Some(false), _) => write!(f, " is allowed by no {kind}")?,
            (None, _) => f.write_str(" is denied; AWS doesn't say by which policy")?,
        }
        if let Some(sid) = shape.and_then(|rule| rule.sid.as_ref()) {
            write!(
                f,
                ", unread: as AWS's policy for self-managed MFA has it (`{sid}`), unless one signed in with MFA"
            )?;
        } else if self.explicit != Some(false) {
            f.write_str(match self.seen.extent() {
                Extent::All => ", and no policy that these keys may read denies it",
                Extent::Some => ", and none of the policies that these keys may read denies it",
                Extent::Nothing => ", and these keys may not read the policies",
                Extent::NotAsked => "",
            })?;
        }
        Ok(())
    }
}

const fn is(rule: &Rule) -> &'static str {
    if rule.certain { "is" } else { "is perhaps" }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with('i') { "an" } else { "a" }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sid, self.statement) {
            (Some(sid), _) => write!(f, "statement `{sid}` of ")?,
            (None, Some(number)) => write!(f, "statement {number} of ")?,
            (None, None) => {}
        }
        match self.layer {
            Some(Layer::Trust) => return write!(f, "the trust policy of role `{}`", self.policy),
            Some(Layer::Boundary) => write!(f, "the permissions boundary `{}`", self.policy)?,
            Some(Layer::Session) => write!(f, "the session policy `{}`", self.policy)?,
            Some(Layer::Identity) | None => write!(f, "policy `{}`", self.policy)?,
        }
        match &self.of {
            Some(holder) => write!(f, " of {holder}"),
            None => Ok(()),
        }
    }
}

impl Kind {
    /// As AWS calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Trust => "role trust policy",
            Self::Resource => "resource-based policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Endpoint => "VPC endpoint policy",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.action.is_empty() { String::new() } else { format!("{} of ", self.action) };
        write!(f, "{action}{}: {}", self.about, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) if refusal.code == "AccessDenied" => f.write_str("denied"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(text) | Self::NotAsked(text) | Self::Malformed(text) => f.write_str(text),
        }
    }
}
