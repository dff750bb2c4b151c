//! What a server has to stand: nonsense, bombs, peers that are slow or many.

use std::io::{BufReader, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::socket::*;

/// The most memory that any of this may take: limits of heads and bodies together, and connections.
const MEMORY: u64 = 400 << 20;

/// Bytes that are another in each place and the same in each run.
fn noise(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// One request that is wrong somewhere.
fn malformed(server: &Server, good: &[u8], number: usize, seed: &mut u64) -> Vec<u8> {
    let host = server.address;
    let form = |body: &str| {
        let length = body.len();
        format!("POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    match number % 10 {
        // Bytes of a good one changed, left out, or put in
        0 | 1 => {
            let mut bytes = good.to_vec();
            for _ in 0..1 + noise(seed) % 4 {
                let at = noise(seed) as usize % bytes.len();
                bytes[at] = noise(seed) as u8;
            }
            bytes
        }
        2 => good[..noise(seed) as usize % good.len()].to_vec(),
        3 => (0..64 + noise(seed) % 512).map(|_| noise(seed) as u8).collect(),
        // Bombs of percent signs, parameters, and members
        4 => form(&"%".repeat(1 + noise(seed) as usize % 50_000)),
        5 => form(&"a=&".repeat(1 + noise(seed) as usize % 20_000)),
        6 => form(&format!("Action=CreateUser&Version=2010-05-08&{}", "Tags.member.1.Key=x&".repeat(1_000))),
        // Others' formats
        7 => {
            let body = match noise(seed) % 3 {
                0 => "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;&a;</x>".repeat(50),
                1 => "[".repeat(50_000),
                _ => format!("{{\"advance\": \"{}s\"}}", "9".repeat(1_000)),
            };
            let path = if noise(seed).is_multiple_of(2) { "/_vmfa/time" } else { "/" };
            let length = body.len();
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
        }
        // Heads: many, long, odd
        8 => {
            let mut head = format!("POST /{} HTTP/1.1\r\nhost: {host}\r\n", "../".repeat(noise(seed) as usize % 200));
            for index in 0..noise(seed) % 300 {
                head.push_str(&format!("x-amz-{index}: {}\r\n", "y".repeat(noise(seed) as usize % 200)));
            }
            format!("{head}authorization: AWS4-HMAC-SHA256 {}\r\n\r\n", "Credential=,".repeat(50)).into_bytes()
        }
        _ => {
            let query = match noise(seed) % 3 {
                0 => format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}", "/".repeat(3_000)),
                1 => "X-Amz-Signature=%".to_owned(),
                _ => "after=-1&limit=99999999999999999999".to_owned(),
            };
            format!("GET /_vmfa/events?{query} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
        }
    }
}

#[test]
fn ten_thousand_malformed_requests_leave_it_well() {
    let server = Server::start(&["--time", "virtual"]);
    let admin = server.administrator();
    let now = server.now();
    let good = server.signed(&admin, "GetUser", &[], now);
    let (answered, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (server, good, answered, done) = (&server, &good, &answered, &done);
            scope.spawn(move || {
                let mut seed = thread as u64 + 1;
                for number in 0..1_250 {
                    let bytes = malformed(server, good, number + thread, &mut seed);
                    let mut stream = server.connect();
                    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                    let _ = stream.write_all(&bytes);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    if let Ok(reply) = read_reply(&mut BufReader::new(stream)) {
                        answered.fetch_add(1, Ordering::Relaxed);
                        assert!(reply.status < 500 || reply.status == 501, "{}: {}", reply.status, reply.body);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 10_000);
    assert!(answered.into_inner() > 5_000);
    let reply = server.call(&admin, "GetUser", &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(server.peak_memory() < MEMORY, "{} bytes", server.peak_memory());
    assert_eq!(server.said(), "");
}

#[test]
fn long_texts_of_clients_are_not_remembered_at_length() {
    let server = Server::start(&[]);
    let action = "x".repeat(500_000);
    for _ in 0..300 {
        let now = server.now();
        server.raw(&server.signed(&server.administrator(), &action, &[], now)).unwrap();
        let odd =
            format!("GET /x HTTP/1.1\r\nhost: x\r\nauthorization: AWS4-HMAC-SHA256 {}\r\n\r\n", "y".repeat(8_000));
        server.raw(odd.as_bytes()).unwrap();
    }
    assert!(server.get("/_vmfa/events").body.len() < 8 << 20);
    assert!(server.peak_memory() < 100 << 20, "{} bytes", server.peak_memory());
}

#[test]
fn a_body_of_a_gigabyte_is_refused_before_it_is_sent() {
    let server = Server::start(&[]);
    let head = format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 1073741824\r\n\r\n", server.address);
    let reply = server.raw(head.as_bytes()).unwrap();
    assert_eq!(reply.status, 413);
    // In chunks it ends where the limit is.
    let mut stream = server.connect();
    stream
        .write_all(
            format!("POST / HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n", server.address).as_bytes(),
        )
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let mut sent = 0_u64;
    while sent < 1 << 30 && stream.write_all(&chunk).is_ok() {
        sent += 0x10000;
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert_eq!(server.call(&server.administrator(), "GetUser", &[]).status, 200);
    assert!(server.peak_memory() < MEMORY, "{} bytes", server.peak_memory());
    assert_eq!(server.said(), "");
}

#[test]
fn two_thousand_idle_connections_and_slow_ones_keep_nobody_out() {
    let server = Server::start(&[]);
    super::socket::allow_descriptors();
    let mut idle: Vec<_> = (0..2_000).map(|_| server.connect()).collect();
    // Some of them begin a request, or a body, and never end it.
    for (index, stream) in idle.iter_mut().enumerate().take(200) {
        let part = match index % 2 {
            0 => "POST / HT".to_owned(),
            _ => format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000000\r\n\r\nAction=", server.address),
        };
        stream.write_all(part.as_bytes()).unwrap();
    }
    let start = Instant::now();
    for _ in 0..50 {
        assert_eq!(server.call(&server.administrator(), "GetUser", &[]).status, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(server.peak_memory() < MEMORY, "{} bytes", server.peak_memory());
    assert_eq!(server.said(), "");
}
