//! Apple's binary property lists (CFBinaryPList.c), an object at a time: nothing is built, so nothing can be blown up.

use crate::exchange::bytes::Bytes;

const MAGIC: &[u8] = b"bplist00";
const TRAILER: usize = 32;

/// Whether a file, or its first bytes, begins as a binary property list.
pub(super) fn is_plist(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// A property list: its bytes, and where the table of its objects is.
pub(super) struct Plist<'a> {
    bytes: &'a [u8],
    offsets: usize,
    offset_size: usize,
    reference_size: usize,
    count: usize,
    pub(super) top: usize,
}

/// One object; lists and dictionaries have the numbers of others.
#[derive(Clone, Copy)]
pub(super) enum Object<'a> {
    Integer(i64),
    Real(f64),
    Data(&'a [u8]),
    Ascii(&'a [u8]),
    /// Big-endian units.
    Utf16(&'a [u8]),
    /// What a keyed archive refers to its objects by.
    Uid(usize),
    List(References<'a>),
    /// Keys, and values.
    Dictionary(References<'a>, References<'a>),
}

/// Numbers of objects.
#[derive(Clone, Copy)]
pub(super) struct References<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl<'a> References<'a> {
    pub(super) fn len(&self) -> usize {
        self.bytes.len().checked_div(self.size).unwrap_or(0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> + use<'a> {
        self.bytes.chunks(self.size.max(1)).filter_map(number)
    }

    pub(super) fn get(&self, index: usize) -> Option<usize> {
        let start = index.checked_mul(self.size)?;
        number(self.bytes.get(start..start.checked_add(self.size)?)?)
    }
}

/// A big-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(unsigned(bytes)?).ok()
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

impl<'a> Plist<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.len().checked_sub(TRAILER).filter(|_| is_plist(bytes))?;
        let mut trailer = Bytes::at(bytes, start)?;
        trailer.take(6)?;
        let (offset_size, reference_size) = (usize::from(trailer.u8()?), usize::from(trailer.u8()?));
        let (count, top, offsets) = (number(trailer.take(8)?)?, number(trailer.take(8)?)?, number(trailer.take(8)?)?);
        let sizes = 1..=8;
        let valid = sizes.contains(&offset_size) && sizes.contains(&reference_size);
        valid.then_some(Self { bytes, offsets, offset_size, reference_size, count, top })
    }

    /// The object of this number.
    pub(super) fn object(&self, index: usize) -> Option<Object<'a>> {
        if index >= self.count {
            return None;
        }
        let mut entry = Bytes::at(self.bytes, self.offsets.checked_add(index.checked_mul(self.offset_size)?)?)?;
        let mut rest = Bytes::at(self.bytes, number(entry.take(self.offset_size)?)?)?;
        let marker = rest.u8()?;
        let low = marker & 0x0f;
        match marker >> 4 {
            1 => integer(&mut rest, low).map(Object::Integer),
            2 => real(&mut rest, low).map(Object::Real),
            4 => {
                let length = length(&mut rest, low)?;
                rest.take(length).map(Object::Data)
            }
            5 => {
                let length = length(&mut rest, low)?;
                rest.take(length).map(Object::Ascii)
            }
            6 => {
                let length = length(&mut rest, low)?.checked_mul(2)?;
                rest.take(length).map(Object::Utf16)
            }
            8 => number(rest.take(usize::from(low).checked_add(1)?)?).map(Object::Uid),
            10 => {
                let length = length(&mut rest, low)?;
                self.references(&mut rest, length).map(Object::List)
            }
            13 => {
                let length = length(&mut rest, low)?;
                let keys = self.references(&mut rest, length)?;
                Some(Object::Dictionary(keys, self.references(&mut rest, length)?))
            }
            _ => None,
        }
    }

    fn references(&self, rest: &mut Bytes<'a>, count: usize) -> Option<References<'a>> {
        let bytes = rest.take(count.checked_mul(self.reference_size)?)?;
        Some(References { bytes, size: self.reference_size })
    }
}

/// How many there are: in the marker, or in an integer behind it.
fn length(rest: &mut Bytes<'_>, low: u8) -> Option<usize> {
    if low < 0x0f {
        return Some(usize::from(low));
    }
    let marker = rest.u8().filter(|marker| marker >> 4 == 1)?;
    usize::try_from(integer(rest, marker & 0x0f)?).ok()
}

/// One, two, four or eight bytes; only eight have a sign.
fn integer(rest: &mut Bytes<'_>, power: u8) -> Option<i64> {
    let bytes = rest.take(1_usize.checked_shl(u32::from(power)).filter(|size| *size <= 8)?)?;
    match bytes.try_into() {
        Ok(eight) => Some(i64::from_be_bytes(eight)),
        Err(_) => i64::try_from(unsigned(bytes)?).ok(),
    }
}

fn real(rest: &mut Bytes<'_>, power: u8) -> Option<f64> {
    match power {
        2 => rest.take(4)?.try_into().ok().map(f32::from_be_bytes).map(f64::from),
        3 => rest.take(8)?.try_into().ok().map(f64::from_be_bytes),
        _ => None,
    }
}
