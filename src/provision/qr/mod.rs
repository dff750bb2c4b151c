//! QR codes (ISO/IEC 18004) in images: bytes or pixels in, texts out.
//!
//! Decoding untrusted images is work without a bound, and one of the readers panics on some of them.
//! So it is done in a thread of its own, called [`WORKER`], whose finds come over as they are made: the
//! caller's thread never waits longer than [`Limits::expired`] lets it, and leaves the worker behind
//! when time is up. The worker asks the same question between attempts, so it ends soon after. A panic
//! in a decoder is an attempt that found nothing (this needs `panic = "unwind"`); a program that sets
//! a panic hook should keep silent for threads of that name.

mod attempts;
mod load;
mod luma;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use self::attempts::{Find, STAGES};
use self::load::{Header, Picture};
use super::{Error, Limits};

/// The name of the threads that decode.
pub const WORKER: &str = "vmfa-qr";

/// Pixels to look at for further codes, once one that enrols was found: all attempts on a screenshot
/// of 1080p, the first two stages on one of 4K.
const FURTHER: usize = 64 << 20;

/// How long the caller's thread waits before it asks again whether time is up.
const SLICE: Duration = Duration::from_millis(10);

/// What errors call pixels that came without a file.
const RGBA: &str = "RGBA";

/// Which image format the bytes start as: PNG, JPEG, GIF, WEBP, TIFF, BMP or PNM (P1 to P7).
///
/// By content only, never by a name. It may still be damaged, or posing.
#[must_use]
pub fn format(bytes: &[u8]) -> Option<&'static str> {
    load::format(bytes).map(|(_, name)| name)
}

/// The texts of all QR codes in an image file: no two the same, from top to bottom, and from left to
/// right among those beside each other. Of an animation, the first frame.
///
/// Attempts go on until a stage of them has found a text that starts with `otpauth`; then, unless a
/// code fills the image, until a fixed amount of work is done, because a page may hold another one
/// that is harder to read. When [`Limits::expired`] says so they end
/// with what was found so far.
///
/// # Errors
///
/// [`Error::Unrecognized`] for no image at all, [`Error::ImageTooLarge`] by its header,
/// [`Error::ImageBroken`], and [`Error::NoQrCode`], also when time was up before one was found.
pub fn payloads(bytes: &[u8], limits: &Limits) -> Result<Vec<Zeroizing<String>>, Error> {
    let name = format(bytes).ok_or(Error::Unrecognized)?;
    let bytes = Zeroizing::new(bytes.to_vec());
    let own_limits = limits.clone();
    in_worker(limits, name, move || guarded(&bytes, || Header::read(&bytes, &own_limits)?.decode(&bytes)))
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
    let rgba = Zeroizing::new(rgba.to_vec());
    in_worker(limits, RGBA, move || Ok(load::pictures(width, height, &rgba, 4)))
}

/// A decoder that panics has found the image broken.
fn guarded<T>(bytes: &[u8], decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let format = format(bytes).unwrap_or("unknown");
        Err(Error::ImageBroken { format, reason: "the decoder gave up".to_owned() })
    })
}

/// Loads and attempts in a thread of its own, and collects.
fn in_worker(
    limits: &Limits,
    format: &'static str,
    load: impl FnOnce() -> Result<Vec<Picture>, Error> + Send + 'static,
) -> Result<Vec<Zeroizing<String>>, Error> {
    let (sender, receiver) = mpsc::channel();
    let expired = Arc::clone(&limits.expired);
    let work = move || match load() {
        Ok(pictures) => climb(&pictures, &*expired, &sender),
        // The caller is gone when its time is up.
        Err(error) => drop(sender.send(Err(error))),
    };
    let worker = thread::Builder::new()
        .name(WORKER.to_owned())
        .spawn(work)
        .map_err(|error| Error::ImageBroken { format, reason: error.to_string() })?;
    let mut found = Vec::new();
    let mut outcome = Ok(());
    while !(limits.expired)() {
        match receiver.recv_timeout(SLICE) {
            Ok(Ok(finds)) => found.extend(finds),
            Ok(Err(error)) => outcome = Err(error),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // It is done: nothing of it stays behind.
                let _ = worker.join();
                break;
            }
        }
    }
    outcome?;
    // What came between the last look and the end of time.
    found.extend(receiver.try_iter().flatten().flatten());
    let texts = in_reading_order(found);
    if texts.is_empty() { Err(Error::NoQrCode) } else { Ok(texts) }
}

/// Makes the attempts on all pictures, stage by stage, and sends what each finds.
fn climb(pictures: &[Picture], expired: &dyn Fn() -> bool, sender: &Sender<Result<Vec<Find>, Error>>) {
    let (mut enrols, mut alone) = (false, false);
    let mut spent = 0_usize;
    for stage in STAGES {
        let further = enrols;
        if enrols && alone {
            return;
        }
        for (attempt, picture) in stage.iter().flat_map(|attempt| pictures.iter().map(move |p| (attempt, p))) {
            if expired() || (further && spent >= FURTHER) {
                return;
            }
            let (finds, pixels) =
                catch_unwind(AssertUnwindSafe(|| attempt.make(picture))).unwrap_or_else(|_| (Vec::new(), FURTHER));
            spent = spent.saturating_add(pixels);
            enrols |= finds.iter().any(|find| starts_as_otpauth(&find.text));
            alone |= finds.iter().any(|find| find.place.fills_the_image());
            if !finds.is_empty() && sender.send(Ok(finds)).is_err() {
                return;
            }
        }
    }
}

fn starts_as_otpauth(text: &str) -> bool {
    text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("otpauth"))
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
