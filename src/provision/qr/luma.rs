//! Images of one channel, and what is done to them before a reader looks.

#![expect(clippy::arithmetic_side_effects, reason = "sizes were checked against a limit, pixels are widened first")]

use std::iter;

use zeroize::Zeroizing;

/// One byte a pixel, row by row, black is 0. Wiped when dropped: it may show a secret.
#[derive(Clone)]
pub(super) struct Luma {
    width: usize,
    height: usize,
    pixels: Zeroizing<Vec<u8>>,
}

/// Fewer pixels than the 21 modules of a version 1 symbol (ISO/IEC 18004, section 6.1.1) show nothing.
const SMALLEST: usize = 21;

impl Luma {
    /// `None` where the number of pixels isn't width × height, or too few for any symbol.
    pub(super) fn new(width: usize, height: usize, pixels: Zeroizing<Vec<u8>>) -> Option<Self> {
        let fits = width >= SMALLEST && height >= SMALLEST && width.checked_mul(height) == Some(pixels.len());
        fits.then_some(Self { width, height, pixels })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator + Clone {
        self.pixels.chunks_exact(self.width)
    }

    /// The pixels of the same size through `f`.
    fn map(&self, f: impl Fn(u8) -> u8) -> Self {
        let pixels = Zeroizing::new(self.pixels.iter().map(|&p| f(p)).collect());
        Self { pixels, ..*self }
    }

    pub(super) fn inverted(&self) -> Self {
        self.map(|p| !p)
    }

    /// White above the threshold, black up to it.
    pub(super) fn threshold(&self, at: u8) -> Self {
        self.map(|p| if p > at { 255 } else { 0 })
    }

    /// Black and white by Otsu's threshold of the whole image.
    pub(super) fn otsu(&self) -> Self {
        self.threshold(self.otsus_threshold())
    }

    pub(super) fn otsus_threshold(&self) -> u8 {
        otsu_of(&self.histogram())
    }

    /// How many pixels there are of each shade. Counted in four tables, since a processor waits for a count that it has
    /// just changed.
    pub(super) fn histogram(&self) -> [u64; 256] {
        let mut tables = [[0_u32; 256]; 4];
        let (fours, rest) = self.pixels.as_chunks::<4>();
        for four in fours {
            for (table, &shade) in tables.iter_mut().zip(four) {
                if let Some(count) = table.get_mut(usize::from(shade)) {
                    *count += 1;
                }
            }
        }
        let mut histogram = histogram(rest.iter());
        for table in &tables {
            histogram.iter_mut().zip(table).for_each(|(sum, &count)| *sum += u64::from(count));
        }
        histogram
    }

    /// Black and white by a threshold for each tile; a tile of nearly one shade takes the image's.
    pub(super) fn otsu_in_tiles(&self) -> Self {
        const TILES: usize = 8;
        const FLAT: u8 = 24;
        let whole = self.otsus_threshold();
        let (wide, high) = (self.width.div_ceil(TILES), self.height.div_ceil(TILES));
        let mut pixels = Zeroizing::new(self.pixels.to_vec());
        for band in pixels.chunks_mut(self.width * high) {
            let thresholds: Vec<u8> = (0..TILES)
                .map(|tile| {
                    let tile = || band.chunks(self.width).flat_map(|row| row.iter().skip(tile * wide).take(wide));
                    let (least, most) = tile().fold((255, 0), |(l, m), &p| (p.min(l), p.max(m)));
                    if most.saturating_sub(least) < FLAT { whole } else { otsu(tile()) }
                })
                .collect();
            for row in band.chunks_mut(self.width) {
                for (tile, &at) in row.chunks_mut(wide).zip(&thresholds) {
                    tile.iter_mut().for_each(|p| *p = if *p > at { 255 } else { 0 });
                }
            }
        }
        Self { pixels, ..*self }
    }

    /// A pixel for the mean of each `by` × `by`; a rest at the edges falls away.
    pub(super) fn shrunk(&self, by: usize) -> Option<Self> {
        let (width, height) = (self.width / by, self.height / by);
        let area = u32::try_from(by * by).ok()?;
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        let mut sums = Zeroizing::new(vec![0_u16; self.width]);
        for band in self.pixels.chunks_exact(self.width * by) {
            sums.fill(0);
            for row in band.chunks_exact(self.width) {
                sums.iter_mut().zip(row).for_each(|(sum, &p)| *sum += u16::from(p));
            }
            match by {
                // As constants, which is several times as quick.
                2 => pixels.extend(sums.as_chunks::<2>().0.iter().map(|[a, b]| byte(u32::from(a + b) / 4))),
                3 => pixels.extend(sums.as_chunks::<3>().0.iter().map(|[a, b, c]| byte(u32::from(a + b + c) / 9))),
                4 => pixels
                    .extend(sums.as_chunks::<4>().0.iter().map(|[a, b, c, d]| byte(u32::from(a + b + c + d) / 16))),
                _ => pixels.extend(
                    sums.chunks_exact(by)
                        .map(|block| byte(block.iter().map(|&sum| u32::from(sum)).sum::<u32>() / area)),
                ),
            }
        }
        Self::new(width, height, pixels)
    }

    /// Twice as wide and high, straight lines between the pixels.
    pub(super) fn doubled(&self) -> Option<Self> {
        let mix = |near: u8, far: u8| byte((3 * u32::from(near) + u32::from(far) + 2) / 4);
        let mut tall = Zeroizing::new(Vec::with_capacity(self.pixels.len() * 2));
        for (above, row, below) in self.row_triples() {
            tall.extend(row.iter().zip(above).map(|(&near, &far)| mix(near, far)));
            tall.extend(row.iter().zip(below).map(|(&near, &far)| mix(near, far)));
        }
        let mut pixels = Zeroizing::new(Vec::with_capacity(tall.len() * 2));
        for row in tall.chunks_exact(self.width) {
            across(row, |left, pixel, right| pixels.extend([mix(pixel, left), mix(pixel, right)]));
        }
        Self::new(self.width * 2, self.height * 2, pixels)
    }

    /// A white frame around it, for symbols without a quiet zone.
    pub(super) fn framed(&self, border: usize) -> Option<Self> {
        let (width, height) = (self.width + 2 * border, self.height + 2 * border);
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        pixels.extend(iter::repeat_n(255, width * border));
        for row in self.rows() {
            pixels.extend(iter::repeat_n(255, border));
            pixels.extend_from_slice(row);
            pixels.extend(iter::repeat_n(255, border));
        }
        pixels.extend(iter::repeat_n(255, width * border));
        Self::new(width, height, pixels)
    }

    /// The lightest of nine: white grows by a pixel, which thins bled ink and joins dotted white.
    pub(super) fn white_dilated(&self) -> Self {
        self.neighbours(|a, b, c| a.max(b).max(c))
    }

    /// The darkest of nine: black grows by a pixel, which joins dotted styles and lines of a terminal.
    pub(super) fn black_dilated(&self) -> Self {
        self.neighbours(|a, b, c| a.min(b).min(c))
    }

    /// The middle of nine: takes specks away.
    pub(super) fn median(&self) -> Self {
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.pixels.len()));
        let mut columns = Zeroizing::new(Vec::with_capacity(self.width));
        for (above, row, below) in self.row_triples() {
            columns.clear();
            columns.extend(above.iter().zip(row).zip(below).map(|((&a, &b), &c)| sorted(a, b, c)));
            across(&columns, |[a0, a1, a2], [b0, b1, b2], [c0, c1, c2]| {
                let [_, low, _] = sorted(a0.max(b0).max(c0), sorted(a1, b1, c1)[1], a2.min(b2).min(c2));
                pixels.push(low);
            });
        }
        Self { pixels, ..*self }
    }

    /// The middle of three across, then of three down: leaves more of thin lines than [`Self::median`].
    pub(super) fn median_across_and_down(&self) -> Self {
        self.neighbours(|a, b, c| sorted(a, b, c)[1])
    }

    /// Dark lines across of fewer pixels than two `rounds` and one are painted over: the gaps between the lines of a
    /// terminal.
    pub(super) fn closed_down(&self, rounds: usize) -> Self {
        let lightest = |a: u8, b: u8, c: u8| a.max(b).max(c);
        let darkest = |a: u8, b: u8, c: u8| a.min(b).min(c);
        let mut closed = self.down(lightest);
        for _ in 1..rounds {
            closed = closed.down(lightest);
        }
        for _ in 0..rounds {
            closed = closed.down(darkest);
        }
        closed
    }

    /// Three means of a square of two `radius` and one a side: nearly a Gaussian, at one price for all radii. It joins
    /// what characters and gaps leave apart.
    pub(super) fn smoothed(&self, radius: usize) -> Self {
        let mut smooth = self.mean(radius);
        for _ in 1..3 {
            smooth = smooth.mean(radius);
        }
        smooth
    }

    /// The mean of a square around each pixel; edges repeat. First across, then down, by sums of words of two bytes,
    /// of which processors add many at once.
    fn mean(&self, radius: usize) -> Self {
        let wide = 2 * radius + 1;
        // Rounded up, so that white stays white.
        let share = u32::try_from(65_536_usize.div_ceil(wide)).unwrap_or(u32::MAX);
        let mean = |sum: u16| byte((u32::from(sum) * share) >> 16);
        let mut across = Zeroizing::new(Vec::with_capacity(self.pixels.len()));
        let (mut row_sums, mut padded) = (Zeroizing::new(vec![0_u16; self.width]), Zeroizing::new(Vec::new()));
        for row in self.rows() {
            let (first, last) = (row.first().copied().unwrap_or(0), row.last().copied().unwrap_or(0));
            padded.clear();
            padded.resize(radius, first);
            padded.extend_from_slice(row);
            padded.resize(self.width + 2 * radius, last);
            row_sums.fill(0);
            for shift in 0..wide {
                let shifted = padded.get(shift..).unwrap_or_default();
                row_sums.iter_mut().zip(shifted).for_each(|(sum, &p)| *sum += u16::from(p));
            }
            across.extend(row_sums.iter().map(|&sum| mean(sum)));
        }
        let across = Self { pixels: across, ..*self };
        let (Some(first), Some(last)) = (across.rows().next(), across.rows().last()) else { return across };
        let coming = || across.rows().chain(iter::repeat(last));
        let going = iter::repeat_n(first, radius + 1).chain(across.rows());
        let mut sums = row_sums;
        sums.fill(0);
        for row in iter::repeat_n(first, radius + 1).chain(coming().take(radius)) {
            sums.iter_mut().zip(row).for_each(|(sum, &p)| *sum += u16::from(p));
        }
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.pixels.len()));
        for (new, old) in coming().skip(radius).zip(going).take(self.height) {
            let change = new.iter().zip(old);
            sums.iter_mut().zip(change).for_each(|(sum, (&new, &old))| *sum = *sum + u16::from(new) - u16::from(old));
            pixels.extend(sums.iter().map(|&sum| mean(sum)));
        }
        Self { pixels, ..across }
    }

    /// Binomial blur, 3 × 3.
    fn blurred(&self) -> Self {
        self.neighbours(|a, b, c| byte((u32::from(a) + 2 * u32::from(b) + u32::from(c) + 2) / 4))
    }

    /// Edges sharpened: what a blur of this many rounds takes away is added `strength` times.
    pub(super) fn unsharp(&self, rounds: usize, strength: i32) -> Self {
        let mut blurred = self.blurred();
        for _ in 1..rounds {
            blurred = blurred.blurred();
        }
        let sharper = self.pixels.iter().zip(blurred.pixels.iter()).map(|(&p, &b)| {
            let (p, b) = (i32::from(p), i32::from(b));
            u8::try_from((p + strength * (p - b)).clamp(0, 255)).unwrap_or(u8::MAX)
        });
        Self { pixels: Zeroizing::new(sharper.collect()), ..*self }
    }

    /// Each pixel with the one before and the one after it, first across, then down; edges repeat.
    fn neighbours(&self, f: impl Fn(u8, u8, u8) -> u8) -> Self {
        let mut wide = Zeroizing::new(Vec::with_capacity(self.pixels.len()));
        for row in self.rows() {
            let (middle, right) = (row.get(1..).unwrap_or_default(), row.get(2..).unwrap_or_default());
            if let [first, second, ..] = *row {
                wide.push(f(first, first, second));
            }
            wide.extend(row.iter().zip(middle).zip(right).map(|((&a, &b), &c)| f(a, b, c)));
            if let [.., before, last] = *row {
                wide.push(f(before, last, last));
            }
        }
        Self { pixels: wide, ..*self }.down(f)
    }

    /// Each pixel with the one above and the one below it; edges repeat.
    fn down(&self, f: impl Fn(u8, u8, u8) -> u8) -> Self {
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.pixels.len()));
        for (above, row, below) in self.row_triples() {
            pixels.extend(above.iter().zip(row).zip(below).map(|((&a, &b), &c)| f(a, b, c)));
        }
        Self { pixels, ..*self }
    }

    /// Each row with the ones above and below it; edges repeat.
    fn row_triples(&self) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
        let above = self.rows().take(1).chain(self.rows());
        let below = self.rows().skip(1).chain(self.rows().skip(self.height.saturating_sub(1)));
        above.zip(self.rows()).zip(below).map(|((above, row), below)| (above, row, below))
    }
}

