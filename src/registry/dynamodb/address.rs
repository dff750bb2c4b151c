//! Which table a registry is in: `dynamodb://TABLE?region=REGION&endpoint=URL&profile=NAME`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What such an address begins with.
const SCHEME: &str = "dynamodb://";

/// The longest address that is read.
const LONGEST: usize = 2_048;

/// How long names of tables are ("Supported data types and naming rules in Amazon DynamoDB").
const TABLE: std::ops::RangeInclusive<usize> = 3..=255;

/// What a parameter shows as it is: an endpoint stays readable.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b'@');

/// Which table, and where. What isn't said comes from AWS's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    table: String,
    region: Option<String>,
    endpoint: Option<String>,
    profile: Option<String>,
}

/// Why a text isn't the address of a table. It never repeats what may be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAddress {
    /// Another kind of registry, or no URL.
    #[error("the URL of a registry in DynamoDB begins with {SCHEME}")]
    Scheme,
    /// Longer than any.
    #[error("a registry's URL has at most {LONGEST} characters")]
    TooLong,
    /// `KEY:SECRET@TABLE`.
    #[error("the URL of a registry in DynamoDB can't have keys: they come from the environment or a profile of ~/.aws")]
    Keys,
    /// Not a name that a table may have.
    #[error("the name of a table has 3 to 255 letters, digits and any of `_`, `-` and `.`")]
    Table,
    /// Behind the question mark.
    #[error("the registry's URL has a parameter `{0}`; known are region, endpoint and profile")]
    Parameter(String),
    /// What a parameter says.
    #[error("the {0} of the registry's URL can't be read")]
    Value(&'static str),
}

impl Address {
    /// Reads `dynamodb://TABLE[?region=…&endpoint=…&profile=…]`.
    ///
    /// # Errors
    ///
    /// [`NotAddress`], which part isn't one.
    pub fn parse(url: &str) -> Result<Self, NotAddress> {
        let rest = url.strip_prefix(SCHEME).ok_or(NotAddress::Scheme)?;
        if url.len() > LONGEST {
            return Err(NotAddress::TooLong);
        }
        let (table, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let table = table.strip_suffix('/').unwrap_or(table);
        if table.contains('@') {
            return Err(NotAddress::Keys);
        }
        if !TABLE.contains(&table.len()) || !table.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
            return Err(NotAddress::Table);
        }
        let mut address = Self { table: table.to_owned(), region: None, endpoint: None, profile: None };
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, place) = match name {
                "region" => ("region", &mut address.region),
                "endpoint" => ("endpoint", &mut address.endpoint),
                "profile" => ("profile", &mut address.profile),
                _ => return Err(NotAddress::Parameter(name.chars().take(40).collect())),
            };
            let value = percent_decode_str(value).decode_utf8().map_err(|_| NotAddress::Value(name))?;
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(NotAddress::Value(name));
            }
            // It would be stored, and shown.
            if name == "endpoint" && value.contains('@') {
                return Err(NotAddress::Keys);
            }
            *place = Some(value.into_owned());
        }
        Ok(address)
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The region, if it is named.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Another server than AWS's, if one is named.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The profile with the keys, if one is named.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }
}

/// As [`Address::parse`] reads it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.table)?;
        let named = [("region", &self.region), ("endpoint", &self.endpoint), ("profile", &self.profile)];
        let mut separator = '?';
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, "{separator}{name}={}", utf8_percent_encode(value, PLAIN))?;
                separator = '&';
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for url in [
            "dynamodb://vmfa",
            "dynamodb://My_table-1.x?region=eu-central-1",
            "dynamodb://vmfa?region=eu-central-1&endpoint=http://127.0.0.1:8000&profile=ci",
            "dynamodb://vmfa?profile=a%20b",
        ] {
            assert_eq!(Address::parse(url).unwrap().to_string(), url);
        }
        assert_eq!(
            Address::parse("dynamodb://vmfa/?endpoint=http%3A%2F%2F[::1]:1").unwrap().endpoint(),
            Some("http://[::1]:1")
        );
    }

    #[test]
    fn what_is_no_address_is_refused_and_keys_are_never_repeated() {
        for (url, expected) in [
            ("postgres://x", NotAddress::Scheme),
            ("dynamodb://", NotAddress::Table),
            ("dynamodb://ab", NotAddress::Table),
            ("dynamodb://a/b/c", NotAddress::Table),
            ("dynamodb://AKIAEXAMPLE:hidden@vmfa", NotAddress::Keys),
            ("dynamodb://vmfa?endpoint=http://a:hidden@b", NotAddress::Keys),
            ("dynamodb://vmfa?zone=x", NotAddress::Parameter("zone".to_owned())),
            ("dynamodb://vmfa?region=", NotAddress::Value("region")),
            ("dynamodb://vmfa?endpoint=%ff", NotAddress::Value("endpoint")),
            ("dynamodb://vmfa?profile=a%0Ab", NotAddress::Value("profile")),
        ] {
            let refused = Address::parse(url).unwrap_err();
            assert!(!refused.to_string().contains("hidden"));
            assert_eq!(refused, expected, "{url}");
        }
        let long = format!("dynamodb://vmfa?profile={}", "x".repeat(LONGEST));
        assert_eq!(Address::parse(&long), Err(NotAddress::TooLong));
    }
}
