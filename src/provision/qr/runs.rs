//! Runs of black and white in a row, and which five of them may cross a finder pattern (ISO/IEC 18004, section 6.3.3.1).

#![expect(clippy::arithmetic_side_effects, reason = "lengths within a picture whose size was checked")]

/// Lengths of the runs of a row of zeros (white) and ones (black): the first and the last are white, if of no pixel.
pub(super) fn runs(row: &[u8], lengths: &mut Vec<usize>) {
    const WIDE: usize = 32;
    lengths.clear();
    let mut start = 0;
    let mut last = 0_u8;
    let (chunks, rest) = row.as_chunks::<WIDE>();
    let mut turn = |at: usize| {
        lengths.push(at - start);
        start = at;
    };
    let mut at = 0;
    for chunk in chunks {
        // Most are of one colour.
        let sum: u8 = chunk.iter().sum();
        if usize::from(sum) != usize::from(last) * WIDE {
            let (eights, _) = chunk.as_chunks::<8>();
            for (place, eight) in eights.iter().enumerate() {
                let word = u64::from_le_bytes(*eight);
                let mut edges = word ^ (word << 8 | u64::from(last));
                while edges != 0 {
                    turn(at + place * 8 + usize::try_from(edges.trailing_zeros() / 8).unwrap_or(0));
                    edges &= edges - 1;
                }
                last = eight[7];
            }
        }
        at += WIDE;
    }
    for (place, &pixel) in rest.iter().enumerate() {
        if pixel != last {
            turn(at + place);
            last = pixel;
        }
    }
    turn(row.len());
    if last == 1 {
        lengths.push(0);
    }
}

/// Whether five runs may be a row through the middle of a finder pattern; with the light run before, where it isn't at
/// the edge.
pub(super) fn is_finder(five: [usize; 5], before: Option<usize>) -> bool {
    let [a, b, centre, c, d] = five;
    centre >= 3 && centre >= 2 * a.max(d) && centre >= b.max(c) && has_its_proportions(five, before)
}

/// Whether they are nearly as 1:1:3:1:1, black and white each by its own measure, since one may bleed into the other.
pub(super) fn has_its_proportions(five: [usize; 5], before: Option<usize>) -> bool {
    let [a, b, centre, c, d] = five.map(real);
    let (bar, space) = ((a + centre + d) / 5.0, (b + c) / 2.0);
    if bar.max(space) > 4.0 * bar.min(space) || before.is_some_and(|before| is_narrow(before, space)) {
        return false;
    }
    let (bar_off, space_off) = (bar * 0.75 + 0.5, space / 3.0 + 0.5);
    [a, d].into_iter().all(|run| (run - bar).abs() <= bar_off)
        && (centre - 3.0 * bar).abs() <= bar_off
        && [b, c].into_iter().all(|run| (run - space).abs() <= space_off)
}

/// Whether there is less than a tenth of a light module, in the reader's own precision.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as the reader does")]
fn is_narrow(before: usize, space: f64) -> bool {
    (before as f32) < 0.1 * space as f32
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn real(length: usize) -> f64 {
    length as f64
}
