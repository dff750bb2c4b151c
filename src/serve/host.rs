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
