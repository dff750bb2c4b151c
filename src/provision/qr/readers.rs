//! The readers that views of a picture are shown to, and what they find.

use rxing::common::cpp_essentials::{ConcentricPattern, StructuredAppendInfo};
use rxing::common::{BitMatrix, DetectorRXingResult as _, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer as _, Luma8Source};
use zeroize::Zeroizing;

use super::blocks;
use super::find::{Find, Part, Place};
use super::luma::Luma;
use super::shades::Shades;
use super::view::View;

/// zxing-cpp's reader for codes of any turn, mirrored too.
///
/// Its loop over the triples of finder patterns is written out here. rxing's own leaves the parity of structured
/// append out of what it returns, and can't be interrupted: a page of finder patterns takes it seconds.
pub(super) fn rxing(view: &View<'_>, expired: &dyn Fn() -> bool) -> Vec<Find> {
    let luma = &*view.luma;
    let mut finds = Vec::new();
    let Some((mut patterns, Some(matrix))) = finder_patterns(view, expired) else { return finds };
    let mut used: Vec<ConcentricPattern> = Vec::new();
    for triple in GenerateFinderPatternSets(&mut patterns) {
        if expired() {
            break;
        }
        let corners = [triple.bl, triple.tl, triple.tr];
        if corners.iter().any(|corner| used.contains(corner)) {
            continue;
        }
        let Ok(sample) = SampleQR(&matrix, &triple) else { continue };
        let Ok(decoded) = Decode(sample.getBits()) else { continue };
        if !decoded.isValid() {
            continue;
        }
        used.extend(corners);
        finds.push(Find {
            text: text(decoded.content().bytes()),
            place: place(luma, sample.getPoints().iter().map(|point| (point.x, point.y))),
            part: part(decoded.structuredAppend(), decoded.content().bytes()),
        });
    }
    finds
}

/// UTF-8, as all who write codes have it; else ISO/IEC 8859-1, as ISO/IEC 18004, section 7.3.2, has it. The tables for
/// other writings would be a twentieth of this program, and URIs escape what isn't ASCII: rxing is built without
/// them, and its own `text` isn't called.
fn text(bytes: &[u8]) -> Zeroizing<String> {
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    Zeroizing::new(text.unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect()))
}

/// The finder patterns of a view, and its bits where there are any patterns.
fn finder_patterns(view: &View<'_>, expired: &dyn Fn() -> bool) -> Option<(Vec<ConcentricPattern>, Option<BitMatrix>)> {
    // Wider pictures overflow what runs are counted in, so they go to rxing itself.
    const WIDEST: usize = 1 << 15;
    let (luma, inverted) = (&*view.luma, view.inverted);
    if luma.width().min(luma.height()) >= blocks::SMALLEST && luma.width() <= WIDEST {
        let shades = match view.split {
            Some(at) => Shades::split(luma, at, inverted),
            None => {
                let [plain, other] = view.blocks()?;
                Shades::local(luma, if inverted { other } else { plain }, inverted)
            }
        };
        return Some(shades.finders(expired));
    }
    let whole = view.drawn();
    let (width, height) = (u32::try_from(whole.width()).ok()?, u32::try_from(whole.height()).ok()?);
    let binarizer = HybridBinarizer::new(Luma8Source::new_with_slice(whole.pixels(), width, height).ok()?);
    let matrix = binarizer.get_black_matrix().ok()?;
    Some((FindFinderPatterns(matrix, true, 0), Some(matrix.clone())))
}

/// What the header of structured append says (ISO/IEC 18004, section 8.2), with the bytes of this part.
fn part(header: &StructuredAppendInfo, bytes: &[u8]) -> Option<Part> {
    Some(Part {
        index: u8::try_from(header.index).ok()?,
        count: u8::try_from(header.count).ok()?,
        parity: header.id.parse().ok()?,
        bytes: Zeroizing::new(bytes.to_vec()),
    })
}

/// An independent reader: slower, panics on some images (WanzenBug/rqrr#54), and can't be interrupted, so it is asked
/// last and about little. It takes long where there are many finder patterns: those pictures it isn't shown. Codes
/// with structured append are errors to it.
pub(super) fn rqrr(view: &View<'_>, expired: &dyn Fn() -> bool) -> Vec<Find> {
    const MOST: usize = 64;
    if finder_patterns(view, expired).is_none_or(|(patterns, _)| patterns.len() > MOST) {
        return Vec::new();
    }
    let luma = &*view.drawn();
    let pixels = luma.pixels();
    let at = |x: usize, y: usize| {
        let index = y.checked_mul(luma.width()).and_then(|row| row.checked_add(x));
        index.and_then(|index| pixels.get(index)).copied().unwrap_or(u8::MAX)
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(luma.width(), luma.height(), at);
    let find = |grid: &rqrr::Grid<_>| {
        let (_, text) = grid.decode().ok()?;
        let corners = grid.bounds.iter().map(|point| (real(point.x), real(point.y)));
        Some(Find { text: Zeroizing::new(text), place: place(luma, corners), part: None })
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
