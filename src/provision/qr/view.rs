//! What a reader is shown: a picture, in which direction, and from which shade on it is light.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::blocks::Blocks;
use super::luma::Luma;

/// A picture as a reader is to see it, which is seldom drawn.
pub(super) struct View<'a> {
    pub(super) luma: Cow<'a, Luma>,
    pub(super) inverted: bool,
    /// Black up to this shade, where that is settled; else the reader goes by what is around.
    pub(super) split: Option<u8>,
    blocks: OnceCell<Option<[Blocks; 2]>>,
}

impl<'a> View<'a> {
    pub(super) const fn of(luma: Cow<'a, Luma>) -> Self {
        Self { luma, inverted: false, split: None, blocks: OnceCell::new() }
    }

    /// Black up to this shade.
    pub(super) fn split(self, at: u8) -> Self {
        Self { split: Some(at), ..self }
    }

    pub(super) fn inverted(self) -> Self {
        Self { inverted: !self.inverted, ..self }
    }

    /// The thresholds of the picture as it is, and inverted; `None` where it is too small for them.
    pub(super) fn blocks(&self) -> Option<&[Blocks; 2]> {
        self.blocks.get_or_init(|| Blocks::both(&self.luma)).as_ref()
    }

    /// The pixels.
    pub(super) fn drawn(&self) -> Cow<'_, Luma> {
        match (self.split, self.inverted) {
            (None, false) => Cow::Borrowed(&*self.luma),
            (None, true) => Cow::Owned(self.luma.inverted()),
            (Some(at), false) => Cow::Owned(self.luma.threshold(at)),
            (Some(at), true) => Cow::Owned(self.luma.threshold(at).inverted()),
        }
    }
}
