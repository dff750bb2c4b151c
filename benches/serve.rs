//! Signed requests a second: against `vmfa serve`, or against anything else that speaks the same.
//!
//! `benches/serve` starts the servers and calls this with an endpoint and keys; see there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::arithmetic_side_effects, clippy::disallowed_methods, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use vmfa::oath::{Parameters, totp};
use vmfa::secret::Secret;
use vmfa::time::Timestamp;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::{self, Credentials, Payload, Signer};

/// A connection that is opened again where the server closes it.
struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    fn send(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        for _ in 0..3 {
            let mut stream = self.stream.take().unwrap_or_else(|| {
                let stream = TcpStream::connect(self.address).unwrap();
                stream.set_nodelay(true).unwrap();
                BufReader::new(stream)
            });
            if stream.get_mut().write_all(request).is_err() {
                continue;
            }
            let Some((status, close, body)) = read(&mut stream) else { continue };
            if !close {
                self.stream = Some(stream);
            }
            return (status, body);
        }
        panic!("no answer");
    }
}

/// The status of an answer, whether the server ends the connection, and the body; `None` for what isn't all there.
fn read(stream: &mut impl BufRead) -> Option<(u16, bool, Vec<u8>)> {
    let (mut line, mut length, mut close) = (String::new(), None, false);
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    close |= line.starts_with("HTTP/1.0");
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
        close |= lower.starts_with("connection:") && lower.contains("close");
    }
    let mut body = vec![0; length?];
    stream.read_exact(&mut body).ok()?;
    Some((status, close, body))
}

fn request(address: SocketAddr, keys: &Credentials, form: Form) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let body = form.body();
    let mut headers =
        vec![("host".to_owned(), address.to_string()), ("content-type".to_owned(), Form::CONTENT_TYPE.to_owned())];
    let signed = Signer::new(keys, "us-east-1", "iam")
        .sign(
            &sigv4::Request {
                method: "POST",
                path: "/",
                query: "",
                headers: headers.iter().map(|(name, value)| (name, value)).collect(),
            },
            Payload::Bytes(body.as_bytes()),
            Timestamp::from_unix(now),
        )
        .unwrap();
    headers.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())));
    let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST / HTTP/1.1\r\n{head}content-length: {}\r\n\r\n{}", body.len(), body.as_str()).into_bytes()
}

fn form(action: &str, parameters: &[(&str, &str)]) -> Form {
    parameters.iter().fold(Form::new(action, "2010-05-08"), |form, (name, value)| form.pair(name, value))
}

/// A connection of [`load`], and what has come of the answer that it waits for.
struct Waiting {
    stream: TcpStream,
    sent: Instant,
    come: Vec<u8>,
}

impl Waiting {
    /// Connects and sends a request.
    fn open(address: SocketAddr, request: &[u8]) -> Self {
        let sent = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(request).unwrap();
        Self { stream, sent, come: Vec::new() }
    }

    /// Sends one more; whether the server still takes it.
    fn send(&mut self, request: &[u8]) -> bool {
        (self.sent, self.come) = (Instant::now(), Vec::new());
        self.stream.write_all(request).is_ok()
    }

    /// Reads what is there. The status, once all of the answer is there, and whether the server ends the connection;
    /// `None` for both where it ended it before it answered.
    fn read(&mut self) -> (Option<u16>, bool) {
        let mut piece = [0; 16_384];
        let length = self.stream.read(&mut piece).unwrap_or_default();
        if length == 0 {
            return (None, true);
        }
        self.come.extend_from_slice(&piece[..length]);
        let mut rest = self.come.as_slice();
        match read(&mut rest) {
            Some((status, close, _)) => (Some(status), close),
            None => (None, false),
        }
    }
}

