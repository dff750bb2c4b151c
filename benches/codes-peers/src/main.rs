//! Codes a second: ours by every back-end, beside totp-rs and intel-ipsec-mb. Started by benches/codes.
//!
//! Ours and theirs take turns in one thread, and the medians are compared. Every code is compared with totp-rs's.

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use totp_rs::{Builder, Token, Totp};
use vmfa::oath::hotp::{self, Backend, Keyed};
use vmfa::oath::resync::{self, Window};
use vmfa::oath::{Algorithm, Code, Digits, Parameters};
use vmfa::secret::Secret;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The step of 2026-11-21T12:00:00Z.
const STEP: u64 = 59_640_480;

/// Seconds of a step.
const PERIOD: u64 = 30;

/// Codes of one secret in one turn.
const CODES: usize = 1 << 16;

/// Secrets of the fleet.
const FLEET: usize = 1 << 20;

/// Steps of a year.
const YEAR: u64 = 1_051_200;

fn main() -> Result<()> {
    let mut ipsec_mb = std::env::args().nth(1).map(|program| IpsecMb::start(&program)).transpose()?;
    println!("back-ends: {}", Backend::available().iter().map(|b| b.name()).collect::<Vec<_>>().join(", "));
    one_secret(&mut ipsec_mb)?;
    fleet()?;
    solver()
}

/// Consecutive codes of one secret.
fn one_secret(ipsec_mb: &mut Option<IpsecMb>) -> Result<()> {
    let bytes: [u8; 20] = std::array::from_fn(|i| i as u8 + 1);
    let (totp, keyed) = (totp(&bytes)?, Keyed::new(&Secret::new(bytes.to_vec())?, Algorithm::Sha1));
    let (mut theirs, mut ours): (Vec<Token>, Vec<Code>) = (Vec::with_capacity(CODES), Vec::with_capacity(CODES));
    let backends = Backend::available();
    let (mut their_times, mut ipsec_times) = (Vec::new(), Vec::new());
    let mut our_times = vec![Vec::new(); backends.len()];
    for turn in 0..31 {
        let first = STEP + turn * CODES as u64;
        let steps = first..first + CODES as u64;
        their_times.push(timed(|| {
            theirs.clear();
            theirs.extend(steps.clone().map(|step| totp.generate(step * PERIOD)));
            black_box(&theirs);
        }));
        for (backend, times) in backends.iter().zip(&mut our_times) {
            times.push(timed(|| {
                ours.clear();
                let all = first..=first + CODES as u64 - 1;
                keyed.codes_by(*backend, all, Digits::SIX).for_each(|(_, code)| ours.push(code));
                black_box(&ours);
            }));
            same(&ours, &theirs, backend.name())?;
        }
        if let Some(peer) = ipsec_mb {
            ipsec_times.push(peer.codes(first, &theirs)?);
        }
    }
    let per_code = |times: Vec<f64>| median(times) / CODES as f64;
    let theirs = per_code(their_times);
    let ipsec = (!ipsec_times.is_empty()).then(|| per_code(ipsec_times));
    println!("\none secret, {CODES} steps          ns a code   of totp-rs   of intel-ipsec-mb");
    println!("totp-rs                          {theirs:>9.1}");
    if let Some(ipsec) = ipsec {
        println!("intel-ipsec-mb                   {ipsec:>9.1}   {:>8.2} x", theirs / ipsec);
    }
    for (backend, times) in backends.iter().zip(our_times) {
        let ours = per_code(times);
        let beside = ipsec.map_or_else(String::new, |ipsec| format!("   {:>15.2} x", ipsec / ours));
        println!("vmfa, {:<26} {ours:>9.1}   {:>8.2} x{beside}", backend.name(), theirs / ours);
    }
    Ok(())
}

