//! The evaluation logic: who wins, and why.

use std::fmt;

use super::context::{Context, Missing};
use super::document::Document;
use super::doubt::Doubt;
use super::language::Kind;
use super::pattern::Pattern;
use super::principal::{Named, account_of};
use super::request::Request;
use super::statement::{Effect, Listed, Statement, Target};
use super::template::Template;

/// A document under a name that answers and logs call it by.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Such as `group Force_MFA/DenyWithoutMfa`.
    pub name: &'a str,
    /// What it says.
    pub document: &'a Document,
}

/// Everything that has a say about a request. Nothing is allowed by a document of the wrong [`Kind`] for its place.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// Of the user or role, its groups included, inline and attached: one of them has to allow.
    pub identity: Vec<Source<'a>>,
    /// The permissions boundary: where there is one, it has to allow too.
    pub boundary: Option<Source<'a>>,
    /// Those passed when the session was made: where there are any, one of them has to allow too.
    pub session: Vec<Source<'a>>,
    /// For `sts:AssumeRole`, the role's trust policy, which has to allow. It is enough where it names, within one
    /// account, the user or session itself, or everybody.
    pub trust: Option<Source<'a>>,
}

/// The policies that have to agree, each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Identity policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// The trust policy.
    Trust,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Every layer allows it, and no statement denies it.
    Allowed,
    /// Some layer doesn't allow it: the default.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied,
}

/// A statement that applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Where its policy stands.
    pub layer: Layer,
    /// The name of its policy.
    pub source: String,
    /// Which statement, counted from 1.
    pub statement: usize,
    /// Its Sid, if it has one.
    pub sid: Option<String>,
}

/// The decision about one resource, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// The decision.
    pub decision: Decision,
    /// The statements that made it so: those that deny, or else those that allow, also where their allowing wasn't
    /// enough.
    pub matched: Vec<Matched>,
    /// The layers that had to allow and don't; empty where it is allowed.
    pub lacking: Vec<Layer>,
}

/// The decision about a request, resource by resource.
///
/// `Display` says in words why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The action, as the request spells it.
    pub action: String,
    /// At least one.
    pub verdicts: Vec<Verdict>,
    /// Condition keys that statements about this action and resource asked for and the request hasn't; sorted, as the
    /// policies spell them: `MissingContextValues` of `SimulatePrincipalPolicy`.
    pub missing: Vec<String>,
}

impl Evaluation {
    /// The worst of the verdicts: every resource has to be allowed.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.verdicts.iter().map(|verdict| verdict.decision).max().unwrap_or(Decision::ImplicitlyDenied)
    }
}

/// Decides about a request.
///
/// An explicit deny in any policy wins over any allow; without an allow in every layer that has a say, the request is
/// implicitly denied. The order of policies and statements doesn't matter.
#[must_use]
pub fn evaluate(policies: &Policies<'_>, request: &Request) -> Evaluation {
    evaluate_in_doubt(policies, request, Doubt::default())
}

/// The same, where not everything is known of the request.
#[must_use]
pub fn evaluate_in_doubt(policies: &Policies<'_>, request: &Request, doubt: Doubt) -> Evaluation {
    let mut missing = Missing::default();
    let everything = ["*".to_owned()];
    let resources = if request.resources.is_empty() { &everything[..] } else { &request.resources };
    let verdicts = resources.iter().map(|resource| about(policies, request, resource, doubt, &mut missing)).collect();
    Evaluation { action: request.action.clone(), verdicts, missing: missing.into_names() }
}

fn about(policies: &Policies<'_>, request: &Request, resource: &str, doubt: Doubt, missing: &mut Missing) -> Verdict {
    let (mut allows, mut denies) = (Vec::new(), Vec::new());
    let mut trusted = None;
    let action = request.action.to_ascii_lowercase();
    for (layer, source) in policies.sources() {
        for (index, statement) in (1..).zip(source.document.statements()) {
            let astray = (layer == Layer::Trust) != (source.document.kind() == Kind::Trust);
            if astray && statement.effect == Effect::Allow {
                continue;
            }
            let Some(named) = statement.applies(request, (&action, resource), doubt, missing) else { continue };
            let matched =
                Matched { layer, source: source.name.to_owned(), statement: index, sid: statement.sid.clone() };
            match statement.effect {
                Effect::Allow => allows.push(matched),
                Effect::Deny => denies.push(matched),
            }
            if layer == Layer::Trust && statement.effect == Effect::Allow {
                trusted = trusted.max(Some(named));
            }
        }
    }
    let mut lacking = policies.required(trusted.filter(|_| same_account(request, resource)));
    lacking.retain(|layer| !allows.iter().any(|allow| allow.layer == *layer));
    let (decision, matched) = match (denies.is_empty(), lacking.is_empty()) {
        (false, _) => (Decision::ExplicitlyDenied, denies),
        (true, true) => (Decision::Allowed, allows),
        (true, false) => (Decision::ImplicitlyDenied, allows),
    };
    Verdict { resource: resource.to_owned(), decision, matched, lacking }
}

fn same_account(request: &Request, resource: &str) -> bool {
    request.principal.account().is_none_or(|account| account_of(resource) == Some(account))
}

impl<'a> Policies<'a> {
    /// Whether one of them has a condition or a variable: if not, they decide the same in every context.
    #[must_use]
    pub fn read_context(&self) -> bool {
        self.sources().any(|(_, source)| source.document.reads_context())
    }