/// GetUser over so many connections for so long: a line of requests a second and the quantiles in milliseconds. One
/// thread has all connections: client and server share the processors, and waking threads would be most of what is
/// measured.
fn load(address: SocketAddr, keys: &Credentials, connections: usize, seconds: u64) {
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    // Signed once a second: what signing costs is the client's affair.
    let signed = || (Instant::now(), request(address, keys, form("GetUser", &[])));
    let mut now = signed();
    let mut times = Vec::new();
    let mut unanswered = 0;
    let mut open: Vec<Waiting> = (0..connections).map(|_| Waiting::open(address, &now.1)).collect();
    while Instant::now() < end {
        if now.0.elapsed() > Duration::from_secs(1) {
            now = signed();
        }
        let mut ready: Vec<_> = open.iter().map(|waiting| PollFd::new(&waiting.stream, PollFlags::IN)).collect();
        let longest = rustix::time::Timespec { tv_sec: 60, tv_nsec: 0 };
        assert!(rustix::event::poll(&mut ready, Some(&longest)).unwrap() > 0, "no answer within a minute");
        let ready: Vec<bool> = ready.iter().map(|of| !of.revents().is_empty()).collect();
        for (waiting, _) in open.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            let (status, ends) = waiting.read();
            if let Some(status) = status {
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&waiting.come));
                times.push(waiting.sent.elapsed());
            } else if ends {
                unanswered += 1;
                assert!(unanswered < 100, "connections end without an answer");
            }
            if ends || (status.is_some() && !waiting.send(&now.1)) {
                *waiting = Waiting::open(address, &now.1);
            }
        }
    }
    assert!(!times.is_empty(), "no answer");
    let elapsed = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let quantile = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "{{\"rate\": {:.0}, \"p50_ms\": {:.3}, \"p99_ms\": {:.3}, \"max_ms\": {:.3}}}",
        times.len() as f64 / elapsed,
        quantile(50),
        quantile(99),
        times.last().unwrap().as_secs_f64() * 1_000.0
    );
}

/// From the start of a server's process to its first answer to GetUser: prints milliseconds. `vmfa serve` says when it is
/// ready, and where; to others it connects until they accept.
fn start(port: &str, command: &[String]) {
    let mut server = Command::new(&command[0]);
    server.args(&command[1..]);
    let start = Instant::now();
    let ready = |child: &mut Child| -> (SocketAddr, Credentials) {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let address = text("endpoint").trim_start_matches("http://").parse().unwrap();
        (address, Credentials::new(&text("access_key_id"), &text("secret_access_key"), None))
    };
    let get_user = |address, keys: &Credentials, stream| {
        let mut connection = Connection { address, stream: Some(BufReader::new(stream)) };
        connection.send(&request(address, keys, form("GetUser", &[])))
    };
    let mut child;
    let (status, body) = if port == "announced" {
        child = server.stdout(Stdio::piped()).spawn().unwrap();
        let (address, keys) = ready(&mut child);
        get_user(address, &keys, TcpStream::connect(address).unwrap())
    } else {
        child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "x", None);
        let stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(_) => assert!(child.try_wait().unwrap().is_none(), "the server ended"),
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        get_user(address, &keys, stream)
    };
    let took = start.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    println!("{:.3}", took.as_secs_f64() * 1_000.0);
}

/// Makes users, each with an enabled device and a policy. One has a second policy, and one device has no user.
fn fill(address: SocketAddr, keys: &Credentials, users: usize) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let mut connection = Connection { address, stream: None };
                let mut done = |action: &str, parameters: &[(&str, &str)]| {
                    let (status, body) = connection.send(&request(address, keys, form(action, parameters)));
                    let body = String::from_utf8(body).unwrap();
                    assert_eq!(status, 200, "{action}: {body}");
                    body
                };
                for number in (thread..users).step_by(8) {
                    let name = format!("user-{number:06}");
                    done("CreateUser", &[("UserName", &name)]);
                    done("AttachUserPolicy", &[("UserName", &name), ("PolicyArn", COMMON)]);
                    if number == 0 {
                        done("AttachUserPolicy", &[("UserName", &name), ("PolicyArn", RARE)]);
                        done("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "spare")]);
                    }
                    let made = done("CreateVirtualMFADevice", &[("VirtualMFADeviceName", &name)]);
                    let text = |element: &str| {
                        made.split_once(&format!("<{element}>")).unwrap().1.split_once('<').unwrap().0.to_owned()
                    };
                    let [first, second] = pair(&seed(&made));
                    done(
                        "EnableMFADevice",
                        &[
                            ("UserName", &name),
                            ("SerialNumber", &text("SerialNumber")),
                            ("AuthenticationCode1", &first),
                            ("AuthenticationCode2", &second),
                        ],
                    );
                }
            });
        }
    });
    // The server remembers its last 10,000 events: one more has to cost the same however many users there are.
    let mut connection = Connection { address, stream: None };
    let get_user = request(address, keys, form("GetUser", &[]));
    for _ in 0..10_000 {
        assert_eq!(connection.send(&get_user).0, 200);
    }
}

