//! What a claim costs in PostgreSQL: beside a bare loop of upserts with the same client library, and with many devices and
//! used steps beside few.
//!
//! `VMFA_REGISTRY=postgres://USER:PASSWORD@HOST/DATABASE cargo bench --bench registry` in an empty
//! database; `-- 100000 10000000` for as many devices and used steps.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, missing_docs)]
#![allow(clippy::arithmetic_side_effects, clippy::cast_precision_loss, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use vmfa::oath::Parameters;
use vmfa::registry::postgres::{Address, Host, Postgres};
use vmfa::registry::{Claim, Device, Forget, Registry as _, State, Token};
use vmfa::time::{Drift, Step, Timestamp};
use vmfa::vault::{Id, Kind};

/// How many claims are timed in one go, and how many goes.
const CLAIMS: u64 = 500;
const GOES: usize = 5;

fn device(number: u64) -> Device {
    Device {
        id: Id::random(),
        name: format!("d{number}").parse().unwrap(),
        issuer: None,
        account: String::new(),
        parameters: Parameters::DEFAULT,
        serial: None,
        note: None,
        vault: Kind::Age,
        created: Timestamp::from_unix(0),
        state: State::Active,
        drift: Drift::default(),
        ledger: None,
        revision: 0,
    }
}

/// So many claims a second, each with five candidates of which the first are taken.
fn claims(registry: &Postgres, ledger: Id, first: u64) -> f64 {
    let forget = Forget { below: Step::new(0), before: Timestamp::from_unix(0) };
    rate(|number| {
        let candidates = [0, 1, 2, 3, 4].map(|more| Step::new(first + number + more));
        let claim = Claim {
            ledger,
            token: Token::random(),
            candidates: &candidates,
            most: 1,
            ready: Step::new(u64::MAX),
            now: Timestamp::from_unix(5),
            again: false,
            forget,
        };
        assert_eq!(registry.claim(&claim).unwrap().len(), 1);
    })
}

fn rate(mut work: impl FnMut(u64)) -> f64 {
    let since = Instant::now();
    (0..CLAIMS).for_each(&mut work);
    CLAIMS as f64 / since.elapsed().as_secs_f64()
}

fn finds(registry: &Postgres, name: &str) -> f64 {
    let name = name.parse().unwrap();
    median((0..GOES).map(|_| rate(|_| assert!(registry.find(&name).unwrap().is_some()))).collect())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let Ok(url) = std::env::var("VMFA_REGISTRY") else {
        println!("VMFA_REGISTRY names no database: nothing is measured");
        return;
    };
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let address = || Address::parse(&url).unwrap();
    Postgres::prepare(address()).unwrap();
    let registry = Postgres::open(address()).unwrap().with_patience(Duration::ZERO);
    let few: Vec<Device> = (0..100).map(device).collect();
    registry.insert(&few).unwrap();
    let ledger = registry.join(few[0].id, &[1; 32]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Host::Tcp(host, port) = address().hosts()[0].clone() else { panic!("the database is named by a host") };
    let (bare, connection) = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect((host, port)).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let mut config: tokio_postgres::Config = url.parse().unwrap();
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        config.connect_raw(socket, tokio_postgres::NoTls).await.unwrap()
    });
    runtime.spawn(connection);
    runtime
        .block_on(bare.batch_execute(
            "CREATE TABLE bare (ledger uuid, step bigint, since bigint, token bigint, PRIMARY KEY (ledger, step))",
        ))
        .unwrap();
    let upsert = "INSERT INTO bare VALUES ($1, $2, 5, $3) ON CONFLICT (ledger, step) DO UPDATE SET token = excluded.token RETURNING step";
    let upsert = runtime.block_on(bare.prepare(upsert)).unwrap();
    let id: uuid::Uuid = ledger.to_string().parse().unwrap();
    let (mut bares, mut ours) = (Vec::new(), Vec::new());
    for go in 0..GOES {
        let first = 10_000 * (1 + go as u64);
        bares.push(rate(|number| {
            let step = i64::try_from(first + number).unwrap();
            runtime.block_on(bare.query_one(&upsert, &[&id, &step, &7_i64])).unwrap();
        }));
        ours.push(claims(&registry, ledger, first));
    }
    let (bare_rate, few_rate, few_finds) = (median(bares), median(ours), finds(&registry, "d50"));
    println!("bare upserts  {bare_rate:.0}/s\nclaims        {few_rate:.0}/s ({:.2} of them)", few_rate / bare_rate);
    let [devices, steps] = numbers.as_slice() else { return };
    let fill = format!(
        "INSERT INTO vmfa.device (id, name, state, account, algorithm, digits, period, vault, created, drift_seconds,
            drift_ppm, drift_since, revision, ledger)
            SELECT gen_random_uuid(), 'm' || n, 'active', '', 'SHA1', 6, 30, 'age', 0, 0, 0, 0, 0, gen_random_uuid()
            FROM generate_series(1, {devices}) AS n;
        INSERT INTO vmfa.ledger (id, fingerprint, period) SELECT ledger, decode(md5(name), 'hex'), 30
            FROM vmfa.device WHERE name LIKE 'm%';
        INSERT INTO vmfa.claimed (ledger, step, since, token) SELECT id, n, 5, 7
            FROM vmfa.ledger, generate_series(1, {steps} / {devices}) AS n WHERE id <> '{id}'"
    );
    runtime.block_on(bare.batch_execute(&fill)).unwrap();
    // Or the server does it by itself meanwhile, and takes a processor for that.
    runtime.block_on(bare.batch_execute("VACUUM (ANALYZE) vmfa.device, vmfa.ledger, vmfa.claimed")).unwrap();
    let many = median((0..GOES).map(|go| claims(&registry, ledger, 1_000_000 + 10_000 * go as u64)).collect());
    let many_finds = finds(&registry, &format!("m{}", devices / 2));
    println!("claims        {many:.0}/s with {devices} devices and {steps} steps: {:.2} of the time", few_rate / many);
    println!("finds         {few_finds:.0}/s, then {many_finds:.0}/s: {:.2} of the time", few_finds / many_finds);
    let since = Instant::now();
    let listed = registry.list().unwrap().len();
    println!("list          {listed} devices in {:.1} s", since.elapsed().as_secs_f64());
}
