//! Image files and raw pixels, bounded, to pictures that the attempts work on.
//!
//! The header is read first: an image that announces too much is refused before a pixel of it is
//! decoded, and the decoder's allocations are capped as well. Orientation tags are passed over,
//! because a QR code reads the same in any turn (ISO/IEC 18004, section 12).

use std::io::Cursor;

use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};
use zeroize::Zeroizing;

use super::luma::Luma;
use crate::provision::{Error, Limits};

/// What the attempts work on: one way of seeing the source.
pub(super) struct Picture {
    pub(super) luma: Luma,
    /// The darkest and the lightest channel of each pixel, where the image has colours: two
    /// colours may have the same luma.
    pub(super) extremes: Option<(Luma, Luma)>,
}

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
        // "P2" to "P7" too.
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\n' | b'\r', ..] => (ImageFormat::Pnm, "PNM"),
        _ => return None,
    };
    Some(found)
}

/// An image whose header was read, and found to be within the limits.
pub(super) struct Header {
    format: ImageFormat,
    pub(super) name: &'static str,
    allocation: u64,
}

impl Header {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (format, name) = format(bytes).ok_or(Error::Unrecognized)?;
        // Eight bytes a pixel at the widest that is decoded whole, and as much again as a 16-bit row needs.
        let allocation = limits.pixels.saturating_mul(8).saturating_add(16 << 20);
        let header = Self { format, name, allocation };
        if let (ImageFormat::Png, Some((width, height))) = (format, png_size(bytes)) {
            check(width, height, limits)?;
        }
        let (width, height) = header.decoder(bytes)?.dimensions();
        check(width, height, limits)?;
        if width == 0 || height == 0 {
            return Err(header.broken("it has no pixels"));
        }
        Ok(header)
    }

    /// The pictures to look at, first the likeliest; none where the image is too small for any code.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<Vec<Picture>, Error> {
        let decoder = self.decoder(bytes)?;
        let (width, height) = decoder.dimensions();
        let colour = decoder.color_type();
        let size = usize::try_from(decoder.total_bytes()).map_err(|_| self.broken("it is too large"))?;
        if decoder.total_bytes() > self.allocation {
            return Err(self.broken("its pixels are too deep"));
        }
        let mut raw = Zeroizing::new(Vec::new());
        raw.try_reserve_exact(size).map_err(|_| self.broken("there is no memory for its pixels"))?;
        raw.resize(size, 0);
        decoder.read_image(&mut raw).map_err(|error| self.broken(error))?;
        let (samples, channels) = self.bytes_a_sample(raw, colour)?;
        Ok(pictures(width, height, &samples, channels))
    }

    fn decoder<'a>(&self, bytes: &'a [u8]) -> Result<impl ImageDecoder + 'a, Error> {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), self.format);
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.allocation);
        reader.limits(limits);
        reader.into_decoder().map_err(|error| self.broken(error))
    }

    /// Samples of one byte each, and how many a pixel has.
    fn bytes_a_sample(&self, raw: Zeroizing<Vec<u8>>, colour: ColorType) -> Result<(Zeroizing<Vec<u8>>, usize), Error> {
        let channels = usize::from(colour.channel_count());
        let samples = match usize::from(colour.bytes_per_pixel()).checked_div(channels).unwrap_or_default() {
            1 => raw,
            2 => {
                let high =
                    |pair: &[u8]| <[u8; 2]>::try_from(pair).map_or(0, |pair| u16::from_ne_bytes(pair).to_be_bytes()[0]);
                Zeroizing::new(raw.chunks_exact(2).map(high).collect())
            }
            _ => return Err(self.broken("floating-point samples are not read")),
        };
        Ok((samples, channels))
    }

    fn broken(&self, reason: impl ToString) -> Error {
        Error::ImageBroken { format: self.name, reason: reason.to_string() }
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

/// From this alpha on a pixel counts as opaque: scaled images have edges of nearly full alpha.
const OPAQUE: u8 = 250;

/// All ways of seeing pixels of one to four channels: grey, grey and alpha, RGB, RGBA.
///
/// Transparent images are drawn for a background that isn't known: on white, on black, on black
/// inverted, and the alpha alone (black on transparent black has no other contrast). Alpha that is
/// the same in all pixels says nothing; some screens leave zeros there.
pub(super) fn pictures(width: u32, height: u32, samples: &[u8], channels: usize) -> Vec<Picture> {
    let (Ok(width), Ok(height)) = (usize::try_from(width), usize::try_from(height)) else { return Vec::new() };
    let pixels = || samples.chunks_exact(channels.max(1)).map(pixel);
    let on = |background: Option<u8>| {
        let flat = pixels().map(|([r, g, b], alpha)| match background {
            Some(background) if alpha != u8::MAX => [r, g, b].map(|c| blend(c, background, alpha)),
            _ => [r, g, b],
        });
        Picture::new(width, height, flat)
    };
    let has_alpha = channels == 2 || channels == 4;
    let mut alphas = pixels().map(|(_, alpha)| alpha);
    let first = alphas.next();
    let varies = has_alpha && alphas.any(|alpha| Some(alpha) != first);
    let transparent = varies && pixels().any(|(_, alpha)| alpha < OPAQUE);
    if !transparent {
        return on(varies.then_some(255)).into_iter().collect();
    }
    let black = on(Some(0));
    let inverted = black.as_ref().map(|black| Picture { luma: black.luma.inverted(), extremes: None });
    let opacity = Picture::new(width, height, pixels().map(|(_, alpha)| [255_u8.saturating_sub(alpha); 3]));
    [on(Some(255)), black, inverted, opacity].into_iter().flatten().collect()
}

fn pixel(samples: &[u8]) -> ([u8; 3], u8) {
    match *samples {
        [grey] => ([grey; 3], 255),
        [grey, alpha] => ([grey; 3], alpha),
        [r, g, b] => ([r, g, b], 255),
        [r, g, b, alpha] => ([r, g, b], alpha),
        _ => ([255; 3], 255),
    }
}

fn blend(colour: u8, background: u8, alpha: u8) -> u8 {
    let [colour, background, alpha] = [colour, background, alpha].map(u16::from);
    // At most 255 × 255 in all.
    let sum = colour.saturating_mul(alpha).saturating_add(background.saturating_mul(255_u16.saturating_sub(alpha)));
    u8::try_from(sum / 255).unwrap_or(u8::MAX)
}

impl Picture {
    fn new(width: usize, height: usize, pixels: impl Iterator<Item = [u8; 3]> + Clone) -> Option<Self> {
        let luma = Luma::new(width, height, Zeroizing::new(pixels.clone().map(luma).collect()))?;
        let darkest = |[r, g, b]: [u8; 3]| r.min(g).min(b);
        let lightest = |[r, g, b]: [u8; 3]| r.max(g).max(b);
        let coloured = pixels.clone().any(|p| lightest(p).abs_diff(darkest(p)) > 48);
        let channel =
            |of: fn([u8; 3]) -> u8| Luma::new(width, height, Zeroizing::new(pixels.clone().map(of).collect()));
        let extremes = if coloured { channel(darkest).zip(channel(lightest)) } else { None };
        Some(Self { luma, extremes })
    }
}

/// ITU-R BT.709 weights, in 10,000ths.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let weighted = |c: u8, weight: u32| u32::from(c).saturating_mul(weight);
    let sum = weighted(r, 2126).saturating_add(weighted(g, 7152)).saturating_add(weighted(b, 722));
    u8::try_from(sum / 10_000).unwrap_or(u8::MAX)
}
