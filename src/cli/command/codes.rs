//! Codes that come in: as arguments, or by stdin.

use std::ffi::OsStr;
use std::io::{BufRead as _, IsTerminal as _, Read as _};

use crate::cli::argv::might_be_secret;
use crate::cli::error::{Error, Result};
use crate::cli::hints;
use crate::cli::render;
use crate::oath::Code;

/// The most that are looked at together, and the most text that they may be.
const MOST: usize = 16;
const LONGEST: u64 = 4096;

/// Which device, and which codes, of the words of a command line. With a source given, all words are codes.
///
/// # Errors
///
/// No device, or one behind its code.
pub(super) fn split<'a>(
    command: &str,
    words: &'a [String],
    from: Option<&OsStr>,
) -> Result<(Option<&'a str>, &'a [String])> {
    if from.is_some() {
        return Ok((None, words));
    }
    let (device, codes) = words
        .split_first()
        .ok_or_else(|| Error::usage("no device given").hint(hints::usage::device_and_code(command)))?;
    refuse_swapped(command, device, codes)?;
    Ok((Some(device), codes))
}

/// # Errors
///
/// A code where the device's name belongs, and a name behind it.
pub(super) fn refuse_swapped(command: &str, device: &str, codes: &[String]) -> Result<()> {
    let is_code = |word: &str| word.parse::<Code>().is_ok();
    let digits = |word: &str| word.chars().all(|c| c.is_ascii_digit() || c == ' ');
    let name = codes.iter().find(|word| *word != "-" && !digits(word) && !is_code(word));
    match name {
        // Steam Guard's characters make words, too: `myvpn`.
        Some(name) if is_code(device) && device.contains(|c: char| c.is_ascii_digit()) && !might_be_secret(name) => {
            let codes: Vec<&str> = codes.iter().filter(|word| *word != name).map(String::as_str).collect();
            let words = [&["vmfa", command, name, device][..], &codes].concat();
            let failure = Error::usage("the device's name comes before the code");
            Err(shlex::try_join(words).into_iter().fold(failure, Error::hint))
        }
        _ => Ok(()),
    }
}

/// Codes whose groups came as words of their own: `123 456`.
pub(super) fn joined(words: &[String]) -> Vec<String> {
    let lengths =
        |length: usize| words.iter().all(|word| word.len() == length && word.bytes().all(|byte| byte.is_ascii_digit()));
    let (pairs, rest) = words.as_chunks::<2>();
    if rest.is_empty() && (lengths(3) || lengths(4)) {
        return pairs.iter().map(|pair| pair.concat()).collect();
    }
    words.to_vec()
}

/// Codes from arguments; from stdin where there are none, or where the only one is `-`.
pub(super) fn read(words: &[String], from: Option<&OsStr>) -> Result<Vec<Code>> {
    let (typed, joined) = (&mut String::new(), joined(words));
    let texts: Vec<&str> = if words.is_empty() || words == ["-"] {
        *typed = from_stdin(from)?;
        // A line each, whose groups belong together; or all on one line.
        let lines: Vec<&str> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let whole = |line: &&str| line.parse::<Code>().is_ok();
        if lines.iter().all(whole) { lines } else { typed.split_whitespace().collect() }
    } else {
        joined.iter().map(String::as_str).collect()
    };
    if texts.is_empty() {
        return Err(Error::input("code", "no code is given").hint(hints::devices::GIVE_CODE));
    }
    if texts.len() > MOST {
        return Err(Error::input("code", format!("{} codes are given; at most {MOST} are looked at", texts.len())));
    }
    let codes: Result<Vec<Code>> = texts.into_iter().map(parse).collect();
    codes.map_err(|error| match from {
        Some(_) => error.hint(hints::devices::ALL_WORDS_ARE_CODES),
        None => error,
    })
}

/// One code. Spreadsheets and numbers lose zeros at the front, and no code is shorter than six digits.
pub(super) fn parse(text: &str) -> Result<Code> {
    if text.chars().any(char::is_alphabetic) && text.parse::<Code>().is_err() {
        return Err(Error::input("code", "a code has 6 to 10 digits and nothing else, or 5 characters of Steam Guard"));
    }
    let short = (1..6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().map_err(|error: crate::oath::Error| {
        if !short {
            return error.into();
        }
        let digits = if text.len() == 1 { "1 digit".to_owned() } else { format!("{} digits", text.len()) };
        Error::input("code", format!("a code of {digits} is too short: is a leading zero missing?"))
            .hint(hints::devices::leading_zeros(text))
    })
}

/// What to say of a code that is shorter than the device's.
pub(super) const LOST_ZERO: &str = ": is a leading zero missing?";

fn from_stdin(from: Option<&OsStr>) -> Result<String> {
    if from.is_some_and(|from| from == "-") {
        return Err(Error::usage("stdin is the source already: give the codes as arguments"));
    }
    let stdin = std::io::stdin();
    let mut text = String::new();
    let read = if stdin.is_terminal() {
        render::note("codes, in order, on one line:");
        stdin.lock().take(LONGEST).read_line(&mut text)
    } else {
        stdin.lock().take(LONGEST).read_to_string(&mut text)
    };
    let bytes = read.map_err(|error| Error::input("unreadable", format!("stdin: {error}")))?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes >= LONGEST) {
        return Err(Error::input("code", format!("stdin has more than {LONGEST} bytes, which no codes have")));
    }
    Ok(text)
}
