//! Under which names requests may come: those that nobody else can make point here.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::message::{Request, Response};

/// Refuses what a page of another site made a browser send: by its origin, or under a name that was made to point here.
/// A browser doesn't always say that it is one, so names that somebody could make point here are refused to all.
pub(super) fn foreign_page(request: &Request) -> Option<Response> {
    let host = request.header("host").unwrap_or_default();
    let same = request.header("origin").is_none_or(|of| of.split_once("://").is_some_and(|(_, of)| of == host));
    let refused = !same || !is_ours(host);
    refused.then(|| {
        Response::error(
            403,
            "foreign-origin",
            "this is answered under addresses, `localhost` and names without dots only",
        )
    })
}

/// Whether a `Host` is a name that nobody else can make point here: an address, this machine, a name without dots (a
/// container's), or one below the domains reserved for such.
fn is_ours(host: &str) -> bool {
    is_address(host)
        || matches!(Name::of(host), Some(Name::Text(name)) if !name.contains('.') || is_below(name, "internal"))
}

/// Whether a `Host` is an address, or a name that always means this machine.
pub(super) fn is_address(host: &str) -> bool {
    match Name::of(host) {
        Some(Name::Address) => true,
        Some(Name::Text(name)) => name.eq_ignore_ascii_case("localhost") || is_below(name, "localhost"),
        None => false,
    }
}

/// Names of this machine, as other stand-ins use them too. A bucket or a service may stand in front.
const BELOW: [&str; 2] = [".localhost.localstack.cloud", ".localhost"];

/// What stands in front of this machine's name in a `Host`, in lower case, and the port: `bucket.s3` and `4566` of
/// `bucket.s3.localhost:4566`.
pub(super) fn in_front(host: &str) -> Option<(String, &str)> {
    let (name, port) = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((host, ""));
    let name = name.to_ascii_lowercase();
    let front = BELOW.iter().find_map(|own| name.strip_suffix(own))?;
    Some((front.to_owned(), port))
}

fn is_below(name: &str, domain: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(below, last)| !below.is_empty() && last.eq_ignore_ascii_case(domain))
}

/// What a `Host` names: RFC 9110, section 7.2, by the grammar of RFC 3986, section 3.2.2.
enum Name<'a> {
    Address,
    Text(&'a str),
}

impl<'a> Name<'a> {
    /// `None` for what isn't a name or an address with or without a port, nothing before or after.
    fn of(host: &'a str) -> Option<Self> {
        let is_port = |text: &str| {
            text.is_empty()
                || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
        };
        if let Some(rest) = host.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            return (address.parse::<Ipv6Addr>().is_ok() && is_port(port)).then_some(Self::Address);
        }
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(plain) || !is_port(port) {
            return None;
        }
        Some(if name.parse::<Ipv4Addr>().is_ok() { Self::Address } else { Self::Text(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What isn't a `Host` as a whole.
    const NO_HOSTS: [&str; 21] = [
        "[::1]evil.com",
        "[::1]evil.com:80",
        "[::1]:80:80",
        "[::1]:evil",
        "[::1",
        "::1",
        "::1]",
        "[[::1]]",
        "[127.0.0.1]",
        "[localhost]",
        "[]",
        ":80",
        "localhost:",
        "localhost:+80",
        "localhost:65536",
        "localhost:80@evil.com",
        "user@localhost",
        "localhost/evil.com",
        "localhost evil.com",
        "localhost,evil",
        "127.0.0.1:80.evil.com",
    ];

    #[test]
    fn what_stands_in_front_of_this_machine_is_found() {
        let found = |host| in_front(host);
        assert_eq!(found("bucket.s3.localhost:4566"), Some(("bucket.s3".to_owned(), "4566")));
        assert_eq!(found("Bucket.S3.LocalHost"), Some(("bucket.s3".to_owned(), "")));
        assert_eq!(found("s3.localhost.localstack.cloud:1"), Some(("s3".to_owned(), "1")));
        for host in ["localhost", "localhost:80", "[::1]:80", "b.localhost.evil.example", "b.evillocalhost"] {
            assert_eq!(found(host), None, "{host}");
        }
    }

    #[test]
    fn names_that_anybody_could_make_point_here_are_not_ours() {
        for host in ["127.0.0.1:80", "localhost", "vmfa:4566", "host.docker.internal:1", "a.localhost:1"] {
            assert!(is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:80", "127.0.0.1.evil.example", ".internal", "evil.example:1.internal"]
        {
            assert!(!is_ours(host), "{host}");
        }
        for host in NO_HOSTS {
            assert!(!is_ours(host) && !is_address(host), "{host}");
        }
    }

    #[test]
    fn addresses_and_localhost_are_this_machine() {
        for host in
            ["127.0.0.1:80", "127.0.0.1", "[::1]:80", "[::1]", "localhost:1", "a.localhost", "10.1.2.3:8", "LocalHost"]
        {
            assert!(is_address(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example:1"] {
            assert!(!is_address(host), "{host}");
        }
    }
}
