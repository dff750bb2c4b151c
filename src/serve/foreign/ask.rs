//! What a call asks for: the operation by its protocol, the resources by the operation.

use super::arn::Place;
use super::input::{Input, Objection, pairs, reads_as_form};
use super::operations::{Operation, models};
use super::protocol::{Protocol, is_form, protocol};
use super::read::{Ask, Read, Rewrite, UNKNOWN};
use super::resource::{About, about};
use super::value::Value;
use super::{cbor, path, s3};
use crate::serve::message::Request;
use crate::serve::pass_role::{self, PassedRole};

/// Reads a call.
///
/// # Errors
///
/// What two servers may read differently.
pub(super) fn read(service: &str, place: Place<'_>, request: &Request) -> Result<Read, Objection> {
    match protocol(service, request) {
        Protocol::S3 => s3::read(request),
        Protocol::Json => json(service, place, request),
        Protocol::Cbor => smithy(service, place, request),
        Protocol::Query | Protocol::Ec2 if is_form(request) || request.query.contains("Action=") => {
            form(service, place, request)
        }
        Protocol::Query | Protocol::Ec2 | Protocol::RestJson => rest(service, place, request),
    }
}

/// `X-Amz-Target: PREFIX.OPERATION` and a JSON object.
fn json(service: &str, place: Place<'_>, request: &Request) -> Result<Read, Objection> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let kind = request.header("content-type").unwrap_or("application/json").to_ascii_lowercase();
    if request.method != "POST" || request.path != "/" || !request.query.is_empty() || !kind.contains("json") {
        return Err(Objection("a call with X-Amz-Target is a POST of JSON to `/`"));
    }
    let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
    let of =
        models(service).iter().filter(move |model| model.target == prefix && (model.speaks("json") || model.is_rest()));
    let is_of_service = of.clone().next().is_some();
    let operations: Vec<Operation> = of.flat_map(|model| model.named(name)).collect();
    let input = Input { body: object(&request.body)?, ..Input::default() };
    let read = asked(service, place, &operations, &input, &|_, _| true);
    Ok(Read { rewrite: Rewrite::Json, ..read.unwrap_or_else(|| unknown(service, is_of_service)) })
}

/// Smithy's RPC v2: `/service/TARGET/operation/OPERATION` and CBOR.
fn smithy(service: &str, place: Place<'_>, request: &Request) -> Result<Read, Objection> {
    let parts: Vec<&str> = request.path.split('/').collect();
    let ["", "service", target, "operation", name] = parts[..] else {
        return Err(Objection("the path of a call in CBOR is /service/NAME/operation/NAME"));
    };
    if request.method != "POST" || !request.query.is_empty() {
        return Err(Objection("a call in CBOR is a POST without a query string"));
    }
    let of = models(service).iter().filter(move |model| model.target == target && model.speaks("smithy-rpc-v2-cbor"));
    let is_of_service = of.clone().next().is_some();
    let operations: Vec<Operation> = of.flat_map(|model| model.named(name)).collect();
    let body = if request.body.is_empty() {
        None
    } else {
        Some(cbor::read(&request.body).ok_or(Objection("the body is no CBOR, or has a name twice"))?)
    };
    opaque(&request.body, &operations)?;
    let input = Input { body, ..Input::default() };
    let read = asked(service, place, &operations, &input, &|_, _| true);
    Ok(read.unwrap_or_else(|| unknown(service, is_of_service)))
}

