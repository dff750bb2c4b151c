//! Whether a call can be read in one way only.
//!
//! Another server reads it by its own rules: a request that two readers may take for different calls isn't passed on,
//! even for an administrator.

use super::input::Objection;
use super::protocol::is_form;
use crate::serve::host;
use crate::serve::message::Request;

/// Headers of which one counts.
const ONCE: &[&str] = &["host", "authorization", "content-type", "x-amz-target", "smithy-protocol", "x-amz-date"];

/// Headers that mean another method than the request's.
const OVERRIDES: &[&str] = &["x-http-method-override", "x-http-method", "x-method-override"];

/// What is ambiguous about a call.
pub(super) fn objection(service: &str, region: &str, request: &Request) -> Option<Objection> {
    why(service, region, request).map(Objection)
}

fn why(service: &str, region: &str, request: &Request) -> Option<&'static str> {
    let count = |name: &str| request.headers.iter().filter(|(header, _)| header == name).count();
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| ONCE.contains(name) || name.starts_with("x-amz-"));
    names.sort_unstable();
    if names.windows(2).any(|two| two.first() == two.last()) {
        return Some("a header that counts once is there twice");
    }
    if OVERRIDES.iter().any(|name| count(name) > 0) {
        return Some("a header asks for another method");
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain(region) || !plain(service) {
        return Some("the scope of the signature isn't plain");
    }
    let authorization = request.header("authorization").unwrap_or_default();
    if authorization.matches("Credential=").count().saturating_add(named(&request.query, "X-Amz-Credential")) != 1 {
        return Some("more than one credential is named");
    }
    if service != "s3" && authorization.is_empty() {
        return Some("a presigned request tells its service to nobody but who verifies it");
    }
    let path = percent_encoding::percent_decode_str(&request.path).decode_utf8_lossy();
    let own = ["/moto-api", "/_", "/latest/meta-data", "/latest/api", "/favicon.ico", "/@"];
    if own.iter().any(|start| path.starts_with(start)) {
        return Some("the path is of the other server's own");
    }
    if service != "s3" && elsewhere(&request.path, &request.query) {
        return Some("a host of AWS in the path or the query string may mean another region");
    }
    let host = request.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = host::is_address(host) || !name.contains('.') || host::in_front(host).is_some();
    if !local || request.header("x-forwarded-host").is_some() {
        return Some("the host names another server, which may mean another service or bucket");
    }
    let form = is_form(request);
    let body = if form { str::from_utf8(&request.body).map_or(2, |body| named(body, "Action")) } else { 0 };
    let actions = named(&request.query, "Action").saturating_add(body);
    let names = actions.saturating_add(count("x-amz-target")).saturating_add(count("smithy-protocol"));
    if names > usize::from(service != "s3") {
        return Some("the operation is named in more than one way");
    }
    None
}

/// Whether a host of AWS is named, by which moto tells the region.
fn elsewhere(path: &str, query: &str) -> bool {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().to_ascii_lowercase();
    [path, query].iter().any(|text| decode(text).contains(".amazonaws.com"))
}

/// How often a parameter is there, however its name is written.
fn named(query: &str, name: &str) -> usize {
    let names = query.split('&').map(|part| part.split('=').next().unwrap_or_default());
    names.filter(|other| percent_encoding::percent_decode_str(other).decode_utf8_lossy() == name).count()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn request(query: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let mut all = vec![("authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y")];
        all.extend(
            headers.iter().filter(|(name, _)| *name == "host").count().eq(&0).then_some(("host", "127.0.0.1:1")),
        );
        all.extend(headers);
        Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            headers: all.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }
    }

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    #[test]
    fn what_clients_send_is_plain() {
        for (service, request) in [
            ("ec2", request("", &[FORM], "Action=DescribeInstances&Version=2016-11-15")),
            ("ec2", request("Action=DescribeInstances", &[("host", "moto:5000")], "")),
            ("dynamodb", request("", &[("x-amz-target", "DynamoDB_20120810.GetItem")], "{}")),
            (
                "cloudtrail",
                request(
                    "",
                    &[("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.ListTrails")],
                    "{}",
                ),
            ),
            ("monitoring", request("", &[("smithy-protocol", "rpc-v2-cbor")], "")),
            ("s3", request("list-type=2", &[("host", "bucket.s3.localhost.localstack.cloud:4566")], "")),
            ("lambda", request("", &[("host", "localhost")], "{}")),
        ] {
            assert_eq!(why(service, "us-east-1", &request), None, "{service} {request:?}");
        }
    }

    #[test]
    fn what_two_readers_read_differently_is_not() {
        let target = ("x-amz-target", "DynamoDB_20120810.GetItem");
        for (service, request) in [
            ("sqs", request("", &[("authorization", "AWS4-HMAC-SHA256 Credential=x/y/z/ec2/aws4_request")], "")),
            ("ec2", request("Action=A", &[FORM], "Action=B")),
            ("ec2", request("", &[FORM], "Action=A&%41ction=B")),
            ("ec2", request("", &[FORM, target], "Action=A")),
            ("dynamodb", request("", &[target, target], "{}")),
            ("dynamodb", request("Action=A", &[target], "{}")),
            ("lambda", request("Action=ListFunctions", &[("x-amz-target", "x.ListFunctions")], "")),
            ("s3", request("Action=ListFunctions", &[], "")),
            ("s3", request("", &[("host", "secret.example")], "")),
            ("sqs", request("", &[("host", "ec2.us-east-1.amazonaws.com")], "")),
            ("lambda", request("", &[("x-http-method-override", "DELETE")], "")),
            ("ec2", request("X-Amz-Credential=x", &[FORM], "Action=A")),
            ("s3", request("", &[("x-amz-acl", "private"), ("x-amz-acl", "public-read")], "")),
            ("sqs", request("QueueUrl=https://sqs.eu-west-1.amazonaws.com/1/q&Action=A", &[], "")),
            ("sqs/x", request("Action=A", &[], "")),
        ] {
            assert!(why(service, "us-east-1", &request).is_some(), "{service} {request:?}");
        }
    }
}
