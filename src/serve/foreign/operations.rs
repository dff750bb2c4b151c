//! What each operation of each service is authorized on: `vectors/serve/operations.py` made the table and says how it reads.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::OnceLock;

use flate2::read::GzDecoder;

const TABLE: &[u8] = include_bytes!("../../../vectors/serve/operations.txt.gz");

/// Bytes of the table, unpacked; it has about two million.
const BYTES: u64 = 8_388_608;

/// A service's API.
#[derive(Debug)]
pub(super) struct Model {
    /// Of its actions.
    pub(super) prefix: &'static str,
    protocols: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    pub(super) target: &'static str,
    pub(super) version: &'static str,
    /// ARNs with holes.
    pub(super) types: Vec<&'static str>,
    lines: &'static str,
}

/// An operation, or one of the actions that it asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) model: &'static Model,
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) uri: &'static str,
    action: &'static str,
    members: &'static str,
    types: &'static str,
    arns: &'static str,
    roles: &'static str,
}

/// A resource type that an operation is authorized on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Its ARN with holes; `None` where the reference doesn't say.
    pub(super) arn: Option<&'static str>,
    pub(super) required: bool,
    ways: &'static str,
}

/// The APIs whose requests are signed for a service.
pub(super) fn models(service: &str) -> &'static [Model] {
    static MODELS: OnceLock<HashMap<&'static str, Vec<Model>>> = OnceLock::new();
    MODELS.get_or_init(|| read(unpacked())).get(service).map_or(&[], Vec::as_slice)
}

fn unpacked() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = String::new();
        // A test reads it: what can't be unpacked knows no service, and so allows nothing but by wildcards.
        let _ = GzDecoder::new(TABLE).take(BYTES).read_to_string(&mut text);
        text
    })
}

fn read(text: &'static str) -> HashMap<&'static str, Vec<Model>> {
    let mut models: HashMap<_, Vec<Model>> = HashMap::new();
    for part in text.split("\n@\t").skip(1) {
        let (head, lines) = part.split_once('\n').unwrap_or((part, ""));
        let mut fields = head.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let (signed, prefix, protocols, target, version) = (next(), next(), next(), next(), next());
        let types = lines.lines().map_while(|line| line.strip_prefix("=\t"));
        let types = types.map(|line| line.split_once('\t').map_or("", |(_, arn)| arn)).collect();
        models.entry(signed).or_default().push(Model { prefix, protocols, target, version, types, lines });
    }
    models
}

impl Model {
    /// Whether it is spoken to in a protocol.
    pub(super) fn speaks(&self, protocol: &str) -> bool {
        self.protocols.split(',').any(|other| other == protocol)
    }

    /// Whether its operations are identified by method and path.
    pub(super) fn is_rest(&self) -> bool {
        self.protocols.starts_with("rest-")
    }

    pub(super) fn operations(&'static self) -> impl Iterator<Item = Operation> {
        self.lines.lines().filter(|line| !line.starts_with('=')).map(move |line| Operation::read(self, line))
    }

    /// The operation of a name: a line for each action that it asks for.
    pub(super) fn named(&'static self, name: &str) -> impl Iterator<Item = Operation> {
        self.operations().filter(move |operation| operation.name == name)
    }
}

impl Operation {
    fn read(model: &'static Model, line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        Self {
            model,
            name: next(),
            method: next(),
            uri: next(),
            action: next(),
            members: next(),
            types: next(),
            arns: next(),
            roles: next(),
        }
    }

    /// The action, where there is one.
    pub(super) fn action(&self) -> Option<&'static str> {
        match self.action {
            "-" => None,
            "" => Some(self.name),
            other => Some(other),
        }
    }

    /// Whether the body may have such a parameter at its top level.
    pub(super) fn has_member(&self, name: &str) -> bool {
        self.members.split(' ').any(|member| member == name)
    }

    /// Whether the query string may have such a parameter: by the operation's input, or as part of its template.
    pub(super) fn has_query(&self, name: &str) -> bool {
        let fixed = self.uri.split_once('?').map_or("", |(_, query)| query);
        self.members.split(' ').any(|member| member.strip_prefix('?') == Some(name))
            || fixed.split('&').any(|part| part.split('=').next() == Some(name))
    }

    /// Whether it has a body of parameters.
    pub(super) fn has_body(&self) -> bool {
        self.members.split(' ').any(|member| !member.is_empty() && !member.starts_with('?'))
    }

    /// All names that mean something to it, wherever they stand.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let labels = self.uri.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let members = self.members.split(' ').map(|member| member.trim_start_matches('?'));
        members.chain(labels.map(|label| label.trim_end_matches('+'))).filter(|name| !name.is_empty())
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let words = self.types.split(' ').filter(|word| !word.is_empty());
        words.map(|word| {
            let (number, ways) = word.trim_start_matches('!').split_once('=').unwrap_or_default();
            let arn = number.parse().ok().and_then(|number: usize| self.model.types.get(number)).copied();
            Kind { arn, required: word.starts_with('!'), ways }
        })
    }

    /// Parameters that carry whole ARNs.
    pub(super) fn arns(&self) -> impl Iterator<Item = &'static str> {
        self.arns.split(' ').filter(|name| !name.is_empty())
    }

    /// Names of parameters that pass a role, at any depth, and whether one may be a mere name.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let names = self.roles.split(' ').filter(|name| !name.is_empty());
        names.map(|name| (name.trim_end_matches('~'), name.ends_with('~')))
    }
}

impl Kind {
    /// The ways to fill the holes: parameters, one for each.
    pub(super) fn ways(&self) -> impl Iterator<Item = Vec<&'static str>> {
        self.ways.split('|').filter(|way| !way.is_empty()).map(|way| way.split(',').collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let text = unpacked();
        assert!(text.ends_with('\n') && u64::try_from(text.len()).unwrap() < BYTES / 2, "{}", text.len());
        let services = read(text);
        let models = || services.values().flatten();
        assert!(services.len() > 300 && models().count() > 400, "{}", services.len());
        assert!(TABLE.len() < 600_000, "{} bytes", TABLE.len());
        for line in text.lines().filter(|line| !line.starts_with(['@', '=', '#'])) {
            assert!(line.split('\t').next().is_some_and(|name| name.chars().all(char::is_alphanumeric)), "{line}");
        }
    }

    #[test]
    fn operations_tell_their_resources() {
        let [model, _] = models("dynamodb") else { panic!("{:?}", models("dynamodb").len()) };
        let restore: Vec<Operation> = model.named("RestoreTableToPointInTime").collect();
        let kinds: Vec<Kind> = restore[0].kinds().collect();
        assert_eq!(kinds[0].arn, Some("arn:aws:dynamodb:{r}:{a}:table/{}"));
        let ways: Vec<_> = kinds[0].ways().collect();
        assert!(kinds[0].required && ways.contains(&vec!["SourceTableName"]) && !ways.contains(&vec!["TableName"]));
        assert!(!restore[0].has_member("TableName") && restore[0].has_member("TargetTableName"));
        assert_eq!(model.named("TransactWriteItems").count(), 4);
        let list = model.named("ListTables").next().unwrap();
        assert_eq!((list.kinds().count(), list.action()), (0, Some("ListTables")));
        let lambda = &models("lambda")[0];
        let create = lambda.named("CreateFunction").next().unwrap();
        assert_eq!(create.roles().next(), Some(("Role", false)));
        assert!(models("s3").iter().all(|model| model.version == "2018-08-20"), "S3 itself is in a table of its own");
        assert!(models("no-such-service").is_empty());
    }
}
