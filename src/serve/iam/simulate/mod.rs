//! The policy simulator: what policies would decide about requests that nobody makes.

mod input;
mod position;
mod sources;

use std::collections::BTreeSet;

use input::Principal;
use sources::{Origin, Sources};

use crate::policy::{self, Context, Decision, Evaluation, Layer, Policies, Request, Source, Verdict};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// On the wire it is this, whatever the model says and whatever kind of policy it is.
const SOURCE_TYPE: &str = "IAM Policy";

/// How many characters one simulation compares at most: other requests wait for it.
const WORK: usize = 4_000_000_000;

pub(in crate::serve) fn simulate_principal_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    input::refuse(call, &["ResourcePolicy", "PolicyExclusionList"])?;
    let principal = Principal::of(call.required("PolicySourceArn")?, call.account)?;
    let mut sources = Sources::of(&principal, call.account);
    sources.add_input(call, "PolicyInputList")?;
    let context = match call.input.get("CallerArn") {
        Some(arn) => input::caller(arn, call.account)?,
        None => principal.describe(call.account),
    };
    simulate(call, out, sources, context)
}

pub(in crate::serve) fn simulate_custom_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    input::refuse(call, &["ResourcePolicy", "OrderedOrganizationPolicyInputList"])?;
    let mut sources = Sources::default();
    sources.add_input(call, "PolicyInputList")?;
    let context = match call.input.get("CallerArn") {
        Some(arn) => input::caller(arn, call.account)?,
        None => Context::new(),
    };
    simulate(call, out, sources, context)
}

pub(in crate::serve) fn get_context_keys_for_custom_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let mut sources = Sources::default();
    sources.add_input(call, "PolicyInputList")?;
    write_keys(out, &sources);
    Ok(())
}

pub(in crate::serve) fn get_context_keys_for_principal_policy(
    call: &mut Call<'_>,
    out: &mut Writer,
) -> Result<(), Fault> {
    let principal = Principal::of(call.required("PolicySourceArn")?, call.account)?;
    let mut sources = Sources::of(&principal, call.account);
    sources.add_input(call, "PolicyInputList")?;
    write_keys(out, &sources);
    Ok(())
}

/// Each key once, however it is spelled.
fn write_keys(out: &mut Writer, sources: &Sources) {
    let mut seen = BTreeSet::new();
    let keys =
        sources.identity.iter().chain(&sources.boundary).flat_map(|origin| origin.document.document().context_keys());
    let keys: Vec<&str> = keys.filter(|key| seen.insert(key.to_lowercase())).collect();
    out.texts("ContextKeyNames", keys);
}

/// Decides about every action on every resource.
fn simulate(call: &Call<'_>, out: &mut Writer, mut sources: Sources, mut context: Context) -> Result<(), Fault> {
    sources.replace_boundary(call)?;
    let (actions, resources) = (input::actions(call)?, input::resources(call)?);
    input::owner(call)?;
    input::context(call, &mut context)?;
    // Sources go by their number: names of policies may be the same in two places.
    let names: Vec<String> = (0..sources.identity.len()).map(|number| number.to_string()).collect();
    let identity = names.iter().zip(&sources.identity);
    let policies = Policies {
        identity: identity.map(|(name, origin)| Source { name, document: origin.document.document() }).collect(),
        boundary: sources
            .boundary
            .as_ref()
            .map(|origin| Source { name: "boundary", document: origin.document.document() }),
        ..Policies::default()
    };
    // A pattern is compared with a resource character by character, at worst each with each.
    let documents = sources.identity.iter().chain(&sources.boundary);
    let characters: usize = documents.map(|origin| origin.document.text().len()).sum();
    let longest = resources.iter().map(|resource| resource.len()).max().unwrap_or(0).max(64);
    let entries = call.input.iter().filter(|(name, _)| name.starts_with("ContextEntries."));
    let longest = longest.max(entries.map(|(_, value)| value.len()).sum());
    let rounds = actions.len().saturating_mul(resources.len());
    let work = rounds.saturating_mul(characters).saturating_mul(longest);
    if work > WORK {
        return Err(Fault::invalid_input("these are too many actions and resources for one simulation")
            .because(format!("it would take {work} comparisons of characters at worst, and {WORK} are the most")));
    }
    let numbered = (0_u32..).zip(actions).map(|(number, action)| (format!("{number:010}"), action));
    call.page(out, "EvaluationResults", numbered, |out, action| {
        let evaluations = resources.iter().map(|resource| {
            let principal = policy::Principal::User { arn: String::new() };
            let (action, resources) = (action.to_owned(), vec![(*resource).to_owned()]);
            policy::evaluate(&policies, &Request { action, resources, principal, context: context.clone() })
        });
        let evaluations: Vec<Evaluation> = evaluations.collect();
        out.text("EvalActionName", action);
        write(out, &sources, &evaluations);
    })
}

