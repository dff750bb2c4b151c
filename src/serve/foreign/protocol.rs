//! How a service speaks.

use super::operations::models;
use crate::serve::message::Request;

/// Where the paths of S3 Control begin, which is signed for as S3.
pub(super) const CONTROL: &str = "/v20180820/";

/// How a service speaks, and so how it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Query,
    Ec2,
    Json,
    RestJson,
    Cbor,
    S3,
}

/// How a call speaks, as far as that can be told without reading it whole.
pub(super) fn protocol(service: &str, request: &Request) -> Protocol {
    let rest = || models(service).iter().find(|model| model.is_rest());
    if service == "s3" && !request.path.starts_with(CONTROL) {
        Protocol::S3
    } else if request.header("x-amz-target").is_some() {
        Protocol::Json
    } else if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
        Protocol::Cbor
    } else if is_form(request) || request.query.split('&').any(|part| part.starts_with("Action=")) {
        if service == "ec2" { Protocol::Ec2 } else { Protocol::Query }
    } else if rest().is_some_and(|model| model.speaks("rest-xml")) {
        Protocol::Query
    } else {
        Protocol::RestJson
    }
}

pub(super) fn is_form(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    kind.starts_with("application/x-www-form-urlencoded")
}
