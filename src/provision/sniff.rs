//! What a source is, told by its content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

#[cfg(feature = "svg")]
use super::embedded;
use super::foreign::{self, link, starts_with};
use super::{
    Enrolment, Error, Found, Limits, Warning, aws, base32, data_uri, drawing, formats, hexadecimal, lines, page,
    payloads, tidy, uri,
};
use crate::secret::Secret;

/// The most bytes of text: ten thousand enrolments fit.
const TEXT_BYTES: usize = 4 << 20;

/// The most characters of a text that may be one base32 secret, with generous spaces and breaks.
const SECRET_TEXT: usize = 64 << 10;

/// How many wrappings are taken off: base64 around JSON around an image around a URI.
const DEEPEST: u8 = 4;

/// Reads a source: all enrolments that it holds, or an error.
///
/// # Errors
///
/// Anything that isn't clearly an enrolment. One bad entry fails the whole source: all or none.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    look(bytes, limits)?.enrolling()
}

/// The same where QR codes that enrol nothing are worth to be seen: they may be all there is.
///
/// # Errors
///
/// As [`read`], but [`Error::NotOtpauth`].
pub fn look(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    if bytes.len() > Limits::BYTES {
        return Err(Error::TooLarge { limit: Limits::BYTES });
    }
    content(bytes, limits, DEEPEST)
}

/// A decoded image or text, with `depth` wrappings left to take off.
fn content(bytes: &[u8], limits: &Limits, depth: u8) -> Result<Found, Error> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::Unrecognized);
    };
    if payloads::is_image(bytes) {
        return image(bytes, limits);
    }
    if let Some((what, kind)) = formats::kind(bytes) {
        return Err(Error::UnsupportedFormat { what, kind });
    }
    let text = decode_text(bytes)?;
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    // A page has its pictures and fonts in it.
    if text.len() > TEXT_BYTES && !foreign::is_page(text.trim()) {
        return Err(Error::TooLarge { limit: TEXT_BYTES });
    }
    if text.contains('\0') {
        return Err(Error::WrongKind { what: "binary data" });
    }
    // Before anything is trimmed: a drawing's first row has blanks.
    if let Some(found) = drawing::read(&text, limits) {
        return found;
    }
    if let Some(foreign) = foreign::of_text(text.trim_end()) {
        return Err(Error::Foreign(foreign));
    }
    let visible = tidy::visible(&text);
    let invisible = visible.is_some();
    let text = visible.unwrap_or(text);
    let mut found = plain_text(text.trim(), limits, depth)?;
    if invisible && !found.warnings.contains(&Warning::Invisible) {
        found.warnings.insert(0, Warning::Invisible);
    }
    Ok(found)
}

/// An image; of an SVG without a code of its own, the pictures that are in it.
fn image(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    let found = payloads::image(bytes, limits);
    #[cfg(feature = "svg")]
    if found == Err(Error::NoQrCode) && formats::is_svg(bytes) {
        return payloads::images(&embedded::data_uris(std::str::from_utf8(bytes).unwrap_or_default()), limits);
    }
    found
}

/// Text without blanks around it.
fn plain_text(text: &str, limits: &Limits, depth: u8) -> Result<Found, Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    if limits.hex {
        return one_secret(text, limits);
    }
    if let Some(encoded) = data_uri::read(text) {
        return content(&encoded?, limits, depth);
    }
    if text.starts_with('<') && foreign::is_page(text) {
        return page::read(text, limits);
    }
    if let Some(inner) = json_text(text) {
        return quoted(content(inner.as_bytes(), limits, depth));
    }
    if starts_with(text, lines::MIGRATION) {
        return Err(Error::Migration);
    }
    let json = text.starts_with(['{', '[']);
    if !json && lines::have_uris(text) {
        return lines::read(text);
    }
    if json {
        return aws::from_json(text, limits);
    }
    if text.starts_with('<') {
        return aws::from_xml(text, limits);
    }
    if let Some(what) = link(text) {
        return Err(Error::WrongKind { what });
    }
    if let Some(inner) = tidy::unquoted(text) {
        return quoted(content(inner.as_bytes(), limits, depth));
    }
    if let Some(inner) = inside_base64(text) {
        return content(&inner, limits, depth);
    }
    one_secret(text, limits)
}

/// The text of a JSON string, alone or in a list of one: what the AWS CLI prints for `--query` without `--output text`.
fn json_text(text: &str) -> Option<Zeroizing<String>> {
    let whole = text.starts_with('"') && text.ends_with('"');
    let listed = text.starts_with('[') && text.ends_with(']');
    let mut list: Vec<String> = match (whole, listed) {
        (true, _) => vec![serde_json::from_str(text).ok()?],
        (_, true) => serde_json::from_str(text).ok()?,
        _ => return None,
    };
    let one = if list.len() == 1 { list.pop() } else { None };
    list.iter_mut().for_each(zeroize::Zeroize::zeroize);
    one.map(Zeroizing::new)
}

fn quoted(found: Result<Found, Error>) -> Result<Found, Error> {
    found.map(|mut found| {
        found.warnings.insert(0, Warning::Quoted);
        found
    })
}

