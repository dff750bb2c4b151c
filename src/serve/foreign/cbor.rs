//! Parameters as RFC 8949 (CBOR) has them: as much of it as Smithy's RPC v2 protocol uses.

use super::value::{Value, are_distinct};

/// How deep values nest at most.
const DEPTH: usize = 64;

/// Reads a body that is one value; `None` where it isn't one, or has a name twice.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(DEPTH)?;
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a [u8],
}

/// The initial byte and its argument: RFC 8949, section 3.
struct Head {
    major: u8,
    /// `None` for an indefinite length.
    argument: Option<u64>,
}

impl Reader<'_> {
    fn take(&mut self, count: u64) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(count).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn head(&mut self) -> Option<Head> {
        let [first] = *self.take(1)? else { return None };
        let (major, info) = (first >> 5, first & 0x1f);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                let bytes = self.take(1_u64.checked_shl(u32::from(info).checked_sub(24)?)?)?;
                Some(bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)))
            }
            31 => None,
            _ => return None,
        };
        Some(Head { major, argument })
    }

    /// Whether the indefinite value ends here; passes over its end.
    fn ends(&mut self) -> Option<bool> {
        let ends = *self.rest.first()? == 0xff;
        if ends {
            self.take(1)?;
        }
        Some(ends)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let Head { major, argument } = self.head()?;
        match (major, argument) {
            (0 | 1 | 7, Some(_)) => Some(Value::Other),
            (2 | 3, _) => {
                let bytes = self.bytes(major, argument)?;
                // Only text names anything.
                if major == 2 { Some(Value::Other) } else { String::from_utf8(bytes).ok().map(Value::Text) }
            }
            (4, _) => {
                let mut items = Vec::new();
                while self.goes_on(argument, items.len())? {
                    items.push(self.value(depth)?);
                }
                Some(Value::List(items))
            }
            (5, _) => {
                let mut members = Vec::new();
                while self.goes_on(argument, members.len())? {
                    let Value::Text(name) = self.value(depth)? else { return None };
                    members.push((name, self.value(depth)?));
                }
                are_distinct(&members).then_some(Value::Map(members))
            }
            (6, Some(_)) => self.value(depth),
            _ => None,
        }
    }

    fn goes_on(&mut self, count: Option<u64>, read: usize) -> Option<bool> {
        match count {
            Some(count) => Some(u64::try_from(read).ok()? < count),
            None => self.ends().map(|ends| !ends),
        }
    }

    /// A string, or the pieces of one.
    fn bytes(&mut self, major: u8, length: Option<u64>) -> Option<Vec<u8>> {
        if let Some(length) = length {
            return self.take(length).map(<[u8]>::to_vec);
        }
        let mut all = Vec::new();
        while !self.ends()? {
            let piece = self.head()?;
            if piece.major != major {
                return None;
            }
            all.extend_from_slice(self.take(piece.argument?)?);
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_rfc_8949_has_them() {
        // Appendix A.
        let text = |text: &str| Value::Text(text.to_owned());
        for (bytes, value) in [
            (&b"\x18\x18"[..], Value::Other),
            (b"\xf9\x3c\x00", Value::Other),
            (b"\xc1\x1a\x51\x4b\x67\xb0", Value::Other),
            (b"\x64\x49\x45\x54\x46", text("IETF")),
            (b"\x7f\x65strea\x64ming\xff", text("streaming")),
            (
                b"\xa1\x61\x61\x82\x61\x62\x61\x63",
                Value::Map(vec![("a".into(), Value::List(vec![text("b"), text("c")]))]),
            ),
            (b"\xbf\x61\x61\x9f\xff\xff", Value::Map(vec![("a".into(), Value::List(vec![]))])),
        ] {
            assert_eq!(read(bytes), Some(value), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_broken_deep_or_double_is_no_value() {
        let deep = [vec![0x81; 100], vec![0x01]].concat();
        for bytes in [
            &b""[..],
            b"\x62a",
            b"\x01\x01",
            b"\xa2\x61\x61\x01\x61\x61\x02",
            b"\xa1\x01\x01",
            b"\x9f\x01",
            b"\xff",
            b"\xfb",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x62\xff\xff",
            &deep,
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
