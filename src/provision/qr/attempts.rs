//! The ladder of attempts: which views of a picture are shown to which reader, in which order.
//!
//! No single binarization reads what people have: dark pages, scaled screenshots, photographs,
//! dotted styles. [`STAGES`] is the whole of it; a new attempt is a line there.

use std::borrow::Cow;
use std::collections::HashSet;

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source};
use zeroize::Zeroizing;

use super::load::Picture;
use super::luma::Luma;

/// A view of a picture for a reader; `None` where it makes no sense for this picture.
type View = fn(&Picture) -> Option<Cow<'_, Luma>>;

/// One look at a picture.
pub(super) struct Attempt {
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the table, and tests"))]
    pub(super) name: &'static str,
    view: View,
    reader: fn(&Luma) -> Vec<Find>,
}

const fn attempt(name: &'static str, view: View) -> Attempt {
    Attempt { name, view, reader: rxing }
}

const fn last_resort(name: &'static str, view: View) -> Attempt {
    Attempt { name, view, reader: rqrr }
}

/// Stages in order; all attempts of a stage are made before it is asked whether more is needed.
/// Cheap and likely first: four of five images end with the first stage.
pub(super) const STAGES: &[&[Attempt]] = &[
    &[
        attempt("original", |p| as_is(&p.luma)),
        attempt("inverted", |p| own(p.luma.inverted())),
        attempt("÷2", |p| smaller(&p.luma, 2)),
        attempt("÷2 inverted", |p| smaller(&p.luma, 2).map(inverted)),
    ],
    &[
        attempt("otsu", |p| own(p.luma.otsu())),
        attempt("otsu inverted", |p| own(p.luma.otsu().inverted())),
        attempt("÷2 unsharp", |p| own(p.luma.shrunk(2)?.unsharp(1, 2))),
        attempt("÷3", |p| smaller(&p.luma, 3)),
        attempt("÷4 inverted", |p| smaller(&p.luma, 4).map(inverted)),
    ],
    &[
        attempt("×2 unsharp", |p| own(larger(&p.luma)?.unsharp(2, 2))),
        attempt("×2 unsharp inverted", |p| own(larger(&p.luma)?.unsharp(2, 2).inverted())),
        attempt("threshold 208", |p| own(p.luma.threshold(208))),
        attempt("threshold 160", |p| own(p.luma.threshold(160))),
        attempt("threshold 12", |p| own(p.luma.threshold(12))),
        attempt("white dilated twice", |p| own(p.luma.white_dilated().white_dilated())),
        attempt("black dilated", |p| own(p.luma.black_dilated())),
    ],
    &[
        attempt("white dilated", |p| own(p.luma.white_dilated())),
        attempt("white dilated inverted", |p| own(p.luma.white_dilated().inverted())),
        attempt("black dilated inverted", |p| own(p.luma.black_dilated().inverted())),
        attempt("black dilated twice", |p| own(p.luma.black_dilated().black_dilated())),
        attempt("÷4 unsharp", |p| own(p.luma.shrunk(4)?.unsharp(1, 2))),
        attempt("÷6", |p| smaller(&p.luma, 6)),
        attempt("wide unsharp", |p| own(p.luma.unsharp(8, 3))),
        attempt("framed", |p| own(p.luma.framed(24)?)),
        attempt("framed inverted", |p| own(p.luma.inverted().framed(24)?)),
        attempt("otsu in tiles", |p| own(p.luma.otsu_in_tiles())),
        attempt("threshold 96", |p| own(p.luma.threshold(96))),
        attempt("threshold 48", |p| own(p.luma.threshold(48))),
        attempt("median", |p| own(p.luma.median())),
        attempt("darkest channel", |p| as_is(&p.extremes.as_ref()?.0)),
        attempt("darkest channel inverted", |p| own(p.extremes.as_ref()?.0.inverted())),
        attempt("lightest channel", |p| as_is(&p.extremes.as_ref()?.1)),
        attempt("lightest channel inverted", |p| own(p.extremes.as_ref()?.1.inverted())),
    ],
    &[last_resort("rqrr on otsu", |p| own(bounded(&p.luma)?.otsu())), last_resort("rqrr", |p| bounded(&p.luma))],
];

/// A text, and where its code is.
pub(super) struct Find {
    pub(super) text: Zeroizing<String>,
    pub(super) place: Place,
}

/// The middle of a code and its size, in parts of the image's width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Place {
    /// Whether it takes so much of the image that no other code is likely.
    pub(super) fn fills_the_image(&self) -> bool {
        self.width * self.height > 0.5
    }
}

