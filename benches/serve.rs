//! Signed requests a second: against `vmfa serve`, or against anything else that speaks the same.
//!
//! `benches/serve` starts the servers and calls this with an endpoint and keys; see there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::arithmetic_side_effects, clippy::disallowed_methods, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use vmfa::oath::{Parameters, totp};
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

fn read(stream: &mut BufReader<TcpStream>) -> Option<(u16, bool, Vec<u8>)> {
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

/// GetUser over so many connections for so long: a line of requests a second and the quantiles in milliseconds.
fn load(address: SocketAddr, keys: &Credentials, connections: usize, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let start = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(move || {
                    let mut connection = Connection { address, stream: None };
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let request = request(address, keys, form("GetUser", &[]));
                        let sent = Instant::now();
                        let (status, body) = connection.send(&request);
                        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                        times.push(sent.elapsed());
                    }
                    times
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
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

/// So many users, each with an enabled device.
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
                    let name = format!("user-{number}");
                    done("CreateUser", &[("UserName", &name)]);
                    let made = done("CreateVirtualMFADevice", &[("VirtualMFADeviceName", &name)]);
                    let text = |element: &str| {
                        made.split_once(&format!("<{element}>")).unwrap().1.split_once('<').unwrap().0.to_owned()
                    };
                    use base64::Engine as _;
                    let seed = base64::prelude::BASE64_STANDARD.decode(text("Base32StringSeed")).unwrap();
                    let seed = vmfa::provision::base32::parse(str::from_utf8(&seed).unwrap()).unwrap();
                    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
                    let code = |time| {
                        let time = Timestamp::from_unix(time);
                        totp::code(&seed, time, totp::EPOCH, &Parameters::DEFAULT).unwrap().to_string()
                    };
                    done(
                        "EnableMFADevice",
                        &[
                            ("UserName", &name),
                            ("SerialNumber", &text("SerialNumber")),
                            ("AuthenticationCode1", &code(now - 30)),
                            ("AuthenticationCode2", &code(now)),
                        ],
                    );
                }
            });
        }
    });
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [what, address, id, secret, number] = arguments.as_slice() else {
        println!("run benches/serve");
        return;
    };
    let (address, number) = (address.parse().unwrap(), number.parse().unwrap());
    let keys = Credentials::new(id, secret, None);
    match what.as_str() {
        "load" => load(address, &keys, 8, number),
        "fill" => fill(address, &keys, number.try_into().unwrap()),
        other => panic!("{other}"),
    }
}
