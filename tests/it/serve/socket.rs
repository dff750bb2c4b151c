//! The program's own server, and a client that writes bytes.

use std::io::{self, BufRead as _, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use vmfa::oath::{Parameters, totp};
use vmfa::time::Timestamp;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::{self, Credentials, Payload, Signer};

use crate::support::Home;

/// A `vmfa serve` that ends with the test.
pub struct Server {
    pub child: Child,
    pub home: Home,
    pub ready: serde_json::Value,
    pub address: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(Home::new(), arguments)
    }

    pub fn start_in(home: Home, arguments: &[&str]) -> Self {
        let command = home.command();
        Self::start_by(home, command, arguments)
    }

    /// With a command that ends in the program.
    pub fn start_by(home: Home, mut command: std::process::Command, arguments: &[&str]) -> Self {
        let said = std::fs::File::create(home.path().join("said")).unwrap();
        command.args(["serve", "--json"]).args(arguments).stdout(Stdio::piped()).stderr(said);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no line: {line:?}"));
        let address = ready["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, home, ready, address }
    }

    pub fn endpoint(&self) -> &str {
        self.ready["endpoint"].as_str().unwrap()
    }

    pub fn administrator(&self) -> Credentials {
        let text = |name: &str| self.ready[name].as_str().unwrap();
        Credentials::new(text("access_key_id"), text("secret_access_key"), None)
    }

    /// A connection with time limits of its own.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends bytes, and reads one answer.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<Reply> {
        let mut stream = self.connect();
        // Who is refused before all is sent may see the connection end.
        let _ = stream.write_all(bytes);
        read_reply(&mut BufReader::new(stream))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address).as_bytes()).unwrap()
    }

    pub fn post(&self, path: &str, kind: &str, body: &str) -> Reply {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {kind}\r\n", self.address);
        self.raw(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap()
    }

    /// The server's time.
    pub fn now(&self) -> u64 {
        let reply = self.get("/_vmfa/time");
        serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["unix"].as_u64().unwrap()
    }

    pub fn wait(&self, seconds: u64) {
        let reply = self.post("/_vmfa/time", "application/json", &format!("{{\"advance\": \"{seconds}s\"}}"));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// Calls an action of IAM or STS.
    pub fn call(&self, keys: &Credentials, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.raw(&self.signed(keys, action, parameters, self.now())).unwrap()
    }

    /// The bytes of a signed request.
    pub fn signed(&self, keys: &Credentials, action: &str, parameters: &[(&str, &str)], now: u64) -> Vec<u8> {
        let sts = ["GetSessionToken", "AssumeRole", "GetCallerIdentity"].contains(&action);
        let (service, version) = if sts { ("sts", "2011-06-15") } else { ("iam", "2010-05-08") };
        let form = parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
        self.signed_form(keys, service, form.body().as_str(), now)
    }

    pub fn signed_form(&self, keys: &Credentials, service: &str, body: &str, now: u64) -> Vec<u8> {
        self.signed_body(keys, service, Form::CONTENT_TYPE, body, now)
    }

    /// The same for a body of any kind.
    pub fn signed_body(&self, keys: &Credentials, service: &str, kind: &str, body: &str, now: u64) -> Vec<u8> {
        let mut headers =
            vec![("host".to_owned(), self.address.to_string()), ("content-type".to_owned(), kind.to_owned())];
        let request = sigv4::Request {
            method: "POST",
            path: "/",
            query: "",
            headers: headers.iter().map(|(name, value)| (name, value)).collect(),
        };
        let signer = Signer::new(keys, "us-east-1", service);
        let signed = signer.sign(&request, Payload::Bytes(body.as_bytes()), Timestamp::from_unix(now)).unwrap();
        headers.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())));
        let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("POST / HTTP/1.1\r\n{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    /// What it said beside its answers; the words of a panic would be here.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.home.path().join("said")).unwrap()
    }

    /// The most memory that it took, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one answer of a connection.
pub fn read_reply(stream: &mut impl io::BufRead) -> io::Result<Reply> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok(Reply { status, head, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Reply {
    /// The text of an element of XML.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        let rest = self.body.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
        let rest = rest.unwrap_or_else(|| panic!("no {name} in {self:?}"));
        rest.split_once("</").unwrap().0.to_owned()
    }
}

/// As many open files as the system lets this process have: two thousand connections are more than the usual limit.
pub fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

/// The code of an answer's device at a time.
pub fn code(created: &Reply, now: u64) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.decode(created.text("Base32StringSeed")).unwrap();
    let seed = vmfa::provision::base32::parse(str::from_utf8(&text).unwrap()).unwrap();
    totp::code(&seed, Timestamp::from_unix(now), totp::EPOCH, &Parameters::DEFAULT).unwrap().to_string()
}

/// A user with keys and a device that STS knows.
pub fn enrolled(server: &Server, name: &str) -> (Credentials, Reply) {
    let admin = server.administrator();
    assert_eq!(server.call(&admin, "CreateUser", &[("UserName", name)]).status, 200);
    let key = server.call(&admin, "CreateAccessKey", &[("UserName", name)]);
    let keys = Credentials::new(&key.text("AccessKeyId"), &key.text("SecretAccessKey"), None);
    let created = server.call(&admin, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]);
    let now = server.now();
    let enabled = server.call(
        &admin,
        "EnableMFADevice",
        &[
            ("UserName", name),
            ("SerialNumber", &created.text("SerialNumber")),
            ("AuthenticationCode1", &code(&created, now - 30)),
            ("AuthenticationCode2", &code(&created, now)),
        ],
    );
    assert_eq!(enabled.status, 200, "{}", enabled.body);
    server.wait(10);
    (keys, created)
}
