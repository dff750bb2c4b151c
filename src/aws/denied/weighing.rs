//! What the policies that were read decide about a request, as far as that can be known from outside.
//!
//! Some condition keys only the service knows, such as the address that a request came from. What asks for those is
//! counted twice: once in the caller's favour, and once against. Where both come to the same, it is known.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::reading::Policy;
use crate::policy::{
    Decision, Document, Doubt, Effect, Evaluation, Kind, Layer, Policies, Request, Source, Verdict, evaluate,
    evaluate_in_doubt,
};
use crate::time::Timestamp;

/// A request, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) request: Request,
    /// When, by the service's clock.
    pub(super) now: Timestamp,
    /// Whether the resource isn't known.
    pub(super) any_resource: bool,
    /// Whether the tags of who asks are known, so that one that isn't there is absent.
    pub(super) tags: bool,
}

/// A statement that has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    /// Which of the policies, counted from 0.
    pub(super) policy: usize,
    /// Which of its statements, counted from 1.
    pub(super) statement: usize,
}

/// A decision, and the statements that made it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) decision: Decision,
    pub(super) matched: Vec<At>,
    pub(super) lacking: Vec<Layer>,
}

/// Both ways to count what isn't known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weight {
    /// In the caller's favour.
    pub(super) mildest: Side,
    /// As not.
    pub(super) hardest: Side,
    /// The condition keys that only the service knows, as the policies spell them.
    pub(super) unknown: BTreeSet<String>,
}

/// Whether a statement applies.
enum Applies {
    Known,
    /// Perhaps: the statement as it is where what isn't known holds.
    Perhaps(Value),
}

impl Question {
    /// The policies' decision.
    pub(super) fn weigh(&self, policies: &[Policy]) -> Weight {
        let mut unknown = BTreeSet::new();
        let applies: Vec<Vec<Applies>> = policies
            .iter()
            .map(|policy| {
                let statements = policy.statements.iter();
                statements.map(|statement| self.applies(policy, statement, &mut unknown)).collect()
            })
            .collect();
        let side = |liked: Effect| {
            let documents: Vec<(String, Layer, Document)> = policies
                .iter()
                .zip(&applies)
                .enumerate()
                .filter_map(|(index, (policy, applies))| {
                    let statements = policy.statements.iter().zip(applies);
                    let statements = statements.map(|(statement, applies)| match applies {
                        Applies::Known => statement.clone(),
                        Applies::Perhaps(held) if effect(statement) == Some(liked) => held.clone(),
                        Applies::Perhaps(_) => nothing(policy.layer),
                    });
                    Some((index.to_string(), policy.layer, document(policy, statements.collect())?))
                })
                .collect();
            self.side(&documents)
        };
        Weight { mildest: side(Effect::Allow), hardest: side(Effect::Deny), unknown }
    }

    fn side(&self, documents: &[(String, Layer, Document)]) -> Side {
        let mut policies = Policies::default();
        for (name, layer, document) in documents {
            put(&mut policies, *layer, Source { name, document });
        }
        let verdict = self.evaluate(&policies).verdicts.into_iter().next();
        let Verdict { decision, matched, lacking, .. } = verdict.unwrap_or_else(|| Verdict {
            resource: String::new(),
            decision: Decision::ImplicitlyDenied,
            matched: Vec::new(),
            lacking: Vec::new(),
        });
        let at = |source: &str, statement| source.parse().ok().map(|policy| At { policy, statement });
        let matched = matched.iter().filter_map(|matched| at(&matched.source, matched.statement)).collect();
        Side { decision, matched, lacking }
    }

    fn evaluate(&self, policies: &Policies<'_>) -> Evaluation {
        if self.any_resource {
            evaluate_in_doubt(policies, &self.request, Doubt { resource: true, ..Doubt::default() })
        } else {
            evaluate(policies, &self.request)
        }
    }

