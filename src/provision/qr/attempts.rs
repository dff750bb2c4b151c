//! The ladder of attempts: which views of a picture are shown to which reader, in which order.
//!
//! No single binarization reads what people have: dark pages, scaled screenshots, photographs,
//! dotted styles. [`STAGES`] is the whole of it; a new attempt is a line there.

use std::borrow::Cow;

use super::find::Find;
use super::luma::Luma;
use super::pictures::Picture;
use super::readers::{rqrr, rxing};
use super::view::View;

/// A view of a picture for a reader; `None` where it makes no sense for this picture.
type Make = fn(&Picture) -> Option<View<'_>>;

/// One look at a picture, or two.
pub(super) struct Attempt {
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the table, and tests"))]
    pub(super) name: &'static str,
    view: Make,
    /// Whether the view is looked at inverted, too.
    both: bool,
    reader: fn(&View<'_>, &dyn Fn() -> bool) -> Vec<Find>,
}

const fn attempt(name: &'static str, view: Make) -> Attempt {
    Attempt { name, view, both: false, reader: rxing }
}

/// The view, then the same inverted.
const fn both(name: &'static str, view: Make) -> Attempt {
    Attempt { name, view, both: true, reader: rxing }
}

const fn last_resort(name: &'static str, view: Make) -> Attempt {
    Attempt { name, view, both: false, reader: rqrr }
}

/// The only attempts on a picture of its full size where that is [large](super::pictures::LARGE): the ladder below climbs
/// on one of half the size.
pub(super) const AT_FULL_SIZE: &[Attempt] = &[both("full size", |p| as_is(&p.luma))];

/// Stages in order; all attempts of a stage are made before it is asked whether more is needed.
/// Cheap and likely first: four of five images end with the first stage.
pub(super) const STAGES: &[&[Attempt]] = &[
    &[both("original", |p| as_is(&p.luma)), both("÷2", |p| as_is(p.smaller(2)?))],
    &[
        both("otsu", |p| at(&p.luma, p.otsu())),
        attempt("÷2 unsharp", |p| own(p.smaller(2)?.unsharp(1, 2))),
        attempt("÷3", |p| as_is(p.smaller(3)?)),
        attempt("÷4 inverted", |p| as_is(p.smaller(4)?).map(View::inverted)),
    ],
    &[
        both("smooth 4", |p| otsu(p.luma.smoothed(4))),
        both("smooth 2", |p| otsu(p.luma.smoothed(2))),
        both("÷2 smooth 4", |p| otsu(p.smaller(2)?.smoothed(4))),
        both("×2 unsharp", |p| own(larger(&p.luma)?.unsharp(2, 2))),
        attempt("threshold 208", |p| at(&p.luma, 208)),
        attempt("threshold 160", |p| at(&p.luma, 160)),
        attempt("threshold 128", |p| at(&p.luma, 128)),
        attempt("threshold 12", |p| at(&p.luma, 12)),
        attempt("darkest on dark", |p| at(&p.luma, p.luma.darkest_on_dark()?)),
        attempt("white around codes", |p| binary(p.alone(Luma::white_around_codes)?)),
        attempt("inverted, white around codes", |p| binary(p.alone(|luma| luma.inverted().white_around_codes())?)),
        attempt("completed", |p| binary(p.luma.completed()?)),
        attempt("inverted, completed", |p| binary(p.luma.inverted().completed()?)),
        attempt("white dilated twice", |p| own(p.luma.white_dilated().white_dilated())),
        attempt("black dilated", |p| own(p.luma.black_dilated())),
        attempt("closed 7", |p| own(p.luma.closed_down(3))),
        attempt("inverted, closed 5", |p| own(p.luma.inverted().closed_down(2))),
        attempt("inverted, closed 7", |p| own(p.luma.inverted().closed_down(3))),
    ],
    &[
        both("white dilated", |p| own(p.luma.white_dilated())),
        attempt("black dilated inverted", |p| own(p.luma.black_dilated()).map(View::inverted)),
        attempt("black dilated twice", |p| own(p.luma.black_dilated().black_dilated())),
        attempt("÷4 unsharp", |p| own(p.smaller(4)?.unsharp(1, 2))),
        attempt("÷6", |p| own(p.luma.shrunk(6)?)),
        attempt("wide unsharp", |p| own(p.luma.unsharp(8, 3))),
        attempt("÷2 wide unsharp", |p| own(p.smaller(2)?.unsharp(4, 5))),
        attempt("÷3 wide unsharp", |p| own(p.smaller(3)?.unsharp(4, 9))),
        attempt("framed", |p| own(p.luma.framed(24)?)),
        attempt("framed inverted", |p| own(p.luma.inverted().framed(24)?)),
        attempt("otsu in tiles", |p| binary(p.luma.otsu_in_tiles())),
        attempt("threshold 96", |p| at(&p.luma, 96)),
        attempt("threshold 48", |p| at(&p.luma, 48)),
        attempt("median", |p| own(p.luma.median())),
        attempt("median across and down", |p| own(p.luma.median_across_and_down())),
        both("darkest channel", |p| as_is(&p.extremes()?.0)),
        both("lightest channel", |p| as_is(&p.extremes()?.1)),
    ],
    &[
        last_resort("rqrr on otsu", |p| otsu(bounded(&p.luma)?.into_owned())),
        last_resort("rqrr", |p| bounded(&p.luma).map(View::of)),
    ],
];

impl Attempt {
    /// What this attempt finds, and how many pixels the reader was shown.
    pub(super) fn make(&self, picture: &Picture, expired: &dyn Fn() -> bool) -> (Vec<Find>, usize) {
        let Some(mut view) = (self.view)(picture) else { return (Vec::new(), 0) };
        let mut finds = (self.reader)(&view, expired);
        let pixels = view.luma.pixels().len();
        if !self.both {
            return (finds, pixels);
        }
        view = view.inverted();
        finds.extend((self.reader)(&view, expired));
        (finds, pixels.saturating_mul(2))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
const fn as_is(luma: &Luma) -> Option<View<'_>> {
    Some(View::of(Cow::Borrowed(luma)))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
const fn own<'a>(luma: Luma) -> Option<View<'a>> {
    Some(View::of(Cow::Owned(luma)))
}

/// Black up to this shade.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
fn at(luma: &Luma, shade: u8) -> Option<View<'_>> {
    Some(View::of(Cow::Borrowed(luma)).split(shade))
}

/// What is black and white already.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
fn binary<'a>(luma: Luma) -> Option<View<'a>> {
    Some(View::of(Cow::Owned(luma)).split(127))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a view")]
fn otsu<'a>(luma: Luma) -> Option<View<'a>> {
    let at = luma.otsus_threshold();
    Some(View::of(Cow::Owned(luma)).split(at))
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
        1 => Some(Cow::Borrowed(luma)),
        by => luma.shrunk(by).map(Cow::Owned),
    }
}
