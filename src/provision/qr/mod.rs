//! QR codes (ISO/IEC 18004) in images: bytes or pixels in, texts out.
//!
//! Decoding untrusted images is work without a bound, and one of the readers panics on some of them.
//! So it is done in a separate thread, called [`WORKER`], with others of that name beside it, whose finds come over as they are made: the
//! caller's thread never waits longer than [`Limits::expired`] lets it, and leaves the worker behind
//! when time is up. The worker asks the same question between rows of a PNG, attempts, and possible codes, so it
//! ends within a second, but for the decoders of other formats and the last of the readers: they run to their end
//! first, which bounds on size keep to some seconds. A panic
//! in a decoder is an attempt that found nothing (this needs `panic = "unwind"`); a program that sets
//! a panic hook should keep silent for threads of that name.
//!
//! No image takes more than 300 MB, the caller's copy of the file included.

mod attempts;
mod blocks;
mod find;
mod load;
mod luma;
mod margins;
mod parts;
mod pictures;
mod png;
mod readers;
mod runs;
mod search;
mod shades;
#[cfg(feature = "svg")]
mod svg;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use self::find::Find;
use self::load::Header;
use self::parts::assembled;
use self::pictures::Pictures;
pub use self::search::WORKER;
use self::search::{STACK, climb};
use super::{Error, Limits};

/// How long the caller's thread waits before it asks again whether time is up.
const SLICE: Duration = Duration::from_millis(10);

/// What errors call pixels that came without a file.
const RGBA: &str = "RGBA";

/// Which image format the bytes start as: PNG, JPEG, GIF, WEBP, TIFF, BMP, ICO, TGA, PNM (P1 to P7) or, with the
/// feature `svg`, SVG.
///
/// By content only, never by a name. It may still be damaged, or posing.
#[must_use]
pub fn format(bytes: &[u8]) -> Option<&'static str> {
    #[cfg(feature = "svg")]
    if super::formats::is_svg(bytes) {
        return Some(svg::NAME);
    }
    load::format(bytes).map(|(_, name)| name)
}

/// The texts of all QR codes in an image file: no two the same, from top to bottom, and from left to
/// right among those beside each other. Of an animation, the first frame.
///
/// With [`Limits::all`], every attempt is made. Else attempts go on until a stage of them has found a text; then, unless a code fills the image, until a fixed amount
/// of work is done, because a page may hold another one that is harder to read: twice as much where no text starts
/// with `otpauth` yet. When [`Limits::expired`] says so they end with what was found so far. A text that is split over
/// several codes (structured append) is put together.
///
/// # Errors
///
/// [`Error::Unrecognized`] for no image at all, [`Error::ImageTooLarge`] by its header,
/// [`Error::ImageUnsupported`], [`Error::ImageBroken`], [`Error::NoQrCode`], [`Error::QrTimeUp`] when time was up before
/// one was found, [`Error::QrPart`] and [`Error::QrPartsDisagree`] for a text whose parts aren't all there.
pub fn payloads(bytes: &[u8], limits: &Limits) -> Result<Vec<Zeroizing<String>>, Error> {
    texts(finds(bytes, limits)?)
}

/// All that is found in an image file.
fn finds(bytes: &[u8], limits: &Limits) -> Result<Vec<Find>, Error> {
    let name = format(bytes).ok_or(Error::Unrecognized)?;
    let bytes = Zeroizing::new(bytes.to_vec());
    let own_limits = limits.clone();
    #[cfg(feature = "svg")]
    if name == svg::NAME {
        return in_worker(limits, name, svg::STACK, move || guarded(&bytes, || svg::load(&bytes)));
    }
    in_worker(limits, name, STACK, move || {
        guarded(&bytes, || Header::read(&bytes, &own_limits)?.decode(&bytes, &*own_limits.expired))
    })
}

/// The same for pixels of a screen or clipboard: rows from the top, four bytes a pixel, alpha not
/// multiplied in.
///
/// # Errors
///
/// As [`payloads`]; [`Error::ImageBroken`] where the length isn't 4 × width × height.
pub fn payloads_of_rgba(
    width: u32,
    height: u32,
    rgba: &[u8],
    limits: &Limits,
) -> Result<Vec<Zeroizing<String>>, Error> {
    load::check(width, height, limits)?;
    let expected = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(4);
    if rgba.is_empty() || u64::try_from(rgba.len()) != Ok(expected) {
        let reason = format!("{} bytes are no {width}×{height} pixels", rgba.len());
        return Err(Error::ImageBroken { format: RGBA, reason });
    }
    // Here, not in the worker, which would need a copy of them all.
    let pictures = Pictures::of(width, height, rgba, 4);
    texts(in_worker(limits, RGBA, STACK, move || Ok(pictures))?)
}

