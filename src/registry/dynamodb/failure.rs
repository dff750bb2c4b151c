//! What the service and the way to it say, told apart by what helps: "Error handling with DynamoDB".

use serde_json::Value;

use crate::registry::Error;

/// The most of a service's words that is repeated.
const LONGEST_REASON: usize = 300;

/// Why something wasn't done.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer, or the service failed. What was asked for may have been done, or on no account where `arrived` is false.
    Lost { reason: String, arrived: bool },
    /// It wasn't done, and may be in a moment.
    Again(Error),
    /// The credentials are over.
    Expired(Error),
    /// The signature's time is too far from the service's.
    Skewed(Error),
    /// The condition isn't met.
    Condition,
    /// A transaction's conditions: whether each action's is met.
    Cancelled(Vec<bool>),
    /// Trying again doesn't help.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// What a refusal of the service means.
pub(super) fn of_service(place: &str, status: u16, body: &[u8]) -> Failure {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |names: [&str; 2]| names.iter().find_map(|name| answer.get(*name)?.as_str()).unwrap_or_default();
    let kind = field(["__type", "code"]);
    let kind = kind.rsplit('#').next().unwrap_or_default();
    // A signature that doesn't fit is answered with what was signed, and a session's token is in there.
    let said = field(["message", "Message"]).split("The Canonical String").next().unwrap_or_default().trim();
    let reason = readable(&match (kind, said) {
        ("", "") => format!("the answer has status {status}"),
        (kind, "") => kind.to_owned(),
        (_, said) => said.to_owned(),
    });
    let place = place.to_owned();
    match kind {
        "ConditionalCheckFailedException" => Failure::Condition,
        "TransactionCanceledException" => of_transaction(place, reason, &answer),
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException" => Failure::Again(Error::Engine { place, reason }),
        "ResourceNotFoundException" => Failure::Final(Error::NoRegistry { place }),
        "ExpiredTokenException" | "ExpiredToken" => Failure::Expired(Error::Refused { place, reason }),
        "InvalidSignatureException" | "SignatureDoesNotMatch" if is_skew(said) => {
            Failure::Skewed(Error::Refused { place, reason })
        }
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken" => Failure::Final(Error::Refused { place, reason }),
        _ if status >= 500 => Failure::Lost { reason, arrived: true },
        _ => Failure::Final(Error::Engine { place, reason }),
    }
}

fn of_transaction(place: String, reason: String, answer: &Value) -> Failure {
    let reasons = answer.get("CancellationReasons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let codes = || reasons.iter().map(|reason| reason.get("Code").and_then(Value::as_str).unwrap_or("None"));
    let is_passing = |code: &str| {
        matches!(
            code,
            "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" | "ConditionalCheckFailed"
        )
    };
    match codes().find(|code| *code != "None" && !is_passing(code)) {
        Some(code) => Failure::Final(Error::Engine { place, reason: readable(code) }),
        None if codes().any(|code| code == "ConditionalCheckFailed") => {
            Failure::Cancelled(codes().map(|code| code != "ConditionalCheckFailed").collect())
        }
        None => Failure::Again(Error::Engine { place, reason }),
    }
}

/// "Signature expired: …", "Signature not yet current: …".
fn is_skew(said: &str) -> bool {
    said.starts_with("Signature expired") || said.starts_with("Signature not yet current")
}

/// What a service said, in one line that is short and has nothing that a terminal obeys.
pub(super) fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Failure {
        of_service("dynamodb://t", status, body.as_bytes())
    }

    #[test]
    fn each_answer_is_what_helps() {
        let kind =
            |kind: &str| told(400, &format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"m"}}"#));
        assert!(matches!(kind("ConditionalCheckFailedException"), Failure::Condition));
        for passing in ["ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException"]
        {
            assert!(matches!(kind(passing), Failure::Again(Error::Engine { .. })), "{passing}");
        }
        assert!(matches!(kind("ResourceNotFoundException"), Failure::Final(Error::NoRegistry { .. })));
        assert!(matches!(kind("AccessDeniedException"), Failure::Final(Error::Refused { .. })));
        assert!(matches!(kind("ExpiredTokenException"), Failure::Expired(_)));
        assert!(matches!(kind("ValidationException"), Failure::Final(Error::Engine { .. })));
        for body in ["", "<html>", "[]", r#"{"__type":"InternalServerError"}"#] {
            assert!(matches!(told(500, body), Failure::Lost { arrived: true, .. }), "{body}");
            assert!(matches!(told(400, body), Failure::Final(Error::Engine { .. })), "{body}");
        }
    }

    #[test]
    fn a_transaction_is_cancelled_by_conditions_and_repeated_for_anything_that_passes() {
        let cancelled = |codes: &[&str]| {
            let reasons: Vec<Value> = codes.iter().map(|code| serde_json::json!({ "Code": code })).collect();
            let body =
                serde_json::json!({ "__type": "x#TransactionCanceledException", "CancellationReasons": reasons });
            told(400, &body.to_string())
        };
        assert!(matches!(cancelled(&["None", "TransactionConflict"]), Failure::Again(_)));
        match cancelled(&["None", "ConditionalCheckFailed", "TransactionConflict"]) {
            Failure::Cancelled(met) => assert_eq!(met, [true, false, true]),
            other => panic!("{other:?}"),
        }
        assert!(matches!(cancelled(&["ValidationError", "ConditionalCheckFailed"]), Failure::Final(_)));
    }

    #[test]
    fn a_signature_that_does_not_fit_shows_nothing_that_was_signed() {
        let body = r#"{"__type":"x#InvalidSignatureException","message":"The request signature does not match.\n\nThe Canonical String for this request should have been\nx-amz-security-token:hidden"}"#;
        match told(400, body) {
            Failure::Final(Error::Refused { reason, .. }) => {
                assert_eq!(reason, "The request signature does not match.")
            }
            other => panic!("{other:?}"),
        }
    }
}
