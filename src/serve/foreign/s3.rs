//! What a request to S3 asks for, by method, path and query.

use std::collections::HashSet;

use super::Ask;
use crate::policy::Doubt;
use crate::serve::stand::Request;

/// Method, level, query key, action.
const TABLE: &str = include_str!("../../../vectors/iam/s3.txt");

pub(super) fn read(request: &Request) -> Vec<Ask> {
    let (bucket, key) = place(request);
    let level = match (&bucket, &key) {
        (None, _) => "service",
        (Some(_), None) => "bucket",
        (Some(_), Some(_)) => "object",
    };
    let names = request.query.split('&').map(|part| part.split_once('=').map_or(part, |(name, _)| name));
    let keys: HashSet<String> = names.map(decoded).collect();
    let version = if keys.contains("versionId") { "Version" } else { "" };
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let action = lines.map(|line| line.split(' ').collect::<Vec<_>>()).find_map(|words| match words[..] {
        [method, of, query, action]
            if method == request.method && of == level && (query == "-" || keys.contains(query)) =>
        {
            Some(action.replace("{Version}", version))
        }
        _ => None,
    });
    let resource = match (&bucket, &key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
        (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let doubt = Doubt { action: action.is_none(), ..Doubt::default() };
    let action = action.unwrap_or_else(|| "s3:UnknownOperation".to_owned());
    // Many objects at once are named in the body: whoever may delete them may delete any.
    let many = action == "s3:DeleteObject" && level == "bucket";
    let resource = if many { format!("{resource}/*") } else { resource };
    let mut asks = vec![Ask { action, resource: resource.clone(), doubt: Doubt { resource: many, ..doubt } }];
    if let Some(source) = request.header("x-amz-copy-source") {
        let (source, query) = source.split_once('?').unwrap_or((source, ""));
        let version = if query.starts_with("versionId=") { "Version" } else { "" };
        let source = decoded(source.trim_start_matches('/'));
        asks.push(Ask {
            action: format!("s3:GetObject{version}"),
            resource: format!("arn:aws:s3:::{source}"),
            doubt: Doubt::default(),
        });
    }
    for (header, action) in [("x-amz-acl", "Acl"), ("x-amz-tagging", "Tagging")] {
        if request.method == "PUT" && level == "object" && request.header(header).is_some() {
            asks.push(Ask {
                action: format!("s3:PutObject{action}"),
                resource: resource.clone(),
                doubt: Doubt::default(),
            });
        }
    }
    asks
}

/// Bucket and key: in the path, or the bucket in front of the host's name.
fn place(request: &Request) -> (Option<String>, Option<String>) {
    let host = request.header("host").unwrap_or_default();
    let path = decoded(request.path.trim_start_matches('/'));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    if let Some((bucket, _)) = host.split_once(".s3.").or_else(|| host.split_once(".s3-")) {
        return (some(bucket), some(&path));
    }
    match path.split_once('/') {
        Some((bucket, key)) => (some(bucket), some(key)),
        None => (some(&path), None),
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: zeroize::Zeroizing::default(),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        };
        read(&request).into_iter().map(|ask| (ask.action, ask.resource)).collect()
    }

    #[test]
    fn requests_ask_for_what_the_reference_says() {
        for (method, path, query, action, resource) in [
            ("GET", "/", "x-id=ListBuckets", "s3:ListAllMyBuckets", "*"),
            ("GET", "/b", "list-type=2", "s3:ListBucket", "arn:aws:s3:::b"),
            ("GET", "/b/", "location", "s3:GetBucketLocation", "arn:aws:s3:::b"),
            ("GET", "/b/a%20b/c", "", "s3:GetObject", "arn:aws:s3:::b/a b/c"),
            ("GET", "/b/k", "versionId=1", "s3:GetObjectVersion", "arn:aws:s3:::b/k"),
            ("DELETE", "/b/k", "uploadId=1", "s3:AbortMultipartUpload", "arn:aws:s3:::b/k"),
            ("POST", "/b", "delete", "s3:DeleteObject", "arn:aws:s3:::b/*"),
            ("PATCH", "/b", "", "s3:UnknownOperation", "arn:aws:s3:::b"),
        ] {
            assert_eq!(asked(method, path, query, &[]), [(action.to_owned(), resource.to_owned())], "{method} {path}");
        }
        let virtual_host = asked("PUT", "/k", "", &[("host", "b.s3.localhost:80")]);
        assert_eq!(virtual_host, [("s3:PutObject".to_owned(), "arn:aws:s3:::b/k".to_owned())]);
        let copy = asked("PUT", "/b/k", "", &[("x-amz-copy-source", "/from/x%2Fy"), ("x-amz-acl", "private")]);
        let actions: Vec<&str> = copy.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(actions, ["s3:PutObject", "s3:GetObject", "s3:PutObjectAcl"]);
        assert_eq!(copy[1].1, "arn:aws:s3:::from/x/y");
    }
}
