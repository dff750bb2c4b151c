//! Several pictures: their QR codes may be parts of one text.

use std::ffi::OsString;

use super::search::Search;
use crate::cli::error::{Error, Result};
use crate::cli::progress::searching;
use crate::cli::{argv, bytes, hints};
use crate::provision::{self, Found, qr};

/// What their codes hold.
pub(super) fn look(sources: &[OsString], search: &Search) -> Result<Found> {
    refuse_others(sources)?;
    let mut codes = qr::Codes::default();
    for source in sources {
        let (bytes, place) = bytes::of(source)?;
        if qr::format(&bytes).is_none() {
            return Err(Error::usage(format!("{place} is no picture; of several sources, each is one"))
                .hint(hints::sources::ONE_SOURCE));
        }
        searching(|| codes.look_at(&bytes, &search.limits())).map_err(|error| Error::from(error).about(&place))?;
    }
    provision::look_at_codes(codes).map_err(|error| Error::from(error).about("the pictures"))
}

/// A secret in groups, which no shell keeps together, is not repeated. The desktop has one picture.
fn refuse_others(sources: &[OsString]) -> Result<()> {
    let texts: Vec<_> = sources.iter().map(|source| source.to_string_lossy()).collect();
    if let Some(one) = texts.iter().find(|text| matches!(&***text, "clipboard" | "screen")) {
        return Err(Error::usage(format!("`{one}` is a source by itself")).hint(hints::sources::ONE_SOURCE));
    }
    let named = |source: &&OsString| *source == "-" || std::path::Path::new(source).exists();
    if sources.iter().all(|source| !named(&source)) && argv::might_be_secret(&texts.concat()) {
        return Err(Error::usage("there are arguments that are no files; they aren't shown, as they may be a secret")
            .hint(hints::sources::SECRETLY));
    }
    Ok(())
}
