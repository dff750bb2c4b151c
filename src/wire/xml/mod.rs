//! XML answers of the AWS Query protocol: `<XResponse><XResult>…</XResult><ResponseMetadata>…`, and its errors.
//!
//! [`answer`], [`acknowledgement`] and [`error`] write, [`Failure::read`] reads what went wrong. A [`Writer`] closes
//! what it opens, however it is called, and can't fail.
//!
//! ```
//! use vmfa::wire::xml;
//!
//! let devices = [("arn:aws:iam::123456789012:mfa/alice", "alice")];
//! let answer = xml::answer("ListMFADevices", xml::IAM, "4a6f", |result| {
//!     result.list("MFADevices", devices, |member, (serial, user)| {
//!         member.text("UserName", user);
//!         member.text("SerialNumber", serial);
//!     });
//!     result.flag("IsTruncated", false);
//! });
//! assert!(answer.starts_with("<ListMFADevicesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
//! ```

mod failure;

use std::fmt::{self, Write as _};

use quick_xml::escape::escape;
use zeroize::Zeroizing;

use crate::time::Timestamp;

pub use failure::Failure;

/// The namespace of IAM's answers.
pub const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The namespace of STS's answers.
pub const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Content of an element that is being written. Values may be secrets: the text is wiped when dropped.
pub struct Writer {
    text: Zeroizing<String>,
}

/// The answer to an action, with its result.
#[must_use]
pub fn answer(action: &str, namespace: &str, request_id: &str, result: impl FnOnce(&mut Writer)) -> Zeroizing<String> {
    response(action, namespace, request_id, |writer| writer.element([action, "Result"], None, result))
}

/// The answer to an action that has no result.
#[must_use]
pub fn acknowledgement(action: &str, namespace: &str, request_id: &str) -> Zeroizing<String> {
    response(action, namespace, request_id, |_| {})
}

/// The answer that says what went wrong; a status below 500 is the sender's fault.
#[must_use]
pub fn error(namespace: &str, status: u16, code: &str, message: &str, request_id: &str) -> Zeroizing<String> {
    document(["Error", "Response"], namespace, |writer| {
        writer.open("Error", |error| {
            error.text("Type", if status < 500 { "Sender" } else { "Receiver" });
            error.text("Code", code);
            error.text("Message", message);
        });
        writer.text("RequestId", request_id);
    })
}

/// A document without a namespace, as EC2 and S3 answer.
#[must_use]
pub fn bare(root: &str, content: impl FnOnce(&mut Writer)) -> Zeroizing<String> {
    let mut writer = Writer::new();
    writer.open(root, content);
    writer.text
}

fn response(action: &str, namespace: &str, request_id: &str, content: impl FnOnce(&mut Writer)) -> Zeroizing<String> {
    document([action, "Response"], namespace, |writer| {
        content(writer);
        writer.open("ResponseMetadata", |metadata| metadata.text("RequestId", request_id));
    })
}

fn document(root: [&str; 2], namespace: &str, content: impl FnOnce(&mut Writer)) -> Zeroizing<String> {
    let mut writer = Writer::new();
    writer.element(root, Some(namespace), content);
    writer.text
}

/// Room for most answers: what grows is copied. Allocators keep pieces below 1 KiB at hand.
const ROOM: usize = 1_000;

impl Writer {
    fn new() -> Self {
        Self { text: Zeroizing::new(String::with_capacity(ROOM)) }
    }

    /// An element with text.
    pub fn text(&mut self, name: &str, value: &str) {
        let inside = self.begin([name, ""], None);
        self.escaped(value);
        self.end([name, ""], inside);
    }

