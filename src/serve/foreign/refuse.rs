//! Refusals as other services wrap them.

use zeroize::Zeroizing;

use super::protocol::Protocol;
use crate::serve::fault::Fault;
use crate::serve::message::Response;
use crate::wire::xml;

/// What those services call the codes of signatures and keys: IAM's code, S3's, EC2's, and that of those with JSON.
const CODES: &[(&str, &str, &str, &str)] = &[
    ("InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure", "UnrecognizedClientException"),
    ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
    ("IncompleteSignature", "AuthorizationHeaderMalformed", "AuthFailure", "IncompleteSignatureException"),
    ("ExpiredToken", "ExpiredToken", "RequestExpired", "ExpiredTokenException"),
    ("AccessDenied", "AccessDenied", "UnauthorizedOperation", "AccessDeniedException"),
];

/// Services that spoke Query before: the trait `awsQueryCompatible` of their models.
const COMPATIBLE: &[&str] = &["sqs", "monitoring"];

const UNVALIDATED: &str = "AWS was not able to validate the provided access credentials";

pub(super) fn refusal(service: &str, protocol: Protocol, fault: &Fault, request_id: &str) -> Response {
    let theirs = CODES.iter().find(|(ours, ..)| *ours == fault.code);
    let message = fault.message.as_str();
    match protocol {
        Protocol::Query => {
            let body = xml::error(xml::IAM, fault.status, fault.code, message, request_id);
            answer(fault.status, "text/xml", request_id, body.as_bytes())
        }
        Protocol::S3 => {
            let code = theirs.map_or(fault.code, |(_, s3, ..)| s3);
            let body = xml::bare("Error", |out| {
                out.text("Code", code);
                out.text("Message", message);
                out.text("RequestId", request_id);
            });
            answer(fault.status, "application/xml", request_id, body.as_bytes())
        }
        Protocol::Ec2 => {
            let code = theirs.map_or(fault.code, |(_, _, ec2, _)| ec2);
            let (status, message) = match code {
                "AuthFailure" => (401, UNVALIDATED.to_owned()),
                "UnauthorizedOperation" => {
                    (403, format!("You are not authorized to perform this operation. {message}"))
                }
                _ => (fault.status, message.to_owned()),
            };
            let body = xml::bare("Response", |out| {
                out.open("Errors", |out| {
                    out.open("Error", |out| {
                        out.text("Code", code);
                        out.text("Message", &message);
                    });
                });
                out.text("RequestID", request_id);
            });
            answer(status, "text/xml;charset=UTF-8", request_id, body.as_bytes())
        }
        Protocol::Json | Protocol::RestJson | Protocol::Cbor => {
            let code = theirs.map_or(fault.code, |(.., json)| json);
            let rest = protocol == Protocol::RestJson;
            let status = if rest || fault.status >= 500 { fault.status } else { 400 };
            let mut response = if protocol == Protocol::Cbor {
                answer(status, "application/cbor", request_id, &cbor(&[("__type", code), ("message", message)]))
            } else {
                let body = serde_json::json!({ "__type": code, "message": message, "Message": message }).to_string();
                let kind = if rest { "application/json" } else { "application/x-amz-json-1.1" };
                answer(status, kind, request_id, body.as_bytes())
            };
            response.headers.push(("x-amzn-errortype", code.to_owned()));
            if COMPATIBLE.contains(&service) {
                // Clients made for the old protocol look for its code.
                let sender = if fault.status >= 500 { "Receiver" } else { "Sender" };
                response.headers.push(("x-amzn-query-error", format!("{};{sender}", fault.code)));
            }
            if protocol == Protocol::Cbor {
                response.headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
            }
            response
        }
    }
}

fn answer(status: u16, kind: &str, request_id: &str, body: &[u8]) -> Response {
    let headers = vec![("content-type", kind.to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    Response { status, headers, body: Zeroizing::new(body.to_vec()) }
}

/// A map of texts: RFC 8949, section 3.1, major types 5 and 3.
fn cbor(map: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let head = |bytes: &mut Vec<u8>, major: u8, length: usize| match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 24 => bytes.push(major | length),
        (Ok(length), _) => bytes.extend([major | 24, length]),
        (_, Ok(length)) => {
            bytes.push(major | 25);
            bytes.extend(length.to_be_bytes());
        }
        _ => bytes.push(major),
    };
    head(&mut bytes, 0xa0, map.len());
    for text in map.iter().flat_map(|(name, value)| [name, value]) {
        let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
        head(&mut bytes, 0x60, text.len());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_texts_is_written_as_rfc_8949_has_it() {
        assert_eq!(cbor(&[("a", "b")]), [0xa1, 0x61, b'a', 0x61, b'b']);
        let long = "x".repeat(300);
        let bytes = cbor(&[("", &long)]);
        assert_eq!(bytes[..5], [0xa1, 0x60, 0x79, 0x01, 0x2c]);
        assert_eq!(bytes.len(), 305);
    }

    #[test]
    fn each_protocol_has_its_own_refusal() {
        let fault = Fault::access_denied("User: x is not authorized to perform: y");
        let text = |protocol| {
            let response = refusal("sqs", protocol, &fault, "id");
            (response.status, String::from_utf8_lossy(&response.body).into_owned())
        };
        let (status, body) = text(Protocol::Ec2);
        assert_eq!(status, 403);
        assert!(body.contains("<Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not"), "{body}");
        let (status, body) = text(Protocol::S3);
        assert_eq!(status, 403);
        assert!(body.starts_with("<Error><Code>AccessDenied</Code>"), "{body}");
        let (status, body) = text(Protocol::Json);
        assert_eq!(status, 400);
        assert!(body.contains("\"AccessDeniedException\""), "{body}");
    }
}
