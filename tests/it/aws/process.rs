//! Programs that print credentials, run by the system.
#![cfg(unix)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use vmfa::aws::credentials::process::{Error, MOST, RUNNING, System};

fn run(script: &str) -> Result<String, Error> {
    run_until(script, || false)
}

fn run_until(script: &str, expired: impl Fn() -> bool + Send + Sync + 'static) -> Result<String, Error> {
    let words = ["sh", "-c", script].map(str::to_owned);
    let output = System { expired: Arc::new(expired) }.run(&words)?;
    Ok(String::from_utf8(output.to_vec()).unwrap())
}

#[test]
fn what_is_printed_is_given() {
    assert_eq!(run("printf abc").unwrap(), "abc");
    assert_eq!(run("exec printf ''").unwrap(), "");
}

#[test]
fn stdin_is_empty_and_the_variable_is_set() {
    assert_eq!(run("cat; printf %s \"$VMFA_CREDENTIAL_PROCESS\"").unwrap(), "1");
    assert_eq!(RUNNING, "VMFA_CREDENTIAL_PROCESS");
}

#[test]
fn a_program_that_is_not_there_or_fails_is_an_error() {
    let nothing = System { expired: Arc::new(|| false) };
    assert!(matches!(nothing.run(&["/nowhere/hidden".to_owned()]), Err(Error::Start(_))));
    let error = nothing.run(&["/nowhere/hidden".to_owned()]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"));
    assert!(matches!(nothing.run(&[]), Err(Error::Start(_))));
    assert!(matches!(run("printf '{}'; exit 3"), Err(Error::Failed(status)) if status.code() == Some(3)));
}

#[test]
fn more_than_credentials_need_is_not_read() {
    assert_eq!(run(&format!("head -c {MOST} /dev/zero")).unwrap().len(), MOST);
    assert!(matches!(run("cat /dev/zero"), Err(Error::TooMuch)));
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    let looks = AtomicU32::new(0);
    let expired = move || looks.fetch_add(1, Ordering::Relaxed) > 2;
    assert!(matches!(run_until("exec sleep 1000", expired), Err(Error::TooLong)));
    // It has closed its output, and goes on.
    assert!(matches!(run_until("exec >&-; exec sleep 1000", || true), Err(Error::TooLong)));
}
