//! The policy simulator: what policies would decide about requests that nobody makes.

mod input;
mod names;
mod position;
mod sources;

use std::collections::BTreeSet;

use input::Principal;
use sources::{Origin, Sources};

use crate::policy::{self, Context, Decision, Evaluation, Layer, Policies, Request, Source, Verdict};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

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
        None => input::nobody(),
    };
    simulate(call, out, sources, context)
}

pub(in crate::serve) fn get_context_keys_for_custom_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let keys = input::keys(call)?;
    out.texts("ContextKeyNames", keys);
    Ok(())
}

pub(in crate::serve) fn get_context_keys_for_principal_policy(
    call: &mut Call<'_>,
    out: &mut Writer,
) -> Result<(), Fault> {
    let principal = Principal::of(call.required("PolicySourceArn")?, call.account)?;
    let sources = Sources::of(&principal, call.account);
    let mut keys = Vec::new();
    for document in sources.documents() {
        keys.extend(policy::context_keys(document.text()).unwrap_or_default());
    }
    keys.extend(input::keys(call)?);
    out.texts("ContextKeyNames", keys);
    Ok(())
}

/// Decides about every action on every resource.
fn simulate(call: &Call<'_>, out: &mut Writer, mut sources: Sources, mut context: Context) -> Result<(), Fault> {
    sources.replace_boundary(call)?;
    let (actions, resources) = (input::actions(call)?, input::resources(call)?);
    input::owner(call)?;
    let given = input::context(call, &mut context)?;
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
    let missing = missing(&sources, &given);
    // A pattern is compared with a resource character by character, at worst each with each.
    let characters: usize = sources.documents().map(|document| document.text().len()).sum();
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
        write(out, &sources, &missing, action, &evaluations);
    })
}

/// The keys that any of the policies asks for and the request doesn't give, sorted. Statements about something else count,
/// and so do keys that are known of the simulated caller.
fn missing(sources: &Sources, given: &Context) -> Vec<String> {
    let keys = sources.documents().flat_map(|document| document.document().context_keys());
    let missing: BTreeSet<&str> = keys.filter(|key| given.get(key).is_none()).collect();
    missing.into_iter().map(str::to_owned).collect()
}

/// Writes the result of one action: of all resources together, and then of each that was named.
fn write(out: &mut Writer, sources: &Sources, missing: &[String], action: &str, evaluations: &[Evaluation]) {
    let verdicts: Vec<&Verdict> = evaluations.iter().flat_map(|evaluation| &evaluation.verdicts).collect();
    let worst = verdicts.iter().map(|verdict| verdict.decision).max().unwrap_or(Decision::ImplicitlyDenied);
    match verdicts.as_slice() {
        [verdict] => out.text("EvalResourceName", &verdict.resource),
        _ => {
            if let Some(name) = names::of(action) {
                out.text("EvalResourceName", name);
            }
        }
    }
    out.text("EvalDecision", worst.as_str());
    let missing_of = |decision| if decision == Decision::ImplicitlyDenied { missing } else { &[] };
    write_matched(out, sources, &verdicts);
    out.texts("MissingContextValues", missing_of(worst));
    write_boundary(out, sources, &verdicts);
    out.open("EvalDecisionDetails", |_| {});
    if matches!(verdicts.as_slice(), [verdict] if verdict.resource == "*") {
        return;
    }
    out.list("ResourceSpecificResults", verdicts, |out, verdict| {
        out.text("EvalResourceName", &verdict.resource);
        out.text("EvalResourceDecision", verdict.decision.as_str());
        if !verdict.matched.is_empty() {
            write_matched(out, sources, &[verdict]);
        }
        if !missing_of(verdict.decision).is_empty() {
            out.texts("MissingContextValues", missing);
        }
        write_boundary(out, sources, &[verdict]);
    });
}

/// The statements that decided about any of the resources, each once.
fn write_matched(out: &mut Writer, sources: &Sources, verdicts: &[&Verdict]) {
    let mut matched: Vec<(&Origin, &str, usize)> = Vec::new();
    for statement in verdicts.iter().flat_map(|verdict| &verdict.matched) {
        let (origin, kind) = match statement.layer {
            Layer::Boundary => (sources.boundary.as_ref(), "Permissions Boundary Policy"),
            _ => {
                let number: Option<usize> = statement.source.parse().ok();
                (number.and_then(|number| sources.identity.get(number)), "IAM Policy")
            }
        };
        let Some(origin) = origin else { continue };
        let known =
            |(other, _, index): &(&Origin, &str, usize)| std::ptr::eq(*other, origin) && *index == statement.statement;
        if !matched.iter().any(known) {
            matched.push((origin, kind, statement.statement));
        }
    }
    matched.sort_by_key(|(origin, kind, statement)| (*kind, sources.place(origin), *statement));
    out.list("MatchedStatements", matched, |out, (origin, kind, statement)| {
        out.text("SourcePolicyId", &origin.id);
        out.text("SourcePolicyType", kind);
        if let Some((start, end)) = position::of(origin.document.text(), statement) {
            for (name, position) in [("StartPosition", start), ("EndPosition", end)] {
                out.open(name, |out| {
                    out.number("Line", position.line);
                    out.number("Column", position.column);
                });
            }
        }
    });
}

fn write_boundary(out: &mut Writer, sources: &Sources, verdicts: &[&Verdict]) {
    if sources.boundary.is_none() {
        return;
    }
    let bounded = |verdict: &&Verdict| {
        let denies = verdict.decision == Decision::ExplicitlyDenied;
        verdict.lacking.contains(&Layer::Boundary)
            || (denies && verdict.matched.iter().any(|matched| matched.layer == Layer::Boundary))
    };
    out.open("PermissionsBoundaryDecisionDetail", |out| {
        out.flag("AllowedByPermissionsBoundary", !verdicts.iter().any(bounded));
    });
}