/// UTF-8, or UTF-16 with a byte order mark: what PowerShell writes for `>`.
fn decode_text(bytes: &[u8]) -> Result<Zeroizing<String>, Error> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units = Zeroizing::new(pairs.iter().copied().map(unit).collect::<Vec<u16>>());
        if odd.is_empty() { String::from_utf16(&units).ok() } else { None }
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        bytes => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.map(Zeroizing::new).ok_or(Error::WrongKind { what: "binary data" })
}

fn one_secret(text: &str, limits: &Limits) -> Result<Found, Error> {
    if text.len() > SECRET_TEXT {
        return Err(Error::TooLarge { limit: SECRET_TEXT });
    }
    if limits.hex {
        return bare(hexadecimal::parse(text)?, false, limits);
    }
    if let Some(foreign) = foreign::no_secret(text) {
        return Err(Error::Foreign(foreign));
    }
    if is_prose(text) {
        return Err(Error::Unrecognized);
    }
    let secret = match base32::parse(text) {
        Ok(secret) => secret,
        Err(Error::SecretCharacter { .. } | Error::SecretLength { .. }) if hexadecimal::is_likely(text) => {
            return Err(Error::Hexadecimal);
        }
        Err(Error::SecretCharacter { .. }) if !mostly_base32(text) => return Err(Error::Unrecognized),
        Err(error) => return Err(error),
    };
    let words = reads_like_words(text);
    let mut found = bare(secret, words, limits)?;
    // Services show capitals; one secret of thirty has no digit.
    if words && text.contains(|c: char| c.is_ascii_lowercase()) {
        found.warnings.push(Warning::LooksLikeWords);
    }
    Ok(found)
}

/// A secret that came alone.
fn bare(secret: Secret, words: bool, limits: &Limits) -> Result<Found, Error> {
    let bits = secret.bits();
    if bits < Limits::BARE_BITS && !limits.allow_short {
        return Err(Error::ShortSecret { bits, words });
    }
    let mut warnings = Vec::new();
    if bits < 128 {
        warnings.push(Warning::ShortSecret { bits });
    }
    let enrolment = Enrolment { issuer: None, account: String::new(), secret, parameters: limits.bare, serial: None };
    Ok(Found { enrolments: vec![enrolment], warnings, ..Found::default() })
}

/// Whether a text could be spoken: letters alone, with as many vowels among them as languages have.
fn reads_like_words(text: &str) -> bool {
    const MOST_CONSONANTS: u8 = 4;
    let (mut letters, mut vowels, mut run) = (0_usize, 0_usize, 0_u8);
    for character in text.chars().filter(|c| !c.is_whitespace() && !base32::is_dash(*c)) {
        if !character.is_ascii_alphabetic() {
            return false;
        }
        letters = letters.saturating_add(1);
        if matches!(character.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y') {
            vowels = vowels.saturating_add(1);
            run = 0;
        } else {
            run = run.saturating_add(1);
        }
        if run > MOST_CONSONANTS {
            return false;
        }
    }
    letters >= 4 && (letters..=letters.saturating_mul(3)).contains(&vowels.saturating_mul(4))
}

/// Whether a text has words: a secret's groups are of one length, but for the last, or somebody's own few.
fn is_prose(text: &str) -> bool {
    let mut lengths: Vec<usize> = text.split_whitespace().map(|word| word.chars().count()).collect();
    lengths.pop();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.len() >= 3
}

/// Whether a text is a secret with a slip in it rather than something else: three characters of four
/// are letters or digits.
fn mostly_base32(text: &str) -> bool {
    let (mut base32_like, mut other) = (0_usize, 0_usize);
    for character in text.chars().filter(|c| !c.is_whitespace() && !base32::is_dash(*c)) {
        match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '=' => base32_like = base32_like.saturating_add(1),
            _ => other = other.saturating_add(1),
        }
    }
    base32_like >= other.saturating_mul(3)
}

/// What base64 holds, if that is something to go on with.
///
/// Every secret of 4, 8, 12 … characters is base64 too, of bytes that begin like a picture or a document now and then:
/// one in sixty begins with `<`. So what could be a secret is base64 only if all of it makes sense as that.
fn inside_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let dense = tidy::dense(text.as_bytes());
    let inner = Zeroizing::new(STANDARD.decode(dense.as_slice()).ok()?);
    let upper = dense.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7' | b'='));
    let lower = dense.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7' | b'='));
    let perhaps_secret = upper || lower;
    let trimmed = inner.trim_ascii();
    let between =
        |first: u8, last: u8| trimmed.first() == Some(&first) && (!perhaps_secret || trimmed.last() == Some(&last));
    let document = std::str::from_utf8(trimmed).is_ok() && (between(b'{', b'}') || between(b'<', b'>'));
    let uri = trimmed.get(..uri::SCHEME.len()).is_some_and(|head| head.eq_ignore_ascii_case(uri::SCHEME.as_bytes()));
    let readable = aws::looks_like_seed(trimmed)
        || document
        || uri
        || (!perhaps_secret && (payloads::is_image(&inner) || formats::kind(&inner).is_some()));
    readable.then_some(inner)
}
