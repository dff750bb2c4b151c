//! What is black in a view, and where it may have finder patterns: found from every third row, without making a picture of bits.
//!
//! Both do to the bit what `rxing`'s `HybridBinarizer` and `FindFinderPatterns` do, which take most of their time on
//! pixels that have nothing; a test holds them to it. `rxing` gets to see the picture only where something may be one.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "coordinates within a picture whose size was checked; sums of bytes"
)]

use std::cell::OnceCell;

use rxing::Point;
use rxing::common::cpp_essentials::{ConcentricPattern, LocateConcentricPattern};
use rxing::common::{BitArray, BitMatrix};

use super::blocks::{Blocks, SIDE};
use super::luma::Luma;
use super::runs::{is_finder, runs};

/// What a view is to the reader.
#[derive(Clone, Copy)]
pub(super) struct Shades<'a> {
    luma: &'a Luma,
    inverted: bool,
    threshold: Threshold<'a>,
}

#[derive(Clone, Copy)]
enum Threshold<'a> {
    /// Black up to this shade.
    Whole(u8),
    /// Another one for each block.
    Blocks(&'a Blocks),
}

/// Rows from one that is looked at to the next: finder patterns that are read have centres of three pixels.
const STEP: usize = 3;

/// How many rows are looked at before it is asked whether time is up.
const ROWS: usize = 32;

impl<'a> Shades<'a> {
    /// Black up to this shade; white where `inverted`.
    pub(super) const fn split(luma: &'a Luma, at: u8, inverted: bool) -> Self {
        Self { luma, inverted, threshold: Threshold::Whole(at) }
    }

    /// Black by what is around each block of pixels, which are of the luma as it is, or inverted.
    pub(super) const fn local(luma: &'a Luma, blocks: &'a Blocks, inverted: bool) -> Self {
        Self { luma, inverted, threshold: Threshold::Blocks(blocks) }
    }

    /// The finder patterns, and all bits where something may be one.
    pub(super) fn finders(&self, expired: &dyn Fn() -> bool) -> (Vec<ConcentricPattern>, Option<BitMatrix>) {
        let bits = OnceCell::new();
        let mut found: Vec<ConcentricPattern> = Vec::new();
        let mut line = Line::default();
        for (count, (y, row)) in self.luma.rows().enumerate().skip(STEP - 1).step_by(STEP).enumerate() {
            if count.is_multiple_of(ROWS) && expired() {
                break;
            }
            self.blacken(y, row, &mut line);
            runs(&line.black, &mut line.runs);
            let mut at = 1;
            let mut before: usize = line.runs.first().copied().unwrap_or(0);
            // A run of light ends each row, though it may be of no pixel.
            while let Some([light, a, b, c, d, e, _]) = line.runs.get(at - 1..at + 6) {
                if !is_finder([*a, *b, *c, *d, *e], (at > 1).then_some(*light)) {
                    before += a + b;
                    at += 2;
                    continue;
                }
                let whole = a + b + c + d + e;
                let centre = (before + a + b, *c);
                before += a + b + c + d;
                at += 4;
                if let Some(pattern) = self.located(centre, y, whole, &found, &bits) {
                    found.push(pattern);
                }
            }
        }
        (found, bits.into_inner().flatten())
    }

    /// The pattern whose centre has these pixels in a row.
    fn located(
        &self,
        (start, length): (usize, usize),
        y: usize,
        whole: usize,
        found: &[ConcentricPattern],
        bits: &OnceCell<Option<BitMatrix>>,
    ) -> Option<ConcentricPattern> {
        let middle = Point { x: real(start) + real(length) / 2.0, y: real(y) + 0.5 };
        let inside = |old: &ConcentricPattern| {
            let size = f32::from(u16::try_from(old.size).unwrap_or(u16::MAX));
            Point::distance(middle, old.p) < size / 2.0
        };
        if found.iter().any(inside) || !self.may_be_a_finder(start + length / 2, y, whole * STEP) {
            return None;
        }
        let bits = bits.get_or_init(|| self.bits()).as_ref()?;
        LocateConcentricPattern::<true, 5, 7>(bits, &[1, 1, 3, 1, 1], middle, i32::try_from(whole * STEP).ok()?)
    }

