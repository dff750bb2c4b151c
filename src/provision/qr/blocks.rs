//! Local thresholds: one for each block of 8 × 8 pixels, of what is around it, as zxing-cpp has them.

#![expect(clippy::arithmetic_side_effects, reason = "sizes were checked against a limit, pixels are widened first")]

use super::luma::Luma;

/// The side of a block, in pixels.
pub(super) const SIDE: usize = 8;

/// Blocks around a block that count, to each side and itself.
const AROUND: usize = 5;

/// A picture must have as many blocks as that each way.
pub(super) const SMALLEST: usize = SIDE * AROUND;

/// A block of less contrast than that is of one colour.
const CONTRAST: u8 = 24;

/// Black up to the block's own shade. The last blocks of a row and column end where the picture does, so they may lie over
/// others: a pixel in two blocks is black if it is so in one.
pub(super) struct Blocks {
    width: usize,
    height: usize,
    wide: usize,
    thresholds: Vec<u8>,
}

impl Blocks {
    /// Of a picture as it is, and inverted; `None` where it is too small.
    pub(super) fn both(luma: &Luma) -> Option<[Self; 2]> {
        let (width, height) = (luma.width(), luma.height());
        if width < SMALLEST || height < SMALLEST {
            return None;
        }
        let (wide, high) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
        let of = |points: &[u8]| Self { width, height, wide, thresholds: averages(points, wide, high) };
        let tiles = tiles(luma, wide);
        let plain = points(&tiles, wide);
        let inverted: Vec<Tile> = tiles
            .into_iter()
            .map(|tile| Tile { mean: mean(SUM - tile.sum), sum: SUM - tile.sum, least: !tile.most, most: !tile.least })
            .collect();
        Some([of(&plain), of(&points(&inverted, wide))])
    }

    /// The shade up to which a pixel is black.
    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        let column = |bx: usize| {
            let row = |by: usize| self.thresholds.get(by * self.wide + bx).copied().unwrap_or(0);
            let at = row(y / SIDE);
            if self.overlaps(y) { at.max(row(self.height.div_ceil(SIDE) - 1)) } else { at }
        };
        let at = column(x / SIDE);
        if x + SIDE >= self.width { at.max(column(self.wide - 1)) } else { at }
    }

    /// Whether the last row of blocks lies over this row of pixels, too.
    pub(super) const fn overlaps(&self, y: usize) -> bool {
        y + SIDE >= self.height
    }

    /// The shades of a row of pixels.
    pub(super) fn line(&self, y: usize, thresholds: &mut Vec<u8>) {
        thresholds.clear();
        let row = |by: usize| self.thresholds.chunks_exact(self.wide).nth(by).unwrap_or_default();
        let (row, last) = (row(y / SIDE), row(self.height.div_ceil(SIDE) - 1));
        let overlap = self.overlaps(y);
        for (&at, &last) in row.iter().zip(last) {
            thresholds.extend([if overlap { at.max(last) } else { at }; SIDE]);
        }
        let corner = thresholds.last().copied().unwrap_or(0);
        thresholds.truncate(self.width);
        thresholds.iter_mut().rev().take(SIDE).for_each(|at| *at = (*at).max(corner));
    }
}

/// What is counted of a block.
#[derive(Clone, Copy)]
struct Tile {
    sum: u16,
    mean: u8,
    least: u8,
    most: u8,
}

/// The sum of a white block.
const SUM: u16 = 64 * 255;

fn mean(sum: u16) -> u8 {
    u8::try_from(sum / 64).unwrap_or(u8::MAX)
}

fn tiles(luma: &Luma, wide: usize) -> Vec<Tile> {
    let (width, height) = (luma.width(), luma.height());
    let high = height.div_ceil(SIDE);
    let mut tiles = Vec::with_capacity(wide * high);
    let (mut sums, mut least, mut most) = (vec![0_u16; width], vec![0_u8; width], vec![0_u8; width]);
    for band in 0..high {
        let top = (band * SIDE).min(height - SIDE);
        sums.fill(0);
        least.fill(u8::MAX);
        most.fill(0);
        for row in luma.rows().skip(top).take(SIDE) {
            sums.iter_mut().zip(row).for_each(|(sum, &p)| *sum += u16::from(p));
            least.iter_mut().zip(row).for_each(|(least, &p)| *least = p.min(*least));
            most.iter_mut().zip(row).for_each(|(most, &p)| *most = p.max(*most));
        }
        let tile = |((sums, least), most): ((&[u16; SIDE], &[u8; SIDE]), &[u8; SIDE])| {
            let sum = sums.iter().sum();
            let (least, most) = (least.iter().copied().min().unwrap_or(0), most.iter().copied().max().unwrap_or(0));
            Tile { sum, mean: mean(sum), least, most }
        };
        let (columns, rest) = sums.as_chunks();
        tiles.extend(columns.iter().zip(least.as_chunks().0).zip(most.as_chunks().0).map(tile));
        if !rest.is_empty()
            && let (Some(sums), Some(least), Some(most)) = (sums.last_chunk(), least.last_chunk(), most.last_chunk())
        {
            tiles.push(tile(((sums, least), most)));
        }
    }
    tiles
}

/// The point between black and white of each block. One of a single colour is taken for white, unless those before and above it
/// say otherwise.
fn points(tiles: &[Tile], wide: usize) -> Vec<u8> {
    let mut points: Vec<u8> = Vec::with_capacity(tiles.len());
    let mut above = vec![0_u8; wide];
    for (line, row) in tiles.chunks_exact(wide).enumerate() {
        let (mut left, mut left_above) = (0_u8, 0_u8);
        for (column, (tile, above)) in row.iter().zip(&mut above).enumerate() {
            let mut point = tile.mean;
            if tile.most - tile.least <= CONTRAST {
                point = tile.least / 2;
                if line > 0 && column > 0 {
                    let near = u16::from(*above) + 2 * u16::from(left) + u16::from(left_above);
                    let near = u8::try_from(near / 4).unwrap_or(u8::MAX);
                    if tile.least < near {
                        point = near;
                    }
                }
            }
            (left_above, left) = (*above, point);
            *above = point;
        }
        points.extend_from_slice(&above);
    }
    points
}

/// The mean of the blocks around each block; at the edges of the nearest that has all of them.
fn averages(points: &[u8], wide: usize, high: usize) -> Vec<u8> {
    const ALL: u16 = 25;
    let mut averages = Vec::with_capacity(points.len());
    let mut sums = vec![0_u16; wide];
    for line in 0..high {
        let top = line.clamp(2, high - 3) - 2;
        sums.fill(0);
        for row in points.chunks_exact(wide).skip(top).take(AROUND) {
            sums.iter_mut().zip(row).for_each(|(sum, &point)| *sum += u16::from(point));
        }
        let average = |five: &[u16]| u8::try_from(five.iter().sum::<u16>() / ALL).unwrap_or(u8::MAX);
        let (first, last) = (sums.get(..AROUND).map_or(0, average), sums.get(wide - AROUND..).map_or(0, average));
        averages.extend([first; 2]);
        averages.extend(sums.windows(AROUND).map(average));
        averages.extend([last; 2]);
    }
    averages
}
