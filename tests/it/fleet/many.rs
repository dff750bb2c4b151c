//! Many processes on several machines lease from one pool, while connections are cut and the server is killed.
//!
//! `VMFA_FLEET=32x100` has 32 processes take 100 codes each.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::Machine;
use crate::leases::many::Dice;
use crate::leases::{T, seed_for};
use crate::support::postgres::Server;
use crate::support::run;

/// How many devices are in the pool, and how many machines there are.
const POOL: usize = 16;
const MACHINES: usize = 4;

/// Of a hundred connections, so many are cut somewhere between the first byte and the last.
const CUT: u64 = 5;

fn scale() -> (u64, u64) {
    let text = std::env::var("VMFA_FLEET").unwrap_or_else(|_| "8x12".to_owned());
    let (processes, each) = text.split_once('x').expect("VMFA_FLEET is PROCESSESxCODES");
    (processes.parse().unwrap(), each.parse().unwrap())
}

/// Hands on what goes to a server and comes from it, and cuts some connections in the middle of an answer.
struct Proxy {
    port: u16,
    cut: &'static AtomicUsize,
}

impl Proxy {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut: &AtomicUsize = Box::leak(Box::default());
        thread::spawn(move || {
            let mut dice = Dice::new(7);
            for near in listener.incoming() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                // An answer to a claim is some hundred bytes behind those of the beginning.
                let most = (dice.roll(100) < CUT).then(|| dice.roll(2_500));
                pass(near.unwrap(), far, most, cut);
            }
        });
        Self { port, cut }
    }
}

fn pass(near: TcpStream, far: TcpStream, most: Option<u64>, cut: &'static AtomicUsize) {
    let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut near, mut far) = (near, far);
    thread::spawn(move || {
        let (mut left, mut buffer) = (most.unwrap_or(u64::MAX), [0; 512]);
        while let Ok(read @ 1..) = far.read(&mut buffer) {
            if read as u64 > left {
                cut.fetch_add(1, Ordering::Relaxed);
                break;
            }
            left -= read as u64;
            if near.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = near.shutdown(Shutdown::Both);
        let _ = far.shutdown(Shutdown::Both);
    });
}

#[test]
fn nothing_is_handed_out_twice_whatever_becomes_of_server_and_connections() {
    let server = Server::start("max_connections = 200");
    let first = Machine::first(&server);
    let database = first.url.rsplit('/').next().unwrap();
    let interrupt = || {
        server.kill();
        server.go_on();
    };
    let written = || server.sql(database, "SELECT count(*) FROM vmfa.claimed WHERE NOT released").parse().unwrap();
    leased(&first, server.port(), &interrupt, &written);
}

/// What all of them had, while the clock moves whenever the pool is empty, and the server is killed in the middle.
pub fn leased(first: &Machine, port: u16, interrupt: &dyn Fn(), written: &dyn Fn() -> usize) {
    let (processes, each) = scale();
    for number in 0..POOL {
        let name = format!("ci/{number}");
        first.run_with(&["add", &name, "-", "--no-code"], seed_for(&name).as_bytes()).expect(0);
    }
    // With the key that fingerprints are made with, which the first code makes.
    first.run(&["code", "ci/0"]).expect(0);
    let machines: Vec<Machine> = (0..MACHINES).map(|_| first.another()).collect();
    let proxy = Proxy::before(port);
    let url = first.url.replace(&port.to_string(), &proxy.port.to_string());
    let (time, given) = (AtomicU64::new(T), Mutex::new(Vec::<Value>::new()));
    let enough = usize::try_from(processes * each).unwrap();
    thread::scope(|scope| {
        for process in 0..processes {
            let (time, given, url) = (&time, &given, &url);
            let machine = &machines[usize::try_from(process).unwrap() % MACHINES];
            scope.spawn(move || {
                let mut had = 0;
                while had < each {
                    let now = time.load(Ordering::Relaxed);
                    let mut command = machine.command();
                    command.env("VMFA_REGISTRY", url).args(["code", "ci/*", "--fresh", "--window", "2", "--json"]);
                    let run = run(command.args(["--at", &now.to_string()]), b"");
                    assert!(!run.stderr.contains("hunter2"));
                    if run.code == 0 {
                        given.lock().unwrap().push(run.json());
                        had += 1;
                    } else {
                        assert_eq!(run.error_code(), "no-free-step", "{run:#?}");
                        let _ = time.compare_exchange(now, now + 150, Ordering::Relaxed, Ordering::Relaxed);
                    }
                }
            });
        }
        while given.lock().unwrap().len() < enough / 2 {
            thread::sleep(Duration::from_millis(20));
        }
        interrupt();
    });
    let given = given.into_inner().unwrap();
    let seen: BTreeSet<(&str, u64)> =
        given.iter().map(|code| (code["device"].as_str().unwrap(), code["step"].as_u64().unwrap())).collect();
    assert_eq!((seen.len(), given.len()), (enough, enough), "a code was handed out twice");
    assert!(given.iter().all(|code| code["repeated"] == false));
    // Each is written down; what is written down besides was on its way when a connection was cut, or the server killed.
    let written = written();
    let cut = proxy.cut.load(Ordering::Relaxed);
    let most = enough + cut + usize::try_from(processes).unwrap();
    assert!((enough..=most).contains(&written), "{written} written, {enough} given, {cut} connections cut");
    assert!(cut > 0, "no connection was cut");
}
