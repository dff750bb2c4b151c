//! Drawing QR codes (ISO/IEC 18004) of key URIs, for a terminal, as PNG and as SVG.

mod png;

use std::fmt;

use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// A URI as the modules of a QR code.
///
/// Twice: a terminal has few lines, so it gets error correction level L; an image is printed and
/// photographed, so it gets M where the URI isn't too long for that.
pub struct Drawing {
    terminal: Modules,
    image: Modules,
}

/// Why a URI isn't drawn. Never holds any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Other characters are read differently by different readers: percent-encode them.
    #[error("the URI has characters that are not ASCII")]
    NotAscii,
    /// Version 40 at level L holds 2,953 bytes.
    #[error("the URI has {bytes} bytes, too many for a QR code")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// No pixels, or more than any printer has.
    #[error("a module of {pixels} pixels is not between 1 and {most}")]
    Scale {
        /// As asked for.
        pixels: u32,
        /// The limit.
        most: u32,
    },
    /// What the encoder says.
    #[error("the PNG can't be written: {reason}")]
    Png {
        /// Its words.
        reason: String,
    },
}

/// The quiet zone that ISO/IEC 18004, section 5.3.8, asks for.
const QUIET: usize = 4;

impl Drawing {
    /// The quiet zone of a terminal, in modules: both colours are painted, so that two part the code from anything
    /// else. With the four of an image, hardly a code would fit 24 lines.
    pub const QUIET: usize = 2;

    /// The quiet zone of a terminal that is too small for two: one is read by most, none on black by nobody.
    pub const LEAST_QUIET: usize = 1;

    /// The largest module of a PNG, in pixels.
    pub const MOST_PIXELS: u32 = 64;

    /// Encodes a URI of ASCII characters.
    ///
    /// # Errors
    ///
    /// [`Error::NotAscii`], [`Error::TooLong`].
    pub fn new(uri: &str) -> Result<Self, Error> {
        if !uri.is_ascii() {
            return Err(Error::NotAscii);
        }
        let terminal = Modules::new(uri, EcLevel::L)?;
        let image = Modules::new(uri, EcLevel::M).or_else(|_| Modules::new(uri, EcLevel::L))?;
        Ok(Self { terminal, image })
    }

    /// Lines of half blocks, two rows of modules each, with this many light modules around; ends with a line feed.
    ///
    /// With `colours`, black on white is painted by ANSI escapes, in any colours of the terminal.
    /// Without, blocks are the light modules: right for a terminal of light text on a dark
    /// background, inverted on others, which many readers take as well.
    #[must_use]
    pub fn to_terminal(&self, colours: bool, quiet: usize) -> Zeroizing<String> {
        const PAINT: &str = "\x1b[30;47m";
        const RESET: &str = "\x1b[0m";
        let rows: Vec<_> = self.terminal.rows(quiet).collect();
        // Three bytes a block; never grown, so that nothing is left behind unwiped.
        let line =
            rows.len().saturating_mul(3).saturating_add(PAINT.len()).saturating_add(RESET.len()).saturating_add(1);
        let mut text = Zeroizing::new(String::with_capacity(rows.len().saturating_mul(line)));
        for pair in rows.chunks(2) {
            let (upper, lower) = match pair {
                [upper, lower] => (upper, Some(lower)),
                [upper] => (upper, None),
                _ => continue,
            };
            text.push_str(if colours { PAINT } else { "" });
            for (at, &above) in upper.iter().enumerate() {
                let below = lower.and_then(|lower| lower.get(at)).copied().unwrap_or(false);
                // A block is dark ink on painted white, or light ink on a dark terminal.
                text.push(match (above == colours, below == colours) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str(if colours { RESET } else { "" });
            text.push('\n');
        }
        text
    }

    /// How many columns and lines [`Self::to_terminal`] takes.
    #[must_use]
    pub fn terminal_size(&self, quiet: usize) -> (usize, usize) {
        let side = self.terminal.side.saturating_add(quiet.saturating_mul(2));
        (side, side.div_ceil(2))
    }

    /// How many modules an image has on each side, the quiet zone included.
    #[must_use]
    pub fn side(&self) -> u32 {
        u32::try_from(self.image.side.saturating_add(QUIET.saturating_mul(2))).unwrap_or(u32::MAX)
    }

    /// A grey PNG of one byte a pixel, with the full quiet zone.
    ///
    /// # Errors
    ///
    /// [`Error::Scale`] outside 1 to [`Drawing::MOST_PIXELS`].
    pub fn to_png(&self, pixels_per_module: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        Self::grid_to_png(std::slice::from_ref(self), 1, pixels_per_module)
    }

    /// An SVG document: a white square and a path, a unit a module, with the full quiet zone.
    #[must_use]
    pub fn to_svg(&self) -> Zeroizing<String> {
        let rows: Vec<_> = self.image.rows(QUIET).collect();
        let side = rows.len();
        let mut path = Zeroizing::new(String::with_capacity(side.saturating_mul(side).saturating_mul(12)));
        for (y, row) in rows.iter().enumerate() {
            let mut x = 0_usize;
            for run in row.chunk_by(|a, b| a == b) {
                if run.first() == Some(&true) {
                    let wide = run.len();
                    path.push_str(&Zeroizing::new(format!("M{x} {y}h{wide}v1h-{wide}z")));
                }
                x = x.saturating_add(run.len());
            }
        }
        Zeroizing::new(format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">"#,
                "\n",
                r##"<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/>"##,
                "\n",
                r##"<path fill="#000" d="{path}"/>"##,
                "\n</svg>\n"
            ),
            side = side,
            path = path.as_str(),
        ))
    }
}