    /// Whether a line down, and one across its middle, has the pattern. What an edge of the picture cuts may be one.
    fn may_be_a_finder(&self, x: usize, y: usize, range: usize) -> bool {
        let (width, height) = (self.luma.width(), self.luma.height());
        let down = |far: isize| y.checked_add_signed(far).filter(|y| *y < height).map(|y| self.is_black(x, y));
        let Some([a, b, above, below, c, d]) = crossed(&down, range) else { return true };
        if !is_finder_across(a, b, (above + below).saturating_sub(1), c, d) {
            return false;
        }
        let Some(middle) = (y + (above + below - 1) / 2 + 1).checked_sub(above).filter(|y| *y < height) else {
            return true;
        };
        let across = |far: isize| x.checked_add_signed(far).filter(|x| *x < width).map(|x| self.is_black(x, middle));
        let Some([a, b, before, after, c, d]) = crossed(&across, range) else { return true };
        is_finder_across(a, b, (before + after).saturating_sub(1), c, d)
    }

    fn is_black(&self, x: usize, y: usize) -> bool {
        let shade = self.luma.pixels().get(y * self.luma.width() + x).copied().unwrap_or(u8::MAX);
        match self.threshold {
            Threshold::Whole(at) => (shade <= at) != self.inverted,
            Threshold::Blocks(blocks) => (if self.inverted { !shade } else { shade }) <= blocks.at(x, y),
        }
    }

    /// One for each pixel of a row that is black.
    fn blacken(&self, y: usize, row: &[u8], line: &mut Line) {
        let black = &mut line.black;
        black.clear();
        match (self.threshold, self.inverted) {
            (Threshold::Whole(at), false) => black.extend(row.iter().map(|&p| u8::from(p <= at))),
            (Threshold::Whole(at), true) => black.extend(row.iter().map(|&p| u8::from(p > at))),
            (Threshold::Blocks(blocks), inverted) => {
                if line.band != Some(y / SIDE) || blocks.overlaps(y) {
                    line.band = Some(y / SIDE);
                    blocks.line(y, &mut line.thresholds);
                }
                let both = row.iter().zip(&line.thresholds);
                if inverted {
                    black.extend(both.map(|(&p, &at)| u8::from(!p <= at)));
                } else {
                    black.extend(both.map(|(&p, &at)| u8::from(p <= at)));
                }
            }
        }
    }

    /// The whole view, a bit each pixel.
    fn bits(&self) -> Option<BitMatrix> {
        const BITS: usize = usize::BITS as usize;
        let (width, height) = (u32::try_from(self.luma.width()).ok()?, u32::try_from(self.luma.height()).ok()?);
        let mut matrix = BitMatrix::new(width, height).ok()?;
        let mut line = Line::default();
        for ((y, row), to) in self.luma.rows().enumerate().zip(0..height) {
            self.blacken(y, row, &mut line);
            let mut words = BitArray::with_size(self.luma.width());
            for (at, pixels) in line.black.chunks(BITS).enumerate() {
                let (eights, rest) = pixels.as_chunks::<8>();
                let mut word = 0_usize;
                for (place, eight) in eights.iter().enumerate() {
                    // Gathers the lowest bits of eight bytes.
                    let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                    word |= usize::try_from(byte).unwrap_or(0) << (place * 8);
                }
                let whole = eights.len() * 8;
                for (place, bit) in rest.iter().enumerate() {
                    word |= usize::from(*bit) << (whole + place);
                }
                words.setBulk(at * BITS, word);
            }
            matrix.setRow(to, &words);
        }
        Some(matrix)
    }
}

/// Where a row is worked on.
#[derive(Default)]
struct Line {
    black: Vec<u8>,
    runs: Vec<usize>,
    thresholds: Vec<u8>,
    /// Which row of blocks the thresholds are of.
    band: Option<usize>,
}

/// The lengths of five runs around a pixel, the middle one in two parts that share it: outer and inner before,
/// before and after the pixel, inner and outer after. `None` where the picture ends; zeros where a run is too long.
fn crossed(line: &dyn Fn(isize) -> Option<bool>, mut range: usize) -> Option<[usize; 6]> {
    let shade = line(0)?;
    let (mut before, mut after) = (0_isize, 0_isize);
    let step = |at: &mut isize, by: isize, shade: bool, range: usize| {
        let mut length = 0;
        loop {
            *at += by;
            length += 1;
            if length > range {
                return Some(0);
            }
            if line(*at)? != shade {
                return Some(length);
            }
        }
    };
    let mut lengths = [0; 6];
    let places = [
        (3, true, shade),
        (2, false, shade),
        (4, true, !shade),
        (1, false, !shade),
        (5, true, shade),
        (0, false, shade),
    ];
    for (count, (place, forward, shade)) in places.into_iter().enumerate() {
        let length = if forward { step(&mut after, 1, shade, range) } else { step(&mut before, -1, shade, range) }?;
        if length == 0 {
            return Some([0; 6]);
        }
        if let Some(to) = lengths.get_mut(place) {
            *to = length;
        }
        if count == 1 {
            let [_, _, above, below, ..] = lengths;
            range = range.saturating_sub(above + below - 1);
        } else if count > 1 {
            range = range.saturating_sub(length);
        }
    }
    Some(lengths)
}