/// `Action=OPERATION&…`, in the body or in the query string.
fn form(service: &str, place: Place<'_>, request: &Request) -> Result<Read, Objection> {
    let in_query = !request.query.is_empty();
    if in_query && !request.body.is_empty() {
        return Err(Objection("there are parameters in the query string and a body as well"));
    }
    let input =
        Input { pairs: pairs(if in_query { request.query.as_bytes() } else { &request.body })?, ..Input::default() };
    let mut names: Vec<&str> = input.pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two.first() == two.last()) {
        return Err(Objection("a parameter is there twice"));
    }
    let pair = |wanted: &str| input.pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let (name, version) = (pair("Action").unwrap_or_default(), pair("Version").unwrap_or_default());
    let speaking =
        || models(service).iter().filter(|model| model.speaks("query") || model.speaks("ec2") || service == "sqs");
    let mut operations: Vec<Operation> =
        speaking().filter(|model| model.version == version).flat_map(|model| model.named(name)).collect();
    if operations.is_empty() {
        operations = speaking().flat_map(|model| model.named(name)).collect();
    }
    let rewrite = Rewrite::Form(input.pairs.clone());
    let mut input = input;
    input.pairs.retain(|(name, _)| !matches!(name.as_str(), "Action" | "Version"));
    if request.path != "/" {
        // A queue's URL is where its calls go.
        let parts: Vec<&str> = request.path.split('/').collect();
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match parts[..] {
            ["", account, queue] if service == "sqs" && [account, queue].iter().all(plain) => {
                input.labels.push(("QueueUrl".to_owned(), format!("http://queue{}", request.path)));
            }
            _ => return Err(Objection("a form is sent to `/`")),
        }
    }
    let known = |operation: &Operation, name: &str| operation.has_member(name.split('.').next().unwrap_or_default());
    let fits = |operation: &Operation, name: &str| service == "sqs" || known(operation, name);
    let read = asked(service, place, &operations, &input, &fits);
    Ok(Read { rewrite, ..read.unwrap_or_else(|| unknown(service, speaking().next().is_some())) })
}

/// A method and a path.
fn rest(service: &str, place: Place<'_>, request: &Request) -> Result<Read, Objection> {
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("multipart/") || is_form(request) {
        return Err(Objection("a form is sent to where no form belongs"));
    }
    let query = pairs(request.query.as_bytes())?;
    let mut found = path::find(models(service), &request.method, &request.path, &query)?;
    let operations: Vec<Operation> = found.iter().map(|(operation, _)| *operation).collect();
    let labels = found.drain(..).next().map(|(_, labels)| labels).unwrap_or_default();
    let xml = operations.iter().any(|operation| operation.model.speaks("rest-xml"));
    let mut input = Input { labels, pairs: query, body: None };
    let mut rewrite = Rewrite::AsItCame;
    if operations.iter().any(Operation::has_body) && !xml && !request.body.is_empty() {
        input.body = object(&request.body)?;
        rewrite = Rewrite::Json;
    } else {
        opaque(&request.body, &operations)?;
    }
    let read = asked(service, place, &operations, &input, &Operation::has_query);
    let mut read = read.unwrap_or_else(|| unknown(service, false));
    // A body that isn't the operation's input may still be taken for it.
    let strange = rewrite != Rewrite::Json && is_taken_for_input(&request.body, &operations);
    if strange || input.labels.iter().any(|(_, value)| value.contains('%')) {
        read.asks.iter_mut().for_each(Ask::put_in_doubt);
    }
    if service == "apigateway" && !operations.is_empty() {
        let doubt = read.asks.iter().any(|ask| ask.doubt.action || ask.doubt.resource);
        read.asks = vec![api_gateway(place, request, doubt)];
    }
    read.rewrite = rewrite;
    Ok(read)
}

/// API Gateway's actions are methods, its resources paths.
fn api_gateway(place: Place<'_>, request: &Request, unknown: bool) -> Ask {
    let path = request.path.strip_prefix("/v2").unwrap_or(&request.path);
    let plain = !unknown && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    let about = if plain {
        About { resources: vec![place.all(&format!("arn:aws:apigateway:{{r}}::{path}"))], doubt: false }
    } else {
        About::anything()
    };
    Ask::new(format!("apigateway:{}", request.method), about)
}

/// A JSON object, or nothing.
fn object(body: &[u8]) -> Result<Option<Value>, Objection> {
    if body.is_empty() {
        return Ok(None);
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Objection("the body is no JSON, or has a name twice"))?;
    if matches!(value, Value::Map(_)) { Ok(Some(value)) } else { Err(Objection("the body is no JSON object")) }
}

