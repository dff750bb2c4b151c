//! Which database a registry is in: `postgres://USER@HOST:PORT/DATABASE`, as libpq writes it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

/// The port of PostgreSQL.
pub const PORT: u16 = 5432;

/// The longest address that is read.
const LONGEST: usize = 4_096;

/// The most hosts of one address.
const MOST_HOSTS: usize = 16;

/// Where Debian's servers have their sockets, and most others.
const SOCKETS: &str = "/var/run/postgresql";

/// What a URL shows as it is; a slash begins the path of a socket.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name or an IP address, and a port.
    Tcp(String, u16),
    /// The directory of a socket, and the port that its name has.
    Socket(PathBuf, u16),
}

impl Host {
    /// Whether it is on this machine, as its name says.
    #[must_use]
    pub fn is_here(&self) -> bool {
        match self {
            Self::Socket(..) => true,
            Self::Tcp(name, _) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(name, port) if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Tcp(name, port) => write!(f, "{name}:{port}"),
            Self::Socket(directory, PORT) => f.write_str(&encoded(&directory.to_string_lossy())),
            Self::Socket(directory, port) => write!(f, "{}:{port}", encoded(&directory.to_string_lossy())),
        }
    }
}

/// How a connection is protected, as `sslmode` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// By TLS where the server is on another machine.
    AsNeeded,
    /// By TLS, on this machine too.
    Tls,
    /// Not at all.
    Plain,
}

/// Which database, as which user, and how it is reached.
///
/// `Display` and `Debug` leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) hosts: Vec<Host>,
    pub(super) user: Option<String>,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) database: Option<String>,
    pub(super) protection: Protection,
    /// Whether other machines may be reached in clear text.
    pub(super) plain: bool,
    roots_file: Option<PathBuf>,
    pub(super) roots: Option<Vec<u8>>,
}

/// Why a text isn't the address of a database. It never repeats what may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAddress {
    /// Another kind of registry, or no URL.
    #[error("a registry's URL begins with postgres:// or dynamodb://")]
    Scheme,
    /// Longer than any.
    #[error("a registry's URL has at most {LONGEST} characters")]
    TooLong,
    /// A part of it can't be read.
    #[error("the {0} of the registry's URL can't be read")]
    Part(&'static str),
    /// Behind the question mark.
    #[error("the registry's URL has a parameter `{0}`; known are host, sslmode and sslrootcert")]
    Parameter(String),
    /// Not a way to protect a connection.
    #[error("sslmode is disable, require or verify-full")]
    Mode,
}