/// The CPU time that a process has used, all its threads together.
fn cpu_time(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
    Duration::from_nanos(spent.map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum())
}

/// A policy of every user, and one of a single user.
const COMMON: &str = "arn:aws:iam::aws:policy/IAMUserChangePassword";
const RARE: &str = "arn:aws:iam::aws:policy/AmazonS3FullAccess";

/// What a kind of request is called, its action, and its parameters; `?` stands for something new.
type Kind<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// How often each request is sent for a figure, and of how many figures the least counts.
const SENT: usize = 50;
const ROUNDS: usize = 3;

/// Prints what requests cost a server that [`fill`] has filled, in microseconds of CPU time, as a line of JSON.
fn costs(address: SocketAddr, keys: &Credentials, users: usize, process: u32) {
    let mut connection = Connection { address, stream: None };
    let mut send = |action: &str, parameters: &[(&str, &str)]| {
        let (status, body) = connection.send(&request(address, keys, form(action, parameters)));
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{action}: {body}");
        body
    };
    let user = format!("user-{:06}", users / 2);
    let filter = ("Filter.member.1", "User");
    // Every page has as many items, however many users there are.
    let page = ("MaxItems", "5");
    // The marker of a page in the middle.
    let mut middle = |action: &str, parameters: &[(&str, &str)]| {
        let (mut marker, mut left) = (String::new(), users / 2);
        loop {
            let most = left.min(1_000).to_string();
            let mut all = vec![("MaxItems", most.as_str())];
            all.extend_from_slice(parameters);
            let begun = marker.clone();
            if !begun.is_empty() {
                all.push(("Marker", &begun));
            }
            let answer = send(action, &all);
            marker = answer.split_once("<Marker>").unwrap().1.split_once('<').unwrap().0.to_owned();
            left = left.saturating_sub(1_000);
            if left == 0 {
                return marker;
            }
        }
    };
    let markers = [
        middle("ListUsers", &[]),
        middle("GetAccountAuthorizationDetails", &[filter]),
        middle("ListEntitiesForPolicy", &[("PolicyArn", COMMON)]),
        middle("ListVirtualMFADevices", &[]),
    ];
    let [users_after, details_after, entities_after, devices_after] =
        markers.each_ref().map(|m| ("Marker", m.as_str()));
    let of_common = ("PolicyArn", COMMON);
    let status = |status| ("AssignmentStatus", status);
    let kinds: &[Kind<'_>] = &[
        ("GetUser", "GetUser", &[("UserName", &user)]),
        ("ListMFADevices", "ListMFADevices", &[("UserName", &user)]),
        ("CreateUser", "CreateUser", &[("UserName", "?")]),
        ("CreateVirtualMFADevice", "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "?")]),
        ("EnableMFADevice", "EnableMFADevice", &[("UserName", "?"), ("SerialNumber", "?")]),
        ("DeactivateMFADevice", "DeactivateMFADevice", &[("UserName", "?"), ("SerialNumber", "?")]),
        ("DeleteVirtualMFADevice", "DeleteVirtualMFADevice", &[("SerialNumber", "?")]),
        ("DeleteUser", "DeleteUser", &[("UserName", "?")]),
        ("ListUsers", "ListUsers", &[page]),
        ("ListUsers, in the middle", "ListUsers", &[page, users_after]),
        ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", &[page]),
        (
            "GetAccountAuthorizationDetails, in the middle",
            "GetAccountAuthorizationDetails",
            &[page, filter, details_after],
        ),
        (
            "GetAccountAuthorizationDetails, of policies",
            "GetAccountAuthorizationDetails",
            &[page, ("Filter.member.1", "AWSManagedPolicy")],
        ),
        ("ListEntitiesForPolicy, of one user", "ListEntitiesForPolicy", &[page, ("PolicyArn", RARE)]),
        ("ListEntitiesForPolicy, of all", "ListEntitiesForPolicy", &[page, of_common]),
        ("ListEntitiesForPolicy, in the middle", "ListEntitiesForPolicy", &[page, of_common, entities_after]),
        ("ListVirtualMFADevices", "ListVirtualMFADevices", &[page]),
        ("ListVirtualMFADevices, in the middle", "ListVirtualMFADevices", &[page, devices_after]),
        ("ListVirtualMFADevices, assigned", "ListVirtualMFADevices", &[page, status("Assigned")]),
        ("ListVirtualMFADevices, unassigned", "ListVirtualMFADevices", &[page, status("Unassigned")]),
        ("GetPolicy", "GetPolicy", &[of_common]),
        ("GetAccountSummary", "GetAccountSummary", &[]),
    ];
    let mut least = vec![Duration::MAX; kinds.len()];
    for round in 0..ROUNDS {
        let mut seeds: Vec<_> = (0..SENT).map(|_| None).collect();
        for (kind, (_, action, parameters)) in kinds.iter().enumerate() {
            // Made before it is measured: codes take a while.
            let requests: Vec<Vec<(&str, String)>> = (0..SENT)
                .map(|number| {
                    let name = format!("user-new-{round}-{number}");
                    let serial = format!("arn:aws:iam::123456789012:mfa/{name}");
                    let new = |parameter: &str| if parameter == "SerialNumber" { &serial } else { &name }.clone();
                    let filled = parameters
                        .iter()
                        .map(|(of, value)| (*of, if *value == "?" { new(of) } else { (*value).to_owned() }));
                    let mut filled: Vec<_> = filled.collect();
                    if *action == "EnableMFADevice" {
                        let [first, second] = pair(seeds[number].as_ref().unwrap());
                        filled.extend([("AuthenticationCode1", first), ("AuthenticationCode2", second)]);
                    }
                    filled
                })
                .collect();
            let before = cpu_time(process);
            for (number, parameters) in requests.iter().enumerate() {
                let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = send(action, &parameters);
                if *action == "CreateVirtualMFADevice" {
                    seeds[number] = Some(seed(&answer));
                }
            }
            let spent = cpu_time(process) - before;
            least[kind] = least[kind].min(spent);
        }
    }
    let figures: Vec<String> = kinds
        .iter()
        .zip(least)
        .map(|((name, _, _), spent)| format!("\"{name}\": {:.1}", spent.as_secs_f64() * 1e6 / SENT as f64))
        .collect();
    println!("{{{}}}", figures.join(", "));
}

/// The seed in an answer to `CreateVirtualMFADevice`.
fn seed(answer: &str) -> Secret {
    use base64::Engine as _;
    let text = answer.split_once("<Base32StringSeed>").unwrap().1.split_once('<').unwrap().0;
    let seed = base64::prelude::BASE64_STANDARD.decode(text).unwrap();
    vmfa::provision::base32::parse(str::from_utf8(&seed).unwrap()).unwrap()
}

/// The codes of the last step and of this one.
fn pair(seed: &Secret) -> [String; 2] {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    [now - 30, now].map(|time| {
        let time = Timestamp::from_unix(time);
        totp::code(seed, time, totp::EPOCH, &Parameters::DEFAULT).unwrap().to_string()
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [what, port, command @ ..] = arguments.as_slice()
        && what == "start"
    {
        return start(port, command);
    }
    let [what, address, id, secret, number, process @ ..] = arguments.as_slice() else {
        println!("run benches/serve");
        return;
    };
    let (address, number) = (address.parse().unwrap(), number.parse().unwrap());
    let process = process.first().map(|process| process.parse().unwrap());
    let keys = Credentials::new(id, secret, None);
    match what.as_str() {
        "load" => load(address, &keys, 8, number),
        "costs" => costs(address, &keys, usize::try_from(number).unwrap(), process.unwrap()),
        "fill" => fill(address, &keys, number.try_into().unwrap()),
        other => panic!("{other}"),
    }
}
