//! Where the server listens, and telling others that it does.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs as _};

use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer};
use crate::cli::{hints, interrupt, json};

/// `HOST:PORT`, or `:PORT` on this machine alone.
pub(in crate::cli::command) fn address(text: &str) -> Result<SocketAddr> {
    let full = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
    let found = full.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| {
        Error::usage(format!("`{text}` is no address to listen on: ADDRESS:PORT, such as 127.0.0.1:4566 or :4566"))
    })
}

/// Listens: from here on connections are taken, if only into the queue.
pub(in crate::cli::command) fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        Error::new(Kind::Remote, "listen", format!("{address} can't be listened on: {error}"))
            .hint(hints::serve::FREE_PORT)
    })
}

/// A server that listens on all addresses is reached at this one.
pub(in crate::cli::command) fn reached_at(bound: SocketAddr) -> SocketAddr {
    let ip = if bound.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { bound.ip() };
    SocketAddr::new(ip, bound.port())
}

/// Completes at the first signal that ends a server.
pub(in crate::cli::command) fn until_signal() -> Result<impl Future<Output = ()>> {
    interrupt::first_signal()
        .map_err(|error| Error::new(Kind::Storage, "io", format!("signals can't be waited for: {error}")))
}

/// Prints what clients need to know, and writes it to a file descriptor as well.
pub(in crate::cli::command) fn announce(ready: &impl Answer, fd: Option<(u32, File)>, json: bool) -> Result<()> {
    render::print(ready, json)?;
    let Some((fd, mut file)) = fd else { return Ok(()) };
    json::line(&mut file, ready).map_err(|error| unwritable(fd, &error))
}

pub(in crate::cli::command) fn unwritable(fd: u32, error: &io::Error) -> Error {
    Error::new(Kind::Usage, "ready-fd", format!("file descriptor {fd} can't be written to: {error}"))
}