fn is_finder_across(a: usize, b: usize, middle: usize, c: usize, d: usize) -> bool {
    a > 0 && super::runs::has_its_proportions([a, b, middle, c, d], None)
}

#[expect(clippy::cast_precision_loss, reason = "coordinates are far below 2^23")]
fn real(coordinate: usize) -> f32 {
    coordinate as f32
}

#[cfg(test)]
mod tests {
    use rxing::common::HybridBinarizer;
    use rxing::qrcode::cpp_port::detector::FindFinderPatterns;
    use rxing::{Binarizer as _, Luma8Source};
    use zeroize::Zeroizing;

    use super::*;

    /// What rxing has of pixels that are drawn.
    fn reference(luma: &Luma) -> (BitMatrix, Vec<ConcentricPattern>) {
        let (width, height) = (u32::try_from(luma.width()).unwrap(), u32::try_from(luma.height()).unwrap());
        let source = Luma8Source::new_with_slice(luma.pixels(), width, height).unwrap();
        let matrix = HybridBinarizer::new(source).get_black_matrix().unwrap().clone();
        let patterns = FindFinderPatterns(&matrix, true, 0);
        (matrix, patterns)
    }

    /// Finder patterns of many sizes, some cut by an edge, with noise, on shades that change.
    fn pictures() -> impl Iterator<Item = Luma> {
        (0..200_usize).map(|seed| {
            let mut state = u32::try_from(seed).unwrap().wrapping_mul(2_654_435_761).wrapping_add(1);
            let mut dice = move |below: usize| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                usize::try_from(state >> 8).unwrap() % below
            };
            let (width, height) = (40 + dice(200), 40 + dice(200));
            let (noise, slope) = ([0, 0, 20, 90][seed % 4], dice(100));
            let mut pixels: Vec<u8> =
                (0..width * height).map(|at| u8::try_from(255 - slope * (at % width) / width).unwrap()).collect();
            for _ in 0..12 {
                let (module, left, top) = (1 + dice(5), dice(width), dice(height));
                for (y, x) in (0..7 * module).flat_map(|y| (0..7 * module).map(move |x| (y, x))) {
                    let (column, row) = (x / module, y / module);
                    let edge = column.min(row).min(6 - column.max(row));
                    if left + x < width && top + y < height {
                        pixels[(top + y) * width + left + x] = if edge == 1 { 230 } else { 30 };
                    }
                }
            }
            for pixel in &mut pixels {
                *pixel = pixel.saturating_sub(u8::try_from(dice(noise + 1)).unwrap());
            }
            Luma::new(width, height, Zeroizing::new(pixels)).unwrap()
        })
    }

    #[test]
    fn bits_and_finder_patterns_are_those_of_rxing() {
        let mut all = 0;
        for (number, luma) in pictures().enumerate() {
            let blocks = Blocks::both(&luma).unwrap();
            for inverted in [false, true] {
                let drawn = if inverted { luma.inverted() } else { luma.clone() };
                let black_and_white = if inverted { luma.threshold(150).inverted() } else { luma.threshold(150) };
                let local = Shades::local(&luma, &blocks[usize::from(inverted)], inverted);
                for (shades, drawn) in [(local, drawn), (Shades::split(&luma, 150, inverted), black_and_white)] {
                    let (matrix, patterns) = reference(&drawn);
                    assert!(shades.bits().unwrap() == matrix, "{number} {inverted}");
                    let (found, _) = shades.finders(&|| false);
                    let plain = |found: &[ConcentricPattern]| -> Vec<_> {
                        found.iter().map(|it| (it.p.x.to_bits(), it.p.y.to_bits(), it.size)).collect()
                    };
                    assert_eq!(plain(&found), plain(&patterns), "{number} {inverted}");
                    for (y, x) in [(0, 0), (luma.height() - 1, luma.width() - 1), (luma.height() / 2, luma.width() - 3)]
                    {
                        let (column, row) = (u32::try_from(x).unwrap(), u32::try_from(y).unwrap());
                        assert_eq!(shades.is_black(x, y), matrix.get(column, row), "{number} {inverted} {x} {y}");
                    }
                    all += found.len();
                }
            }
        }
        assert!(all > 500, "{all}");
    }
}
