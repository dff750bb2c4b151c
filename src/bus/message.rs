//! Messages of D-Bus (specification 0.43, "Message Protocol"): bytes from and to calls, answers, errors and signals.
//!
//! Values are zvariant's, which reads and writes them with their alignment.

use std::collections::HashMap;
use std::num::NonZeroU32;

use zvariant::serialized::{self, Context};
use zvariant::{BE, DynamicDeserialize, DynamicType, LE, OwnedValue, Signature, Value, to_bytes};

use super::error::Error;

/// What comes before the fields of the header, with their length.
const START: usize = 16;
/// The longest message that is read, in bytes; the protocol allows 128 MiB, and a keyring's answers have some hundred.
const LONGEST: usize = 16 << 20;
const ALIGNMENT: usize = 8;
const VERSION: u8 = 1;
/// The type of a method call.
const CALL: u8 = 1;

/// Its message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Answer,
    Error,
    Signal,
    /// One that a later version may define; it is to be ignored.
    Unknown,
}

/// Codes of header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const SIGNATURE: u8 = 8;

/// Where a call goes to, or a signal comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The name on the bus.
    pub(crate) name: &'a str,
    /// The object.
    pub(crate) path: &'a str,
    /// The interface that has the method, or the signal.
    pub(crate) interface: &'a str,
}

/// A message that was received.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    fields: HashMap<u8, OwnedValue>,
    body: serialized::Data<'static, 'static>,
}

/// Order of bytes, type, flags, version, length of the body, serial number, fields.
type Header = (u8, u8, u8, u8, u32, u32, Vec<(u8, OwnedValue)>);

