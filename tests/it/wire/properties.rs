//! What holds whatever is sent.

use proptest::prelude::*;
use vmfa::wire::query::{Form, Parameters};
use vmfa::wire::xml;

use super::*;

/// Text that a request line or a header can have, with escapes now and then.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![4 => "[ -$&-~]", 1 => "%[0-9A-Fa-f]{2}", 1 => "[/.&=;+ü]"], 0..24)
        .prop_map(|parts| parts.concat())
}

fn sent() -> impl Strategy<Value = Sent> {
    let headers = prop::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,12}", "[ -~\t]{0,24}"), 0..6);
    ("[A-Z]{3,7}", text(), text(), headers, any::<Vec<u8>>()).prop_map(|(method, path, query, mut headers, body)| {
        headers.push(("Host".into(), "localhost:4566".into()));
        Sent { method, path: format!("/{path}"), query, headers, body }
    })
}

fn now() -> impl Strategy<Value = Timestamp> {
    (0..253_402_300_000_u64).prop_map(Timestamp::from_unix)
}

proptest! {
    #[test]
    fn what_is_signed_is_verified(
        sent in sent(), now in now(), secret in ".{0,40}", token in prop::option::of("[!-~]{1,40}"),
        service in "[a-z0-9]{1,8}|s3", content_hash: bool, presign: bool, expires in 1..=604_800_u64,
    ) {
        let credentials = Credentials::new("AKIDEXAMPLE", &secret, token.as_deref());
        let signer = Signer::new(&credentials, "eu-west-1", &service);
        let signer = Signer { content_hash: content_hash || signer.content_hash, ..signer };
        let mut signed = sent.clone();
        // The signer's own headers are replaced, as are those of an earlier signature.
        signed.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-amz-") && !name.eq_ignore_ascii_case("authorization"));
        if presign {
            let payload = if service == "s3" { Payload::Unsigned } else { sent.payload() };
            signed.query = signer.presign(&signed.request(), payload, now, expires).unwrap().to_string();
        } else {
            signed.sign(&signer, None, now);
        }
        let accept = Accept::new(&service, now);
        prop_assert_eq!(signed.verify(&secret, &accept).map_err(|error| error.why()), Ok(()));
        let request = signed.request();
        let presented = Presented::read(&request).unwrap();
        prop_assert_eq!(presented.session_token(), token.as_deref());
        prop_assert_eq!((presented.is_presigned(), presented.expires()), (presign, presign.then_some(expires)));
        let other = signed.verify(&format!("{secret}!"), &accept);
        prop_assert!(matches!(other, Err(Error::Mismatch(_))));
        if service != "s3" || !presign {
            let mut changed = signed.clone();
            changed.body.push(0);
            prop_assert!(changed.verify(&secret, &accept).is_err());
        }
    }

    #[test]
    fn reading_a_signature_never_panics(
        mut sent in sent(), authorization in "(AWS4-HMAC-SHA256 )?(Credential=|Signature=|SignedHeaders=|[ -~ü,;/=]{0,12}){0,8}",
        date in "\\PC{0,20}|[0-9]{8}T[0-9]{6}Z", query in "(X-Amz-(Algorithm|Credential|Date|Expires|Signature|SignedHeaders)=[ -~]{0,12}&){0,7}",
        now in now(), complete: bool,
    ) {
        sent.add("authorization", &authorization);
        sent.add("x-amz-date", &date);
        let _ = sent.verify("secret", &Accept::new("iam", now)).map_err(|error| (error.why(), error.to_string()));
        sent.headers.retain(|(name, _)| name != "authorization");
        sent.query = query;
        if complete {
            sent.query += "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/s3/aws4_request&X-Amz-Signature=0\
                           &X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z";
        }
        let _ = sent.verify("secret", &Accept::new("s3", now)).map_err(|error| (error.why(), error.to_string()));
    }

    #[test]
    fn parsing_parameters_never_panics(bytes: Vec<u8>, text in "([a-c]|member|[.=&%+0-9]){0,40}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(parameters) = Parameters::parse(input) {
                for name in ["a", "b", ""] {
                    let all = parameters.iter().count();
                    prop_assert!(parameters.list(name).len() + parameters.structs(name).len() <= all);
                }
            }
        }
    }

    #[test]
    fn a_form_comes_through(pairs in prop::collection::btree_map(".{1,8}", ".{0,12}", 0..8), list in prop::collection::vec(".{0,6}", 1..14)) {
        let form = pairs.iter().fold(Form::new("A", "1"), |form, (name, value)| form.pair(&format!("p{name}"), value));
        let parameters = Parameters::parse(form.list("l", &list).body().as_bytes()).unwrap();
        for (name, value) in &pairs {
            prop_assert_eq!(parameters.get(&format!("p{name}")), Some(value.as_str()));
        }
        prop_assert_eq!(parameters.list("l"), list);
    }

    #[test]
    fn every_answer_is_well_formed(name: String, value: String, code in "[A-Z][a-z]{1,9}") {
        let answer = xml::answer(&name, &value, &value, |result| {
            result.open(&name, |inner| inner.text(&name, &value));
            result.texts(&name, [&value, &name]);
        });
        let mut reader = quick_xml::Reader::from_str(&answer);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        let error = xml::error(xml::IAM, 400, &code, &value, "id");
        let failure = xml::Failure::read(error.as_bytes()).unwrap();
        let carried: String = value.chars().map(|c| match c {
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c => c,
        }).collect();
        prop_assert_eq!(failure.code, code);
        prop_assert_eq!(failure.message, carried);
    }

    #[test]
    fn reading_a_failure_never_panics(bytes: Vec<u8>, text in "(<Error>|</Error>|<Code>|</Code>|<a/>|&lt;|&|x|<!--|-->|<!\\[CDATA\\[|\\]\\]>){0,20}") {
        let _ = xml::Failure::read(&bytes);
        let _ = xml::Failure::read(text.as_bytes());
    }
}