/// What was found, as texts.
fn texts(found: Vec<Find>) -> Result<Vec<Zeroizing<String>>, Error> {
    assembled(found).map(in_reading_order)
}

/// The codes of several images: a text may be split over codes in different ones.
#[derive(Default)]
pub struct Codes {
    found: Vec<Find>,
    images: u8,
}

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codes").field("found", &self.found.len()).finish_non_exhaustive()
    }
}

impl Codes {
    /// Adds those of an image.
    ///
    /// # Errors
    ///
    /// As [`payloads`], but for parts of a text.
    pub fn look_at(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Error> {
        let mut finds = finds(bytes, limits)?;
        // Places are parts of an image's height, so each image stands below the one before.
        finds.iter_mut().for_each(|find| find.place.y += f32::from(self.images) * 2.0);
        self.images = self.images.saturating_add(1);
        self.found.append(&mut finds);
        Ok(())
    }

    /// Whether no code was found yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Their texts, image by image.
    ///
    /// # Errors
    ///
    /// [`Error::NoQrCode`] where there are none, [`Error::QrPart`] and [`Error::QrPartsDisagree`] for a text whose parts aren't all there.
    pub fn texts(self) -> Result<Vec<Zeroizing<String>>, Error> {
        if self.is_empty() { Err(Error::NoQrCode) } else { texts(self.found) }
    }
}

/// A decoder that panics has found the image broken.
fn guarded<T>(bytes: &[u8], decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let format = format(bytes).unwrap_or("unknown");
        Err(Error::ImageBroken { format, reason: "the decoder gave up".to_owned() })
    })
}

/// Loads and attempts in a separate thread, and collects.
fn in_worker(
    limits: &Limits,
    format: &'static str,
    stack: usize,
    load: impl FnOnce() -> Result<Pictures, Error> + Send + 'static,
) -> Result<Vec<Find>, Error> {
    let (sender, receiver) = mpsc::channel();
    let (all, expired) = (limits.all, Arc::clone(&limits.expired));
    let work = move || match load() {
        Ok(pictures) => climb(pictures, all, &*expired, &sender),
        // The caller is gone when its time is up.
        Err(error) => drop(sender.send(Err(error))),
    };
    let worker = thread::Builder::new()
        .name(WORKER.to_owned())
        .stack_size(stack)
        .spawn(work)
        .map_err(|error| Error::ImageBroken { format, reason: error.to_string() })?;
    let mut messages = Vec::new();
    let done = loop {
        match receiver.recv_timeout(SLICE) {
            Ok(message) => messages.push(message),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) if (limits.expired)() => break false,
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    if done {
        // Nothing of it stays behind.
        let _ = worker.join();
    }
    let mut found = Vec::new();
    let mut outcome = if done { Err(Error::NoQrCode) } else { Err(Error::QrTimeUp) };
    for message in messages {
        match message {
            Ok(finds) => found.extend(finds),
            Err(error) => outcome = Err(error),
        }
    }
    found.retain(|find: &Find| !find.text.is_empty() || find.part.is_some());
    if found.is_empty() { outcome } else { Ok(found) }
}

/// Distinct texts: rows from the top, and within a row (codes whose middle lies beside the first
/// code of the row) from the left.
fn in_reading_order(mut found: Vec<Find>) -> Vec<Zeroizing<String>> {
    found.retain(|find| !find.text.is_empty());
    let mut distinct: Vec<Find> = Vec::new();
    for find in found {
        if distinct.iter().all(|known| known.text != find.text) {
            distinct.push(find);
        }
    }
    distinct.sort_by(|a, b| a.place.y.total_cmp(&b.place.y));
    let mut rows: Vec<Vec<Find>> = Vec::new();
    for find in distinct {
        let beside =
            |row: &Vec<Find>| row.first().is_some_and(|first| find.place.y - first.place.y < first.place.height / 2.0);
        match rows.last_mut() {
            Some(row) if beside(row) => row.push(find),
            _ => rows.push(vec![find]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.place.x.total_cmp(&b.place.x));
    }
    rows.into_iter().flatten().map(|find| find.text).collect()
}

#[cfg(test)]
mod tests;
