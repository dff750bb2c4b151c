//! Keyed archives (NSKeyedArchiver): a property list whose `$objects` refer to each other by their place.

use zeroize::Zeroizing;

use super::plist::{Object, Plist, References};

/// The most keys of an object that are looked through.
const MOST_KEYS: usize = 64;

/// The longest text taken, in bytes; issuers and labels are far shorter.
const LONGEST_TEXT: usize = 8 << 10;

pub(super) struct Archive<'a> {
    plist: Plist<'a>,
    objects: References<'a>,
}

/// An object of an archive.
pub(super) struct Node<'a>(Object<'a>);

impl Node<'_> {
    pub(super) const fn integer(&self) -> Option<i64> {
        match self.0 {
            Object::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// A version such as 1.1, in tenths.
    pub(super) fn tenths(&self) -> Option<u8> {
        let number = match self.0 {
            Object::Real(number) => number,
            Object::Integer(number) => f64::from(u8::try_from(number).ok()?),
            _ => return None,
        };
        (0..=u8::MAX).find(|tenths| (f64::from(*tenths) / 10.0 - number).abs() < 0.01)
    }
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let plist = Plist::open(bytes)?;
        let top = plist.object(plist.top)?;
        match value(&plist, &top, "$objects")? {
            Object::List(objects) => Some(Self { plist, objects }),
            _ => None,
        }
    }

    /// The object that the archive is of.
    pub(super) fn root(&self) -> Option<Node<'a>> {
        let top = value(&self.plist, &self.plist.object(self.plist.top)?, "$top")?;
        self.resolved(value(&self.plist, &top, "root")?)
    }

    /// An object that a list has the number of.
    pub(super) fn node(&self, index: usize) -> Option<Node<'a>> {
        self.resolved(self.plist.object(index)?)
    }

    /// What a reference refers to, or the object itself. The first object of an archive is null.
    fn resolved(&self, object: Object<'a>) -> Option<Node<'a>> {
        match object {
            Object::Uid(0) => None,
            Object::Uid(place) => self.plist.object(self.objects.get(place)?).map(Node),
            object => Some(Node(object)),
        }
    }

    /// A field of an object.
    pub(super) fn field(&self, node: &Node<'a>, name: &str) -> Option<Node<'a>> {
        self.resolved(value(&self.plist, &node.0, name)?)
    }

    /// The value under a key of an archived dictionary.
    pub(super) fn entry(&self, node: &Node<'a>, key: &str) -> Option<Node<'a>> {
        let (keys, values) = (self.field_list(node, "NS.keys")?, self.field_list(node, "NS.objects")?);
        let at = keys
            .iter()
            .take(MOST_KEYS)
            .position(|index| self.node(index).and_then(|node| self.text(&node)).is_some_and(|text| *text == key))?;
        self.node(values.get(at)?)
    }

    /// The items of an archived list.
    pub(super) fn list(&self, node: &Node<'a>) -> Option<Items<'a>> {
        self.field_list(node, "NS.objects").map(Items)
    }

    fn field_list(&self, node: &Node<'a>, name: &str) -> Option<References<'a>> {
        match value(&self.plist, &node.0, name)? {
            Object::List(references) => Some(references),
            _ => None,
        }
    }

    /// A text, mutable or not.
    pub(super) fn text(&self, node: &Node<'a>) -> Option<Zeroizing<String>> {
        let object = match node.0 {
            Object::Dictionary(..) => self.field(node, "NS.string")?.0,
            object => object,
        };
        text(&object)
    }

    /// Bytes, mutable or not.
    pub(super) fn data(&self, node: &Node<'a>) -> Option<&'a [u8]> {
        let object = match node.0 {
            Object::Dictionary(..) => self.field(node, "NS.data")?.0,
            object => object,
        };
        match object {
            Object::Data(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The numbers of a list's items, for [`Archive::node`].
pub(super) struct Items<'a>(References<'a>);

impl Items<'_> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for Items<'a> {
    type Item = usize;
    type IntoIter = Box<dyn Iterator<Item = usize> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.0.iter())
    }
}

/// The value under a key of a property list's dictionary.
fn value<'a>(plist: &Plist<'a>, object: &Object<'a>, key: &str) -> Option<Object<'a>> {
    let Object::Dictionary(keys, values) = object else { return None };
    let is_key = |index| matches!(plist.object(index), Some(Object::Ascii(name)) if name == key.as_bytes());
    let at = keys.iter().take(MOST_KEYS).position(is_key)?;
    plist.object(values.get(at)?)
}

fn text(object: &Object<'_>) -> Option<Zeroizing<String>> {
    match object {
        Object::Ascii(bytes) if bytes.len() <= LONGEST_TEXT && bytes.is_ascii() => {
            std::str::from_utf8(bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
        }
        Object::Utf16(bytes) if bytes.len() <= LONGEST_TEXT => {
            let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Zeroizing::new)
        }
        _ => None,
    }
}
