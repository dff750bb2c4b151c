//! What a reader finds: a text, where its code is, and which part of a longer text it is.

use zeroize::Zeroizing;

/// A text, and where its code is.
pub(super) struct Find {
    pub(super) text: Zeroizing<String>,
    pub(super) place: Place,
    /// Which part it is, where the text is split over several codes.
    pub(super) part: Option<Part>,
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

/// What a code says of the text that it is a part of.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Counted from 0.
    pub(super) index: u8,
    /// How many parts there are.
    pub(super) count: u8,
    /// All bytes of the whole text, exclusive-or: tells the parts of one text from those of others.
    pub(super) parity: u8,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}
