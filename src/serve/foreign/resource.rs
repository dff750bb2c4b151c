//! Which resources an operation is about, given its parameters: by its own table, never by whichever parameter is there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::arn::{self, Place};
use super::input::Input;
use super::operations::{Kind, Operation};

/// What the service puts behind a secret's name: six characters that the call doesn't tell.
pub(super) const SUFFIX: &str = "-??????";

/// What an operation is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) resources: Vec<String>,
    /// Whether it may be about others.
    pub(super) doubt: bool,
}

/// What parameters said, and the resources that they name.
type Told = (Vec<String>, Vec<String>);

/// What isn't as the table has it, so that the call may be about anything.
struct Odd;

impl About {
    /// A call that may be about anything.
    pub(super) fn anything() -> Self {
        Self { resources: vec!["*".to_owned()], doubt: true }
    }
}

/// The resources that an operation is about; `None` where it names none, of an operation that asks for several actions.
pub(super) fn about(operation: &Operation, place: Place<'_>, input: &Input, several: bool) -> Option<About> {
    let kinds: Vec<Kind> = operation.kinds().collect();
    if kinds.is_empty() {
        return Some(About { resources: vec!["*".to_owned()], doubt: false });
    }
    let mut found = match Found::read(operation, &kinds, place, input) {
        Ok(found) => found,
        Err(Odd) => return Some(About::anything()),
    };
    found.leave_out_what_others_include(&kinds);
    let mut about = About { resources: Vec::new(), doubt: found.doubt };
    for named in found.named.into_iter().flatten() {
        about.resources.extend(named.resources);
    }
    if about.resources.is_empty() && several && kinds.iter().all(|kind| !kind.required) {
        return None;
    }
    for (kind, missing) in kinds.iter().zip(found.missing) {
        // Those that no parameter names are one of several that an ARN may be of.
        if kind.required && missing && !(found.by_arn && kind.ways().next().is_none()) {
            let Some(template) = kind.arn else { return Some(About::anything()) };
            about.doubt |= template.contains("{}") || template.contains("{/}");
            about.resources.push(place.all(template));
        }
    }
    about.resources.sort();
    about.resources.dedup();
    Some(if about.resources.is_empty() { About::anything() } else { about })
}

/// What the parameters name, by resource type.
struct Found {
    named: Vec<Vec<Named>>,
    missing: Vec<bool>,
    by_arn: bool,
    doubt: bool,
}

/// Resources that one way of naming them names.
struct Named {
    way: Vec<&'static str>,
    values: Vec<String>,
    resources: Vec<String>,
}

impl Found {
    fn read(operation: &Operation, kinds: &[Kind], place: Place<'_>, input: &Input) -> Result<Self, Odd> {
        let mut found = Self {
            named: kinds.iter().map(|_| Vec::new()).collect(),
            missing: kinds.iter().map(|_| true).collect(),
            by_arn: false,
            doubt: false,
        };
        let mut arns: Vec<String> = operation.arns().flat_map(|name| input.select(name)).collect();
        // Those of other services are what the call refers to, not what it is about.
        let ours =
            |arn: &String| kinds.iter().filter_map(|kind| kind.arn).any(|of| arn::service(of) == arn::service(arn));
        arns.retain(|arn| !arn.starts_with("arn:") || ours(arn));
        for (index, kind) in kinds.iter().enumerate() {
            let Some(template) = kind.arn else { continue };
            for way in kind.ways() {
                if let [name] = way[..]
                    && let Some(name) = name.strip_prefix('^')
                {
                    if input.select(name).is_empty() { continue } else { return Err(Odd) }
                }
                let named = if let [name] = way[..] {
                    one(template, name, place, input, &mut arns)?
                } else {
                    found.doubt |= way.contains(&"*");
                    many(template, &way, place, input)?
                };
                let Some((values, resources)) = named.filter(|(_, resources)| !resources.is_empty()) else { continue };
                found.push(index, Named { way, values, resources });
            }
        }
        for arn in arns.iter().filter(|arn| arn.starts_with("arn:")) {
            let fits = |kind: &Kind| kind.arn.is_some_and(|template| place.fits(template, bare(arn)));
            let mut fitting = kinds.iter().enumerate().filter(|(_, kind)| fits(kind)).peekable();
            if fitting.peek().is_none() {
                return Err(Odd);
            }
            for (index, _) in fitting {
                found.by_arn = true;
                found.push(index, Named { way: vec![], values: vec![], resources: vec![suffixed(bare(arn))] });
            }
        }
        Ok(found)
    }

    fn push(&mut self, index: usize, named: Named) {
        if let (Some(missing), Some(all)) = (self.missing.get_mut(index), self.named.get_mut(index)) {
            *missing = false;
            all.push(named);
        }
    }

    /// A rule on a bus is not the rule of that name on the default bus: what has all parameters of another, and more, stands
    /// alone.
    fn leave_out_what_others_include(&mut self, kinds: &[Kind]) {
        let more: Vec<Vec<&'static str>> = self
            .named
            .iter()
            .flatten()
            .filter(|named| named.way.len() > 1 && named.values.iter().all(|value| value != "default"))
            .map(|named| named.way.clone())
            .collect();
        for (named, kind) in self.named.iter_mut().zip(kinds) {
            if !kind.required {
                named.retain(|named| {
                    let included = |way: &Vec<&str>| {
                        way.len() > named.way.len() && named.way.iter().all(|name| way.contains(name))
                    };
                    named.way.is_empty() || !more.iter().any(included)
                });
            }
        }
    }
}