    fn applies(&self, policy: &Policy, statement: &Value, unknown: &mut BTreeSet<String>) -> Applies {
        let everywhere = statement.get("Resource").is_some_and(|resource| resource == "*" || *resource == json!(["*"]));
        let unsure = self.any_resource && policy.layer != Layer::Trust && !everywhere;
        let asked = self.alone(policy, statement).map(|(_, asked)| asked).unwrap_or_default();
        if asked.is_empty() && !unsure {
            return Applies::Known;
        }
        let mut held = without(statement, &asked, unsure);
        // A variable in the resource that has no value here
        if let Some((_, left)) = self.alone(policy, &held).filter(|(_, left)| !left.is_empty()) {
            held = without(&held, &left, true);
        }
        if self.alone(policy, &held).is_none_or(|(applies, _)| !applies) {
            // What is known of it is enough: it doesn't apply
            return Applies::Known;
        }
        unknown.extend(asked);
        Applies::Perhaps(held)
    }

    /// Whether a statement by itself applies, and the keys it asks for that only the service knows.
    fn alone(&self, policy: &Policy, statement: &Value) -> Option<(bool, Vec<String>)> {
        let document = document(policy, vec![statement.clone()])?;
        let mut policies = Policies::default();
        let source = Source { name: "", document: &document };
        if policy.layer == Layer::Trust {
            policies.trust = Some(source);
        } else {
            policies.identity.push(source);
        }
        let found = self.evaluate(&policies);
        let asked = found.missing.into_iter().filter(|key| !self.is_known(key)).collect();
        Some((found.verdicts.iter().any(|verdict| !verdict.matched.is_empty()), asked))
    }

    /// Whether a key that the request hasn't is known to be absent.
    fn is_known(&self, key: &str) -> bool {
        let key = key.to_lowercase();
        let of_session = ["aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime", "aws:username"];
        let of_services = ["aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:sourcearn"];
        of_session.contains(&key.as_str())
            || of_services.contains(&key.as_str())
            || (self.tags && key.starts_with("aws:principaltag/"))
    }
}

fn put<'a>(policies: &mut Policies<'a>, layer: Layer, source: Source<'a>) {
    match layer {
        Layer::Identity => policies.identity.push(source),
        Layer::Boundary => policies.boundary = Some(source),
        Layer::Session => policies.session.push(source),
        Layer::Trust => policies.trust = Some(source),
    }
}

fn document(policy: &Policy, statements: Vec<Value>) -> Option<Document> {
    let mut whole = Map::new();
    whole.extend(policy.version.clone().map(|version| ("Version".to_owned(), version)));
    whole.insert("Statement".to_owned(), Value::Array(statements));
    let kind = if policy.layer == Layer::Trust { Kind::Trust } else { Kind::Identity };
    Document::parse(&Value::Object(whole).to_string(), kind).ok()
}

fn effect(statement: &Value) -> Option<Effect> {
    match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Some(Effect::Allow),
        Some("Deny") => Some(Effect::Deny),
        _ => None,
    }
}

/// A statement that applies to nothing, in the place of another, so that those after it keep their numbers.
fn nothing(layer: Layer) -> Value {
    match layer {
        Layer::Trust => json!({"Effect": "Deny", "Action": "sts:Nothing", "Principal": "*"}),
        _ => json!({"Effect": "Deny", "Action": "vmfa:Nothing", "Resource": "*"}),
    }
}

