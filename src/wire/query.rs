//! The AWS Query protocol: `application/x-www-form-urlencoded` parameters, lists as `Name.member.N`, structures as
//! `Name.Field`.
//!
//! [`Parameters`] reads a body or a query string, [`Form`] writes one.
//!
//! ```
//! use vmfa::wire::query::{Form, Parameters};
//!
//! let body = Form::new("TagMFADevice", "2010-05-08")
//!     .pair("SerialNumber", "arn:aws:iam::123456789012:mfa/alice")
//!     .structs("Tags", [[("Key", "team"), ("Value", "ops & more")]])
//!     .body();
//! let parameters = Parameters::parse(body.as_bytes())?;
//! assert_eq!(parameters.get("Action"), Some("TagMFADevice"));
//! assert_eq!(parameters.structs("Tags")[0].get("Value"), Some("ops & more"));
//! # Ok::<(), vmfa::wire::query::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use zeroize::Zeroizing;

use super::{limits, percent};

/// Why bytes are no parameters; AWS answers with `MalformedQueryString`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than [`limits::BYTES`].
    #[error("the parameters have more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// More parameters than [`limits::PARAMETERS`].
    #[error("there are more than {limit} parameters")]
    TooMany {
        /// The limit that was passed.
        limit: usize,
    },
    /// A percent sign without two hexadecimal digits.
    #[error("parameter {index} has a broken percent escape")]
    Escape {
        /// Which, counted from 1.
        index: usize,
    },
    /// Bytes that are no UTF-8 once the escapes are undone.
    #[error("parameter {index} is not UTF-8")]
    NotUtf8 {
        /// Which, counted from 1.
        index: usize,
    },
}

/// Why names are no members of a list, in the words of IAM, which answers with `MalformedInput`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Something else than a number.
    #[error("Start of list found where not expected")]
    NotANumber,
    /// Zero: members are counted from 1.
    #[error("{index} is not a valid index")]
    Zero {
        /// As sent.
        index: String,
    },
    /// A negative number.
    #[error("Key {index} may not have a leading '-'")]
    Negative {
        /// As sent.
        index: String,
    },
    /// A gap of more members than the service fills.
    #[error("Excessively sparse input would skip {skipped} list elements")]
    Sparse {
        /// How many members are missing.
        skipped: u32,
    },
    /// The same number twice, spelled differently.
    #[error("{index} is not the only spelling of this index")]
    Ambiguous {
        /// As sent.
        index: String,
    },
}

impl IndexError {
    /// A member's number; leading zeros say nothing.
    fn read(text: &str) -> Result<u32, Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Self::NotANumber);
        }
        if digits.len() < text.len() {
            return Err(Self::Negative { index: text.to_owned() });
        }
        match digits.parse() {
            Ok(0) => Err(Self::Zero { index: text.to_owned() }),
            Ok(index) => Ok(index),
            Err(_) => Err(Self::Sparse { skipped: u32::MAX }),
        }
    }
}

/// The parameters of a request, by name.
///
/// A name that occurs twice has its first value, as AWS was measured to take the parameters of a signature. Values may
/// be secrets: they are wiped when dropped, and `Debug` shows the names only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Parameters(BTreeMap<String, Zeroizing<String>>);

