//! Where a service is, and for which region requests to it are signed: "AWS SDKs and Tools Reference Guide",
//! "Service-specific endpoints" and "AWS STS Regional endpoints"; "AWS General Reference", "IAM endpoints".

use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

use super::error::{Error, Given, UrlProblem};
use super::service::{DYNAMODB, Named, Service};
use super::sources::Sources;

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Scheme, host, port and path, without a slash at the end.
    pub url: String,
    /// For which region requests are signed.
    pub signing_region: String,
    /// Whether somebody gave it, so that it may be something other than AWS.
    pub custom: bool,
}

/// A separate world: its accounts, ARNs and keys exist in no other.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// As ARNs have it.
    pub name: &'static str,
    /// What its regions begin with.
    prefix: &'static str,
    /// What names of its hosts end in.
    suffix: &'static str,
    iam_host: &'static str,
    iam_region: &'static str,
}

/// Of everything that fits nowhere else.
static AWS: Partition = Partition {
    name: "aws",
    prefix: "",
    suffix: "amazonaws.com",
    iam_host: "iam.amazonaws.com",
    iam_region: "us-east-1",
};

static PARTITIONS: [Partition; 7] = [
    Partition {
        name: "aws-cn",
        prefix: "cn-",
        suffix: "amazonaws.com.cn",
        iam_host: "iam.cn-north-1.amazonaws.com.cn",
        iam_region: "cn-north-1",
    },
    Partition {
        name: "aws-us-gov",
        prefix: "us-gov-",
        suffix: "amazonaws.com",
        iam_host: "iam.us-gov.amazonaws.com",
        iam_region: "us-gov-west-1",
    },
    Partition {
        name: "aws-eusc",
        prefix: "eusc-",
        suffix: "amazonaws.eu",
        iam_host: "iam.eusc-de-east-1.amazonaws.eu",
        iam_region: "eusc-de-east-1",
    },
    Partition {
        name: "aws-iso",
        prefix: "us-iso-",
        suffix: "c2s.ic.gov",
        iam_host: "iam.us-iso-east-1.c2s.ic.gov",
        iam_region: "us-iso-east-1",
    },
    Partition {
        name: "aws-iso-b",
        prefix: "us-isob-",
        suffix: "sc2s.sgov.gov",
        iam_host: "iam.us-isob-east-1.sc2s.sgov.gov",
        iam_region: "us-isob-east-1",
    },
    Partition {
        name: "aws-iso-e",
        prefix: "eu-isoe-",
        suffix: "cloud.adc-e.uk",
        iam_host: "iam.eu-isoe-west-1.cloud.adc-e.uk",
        iam_region: "eu-isoe-west-1",
    },
    Partition {
        name: "aws-iso-f",
        prefix: "us-isof-",
        suffix: "csp.hci.ic.gov",
        iam_host: "iam.us-isof-south-1.csp.hci.ic.gov",
        iam_region: "us-isof-south-1",
    },
];

/// The regions that `legacy` is about: those that were there when STS was one place. The others can't be left that way.
const LEGACY: [&str; 15] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// What the SDKs call the place where a service of the whole partition is.
const EVERYWHERE: &str = "aws-global";

/// Where STS was before it was in every region.
const GLOBAL: (&str, &str) = ("https://sts.amazonaws.com", "us-east-1");

impl Endpoint {
    /// Whether it is AWS itself, under any of its names: nobody else has hosts below these, with certificates for them.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        let host = self.url.strip_prefix("https://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
        let below =
            |suffix: &str| host.and_then(|host| host.strip_suffix(suffix)).is_some_and(|name| name.ends_with('.'));
        !self.custom || std::iter::once(&AWS).chain(&PARTITIONS).any(|partition| below(partition.suffix))
    }
}

impl Partition {
    /// The partition of a region; `aws` without one, and for a region that fits nowhere: it may be new.
    #[must_use]
    pub fn of(region: Option<&str>) -> &'static Self {
        let region = region.unwrap_or_default();
        PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(&AWS)
    }
}

/// The endpoint of a service: what was given for it, else AWS's own.
pub(super) fn resolve(service: Service, region: Option<&str>, sources: &Sources<'_>) -> Result<Endpoint, Error> {
    if let Some(endpoint) = custom(service.named(), region, sources)? {
        return Ok(endpoint);
    }
    expect_usual(sources)?;
    let partition = Partition::of(region);
    let (url, signing_region) = match service {
        Service::Iam => (format!("https://{}", partition.iam_host), partition.iam_region),
        Service::Sts => match region {
            Some(region) if region != EVERYWHERE && !(legacy(sources)? && LEGACY.contains(&region)) => {
                (format!("https://sts.{region}.{}", partition.suffix), region)
            }
            _ => (GLOBAL.0.to_owned(), GLOBAL.1),
        },
    };
    Ok(Endpoint { url, signing_region: signing_region.to_owned(), custom: false })
}