/// A statement without its conditions on some keys, and about everything where its resources don't count.
fn without(statement: &Value, keys: &[String], everywhere: bool) -> Value {
    let mut left = statement.clone();
    if let Some(Value::Object(conditions)) = left.get_mut("Condition") {
        for condition in conditions.values_mut().filter_map(Value::as_object_mut) {
            condition.retain(|key, _| !keys.iter().any(|other| other.eq_ignore_ascii_case(key)));
        }
        conditions.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
    }
    if let Some(object) = left.as_object_mut().filter(|_| everywhere)
        && (object.remove("NotResource").is_some() || object.contains_key("Resource"))
    {
        object.insert("Resource".to_owned(), json!("*"));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Context, Principal};

    fn policy(layer: Layer, text: &str) -> Policy {
        let Value::Array(statements) = serde_json::from_str(&format!("[{text}]")).unwrap() else { panic!("{text}") };
        let version = Some(json!("2012-10-17"));
        Policy { name: String::new(), arn: None, of: None, layer, version, statements }
    }

    fn question(action: &str, resource: Option<&str>) -> Question {
        Question {
            request: Request {
                action: action.to_owned(),
                resources: vec![resource.unwrap_or("*").to_owned()],
                principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".to_owned() },
                context: Context::from_iter([("aws:username", "alice")]),
            },
            now: Timestamp::from_unix(0),
            any_resource: resource.is_none(),
            tags: false,
        }
    }

    /// Both decisions, and what isn't known.
    fn decisions(question: &Question, policies: &[Policy]) -> (Decision, Decision, Vec<String>) {
        let Weight { mildest, hardest, unknown } = question.weigh(policies);
        (mildest.decision, hardest.decision, unknown.into_iter().collect())
    }

    const OWN: &str = "arn:aws:iam::123456789012:user/alice";
    use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};

    #[test]
    fn statements_keep_their_numbers() {
        let policy = policy(
            Layer::Identity,
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*"},
               {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "v"}}},
               {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}"#,
        );
        let Weight { mildest, hardest, unknown } = question("iam:GetUser", Some(OWN)).weigh(&[policy]);
        assert_eq!(mildest.matched, [At { policy: 0, statement: 3 }]);
        assert_eq!(hardest.matched, [At { policy: 0, statement: 2 }, At { policy: 0, statement: 3 }]);
        assert_eq!(unknown, BTreeSet::from(["aws:SourceVpc".to_owned()]));
    }

    #[test]
    fn a_variable_without_a_value_may_be_anything() {
        let of_team = r#"{"Effect": "EFFECT", "Action": "iam:*",
            "Resource": "arn:aws:iam::*:user/${aws:PrincipalTag/team}"}"#;
        let asked = question("iam:GetUser", Some(OWN));
        let unknown = vec!["aws:PrincipalTag/team".to_owned()];
        let allow = policy(Layer::Identity, &of_team.replace("EFFECT", "Allow"));
        assert_eq!(decisions(&asked, std::slice::from_ref(&allow)), (Allowed, ImplicitlyDenied, unknown.clone()));
        let deny = policy(Layer::Identity, &of_team.replace("EFFECT", "Deny"));
        assert_eq!(decisions(&asked, &[deny]), (ImplicitlyDenied, ExplicitlyDenied, unknown));
        // Who has no tags has none
        let known = Question { tags: true, ..asked };
        assert_eq!(decisions(&known, &[allow]), (ImplicitlyDenied, ImplicitlyDenied, vec![]));
    }

    #[test]
    fn a_resource_that_isnt_known_may_be_any() {
        let own = policy(
            Layer::Identity,
            r#"{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${aws:username}"},
               {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}"#,
        );
        let own = std::slice::from_ref(&own);
        assert_eq!(decisions(&question("iam:GetUser", None), own), (Allowed, ImplicitlyDenied, vec![]));
        assert_eq!(decisions(&question("iam:ListUsers", None), own), (Allowed, Allowed, vec![]));
        assert_eq!(decisions(&question("iam:GetRole", None), own), (ImplicitlyDenied, ImplicitlyDenied, vec![]));
    }

    #[test]
    fn a_trust_policy_may_ask_for_what_isnt_known() {
        let all = policy(Layer::Identity, r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        let trust = policy(
            Layer::Trust,
            r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"},
                "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}"#,
        );
        let asked = question("sts:AssumeRole", Some("arn:aws:iam::123456789012:role/admin"));
        assert_eq!(decisions(&asked, &[all, trust]), (Allowed, ImplicitlyDenied, vec!["sts:ExternalId".to_owned()]));
    }
}
