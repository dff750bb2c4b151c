//! Which rules make a denial, and whether MFA would have helped.

use super::message::Said;
use super::reading::{self, Policy, Reading};
use super::weighing::{At, Question, Side, Weight};
use super::{Bite, Denied, Origin, Reason, Rule, Seen};
use crate::aws::flow::Flow;
use crate::policy::mfa::Credentials;
use crate::policy::{Decision, Document, Kind, Layer, Policies, Source, evaluate};

/// The statement that keeps everything but enrolment from those who aren't signed in with MFA: from "AWS: Allows
/// MFA-authenticated IAM users to manage their own MFA device on the Security credentials page", IAM User Guide. The
/// other policies that AWS has for this deny less.
const SELF_MANAGED: &str = r#"{"Version": "2012-10-17", "Statement": {
    "Sid": "DenyAllExceptListedIfNoMFA", "Effect": "Deny",
    "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices",
        "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"],
    "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}}"#;

/// What was found out about a denial.
struct Finding<'a> {
    said: &'a Said,
    policies: &'a [Policy],
    whole: bool,
    /// As the request was signed.
    signed: Weight,
    /// As if by a session made with MFA right now.
    with_mfa: Weight,
}

impl Flow<'_> {
    /// Looks for the policies that deny.
    pub(super) fn explain_by_policies(&self, said: &Said, denied: Denied) -> Denied {
        let identity = said.identity();
        let mfa = self.signed(said, &identity);
        let denied = Denied { mfa, ..denied };
        // Nobody may read an organization's policies, nor those that were passed for a session
        let readable = said.kind.is_none_or(|kind| kind.layer().is_some_and(|layer| layer != Layer::Session));
        if !readable || identity.resource() == "root" {
            return Denied { by: named(said).into_iter().collect(), ..denied };
        }
        let reading = Reading::of(self.caller, &identity, said);
        let seen = Seen { asked: true, policies: reading.policies.len(), missing: reading.missing.clone() };
        if reading.no_role {
            return Denied { reason: Reason::NoRole, seen, ..denied };
        }
        let weigh = |credentials| self.question(said, &reading, credentials).weigh(&reading.policies);
        let ways: Vec<(Credentials, Weight)> =
            self.may_be_signed(mfa).into_iter().map(|way| (way, weigh(way))).collect();
        let whole = reading.is_whole();
        let fitting: Vec<bool> =
            ways.iter().filter(|(_, weight)| fits(said, weight)).map(|(way, _)| is_with_mfa(*way)).collect();
        let mfa = mfa.or_else(|| {
            let (first, rest) = fitting.split_first()?;
            rest.iter().all(|other| other == first).then_some(*first)
        });
        let explained = !fitting.is_empty();
        let likely = ways.iter().position(|(_, weight)| fits(said, weight)).unwrap_or(0);
        let Some((_, signed)) = ways.into_iter().nth(likely) else { return denied };
        let found = Finding { said, policies: &reading.policies, whole, signed, with_mfa: weigh(self.with_mfa()) };
        let explicit = said.explicit.or_else(|| found.explicit());
        let mut by = if explicit == Some(true) { found.denying() } else { found.lacking() };
        if explicit == Some(true) {
            let unexplained = by.is_empty();
            if !by.iter().any(|rule| rule.arn == said.policy) {
                by.extend(named(said));
            }
            let about_identity = said.kind.is_none_or(|kind| kind.layer() == Some(Layer::Identity));
            if unexplained && mfa == Some(false) && about_identity && !whole {
                by.extend(shape(&self.question(said, &reading, Credentials::LongTerm), self.with_mfa()));
            }
        }
        let unknown = found.signed.unknown.union(&found.with_mfa.unknown).cloned().collect();
        Denied { mfa, explicit, by, allowed_with_mfa: found.allowed_with_mfa(explained), unknown, seen, ..denied }
    }
}

fn is_with_mfa(credentials: Credentials) -> bool {
    matches!(credentials, Credentials::Temporary { authenticated: Some(_) })
}

/// Whether the policies come to what the service said.
fn fits(said: &Said, weight: &Weight) -> bool {
    match said.explicit {
        Some(true) => weight.hardest.decision == Decision::ExplicitlyDenied,
        Some(false) => {
            weight.mildest.decision != Decision::ExplicitlyDenied && weight.hardest.decision != Decision::Allowed
        }
        None => weight.hardest.decision != Decision::Allowed,
    }
}

/// The policy that the service names, and that couldn't be read.
fn named(said: &Said) -> Option<Rule> {
    let arn = said.policy.as_deref()?;
    Some(Rule {
        policy: reading::name_of(arn).to_owned(),
        arn: Some(arn.to_owned()),
        of: None,
        layer: said.kind.and_then(super::Kind::layer),
        statement: None,
        sid: None,
        bite: Bite::Unread,
        origin: Origin::Named,
        certain: true,
    })
}

/// The statement of AWS's own policy, where that denies such a request, and wouldn't with MFA.
fn shape(question: &Question, with_mfa: Credentials) -> Option<Rule> {
    let document = Document::parse(SELF_MANAGED, Kind::Identity).ok()?;
    let policies = Policies { identity: vec![Source { name: "", document: &document }], ..Policies::default() };
    let mut request = question.request.clone();
    let without = evaluate(&policies, &request);
    with_mfa.apply(question.now, &mut request.context);
    let with = evaluate(&policies, &request);
    let helps = without.decision() == Decision::ExplicitlyDenied && with.decision() != Decision::ExplicitlyDenied;
    let sid = document.statements().first()?.sid().map(str::to_owned);
    helps.then(|| Rule {
        policy: "AWS: Allows MFA-authenticated IAM users to manage their own MFA device".to_owned(),
        arn: None,
        of: None,
        layer: Some(Layer::Identity),
        statement: Some(1),
        sid,
        bite: Bite::DeniesWithoutMfa,
        origin: Origin::Shape,
        certain: false,
    })
}