/// Writes the result of one action: of the one resource, or of all together and then of each.
fn write(out: &mut Writer, sources: &Sources, evaluations: &[Evaluation]) {
    if let [evaluation] = evaluations {
        for verdict in &evaluation.verdicts {
            out.text("EvalResourceName", &verdict.resource);
            out.text("EvalDecision", verdict.decision.as_str());
            write_reasons(out, sources, &[verdict], &evaluation.missing);
        }
        return;
    }
    let verdicts: Vec<&Verdict> = evaluations.iter().flat_map(|evaluation| &evaluation.verdicts).collect();
    let worst = verdicts.iter().map(|verdict| verdict.decision).max().unwrap_or(Decision::ImplicitlyDenied);
    out.text("EvalDecision", worst.as_str());
    let decisive: Vec<&Verdict> = verdicts.into_iter().filter(|verdict| verdict.decision == worst).collect();
    write_reasons(out, sources, &decisive, &[]);
    let each =
        evaluations.iter().flat_map(|evaluation| evaluation.verdicts.iter().map(move |verdict| (evaluation, verdict)));
    out.list("ResourceSpecificResults", each, |out, (evaluation, verdict)| {
        out.text("EvalResourceName", &verdict.resource);
        out.text("EvalResourceDecision", verdict.decision.as_str());
        write_reasons(out, sources, &[verdict], &evaluation.missing);
    });
}

fn write_reasons(out: &mut Writer, sources: &Sources, verdicts: &[&Verdict], missing: &[String]) {
    let mut matched: Vec<(&Origin, usize)> = Vec::new();
    for statement in verdicts.iter().flat_map(|verdict| &verdict.matched) {
        let origin = match statement.layer {
            Layer::Boundary => sources.boundary.as_ref(),
            _ => statement.source.parse().ok().and_then(|number: usize| sources.identity.get(number)),
        };
        let Some(origin) = origin else { continue };
        let known = |(other, index): &(&Origin, usize)| std::ptr::eq(*other, origin) && *index == statement.statement;
        if !matched.iter().any(known) {
            matched.push((origin, statement.statement));
        }
    }
    out.list("MatchedStatements", matched, |out, (origin, statement)| {
        out.text("SourcePolicyId", &origin.id);
        out.text("SourcePolicyType", SOURCE_TYPE);
        if let Some((start, end)) = position::of(origin.document.text(), statement) {
            for (name, position) in [("StartPosition", start), ("EndPosition", end)] {
                out.open(name, |out| {
                    out.number("Line", position.line);
                    out.number("Column", position.column);
                });
            }
        }
    });
    out.texts("MissingContextValues", missing);
    if sources.boundary.is_some() {
        let bounded = |verdict: &&Verdict| {
            let denies = verdict.decision == Decision::ExplicitlyDenied;
            verdict.lacking.contains(&Layer::Boundary)
                || (denies && verdict.matched.iter().any(|matched| matched.layer == Layer::Boundary))
        };
        out.open("PermissionsBoundaryDecisionDetail", |out| {
            out.flag("AllowedByPermissionsBoundary", !verdicts.iter().any(bounded));
        });
    }
}