impl Attempt {
    /// What this attempt finds, and how many pixels the reader was shown.
    pub(super) fn make(&self, picture: &Picture) -> (Vec<Find>, usize) {
        match (self.view)(picture) {
            Some(view) => ((self.reader)(&view), view.pixels().len()),
            None => (Vec::new(), 0),
        }
    }
}

/// zxing-cpp's reader for codes of any turn, mirrored too.
fn rxing(luma: &Luma) -> Vec<Find> {
    let (Ok(width), Ok(height)) = (u32::try_from(luma.width()), u32::try_from(luma.height())) else {
        return Vec::new();
    };
    let hints = DecodeHints {
        TryHarder: Some(true),
        PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
        ..DecodeHints::default()
    };
    let Ok(source) = Luma8Source::new_with_slice(luma.pixels(), width, height) else { return Vec::new() };
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let results = QrReader.decode_multiple_with_hints(&mut bitmap, &hints).unwrap_or_default();
    let find = |result: &rxing::RXingResult| Find {
        text: Zeroizing::new(result.getText().to_owned()),
        place: place(luma, result.getPoints().iter().map(|point| (point.x, point.y))),
    };
    results.iter().map(find).collect()
}

/// An independent reader: slower, panics on some images (WanzenBug/rqrr#54), and takes long for many
/// finder patterns, so it is asked last and about little.
fn rqrr(luma: &Luma) -> Vec<Find> {
    let pixels = luma.pixels();
    let at = |x: usize, y: usize| {
        let index = y.checked_mul(luma.width()).and_then(|row| row.checked_add(x));
        index.and_then(|index| pixels.get(index)).copied().unwrap_or(u8::MAX)
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(luma.width(), luma.height(), at);
    let find = |grid: &rqrr::Grid<_>| {
        let (_, text) = grid.decode().ok()?;
        let corners = grid.bounds.iter().map(|point| (real(point.x), real(point.y)));
        Some(Find { text: Zeroizing::new(text), place: place(luma, corners) })
    };
    image.detect_grids().iter().filter_map(find).collect()
}

#[expect(clippy::cast_precision_loss, reason = "coordinates are far below 2^23")]
fn real(coordinate: i32) -> f32 {
    coordinate as f32
}

fn place(luma: &Luma, corners: impl Iterator<Item = (f32, f32)> + Clone) -> Place {
    let side = |length: usize| real(i32::try_from(length).unwrap_or(i32::MAX)).max(1.0);
    let (width, height) = (side(luma.width()), side(luma.height()));
    let least = |of: fn((f32, f32)) -> f32| corners.clone().map(of).fold(f32::INFINITY, f32::min);
    let most = |of: fn((f32, f32)) -> f32| corners.clone().map(of).fold(f32::NEG_INFINITY, f32::max);
    let (left, right) = (least(|(x, _)| x), most(|(x, _)| x));
    let (top, bottom) = (least(|(_, y)| y), most(|(_, y)| y));
    if !(left.is_finite() && right.is_finite() && top.is_finite() && bottom.is_finite()) {
        return Place { x: 0.0, y: 0.0, width: 0.0, height: 0.0 };
    }
    Place {
        x: (left + right) / 2.0 / width,
        y: (top + bottom) / 2.0 / height,
        width: (right - left) / width,
        height: (bottom - top) / height,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
fn as_is(luma: &Luma) -> Option<Cow<'_, Luma>> {
    Some(Cow::Borrowed(luma))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
fn own<'a>(luma: Luma) -> Option<Cow<'a, Luma>> {
    Some(Cow::Owned(luma))
}

fn smaller(luma: &Luma, by: usize) -> Option<Cow<'_, Luma>> {
    luma.shrunk(by).map(Cow::Owned)
}

fn inverted(luma: Cow<'_, Luma>) -> Cow<'_, Luma> {
    Cow::Owned(luma.inverted())
}

/// Twice the size where that stays below nine megapixels: small modules are those of small images.
fn larger(luma: &Luma) -> Option<Luma> {
    const MOST: usize = 9_000_000 / 4;
    if luma.pixels().len() > MOST { None } else { luma.doubled() }
}

/// At most four megapixels.
fn bounded(luma: &Luma) -> Option<Cow<'_, Luma>> {
    const MOST: usize = 4_000_000;
    let fits = |by: &usize| luma.pixels().len().checked_div(by.saturating_mul(*by)).is_some_and(|size| size <= MOST);
    match (1..=16).find(fits)? {
        1 => as_is(luma),
        by => smaller(luma, by),
    }
}
