//! Where a bus is (D-Bus specification 0.43, "Server Addresses"): of the transports, the sockets of Unix.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use percent_encoding::percent_decode;
use rustix::net::SocketAddrUnix;

/// The addresses of the session's bus.
pub(super) struct Addresses(OsString);

impl Addresses {
    /// As the environment names them; else the socket that systemd makes.
    #[expect(clippy::disallowed_methods, reason = "all programs find the bus by it, and none is told where it is")]
    pub(super) fn of_session() -> Self {
        let named = env::var_os("DBUS_SESSION_BUS_ADDRESS").filter(|address| !address.is_empty());
        Self(named.unwrap_or_else(|| {
            let mut address = OsString::from("unix:path=");
            match env::var_os("XDG_RUNTIME_DIR") {
                Some(directory) => address.push(directory),
                None => address.push(format!("/run/user/{}", rustix::process::geteuid().as_raw())),
            }
            address.push("/bus");
            address
        }))
    }

    /// As they were given, for messages.
    pub(super) fn shown(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// Those that are sockets of Unix, in the order in which they are to be tried.
    pub(super) fn sockets(&self) -> Vec<SocketAddrUnix> {
        self.0.as_bytes().split(|byte| *byte == b';').filter_map(socket).collect()
    }
}

/// `unix:path=…` or `unix:abstract=…`, with other keys before and behind.
fn socket(address: &[u8]) -> Option<SocketAddrUnix> {
    address.strip_prefix(b"unix:")?.split(|byte| *byte == b',').find_map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = pair.split_at_checked(end)?;
        let value: Vec<u8> = percent_decode(value.get(1..)?).collect();
        match key {
            b"path" => SocketAddrUnix::new(value).ok(),
            b"abstract" => SocketAddrUnix::new_abstract_name(&value).ok(),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_in_addresses() {
        let of = |text: &str| Addresses(text.into()).sockets();
        assert_eq!(of("unix:path=/run/user/1000/bus"), [SocketAddrUnix::new("/run/user/1000/bus").unwrap()]);
        assert_eq!(of("unix:guid=00,path=/tmp/a%20b"), [SocketAddrUnix::new("/tmp/a b").unwrap()]);
        assert_eq!(
            of("unix:abstract=/tmp/dbus-x,guid=00"),
            [SocketAddrUnix::new_abstract_name(b"/tmp/dbus-x").unwrap()]
        );
        assert_eq!(of("tcp:host=localhost,port=4711;unix:path=/a;unix:path=/b").len(), 2);
        for none in
            ["", "unix:", "unix:path", "unix:dir=/tmp", "tcp:host=localhost,port=4711", "unix:path=/\0", "path=/a"]
        {
            assert_eq!(of(none), [], "{none}");
        }
    }
}
