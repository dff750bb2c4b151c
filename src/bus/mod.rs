//! A connection to the session's message bus (D-Bus specification 0.43) for one thread, which sends, and waits when it needs
//! an answer.
//!
//! The crates for it start an executor and a reactor with threads of their own, which takes longer than a keyring takes to give
//! a secret.

mod address;
mod error;
mod message;

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::num::NonZeroU32;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use zvariant::DynamicType;

use self::address::Addresses;
pub(crate) use self::error::Error;
use self::message::Kind;
pub(crate) use self::message::{Message, Place};
use crate::time::Deadline;

/// The bus itself.
pub(crate) const BUS: Place<'static> =
    Place { name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

/// The longest first line of a bus, in bytes: `OK` and 32 digits have 36.
const LONGEST_LINE: usize = 256;
/// Messages kept that nobody has asked for yet: answers to calls that were sent together, and a signal.
const MOST_KEPT: usize = 64;
/// Read at once, in bytes.
const CHUNK: usize = 4096;

/// A connection. It is closed when dropped.
pub(crate) struct Bus {
    stream: UnixStream,
    deadline: Deadline,
    /// What was read and isn't a whole message yet.
    read: Vec<u8>,
    /// Where it is, while it hasn't let this user in.
    unknown_at: Option<String>,
    serial: NonZeroU32,
    /// Answers and signals that came while another one was waited for.
    kept: Vec<Message>,
}

/// The introduction, which is the first call of all.
const HELLO: NonZeroU32 = NonZeroU32::MIN;

impl Bus {
    /// Connects, and introduces itself, which is answered later.
    ///
    /// # Errors
    ///
    /// [`Error::NoBus`] with where it tried, and why that failed; [`Error::Late`] after the deadline.
    pub(crate) fn connect(deadline: Deadline) -> Result<Self, Error> {
        let addresses = Addresses::of_session();
        let mut why = "it isn't the address of a Unix socket".to_owned();
        for place in addresses.sockets() {
            match Self::connect_to(&place, deadline, addresses.shown()) {
                Ok(bus) => return Ok(bus),
                Err(error) => match Error::from(error) {
                    Error::Late => return Err(Error::Late),
                    error => why = error.to_string(),
                },
            }
        }
        Err(no_bus(&addresses.shown(), &why))
    }

    fn connect_to(place: &SocketAddrUnix, deadline: Deadline, shown: String) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // It limits connecting, too.
        set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?))?;
        connect(&socket, place)?;
        let mut stream = UnixStream::from(socket);
        // As whom the kernel knows this process; a bus that refuses says so in its first line.
        let user = rustix::process::geteuid().as_raw().to_string();
        let user: String = user.bytes().map(|digit| format!("{digit:02x}")).collect();
        let mut first = format!("\0AUTH EXTERNAL {user}\r\nBEGIN\r\n").into_bytes();
        first.extend(message::call(HELLO, BUS, "Hello", &()).map_err(io::Error::other)?);
        stream.write_all(&first)?;
        Ok(Self { stream, deadline, read: Vec::new(), unknown_at: Some(shown), serial: HELLO, kept: Vec::new() })
    }

    /// Sets how long what follows may take.
    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Sends a call, and waits for its answer. `arguments` are a tuple.
    ///
    /// # Errors
    ///
    /// [`Error::Answered`] where the answer is an error; [`Error::Late`] after the deadline.
    pub(crate) fn call(
        &mut self,
        to: Place<'_>,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> Result<Message, Error> {
        let call = self.send(to, method, arguments)?;
        self.answer(call)
    }

    /// Sends a call. [`answer`](Self::answer) gives the answer to its number.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] after the deadline; else why it can't be sent.
    pub(crate) fn send(
        &mut self,
        to: Place<'_>,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> Result<NonZeroU32, Error> {
        self.serial = self.serial.checked_add(1).ok_or(Error::TooLong)?;
        let bytes = message::call(self.serial, to, method, arguments)?;
        set_socket_timeout(&self.stream, Timeout::Send, Some(left(self.deadline)?)).map_err(io::Error::from)?;
        if let Err(error) = self.stream.write_all(&bytes) {
            // A bus that lets nobody in has said why before it went.
            let why = if self.unknown_at.is_some() { self.next().err() } else { None };
            // Part of it may have been sent; what came next would be taken for the rest.
            let _ = self.stream.shutdown(Shutdown::Both);
            return Err(why.unwrap_or_else(|| error.into()));
        }
        Ok(self.serial)
    }

    /// Waits for the answer to a call.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub(crate) fn answer(&mut self, call: NonZeroU32) -> Result<Message, Error> {
        let answer = self.wait(|message| message.answers() == Some(call))?;
        if answer.kind == Kind::Error { Err(answer.into_error()) } else { Ok(answer) }
    }

    /// A signal, which came meanwhile or comes before the deadline.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] after the deadline.
    pub(crate) fn signal(&mut self, from: Place<'_>, name: &str) -> Result<Message, Error> {
        self.wait(|message| message.is_signal(from, name))
    }

    fn wait(&mut self, wanted: impl Fn(&Message) -> bool) -> Result<Message, Error> {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return Ok(self.kept.remove(at));
        }
        loop {
            let message = self.next()?;
            if wanted(&message) {
                return Ok(message);
            }
            if matches!(message.kind, Kind::Answer | Kind::Error | Kind::Signal) {
                // Answers that nobody waited for are the oldest.
                if self.kept.len() >= MOST_KEPT {
                    self.kept.remove(0);
                }
                self.kept.push(message);
            }
        }
    }

    /// The next message but the answer to the introduction.
    fn next(&mut self) -> Result<Message, Error> {
        loop {
            let message = match self.receive() {
                Ok(message) if message.answers() != Some(HELLO) => return Ok(message),
                Ok(message) if message.kind == Kind::Error => message.into_error(),
                Ok(_) => {
                    self.unknown_at = None;
                    continue;
                }
                Err(error) => error,
            };
            return Err(match (message, &self.unknown_at) {
                (Error::Late, _) => Error::Late,
                (error, Some(place)) => no_bus(place, &error.to_string()),
                (error, None) => error,
            });
        }
    }

    fn receive(&mut self) -> Result<Message, Error> {
        // Only what comes first isn't a message.
        while self.unknown_at.is_some() && self.read.first().is_none_or(|byte| !matches!(byte, b'l' | b'B')) {
            match self.read.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line: Vec<u8> = self.read.drain(..=end).collect();
                    if !line.starts_with(b"OK ") {
                        return Err(Error::Malformed(String::from_utf8_lossy(&line).trim().to_owned()));
                    }
                }
                None if self.read.len() > LONGEST_LINE => return Err(Error::TooLong),
                None => self.more()?,
            }
        }
        loop {
            if let Some(length) = Message::length(&self.read)?
                && let Some(whole) = self.read.get(..length)
            {
                let message = Message::read(whole);
                self.read.drain(..length);
                return message;
            }
            self.more()?;
        }
    }

    /// Reads what is there, and waits where nothing is.
    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0; CHUNK];
        let count = loop {
            set_socket_timeout(&self.stream, Timeout::Recv, Some(left(self.deadline)?))?;
            match self.stream.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
        }
        self.read.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(())
    }
}

