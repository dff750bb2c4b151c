//! How long it takes to find a device's drift from two codes, and against making each code from scratch.
//!
//! `cargo bench --no-default-features --bench resync`. Both ways take turns in one run on one core, and every
//! answer is checked: a wrong one ends the run.
#![allow(clippy::print_stdout, reason = "a measurement")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use vmfa::oath::resync::{self, Window};
use vmfa::oath::{Code, Parameters, hotp};
use vmfa::secret::Secret;

/// The step of 2026-11-21T12:00:00Z.
const CENTRE: u64 = 59_640_480;

const PARAMETERS: Parameters = Parameters::DEFAULT;

fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::new((0..40).collect())?;
    println!("steps to each side       ours   from scratch   ratio");
    for (each, turns) in [(1_000, 201), (1_051_200, 9)] {
        let (mut ours, mut naive) = (Vec::new(), Vec::new());
        // A device that is as far behind as it may be: the way from scratch could stop at once, and doesn't.
        let last = CENTRE.saturating_sub(each);
        let codes = [last.saturating_sub(1), last].map(|step| hotp::code(&secret, step, &PARAMETERS));
        for _ in 0..turns {
            let (found, time) = timed(|| {
                resync::candidates(&secret, &PARAMETERS, black_box(&codes), black_box(CENTRE), Window::even(each))
            });
            ours.push(time);
            let (scratch, time) = timed(|| from_scratch(&secret, black_box(codes), black_box(CENTRE), each));
            naive.push(time);
            if !found.contains(&last) || found != scratch {
                return Err(format!("{found:?} and {scratch:?} were found for {last}").into());
            }
        }
        let (ours, naive) = (median(ours), median(naive));
        let ratio = naive.as_secs_f64() / ours.as_secs_f64();
        println!("±{each:<12} {:>12.4} ms {:>11.4} ms   {ratio:>5.2}", ms(ours), ms(naive));
    }
    Ok(())
}

/// The moving factors of second codes, each code made once with a key of its own.
fn from_scratch(secret: &Secret, [first, second]: [Code; 2], centre: u64, each: u64) -> Vec<u64> {
    let window = centre.saturating_sub(each)..=centre.saturating_add(each);
    let mut before = hotp::code(secret, window.start().saturating_sub(1), &PARAMETERS);
    let mut found = Vec::new();
    for step in window {
        let code = hotp::code(secret, step, &PARAMETERS);
        if code == second && before == first {
            found.push(step);
        }
        before = code;
    }
    found
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
