//! What an answer says went wrong, in each of the three forms in which AWS writes it.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use crate::wire::limits;

/// An error that a service answered with: `<ErrorResponse>` (Query), `<Response><Errors>` (EC2), or a bare `<Error>` (S3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// Its code, such as `AccessDenied`.
    pub code: String,
    /// Its message; empty where there is none.
    pub message: String,
    /// The request it belongs to, where the answer says so.
    pub request_id: Option<String>,
}

impl Failure {
    /// Reads an answer; `None` where it has no error with a code, is no XML, or is larger or deeper than the
    /// [`limits`] allow. Of several errors the first.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        if body.len() > limits::ERROR_BYTES {
            return None;
        }
        let mut reader = Reader::from_str(str::from_utf8(body).ok()?);
        let mut path: Vec<String> = Vec::new();
        let mut text = String::new();
        let (mut code, mut message, mut request_id) = (None, None, None);
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => {
                    if path.len() >= limits::ERROR_DEPTH {
                        return None;
                    }
                    path.push(tag.local_name().as_ref().to_owned());
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part.into_inner()),
                Event::CData(part) => text.push_str(&part.into_inner()),
                Event::GeneralRef(name) => text.push_str(&unescape(&format!("&{};", name.into_inner())).ok()?),
                Event::End(_) => {
                    let field = match path.as_slice() {
                        [.., parent, name] if parent == "Error" && name == "Code" => Some(&mut code),
                        [.., parent, name] if parent == "Error" && name == "Message" => Some(&mut message),
                        [_, .., name] if name == "RequestId" || name == "RequestID" => Some(&mut request_id),
                        _ => None,
                    };
                    if let Some(field) = field {
                        field.get_or_insert_with(|| text.clone());
                    }
                    path.pop();
                }
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        // A document that ends within an element was cut off; what it says so far is not what was sent.
        let whole = path.is_empty();
        let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let code = trimmed(code).filter(|_| whole)?;
        // A message is kept to the letter: one of STS's ends with a space.
        Some(Self { code, message: message.unwrap_or_default(), request_id: trimmed(request_id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: &str, message: &str, id: Option<&str>) -> Option<Failure> {
        Some(Failure { code: code.into(), message: message.into(), request_id: id.map(Into::into) })
    }

    #[test]
    fn all_three_forms_are_read() {
        let query = "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\n  \
                     <Error>\n <Type>Sender</Type>\n <Code>NoSuchEntity</Code>\n <Message>a &lt;b&gt; &#38; c&apos;\
                     </Message></Error>\n  <RequestId>id-1</RequestId>\n</ErrorResponse>";
        assert_eq!(Failure::read(query.as_bytes()), failure("NoSuchEntity", "a <b> & c'", Some("id-1")));
        let ec2 = "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error><Error><Code>Other\
                   </Code></Error></Errors><RequestID>id-2</RequestID></Response>";
        assert_eq!(Failure::read(ec2.as_bytes()), failure("AuthFailure", "no", Some("id-2")));
        let s3 = "<Error><Code>AccessDenied</Code><Message><![CDATA[<x>]]></Message><RequestId>3</RequestId></Error>";
        assert_eq!(Failure::read(s3.as_bytes()), failure("AccessDenied", "<x>", Some("3")));
        assert_eq!(Failure::read(b"<Error><Code>X</Code></Error>"), failure("X", "", None));
    }

    #[test]
    fn what_is_no_error_is_none() {
        let deep = format!("<Error><Code>X</Code></Error>{}", "<a>".repeat(20));
        let large = format!("<Error><Code>X</Code></Error>{}", " ".repeat(limits::ERROR_BYTES));
        for text in [
            "",
            "not XML",
            "<html><body>502</body></html>",
            "<Error><Code> </Code></Error>",
            "<Code>X</Code>",
            "<Error><Code>X</Code>",
            "<Error><Code>X</Error></Code>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>",
            "<Error><Code>&a;</Code></Error>",
            &deep,
            &large,
        ] {
            assert_eq!(Failure::read(text.as_bytes()), None, "{text:.80}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let message = "signature: \r\n<&>\"' ü \0";
        let written = super::super::error(super::super::IAM, 403, "SignatureDoesNotMatch", message, "id");
        let read = Failure::read(written.as_bytes());
        assert_eq!(read, failure("SignatureDoesNotMatch", "signature: \r\n<&>\"' ü \u{fffd}", Some("id")));
    }
}
