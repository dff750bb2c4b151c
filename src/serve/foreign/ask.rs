//! What a call asks for: the action by its protocol, the resource where the call names one.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{Ask, Protocol, s3};
use crate::policy::Doubt;
use crate::serve::stand::Request;
use crate::wire::query::Parameters;

/// Methods and URI templates of services that speak REST, from the public service models.
const REST: &str = include_str!("../../../vectors/iam/rest.txt");

/// The prefix of a service's actions, where that isn't the name that requests are signed for.
const PREFIXES: &[(&str, &str)] = &[
    ("monitoring", "cloudwatch"),
    ("tagging", "tag"),
    ("email", "ses"),
    ("cloudcontrolapi", "cloudformation"),
    ("iotdata", "iot"),
    ("iot-jobs-data", "iotjobsdata"),
    ("IoTSecuredTunneling", "iot"),
    ("mturk-requester", "mechanicalturk"),
];

/// Operations whose action is called otherwise: service, operation, action.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("lambda", "Invoke", "InvokeFunction"),
    ("lambda", "InvokeWithResponseStream", "InvokeFunction"),
    ("sqs", "SendMessageBatch", "SendMessage"),
    ("sqs", "DeleteMessageBatch", "DeleteMessage"),
    ("sqs", "ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ("sns", "PublishBatch", "Publish"),
];

/// Operations that do several things, which their bodies tell: they are taken as unknown.
const SEVERAL: &[(&str, &str)] = &[
    ("dynamodb", "TransactGetItems"),
    ("dynamodb", "TransactWriteItems"),
    ("dynamodb", "ExecuteStatement"),
    ("dynamodb", "ExecuteTransaction"),
    ("dynamodb", "BatchExecuteStatement"),
    ("secretsmanager", "BatchGetSecretValue"),
];

/// Where a call names its resource: service, parameter, and what stands in the ARN before the name.
const RESOURCES: &[(&str, &str, &str)] = &[
    ("dynamodb", "TableName", "table/"),
    ("sqs", "QueueUrl", ""),
    ("sqs", "QueueName", ""),
    ("sns", "TopicArn", ""),
    ("sns", "TargetArn", ""),
    ("secretsmanager", "SecretId", "secret:"),
    ("ssm", "Name", "parameter/"),
    ("kms", "KeyId", "key/"),
    ("kinesis", "StreamName", "stream/"),
    ("logs", "logGroupName", "log-group:"),
    ("states", "stateMachineArn", ""),
    ("ecr", "repositoryName", "repository/"),
    ("lambda", "FunctionName", "function:"),
];

/// The operation of a call that names none that is known: no policy has it but by a wildcard.
const UNKNOWN: &str = "UnknownOperation";

pub(super) fn read(service: &str, region: &str, account: &str, request: &Request) -> (Protocol, Vec<Ask>) {
    if service == "s3" {
        return (Protocol::S3, s3::read(request));
    }
    let prefix = PREFIXES.iter().find(|(signed, _)| *signed == service).map_or(service, |(_, prefix)| *prefix);
    let (protocol, operation, names) = operation(service, request);
    let known_operation = operation.filter(|operation| {
        let several = SEVERAL.iter().any(|(of, name)| *of == service && *name == operation);
        !several && operation.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !operation.is_empty()
    });
    let doubtful = known_operation.is_none();
    let operation = known_operation.unwrap_or_else(|| UNKNOWN.to_owned());
    let known = ACTIONS.iter().find(|(of, name, _)| *of == service && *name == operation);
    let action = known.map_or(operation.as_str(), |(_, _, action)| *action);
    // Those that are about several name them elsewhere, whatever stands in the place of one.
    let plural = operation.starts_with("Batch") || operation.ends_with("Parameters") || operation == UNKNOWN;
    let resource = RESOURCES.iter().filter(|(of, ..)| *of == service && !plural).find_map(|(_, parameter, before)| {
        let value = names.get(*parameter)?;
        if value.starts_with("arn:") {
            // Another server may read past the account.
            return value.split(':').nth(4).is_some_and(|of| of == account).then(|| value.clone());
        }
        // A queue's URL ends with its name.
        let name = value.rsplit('/').next().filter(|_| value.contains("://")).unwrap_or(value);
        Some(format!("arn:aws:{service}:{region}:{account}:{before}{}", name.trim_start_matches('/')))
    });
    let doubt = Doubt { action: doubtful, resource: resource.is_none(), ..Doubt::default() };
    let resource = resource.unwrap_or_else(|| "*".to_owned());
    (protocol, vec![Ask { action: format!("{prefix}:{action}"), resource, doubt }])
}