impl Address {
    /// Reads `postgres://[USER[:PASSWORD]@][HOST[:PORT],…]/[DATABASE][?sslmode=…&sslrootcert=…&host=…]`.
    ///
    /// # Errors
    ///
    /// [`NotAddress`], which part isn't one.
    pub fn parse(url: &str) -> Result<Self, NotAddress> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(NotAddress::Scheme)?;
        if url.len() > LONGEST {
            return Err(NotAddress::TooLong);
        }
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)));
        let mut address = Self {
            hosts: hosts.split(',').filter(|host| !host.is_empty()).map(host).collect::<Result<_, _>>()?,
            user: decoded(user, "user")?,
            password: password.map(|text| decoded(text, "password")).transpose()?.flatten().map(Zeroizing::new),
            database: decoded(database, "database")?,
            protection: Protection::AsNeeded,
            plain: false,
            roots_file: None,
            roots: None,
        };
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            address.set(name, &decoded(value, "parameters")?.unwrap_or_default())?;
        }
        if address.hosts.is_empty() {
            address.hosts.push(Host::Socket(SOCKETS.into(), PORT));
        }
        if address.hosts.len() > MOST_HOSTS {
            return Err(NotAddress::Part("hosts"));
        }
        Ok(address)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), NotAddress> {
        match name {
            "host" => self.hosts.push(host(&encoded(value))?),
            "password" => self.password = Some(Zeroizing::new(value.to_owned())),
            "sslmode" => {
                self.protection = match value {
                    "disable" => Protection::Plain,
                    // libpq would go on in clear text, and so it is taken to mean as much as is needed.
                    "allow" | "prefer" => Protection::AsNeeded,
                    // Certificates are always verified, names included.
                    "require" | "verify-ca" | "verify-full" => Protection::Tls,
                    _ => return Err(NotAddress::Mode),
                }
            }
            "sslrootcert" => self.roots_file = Some(value.into()),
            _ => return Err(NotAddress::Parameter(name.chars().take(40).collect())),
        }
        Ok(())
    }

    /// The hosts, in the order in which they are tried.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The role that signs in.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Which database: the one that is named, else the user's own.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref().or_else(|| self.user())
    }

    /// Whether the URL had a password.
    #[must_use]
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The file with the roots that certificates are verified by (`sslrootcert`); none for the web's own.
    #[must_use]
    pub fn roots_file(&self) -> Option<&std::path::Path> {
        self.roots_file.as_deref()
    }

    /// The same for a user, where the URL names none.
    #[must_use]
    pub fn or_user(mut self, user: Option<String>) -> Self {
        self.user = self.user.or(user);
        self
    }

    /// The same with a password, where the URL has none.
    #[must_use]
    pub fn or_password(mut self, password: Option<Zeroizing<String>>) -> Self {
        self.password = self.password.or(password);
        self
    }

    /// The same with the content of [`Self::roots_file`], in PEM.
    #[must_use]
    pub fn with_roots(mut self, pem: Vec<u8>) -> Self {
        self.roots = Some(pem);
        self
    }

    /// The same where other machines may be reached in clear text.
    #[must_use]
    pub const fn in_clear_text(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// As it is shown, with the parameters, to be read again by [`Self::parse`].
    #[must_use]
    pub fn to_url(&self) -> String {
        let mode = match self.protection {
            Protection::AsNeeded => None,
            Protection::Tls => Some(("sslmode", "verify-full".to_owned())),
            Protection::Plain => Some(("sslmode", "disable".to_owned())),
        };
        let roots = self.roots_file.as_ref().map(|file| ("sslrootcert", encoded(&file.to_string_lossy())));
        let parameters: Vec<String> =
            mode.into_iter().chain(roots).map(|(name, value)| format!("{name}={value}")).collect();
        if parameters.is_empty() { self.to_string() } else { format!("{self}?{}", parameters.join("&")) }
    }
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`; an encoded path is a socket's directory.
fn host(text: &str) -> Result<Host, NotAddress> {
    let wrong = || NotAddress::Part("host");
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty());
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| NotAddress::Part("port"))?;
    let name = decoded(name, "host")?.ok_or_else(wrong)?;
    if name.starts_with('/') {
        return Ok(Host::Socket(name.into(), port));
    }
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "-._:%".contains(c));
    if is_name { Ok(Host::Tcp(name, port)) } else { Err(wrong()) }
}

fn decoded(text: &str, part: &'static str) -> Result<Option<String>, NotAddress> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| NotAddress::Part(part))?;
    if text.contains('\0') {
        return Err(NotAddress::Part(part));
    }
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Without password and parameters.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", encoded(user))?;
        }
        for (index, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if index > 0 { "," } else { "" })?;
        }
        match &self.database {
            Some(database) => write!(f, "/{}", encoded(database)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.to_url()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_libpq_reads_it() {
        let address =
            Address::parse("postgres://ci:p%40ss@db.example.com:6432,[::1]/vmfa%2Fone?sslmode=require").unwrap();
        assert_eq!(address.hosts, [Host::Tcp("db.example.com".to_owned(), 6432), Host::Tcp("::1".to_owned(), PORT)]);
        assert_eq!((address.user(), address.database()), (Some("ci"), Some("vmfa/one")));
        assert_eq!(address.password.as_deref().map(String::as_str), Some("p@ss"));
        assert_eq!(address.protection, Protection::Tls);
        assert_eq!(address.hosts.iter().map(Host::is_here).collect::<Vec<_>>(), [false, true]);
        for socket in ["postgresql:///vmfa?host=/run/pg", "postgres://%2Frun%2Fpg/vmfa"] {
            let address = Address::parse(socket).unwrap();
            assert_eq!(address.hosts, [Host::Socket("/run/pg".into(), PORT)]);
        }
        let address = Address::parse("postgres://me@").unwrap();
        assert_eq!((address.hosts[0].is_here(), address.database()), (true, Some("me")));
    }

    #[test]
    fn what_is_shown_has_no_password_and_is_read_again() {
        for (url, shown) in [
            ("postgres://ci:secret@h/d", "postgres://ci@h:5432/d"),
            ("postgresql://h/d?password=secret&sslmode=verify-ca", "postgres://h:5432/d?sslmode=verify-full"),
            ("postgres://ci@[::1]:1,b/d?sslrootcert=/a%20b", "postgres://ci@[::1]:1,b:5432/d?sslrootcert=%2Fa%20b"),
            ("postgres://%2Frun%2Fpg:99/?sslmode=disable", "postgres://%2Frun%2Fpg:99?sslmode=disable"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.to_url(), shown);
            assert!(!format!("{address:?}").contains("secret"));
            assert_eq!(Address::parse(shown).unwrap().to_url(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_named_and_never_repeated() {
        for (url, error) in [
            ("mysql://ci:secret@h/d", NotAddress::Scheme),
            ("postgres://ci:secret@h:port/d", NotAddress::Part("port")),
            ("postgres://ci:secret@h h/d", NotAddress::Part("host")),
            ("postgres://ci:secret%00@h/d", NotAddress::Part("password")),
            ("postgres://ci:secret%ff@h/d", NotAddress::Part("password")),
            ("postgres://ci:secret@h/d?sslmode=secret", NotAddress::Mode),
            ("postgres://ci:secret@h/d?options=-c", NotAddress::Parameter("options".to_owned())),
        ] {
            let refused = Address::parse(url).unwrap_err();
            assert_eq!(refused, error);
            assert!(!refused.to_string().contains("secret"));
        }
        assert_eq!(Address::parse(&format!("postgres://{}", "h".repeat(LONGEST))), Err(NotAddress::TooLong));
    }
}