/// The endpoint of DynamoDB; none where no region is given, for it has none for all of them.
pub(super) fn of_dynamodb(region: Option<&str>, sources: &Sources<'_>) -> Result<Option<Endpoint>, Error> {
    if let Some(endpoint) = custom(DYNAMODB, region, sources)? {
        return Ok(Some(endpoint));
    }
    expect_usual(sources)?;
    Ok(region.filter(|region| *region != EVERYWHERE).map(|region| Endpoint {
        url: format!("https://dynamodb.{region}.{}", Partition::of(Some(region)).suffix),
        signing_region: region.to_owned(),
        custom: false,
    }))
}

/// The endpoint that was given for a service.
fn custom(service: Named, region: Option<&str>, sources: &Sources<'_>) -> Result<Option<Endpoint>, Error> {
    let Some((text, given)) = given(service, sources)? else { return Ok(None) };
    let url = check(&text, &given, sources.options.allow_plain_http)?;
    let region = region.filter(|region| *region != EVERYWHERE).unwrap_or("us-east-1");
    Ok(Some(Endpoint { url, signing_region: region.to_owned(), custom: true }))
}

/// Makes sure that nobody asked for other endpoints than the usual ones, without saying which.
fn expect_usual(sources: &Sources<'_>) -> Result<(), Error> {
    for (variable, setting) in
        [("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")]
    {
        // If you ask for one of these, you must not get another without a message.
        if let Some(given) = sources.switch(variable, setting)? {
            return Err(Error::Unsupported { given });
        }
    }
    Ok(())
}

/// What was given for a service, nearest first.
fn given(service: Named, sources: &Sources<'_>) -> Result<Option<(String, Given)>, Error> {
    if let Some(url) = &sources.options.endpoint_url {
        return Ok(Some((url.clone(), Given::Option("--endpoint-url"))));
    }
    let ignored = sources.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")?;
    if ignored.is_some() {
        return Ok(None);
    }
    if let Some(found) = sources.variable(service.variable).or_else(|| sources.variable("AWS_ENDPOINT_URL")) {
        return Ok(Some(found));
    }
    if let (Some(profile), Some((section, _))) = (sources.profile, sources.in_profile("services")) {
        match sources.files.services(&section, service.id, "endpoint_url")? {
            None => return Err(Error::NoServices { profile: profile.name().to_owned(), section }),
            Some(Some(url)) => return Ok(Some((url.to_owned(), Given::Services { section, service: service.id }))),
            Some(None) => {}
        }
    }
    Ok(sources.in_profile("endpoint_url"))
}

fn legacy(sources: &Sources<'_>) -> Result<bool, Error> {
    match sources.setting("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints") {
        Some((text, _)) if text.eq_ignore_ascii_case("legacy") => Ok(true),
        Some((text, given)) if !text.eq_ignore_ascii_case("regional") => Err(Error::StsEndpoints { given }),
        _ => Ok(false),
    }
}

/// A URL as an endpoint has it. Seeds and sessions come back in answers, so clear text stays on this machine unless it
/// was asked for.
fn check(text: &str, given: &Given, allow_plain_http: bool) -> Result<String, Error> {
    let wrong = |problem| Error::Endpoint { given: given.clone(), problem };
    // The reader of URIs drops fragments without a word.
    if text.contains('#') {
        return Err(wrong(UrlProblem::Fragment));
    }
    if !text.contains("://") {
        return Err(wrong(UrlProblem::Scheme));
    }
    let uri: Uri = text.parse().map_err(|_| wrong(UrlProblem::Form))?;
    let secure = match uri.scheme_str() {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => true,
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => false,
        _ => return Err(wrong(UrlProblem::Scheme)),
    };
    let authority = uri.authority().ok_or_else(|| wrong(UrlProblem::Form))?;
    if authority.as_str().contains('@') {
        return Err(wrong(UrlProblem::UserInfo));
    }
    if uri.query().is_some() {
        return Err(wrong(UrlProblem::Query));
    }
    let host = authority.host().to_ascii_lowercase();
    let port = match authority.as_str().get(host.len()..) {
        Some("") => String::new(),
        Some(_) => format!(":{}", authority.port_u16().ok_or_else(|| wrong(UrlProblem::Form))?),
        None => return Err(wrong(UrlProblem::Form)),
    };
    if !is_host(&host) {
        return Err(wrong(UrlProblem::Form));
    }
    if !secure && !allow_plain_http && !is_loopback(&host) {
        return Err(Error::PlainHttp { given: given.clone(), host });
    }
    let scheme = if secure { "https" } else { "http" };
    Ok(format!("{scheme}://{host}{port}{}", uri.path().trim_end_matches('/')))
}

