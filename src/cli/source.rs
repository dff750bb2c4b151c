//! Where an enrolment comes from: a path, `-`, `clipboard`, `screen`, or a hidden prompt.

mod desktop;
mod export;
mod pictures;
mod search;

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;

use super::error::{Error, Result};
pub(super) use super::places::is_place;
use super::progress::searching;
use super::{bytes, hints, prompt};
use crate::provision::{self, Enrolment, Found};
pub(super) use search::{Effort, Search, is_bare, told};

/// Reads a source; the hidden prompt where none is named.
pub(super) fn read(source: Option<&OsStr>, search: &Search) -> Result<Found> {
    checked(found_in(source, search)?, search)
}

/// The same of several, which are pictures of one text's parts, or of different texts.
pub(super) fn read_all(sources: &[OsString], search: &Search) -> Result<Found> {
    checked(found_in_all(sources, search)?, search)
}

/// The same, where nothing may be enrolled by the QR codes that there are.
pub(super) fn look(sources: &[OsString], search: &Search) -> Result<Found> {
    let found = found_in_all(sources, search)?;
    if found.enrolments.is_empty() { Ok(found) } else { checked(found, search) }
}

/// That codes enrol something, and as the options say.
fn checked(found: Found, search: &Search) -> Result<Found> {
    let found = found.enrolling()?;
    search.refuse_told(&found)?;
    search.picked(found)
}

fn found_in_all(sources: &[OsString], search: &Search) -> Result<Found> {
    match sources {
        [] => found_in(None, search),
        [one] => found_in(Some(one), search),
        several => pictures::look(several, search),
    }
}

fn found_in(source: Option<&OsStr>, search: &Search) -> Result<Found> {
    let Some(source) = source else {
        return from_prompt(search);
    };
    if source == "clipboard" {
        return desktop::clipboard(search);
    }
    if source == "screen" {
        return desktop::screen(search);
    }
    let (bytes, place) = bytes::of(source)?;
    if let Some(found) = export::read(&bytes, &place) {
        return found;
    }
    let found = searching(|| provision::look(&bytes, &search.limits()));
    found.map_err(|error| Error::from(error).about(&place))
}

/// The one enrolment of a source, or the one of `account` where it holds several: an account's name, or `ISSUER/ACCOUNT`.
pub(super) fn read_one(
    source: Option<&OsStr>,
    account: Option<&str>,
    search: &Search,
) -> Result<(Enrolment, Vec<provision::Warning>)> {
    let Found { mut enrolments, warnings, lines, .. } = read(source, search)?;
    let all: Vec<(String, Option<usize>)> = {
        let accounts =
            enrolments.iter().map(|one| if shared(one, &enrolments) { full(one) } else { one.account.clone() });
        accounts.zip(lines.into_iter().map(Some).chain(std::iter::repeat(None))).collect()
    };
    let mut wanted: Vec<bool> = vec![true; enrolments.len()];
    if let Some(account) = account {
        wanted = enrolments.iter().map(|one| one.account == account || full(one) == account).collect();
        let mut kept = wanted.iter();
        enrolments.retain(|_| kept.next().copied().unwrap_or_default());
    }
    let one = if enrolments.len() == 1 { enrolments.pop() } else { None };
    one.map(|enrolment| (enrolment, warnings)).ok_or_else(|| {
        let among: Vec<_> = all.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(one, _)| one).collect();
        let of = account.map_or_else(String::new, |account| format!(" of account `{account}`"));
        let on: Vec<usize> = among.iter().filter_map(|(_, line)| *line).collect();
        let on =
            if account.is_some() && !on.is_empty() { format!(", on {}", lines_in_words(&on)) } else { String::new() };
        let message = match (among.is_empty(), account) {
            (true, Some(account)) => format!("the source has no account `{account}`"),
            _ => format!("the source has {} enrolments{of}{on}", among.len()),
        };
        let mut error = Error::new(super::error::Kind::No, "ambiguous", message);
        let mut told: Vec<&str> = Vec::new();
        for (name, _) in &all {
            if !told.contains(&name.as_str()) && Some(name.as_str()) != account {
                told.push(name);
                error = error.hint(hints::sources::account(name));
            }
        }
        if super::picker::possible() && among.len() > 1 {
            error = error.hint(hints::sources::PICK);
        }
        if told.is_empty() || (account.is_some() && !among.is_empty()) {
            error = error.hint(hints::sources::ONE_LINE);
        }
        error
    })
}

/// `ISSUER/ACCOUNT`, as an import names it.
fn full(enrolment: &Enrolment) -> String {
    let issuer = enrolment.issuer.as_deref().unwrap_or_default();
    format!("{issuer}/{}", enrolment.account)
}

/// Whether another issuer's enrolment has the same account.
fn shared(one: &Enrolment, all: &[Enrolment]) -> bool {
    all.iter().any(|other| other.account == one.account && other.issuer != one.issuer)
}

/// `lines 1 and 2`.
pub(super) fn lines_in_words(lines: &[usize]) -> String {
    let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("line {one}"),
        [before @ .., last] => format!("lines {} and {last}", before.join(", ")),
        [] => String::new(),
    }
}

fn from_prompt(search: &Search) -> Result<Found> {
    if !std::io::stdin().is_terminal() {
        return Err(
            Error::usage("no source given, and there is no terminal to ask at").hint(hints::sources::NAME_SOURCE)
        );
    }
    let text = prompt::hidden("secret key or otpauth URI (not shown)")?;
    if text.trim().is_empty() {
        return Err(Error::input("empty", "nothing was entered"));
    }
    Ok(provision::read(text.as_bytes(), &search.limits())?)
}