    /// An element with text, where there is one.
    pub fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, value: impl Into<i128>) {
        self.shown(name, &value.into());
    }

    /// A time, in UTC and whole seconds.
    pub fn time(&mut self, name: &str, value: Timestamp) {
        self.shown(name, &value);
    }

    /// What has no special character.
    fn shown(&mut self, name: &str, value: &dyn fmt::Display) {
        let inside = self.begin([name, ""], None);
        // Writing to a string can't fail.
        let _ = write!(self.text, "{value}");
        self.end([name, ""], inside);
    }

    /// An element with elements in it.
    pub fn open(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element([name, ""], None, content);
    }

    /// An element with a `<member>` for each item.
    pub fn list<I: IntoIterator>(&mut self, name: &str, items: I, mut content: impl FnMut(&mut Self, I::Item)) {
        self.open(name, |list| {
            for item in items {
                list.open("member", |member| content(member, item));
            }
        });
    }

    /// An element with a `<member>` for each text.
    pub fn texts<I: IntoIterator<Item: AsRef<str>>>(&mut self, name: &str, items: I) {
        self.list(name, items, |member, item| member.escaped(item.as_ref()));
    }

    fn element(&mut self, name: [&str; 2], namespace: Option<&str>, content: impl FnOnce(&mut Self)) {
        let inside = self.begin(name, namespace);
        content(self);
        self.end(name, inside);
    }

    /// Writes a start tag, its name in two parts; gives the place behind it.
    fn begin(&mut self, name: [&str; 2], namespace: Option<&str>) -> usize {
        self.text.push('<');
        self.name(name);
        if let Some(namespace) = namespace {
            self.text.push_str(" xmlns=\"");
            self.escaped(namespace);
            self.text.push('"');
        }
        self.text.push('>');
        self.text.len()
    }

    /// Writes the end tag, or makes the start tag one of an empty element.
    fn end(&mut self, name: [&str; 2], inside: usize) {
        if self.text.len() == inside {
            self.text.pop();
            self.text.push_str("/>");
        } else {
            self.text.push_str("</");
            self.name(name);
            self.text.push('>');
        }
    }

    /// Writes the name of an element, with `_` for each character that an XML name can't have; those of the API are letters
    /// and digits throughout.
    fn name(&mut self, [first, rest]: [&str; 2]) {
        if matches!(first.chars().chain(rest.chars()).next(), None | Some('0'..='9' | '-' | '.')) {
            self.text.push('_');
        }
        for part in [first, rest] {
            if part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                self.text.push_str(part);
            } else {
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
                self.text.extend(part.chars().map(|c| if is_name(c) { c } else { '_' }));
            }
        }
    }

    /// XML 1.0, section 2.2, has no way to write most control characters, not even escaped: U+FFFD stands for them, as
    /// an answer that nobody can read would be worse. A carriage return is escaped: parsers turn a bare one into a line
    /// feed (section 2.11).
    fn escaped(&mut self, value: &str) {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'');
        if value.bytes().all(is_plain) {
            return self.text.push_str(value);
        }
        let mut rest = value;
        while let Some((index, character)) = rest.char_indices().find(|(_, character)| is_special(*character)) {
            let (before, after) = rest.split_at(index);
            self.text.push_str(&escape(before));
            self.text.push_str(if character == '\r' { "&#13;" } else { "\u{fffd}" });
            rest = after.strip_prefix(character).unwrap_or_default();
        }
        self.text.push_str(&escape(rest));
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} bytes)", self.text.len())
    }
}

fn is_special(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_shape_of_the_query_protocol() {
        let answer = answer("GetUser", IAM, "id-1", |result| {
            result.open("User", |user| {
                user.text("UserName", "a<b>&\"c'");
                user.optional("Path", None);
                user.number("Count", 3_u32);
                user.time("CreateDate", Timestamp::from_unix(1_440_938_160));
                user.texts("Names", ["x", "y"]);
                user.texts("None", [""; 0]);
                user.list("Tags", [1_u32, 2], |tag, key| tag.number("Key", key));
            });
            result.flag("IsTruncated", true);
        });
        assert_eq!(
            *answer,
            "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult><User>\
             <UserName>a&lt;b&gt;&amp;&quot;c&apos;</UserName><Count>3</Count>\
             <CreateDate>2015-08-30T12:36:00Z</CreateDate><Names><member>x</member><member>y</member></Names><None/>\
             <Tags><member><Key>1</Key></member><member><Key>2</Key></member></Tags></User>\
             <IsTruncated>true</IsTruncated></GetUserResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetUserResponse>"
        );
    }

    #[test]
    fn an_action_without_a_result_is_acknowledged() {
        assert_eq!(
            *acknowledgement("EnableMFADevice", IAM, "id-1"),
            "<EnableMFADeviceResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>\
             <RequestId>id-1</RequestId></ResponseMetadata></EnableMFADeviceResponse>"
        );
    }

    #[test]
    fn an_error_says_whose_fault_it_is() {
        assert_eq!(
            *error(STS, 403, "AccessDenied", "no & never", "id-1"),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>no &amp; never</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
        );
        assert!(error(IAM, 500, "ServiceFailure", "", "").contains("<Type>Receiver</Type>"));
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        let answer = answer("X", STS, "", |result| result.text("a b<", "\0\u{1f}\u{fffe}\t\n\r]]>\u{7f}ü"));
        assert!(answer.contains("<a_b_>\u{fffd}\u{fffd}\u{fffd}\t\n&#13;]]&gt;\u{7f}ü</a_b_>"), "{}", *answer);
        assert_eq!(*bare("9", |_| {}), "<_9/>");
        assert_eq!(*bare("", |_| {}), "<_/>");
    }

    #[test]
    fn debug_never_shows_the_text() {
        let mut writer = Writer::new();
        writer.text("SecretAccessKey", "hidden");
        assert_eq!(format!("{writer:?}"), "Writer(41 bytes)");
    }
}