/// One step of many secrets.
fn fleet() -> Result<()> {
    let bytes = |n: usize| -> [u8; 20] {
        std::array::from_fn(|i| (n.wrapping_mul(0x9e37_79b9) >> (i % 8 * 3)) as u8 ^ i as u8)
    };
    let totps = (0..FLEET).map(|n| totp(&bytes(n))).collect::<Result<Vec<_>>>()?;
    let secrets = (0..FLEET).map(|n| Ok(Secret::new(bytes(n).to_vec())?)).collect::<Result<Vec<_>>>()?;
    let keyed: Vec<_> = secrets.iter().map(|secret| Keyed::new(secret, Algorithm::Sha1)).collect();
    let (mut theirs, mut ours): (Vec<Token>, Vec<Code>) = (Vec::with_capacity(FLEET), Vec::with_capacity(FLEET));
    let backends = Backend::available();
    let mut their_times = Vec::new();
    let mut our_times = vec![(Vec::new(), Vec::new()); backends.len()];
    for step in STEP..STEP + 7 {
        their_times.push(timed(|| {
            theirs.clear();
            theirs.extend(totps.iter().map(|totp| totp.generate(step * PERIOD)));
            black_box(&theirs);
        }));
        for (backend, (prepared, raw)) in backends.iter().zip(&mut our_times) {
            prepared.push(timed(|| {
                ours.clear();
                hotp::codes_of_by(*backend, &keyed, step, Digits::SIX).for_each(|code| ours.push(code));
                black_box(&ours);
            }));
            same(&ours, &theirs, backend.name())?;
            raw.push(timed(|| {
                ours.clear();
                hotp::codes_of_secrets_by(*backend, &secrets, Algorithm::Sha1, step, Digits::SIX)
                    .for_each(|code| ours.push(code));
                black_box(&ours);
            }));
            same(&ours, &theirs, backend.name())?;
        }
    }
    let per_code = |times: Vec<f64>| median(times) / FLEET as f64;
    let theirs = per_code(their_times);
    println!("\none step, {FLEET} secrets        ns a code   of totp-rs");
    println!("totp-rs                          {theirs:>9.1}");
    for (backend, (prepared, raw)) in backends.iter().zip(our_times) {
        for (kind, times) in [("prepared", prepared), ("secrets", raw)] {
            let ours = per_code(times);
            println!("vmfa, {:<26} {ours:>9.1}   {:>8.2} x", format!("{}, {kind}", backend.name()), theirs / ours);
        }
    }
    Ok(())
}

/// Two codes, and a window of a year to each side.
fn solver() -> Result<()> {
    let bytes: [u8; 20] = std::array::from_fn(|i| i as u8 + 1);
    let (totp, secret) = (totp(&bytes)?, Secret::new(bytes.to_vec())?);
    let window = STEP - YEAR..=STEP + YEAR;
    let last = STEP - YEAR;
    let codes = [last - 1, last].map(|step| hotp::code(&secret, step, &Parameters::DEFAULT));
    let tokens = [last - 1, last].map(|step| totp.generate(step * PERIOD));
    let (mut their_times, mut our_times) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        their_times.push(timed(|| {
            let mut before = totp.generate((window.start() - 1) * PERIOD);
            for step in window.clone() {
                let token = totp.generate(step * PERIOD);
                if token == tokens[1] && before == tokens[0] {
                    theirs.push(step);
                }
                before = token;
            }
        }));
        our_times.push(timed(|| {
            ours = resync::candidates(&secret, &Parameters::DEFAULT, black_box(&codes), STEP, Window::even(YEAR));
        }));
        if ours != theirs || !ours.contains(&last) {
            return Err(format!("{ours:?} and {theirs:?} were found for {last}").into());
        }
    }
    let (theirs, ours) = (median(their_times) / 1e6, median(our_times) / 1e6);
    println!("\ntwo codes, a year to each side          ms   of totp-rs");
    println!("totp-rs                          {theirs:>9.1}");
    println!("vmfa, {:<26} {ours:>9.1}   {:>8.2} x", Backend::best().name(), theirs / ours);
    Ok(())
}

fn totp(secret: &[u8; 20]) -> Result<Totp> {
    Ok(Builder::new().with_secret(totp_rs::Secret::new_stack(*secret)).with_step_duration(PERIOD).build()?)
}

fn same(ours: &[Code], theirs: &[Token], who: &str) -> Result<()> {
    let differ = ours.iter().zip(theirs).position(|(ours, theirs)| ours.to_string() != theirs.to_string());
    match differ {
        _ if ours.len() != theirs.len() => Err(format!("{who}: {} codes of {}", ours.len(), theirs.len()).into()),
        Some(place) => Err(format!("{who}: code {place} is {}, not {}", ours[place], theirs[place]).into()),
        None => Ok(()),
    }
}

/// The program beside this file, in C.
struct IpsecMb {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl IpsecMb {
    fn start(program: &str) -> Result<Self> {
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        Ok(Self { child, answers })
    }

    /// The nanoseconds for as many codes as there are tokens, which they must be.
    fn codes(&mut self, first: u64, tokens: &[Token]) -> Result<f64> {
        writeln!(self.child.stdin.as_mut().ok_or("no pipe")?, "{first} {}", tokens.len())?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (time, sum) = line.trim().split_once(' ').ok_or("intel-ipsec-mb gave no answer")?;
        let mut wanted = 0;
        for (token, place) in tokens.iter().zip(1..) {
            wanted += token.to_string().parse::<u64>()? * place;
        }
        if sum.parse() != Ok(wanted) {
            return Err("intel-ipsec-mb gave other codes".into());
        }
        Ok(time.parse()?)
    }
}

/// Nanoseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
