//! What a Query service answers: XML, read into a tree whose texts are wiped, for one of them may be a seed or a key.

use std::fmt;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use crate::time::Timestamp;

/// Levels of an answer; the deepest that is used here has seven.
const DEPTH: usize = 32;
/// Elements of an answer; a thousand devices with everything about their users have thirty thousand.
const ELEMENTS: usize = 500_000;

/// An element. `Debug` shows its name only.
#[derive(Default)]
pub struct Element {
    name: String,
    text: Zeroizing<String>,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document; `None` where it is no XML, was cut off, has a document type, or is deeper or larger than any
    /// answer.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(str::from_utf8(body).ok()?);
        // What is open, around it an element without a name.
        let mut open = vec![Self::default()];
        let mut elements = 0_usize;
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => {
                    elements = elements.saturating_add(1);
                    if open.len() > DEPTH || elements > ELEMENTS {
                        return None;
                    }
                    open.push(Self { name: tag.local_name().as_ref().to_owned(), ..Self::default() });
                }
                Event::Empty(tag) => {
                    elements = elements.saturating_add(1);
                    if elements > ELEMENTS {
                        return None;
                    }
                    let element = Self { name: tag.local_name().as_ref().to_owned(), ..Self::default() };
                    open.last_mut()?.children.push(element);
                }
                Event::Text(part) => open.last_mut()?.text.push_str(&part.into_inner()),
                Event::CData(part) => open.last_mut()?.text.push_str(&part.into_inner()),
                Event::GeneralRef(name) => {
                    open.last_mut()?.text.push_str(&unescape(&format!("&{};", name.into_inner())).ok()?);
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        let [mut around] = <[Self; 1]>::try_from(open).ok()?;
        if around.children.len() == 1 { around.children.pop() } else { None }
    }

    /// Its name, without a prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first child of a name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of a name, without what is around it.
    #[must_use]
    pub fn into_child(self, name: &str) -> Option<Self> {
        self.children.into_iter().find(|child| child.name == name)
    }

    /// Its own text, without spaces around it; `None` where it is empty.
    #[must_use]
    pub fn own_text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the first child of a name, without spaces around it; `None` where it is empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The members of a list.
    pub fn members(&self, name: &str) -> impl Iterator<Item = &Self> {
        let list = self.child(name);
        list.into_iter().flat_map(|list| list.children.iter().filter(|child| child.name == "member"))
    }
}

/// A time as answers have it: RFC 3339, and nothing else that this program reads elsewhere.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let absolute = text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit());
    Timestamp::parse(text, Timestamp::from_unix(0)).ok().filter(|_| absolute)
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_tree() {
        let answer = Element::read(
            b"<?xml version='1.0'?><a:R xmlns:a='x'><List><member><K> a &lt;&#38;&gt; </K><E/></member><member/>\
              <other/></List><M/></a:R>",
        )
        .unwrap();
        assert_eq!(answer.name(), "R");
        let members: Vec<_> = answer.members("List").collect();
        assert_eq!(members.len(), 2);
        assert_eq!(members[0].text("K"), Some("a <&>"));
        assert_eq!((members[0].text("E"), members[1].text("K"), answer.text("M")), (None, None, None));
        assert_eq!(answer.members("Nothing").count(), 0);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        for text in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE x><a/>", "<a>&unknown;</a>", &deep] {
            assert!(Element::read(text.as_bytes()).is_none(), "{text:.60}");
        }
        assert!(Element::read(b"<a>\xff</a>").is_none());
    }

    #[test]
    fn debug_never_shows_a_text() {
        let answer = Element::read(b"<a>secret<b>secret</b></a>").unwrap();
        assert!(!format!("{answer:?}").contains("secret"));
    }
}
