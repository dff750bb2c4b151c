//! XML of untrusted files: no document types, so no entities to expand; bounded nesting.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

use super::Error;

/// The deepest nesting: KeePass allows its groups fewer levels.
const MOST_LEVELS: usize = 128;

/// The most attributes of an element that are looked at.
const MOST_ATTRIBUTES: usize = 64;

/// What is told of the elements while a document is read.
pub(super) trait Visitor {
    /// An element begins; the last name of the path is its own. Names have no namespace prefixes.
    fn open(&mut self, path: &[String], attributes: &Attributes<'_>) -> Result<(), Error>;
    /// An element ends; its own text, without its children's, in one piece.
    fn close(&mut self, path: &[String], text: &str) -> Result<(), Error>;
}

/// The attributes of an element.
pub(super) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// The value of an attribute, by its name without a namespace prefix.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let found =
            self.0.attributes().flatten().take(MOST_ATTRIBUTES).find(|one| one.key.local_name().as_ref() == name)?;
        unescape(&found.value).ok().map(|value| value.into_owned())
    }

    /// All of them, but those that declare namespaces.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let all = self.0.attributes().flatten().take(MOST_ATTRIBUTES);
        let others = all.filter(|one| one.key.as_namespace_binding().is_none());
        let pair = |name: &str, value: &str| Some((name.to_owned(), unescape(value).ok()?.into_owned()));
        others.filter_map(|one| pair(one.key.local_name().as_ref(), &one.value)).collect()
    }
}

/// Reads a document from its beginning to its end.
pub(super) fn walk(text: &str, visitor: &mut impl Visitor) -> Result<(), Error> {
    let broken = || Error::damaged("its XML is broken");
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut texts: Vec<Zeroizing<String>> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(tag) => {
                if path.len() >= MOST_LEVELS {
                    return Err(Error::damaged(format!("its XML has more than {MOST_LEVELS} levels")));
                }
                path.push(tag.local_name().as_ref().to_owned());
                texts.push(Zeroizing::new(String::new()));
                visitor.open(&path, &Attributes(&tag))?;
            }
            Event::Empty(tag) => {
                path.push(tag.local_name().as_ref().to_owned());
                visitor.open(&path, &Attributes(&tag))?;
                visitor.close(&path, "")?;
                path.pop();
            }
            Event::Text(part) => append(&mut texts, &part.into_inner()),
            Event::CData(part) => append(&mut texts, &part.into_inner()),
            Event::GeneralRef(name) => {
                let text = unescape(&format!("&{};", name.into_inner())).map_err(|_| broken())?.into_owned();
                append(&mut texts, &text);
            }
            Event::End(_) => {
                let text = texts.pop().ok_or_else(broken)?;
                visitor.close(&path, &text)?;
                path.pop();
            }
            Event::DocType(_) => return Err(Error::damaged("its XML has a document type")),
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(Error::damaged("its XML is cut off")),
            _ => {}
        }
    }
}

/// Adds to the innermost text. What it outgrows is wiped: the allocator would leave it as it is.
fn append(texts: &mut [Zeroizing<String>], part: &str) {
    let Some(text) = texts.last_mut() else { return };
    let needed = text.len().saturating_add(part.len());
    if needed > text.capacity() {
        let mut larger = Zeroizing::new(String::with_capacity(needed.saturating_mul(2)));
        larger.push_str(text);
        *text = larger;
    }
    text.push_str(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of the attributes `a` and `z`, and how many there are.
    #[derive(Default)]
    struct Seen(Option<String>, Option<String>, usize);

    impl Visitor for Seen {
        fn open(&mut self, _: &[String], attributes: &Attributes<'_>) -> Result<(), Error> {
            (self.0, self.1, self.2) = (attributes.get("a"), attributes.get("z"), attributes.all().len());
            Ok(())
        }

        fn close(&mut self, _: &[String], _: &str) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn no_more_attributes_are_looked_at_than_any_element_has() {
        let element = |others: usize| {
            let others: String = (0..others).map(|number| format!("b{number}='' ")).collect();
            let mut seen = Seen::default();
            walk(&format!("<x a='first' {others} z='last'/>"), &mut seen).unwrap();
            seen
        };
        let few = element(MOST_ATTRIBUTES - 2);
        assert_eq!((few.0.as_deref(), few.1.as_deref(), few.2), (Some("first"), Some("last"), MOST_ATTRIBUTES));
        let many = element(100_000);
        assert_eq!((many.0.as_deref(), many.1, many.2), (Some("first"), None, MOST_ATTRIBUTES));
    }
}
