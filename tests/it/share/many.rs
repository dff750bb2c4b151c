//! Two servers over one PostgreSQL, many workers, and one of the servers killed.
//!
//! `VMFA_FLEET=32x100` has 32 workers take 100 codes each.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::service::{Service, token};
use crate::fleet::Machine;
use crate::leases::seed_for;
use crate::serve::socket::Server as StandIn;
use crate::support::postgres::Server;

const POOL: usize = 16;

fn scale() -> (usize, usize) {
    let text = std::env::var("VMFA_FLEET").unwrap_or_else(|_| "8x20".to_owned());
    let (workers, each) = text.split_once('x').expect("VMFA_FLEET is WORKERSxCODES");
    (workers.parse().unwrap(), each.parse().unwrap())
}

#[test]
fn two_servers_over_one_database_hand_out_each_code_once_even_if_one_is_killed() {
    let (workers, each) = scale();
    let database = Server::start("max_connections = 100");
    let stand_in = StandIn::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let first = Machine::first(&database);
    for number in 0..POOL {
        let name = format!("ci/{number}");
        first.run_with(&["add", &name, "-", "--no-code"], seed_for(&name).as_bytes()).expect(0);
    }
    // With the key that fingerprints are made with, which the first code makes.
    first.run(&["code", "ci/0"]).expect(0);
    let second = first.another();
    let token = token(first.command(), "workers", &["ci/*"]);
    let start = |machine: Machine| {
        let command = machine.command();
        let arguments = ["--clock", stand_in.endpoint(), "--jump", "--rate", "100000"];
        Service::start_by(machine.home, command, token.clone(), &arguments)
    };
    let (stays, mut dies) = (start(first), start(second));
    let given = Mutex::new(Vec::<Value>::new());
    let killed = AtomicBool::new(false);
    let urls = [stays.address, dies.address];
    thread::scope(|scope| {
        for worker in 0..workers {
            let (given, killed, token) = (&given, &killed, &token);
            scope.spawn(move || {
                let mut had = 0;
                while had < each {
                    // Half of them ask the one, as long as it is there.
                    let dead = killed.load(Ordering::Relaxed);
                    let address = if dead { urls[0] } else { urls[(worker + had) % 2] };
                    if let Some(code) = ask(address, token) {
                        given.lock().unwrap().push(code);
                        had += 1;
                    }
                }
            });
        }
        while given.lock().unwrap().len() < workers * each / 2 {
            thread::sleep(Duration::from_millis(5));
        }
        dies.child.kill().unwrap();
        killed.store(true, Ordering::Relaxed);
    });
    let given = given.into_inner().unwrap();
    let seen: BTreeSet<_> =
        given.iter().map(|code| (code["device"].as_str().unwrap(), code["step"].as_u64().unwrap())).collect();
    assert_eq!((seen.len(), given.len()), (workers * each, workers * each), "a code was handed out twice");
    assert!(given.iter().all(|code| code["repeated"] == false));
    // The other one ends as it should.
    let mut stays = stays;
    let pid = stays.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(stays.child.wait().unwrap().success(), "{}", stays.said());
}

/// A code; none where the server was killed meanwhile.
fn ask(address: std::net::SocketAddr, token: &str) -> Option<Value> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    let body = r#"{"device":"ci/*","timeout":300}"#;
    let head =
        format!("POST /v1/codes HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close");
    let length = body.len();
    write!(stream, "{head}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    if head.is_empty() {
        return None;
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    serde_json::from_str(body).ok()
}
