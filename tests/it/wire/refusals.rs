//! Requests that aren't accepted, in AWS's own words, and what is said of them besides.

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: &str = "20150830T123600Z";

fn signed_for(service: &str, token: Option<&str>) -> Sent {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, token);
    let mut sent = Sent { method: "POST".into(), path: "/".into(), body: b"Action=GetUser".into(), ..Sent::default() };
    sent.add("host", "iam.amazonaws.com");
    sent.sign(&Signer::new(&credentials, "us-east-1", service), None, time(NOW));
    sent
}

fn signed() -> Sent {
    signed_for("iam", None)
}

fn presigned(service: &str, expires: u64) -> Sent {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None);
    let mut sent = Sent { method: "GET".into(), path: "/".into(), ..Sent::default() };
    sent.add("host", "iam.amazonaws.com");
    let signer = Signer::new(&credentials, "us-east-1", service);
    let payload = if service == "s3" { Payload::Unsigned } else { sent.payload() };
    sent.query = signer.presign(&sent.request(), payload, time(NOW), expires).unwrap().to_string();
    sent
}

fn with(mut sent: Sent, name: &str, change: impl FnOnce(&str) -> String) -> Sent {
    let value = change(sent.header(name));
    sent.headers.retain(|(other, _)| other != name);
    sent.add(name, &value);
    sent
}

fn at(sent: &Sent, service: &str, now: &str) -> Result<(), Error> {
    sent.verify(SECRET, &Accept::new(service, time(now)))
}

/// The refusal, as its code, status and message.
fn refusal(found: Result<(), Error>) -> (&'static str, u16, String) {
    let error = found.unwrap_err();
    assert!(!error.why().is_empty());
    (error.code(), error.status(), error.to_string())
}

