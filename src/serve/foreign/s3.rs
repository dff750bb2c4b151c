//! What a request to S3 asks for, by method, path and query.

use super::input::{Objection, decoded, pairs};
use super::read::{Ask, Read, Rewrite, UNKNOWN};
use super::resource::About;
use super::rewrite;
use crate::serve::host;
use crate::serve::message::Request;

/// Method, level, query key, action.
const TABLE: &str = include_str!("../../../vectors/iam/s3.txt");

/// Parameters that make no other operation of a request.
const PLAIN: &[&str] = &[
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "encoding-type",
    "continuation-token",
    "start-after",
    "fetch-owner",
    "x-id",
    "versionId",
    "partNumber",
    "key-marker",
    "version-id-marker",
    "upload-id-marker",
    "max-uploads",
    "max-parts",
    "part-number-marker",
    "id",
    "response-content-type",
    "response-content-language",
    "response-expires",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "max-buckets",
    "bucket-region",
    "select-type",
    "x-amz-security-token",
];

/// Headers that ask for something more, where a bucket or an object is made: level, header, action.
const HEADERS: &[(&str, &str, &str)] = &[
    ("object", "x-amz-acl", "s3:PutObjectAcl"),
    ("object", "x-amz-grant-", "s3:PutObjectAcl"),
    ("object", "x-amz-tagging", "s3:PutObjectTagging"),
    ("object", "x-amz-object-lock-mode", "s3:PutObjectRetention"),
    ("object", "x-amz-object-lock-retain-until-date", "s3:PutObjectRetention"),
    ("object", "x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
    ("bucket", "x-amz-acl", "s3:PutBucketAcl"),
    ("bucket", "x-amz-grant-", "s3:PutBucketAcl"),
    ("bucket", "x-amz-object-ownership", "s3:PutBucketOwnershipControls"),
    ("bucket", "x-amz-bucket-object-lock-enabled", "s3:PutBucketObjectLockConfiguration"),
    ("bucket", "x-amz-bucket-object-lock-enabled", "s3:PutBucketVersioning"),
];

/// Deletes and overwrites what is kept for a time.
const BYPASS: &str = "x-amz-bypass-governance-retention";

/// Headers that name another object, and how far they are known: only a copy's source is read.
const SOURCE: &str = "x-amz-copy-source";
const RENAMED: &str = "x-amz-rename-source";

pub(super) fn read(request: &Request) -> Result<Read, Objection> {
    let (bucket, key) = place(request)?;
    let (bucket, key) = (bucket.as_deref(), key.as_deref());
    let level = match (bucket, key) {
        (None, _) => "service",
        (Some(_), None) => "bucket",
        (Some(_), Some(_)) => "object",
    };
    let query = pairs(request.query.as_bytes())?;
    let has = |wanted: &str| query.iter().any(|(name, _)| name == wanted);
    let version = if has("versionId") { "Version" } else { "" };
    // What makes another operation of it: with two of them, servers differ in which one they take.
    let mut keys: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    keys.retain(|name| !PLAIN.contains(name) && !name.starts_with("X-Amz-"));
    keys.sort_unstable();
    keys.dedup();
    let lines: Vec<Line<'_>> = keys.iter().filter_map(|key| Line::of(&request.method, level, key)).collect();
    let plain = Line::of(&request.method, level, "-");
    let mut known = lines.len() == keys.len();
    let mut all = lines;
    if all.len() != 1 || all.iter().any(|line| line.ignored) {
        known &= plain.is_some();
        all.extend(plain);
    }
    let resource = match (bucket, key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
        (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let on = |resource: &str| About { resources: vec![resource.to_owned()], doubt: false };
    let mut asks: Vec<Ask> = all
        .iter()
        .map(|line| {
            let action = line.action.replace("{Version}", version);
            // The body names the objects: the caller must be allowed to delete any.
            let many = action == "s3:DeleteObject" && level == "bucket";
            let about = if many { About { doubt: true, ..on(&format!("{resource}/*")) } } else { on(&resource) };
            Ask::new(action, about)
        })
        .collect();
    if !known {
        let mut unknown = Ask::new(format!("s3:{UNKNOWN}"), on(&resource));
        unknown.doubt.action = true;
        asks.push(unknown);
    }
    if level == "bucket" && has("delete") && names_versions(&request.body) {
        let about = About { doubt: true, ..on(&format!("{resource}/*")) };
        asks.push(Ask::new("s3:DeleteObjectVersion".to_owned(), about));
    }
    let operation = asks.first().map_or("", |ask| ask.action.trim_start_matches("s3:")).to_owned();
    if let Some(source) = request.header(SOURCE) {
        if request.method != "PUT" || level != "object" {
            return Err(Objection("only an object that is put is a copy"));
        }
        let (read, tags) = copied(source)?;
        asks.push(read);
        // Tags come along unless others are named. Whether the source has any, only its server knows.
        if !has("uploadId") && request.header("x-amz-tagging-directive").is_none_or(|told| told != "REPLACE") {
            asks.push(tags);
            asks.push(Ask::unless_denied("s3:PutObjectTagging", on(&resource)));
        }
    }
    for (at, header, action) in HEADERS {
        let there = request.headers.iter().any(|(name, _)| name.starts_with(header));
        if there && *at == level && matches!(request.method.as_str(), "PUT" | "POST") {
            asks.push(Ask::new((*action).to_owned(), on(&resource)));
        }
    }
    if request.header(BYPASS).is_some() {
        let about = match level {
            "object" => on(&resource),
            _ => About { doubt: true, ..on(&format!("{resource}/*")) },
        };
        asks.push(Ask::new("s3:BypassGovernanceRetention".to_owned(), about));
    }
    if request.header(RENAMED).is_some() {
        return Err(Objection("an object can't be renamed through this server"));
    }
    Ok(Read { operation, asks, roles: Vec::new(), rewrite: Rewrite::S3(rewrite::path(bucket, key)) })
}

/// Whether a list of objects names versions, as far as can be told from its text: in another encoding than UTF-8 it may.
fn names_versions(list: &[u8]) -> bool {
    std::str::from_utf8(list).map_or(true, |list| list.contains("VersionId"))
}

/// What a copy reads: the object, and its tags if it has some.
fn copied(source: &str) -> Result<(Ask, Ask), Objection> {
    let (source, query) = source.split_once('?').unwrap_or((source, ""));
    let version = if query.is_empty() { "" } else { "Version" };
    let source = decoded(source)?;
    let source = source.strip_prefix('/').unwrap_or(&source);
    let plain = !source.contains(['?', '%', '#'])
        && source.split_once('/').is_some_and(|(bucket, key)| is_bucket(bucket) && !key.is_empty());
    if !plain || source.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Objection("the source of the copy can't be told"));
    }
    let about = || About { resources: vec![format!("arn:aws:s3:::{source}")], doubt: false };
    let tags = Ask::unless_denied(&format!("s3:GetObject{version}Tagging"), about());
    Ok((Ask::new(format!("s3:GetObject{version}"), about()), tags))
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    action: &'a str,
    /// Whether servers pass over the key.
    ignored: bool,
}

impl Line<'static> {
    fn of(method: &str, level: &str, key: &str) -> Option<Self> {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(' ').collect::<Vec<_>>()).find_map(|words| match words[..] {
            [of, at, named, action, ref rest @ ..] if of == method && at == level && named == key => {
                Some(Self { action, ignored: rest.first() == Some(&"+") })
            }
            _ => None,
        })
    }
}

