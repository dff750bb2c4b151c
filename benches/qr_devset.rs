//! How many images of a set are read whole, in which time, and how much memory the worst of them takes.
//!
//! `cargo bench --bench qr_devset -- FOLDER`, where `FOLDER/manifest.jsonl` has a line
//! `{"path": …, "set": …, "expect": [payload…]}` for each image. An image counts when all its payloads are
//! read and nothing else. `VERBOSE` as a second argument lists those that aren't. Times are the CPU's, so that other
//! work on the machine doesn't count; memory is the process's peak (Linux).
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vmfa::provision::{Limits, qr};

#[derive(serde::Deserialize)]
struct Image {
    path: String,
    set: String,
    expect: Vec<String>,
}

#[derive(Default)]
struct Tally {
    whole: u32,
    all: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(folder) = arguments.next() else {
        println!("no folder was given: nothing is measured");
        return Ok(());
    };
    let verbose = arguments.next().is_some();
    let mut sets: BTreeMap<String, Tally> = BTreeMap::new();
    let mut times = Vec::new();
    let mut memory = Vec::new();
    let (mut missed, mut wrong) = (0_u32, 0_u32);
    for line in fs::read_to_string(Path::new(&folder).join("manifest.jsonl"))?.lines() {
        let image: Image = serde_json::from_str(line)?;
        let bytes = fs::read(Path::new(&folder).join(&image.path))?;
        reset_peak();
        let start = cpu_time();
        let elapsed = move || cpu_time().saturating_sub(start);
        let limits = Limits { expired: Arc::new(move || elapsed() > Duration::from_secs(3)), ..Limits::default() };
        let read: Vec<String> =
            qr::payloads(&bytes, &limits).unwrap_or_default().iter().map(|text| text.to_string()).collect();
        times.push(elapsed());
        memory.push((peak(), image.path.clone()));
        let lacking = image.expect.iter().filter(|text| !read.contains(text)).count();
        let extra = read.iter().filter(|text| !image.expect.contains(text)).count();
        let tally = sets.entry(image.set).or_default();
        tally.all = tally.all.saturating_add(1);
        if lacking == 0 && extra == 0 {
            tally.whole = tally.whole.saturating_add(1);
        } else if verbose {
            println!("{}: {lacking} of {} missed, {extra} wrong, {:?}", image.path, image.expect.len(), elapsed());
        }
        missed = missed.saturating_add(u32::try_from(lacking)?);
        wrong = wrong.saturating_add(u32::try_from(extra)?);
    }
    times.sort_unstable();
    memory.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_mul(percent) / 100).copied().unwrap_or_default();
    for (name, Tally { whole, all }) in &sets {
        println!("{name:12} {whole:4} of {all:4}");
    }
    let whole: u32 = sets.values().map(|tally| tally.whole).sum();
    let all: u32 = sets.values().map(|tally| tally.all).sum();
    println!(
        "whole: {whole} of {all} ({:.1} %); codes missed: {missed}, wrong: {wrong}",
        f64::from(whole) * 100.0 / f64::from(all.max(1))
    );
    println!("median {:?}, p95 {:?}, longest {:?}", at(50), at(95), times.last().copied().unwrap_or_default());
    if let Some((most, path)) = memory.last() {
        println!("peak memory {} MB ({path})", most / 1024);
    }
    Ok(())
}

/// What all threads of this process have worked.
#[cfg(unix)]
fn cpu_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// Makes the peak of memory what is used now (proc_pid_clear_refs(5)).
fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The peak of resident memory since then, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
