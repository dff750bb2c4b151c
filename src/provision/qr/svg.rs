//! SVG: drawn by `resvg` without text, filters, or anything from outside of the document.
//!
//! An SVG may ask for any amount of work. What is drawn is counted before: layers that are held at once, and
//! pixels that are painted. QR codes need a few layers, and each pixel a few times.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Group, ImageHrefResolver, Node, Options, Paint, Path, Tree};
use zeroize::Zeroizing;

use super::pictures::Pictures;
use crate::provision::Error;

/// The most bytes of a document: a code of 177 modules with an element for each has 3 MB.
const BYTES: usize = 8 << 20;

/// How large the longer side is drawn, at least and at most.
const SIDE: f32 = 1_000.0;
const LARGEST_SIDE: f32 = 2_000.0;

/// Layers that are held at once.
const LAYERS: usize = 8;

/// Pixels that are painted, of all shapes together; and points of their outlines, and elements.
const PAINTED: u64 = 1_000_000_000;
const POINTS: usize = 4 << 20;

/// The smallest code has some hundred runs of dark modules.
const FEWEST_POINTS: usize = 200;

/// What a layer takes: it is put onto the one below.
const LAYER: u64 = 4_000_000;

/// What the worker needs: `usvg` lets elements be 1,024 deep in each other, and goes down by recursion.
pub(super) const STACK: usize = 64 << 20;

/// Draws a document.
pub(super) fn load(bytes: &[u8]) -> Result<Pictures, Error> {
    if bytes.len() > BYTES {
        return Err(Error::TooLarge { limit: BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("it isn't UTF-8"))?;
    let options = Options {
        // No file is opened, and pictures inside are looked at by themselves.
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    let tree = Tree::from_str(text, &options).map_err(|error| broken(error.to_string()))?;
    let longer = tree.size().width().max(tree.size().height());
    let mut scale = if longer > LARGEST_SIDE { LARGEST_SIDE / longer } else { 1.0 };
    if longer < SIDE {
        // A whole number, so that modules end where pixels do.
        scale = (SIDE / longer).ceil().min(SIDE);
    }
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| broken("it has no size"))?;
    let mut cost = Cost { scale, painted: 0, points: 0 };
    cost.add(tree.root(), 0)?;
    if cost.points < FEWEST_POINTS {
        return Err(Error::NoQrCode);
    }
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| broken("it has no size"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    let rgba = Zeroizing::new(pixels.take_demultiplied());
    Ok(Pictures::of(size.width(), size.height(), &rgba, 4))
}

/// What drawing takes.
struct Cost {
    scale: f32,
    painted: u64,
    points: usize,
}

impl Cost {
    fn add(&mut self, group: &Group, layers: usize) -> Result<(), Error> {
        if !group.filters().is_empty() || group.mask().is_some() {
            return Err(unsupported("filters and masks"));
        }
        let mut layers = layers.saturating_add(usize::from(group.should_isolate()));
        let mut clip = group.clip_path();
        while let Some(path) = clip {
            layers = layers.saturating_add(1);
            if layers > LAYERS {
                break;
            }
            self.count(LAYER, 1)?;
            self.add(path.root(), layers)?;
            clip = path.clip_path();
        }
        if layers > LAYERS {
            return Err(unsupported("that many layers"));
        }
        self.count(if group.should_isolate() { LAYER } else { 0 }, 1)?;
        for node in group.children() {
            match node {
                Node::Group(group) => self.add(group, layers)?,
                Node::Path(path) => self.path(path)?,
                // Without its feature there are no texts, and no pictures are let in.
                Node::Image(_) | Node::Text(_) => {}
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<(), Error> {
        let paints = [path.fill().map(|fill| fill.paint()), path.stroke().map(|stroke| stroke.paint())];
        if paints.into_iter().flatten().any(|paint| matches!(paint, Paint::Pattern(_))) {
            return Err(unsupported("patterns"));
        }
        if path.stroke().is_some_and(|stroke| stroke.dasharray().is_some()) {
            return Err(unsupported("dashed lines"));
        }
        let shape = path.abs_stroke_bounding_box();
        let side = |length: f32| (length * self.scale).clamp(1.0, LARGEST_SIDE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 4,000,000")]
        let pixels = (side(shape.width()) * side(shape.height())) as u64;
        self.count(pixels, path.data().len())
    }

    fn count(&mut self, painted: u64, points: usize) -> Result<(), Error> {
        self.painted = self.painted.saturating_add(painted);
        self.points = self.points.saturating_add(points);
        if self.painted > PAINTED || self.points > POINTS {
            return Err(unsupported("that many shapes"));
        }
        Ok(())
    }
}

fn broken(reason: impl Into<String>) -> Error {
    Error::ImageBroken { format: NAME, reason: reason.into() }
}

fn unsupported(what: &str) -> Error {
    Error::ImageUnsupported { format: NAME, reason: format!("{what} are not drawn") }
}

/// What errors call it.
pub(super) const NAME: &str = "SVG";