/// That nobody takes a body for a form.
fn opaque(body: &[u8], operations: &[Operation]) -> Result<(), Objection> {
    let names: Vec<&str> = operations.iter().flat_map(Operation::names).collect();
    if reads_as_form(body, &names) { Err(Objection("the body may be taken for a form")) } else { Ok(()) }
}

/// Whether a body that is none of an operation's parameters names one.
fn is_taken_for_input(body: &[u8], operations: &[Operation]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let names: Vec<&str> = operations.iter().flat_map(Operation::names).collect();
    value.names().is_some_and(|mut own| own.any(|name| names.contains(&name)))
}

/// What operations ask for; `fits` tells whether a parameter of the form or query string is one of the operation's.
fn asked(
    service: &str,
    place: Place<'_>,
    operations: &[Operation],
    input: &Input,
    fits: &dyn Fn(&Operation, &str) -> bool,
) -> Option<Read> {
    let first = operations.first()?;
    let mut asks = Vec::new();
    let several = operations.len() > 1;
    for operation in operations {
        let Some(action) = operation.action() else {
            return Some(Read { operation: first.name.to_owned(), ..unknown(service, true) });
        };
        let mut own = input.body.as_ref().and_then(Value::names).into_iter().flatten();
        let strange = own.any(|name| !operation.has_member(name))
            || input.pairs.iter().any(|(name, _)| !fits(operation, name) && !name.starts_with("X-Amz-"));
        let about = if strange { Some(About::anything()) } else { about(operation, place, input, several) };
        let ask = about.map(|about| Ask::new(format!("{}:{action}", operation.model.prefix), about));
        asks.extend(ask.filter(|ask| !asks.contains(ask)));
    }
    if asks.is_empty() {
        return Some(unknown(service, true));
    }
    let mut roles = Vec::new();
    for (name, mere) in operations.iter().flat_map(Operation::roles) {
        for role in input.below(name) {
            let to = pass_role::service(service, name).map(str::to_owned);
            let passed = PassedRole { role: Some(role), to };
            let is_role =
                passed.role.as_ref().is_some_and(|role| role.starts_with("arn:") || (mere && !role.is_empty()));
            if is_role && !roles.contains(&passed) {
                roles.push(passed);
            }
        }
    }
    Some(Read { operation: first.name.to_owned(), asks, roles, rewrite: Rewrite::AsItCame })
}