/// Bucket and key: in the path, or the bucket in front of the host's name.
fn place(request: &Request) -> Result<(Option<String>, Option<String>), Objection> {
    let host = request.header("host").unwrap_or_default();
    let path = decoded(request.path.strip_prefix('/').unwrap_or(&request.path))?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (bucket, key) = match in_host(host)? {
        Some(bucket) => (Some(bucket), some(&path)),
        None => match path.split_once('/') {
            Some((bucket, key)) => (Some(bucket.to_owned()), some(key)),
            None => (some(&path), None),
        },
    };
    if bucket.as_deref().is_some_and(|bucket| !is_bucket(bucket)) {
        return Err(Objection("the bucket isn't named plainly"));
    }
    if key.as_deref().is_some_and(|key| key.split('/').any(|part| matches!(part, "." | ".."))) {
        return Err(Objection("the key has a part that is `.` or `..`"));
    }
    Ok((bucket, key))
}

/// The bucket in front of this server's name: `bucket.s3.localhost`, `bucket.localhost`.
fn in_host(host: &str) -> Result<Option<String>, Objection> {
    let Some((below, _)) = host::in_front(host) else { return Ok(None) };
    // `s3`, or `s3.eu-west-1`, or neither stands between.
    let parts: Vec<&str> = below.split('.').collect();
    let services: Vec<usize> =
        (0..parts.len()).filter(|at| parts.get(*at).is_some_and(|part| part.starts_with("s3"))).collect();
    let bucket = match services[..] {
        [] => below.clone(),
        [at] if parts.get(at) == Some(&"s3") && parts.len().saturating_sub(at) <= 2 => {
            parts.get(..at).unwrap_or_default().join(".")
        }
        _ => return Err(Objection("the host may name more than one bucket")),
    };
    Ok(Some(bucket).filter(|bucket| !bucket.is_empty()))
}