impl Parameters {
    /// Reads a form body or a query string; empty parts between two `&` are skipped.
    ///
    /// # Errors
    ///
    /// Past the [`limits`]; broken escapes; names or values that aren't UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > limits::BYTES {
            return Err(Error::TooLarge { limit: limits::BYTES });
        }
        if bytes.iter().filter(|byte| **byte == b'&').count() >= limits::PARAMETERS {
            return Err(Error::TooMany { limit: limits::PARAMETERS });
        }
        let mut parameters = BTreeMap::new();
        for (index, part) in (1..).zip(bytes.split(|byte| *byte == b'&')) {
            if part.is_empty() {
                continue;
            }
            let part = str::from_utf8(part).map_err(|_| Error::NotUtf8 { index })?;
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name, index)?;
            parameters.entry(name).or_insert(Zeroizing::new(decoded(value, index)?));
        }
        Ok(Self(parameters))
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// All names with their values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The numbers of the members of a list, in order. Members that a gap leaves out are empty ones to the service, and
    /// [`list`](Self::list) and [`structs`](Self::structs) pass them over.
    ///
    /// # Errors
    ///
    /// What is no number, and a gap of more than [`limits::GAP`].
    pub fn indices(&self, name: &str) -> Result<Vec<u32>, IndexError> {
        let mut indices = BTreeMap::new();
        for (rest, _) in self.members(name) {
            let text = rest.split_once('.').map_or(rest, |(index, _)| index);
            let spelled = indices.entry(IndexError::read(text)?).or_insert(text);
            if *spelled != text {
                return Err(IndexError::Ambiguous { index: text.to_owned() });
            }
        }
        let mut last = 1;
        for index in indices.keys() {
            let skipped = index.saturating_sub(last);
            if skipped > limits::GAP {
                return Err(IndexError::Sparse { skipped });
            }
            last = *index;
        }
        Ok(indices.into_keys().collect())
    }

    /// The values of `NAME.member.1`, `NAME.member.2` and so on, by number; gaps are passed over. The empty list, which
    /// SDKs send as `NAME=`, and a list that isn't there are both empty.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        let mut members: Vec<_> =
            self.members(name).filter_map(|(rest, value)| Some((number(rest)?, value.as_str()))).collect();
        members.sort_unstable_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, value)| value).collect()
    }

    /// The structures `NAME.member.1.…`, `NAME.member.2.…` and so on, by number, each with its own names.
    #[must_use]
    pub fn structs(&self, name: &str) -> Vec<Self> {
        let mut members: BTreeMap<u32, Self> = BTreeMap::new();
        for (rest, value) in self.members(name) {
            let Some((index, field)) = rest.split_once('.') else { continue };
            let Some(index) = number(index) else { continue };
            members.entry(index).or_default().0.insert(field.to_owned(), value.clone());
        }
        members.into_values().collect()
    }

    /// What stands behind `LIST.member.`.
    fn members<'a>(&'a self, list: &str) -> impl Iterator<Item = (&'a str, &'a Zeroizing<String>)> {
        self.0
            .range::<str, _>((Bound::Included(list), Bound::Unbounded))
            .map_while(move |(name, value)| name.strip_prefix(list).map(|rest| (rest, value)))
            .filter_map(|(rest, value)| rest.strip_prefix(".member.").map(|rest| (rest, value)))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Parameters {
    /// Of a name that occurs twice the first value, as [`Parameters::parse`] has it.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            parameters.entry(name.to_owned()).or_insert_with(|| Zeroizing::new(value.to_owned()));
        }
        Self(parameters)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters ")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn decoded(text: &str, index: usize) -> Result<String, Error> {
    let bytes = percent::decode_form(text).map_err(|_| Error::Escape { index })?;
    String::from_utf8(bytes).map_err(|_| Error::NotUtf8 { index })
}

fn number(text: &str) -> Option<u32> {
    IndexError::read(text).ok()
}

/// The form body of a request, as a client sends it: parameters in the order in which they were given.
#[must_use = "a form does nothing until its body is sent"]
#[derive(Clone)]
pub struct Form {
    body: Zeroizing<String>,
    names: Vec<String>,
}

impl Form {
    /// The content type that goes with it.
    pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

    /// A request for an action of an API version, `2010-05-08` for IAM, `2011-06-15` for STS.
    pub fn new(action: &str, version: &str) -> Self {
        let empty = Self { body: Zeroizing::default(), names: Vec::new() };
        empty.pair("Action", action).pair("Version", version)
    }

    /// One parameter more.
    pub fn pair(mut self, name: &str, value: &str) -> Self {
        if !self.body.is_empty() {
            self.body.push('&');
        }
        self.body.push_str(&percent::encode(name.as_bytes()));
        self.body.push('=');
        self.body.push_str(&Zeroizing::new(percent::encode(value.as_bytes())));
        self.names.push(name.to_owned());
        self
    }

    /// One parameter more, where there is a value.
    pub fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    /// A list; an empty one as `NAME=`.
    pub fn list<I: IntoIterator<Item: AsRef<str>>>(self, name: &str, values: I) -> Self {
        let mut values = (1_u32..).zip(values).peekable();
        if values.peek().is_none() {
            return self.pair(name, "");
        }
        values.fold(self, |form, (number, value)| form.pair(&format!("{name}.member.{number}"), value.as_ref()))
    }