/// A call as bytes. `arguments` are a tuple.
pub(super) fn call(
    serial: NonZeroU32,
    to: Place<'_>,
    method: &str,
    arguments: &(impl serde::Serialize + DynamicType),
) -> Result<Vec<u8>, Error> {
    let body = to_bytes(Context::new_dbus(LE, 0), arguments)?;
    // What a tuple has in it, without its parentheses; none where that is nothing.
    let signature = match arguments.signature() {
        Signature::Unit => String::new(),
        signature => signature.to_string_no_parens(),
    };
    let mut bytes = vec![b'l', CALL, 0, VERSION];
    bytes.extend(length(body.len())?);
    bytes.extend(serial.get().to_le_bytes());
    bytes.extend([0; 4]);
    let texts =
        [(PATH, b'o', to.path), (INTERFACE, b's', to.interface), (MEMBER, b's', method), (DESTINATION, b's', to.name)];
    for (code, of, text) in texts {
        align(&mut bytes);
        bytes.extend([code, 1, of, 0]);
        bytes.extend(length(text.len())?);
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    if !signature.is_empty() {
        align(&mut bytes);
        bytes.extend([SIGNATURE, 1, b'g', 0, u8::try_from(signature.len()).map_err(|_| Error::TooLong)?]);
        bytes.extend(signature.as_bytes());
        bytes.push(0);
    }
    let fields = length(bytes.len().saturating_sub(START))?;
    bytes.splice(START.saturating_sub(fields.len())..START, fields);
    align(&mut bytes);
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

fn length(of: usize) -> Result<[u8; 4], Error> {
    u32::try_from(of).map(u32::to_le_bytes).map_err(|_| Error::TooLong)
}

/// Structures, of which fields are some, and the body begin at multiples of eight.
fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

impl Message {
    /// How long the message is that begins with these bytes; `None` where more are needed to tell.
    pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, Error> {
        let Some(start) = bytes.first_chunk::<START>() else { return Ok(None) };
        let [endian, _, _, version, b0, b1, b2, b3, _, _, _, _, f0, f1, f2, f3] = *start;
        let number = if is_little(endian)? { u32::from_le_bytes } else { u32::from_be_bytes };
        if version != VERSION {
            return Err(Error::Malformed("another version of the protocol".to_owned()));
        }
        let (body, fields) = (number([b0, b1, b2, b3]), number([f0, f1, f2, f3]));
        let length = usize::try_from(fields)
            .ok()
            .and_then(|fields| START.checked_add(fields)?.checked_next_multiple_of(ALIGNMENT))
            .and_then(|header| header.checked_add(usize::try_from(body).ok()?))
            .filter(|length| *length <= LONGEST);
        length.map(Some).ok_or(Error::TooLong)
    }

    /// Reads a whole message.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let context =
            Context::new_dbus(if is_little(bytes.first().copied().unwrap_or_default())? { LE } else { BE }, 0);
        let data = serialized::Data::new(bytes, context);
        let ((_, kind, _, _, length, _, fields), _): (Header, usize) = data.deserialize()?;
        let start = usize::try_from(length).ok().and_then(|length| bytes.len().checked_sub(length));
        let body = start.and_then(|start| bytes.get(start..)).ok_or(Error::TooLong)?;
        let kind = match kind {
            CALL => Kind::Call,
            2 => Kind::Answer,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => Kind::Unknown,
        };
        Ok(Self { kind, fields: fields.into_iter().collect(), body: serialized::Data::new(body.to_vec(), context) })
    }

    /// The call that this answers.
    pub(super) fn answers(&self) -> Option<NonZeroU32> {
        match self.fields.get(&REPLY_SERIAL).map(|value| &**value) {
            Some(Value::U32(serial)) => NonZeroU32::new(*serial),
            _ => None,
        }
    }

    /// Who sent it: the unique name of a connection, which the bus writes.
    pub(crate) fn sender(&self) -> Option<&str> {
        self.text(SENDER)
    }

    /// Whether it is this signal.
    pub(super) fn is_signal(&self, from: Place<'_>, name: &str) -> bool {
        self.kind == Kind::Signal
            && matches!(self.fields.get(&PATH).map(|value| &**value), Some(Value::ObjectPath(path)) if path.as_str() == from.path)
            && self.text(INTERFACE) == Some(from.interface)
            && self.text(MEMBER) == Some(name)
    }

    /// What it says: a tuple, or one value.
    pub(crate) fn body<'d, T: DynamicDeserialize<'d>>(&'d self) -> Result<T, Error> {
        let signature = match self.fields.get(&SIGNATURE).map(|value| &**value) {
            Some(Value::Signature(signature)) => signature.clone(),
            _ => Signature::Unit,
        };
        Ok(self.body.deserialize_for_dynamic_signature(signature)?.0)
    }

    /// What it says, as one who gets it instead of an answer sees it.
    pub(super) fn into_error(self) -> Error {
        let text = self.body::<(String,)>().map(|(text,)| text).or_else(|_| self.body::<String>()).unwrap_or_default();
        Error::Answered { name: self.text(ERROR_NAME).unwrap_or_default().to_owned(), text }
    }

    fn text(&self, field: u8) -> Option<&str> {
        match self.fields.get(&field).map(|value| &**value) {
            Some(Value::Str(text)) => Some(text.as_str()),
            _ => None,
        }
    }
}

fn is_little(endian: u8) -> Result<bool, Error> {
    match endian {
        b'l' => Ok(true),
        b'B' => Ok(false),
        _ => Err(Error::Malformed("not a message".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TO: Place<'static> = Place { name: "org.example", path: "/org/example", interface: "org.example.One" };

    fn sent(arguments: &(impl serde::Serialize + DynamicType)) -> Vec<u8> {
        call(NonZeroU32::new(7).unwrap(), TO, "Ask", arguments).unwrap()
    }

    /// What a bus makes of a call that it passes on: an answer with the same body.
    fn answer(call: &[u8]) -> Vec<u8> {
        let mut bytes = call.to_vec();
        bytes[1] = 2;
        bytes
    }

    #[test]
    fn what_is_sent_can_be_read() {
        let bytes = sent(&("text", 5_u32, vec![1_u8, 2]));
        assert_eq!(Message::length(&bytes).unwrap(), Some(bytes.len()));
        let message = Message::read(&answer(&bytes)).unwrap();
        assert_eq!(message.kind, Kind::Answer);
        assert_eq!(message.text(MEMBER), Some("Ask"));
        assert_eq!(message.text(DESTINATION), Some("org.example"));
        assert_eq!(message.body::<(String, u32, Vec<u8>)>().unwrap(), ("text".to_owned(), 5, vec![1, 2]));
        assert!(message.body::<(String, String)>().is_err());
    }

    #[test]
    fn one_value_is_a_body_too_and_so_is_nothing() {
        assert_eq!(Message::read(&sent(&(9_u32,))).unwrap().body::<u32>().unwrap(), 9);
        let nested = Message::read(&sent(&((1_u8, "x"),))).unwrap();
        assert_eq!(nested.body::<((u8, String),)>().unwrap(), ((1, "x".to_owned()),));
        Message::read(&sent(&())).unwrap().body::<()>().unwrap();
    }

    #[test]
    fn bytes_are_as_the_specification_lays_them_out() {
        let bytes = sent(&());
        assert_eq!(bytes[..12], *b"l\x01\x00\x01\x00\x00\x00\x00\x07\x00\x00\x00");
        assert_eq!(bytes[16..37], *b"\x01\x01o\x00\x0c\x00\x00\x00/org/example\x00");
        assert_eq!(bytes.len() % ALIGNMENT, 0);
    }

    #[test]
    fn the_other_order_of_bytes_is_read() {
        // An error without fields but the call that it answers, and without a body.
        let bytes = b"B\x03\x01\x01\0\0\0\0\0\0\0\x02\0\0\0\x08\x05\x01u\0\0\0\0\x09";
        assert_eq!(Message::length(bytes).unwrap(), Some(24));
        let message = Message::read(bytes).unwrap();
        assert_eq!((message.kind, message.answers()), (Kind::Error, NonZeroU32::new(9)));
    }

    #[test]
    fn lengths_are_bounded_before_anything_is_kept() {
        let mut bytes = sent(&());
        assert_eq!(Message::length(&bytes[..15]).unwrap(), None);
        bytes[7] = 0x7f;
        assert!(matches!(Message::length(&bytes), Err(Error::TooLong)));
        assert!(matches!(Message::length(b"HTTP/1.1 400 Bad Request"), Err(Error::Malformed(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::length(&bytes);
            let _ = Message::read(&bytes).map(|message| message.body::<(String, u32)>().is_ok());
        }

        #[test]
        fn no_change_of_a_message_makes_it_panic(at in 0_usize..200, by in any::<u8>()) {
            let mut bytes = sent(&("text", std::collections::HashMap::from([("a", Value::from(1_u8))])));
            let at = at.min(bytes.len().saturating_sub(1));
            bytes[at] ^= by;
            let _ = Message::length(&bytes);
            let read = Message::read(&bytes);
            let _ = read.map(|message| message.body::<(String, std::collections::HashMap<String, OwnedValue>)>().is_ok());
        }
    }
}