#[test]
fn refusals_have_the_words_of_aws() {
    let authorization = |change: fn(&str) -> String| with(signed(), "authorization", change);
    let bare = |value: &str| {
        let mut sent = signed();
        sent.headers.retain(|(name, _)| name == "host");
        sent.add("authorization", value);
        sent
    };
    let mut unsigned = signed();
    unsigned.headers.truncate(1);
    let mut both = presigned("iam", 60);
    both.add("authorization", "AWS4-HMAC-SHA256 x=y");
    let query = |query: &str| Sent { query: query.into(), ..unsigned.clone() };
    let presigned_with = |from: &str, to: &str| {
        let sent = presigned("iam", 60);
        let query = sent.query.replacen(from, to, 1);
        Sent { query, ..sent }
    };
    for (sent, code, status, message) in [
        (unsigned.clone(), "MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        (
            query("X-Amz-Algorithm=AWS4-HMAC-SHA512"),
            "MissingAuthenticationToken",
            403,
            "Request is missing Authentication Token",
        ),
        (
            query("AWSAccessKeyId=AKIDEXAMPLE&Signature=x%3D&Expires=1440938160"),
            "InvalidRequest",
            400,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ),
        (both, "SignatureDoesNotMatch", 403, ""),
        (bare("AWS AKID:sig"), "IncompleteSignature", 400, "Unsupported AWS 'algorithm': 'AWS'."),
        (
            bare("AWS4-HMAC-SHA256"),
            "IncompleteSignature",
            400,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a \
             'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            bare("AWS4-HMAC-SHA256 Credential= AKID/20150830, Signature=1"),
            "IncompleteSignature",
            400,
            "'AKID/20150830' not a valid key=value pair (missing equal-sign) in Authorization header: \
             'AWS4-HMAC-SHA256 Credential= AKID/20150830, Signature=1'.",
        ),
        (
            query("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1"),
            "IncompleteSignature",
            400,
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include \
             'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
        (
            with(signed(), "x-amz-date", |_| "yesterday".into()),
            "IncompleteSignature",
            400,
            "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            authorization(|value| value.replace("/us-east-1", "")),
            "IncompleteSignature",
            400,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
             got 'AKIDEXAMPLE/20150830/iam/aws4_request'",
        ),
        (
            authorization(|value| value.replace("host;", "")),
            "SignatureDoesNotMatch",
            403,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            authorization(|value| value.replace("20150830/us-east-1/iam/aws4_request", "20150829/r/sts/aws5")),
            "SignatureDoesNotMatch",
            403,
            "Credential should be scoped to correct service: 'iam'. Credential should be scoped with a valid terminator: \
             'aws4_request', not 'aws5'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
             from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
        ),
        (
            authorization(|value| value.replace("Signature=", "Signature=0")),
            "SignatureDoesNotMatch",
            403,
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        ),
        (query("a=%4"), "MalformedQueryString", 404, "Incomplete trailing escape % sequence"),
        (query("a=%yy"), "MalformedQueryString", 404, "Illegal hex character in escape % pattern: %yy"),
        (
            presigned_with("Expires=60", "Expires=604801"),
            "AuthorizationQueryParametersError",
            400,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ),
        (
            presigned_with("Expires=60", "Expires=0"),
            "AuthorizationQueryParametersError",
            400,
            "X-Amz-Expires must be non-negative",
        ),
        (
            presigned_with("Expires=60", "Expires=x"),
            "AuthorizationQueryParametersError",
            400,
            "X-Amz-Expires should be a number",
        ),
    ] {
        assert_eq!(refusal(at(&sent, "iam", NOW)), (code, status, message.to_owned()));
    }
    let region = Accept { region: Some("eu-west-1"), ..Accept::new("iam", time(NOW)) };
    let message = "Credential should be scoped to a valid region, not 'us-east-1'. ";
    assert_eq!(refusal(signed().verify(SECRET, &region)).2, message);
}

#[test]
fn a_signature_counts_for_fifteen_minutes_on_either_side() {
    let sent = signed();
    assert_eq!(at(&sent, "iam", "20150830T125100Z"), Ok(()));
    assert_eq!(
        refusal(at(&sent, "iam", "20150830T125101Z")).2,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(at(&sent, "iam", "20150830T122100Z"), Ok(()));
    assert_eq!(
        refusal(at(&sent, "iam", "20150830T122059Z")).2,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn only_s3_looks_at_the_time_for_which_a_request_is_presigned() {
    for expires in [1, 604_800] {
        assert_eq!(at(&presigned("sts", expires), "sts", "20150830T125100Z"), Ok(()));
        let late = at(&presigned("sts", expires), "sts", "20150830T125101Z");
        assert!(matches!(late, Err(Error::Expired { .. })), "{late:?}");
    }
    assert_eq!(at(&presigned("s3", 604_800), "s3", "20150906T123600Z"), Ok(()));
    let late = at(&presigned("s3", 604_800), "s3", "20150906T123601Z");
    assert_eq!(refusal(late), ("AccessDenied", 403, "Request has expired".to_owned()));
    let early = at(&presigned("s3", 604_800), "s3", "20150830T122059Z");
    assert!(matches!(early, Err(Error::NotYetCurrent { .. })), "{early:?}");
}

#[test]
fn the_hash_that_comes_along_is_that_of_the_body() {
    let hash = |service: &str, value: &str| {
        let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None);
        let mut sent = Sent { method: "POST".into(), path: "/".into(), body: b"a=b".into(), ..Sent::default() };
        sent.add("host", "example.com");
        let signer = Signer { content_hash: false, ..Signer::new(&credentials, "us-east-1", service) };
        sent.sign(&signer, None, time(NOW));
        sent.add("x-amz-content-sha256", value);
        sent
    };
    let other = "0".repeat(64);
    let found = at(&hash("iam", &other), "iam", NOW);
    let why = found.clone().unwrap_err().why();
    assert!(matches!(found, Err(Error::Mismatch(_))), "{found:?}");
    assert!(why.contains(&format!("x-amz-content-sha256 says {other}, and the body's hash is ")), "{why}");
    let streaming = at(&hash("iam", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "iam", NOW);
    assert_eq!(streaming, Err(Error::Streaming));
    // Whoever says afterwards that the body isn't signed gets nowhere.
    let unsigned = at(&hash("iam", "UNSIGNED-PAYLOAD"), "iam", NOW);
    assert!(matches!(unsigned, Err(Error::Mismatch(_))), "{unsigned:?}");
    let s3 = at(&hash("s3", &other), "s3", NOW);
    assert_eq!(s3, Err(Error::HeadersNotSigned { names: vec!["x-amz-content-sha256".into()] }));
    let mut sent = signed_for("s3", None);
    sent.body.push(b'!');
    assert!(matches!(at(&sent, "s3", NOW), Err(Error::ContentHash { .. })));
}

#[test]
fn a_body_that_is_not_signed_is_said_to_be_and_taken_by_s3_only() {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None);
    for service in ["s3", "iam"] {
        let mut sent = Sent { method: "PUT".into(), path: "/".into(), ..Sent::default() };
        sent.add("host", "example.com");
        let mut presigned = sent.clone();
        let signer = Signer::new(&credentials, "us-east-1", service);
        sent.sign(&signer, Some(Payload::Unsigned), time(NOW));
        sent.body = b"anything".into();
        let query = signer.presign(&presigned.request(), Payload::Unsigned, time(NOW), 60).unwrap();
        presigned.query = query.to_string();
        presigned.body = b"anything".into();
        for request in [sent, presigned] {
            let verified = at(&request, service, NOW);
            match service {
                "s3" => assert_eq!(verified, Ok(())),
                _ => assert!(matches!(verified, Err(Error::Mismatch(_))), "{verified:?}"),
            }
        }
    }
}

#[test]
fn a_mismatch_says_what_was_signed_and_no_secret() {
    let mut sent = signed_for("iam", Some("hidden-token"));
    sent.body.push(b'!');
    let why = at(&sent, "iam", NOW).unwrap_err().why();
    assert!(
        why.starts_with("the signature is not the one that the key gives\ncanonical request:\nPOST\n/\n\nhost:"),
        "{why}"
    );
    assert!(why.contains("\nx-amz-security-token:…\n\nhost;x-amz-date;x-amz-security-token\n"), "{why}");
    assert!(
        why.contains("\nstring to sign:\nAWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"),
        "{why}"
    );

    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, Some("hidden-token"));
    let mut query = Sent { method: "GET".into(), path: "/".into(), ..Sent::default() };
    query.add("host", "iam.amazonaws.com");
    let signer = Signer::new(&credentials, "us-east-1", "iam");
    query.query = signer.presign(&query.request(), query.payload(), time(NOW), 60).unwrap().to_string();
    query.path = "/other".into();
    let error = at(&query, "iam", NOW).unwrap_err();
    assert!(error.why().contains("&X-Amz-Security-Token=…&"), "{}", error.why());

    let upper = with(sent.clone(), "authorization", |value| value.replace("x-amz-sec", "X-Amz-Sec"));
    let upper = at(&upper, "iam", NOW).unwrap_err().why();
    assert!(upper.contains("\nX-Amz-Security-token:…\n"), "{upper}");

    sent.headers.retain(|(name, _)| name != "x-amz-security-token");
    let note = at(&sent, "iam", NOW).unwrap_err().why();
    assert!(note.contains("(`x-amz-security-token` is signed and not there)"), "{note}");
    for text in [why, note, format!("{error:?} {}", error.why()), format!("{:?}", Presented::read(&query.request()))] {
        assert!(!text.contains("hidden-token") && !text.contains(SECRET), "{text}");
    }
    assert!(!format!("{:?}", query.request()).contains("hidden-token"));
}

#[test]
fn a_date_header_will_do_and_the_signed_headers_count_as_given() {
    // As botocore signs where no x-amz-date goes along, and in any order.
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", "20150830T123600Z", "2015-08-30T12:36:00Z"] {
        let mut sent = signed();
        sent.headers.retain(|(name, _)| name == "host");
        sent.add("Date", date);
        sent.add("X-Other", "not signed");
        let authorization = "AWS4-HMAC-SHA256 Signature=0,SignedHeaders=host;date,\
                             Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request";
        sent.add("authorization", authorization);
        let request = sent.request();
        let presented = Presented::read(&request).unwrap();
        assert_eq!(presented.date(), time(NOW), "{date}");
        assert_eq!(presented.signed_headers(), ["date", "host"]);
        let why = at(&sent, "iam", NOW).unwrap_err().why();
        assert!(why.contains(&format!("\ndate:{date}\nhost:iam.amazonaws.com\n\ndate;host\n")), "{why}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    use vmfa::wire::limits;
    let long = |length: usize| "x".repeat(length + 1);
    let mut headers = signed();
    (0..limits::HEADERS).for_each(|_| headers.add("a", "b"));
    let names = vec!["a"; limits::SIGNED_HEADERS + 1].join(";");
    for (sent, expected) in [
        (Sent { method: long(limits::METHOD), ..signed() }, "method"),
        (Sent { path: long(limits::PATH), ..signed() }, "path"),
        (Sent { query: long(limits::BYTES), ..signed() }, "query string"),
        (Sent { query: "&".repeat(limits::PARAMETERS), ..signed() }, "number of query parameters"),
        (headers, "number of headers"),
        (with(signed(), "host", |_| long(limits::HEADER_BYTES)), "headers"),
        (
            with(signed(), "authorization", |value| value.to_owned() + &long(limits::AUTHORIZATION)),
            "Authorization header",
        ),
        (with(signed(), "authorization", |value| value.replace("host;", &names)), "number of signed headers"),
        (with(signed_for("iam", Some("x")), "x-amz-security-token", |_| long(limits::TOKEN)), "session token"),
    ] {
        let found = at(&sent, "iam", NOW);
        assert!(matches!(found, Err(Error::TooLong { what, .. }) if what == expected), "{expected}: {found:?}");
    }
}

#[test]
fn a_signer_wants_a_host_and_a_time_of_up_to_a_week() {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None);
    let signer = Signer::new(&credentials, "us-east-1", "iam");
    let mut sent = Sent { method: "GET".into(), path: "/".into(), ..Sent::default() };
    let found = signer.sign(&sent.request(), sent.payload(), time(NOW));
    assert_eq!(found, Err(Error::HostNotSigned));
    sent.add("Host", "x");
    for expires in [0, 604_801] {
        let found = signer.presign(&sent.request(), sent.payload(), time(NOW), expires);
        assert_eq!(found, Err(Error::Expires { value: expires.to_string() }));
    }
}