/// Each pixel of a row with its neighbours; edges repeat.
fn across<T: Copy>(row: &[T], mut f: impl FnMut(T, T, T)) {
    if let [first, second, ..] = row {
        f(*first, *first, *second);
    }
    for window in row.windows(3) {
        if let [left, pixel, right] = window {
            f(*left, *pixel, *right);
        }
    }
    if let [.., before, last] = row {
        f(*before, *last, *last);
    }
}

/// Three shades, the darkest first.
fn sorted(a: u8, b: u8, c: u8) -> [u8; 3] {
    let (low, high) = (a.min(b), a.max(b));
    [low.min(c), low.max(high.min(c)), high.max(c)]
}

/// How many pixels there are of each shade.
fn histogram<'a>(pixels: impl Iterator<Item = &'a u8>) -> [u64; 256] {
    let mut histogram = [0_u64; 256];
    for &pixel in pixels {
        if let Some(count) = histogram.get_mut(usize::from(pixel)) {
            *count += 1;
        }
    }
    histogram
}

/// Otsu's threshold: the one with the largest variance between the two classes.
fn otsu<'a>(pixels: impl Iterator<Item = &'a u8>) -> u8 {
    otsu_of(&histogram(pixels))
}

fn otsu_of(histogram: &[u64; 256]) -> u8 {
    let shades = || (0..=u8::MAX).zip(*histogram);
    let (all, sum) = shades().fold((0, 0), |(all, sum), (shade, count)| (all + count, sum + u64::from(shade) * count));
    let (mut below, mut below_sum) = (0_u64, 0_u64);
    let (mut best, mut most) = (127, 0.0);
    for (shade, count) in shades() {
        below += count;
        below_sum += u64::from(shade) * count;
        let above = all - below;
        if below == 0 || above == 0 {
            continue;
        }
        let apart = real(below_sum) / real(below) - real(sum - below_sum) / real(above);
        let variance = real(below) * real(above) * apart * apart;
        if variance > most {
            (best, most) = (shade, variance);
        }
    }
    best
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

fn byte(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Luma {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| u8::try_from((x * 3 + y) % 256).unwrap()));
        Luma::new(width, height, Zeroizing::new(pixels.collect())).unwrap()
    }

    #[test]
    fn an_image_too_small_for_any_symbol_is_none() {
        assert!(Luma::new(20, 100, Zeroizing::new(vec![0; 2000])).is_none());
        assert!(Luma::new(21, 21, Zeroizing::new(vec![0; 440])).is_none());
        assert!(Luma::new(21, 21, Zeroizing::new(vec![0; 441])).is_some());
    }

    #[test]
    fn every_operation_keeps_as_many_pixels_as_it_announces() {
        for (width, height) in [(21, 21), (64, 43), (101, 30), (22, 199)] {
            let image = ramp(width, height);
            let same = [
                image.inverted(),
                image.otsu(),
                image.otsu_in_tiles(),
                image.white_dilated(),
                image.black_dilated(),
                image.median(),
                image.unsharp(2, 2),
            ];
            for (at, after) in same.iter().enumerate() {
                assert_eq!((after.width, after.height, after.pixels.len()), (width, height, width * height), "{at}");
            }
            assert_eq!(image.doubled().unwrap().pixels.len(), width * height * 4);
            assert_eq!(image.framed(5).unwrap().pixels.len(), (width + 10) * (height + 10));
            assert_eq!(image.shrunk(2).is_some(), width >= 42 && height >= 42);
        }
    }

    #[test]
    fn shrinking_takes_the_mean_and_dilating_the_extreme() {
        let stripes = (0..50 * 50).map(|at| if at % 2 == 0 { 0 } else { 200 }).collect();
        let stripes = Luma::new(50, 50, Zeroizing::new(stripes)).unwrap();
        assert!(stripes.shrunk(2).unwrap().pixels.iter().all(|&p| p == 100));
        assert!(stripes.white_dilated().pixels.iter().all(|&p| p == 200));
        assert!(stripes.black_dilated().pixels.iter().all(|&p| p == 0));
    }

    #[test]
    fn otsu_parts_two_heaps() {
        let heaps = [[10_u8; 300].as_slice(), &[12; 300], &[90; 200], &[95; 100]].concat();
        assert_eq!(otsu(heaps.iter()), 12);
    }

    #[test]
    fn the_median_takes_a_speck_away() {
        let mut pixels = vec![255; 30 * 30];
        pixels[15 * 30 + 15] = 0;
        let speck = Luma::new(30, 30, Zeroizing::new(pixels)).unwrap();
        assert!(speck.median().pixels.iter().all(|&p| p == 255));
    }
}
