//! How many codes a second `vmfa share` hands out, to how many connections, and how long each takes; and that none is handed
//! out twice.
//!
//! `cargo bench --bench share -- PROGRAM`, with the program to be measured; `-- PROGRAM CONNECTIONS DEVICES SECONDS RATE`. With
//! `VMFA_REGISTRY=postgres://…` in an empty database, the registry is there.
//!
//! First each connection asks again once it is answered: as many codes as can be had. Then all together ask RATE times a second, and
//! times begin when a request is due, so that one that had to wait for its connection counts.
//!
//! Devices have time steps of two seconds, so that few of them suffice: each gives a code a step.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::panic, missing_docs)]
#![allow(clippy::arithmetic_side_effects, clippy::cast_precision_loss, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PERIOD: u64 = 2;

struct Server {
    child: Child,
    address: String,
    token: String,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(program: &str, devices: u32) -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str], input: &str| {
            let mut child = Command::new(program)
                .args(arguments)
                .env("VMFA_HOME", home.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{arguments:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let identity = home.path().join("identity");
        let mut init = vec!["init", "--vault", "age", "--new-identity", identity.to_str().unwrap()];
        let registry = std::env::var("VMFA_REGISTRY").ok();
        init.extend(registry.iter().flat_map(|url| ["--registry", url]));
        run(&init, "");
        let mut uris = String::new();
        for number in 0..devices {
            let secret =
                base32::encode(base32::Alphabet::Rfc4648 { padding: false }, format!("{number:020}").as_bytes());
            writeln!(uris, "otpauth://totp/ci%2F{number:06}?secret={secret}&period={PERIOD}").unwrap();
        }
        let since = Instant::now();
        run(&["import", "-"], &uris);
        println!("{devices} devices imported in {:.1} s", since.elapsed().as_secs_f64());
        let token = run(&["share", "token", "add", "bench", "--allow", "**"], "").trim().to_owned();
        let mut child = Command::new(program)
            .args(["share", "--listen", "127.0.0.1:0", "--rate", "1000000"])
            .env("VMFA_HOME", home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("://").next().unwrap().to_owned();
        Self { child, address, token, _home: home }
    }

    /// Asks for codes until it is over, each when it is due; how long each took, and which they were.
    fn ask(
        &self,
        over: &AtomicBool,
        most: usize,
        due: impl Fn(usize) -> Option<Instant>,
    ) -> Vec<(Duration, String, u64)> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let body = "{\"device\":\"**\",\"timeout\":30}";
        let request = format!(
            "POST /v1/codes HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let mut asked = Vec::new();
        let mut buffer = vec![0; 4096];
        while !over.load(Ordering::Relaxed) && asked.len() < most {
            let due = due(asked.len());
            if let Some(time) = due {
                thread::sleep(time.saturating_duration_since(Instant::now()));
            }
            let since = due.unwrap_or_else(Instant::now);
            stream.write_all(request.as_bytes()).unwrap();
            let mut length = 0;
            let text = loop {
                length += stream.read(&mut buffer[length..]).unwrap();
                let text = std::str::from_utf8(&buffer[..length]).unwrap();
                let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
                let wanted = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
                if rest.len() == wanted.parse::<usize>().unwrap() {
                    break text;
                }
            };
            let took = since.elapsed();
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let answer: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
            asked.push((took, answer["device"].as_str().unwrap().to_owned(), answer["step"].as_u64().unwrap()));
        }
        asked
    }

    fn load(
        self: &Arc<Self>,
        connections: usize,
        seconds: u64,
        most: usize,
        rate: Option<f64>,
    ) -> (Vec<(Duration, String, u64)>, f64) {
        let over = Arc::new(AtomicBool::new(false));
        let since = Instant::now();
        let asking: Vec<_> = (0..connections)
            .map(|connection| {
                let (server, over) = (Arc::clone(self), Arc::clone(&over));
                let due = move |number: usize| {
                    Some(since + Duration::from_secs_f64((number * connections + connection) as f64 / rate?))
                };
                thread::spawn(move || server.ask(&over, most, due))
            })
            .collect();
        if most == usize::MAX {
            thread::sleep(Duration::from_secs(seconds));
            over.store(true, Ordering::Relaxed);
        }
        let asked: Vec<_> = asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (asked, since.elapsed().as_secs_f64())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(program) = arguments.first() else {
        println!("no program is named: nothing is measured");
        return;
    };
    let number = |place: usize, otherwise: usize| arguments.get(place).map_or(otherwise, |text| text.parse().unwrap());
    let (connections, devices, seconds, rate) = (number(1, 64), number(2, 20_000), number(3, 15), number(4, 5_000));
    let server = Arc::new(Server::start(program, u32::try_from(devices).unwrap()));
    // Each secret is read once, and each ledger begun once.
    let (mut all, took) = server.load(connections, 0, devices.div_ceil(connections), None);
    println!("first codes: {:.0} a second", all.len() as f64 / took);
    for rate in [None, Some(rate as f64)] {
        let (asked, took) = server.load(connections, seconds as u64, usize::MAX, rate);
        let mut times: Vec<Duration> = asked.iter().map(|(took, ..)| *took).collect();
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
        let paced = if rate.is_some() { ", as many as are asked for" } else { "" };
        println!("{:.0} codes a second over {connections} connections{paced}", times.len() as f64 / took);
        println!(
            "milliseconds: median {:.1}, p95 {:.1}, p99 {:.1}, longest {:.1}",
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
        all.extend(asked);
    }
    let distinct: HashSet<_> = all.iter().map(|(_, device, step)| (device, step)).collect();
    assert_eq!(distinct.len(), all.len(), "a code was handed out twice");
    println!("{} codes, none of them twice", all.len());
}