fn is_bucket(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_read(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Result<Read, Objection> {
        read(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: zeroize::Zeroizing::default(),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        })
    }

    fn asked(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let read = try_read(method, path, query, headers).unwrap();
        read.asks.into_iter().map(|ask| (ask.action, ask.resources.join(" "))).collect()
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
        for host in
            ["b.s3.localhost:80", "b.localhost", "b.s3.us-east-1.localhost:1", "b.s3.localhost.localstack.cloud"]
        {
            let virtual_host = asked("PUT", "/k", "", &[("host", host)]);
            assert_eq!(virtual_host, [("s3:PutObject".to_owned(), "arn:aws:s3:::b/k".to_owned())], "{host}");
        }
        let straight = asked("GET", "/b", "", &[("host", "s3.localhost.localstack.cloud:1")]);
        assert_eq!(straight[0].1, "arn:aws:s3:::b");
        let copy = asked("PUT", "/b/k", "", &[("x-amz-copy-source", "/from/x%2Fy"), ("x-amz-acl", "private")]);
        let actions: Vec<&str> = copy.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(
            actions,
            ["s3:PutObject", "s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:PutObjectAcl"]
        );
        assert_eq!((copy[1].1.as_str(), copy[2].1.as_str()), ("arn:aws:s3:::from/x/y", "arn:aws:s3:::from/x/y"));
        let headers = [("x-amz-copy-source", "from/x"), ("x-amz-tagging-directive", "REPLACE")];
        let replaced: Vec<String> = asked("PUT", "/b/k", "", &headers).into_iter().map(|(action, _)| action).collect();
        assert_eq!(replaced, ["s3:PutObject", "s3:GetObject", "s3:PutObjectTagging"]);
        assert_eq!(asked("PUT", "/b/k", "uploadId=1&partNumber=1", &headers[..1]).len(), 2);
    }

    #[test]
    fn headers_of_a_new_bucket_ask_for_what_they_set() {
        for (header, action) in [
            ("x-amz-acl", "s3:PutBucketAcl"),
            ("x-amz-grant-read", "s3:PutBucketAcl"),
            ("x-amz-object-ownership", "s3:PutBucketOwnershipControls"),
            ("x-amz-bucket-object-lock-enabled", "s3:PutBucketObjectLockConfiguration"),
            ("x-amz-bucket-object-lock-enabled", "s3:PutBucketVersioning"),
        ] {
            let asked = asked("PUT", "/b", "", &[(header, "x")]);
            assert!(asked.contains(&(action.to_owned(), "arn:aws:s3:::b".to_owned())), "{header}: {asked:?}");
        }
    }

    #[test]
    fn who_deletes_versions_may_delete_versions() {
        let asked = |body: &[u8]| -> Vec<String> {
            let request = Request {
                method: "POST".to_owned(),
                path: "/b".to_owned(),
                query: "delete".to_owned(),
                headers: Vec::new(),
                body: zeroize::Zeroizing::new(body.to_vec()),
                peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            };
            read(&request).unwrap().asks.into_iter().map(|ask| ask.action).collect()
        };
        assert_eq!(asked(b"<Delete><Object><Key>k</Key></Object></Delete>"), ["s3:DeleteObject"]);
        for named in [&b"<Delete><Object><Key>k</Key><VersionId>1</VersionId></Object></Delete>"[..], b"\xff\xfe<\0"] {
            assert_eq!(asked(named), ["s3:DeleteObject", "s3:DeleteObjectVersion"]);
        }
    }

    #[test]
    fn what_a_server_may_pass_over_is_asked_for_as_well() {
        let actions = |method: &str, path: &str, query: &str| -> Vec<String> {
            asked(method, path, query, &[]).into_iter().map(|(action, _)| action).collect()
        };
        assert_eq!(actions("DELETE", "/b", "analytics&id=x"), ["s3:PutAnalyticsConfiguration", "s3:DeleteBucket"]);
        assert_eq!(actions("GET", "/b/k", "retention"), ["s3:GetObjectRetention", "s3:GetObject"]);
        assert_eq!(actions("DELETE", "/b/k", "retention"), ["s3:DeleteObject", "s3:UnknownOperation"]);
        assert_eq!(actions("GET", "/b", "new-thing"), ["s3:ListBucket", "s3:UnknownOperation"]);
        assert_eq!(
            actions("PUT", "/b/k", "acl&uploadId=1&partNumber=1"),
            ["s3:PutObjectAcl", "s3:PutObject", "s3:PutObject"]
        );
        assert_eq!(actions("PUT", "/b/k", "uploadId=1&partNumber=1"), ["s3:PutObject"]);
        assert_eq!(actions("POST", "/b/k", "uploads"), ["s3:PutObject"]);
    }

    #[test]
    fn what_can_be_two_buckets_is_refused() {
        for (path, headers) in [
            ("//secret/k", &[][..]),
            ("/b/../secret/k", &[]),
            ("/b/%2e%2e/secret", &[]),
            ("/arn%3Aaws%3As3/k", &[]),
            ("/b/%ff", &[]),
            ("/b/k", &[("host", "x.s3.y.s3.localhost")]),
            ("/b/k", &[("host", "x.s3-accesspoint.localhost")]),
            ("/b/k", &[("x-amz-copy-source", "secret")]),
            ("/b/k", &[("x-amz-copy-source", "b/x%3Fy")]),
            ("/b/k", &[("x-amz-copy-source", "b%252Fx/y")]),
            ("/b/k", &[("x-amz-rename-source", "secret")]),
        ] {
            assert!(try_read("PUT", path, "", headers).is_err(), "{path} {headers:?}");
        }
        for (method, path, query) in [("POST", "/b/k", "uploads"), ("PUT", "/b", ""), ("DELETE", "/b/k", "")] {
            assert!(try_read(method, path, query, &[("x-amz-copy-source", "b/x")]).is_err(), "{method} {path}");
        }
    }
}