fn no_bus(place: &str, why: &str) -> Error {
    Error::NoBus(format!("tried {place}: {why}"))
}

fn left(deadline: Deadline) -> io::Result<Duration> {
    deadline.left().ok_or_else(|| io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// What a call is answered on a bus that says this.
    fn answered(by: &'static [u8], limit: Duration) -> Error {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let bus = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(by).unwrap();
            if by.is_empty() {
                // Until the other side goes.
                let _ = io::copy(&mut stream, &mut io::sink());
            } else {
                let mut some = [0; 16];
                stream.read_exact(&mut some).unwrap();
            }
        });
        let place = SocketAddrUnix::new(&path).unwrap();
        let mut connection = Bus::connect_to(&place, Deadline::after(limit), "unix:path=bus".to_owned()).unwrap();
        let error = connection.call(BUS, "ListNames", &()).unwrap_err();
        drop(connection);
        bus.join().unwrap();
        error
    }

    #[test]
    fn a_bus_that_lets_nobody_in_is_none() {
        let limit = Duration::from_secs(30);
        for by in [
            b"REJECTED EXTERNAL\r\n".as_slice(),
            b"OK 00\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"OK 00\r\nl\x03\x01\x01\0\0\0\0\x01\0\0\0\x08\0\0\0\x05\x01u\0\x01\0\0\0",
            b"OK 00\r\nl\x02\x01\x01\xff\xff\xff\xff\x01\0\0\0\x08\0\0\0\x05\x01u\0\x01\0\0\0",
            &[b'x'; 4096],
        ] {
            let error = answered(by, limit);
            assert!(matches!(&error, Error::NoBus(why) if why.starts_with("tried unix:path=bus: ")), "{error}");
        }
    }

    #[test]
    fn a_bus_that_is_gone_has_said_why() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let place = SocketAddrUnix::new(&path).unwrap();
        let mut connection =
            Bus::connect_to(&place, Deadline::after(Duration::from_secs(30)), "here".to_owned()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
        drop(stream);
        let error = connection.call(BUS, "ListNames", &()).unwrap_err();
        assert!(matches!(&error, Error::NoBus(why) if why.contains("REJECTED EXTERNAL")), "{error}");
    }

    #[test]
    fn a_bus_that_says_nothing_is_waited_for_until_the_deadline() {
        assert!(matches!(answered(b"", Duration::from_millis(20)), Error::Late));
    }
}