    /// A list of structures, each as its fields; an empty one as `NAME=`.
    pub fn structs<'a, I>(self, name: &str, items: I) -> Self
    where
        I: IntoIterator<Item: IntoIterator<Item = (&'a str, &'a str)>>,
    {
        let mut items = (1_u32..).zip(items).peekable();
        if items.peek().is_none() {
            return self.pair(name, "");
        }
        items.fold(self, |form, (number, fields)| {
            fields
                .into_iter()
                .fold(form, |form, (field, value)| form.pair(&format!("{name}.member.{number}.{field}"), value))
        })
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Zeroizing<String> {
        self.body
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form ")?;
        f.debug_list().entries(&self.names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_form_is_read_as_it_was_meant() {
        let parameters = parsed("Action=GetUser&&UserName=a+b%2Bc&Empty=&Bare&UserName=later&k%C3%A9y=%E1%88%B4=");
        let all: Vec<_> = parameters.iter().collect();
        assert_eq!(all, [("Action", "GetUser"), ("Bare", ""), ("Empty", ""), ("UserName", "a b+c"), ("kéy", "ሴ=")]);
        assert_eq!(parameters.get("username"), None);
        assert_eq!(parsed(""), Parameters::default());
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers_with_gaps_passed_over() {
        let text = "N.member.10=ten&N.member.002=two&N.member.1=one&N.member.0=no&N.member.x=no&N.member.%2B3=no\
                    &N.member.-3=no&N.member.4294967296=no&N.member.3.Key=no&N.members.1=no&N.member=no&M=";
        assert_eq!(parsed(text).list("N"), ["one", "two", "ten"]);
        assert!(parsed(text).list("M").is_empty());
        assert!(parsed(text).list("L").is_empty());
    }

    #[test]
    fn numbers_of_members_may_leave_out_ten() {
        let of = |indices: &[&str]| {
            let text: Vec<String> = indices.iter().map(|index| format!("N.member.{index}.Key=x")).collect();
            parsed(&text.join("&")).indices("N")
        };
        for (indices, numbers) in [
            (&["1"][..], &[1][..]),
            (&["01"], &[1]),
            (&["11"], &[11]),
            (&["1", "8", "15"], &[1, 8, 15]),
            (&["11", "21"], &[11, 21]),
        ] {
            assert_eq!(of(indices).unwrap(), numbers, "{indices:?}");
        }
        let sparse = |skipped| IndexError::Sparse { skipped };
        assert_eq!(of(&["12"]), Err(sparse(11)));
        assert_eq!(of(&["12", "1"]), Err(sparse(11)));
        assert_eq!(of(&["1", "2", "13"]), Err(sparse(11)));
        assert_eq!(of(&["4294967296"]), Err(sparse(u32::MAX)));
        for odd in ["%2B1", "one", "", "1x", "--1"] {
            assert_eq!(of(&[odd]), Err(IndexError::NotANumber), "{odd}");
        }
        assert_eq!(of(&["00"]), Err(IndexError::Zero { index: "00".to_owned() }));
        assert_eq!(of(&["-1"]), Err(IndexError::Negative { index: "-1".to_owned() }));
        assert_eq!(of(&["1", "01"]), Err(IndexError::Ambiguous { index: "1".to_owned() }));
    }

    #[test]
    fn structures_have_names_of_their_own() {
        let parameters =
            parsed("T.member.2.Key=b&T.member.1.Key=a&T.member.1.Value=1&T.member.1.In.member.1=x&T.member.3=no");
        let tags = parameters.structs("T");
        let all: Vec<Vec<_>> = tags.iter().map(|tag| tag.iter().collect()).collect();
        assert_eq!(all, [vec![("In.member.1", "x"), ("Key", "a"), ("Value", "1")], vec![("Key", "b")]]);
        assert_eq!(tags[0].list("In"), ["x"]);
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_is_read() {
        let large = vec![b'%'; limits::BYTES + 1];
        assert_eq!(Parameters::parse(&large), Err(Error::TooLarge { limit: limits::BYTES }));
        let many = "&".repeat(limits::PARAMETERS);
        assert_eq!(Parameters::parse(many.as_bytes()), Err(Error::TooMany { limit: limits::PARAMETERS }));
        let just = vec!["a=1"; limits::PARAMETERS].join("&");
        assert!(Parameters::parse(just.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(Parameters::parse(b"a=1&b=%4"), Err(Error::Escape { index: 2 }));
        assert_eq!(Parameters::parse(b"a=%ff"), Err(Error::NotUtf8 { index: 1 }));
        assert_eq!(Parameters::parse(b"a=1&&\xff=1"), Err(Error::NotUtf8 { index: 3 }));
    }

    #[test]
    fn a_form_written_is_the_form_read() {
        let form = Form::new("CreateUser", "2010-05-08")
            .pair("Path", "/a b/ü+&=%/")
            .optional("None", None)
            .list("Keys", ["x", "y z"])
            .list("NoKeys", [""; 0])
            .structs("Tags", [vec![("Key", "k"), ("Value", "v")], vec![("Key", "l")]]);
        let body = form.clone().body();
        assert_eq!(
            *body,
            "Action=CreateUser&Version=2010-05-08&Path=%2Fa%20b%2F%C3%BC%2B%26%3D%25%2F&Keys.member.1=x\
             &Keys.member.2=y%20z&NoKeys=&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l"
        );
        let read = parsed(&body);
        assert_eq!(read.get("Path"), Some("/a b/ü+&=%/"));
        assert_eq!(read.list("Keys"), ["x", "y z"]);
        assert_eq!(read.structs("Tags").len(), 2);
    }

    #[test]
    fn debug_never_shows_a_value() {
        let text = "TokenCode=123456&Action=x";
        assert_eq!(format!("{:?}", parsed(text)), r#"Parameters {"Action", "TokenCode"}"#);
        let form = Form::new("x", "y").pair("TokenCode", "123456");
        assert_eq!(format!("{form:?}"), r#"Form ["Action", "Version", "TokenCode"]"#);
    }
}
