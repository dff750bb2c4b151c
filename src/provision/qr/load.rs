//! Image files and raw pixels, bounded, to pictures that the attempts work on.
//!
//! The header is read first: an image that announces too much is refused before a pixel of it is
//! decoded, and so is one that would take too much memory; the decoder's allocations are capped as well. Orientation tags are passed over,
//! because a QR code reads the same in any turn (ISO/IEC 18004, section 12).

use std::io::Cursor;

use image::{ImageDecoder, ImageError, ImageFormat, ImageReader};
use zeroize::Zeroizing;

use super::pictures::{LARGE, MEMORY, Pictures, check_memory};
use super::png;
use crate::provision::formats::is_tga;
use crate::provision::{Error, Limits};

/// Names, as people write them, by what a file starts with.
pub(super) fn format(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    let found = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => (ImageFormat::Png, "PNG"),
        [0xff, 0xd8, 0xff, ..] => (ImageFormat::Jpeg, "JPEG"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => (ImageFormat::Gif, "GIF"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (ImageFormat::WebP, "WEBP"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => (ImageFormat::Tiff, "TIFF"),
        // "BM" alone starts base32 as well: the size of the second header tells them apart.
        [b'B', b'M', rest @ ..] => match rest.get(12..16) {
            Some([12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) => (ImageFormat::Bmp, "BMP"),
            _ => return None,
        },
        [0, 0, 1, 0, 1..=255, 0, ..] => (ImageFormat::Ico, "ICO"),
        // "P2" to "P7" too.
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\n' | b'\r', ..] => (ImageFormat::Pnm, "PNM"),
        _ if is_tga(bytes) => (ImageFormat::Tga, "TGA"),
        _ => return None,
    };
    Some(found)
}

/// An image whose header was read, and found to be within the limits.
pub(super) struct Header {
    format: ImageFormat,
    pub(super) name: &'static str,
    pixels: u64,
}

impl Header {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (format, name) = format(bytes).ok_or(Error::Unrecognized)?;
        let header = Self { format, name, pixels: limits.pixels };
        if let Some(png) = png_of(format, bytes) {
            if let Some((width, height)) = png_size(png) {
                check(width, height, limits)?;
            }
            return Ok(header);
        }
        let (width, height) = header.decoder(bytes)?.dimensions();
        check(width, height, limits)?;
        if width == 0 || height == 0 {
            return Err(header.broken("it has no pixels"));
        }
        Ok(header)
    }

    /// The pictures to look at.
    pub(super) fn decode(&self, bytes: &[u8], expired: &dyn Fn() -> bool) -> Result<Pictures, Error> {
        if let Some(png) = png_of(self.format, bytes) {
            return png::decode(png, expired);
        }
        let decoder = self.decoder(bytes)?;
        let (width, height) = decoder.dimensions();
        let colour = decoder.color_type();
        let channels = usize::from(colour.channel_count());
        let depth = usize::from(colour.bytes_per_pixel()).checked_div(channels).unwrap_or_default();
        if depth > 2 {
            return Err(self.unsupported("samples of floating-point numbers"));
        }
        let pixels = u64::from(width).saturating_mul(u64::from(height));
        let whole = decoder.total_bytes();
        let kept = if pixels > LARGE { pixels / 4 } else { pixels.saturating_mul(4) };
        let file = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(4);
        let needed = whole.saturating_add(self.working_memory(bytes, pixels, whole)).saturating_add(kept);
        check_memory(width, height, needed, file)?;
        let size = usize::try_from(whole).map_err(|_| self.broken("it is too large"))?;
        let mut raw = Zeroizing::new(Vec::new());
        raw.try_reserve_exact(size).map_err(|_| self.broken("there is no memory for its pixels"))?;
        raw.resize(size, 0);
        decoder.read_image(&mut raw).map_err(|error| self.failed(&error))?;
        Ok(Pictures::of_samples(width, height, raw, channels, depth))
    }

    /// What the decoder needs beside the pixels that it gives, in bytes.
    fn working_memory(&self, bytes: &[u8], pixels: u64, whole: u64) -> u64 {
        match self.format {
            // Coefficients of two bytes for up to three components.
            ImageFormat::Jpeg if is_progressive(bytes) => pixels.saturating_mul(6),
            ImageFormat::Jpeg | ImageFormat::Bmp => 0,
            // A canvas and the frame that is drawn on it.
            ImageFormat::WebP => pixels.saturating_mul(8),
            // A frame; the whole file's samples before they are put in order; a strip may be the whole.
            _ => whole,
        }
    }

    fn decoder(&self, bytes: &[u8]) -> Result<impl ImageDecoder, Error> {
        // Of a copy, as the clipboard's crate reads pictures: with another type of reader, the program would have all decoders
        // twice, which is a quarter of a megabyte.
        let mut reader = ImageReader::with_format(Cursor::new(bytes.to_vec()), self.format);
        let mut limits = image::Limits::default();
        // Eight bytes a pixel at the widest that is decoded whole, and as much again as a 16-bit row needs.
        limits.max_alloc = Some(self.pixels.saturating_mul(8).saturating_add(16 << 20).min(MEMORY));
        reader.limits(limits);
        reader.into_decoder().map_err(|error| self.failed(&error))
    }

    /// What a decoder couldn't do, or found damaged.
    fn failed(&self, error: &ImageError) -> Error {
        match error {
            ImageError::Unsupported(reason) => self.unsupported(reason),
            error => self.broken(error),
        }
    }

    fn unsupported(&self, reason: impl ToString) -> Error {
        Error::ImageUnsupported { format: self.name, reason: reason.to_string() }
    }

    fn broken(&self, reason: impl ToString) -> Error {
        Error::ImageBroken { format: self.name, reason: reason.to_string() }
    }
}

/// Whether the first frame header of a JPEG (ITU-T T.81, table B.1) is one of the progressive ones.
fn is_progressive(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, marker, more @ ..] = rest {
        match marker {
            0xff => rest = rest.get(1..).unwrap_or_default(),
            0xc2 | 0xc6 | 0xca | 0xce => return true,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xda => return false,
            _ => {
                let length = more.first_chunk().copied().map(u16::from_be_bytes).map_or(usize::MAX, usize::from);
                rest = more.get(length..).unwrap_or_default();
            }
        }
    }
    false
}

/// The PNG that a file is, or that is the largest picture in an icon: `image` takes those of four channels only.
fn png_of(format: ImageFormat, bytes: &[u8]) -> Option<&[u8]> {
    match format {
        ImageFormat::Png => Some(bytes),
        ImageFormat::Ico => {
            let count = usize::from(u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?));
            let (entries, _) = bytes.get(6..)?.as_chunks::<16>();
            // A side of 0 stands for 256.
            let largest = entries.iter().take(count).max_by_key(|entry| entry[0].wrapping_sub(1))?;
            let [.., a, b, c, d] = *largest;
            let png = bytes.get(usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?..)?;
            png.starts_with(b"\x89PNG").then_some(png)
        }
        _ => None,
    }
}

/// Width and height of the IHDR chunk (ISO/IEC 15948, section 11.2.1): the decoder refuses a row
/// that it can't allocate before it tells how wide it is.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |from: usize| Some(u32::from_be_bytes(bytes.get(from..)?.first_chunk().copied()?));
    (bytes.get(12..16)? == b"IHDR").then_some((word(16)?, word(20)?))
}

pub(super) fn check(width: u32, height: u32, limits: &Limits) -> Result<(), Error> {
    if u64::from(width).saturating_mul(u64::from(height)) > limits.pixels {
        return Err(Error::ImageTooLarge { width, height, limit: limits.pixels >> 20 });
    }
    Ok(())
}