impl fmt::Debug for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drawing").field("modules", &self.image.side).finish_non_exhaustive()
    }
}

/// A square of modules; `true` is dark.
struct Modules {
    side: usize,
    dark: Zeroizing<Vec<bool>>,
}

impl Modules {
    fn new(uri: &str, level: EcLevel) -> Result<Self, Error> {
        let code = QrCode::with_error_correction_level(uri, level).map_err(|error| match error {
            QrError::InvalidCharacter => Error::NotAscii,
            _ => Error::TooLong { bytes: uri.len() },
        })?;
        let side = code.width();
        let dark = code.into_colors().into_iter().map(|colour| colour == Color::Dark).collect();
        Ok(Self { side, dark: Zeroizing::new(dark) })
    }

    /// With this many light modules around.
    fn rows(&self, quiet: usize) -> impl Iterator<Item = Zeroizing<Vec<bool>>> {
        let wide = self.side.saturating_add(quiet.saturating_mul(2));
        let light = move || std::iter::repeat_with(move || Zeroizing::new(vec![false; wide])).take(quiet);
        let modules = self.dark.chunks(self.side.max(1)).map(move |row| {
            let edge = || std::iter::repeat_n(false, quiet);
            Zeroizing::new(edge().chain(row.iter().copied()).chain(edge()).collect())
        });
        light().chain(modules).chain(light())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, qr};
    use super::*;

    const AWS: &str = "otpauth://totp/Amazon%20Web%20Services:mfauser@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Amazon%20Web%20Services";

    #[test]
    fn a_png_is_read_back() {
        for pixels in [1, 3, 8] {
            let png = Drawing::new(AWS).unwrap().to_png(pixels).unwrap();
            let read = qr::payloads(&png, &Limits::default()).unwrap();
            assert_eq!(read.iter().map(|text| text.as_str()).collect::<Vec<_>>(), [AWS], "{pixels}");
        }
    }

    #[test]
    fn an_aws_uri_fits_a_terminal_of_80_by_24() {
        let drawing = Drawing::new(AWS).unwrap();
        let plain = drawing.to_terminal(false, Drawing::LEAST_QUIET);
        assert_eq!(plain.lines().count(), 24);
        assert!(plain.lines().all(|line| line.chars().count() == 47));
        for quiet in [Drawing::LEAST_QUIET, Drawing::QUIET] {
            let plain = drawing.to_terminal(false, quiet);
            let size = (plain.lines().next().unwrap().chars().count(), plain.lines().count());
            assert_eq!(drawing.terminal_size(quiet), size);
        }
        assert!(!plain.contains('\x1b'));
    }