impl Finding<'_> {
    /// Whether a statement denies, where the service doesn't say.
    fn explicit(&self) -> Option<bool> {
        let Weight { mildest, hardest, .. } = &self.signed;
        match (mildest.decision, hardest.decision) {
            (Decision::ExplicitlyDenied, _) => Some(true),
            (_, Decision::ExplicitlyDenied) => None,
            _ => self.whole.then_some(false),
        }
    }

    /// The layer that the service's word is about.
    fn is_meant(&self, layer: Layer) -> bool {
        self.said.kind.and_then(super::Kind::layer).is_none_or(|meant| meant == layer)
    }

    fn policy(&self, at: At) -> Option<&Policy> {
        self.policies.get(at.policy)
    }

    /// The statements that deny: those that surely do, or else those that may.
    fn denying(&self) -> Vec<Rule> {
        let Weight { mildest, hardest, .. } = &self.signed;
        let (side, certain) = match (mildest.decision, hardest.decision) {
            (Decision::ExplicitlyDenied, _) => (mildest, true),
            (_, Decision::ExplicitlyDenied) => (hardest, false),
            _ => return Vec::new(),
        };
        let with = &self.with_mfa.hardest;
        let still = |at: &At| with.decision == Decision::ExplicitlyDenied && with.matched.contains(at);
        let rule = |at: &At| {
            let bite = if still(at) { Bite::Denies } else { Bite::DeniesWithoutMfa };
            self.rule(*at, bite, certain)
        };
        let all: Vec<Rule> = side.matched.iter().filter_map(rule).collect();
        let mut meant: Vec<Rule> =
            all.iter().filter(|rule| rule.layer.is_some_and(|layer| self.is_meant(layer))).cloned().collect();
        // The one that the service names comes first
        meant.sort_by_key(|rule| self.said.policy.is_none() || rule.arn != self.said.policy);
        if meant.is_empty() { all } else { meant }
    }

    /// The statements that would allow with MFA, and the policies that don't allow.
    fn lacking(&self) -> Vec<Rule> {
        let signed = &self.signed.hardest;
        let lacking: Vec<Layer> = signed.lacking.iter().copied().filter(|layer| self.is_meant(*layer)).collect();
        let allows = |side: &Side, at: &At| side.decision != Decision::ExplicitlyDenied && side.matched.contains(at);
        let (mildest, hardest) = (&self.with_mfa.mildest, &self.with_mfa.hardest);
        let candidates = mildest.matched.iter().filter(|at| allows(mildest, at) && !allows(&self.signed.mildest, at));
        let mut rules: Vec<Rule> = candidates
            .filter_map(|at| self.rule(*at, Bite::AllowsWithMfa, allows(hardest, at)))
            .filter(|rule| rule.layer.is_some_and(|layer| lacking.contains(&layer)))
            .collect();
        for policy in self.policies.iter().filter(|policy| matches!(policy.layer, Layer::Boundary | Layer::Trust)) {
            if lacking.contains(&policy.layer) && !rules.iter().any(|rule| rule.layer == Some(policy.layer)) {
                let certain = self.signed.mildest.lacking.contains(&policy.layer);
                rules.push(of_policy(policy, Bite::AllowsNot, certain));
            }
        }
        rules
    }

    fn rule(&self, at: At, bite: Bite, certain: bool) -> Option<Rule> {
        let policy = self.policy(at)?;
        let statement = policy.statements.get(at.statement.checked_sub(1)?)?;
        let sid = statement.get("Sid").and_then(serde_json::Value::as_str).filter(|sid| !sid.is_empty());
        let (statement, sid) = (Some(at.statement), sid.map(str::to_owned));
        Some(Rule { statement, sid, ..of_policy(policy, bite, certain) })
    }

    /// Whether a session made with MFA right now would be allowed to. What was read has to explain the denial before its
    /// word on what is allowed counts; a statement that denies counts always.
    fn allowed_with_mfa(&self, explained: bool) -> Option<bool> {
        let Weight { mildest, hardest, .. } = &self.with_mfa;
        match (mildest.decision, hardest.decision) {
            (Decision::ExplicitlyDenied, _) => Some(false),
            (Decision::Allowed, Decision::Allowed) => (self.whole && explained).then_some(true),
            (Decision::ImplicitlyDenied, _) => self.whole.then_some(false),
            _ => None,
        }
    }
}

fn of_policy(policy: &Policy, bite: Bite, certain: bool) -> Rule {
    Rule {
        policy: policy.name.clone(),
        arn: policy.arn.clone(),
        of: policy.of.clone(),
        layer: Some(policy.layer),
        statement: None,
        sid: None,
        bite,
        origin: Origin::Read,
        certain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_from_aws_is_what_aws_has() {
        let whole = include_str!("../../../vectors/iam/own-mfa-device.json");
        let whole: serde_json::Value = serde_json::from_str(whole).unwrap();
        let ours: serde_json::Value = serde_json::from_str(SELF_MANAGED).unwrap();
        assert_eq!(whole["Statement"].as_array().unwrap().last(), Some(&ours["Statement"]));
        assert_eq!(whole["Version"], ours["Version"]);
    }
}
