//! Elements of XML as trees, for documents that are a list: a tree for each item, and one for what is around them.

use zeroize::Zeroizing;

use super::Error;
use super::xml::{self, Attributes, Visitor};

/// The most elements of one item, and of what is around them.
const MOST_ELEMENTS: usize = 10_000;

/// An element with everything in it. Names have no namespace prefixes.
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: Zeroizing<String>,
}

impl Element {
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of each name, one in the other.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its own text; `None` where that is empty.
    pub(super) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text at the end of a path.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.find(path)?.text()
    }

    /// An attribute's value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it or anything in it has this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.name == name || self.children.iter().any(|child| child.contains(name))
    }
}

/// Reads a document: gives each child of the root with this name to `take`, and returns the root without them.
pub(super) fn each(text: &str, item: &str, take: impl FnMut(Element) -> Result<(), Error>) -> Result<Element, Error> {
    let mut builder = Builder { item, take, open: Vec::new(), root: None, in_item: 0, around: 0 };
    xml::walk(text, &mut builder)?;
    builder.root.ok_or_else(|| Error::damaged("its XML has no element"))
}

struct Builder<'a, F> {
    item: &'a str,
    take: F,
    open: Vec<Element>,
    root: Option<Element>,
    /// How many elements the item has that is open, and what is around the items.
    in_item: usize,
    around: usize,
}

impl<F: FnMut(Element) -> Result<(), Error>> Visitor for Builder<'_, F> {
    fn open(&mut self, path: &[String], attributes: &Attributes<'_>) -> Result<(), Error> {
        let is_item = path.get(1).is_some_and(|name| name == self.item);
        if is_item && path.len() == 2 {
            self.in_item = 0;
        }
        let count = if is_item { &mut self.in_item } else { &mut self.around };
        *count = count.saturating_add(1);
        if *count > MOST_ELEMENTS {
            return Err(Error::TooMany { limit: MOST_ELEMENTS });
        }
        let name = path.last().cloned().unwrap_or_default();
        let text = Zeroizing::new(String::new());
        self.open.push(Element { name, attributes: attributes.all(), children: Vec::new(), text });
        Ok(())
    }

    fn close(&mut self, path: &[String], text: &str) -> Result<(), Error> {
        let Some(mut element) = self.open.pop() else { return Ok(()) };
        element.text = Zeroizing::new(text.to_owned());
        match self.open.last_mut() {
            Some(_) if path.len() == 2 && element.name == self.item => return (self.take)(element),
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }
}