/// The resources that one parameter names, with what it said; ARNs are left for later.
fn one(
    template: &str,
    name: &str,
    place: Place<'_>,
    input: &Input,
    arns: &mut Vec<String>,
) -> Result<Option<Told>, Odd> {
    let mut resources = Vec::new();
    let values = input.select(name);
    for value in &values {
        if value.starts_with("arn:") {
            if !arns.contains(value) {
                arns.push(value.clone());
            }
            continue;
        }
        let value = inner(arn::service(template), name, value, place)?;
        let made = place.fill(template, &[&value]).ok_or(Odd)?;
        let is_secret = arn::service(template) == "secretsmanager";
        resources.push(if is_secret { format!("{made}{SUFFIX}") } else { made });
    }
    Ok(Some((values, resources)))
}

/// The resource that several parameters name together.
fn many(template: &str, way: &[&str], place: Place<'_>, input: &Input) -> Result<Option<Told>, Odd> {
    let mut parts = Vec::new();
    for (index, name) in way.iter().enumerate() {
        if *name == "*" {
            parts.push("*".to_owned());
            continue;
        }
        let values = input.select(name);
        match &values[..] {
            [] => return Ok(None),
            [arn] if arn.starts_with("arn:") && index.saturating_add(1) == way.len() && place.fits(template, arn) => {
                return Ok(Some((values.clone(), vec![arn.clone()])));
            }
            [arn] if arn.starts_with("arn:") => parts.push(last(template, arn, place)?),
            [one] => parts.push(one.clone()),
            // Several of a known type: each of them.
            several if index.saturating_add(1) == way.len() => {
                let mut resources = Vec::new();
                for value in several {
                    let with: Vec<&str> = parts.iter().map(String::as_str).chain([value.as_str()]).collect();
                    let made = if value.starts_with("arn:") && place.fits(template, value) {
                        Some(value.clone())
                    } else {
                        place.fill(template, &with)
                    };
                    resources.push(made.ok_or(Odd)?);
                }
                return Ok(Some((parts, resources)));
            }
            _ => return Err(Odd),
        }
    }
    let with: Vec<&str> = parts.iter().map(String::as_str).collect();
    let made = place.fill(template, &with).ok_or(Odd)?;
    Ok(Some((parts, vec![made])))
}

/// The name at the end of an ARN that stands for it, such as a cluster's.
fn last(template: &str, arn: &str, place: Place<'_>) -> Result<String, Odd> {
    let here = format!("arn:aws:{}:{{r}}:{{a}}:", arn::service(template));
    let start = place.all(&here);
    match arn.strip_prefix(start.as_str()).and_then(|rest| rest.split_once('/')) {
        Some((_, name)) if !name.contains(['/', ':']) => Ok(name.to_owned()),
        _ => Err(Odd),
    }
}

/// What a parameter that isn't a name holds: a queue's URL, a ciphertext, an iterator.
fn inner(service: &str, parameter: &str, value: &str, place: Place<'_>) -> Result<String, Odd> {
    match parameter {
        "QueueUrl" if value.contains('/') => {
            let path = value.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
            match path.and_then(|path| path.split_once('/')) {
                Some((account, name)) if account == place.account => Ok(name.to_owned()),
                _ => Err(Odd),
            }
        }
        // moto's and LocalStack's begin with the key's id; the service decides by it, not by `KeyId`.
        "CiphertextBlob" => {
            let blob = STANDARD.decode(value).map_err(|_| Odd)?;
            let id = blob.get(..36).and_then(|id| str::from_utf8(id).ok()).ok_or(Odd)?;
            let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            if is_id || id.starts_with("mrk-") { Ok(id.to_owned()) } else { Err(Odd) }
        }
        // moto's is `STREAM:SHARD:NUMBER`.
        "ShardIterator" => {
            let text =
                STANDARD.decode(value.trim_end()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Odd)?;
            match text.split(':').collect::<Vec<_>>()[..] {
                [stream, shard, _] if shard.starts_with("shardId-") => Ok(stream.to_owned()),
                _ => Err(Odd),
            }
        }
        // A version or a label may stand behind a parameter's name.
        "Name" | "Names" if service == "ssm" => Ok(value.split(':').next().unwrap_or_default().to_owned()),
        _ => Ok(value.to_owned()),
    }
}

/// An ARN without what stands for everything below it.
fn bare(arn: &str) -> &str {
    if arn::service(arn) == "logs" { arn.strip_suffix(":*").unwrap_or(arn) } else { arn }
}

/// A secret's ARN with what stands at its end: those who name it needn't know.
fn suffixed(arn: &str) -> String {
    let is_whole = || {
        let tail = arn.rsplit_once('-').map_or("", |(_, tail)| tail);
        tail.len() == 6 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_secret = arn::service(arn) == "secretsmanager";
    if is_secret && !is_whole() { format!("{arn}{SUFFIX}") } else { arn.to_owned() }
}