/// A call whose operation isn't known. By its target or its `Action` it is one of its service's; by its path it may be one of
/// any service's, since servers differ in which one they take it for.
fn unknown(service: &str, is_of_service: bool) -> Read {
    let mut prefixes: Vec<&str> = models(service).iter().map(|model| model.prefix).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let ask = |prefix: &str| {
        let mut ask = Ask::new(format!("{prefix}:{UNKNOWN}"), About::anything());
        ask.doubt.action = true;
        ask
    };
    let mut asks: Vec<Ask> = prefixes.into_iter().map(ask).collect();
    if !is_of_service || asks.is_empty() {
        let mut any = ask(service);
        any.of_any_service = true;
        asks = vec![any];
    }
    Read { operation: UNKNOWN.to_owned(), asks, ..Read::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { region: "us-east-1", account: "123456789012" };

    /// What a form asks for: action, resources, and whether it may be about others.
    fn of_form(service: &str, body: &str) -> Vec<(String, Vec<String>, bool)> {
        shown(read(
            service,
            HERE,
            &request("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], body),
        ))
    }

    fn of_json(service: &str, target: &str, body: &str) -> Vec<(String, Vec<String>, bool)> {
        shown(read(service, HERE, &request("POST", "/", &[("x-amz-target", target)], body)))
    }

    fn of_path(service: &str, method: &str, path: &str, body: &str) -> Vec<(String, Vec<String>, bool)> {
        shown(read(service, HERE, &request(method, path, &[], body)))
    }

    fn shown(read: Result<Read, Objection>) -> Vec<(String, Vec<String>, bool)> {
        let asks = read.unwrap().asks.into_iter();
        asks.map(|ask| (ask.action, ask.resources, ask.doubt.resource || ask.doubt.action)).collect()
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: zeroize::Zeroizing::new(body.as_bytes().to_vec()),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }
    }

    #[test]
    fn apis_that_share_operations_are_told_by_their_parameters() {
        let asked = of_form(
            "rds",
            "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=Main&SkipFinalSnapshot=true",
        );
        assert_eq!(
            asked,
            [("rds:DeleteDBInstance".into(), vec!["arn:aws:rds:us-east-1:123456789012:db:main".into()], false)]
        );
    }

    /// The one resource of a call that is about nothing else; else nothing.
    fn resource(asked: &[(String, Vec<String>, bool)]) -> Option<&str> {
        match asked {
            [(_, resources, false)] if resources.len() == 1 => {
                resources[0].strip_prefix("arn:aws:").and_then(|arn| arn.split("123456789012:").nth(1))
            }
            _ => None,
        }
    }

    #[test]
    fn the_operation_says_which_parameter_names_the_resource() {
        let dynamodb =
            |operation: &str, body: &str| of_json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body);
        let ssm = |operation: &str, body: &str| of_json("ssm", &format!("AmazonSSM.{operation}"), body);
        let sns = |rest: &str| of_form("sns", &format!("Version=2010-03-31&{rest}"));
        let topic = "arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Anews";
        for (asked, expected) in [
            (dynamodb("GetItem", r#"{"TableName":"t"}"#), Some("table/t")),
            (
                dynamodb("GetItem", r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/t"}"#),
                Some("table/t"),
            ),
            (ssm("GetParametersByPath", r#"{"Path":"/a/b"}"#), Some("parameter/a/b")),
            (ssm("GetParameter", r#"{"Name":"a:3"}"#), Some("parameter/a")),
            (sns(&format!("Action=Publish&TopicArn={topic}&Message=m")), Some("news")),
            (sns(&format!("Action=Publish&TargetArn={topic}&Message=m")), Some("news")),
            (
                of_json("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"a/b"}"#),
                Some("secret:a/b-??????"),
            ),
            (of_json("sqs", "AmazonSQS.SendMessage", r#"{"QueueUrl":"http://x:1/123456789012/q"}"#), Some("q")),
            (of_path("lambda", "GET", "/2015-03-31/functions/f", ""), Some("function:f")),
        ] {
            assert_eq!(resource(&asked), expected, "{asked:?}");
        }
        let asked = dynamodb("RestoreTableToPointInTime", r#"{"SourceTableName":"a","TargetTableName":"b"}"#);
        let both = ["a", "b"].map(|name| format!("arn:aws:dynamodb:us-east-1:123456789012:table/{name}"));
        assert_eq!(asked, [("dynamodb:RestoreTableToPointInTime".to_owned(), both.to_vec(), false)]);
        let asked = dynamodb(
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"Delete":{"TableName":"b"}}]}"#,
        );
        let actions: Vec<_> = asked.iter().map(|(action, resources, _)| (action.as_str(), &resources[0])).collect();
        assert_eq!(actions, [("dynamodb:PutItem", &both[0]), ("dynamodb:DeleteItem", &both[1])]);
    }

    #[test]
    fn decoys_name_nothing() {
        let dynamodb =
            |operation: &str, body: &str| of_json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body);
        let ssm = |operation: &str, body: &str| of_json("ssm", &format!("AmazonSSM.{operation}"), body);
        for asked in [
            ssm("GetParametersByPath", r#"{"Path":"/a","Name":"decoy"}"#),
            dynamodb(
                "RestoreTableToPointInTime",
                r#"{"SourceTableName":"a","TargetTableName":"b","TableName":"decoy"}"#,
            ),
            dynamodb("ListTables", r#"{"TableName":"decoy"}"#),
            dynamodb("GetItem", r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/decoy/secret"}"#),
            dynamodb("GetItem", r#"{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/t"}"#),
            dynamodb("GetItem", r#"{"tablename":"decoy","TableName":"t"}"#),
            dynamodb("NoSuchOperation", r#"{"TableName":"decoy"}"#),
            dynamodb("ExecuteStatement", r#"{"Statement":"SELECT * FROM t"}"#),
            of_json("dynamodb", "Other_20120810.GetItem", r#"{"TableName":"decoy"}"#),
            of_json("kms", "TrentService.CreateKey", r#"{"KeyId":"decoy"}"#),
            of_json("kms", "TrentService.Decrypt", r#"{"KeyId":"decoy","CiphertextBlob":"AAAA"}"#),
            of_json("logs", "Logs_20140328.DescribeLogGroups", r#"{"logGroupName":"decoy"}"#),
            of_json("sqs", "AmazonSQS.SendMessage", r#"{"QueueUrl":"http://x/210987654321/q"}"#),
            of_json("no-such-service", "X.Y", r#"{"TableName":"decoy"}"#),
            of_form("sns", "Version=2010-03-31&Action=ListTopics&TopicArn=decoy"),
            of_path("lambda", "GET", "/2015-03-31/functions/f?FunctionName=decoy", ""),
            of_path("lambda", "PUT", "/2015-03-31/functions/f/code", r#"{"FunctionName":"decoy"}"#),
            of_path("lambda", "POST", "/2015-03-31/functions/f/invocations", r#"{"FunctionName":"decoy"}"#),
            of_path("lambda", "GET", "/2015-03-31/functions/a%2525b", ""),
            of_path("s3", "GET", "/v20180820/no/such/operation", ""),
        ] {
            assert!(asked.iter().any(|(_, resources, doubt)| *doubt && resources == &["*"]), "{asked:?}");
        }
    }

    #[test]
    fn what_two_servers_read_differently_is_refused() {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let target = ("x-amz-target", "DynamoDB_20120810.GetItem");
        for (service, request) in [
            ("dynamodb", request("GET", "/", &[target], "{}")),
            ("dynamodb", request("POST", "/x", &[target], "{}")),
            ("dynamodb", request("POST", "/?TableName=x", &[target], "{}")),
            ("dynamodb", request("POST", "/", &[target, form], "{}")),
            ("dynamodb", request("POST", "/", &[target], r#"{"TableName":"a","TableName":"b"}"#)),
            ("dynamodb", request("POST", "/", &[target], "[]")),
            ("sns", request("POST", "/?TopicArn=x", &[form], "Action=Publish")),
            ("sns", request("POST", "/x", &[form], "Action=Publish")),
            ("sns", request("POST", "/", &[form], "Action=Publish&TopicArn=a&TopicArn=b")),
            ("sns", request("POST", "/", &[form], "Action=Publish&TopicArn=%zz")),
            ("lambda", request("POST", "/2015-03-31/functions/f/invocations", &[], "x&FunctionName=secret")),
            ("lambda", request("POST", "/2015-03-31/functions/f/invocations", &[form], "x")),
            ("monitoring", request("POST", "/x", &[("smithy-protocol", "rpc-v2-cbor")], "")),
        ] {
            assert!(read(service, HERE, &request).is_err(), "{service} {request:?}");
        }
    }

    #[test]
    fn roles_that_are_passed_are_found_at_any_depth() {
        let arn = "arn:aws:iam::123456789012:role/worker";
        let body = format!(r#"{{"DeliveryStreamName":"d","S3DestinationConfiguration":{{"RoleARN":"{arn}"}}}}"#);
        let read = read(
            "firehose",
            HERE,
            &request("POST", "/", &[("x-amz-target", "Firehose_20150804.CreateDeliveryStream")], &body),
        );
        let roles = read.unwrap().roles;
        assert_eq!(roles, [PassedRole { role: Some(arn.to_owned()), to: Some("firehose.amazonaws.com".to_owned()) }]);
    }
}