    fn sources(&self) -> impl Iterator<Item = (Layer, Source<'a>)> {
        let identity = self.identity.iter().map(|source| (Layer::Identity, *source));
        let boundary = self.boundary.iter().map(|source| (Layer::Boundary, *source));
        let session = self.session.iter().map(|source| (Layer::Session, *source));
        let trust = self.trust.iter().map(|source| (Layer::Trust, *source));
        identity.chain(boundary).chain(session).chain(trust)
    }

    /// The layers that have to allow, given how closely the trust policy names a principal of the same account.
    fn required(&self, trusted: Option<Named>) -> Vec<Layer> {
        let limits = trusted != Some(Named::Itself);
        let mut layers = Vec::new();
        if trusted.is_none_or(|named| named == Named::Account) {
            layers.push(Layer::Identity);
        }
        if limits && self.boundary.is_some() {
            layers.push(Layer::Boundary);
        }
        if limits && !self.session.is_empty() {
            layers.push(Layer::Session);
        }
        if self.trust.is_some() {
            layers.push(Layer::Trust);
        }
        layers
    }
}

impl Statement {
    /// Whether it applies to a request on a resource, and how near it names who asks; `action` is in small letters.
    fn applies(
        &self,
        request: &Request,
        (action, resource): (&str, &str),
        doubt: Doubt,
        missing: &mut Missing,
    ) -> Option<Named> {
        let service = action.split_inclusive(':').next().unwrap_or_default();
        // What may be listed counts where that denies more: listed by a denial, or excepted from what is allowed.
        let may_count = doubt.action && self.actions.not == (self.effect == Effect::Allow);
        let is_listed = |pattern: &Pattern| pattern.matches(action) || (may_count && pattern.may_begin_with(service));
        if self.actions.items.iter().any(is_listed) == self.actions.not {
            return None;
        }
        let named = match &self.target {
            Target::Resources(resources) => {
                let covered = covers(resources, self.effect, (resource, doubt), &request.context, missing);
                let covered = match self.effect {
                    Effect::Allow => covered && !(doubt.resource && resources.not),
                    Effect::Deny => covered || doubt.resource,
                };
                covered.then_some(Named::Itself)
            }
            Target::Principals(names) => {
                let named = names.items.iter().filter_map(|name| name.names(&request.principal)).max();
                match (names.not, named) {
                    (false, named) => named,
                    // A principal that isn't excepted isn't named either
                    (true, None) => Some(Named::Account),
                    (true, Some(_)) => None,
                }
            }
        }?;
        let in_doubt = |key: &str| doubt.is_about(key) && request.context.get(key).is_none();
        let conditions = self.conditions.iter().map(|condition| {
            request.context.note(condition.keys(), missing);
            let known = !condition.keys().any(in_doubt);
            let holds = condition.holds(&request.context).filter(|_| known);
            holds.unwrap_or(self.effect == Effect::Deny)
        });
        conditions.fold(true, |all, one| all & one).then_some(named)
    }
}

/// Whether a resource is listed, or with `NotResource` isn't. What has a variable without a value lists nothing; what a
/// `NotResource` with one excepts isn't known, and so it denies and allows nothing.
fn covers(
    resources: &Listed<Template>,
    effect: Effect,
    (resource, doubt): (&str, Doubt),
    context: &Context,
    missing: &mut Missing,
) -> bool {
    context.note(resources.items.iter().flat_map(Template::keys), missing);
    // As with actions: what may be listed counts where that denies more.
    let may_count = doubt.characters && resources.not == (effect == Effect::Allow);
    let is_listed = |template: &Template| {
        let pattern = template.pattern(context)?;
        Some(if may_count { pattern.may_match(resource) } else { pattern.matches(resource) })
    };
    if resources.not {
        let unknown = effect == Effect::Allow;
        !resources.items.iter().any(|template| is_listed(template).unwrap_or(unknown))
    } else {
        resources.items.iter().any(|template| is_listed(template) == Some(true))
    }
}

impl Decision {
    /// As `SimulatePrincipalPolicy` spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitlyDenied => "implicitDeny",
            Self::ExplicitlyDenied => "explicitDeny",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Trust => "trust policy",
        })
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.statement)?;
        if let Some(sid) = self.sid.as_ref().filter(|sid| !sid.is_empty()) {
            write!(f, " (`{sid}`)")?;
        }
        write!(f, " of the {} `{}`", self.layer, self.source)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decision {
            Decision::Allowed => f.write_str("allowed by ")?,
            Decision::ExplicitlyDenied => f.write_str("explicitly denied by ")?,
            Decision::ImplicitlyDenied => {
                f.write_str("implicitly denied: ")?;
                for (and, layer) in separators(" and ").zip(&self.lacking) {
                    write!(f, "{and}no {layer} allows it")?;
                }
                return Ok(());
            }
        }
        separators(" and ").zip(&self.matched).try_for_each(|(and, matched)| write!(f, "{and}{matched}"))
    }
}

/// Nothing before the first item of a list, then a separator before each.
fn separators(separator: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(std::iter::repeat(separator))
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separators("; ").zip(&self.verdicts).try_for_each(|(separator, verdict)| {
            write!(f, "{separator}{} on {}: {verdict}", self.action, verdict.resource)
        })
    }
}

#[cfg(test)]
mod tests;
