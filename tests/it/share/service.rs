//! A server of this program, and a client that writes bytes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Home, SEED};

/// A `vmfa share` that ends with the test.
pub struct Service {
    pub child: Child,
    pub home: Home,
    pub ready: Value,
    pub address: SocketAddr,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub json: Value,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or("no error")
    }
}

/// A home with the devices `ci/1` to `ci/4` and `prod/1`, of different secrets.
pub fn home() -> Home {
    let home = Home::new();
    for (name, last) in [("ci/1", 'A'), ("ci/2", 'B'), ("ci/3", 'C'), ("ci/4", 'D'), ("prod/1", 'E')] {
        let secret = format!("{}{last}", &SEED[..SEED.len() - 1]);
        add(&home, name, &format!("otpauth://totp/Example:{name}?secret={secret}&issuer=Example"));
    }
    home
}

/// Adds a device, of which nobody has had a code yet.
pub fn add(home: &Home, name: &str, uri: &str) {
    home.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
}

/// An access token of a home's registry.
pub fn token(command: Command, name: &str, allow: &[&str]) -> String {
    let mut command = command;
    command.args(["share", "token", "add", name]);
    for pattern in allow {
        command.args(["--allow", pattern]);
    }
    crate::support::run(&mut command, b"").expect(0).stdout.trim().to_owned()
}

impl Service {
    /// With devices, and a token for all of `ci/`.
    pub fn start(arguments: &[&str]) -> Self {
        let home = home();
        let token = token(home.command(), "ci", &["ci/*"]);
        let command = home.command();
        Self::start_by(home, command, token, arguments)
    }

    pub fn start_by(home: Home, mut command: Command, token: String, arguments: &[&str]) -> Self {
        let said = fs::File::create(home.path().join("said")).unwrap();
        command.args(["share", "--json", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(said).stdin(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = || fs::read_to_string(home.path().join("said")).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no line: {}", said()));
        let address = ready["url"].as_str().unwrap().rsplit("//").next().unwrap().parse().unwrap();
        Self { child, home, address, token, ready }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.post_as(&self.token, path, body)
    }

    pub fn post_as(&self, token: &str, path: &str, body: &str) -> Reply {
        self.send(&self.request("POST", path, &[("authorization", &format!("Bearer {token}"))], body))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(&self.request("GET", path, &[("authorization", &format!("Bearer {}", self.token))], ""))
    }

    /// The bytes of a request.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = if method == "GET" { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let json = if method == "GET" { "" } else { "content-type: application/json\r\n" };
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}{json}{length}\r\n{body}", self.address)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends bytes, and reads one answer.
    pub fn send(&self, bytes: &str) -> Reply {
        let mut stream = self.connect();
        // Who is refused before all is sent may see the connection end.
        let _ = stream.write_all(bytes.as_bytes());
        read(stream)
    }

    /// A counter or gauge.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").expect(200).text;
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}: {text}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// What it said beside its answers; the words of a panic would be here.
    pub fn said(&self) -> String {
        fs::read_to_string(self.home.path().join("said")).unwrap()
    }
}

/// Reads one answer.
pub fn read(stream: TcpStream) -> Reply {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            break;
        }
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut bytes = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    Reply { status, head, json: serde_json::from_str(&text).unwrap_or_default(), text }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
