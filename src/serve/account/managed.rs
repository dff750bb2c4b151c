//! Policies of AWS's own, as every account has them: `vectors/iam/managed/`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{LazyLock, OnceLock};

use flate2::read::GzDecoder;

use super::document::PolicyDocument;
use super::entities::{ManagedPolicy, PolicyVersion};
use super::tags::Tags;
use crate::policy::Kind;
use crate::time::Timestamp;

/// Name, id, default version, dates, path, bytes, description.
const INDEX: &str = include_str!("../../../vectors/iam/managed/index.txt");

const DOCUMENTS: &[(&str, &str)] = &[
    ("AWSLambdaBasicExecutionRole", include_str!("../../../vectors/iam/managed/AWSLambdaBasicExecutionRole.json")),
    ("AdministratorAccess", include_str!("../../../vectors/iam/managed/AdministratorAccess.json")),
    ("AmazonEC2FullAccess", include_str!("../../../vectors/iam/managed/AmazonEC2FullAccess.json")),
    ("AmazonEC2ReadOnlyAccess", include_str!("../../../vectors/iam/managed/AmazonEC2ReadOnlyAccess.json")),
    ("AmazonS3FullAccess", include_str!("../../../vectors/iam/managed/AmazonS3FullAccess.json")),
    ("AmazonS3ReadOnlyAccess", include_str!("../../../vectors/iam/managed/AmazonS3ReadOnlyAccess.json")),
    ("IAMFullAccess", include_str!("../../../vectors/iam/managed/IAMFullAccess.json")),
    ("IAMReadOnlyAccess", include_str!("../../../vectors/iam/managed/IAMReadOnlyAccess.json")),
    ("IAMUserChangePassword", include_str!("../../../vectors/iam/managed/IAMUserChangePassword.json")),
    ("PowerUserAccess", include_str!("../../../vectors/iam/managed/PowerUserAccess.json")),
];

/// The longest one by far, packed.
const READ_ONLY: (&str, &[u8]) =
    ("ReadOnlyAccess", include_bytes!("../../../vectors/iam/managed/ReadOnlyAccess.json.gz"));

/// The most bytes of a document, unpacked.
const LONGEST: u64 = 1 << 20;

/// The document of a policy of this name.
fn text_of(name: &str) -> Option<Cow<'static, str>> {
    if name == READ_ONLY.0 {
        let mut text = String::new();
        GzDecoder::new(READ_ONLY.1).take(LONGEST).read_to_string(&mut text).ok()?;
        return Some(text.into());
    }
    DOCUMENTS.iter().find(|(of, _)| *of == name).map(|(_, text)| Cow::Borrowed(*text))
}

/// The ARN of one of AWS's own policies that has no path.
pub(in crate::serve) fn arn(name: &str) -> String {
    format!("arn:aws:iam::aws:policy/{name}")
}

/// One of AWS's own policies. Their documents take longer to read than everything else at the start of a server, so each
/// is read when it is first asked for.
struct Managed {
    line: &'static str,
    read: OnceLock<Option<ManagedPolicy>>,
}

impl Managed {
    fn policy(&'static self) -> Option<&'static ManagedPolicy> {
        self.read.get_or_init(|| read(self.line)).as_ref()
    }
}

/// All of them, by ARN.
static POLICIES: LazyLock<BTreeMap<String, Managed>> = LazyLock::new(|| {
    let lines = INDEX.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some((arn_of(line)?, Managed { line, read: OnceLock::new() }))).collect()
});

/// The one with this ARN.
pub(in crate::serve) fn policy<'a>(arn: &str) -> Option<&'a ManagedPolicy> {
    POLICIES.get(arn)?.policy()
}

/// The ARNs of all, in order.
pub(in crate::serve) fn arns() -> impl Iterator<Item = &'static str> {
    POLICIES.keys().map(String::as_str)
}

/// All of them, by ARN.
pub(in crate::serve) fn policies<'a>() -> impl Iterator<Item = &'a ManagedPolicy> {
    arns().filter_map(policy)
}

/// The ARN in a line of the index.
fn arn_of(line: &str) -> Option<String> {
    let (name, path) = (line.split(' ').next()?, line.split(' ').nth(5)?);
    Some(format!("arn:aws:iam::aws:policy{path}{name}"))
}

fn read(line: &'static str) -> Option<ManagedPolicy> {
    let mut words = line.splitn(8, ' ');
    let mut word = || words.next();
    let (name, id, version, created, updated, path) = (word()?, word()?, word()?, word()?, word()?, word()?);
    let description = word().and(word())?;
    let text = text_of(name)?;
    let number = version.strip_prefix('v')?.parse().ok()?;
    let time = |text| Timestamp::parse(text, Timestamp::from_unix(0)).ok();
    let (created, updated) = (time(created)?, time(updated)?);
    let document = PolicyDocument::new(text.trim_end(), Kind::Identity).ok()?;
    Some(ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id.to_owned(),
        arn: arn_of(line)?,
        description: Some(description.to_owned()),
        created,
        updated,
        tags: Tags::default(),
        versions: BTreeMap::from([(number, PolicyVersion { document, created: updated })]),
        default: number,
        next: number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_of_the_index_is_there() {
        assert_eq!(policies().count(), DOCUMENTS.len() + 1);
        for (policy, arn) in policies().zip(arns()) {
            assert!(policy.document().is_some() && policy.arn == arn, "{}", policy.name);
        }
    }
}