    #[test]
    fn with_colours_every_line_paints_both_and_resets() {
        let drawing = Drawing::new(AWS).unwrap();
        let painted = drawing.to_terminal(true, 1);
        assert!(painted.lines().all(|line| line.starts_with("\x1b[30;47m") && line.ends_with("\x1b[0m")));
        let inverse = |block| match block {
            '█' => ' ',
            ' ' => '█',
            '▀' => '▄',
            _ => '▀',
        };
        for (painted, plain) in painted.lines().zip(drawing.to_terminal(false, 1).lines()) {
            let blocks = painted.trim_start_matches("\x1b[30;47m").trim_end_matches("\x1b[0m");
            assert_eq!(blocks.chars().map(inverse).collect::<String>(), plain);
        }
    }

    #[test]
    fn the_short_form_of_an_aws_uri_leaves_a_line_for_the_prompt() {
        let enrolment = crate::provision::uri::parse(AWS).unwrap().enrolments.remove(0);
        let short = crate::provision::uri::format_short(&enrolment);
        let drawing = Drawing::new(&short).unwrap();
        assert!(drawing.terminal_size(Drawing::QUIET).1 < 24, "with the full margin of a terminal");
        let read = qr::payloads(&drawing.to_png(4).unwrap(), &Limits::default()).unwrap();
        assert_eq!(crate::provision::uri::parse(&read[0]).unwrap().enrolments, [enrolment]);
    }

    #[test]
    fn half_blocks_painted_as_pixels_are_read_back() {
        let painted = Drawing::new(AWS).unwrap().to_terminal(true, 1);
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for line in painted.lines() {
            let blocks = line.trim_start_matches("\x1b[30;47m").trim_end_matches("\x1b[0m");
            rows.push(blocks.chars().map(|block| "█▀".contains(block)).collect());
            rows.push(blocks.chars().map(|block| "█▄".contains(block)).collect());
        }
        // Cells of 8 × 16 on a black terminal.
        let (width, height) = (47 * 8 + 80, 48 * 8 + 80);
        let mut rgba = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let module = |at: usize| at.checked_sub(40).map(|at| at / 8);
                let dark = module(y).zip(module(x)).and_then(|(y, x)| rows.get(y)?.get(x).copied()).unwrap_or(true);
                let shade = if dark { 0 } else { 205 };
                rgba.extend([shade, shade, shade, 255]);
            }
        }
        let (width, height) = (u32::try_from(width).unwrap(), u32::try_from(height).unwrap());
        let read = qr::payloads_of_rgba(width, height, &rgba, &Limits::default()).unwrap();
        assert_eq!(read.first().map(|text| text.as_str()), Some(AWS));
    }

    #[test]
    fn an_svg_is_well_formed_and_has_every_dark_module() {
        let drawing = Drawing::new(AWS).unwrap();
        let svg = drawing.to_svg();
        let mut reader = quick_xml::Reader::from_str(&svg);
        let mut paths = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Empty(path) => {
                    paths.push(path.try_get_attribute("d").unwrap().unwrap().value.len());
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(paths.len(), 2);
        let side = drawing.image.side + 2 * QUIET;
        assert!(svg.contains(&format!(r#"viewBox="0 0 {side} {side}""#)));
        let (_, path) = svg.split_once("#000").unwrap();
        let runs: usize = path.split('h').filter_map(|run| run.split_once('v')?.0.parse::<usize>().ok()).sum();
        assert_eq!(runs, drawing.image.dark.iter().filter(|&&dark| dark).count());
    }

    #[test]
    fn what_cannot_be_drawn_is_told_without_its_text() {
        assert_eq!(Drawing::new("otpauth://totp/かな").unwrap_err(), Error::NotAscii);
        assert_eq!(Drawing::new(&"a".repeat(3000)).unwrap_err(), Error::TooLong { bytes: 3000 });
        assert!(Drawing::new(&"a".repeat(2900)).is_ok(), "level M holds less, L holds it");
        let drawing = Drawing::new(AWS).unwrap();
        assert!(matches!(drawing.to_png(0), Err(Error::Scale { pixels: 0, .. })));
        assert!(matches!(drawing.to_png(u32::MAX), Err(Error::Scale { .. })));
        assert!(!format!("{drawing:?}").contains("secret"));
    }
}
