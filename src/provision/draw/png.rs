//! QR codes as PNG: one, or several in a grid.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use zeroize::Zeroizing;

use super::{Drawing, Error, QUIET};

impl Drawing {
    /// A grey PNG of several codes in a number of columns, each in the middle of a square that is as large as the
    /// largest of them with its quiet zone. All pixels are in memory, so the caller bounds how many codes there are.
    ///
    /// # Errors
    ///
    /// As [`Drawing::to_png`]; [`Error::Png`] for no codes at all.
    pub(crate) fn grid_to_png(
        drawings: &[Self],
        columns: usize,
        pixels_per_module: u32,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let scale = Error::Scale { pixels: pixels_per_module, most: Self::MOST_PIXELS };
        if !(1..=Self::MOST_PIXELS).contains(&pixels_per_module) {
            return Err(scale);
        }
        let times = usize::try_from(pixels_per_module).map_err(|_| scale)?;
        let columns = columns.clamp(1, drawings.len().max(1));
        let largest = drawings.iter().map(|drawing| drawing.image.side).max().unwrap_or_default();
        let square = largest.saturating_add(QUIET.saturating_mul(2));
        let wide = square.saturating_mul(columns).saturating_mul(times);
        let high = square.saturating_mul(drawings.len().div_ceil(columns)).saturating_mul(times);

        let mut pixels = Zeroizing::new(Vec::with_capacity(wide.saturating_mul(high)));
        let mut line = Zeroizing::new(Vec::with_capacity(wide));
        for beside in drawings.chunks(columns) {
            // The side of a code is an odd number, so that the squares are full.
            let around = |drawing: &Self| square.saturating_sub(drawing.image.side) / 2;
            let mut codes: Vec<_> = beside.iter().map(|drawing| drawing.image.rows(around(drawing))).collect();
            for _ in 0..square {
                line.clear();
                for row in codes.iter_mut().filter_map(Iterator::next) {
                    let shades = row.iter().map(|&dark| if dark { 0 } else { u8::MAX });
                    line.extend(shades.flat_map(|shade| std::iter::repeat_n(shade, times)));
                }
                line.resize(wide, u8::MAX);
                (0..times).for_each(|_| pixels.extend_from_slice(&line));
            }
        }
        let too_large = |_| Error::Png { reason: "it is too large".to_owned() };
        let (wide, high) = (u32::try_from(wide).map_err(too_large)?, u32::try_from(high).map_err(too_large)?);
        let mut png = Zeroizing::new(Vec::new());
        PngEncoder::new(&mut *png)
            .write_image(&pixels, wide, high, ExtendedColorType::L8)
            .map_err(|error| Error::Png { reason: error.to_string() })?;
        Ok(png)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Limits, qr};
    use super::*;

    #[test]
    fn codes_of_different_sizes_are_read_from_a_grid() {
        let text = |number: usize| {
            let secret = "MFRGGZDFMZTWQ2LK".repeat(1 + number % 3);
            format!("otpauth://totp/user{number}?secret={secret}")
        };
        let texts: Vec<String> = (0..7).map(text).collect();
        let drawings: Vec<Drawing> = texts.iter().map(|text| Drawing::new(text).unwrap()).collect();
        let png = Drawing::grid_to_png(&drawings, 3, 4).unwrap();
        let mut read: Vec<String> =
            qr::payloads(&png, &Limits::default()).unwrap().iter().map(|text| text.as_str().to_owned()).collect();
        read.sort();
        assert_eq!(read, texts);
    }

    #[test]
    fn no_codes_are_no_picture() {
        assert!(matches!(Drawing::grid_to_png(&[], 3, 4), Err(Error::Png { .. })));
    }
}