/// A name, an IPv4 address, or an IPv6 address in brackets: what goes into a `Host` header as it is.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            !host.is_empty() && host.bytes().all(plain)
        }
    }
}

/// RFC 6761, section 6.3, and RFC 1122, section 3.2.1.3: what never leaves this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<String, Error> {
        check(text, &Given::Option("--endpoint-url"), false)
    }

    fn problem(text: &str) -> UrlProblem {
        match checked(text) {
            Err(Error::Endpoint { problem, .. }) => problem,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn urls_are_kept_with_port_and_path_and_without_their_last_slash() {
        for (text, expected) in [
            ("https://iam.example.com", "https://iam.example.com"),
            ("HTTPS://IAM.Example.com/", "https://iam.example.com"),
            ("https://iam.example.com:8443/a/B//", "https://iam.example.com:8443/a/B"),
            ("http://localhost:4566/", "http://localhost:4566"),
            ("http://iam.localhost", "http://iam.localhost"),
            ("http://127.8.0.1:1", "http://127.8.0.1:1"),
            ("http://[::1]:80/x", "http://[::1]:80/x"),
        ] {
            assert_eq!(checked(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_for_what_it_is() {
        for text in ["https://", "https:///x", "https://a b", "https://a:99999", "https://a:", "https://[::1"] {
            assert_eq!(problem(text), UrlProblem::Form, "{text}");
        }
        for text in ["", "localhost:4566", "127.0.0.1:9", "ftp://a"] {
            assert_eq!(problem(text), UrlProblem::Scheme, "{text}");
        }
        for text in ["https://é.example", "https://a%41", "https://a!b", "https://[x]"] {
            assert_eq!(problem(text), UrlProblem::Form, "{text}");
        }
        assert_eq!(problem("ftp://localhost"), UrlProblem::Scheme);
        assert_eq!(problem("https://user:hidden@a"), UrlProblem::UserInfo);
        assert_eq!(problem("https://a/?b"), UrlProblem::Query);
        assert_eq!(problem("https://a/#b"), UrlProblem::Fragment);
    }

    #[test]
    fn clear_text_stays_on_this_machine() {
        let hosts = [
            "example.com",
            "localhost.example.com",
            "notlocalhost",
            "128.0.0.1",
            "127.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
        ];
        for host in hosts {
            let refused = checked(&format!("http://{host}:80")).unwrap_err();
            assert!(matches!(&refused, Error::PlainHttp { host: named, .. } if named == host), "{refused:?}");
            assert!(check(&format!("http://{host}"), &Given::Variable("AWS_ENDPOINT_URL"), true).is_ok());
        }
    }

    #[test]
    fn aws_is_known_by_whatever_name_it_has() {
        let of = |url: &str| Endpoint { url: url.to_owned(), signing_region: String::new(), custom: true };
        for url in ["https://vpce-1.sts.eu-west-1.vpce.amazonaws.com", "https://sts.cn-north-1.amazonaws.com.cn:443/x"]
        {
            assert!(of(url).is_aws(), "{url}");
        }
        for url in [
            "http://sts.amazonaws.com",
            "https://amazonaws.com",
            "https://evilamazonaws.com",
            "https://localhost:4566",
            "https://sts.amazonaws.com.example.com",
        ] {
            assert!(!of(url).is_aws(), "{url}");
        }
        assert!(Endpoint { custom: false, ..of("https://sts.amazonaws.com") }.is_aws());
    }

    #[test]
    fn partitions_are_told_by_the_region() {
        for (region, partition) in [
            (None, "aws"),
            (Some("eu-central-1"), "aws"),
            (Some("xx-new-1"), "aws"),
            (Some("cn-north-1"), "aws-cn"),
            (Some("us-gov-east-1"), "aws-us-gov"),
            (Some("us-iso-east-1"), "aws-iso"),
            (Some("us-isob-east-1"), "aws-iso-b"),
            (Some("eusc-de-east-1"), "aws-eusc"),
        ] {
            assert_eq!(Partition::of(region).name, partition, "{region:?}");
        }
    }
}
