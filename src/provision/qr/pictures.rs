//! The pictures that the attempts work on, made of an image's rows or pixels, and how much memory that may take.

use std::sync::{Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

use super::luma::Luma;
use crate::provision::Error;

/// From this many pixels on, all but the first attempts work on half the size: the ladder takes 0.2 s a megapixel, so
/// that no more of it than that fits any time limit, and memory is bounded.
pub(super) const LARGE: u64 = 16 << 20;

/// What decoding one image may take, in bytes, with the file, which the caller has too.
pub(super) const MEMORY: u64 = 270 << 20;

/// All ways of seeing an image.
pub(super) struct Pictures {
    /// Of a large image: itself, grey.
    pub(super) full_size: Option<Picture>,
    /// First the likeliest; none where the image is too small for any code. Of a large image, at half the size.
    pub(super) usual: Vec<Picture>,
}

/// What the attempts work on: one way of seeing the source, with what several of them need.
pub(super) struct Picture {
    pub(super) luma: Luma,
    colours: Colours,
    extremes: OnceLock<Option<(Luma, Luma)>>,
    /// A half, a third and a fourth of the size.
    smaller: [OnceLock<Option<Luma>>; 3],
    otsu: OnceLock<u8>,
}

/// The pixels that a picture is of, where they have colours.
struct Colours {
    samples: Zeroizing<Vec<u8>>,
    channels: usize,
}

/// An error where that much memory, and `more` for the file, is too much.
pub(super) fn check_memory(width: u32, height: u32, needed: u64, more: u64) -> Result<(), Error> {
    let room = MEMORY.saturating_sub(more);
    if needed <= room {
        return Ok(());
    }
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    // No overflow: at most 2^64 / 2^29.
    let limit = (pixels >> 10).saturating_mul(room >> 10).checked_div(needed >> 10).unwrap_or(0) >> 10;
    Err(Error::ImageTooLarge { width, height, limit })
}

/// From this alpha on a pixel counts as opaque: scaled images have edges of nearly full alpha.
const OPAQUE: u8 = 250;

/// Takes the rows of an image, samples of one byte each, and keeps no more of it than is looked at.
pub(super) struct Rows {
    width: usize,
    height: usize,
    channels: usize,
    large: bool,
    full_size: Zeroizing<Vec<u8>>,
    samples: Zeroizing<Vec<u8>>,
    /// The upper row of a pair.
    above: Zeroizing<Vec<u8>>,
}

impl Rows {
    /// For pixels of one to four channels: grey, grey and alpha, RGB, RGBA.
    pub(super) fn new(width: u32, height: u32, channels: usize) -> Option<Self> {
        let large = u64::from(width).saturating_mul(u64::from(height)) > LARGE;
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        let pixels = width.checked_mul(height)?;
        let room = |size: usize| {
            let mut room = Vec::new();
            room.try_reserve_exact(size).ok()?;
            Some(Zeroizing::new(room))
        };
        let (full_size, samples) = if large { (pixels, pixels / 4) } else { (0, pixels) };
        let (full_size, samples) = (room(full_size)?, room(samples.checked_mul(channels)?)?);
        Some(Self { width, height, channels, large, full_size, samples, above: Zeroizing::new(Vec::new()) })
    }

    pub(super) fn push(&mut self, row: &[u8]) {
        if !self.large {
            self.samples.extend_from_slice(row);
            return;
        }
        self.full_size.extend(row.chunks_exact(self.channels).map(on_white));
        if self.above.is_empty() {
            self.above.extend_from_slice(row);
            return;
        }
        let two = self.channels.saturating_mul(2);
        for (above, below) in self.above.chunks_exact(two).zip(row.chunks_exact(two)) {
            let pairs = above.iter().zip(below);
            let sums = pairs.map(|(&a, &b)| u16::from(a).saturating_add(u16::from(b)));
            let right = sums.clone().skip(self.channels);
            let mean = |(left, right): (u16, u16)| u8::try_from(left.saturating_add(right) / 4).unwrap_or(u8::MAX);
            self.samples.extend(sums.zip(right).map(mean));
        }
        self.above.clear();
    }

    pub(super) fn pictures(self) -> Pictures {
        let Self { width, height, channels, large, full_size, samples, .. } = self;
        if !large {
            return Pictures { full_size: None, usual: pictures(width, height, samples, channels) };
        }
        let full_size = Luma::new(width, height, full_size);
        let usual = pictures(width / 2, height / 2, samples, channels);
        Pictures { full_size: full_size.map(Picture::grey), usual }
    }
}

impl Pictures {
    /// Of pixels in memory, one byte a sample.
    pub(super) fn of(width: u32, height: u32, samples: &[u8], channels: usize) -> Self {
        let mut rows = Rows::new(width, height, channels);
        let line = usize::try_from(width).unwrap_or(0).saturating_mul(channels).max(1);
        if let Some(rows) = &mut rows {
            samples.chunks_exact(line).for_each(|row| rows.push(row));
        }
        rows.map_or_else(Self::none, Rows::pictures)
    }

    /// Of pixels that a decoder gave, one or two bytes a sample. Those of a large image are overwritten by their luma
    /// as it is made: there is no room for both.
    pub(super) fn of_samples(
        width: u32,
        height: u32,
        mut raw: Zeroizing<Vec<u8>>,
        channels: usize,
        depth: usize,
    ) -> Self {
        let large = u64::from(width).saturating_mul(u64::from(height)) > LARGE;
        if !large && depth == 1 {
            return Self::of(width, height, &raw, channels);
        }
        let (Ok(wide), Ok(high)) = (usize::try_from(width), usize::try_from(height)) else { return Self::none() };
        let (pixel, line) = (channels.saturating_mul(depth), wide.saturating_mul(channels));
        let (mut from, mut to) = (0_usize, 0_usize);
        let mut row = Zeroizing::new(Vec::with_capacity(line));
        for _ in 0..high {
            let end = from.saturating_add(wide.saturating_mul(pixel));
            row.clear();
            match raw.get(from..end) {
                Some(samples) if depth == 2 => row.extend(samples.chunks_exact(2).map(high_byte)),
                Some(samples) => row.extend_from_slice(samples),
                None => return Self::none(),
            }
            from = end;
            let width = if large { wide } else { line };
            let Some(place) = raw.get_mut(to..to.saturating_add(width)) else { return Self::none() };
            if large {
                let shades = row.chunks_exact(channels).map(on_white);
                place.iter_mut().zip(shades).for_each(|(place, shade)| *place = shade);
            } else {
                place.copy_from_slice(&row);
            }
            to = to.saturating_add(width);
        }
        raw.truncate(to);
        raw.shrink_to_fit();
        if !large {
            return Self::of(width, height, &raw, channels);
        }
        let full_size = Luma::new(wide, high, raw);
        let half = full_size.as_ref().and_then(|luma| luma.shrunk(2));
        Self { full_size: full_size.map(Picture::grey), usual: half.map(Picture::grey).into_iter().collect() }
    }

    const fn none() -> Self {
        Self { full_size: None, usual: Vec::new() }
    }
}

/// The more significant of two bytes in the machine's order.
fn high_byte(pair: &[u8]) -> u8 {
    <[u8; 2]>::try_from(pair).map_or(0, |pair| u16::from_ne_bytes(pair).to_be_bytes()[0])
}

fn on_white(samples: &[u8]) -> u8 {
    let ([r, g, b], alpha) = pixel(samples);
    let flat = if alpha == u8::MAX { [r, g, b] } else { [r, g, b].map(|c| blend(c, u8::MAX, alpha)) };
    luma(flat)
}

/// All ways of seeing pixels.
///
/// Transparent images are drawn for a background that isn't known: on white, on black, on black
/// inverted, and the alpha alone (black on transparent black has no other contrast). Alpha that is
/// the same in all pixels says nothing; some screens leave zeros there.
fn pictures(width: usize, height: usize, samples: Zeroizing<Vec<u8>>, channels: usize) -> Vec<Picture> {
    let alphas = |of: &dyn Fn(u8) -> bool| match channels {
        2 => samples.as_chunks::<2>().0.iter().any(|[_, alpha]| of(*alpha)),
        4 => samples.as_chunks::<4>().0.iter().any(|[_, _, _, alpha]| of(*alpha)),
        _ => false,
    };
    let first = samples.get(channels.saturating_sub(1)).copied();
    if !alphas(&|alpha| Some(alpha) != first) {
        return Picture::opaque(width, height, samples, channels).into_iter().collect();
    }
    let transparent = alphas(&|alpha| alpha < OPAQUE);
    let pixels = || samples.chunks_exact(channels.max(1)).map(pixel);
    let on = |background: u8| {
        let flat = |([r, g, b], alpha): ([u8; 3], u8)| match alpha {
            u8::MAX => [r, g, b],
            _ => [r, g, b].map(|c| blend(c, background, alpha)),
        };
        let pixels = Zeroizing::new(pixels().flat_map(flat).collect());
        Picture::opaque(width, height, pixels, 3)
    };
    if !transparent {
        return on(255).into_iter().collect();
    }
    let black = on(0);
    let inverted = black.as_ref().map(|black| Picture::grey(black.luma.inverted()));
    let opacity = Zeroizing::new(pixels().map(|(_, alpha)| 255_u8.saturating_sub(alpha)).collect());
    let opacity = Luma::new(width, height, opacity).map(Picture::grey);
    [on(255), black, inverted, opacity].into_iter().flatten().collect()
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
    const fn new(luma: Luma, colours: Colours) -> Self {
        Self {
            luma,
            colours,
            extremes: OnceLock::new(),
            smaller: [const { OnceLock::new() }; 3],
            otsu: OnceLock::new(),
        }
    }

    fn grey(luma: Luma) -> Self {
        Self::new(luma, Colours { samples: Zeroizing::new(Vec::new()), channels: 1 })
    }

    /// Whatever alpha the samples have says nothing.
    fn opaque(width: usize, height: usize, samples: Zeroizing<Vec<u8>>, channels: usize) -> Option<Self> {
        let mut pixels = Zeroizing::new(Vec::with_capacity(width.saturating_mul(height)));
        match channels {
            1 => return Luma::new(width, height, samples).map(Self::grey),
            3 => pixels.extend(samples.as_chunks::<3>().0.iter().map(|rgb| luma(*rgb))),
            4 => pixels.extend(samples.as_chunks::<4>().0.iter().map(|[r, g, b, _]| luma([*r, *g, *b]))),
            _ => pixels.extend(samples.chunks_exact(channels.max(1)).map(|grey| luma(pixel(grey).0))),
        }
        let colours = Colours { samples, channels };
        Luma::new(width, height, pixels).map(|luma| Self::new(luma, colours))
    }

    /// Whether all pixels are the same: such a picture shows nothing in any view.
    pub(super) fn is_plain(&self) -> bool {
        let same = |samples: &[u8], channels: usize| {
            let (first, rest) = samples.split_at(channels.min(samples.len()));
            rest.chunks_exact(channels.max(1)).all(|pixel| pixel == first)
        };
        same(self.luma.pixels(), 1) && same(&self.colours.samples, self.colours.channels)
    }

    /// The darkest and the lightest channel of each pixel, where the image has colours: two colours may have the same
    /// luma.
    pub(super) fn extremes(&self) -> Option<&(Luma, Luma)> {
        self.extremes.get_or_init(|| self.colours.extremes(self.luma.width(), self.luma.height())).as_ref()
    }

    /// A pixel for each two, three or four a side.
    pub(super) fn smaller(&self, by: usize) -> Option<&Luma> {
        self.smaller.get(by.checked_sub(2)?)?.get_or_init(|| self.luma.shrunk(by)).as_ref()
    }

    /// Otsu's threshold.
    pub(super) fn otsu(&self) -> u8 {
        *self.otsu.get_or_init(|| self.luma.otsus_threshold())
    }

    /// What takes so much memory that one thread does it at a time.
    pub(super) fn alone<T>(&self, work: impl FnOnce(&Luma) -> T) -> T {
        // One for all pictures, of which a transparent image has several.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        work(&self.luma)
    }
}

impl Colours {
    fn extremes(&self, width: usize, height: usize) -> Option<(Luma, Luma)> {
        const GREY: u8 = 48;
        fn darkest([r, g, b]: [u8; 3]) -> u8 {
            r.min(g).min(b)
        }
        fn lightest([r, g, b]: [u8; 3]) -> u8 {
            r.max(g).max(b)
        }
        let pixels = || self.samples.chunks_exact(self.channels.max(1)).map(|samples| pixel(samples).0);
        if self.channels < 3 || !pixels().any(|p| lightest(p).abs_diff(darkest(p)) > GREY) {
            return None;
        }
        let channel = |of: fn([u8; 3]) -> u8| Luma::new(width, height, Zeroizing::new(pixels().map(of).collect()));
        channel(darkest).zip(channel(lightest))
    }
}

/// ITU-R BT.709 weights, in 10,000ths.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let weighted = |c: u8, weight: u32| u32::from(c).saturating_mul(weight);
    let sum = weighted(r, 2126).saturating_add(weighted(g, 7152)).saturating_add(weighted(b, 722));
    u8::try_from(sum / 10_000).unwrap_or(u8::MAX)
}
