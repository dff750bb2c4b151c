//! What the API answered, read as a client reads it.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use zeroize::Zeroizing;

/// An element of an answer: text, or elements.
#[derive(Default)]
pub(super) struct Element {
    name: String,
    text: Zeroizing<String>,
    children: Vec<Element>,
}

impl Element {
    /// The root of an answer; an empty element where it can't be read, which answers of our own can.
    pub(super) fn read(answer: &str) -> Self {
        Self::parse(answer).unwrap_or_default()
    }

    fn parse(answer: &str) -> Option<Self> {
        let mut reader = Reader::from_str(answer);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => open.push(Self::named(tag.local_name().as_ref())),
                Event::Empty(tag) => open.last_mut()?.children.push(Self::named(tag.local_name().as_ref())),
                Event::Text(part) => open.last_mut()?.text.push_str(&part.into_inner()),
                Event::GeneralRef(name) => {
                    let text = unescape(&format!("&{};", name.into_inner())).ok()?.into_owned();
                    open.last_mut()?.text.push_str(&text);
                }
                Event::End(_) => {
                    let element = open.pop()?;
                    open.last_mut()?.children.push(element);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        open.pop()?.children.pop()
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The first element of a name, however deep.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.children.iter().find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }

    /// The text of the first element of a name; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.find(name).map_or("", |element| element.text.as_str())
    }

    /// The members of a list.
    pub(super) fn members(&self, name: &str) -> &[Self] {
        self.find(name).map_or(&[], |list| list.children.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::xml;

    #[test]
    fn what_the_api_wrote_is_read() {
        let answer = xml::answer("ListMFADevices", xml::IAM, "id", |out| {
            out.list("MFADevices", ["a<b&c", "d\"e'"], |out, name| out.text("UserName", name));
            out.list("None", [""; 0], |_, _| {});
            out.flag("IsTruncated", false);
        });
        let read = Element::read(&answer);
        let names: Vec<&str> = read.members("MFADevices").iter().map(|member| member.text("UserName")).collect();
        assert_eq!(names, ["a<b&c", "d\"e'"]);
        assert!(read.members("None").is_empty() && read.members("Nowhere").is_empty());
        assert_eq!((read.text("IsTruncated"), read.text("Nothing")), ("false", ""));
        assert_eq!(Element::read("no xml <").text("x"), "");
    }
}
