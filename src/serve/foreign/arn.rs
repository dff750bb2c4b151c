//! ARNs of resource types with holes in them: `arn:aws:dynamodb:{r}:{a}:table/{}`. A part that fills `{}` has neither slash
//! nor colon, so that no server reads another name from it; one that fills `{/}` may have slashes.

/// Where a call is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

/// Services that tell names apart without regard to case, and keep them in small letters.
const LOWER: &[&str] = &["rds", "redshift", "elasticache"];

/// Partitions by the region's beginning.
const PARTITIONS: &[(&str, &str)] = &[
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
];

impl Place<'_> {
    fn partition(&self) -> &'static str {
        PARTITIONS.iter().find(|(start, _)| self.region.starts_with(start)).map_or("aws", |(_, partition)| partition)
    }

    fn placed(&self, template: &str) -> String {
        let rest = template.strip_prefix("arn:aws:").unwrap_or(template);
        format!("arn:{}:{rest}", self.partition()).replace("{r}", self.region).replace("{a}", self.account)
    }

    /// The ARN of all resources of a type.
    pub(super) fn all(&self, template: &str) -> String {
        self.placed(template).replace("{}", "*").replace("{/}", "*")
    }

    /// The ARN whose holes are filled with parts; `None` where one doesn't fit.
    pub(super) fn fill(&self, template: &str, parts: &[&str]) -> Option<String> {
        let service = service(template);
        let mut parts = parts.iter();
        let mut made = String::new();
        let placed = self.placed(template);
        let mut rest = placed.as_str();
        while let Some((before, slashes, after)) = next_hole(rest) {
            made.push_str(before);
            let part = parts.next()?;
            // Aliases are named with `alias/`; of parameters, `/a` and `a` have one ARN.
            let once = [":alias/", ":parameter/"].into_iter().find(|kind| made.ends_with(kind));
            let start = once.map_or("", |kind| if kind == ":alias/" { "alias/" } else { "/" });
            let part = part.strip_prefix(start).unwrap_or(part);
            if !is_part(part, slashes) {
                return None;
            }
            if LOWER.contains(&service) {
                made.push_str(&part.to_ascii_lowercase())
            } else {
                made.push_str(part)
            }
            rest = after;
        }
        made.push_str(rest);
        parts.next().is_none().then_some(made)
    }

    /// Whether an ARN is one of a type, here.
    pub(super) fn fits(&self, template: &str, arn: &str) -> bool {
        let placed = self.placed(template);
        let (mut rest, mut text) = (placed.as_str(), arn);
        while let Some((before, slashes, after)) = next_hole(rest) {
            let Some(from) = text.strip_prefix(before) else { return false };
            let stop = after.chars().next();
            let end = from.find(|c| Some(c) == stop || c == ':' || (c == '/' && !slashes)).unwrap_or(from.len());
            let (part, left) = from.split_at_checked(end).unwrap_or((from, ""));
            if !is_part(part, slashes) {
                return false;
            }
            (rest, text) = (after, left);
        }
        rest == text
    }
}

/// The service of an ARN.
pub(super) fn service(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}

/// What stands before the next hole, whether that takes slashes, and what stands behind it.
fn next_hole(text: &str) -> Option<(&str, bool, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (hole, after) = rest.split_once('}')?;
    Some((before, hole == "/", after))
}

fn is_part(part: &str, slashes: bool) -> bool {
    let odd = |c: char| c == ':' || (c == '/' && !slashes) || c.is_control();
    !part.is_empty() && part.trim() == part && !part.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { region: "eu-west-1", account: "123456789012" };

    #[test]
    fn holes_are_filled_by_what_fits() {
        for (template, parts, made) in [
            ("arn:aws:d:{r}:{a}:table/{}", &["t"][..], Some("arn:aws:d:eu-west-1:123456789012:table/t")),
            (
                "arn:aws:d:{r}:{a}:table/{}/index/{}",
                &["t", "i"],
                Some("arn:aws:d:eu-west-1:123456789012:table/t/index/i"),
            ),
            ("arn:aws:d:{r}:{a}:table/{}", &["t/x"], None),
            ("arn:aws:d:{r}:{a}:table/{}", &["t:x"], None),
            ("arn:aws:d:{r}:{a}:table/{}", &[""], None),
            ("arn:aws:d:{r}:{a}:table/{}", &[" t"], None),
            ("arn:aws:d:{r}:{a}:table/{}", &["t", "u"], None),
            ("arn:aws:kms:{r}:{a}:key/{}", &["alias/x"], None),
            ("arn:aws:kms:{r}:{a}:alias/{}", &["alias/x"], Some("arn:aws:kms:eu-west-1:123456789012:alias/x")),
            ("arn:aws:ssm:{r}:{a}:parameter/{/}", &["/a/b"], Some("arn:aws:ssm:eu-west-1:123456789012:parameter/a/b")),
            (
                "arn:aws:ssm:{r}:{a}:parameter/{/}",
                &["parameter/a"],
                Some("arn:aws:ssm:eu-west-1:123456789012:parameter/parameter/a"),
            ),
            ("arn:aws:ssm:{r}:{a}:parameter/{/}", &["//a"], Some("arn:aws:ssm:eu-west-1:123456789012:parameter//a")),
            ("arn:aws:rds:{r}:{a}:db:{}", &["Prod"], Some("arn:aws:rds:eu-west-1:123456789012:db:prod")),
            ("arn:aws:glue:{r}:{a}:catalog", &[], Some("arn:aws:glue:eu-west-1:123456789012:catalog")),
        ] {
            assert_eq!(HERE.fill(template, parts).as_deref(), made, "{template} {parts:?}");
        }
        let china = Place { region: "cn-north-1", account: "1" };
        assert_eq!(china.all("arn:aws:sns:{r}:{a}:{}"), "arn:aws-cn:sns:cn-north-1:1:*");
    }

    #[test]
    fn an_arn_fits_its_own_type_in_its_own_place() {
        let table = "arn:aws:d:{r}:{a}:table/{}";
        for (arn, fits) in [
            ("arn:aws:d:eu-west-1:123456789012:table/t", true),
            ("arn:aws:d:eu-west-1:123456789012:table/t/backup/b", false),
            ("arn:aws:d:eu-west-1:123456789012:table/", false),
            ("arn:aws:d:us-east-1:123456789012:table/t", false),
            ("arn:aws:d:eu-west-1:210987654321:table/t", false),
            ("arn:aws:other:eu-west-1:123456789012:table/t", false),
            ("arn:aws-cn:d:eu-west-1:123456789012:table/t", false),
        ] {
            assert_eq!(HERE.fits(table, arn), fits, "{arn}");
        }
        let group = "arn:aws:logs:{r}:{a}:log-group:{/}:log-stream:{/}";
        assert!(HERE.fits(group, "arn:aws:logs:eu-west-1:123456789012:log-group:/a/b:log-stream:c/d"));
        assert!(!HERE.fits(group, "arn:aws:logs:eu-west-1:123456789012:log-group:/a/b"));
    }
}