/// The protocol of a call, its operation, and its parameters that are plain text.
fn operation(service: &str, request: &Request) -> (Protocol, Option<String>, HashMap<String, String>) {
    if let Some(target) = request.header("x-amz-target") {
        let operation = target.rsplit('.').next().map(str::to_owned);
        return (Protocol::Json, operation, members(&request.body));
    }
    if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
        return (Protocol::Cbor, request.path.rsplit('/').next().map(str::to_owned), HashMap::new());
    }
    let protocol = if service == "ec2" { Protocol::Ec2 } else { Protocol::Query };
    let form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let query = request.query.split('&').any(|part| part.starts_with("Action="));
    if form || query {
        let bytes = if query { request.query.as_bytes() } else { &request.body };
        let input = Parameters::parse(bytes).unwrap_or_default();
        let names = input.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        return (protocol, input.get("Action").map(str::to_owned), names);
    }
    let (operation, names) = by_path(service, &request.method, &request.path);
    (Protocol::RestJson, operation, names)
}

/// The members of a JSON object that are text.
fn members(body: &[u8]) -> HashMap<String, String> {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let members = value.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// The operation of a method and path, and what the path names.
fn by_path(service: &str, method: &str, path: &str) -> (Option<String>, HashMap<String, String>) {
    if service == "apigateway" {
        return (Some(method.to_owned()), HashMap::new());
    }
    let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let mut best: Option<(usize, &str, HashMap<String, String>)> = None;
    for (of, template, operation) in templates().get(service).into_iter().flatten() {
        if *of != method {
            continue;
        }
        let Some(names) = fits(template.split('?').next().unwrap_or_default(), &parts, decode) else { continue };
        // The fewer placeholders, the nearer.
        if best.as_ref().is_none_or(|(count, ..)| names.len() < *count) {
            best = Some((names.len(), operation, names));
        }
    }
    best.map_or((None, HashMap::new()), |(_, operation, names)| (Some(operation.to_owned()), names))
}

/// What a path has in a template's placeholders; `None` where it doesn't fit.
fn fits(template: &str, parts: &[&str], decode: impl Fn(&str) -> String) -> Option<HashMap<String, String>> {
    let mut names = HashMap::new();
    let mut parts = parts.iter();
    for wanted in template.split('/') {
        let Some(name) = wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            if parts.next() != Some(&wanted) {
                return None;
            }
            continue;
        };
        if let Some(name) = name.strip_suffix('+') {
            let rest: Vec<&str> = parts.by_ref().copied().collect();
            names.insert(name.to_owned(), decode(&rest.join("/")));
        } else {
            let part = parts.next().filter(|part| !part.is_empty())?;
            names.insert(name.to_owned(), decode(part));
        }
    }
    parts.next().is_none().then_some(names)
}

/// Whether a service is one whose operations are known by method and path.
pub(super) fn is_rest(service: &str) -> bool {
    templates().contains_key(service)
}

type Templates = HashMap<&'static str, Vec<(&'static str, &'static str, &'static str)>>;

/// Method, template and operation by the name that requests are signed for.
fn templates() -> &'static Templates {
    static TEMPLATES: OnceLock<Templates> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let mut templates = Templates::new();
        let mut service = "";
        for line in REST.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                let scope = heading.split_once("(scope ").and_then(|(_, rest)| rest.split([',', ')']).next());
                service = scope.unwrap_or_default();
                continue;
            }
            let mut words = line.split_whitespace();
            if let (Some(method), Some(template), Some(operation)) = (words.next(), words.next(), words.next())
                && !method.starts_with('#')
            {
                templates.entry(service).or_default().push((method, template, operation));
            }
        }
        templates
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations_the_nearest_template_first() {
        let read = |method, path| by_path("lambda", method, path).0;
        assert_eq!(read("GET", "/2015-03-31/functions").as_deref(), Some("ListFunctions"));
        assert_eq!(read("GET", "/2015-03-31/functions/f").as_deref(), Some("GetFunction"));
        assert_eq!(read("POST", "/2015-03-31/functions/f/invocations").as_deref(), Some("Invoke"));
        assert_eq!(read("PATCH", "/2015-03-31/functions/f"), None);
        let (_, names) = by_path("lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax");
        assert_eq!(names["FunctionName"], "arn:aws:lambda:x");
        assert!(templates().len() > 5, "{:?}", templates().keys());
    }
}
