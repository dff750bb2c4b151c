//! The ladder of attempts: which views of a picture are shown to which reader, in which order.
//!
//! No single binarization reads what people have: dark pages, scaled screenshots, photographs,
//! dotted styles. [`STAGES`] is the whole of it; a new attempt is a line there.

use std::borrow::Cow;

use super::find::Find;
use super::luma::Luma;
use super::pictures::Picture;
use super::readers::{rqrr, rxing};

/// A view of a picture for a reader; `None` where it makes no sense for this picture.
type View = fn(&Picture) -> Option<Cow<'_, Luma>>;

/// One look at a picture.
pub(super) struct Attempt {
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the table, and tests"))]
    pub(super) name: &'static str,
    view: View,
    reader: fn(&Luma, &dyn Fn() -> bool) -> Vec<Find>,
}

const fn attempt(name: &'static str, view: View) -> Attempt {
    Attempt { name, view, reader: rxing }
}

const fn last_resort(name: &'static str, view: View) -> Attempt {
    Attempt { name, view, reader: rqrr }
}

/// The only attempts on a picture of its full size where that is [large](super::pictures::LARGE): the ladder below climbs
/// on one of half the size.
pub(super) const AT_FULL_SIZE: &[Attempt] =
    &[attempt("full size", |p| as_is(&p.luma)), attempt("full size inverted", |p| own(p.luma.inverted()))];

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
        attempt("smooth 4", |p| own(p.luma.smoothed(4).otsu())),
        attempt("smooth 4 inverted", |p| own(p.luma.smoothed(4).otsu().inverted())),
        attempt("smooth 2", |p| own(p.luma.smoothed(2).otsu())),
        attempt("smooth 2 inverted", |p| own(p.luma.smoothed(2).otsu().inverted())),
        attempt("÷2 smooth 4", |p| own(p.luma.shrunk(2)?.smoothed(4).otsu())),
        attempt("÷2 smooth 4 inverted", |p| own(p.luma.shrunk(2)?.smoothed(4).otsu().inverted())),
        attempt("×2 unsharp", |p| own(larger(&p.luma)?.unsharp(2, 2))),
        attempt("×2 unsharp inverted", |p| own(larger(&p.luma)?.unsharp(2, 2).inverted())),
        attempt("threshold 208", |p| own(p.luma.threshold(208))),
        attempt("threshold 160", |p| own(p.luma.threshold(160))),
        attempt("threshold 128", |p| own(p.luma.threshold(128))),
        attempt("threshold 12", |p| own(p.luma.threshold(12))),
        attempt("darkest on dark", |p| own(p.luma.darkest_on_dark()?)),
        attempt("white around codes", |p| own(p.luma.white_around_codes()?)),
        attempt("inverted, white around codes", |p| own(p.luma.inverted().white_around_codes()?)),
        attempt("completed", |p| own(p.luma.completed()?)),
        attempt("inverted, completed", |p| own(p.luma.inverted().completed()?)),
        attempt("white dilated twice", |p| own(p.luma.white_dilated().white_dilated())),
        attempt("black dilated", |p| own(p.luma.black_dilated())),
        attempt("closed 7", |p| own(p.luma.closed_down(3))),
        attempt("inverted, closed 5", |p| own(p.luma.inverted().closed_down(2))),
        attempt("inverted, closed 7", |p| own(p.luma.inverted().closed_down(3))),
    ],
    &[
        attempt("white dilated", |p| own(p.luma.white_dilated())),
        attempt("white dilated inverted", |p| own(p.luma.white_dilated().inverted())),
        attempt("black dilated inverted", |p| own(p.luma.black_dilated().inverted())),
        attempt("black dilated twice", |p| own(p.luma.black_dilated().black_dilated())),
        attempt("÷4 unsharp", |p| own(p.luma.shrunk(4)?.unsharp(1, 2))),
        attempt("÷6", |p| smaller(&p.luma, 6)),
        attempt("wide unsharp", |p| own(p.luma.unsharp(8, 3))),
        attempt("÷2 wide unsharp", |p| own(p.luma.shrunk(2)?.unsharp(4, 5))),
        attempt("÷3 wide unsharp", |p| own(p.luma.shrunk(3)?.unsharp(4, 9))),
        attempt("framed", |p| own(p.luma.framed(24)?)),
        attempt("framed inverted", |p| own(p.luma.inverted().framed(24)?)),
        attempt("otsu in tiles", |p| own(p.luma.otsu_in_tiles())),
        attempt("threshold 96", |p| own(p.luma.threshold(96))),
        attempt("threshold 48", |p| own(p.luma.threshold(48))),
        attempt("median", |p| own(p.luma.median())),
        attempt("median across and down", |p| own(p.luma.median_across_and_down())),
        attempt("darkest channel", |p| as_is(&p.extremes.as_ref()?.0)),
        attempt("darkest channel inverted", |p| own(p.extremes.as_ref()?.0.inverted())),
        attempt("lightest channel", |p| as_is(&p.extremes.as_ref()?.1)),
        attempt("lightest channel inverted", |p| own(p.extremes.as_ref()?.1.inverted())),
    ],
    &[last_resort("rqrr on otsu", |p| own(bounded(&p.luma)?.otsu())), last_resort("rqrr", |p| bounded(&p.luma))],
];

impl Attempt {
    /// What this attempt finds, and how many pixels the reader was shown.
    pub(super) fn make(&self, picture: &Picture, expired: &dyn Fn() -> bool) -> (Vec<Find>, usize) {
        match (self.view)(picture) {
            Some(view) => ((self.reader)(&view, expired), view.pixels().len()),
            None => (Vec::new(), 0),
        }
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
