//! The shared `config` and `credentials` files, as "AWS SDKs and Tools Reference Guide", "Shared `config` and
//! `credentials` files", describes them.
//!
//! The parser is our own because the dialect is AWS's own: indentation nests, sections carry a kind, two files make one
//! profile, and the only kept crate that reads it is the SDK itself. Where its readers differ, the one that reads more
//! is followed:
//!
//! - A comment may follow a value behind white space. So the SDKs have it; botocore takes it for a part of the value.
//! - A whole section may be indented, and comments may. So botocore has it; the SDKs refuse both.
//! - A line that can't be read stands in the way of the profiles it may belong to, and of no other. Botocore and the
//!   SDKs refuse the whole file then; but keys of one profile shouldn't fail on a slip in the next.
//! - A section or property that is there twice is merged, the last value counts. So the SDKs have it; botocore refuses.

mod file;
mod parse;

use std::collections::BTreeMap;
#[cfg(test)]
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

pub use file::{Error, Kind, MOST, Problem, Text};
use file::{File, Header, Section};

/// Both files.
#[derive(Debug, Clone)]
pub struct Files {
    config: File,
    credentials: File,
}

/// A profile, from both files.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    name: &'a str,
    config: Option<&'a Section>,
    credentials: Option<&'a Section>,
}

impl Files {
    /// Reads both files where they are; one that isn't there is empty. `shown` makes of a path what messages say.
    ///
    /// A file that can't be read isn't an error yet: callers that find nothing ask [`Files::stray`].
    #[must_use]
    pub fn read(config: Option<&Path>, credentials: Option<&Path>, shown: &dyn Fn(&Path) -> String) -> Self {
        let file = |path: Option<&Path>, kind| {
            let name = path.map(shown).unwrap_or_default();
            match path.map_or(Ok(None), read) {
                Ok(bytes) => {
                    let bytes = bytes.as_ref().map(|bytes| bytes.as_slice());
                    parse::file(kind, &Text { name: &name, bytes })
                }
                Err(error) => {
                    let stray = Error::Unreadable { file: name.clone(), reason: error.to_string() };
                    File { name, sections: BTreeMap::new(), strays: vec![stray] }
                }
            }
        };
        Self { config: file(config, Kind::Config), credentials: file(credentials, Kind::Credentials) }
    }

    /// The same from what the files hold.
    #[must_use]
    pub fn parse(config: &Text<'_>, credentials: &Text<'_>) -> Self {
        Self { config: parse::file(Kind::Config, config), credentials: parse::file(Kind::Credentials, credentials) }
    }

    /// How messages name a file.
    #[must_use]
    pub fn name(&self, kind: Kind) -> &str {
        match kind {
            Kind::Config => &self.config.name,
            Kind::Credentials => &self.credentials.name,
        }
    }

    /// A profile, if one of the files has it.
    ///
    /// # Errors
    ///
    /// The first of its lines that can't be read.
    pub fn profile<'a>(&'a self, name: &'a str) -> Result<Option<Profile<'a>>, Error> {
        let named = Header::Profile(name.to_owned());
        let config = self.config.sections.get(&named);
        let config = config.or_else(|| self.config.sections.get(&Header::Default).filter(|_| name == "default"));
        let credentials = self.credentials.sections.get(&named);
        if config.is_none() && credentials.is_none() {
            return Ok(None);
        }
        for section in [config, credentials].into_iter().flatten() {
            section.readable()?;
        }
        Ok(Some(Profile { name, config, credentials }))
    }

    /// What a `[services NAME]` section says about a service: `setting` below `service`. The outer `None`: there is no
    /// such section.
    ///
    /// # Errors
    ///
    /// The first of the section's lines that can't be read.
    pub fn services(&self, name: &str, service: &str, setting: &str) -> Result<Option<Option<&str>>, Error> {
        let Some(section) = self.config.sections.get(&Header::Services(name.to_owned())) else { return Ok(None) };
        section.readable()?;
        let nested = section.properties.get(service).and_then(|value| value.nested.get(setting));
        Ok(Some(nested.map(|text| text.as_str()).filter(|text| !text.is_empty())))
    }

    /// The names of all profiles, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let headers = self.config.sections.keys().chain(self.credentials.sections.keys());
        let mut names: Vec<&str> = headers
            .filter_map(|header| match header {
                Header::Default => Some("default"),
                Header::Profile(name) => Some(name.as_str()),
                Header::Services(_) | Header::Other(_) => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Where a profile stands under a name that this file doesn't read so: `[NAME]` in the config file, `[profile NAME]`
    /// in the credentials file.
    #[must_use]
    pub fn misnamed(&self, name: &str) -> Option<Kind> {
        let bare = Header::Other(name.to_owned());
        let prefixed = Header::Profile(format!("profile {name}"));
        match () {
            () if self.config.sections.contains_key(&bare) => Some(Kind::Config),
            () if self.credentials.sections.contains_key(&prefixed) => Some(Kind::Credentials),
            () => None,
        }
    }

    /// The first thing that belongs to no profile or hid one: a file that can't be read, a section without its end. It
    /// is worth telling when what was looked for isn't found.
    #[must_use]
    pub fn stray(&self) -> Option<&Error> {
        self.credentials.strays.iter().chain(&self.config.strays).next()
    }
}

impl<'a> Profile<'a> {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The value of a property that has one; the credentials file's before the config file's.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.get_in(Kind::Credentials, name).or_else(|| self.get_in(Kind::Config, name))
    }

    /// The value of a property in one of the files.
    #[must_use]
    pub fn get_in(&self, kind: Kind, name: &str) -> Option<&'a str> {
        let section = match kind {
            Kind::Config => self.config,
            Kind::Credentials => self.credentials,
        };
        section.and_then(|section| section.get(name))
    }
}

/// What a file holds; none where there is no such file. Never more than one byte past [`MOST`].
fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match crate::file::open(path, crate::file::Streams::Taken) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // Room from the start: a growing buffer leaves copies of keys behind. The length is a hint, pipes have none.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let room = usize::try_from(length).unwrap_or(MOST).clamp(4096, MOST).saturating_add(64);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str, credentials: &str) -> Files {
        let config = Text { name: "config", bytes: Some(config.as_bytes()) };
        Files::parse(&config, &Text { name: "credentials", bytes: Some(credentials.as_bytes()) })
    }

    fn line(file: &str, line: usize, problem: Problem) -> Error {
        Error::Line { file: file.to_owned(), line, problem }
    }

    #[test]
    fn the_credentials_file_wins_property_by_property() {
        let files = files("[profile a]\nregion = one\noutput = json\n", "[a]\nregion = two\n");
        let profile = files.profile("a").unwrap().unwrap();
        assert_eq!(profile.get("region"), Some("two"));
        assert_eq!(profile.get_in(Kind::Config, "region"), Some("one"));
        assert_eq!(profile.get("output"), Some("json"));
    }

    #[test]
    fn a_default_profile_with_its_prefix_hides_the_one_without() {
        let files = files("[profile default]\nregion = one\n[default]\nregion = two\noutput = json", "");
        let profile = files.profile("default").unwrap().unwrap();
        assert_eq!((profile.get("region"), profile.get("output")), (Some("one"), None));
        assert_eq!(files.names(), ["default"]);
    }

    #[test]
    fn a_line_that_cannot_be_read_stops_the_profile_it_is_in_and_no_other() {
        let files = files("[profile a]\nnonsense\n[profile b]\nregion = one\n[profile c", "[a]\n[b]\n= x");
        assert_eq!(files.profile("a").unwrap_err(), line("config", 2, Problem::NoEquals));
        assert_eq!(files.profile("b").unwrap_err(), line("credentials", 3, Problem::NoName));
        assert!(files.profile("c").unwrap().is_none());
        assert_eq!(files.stray(), Some(&line("config", 5, Problem::Header)));
    }

    #[test]
    fn bytes_that_are_no_text_stop_nothing_in_a_comment() {
        let config = Text { name: "config", bytes: Some(b"# t\xe9\n[profile a]\nregion = one\n[profile b]\nx = \xe9") };
        let files = Files::parse(&config, &Text { name: "credentials", bytes: None });
        assert_eq!(files.profile("a").unwrap().unwrap().get("region"), Some("one"));
        assert_eq!(files.profile("b").unwrap_err(), line("config", 5, Problem::NotText));
    }

    #[test]
    fn profiles_under_the_other_files_names_are_found_for_the_message() {
        let files = files("[a]\n[services s]\n[sso-session t]\n", "[profile b]\n[ c ]");
        assert_eq!(files.misnamed("a"), Some(Kind::Config));
        assert_eq!(files.misnamed("b"), Some(Kind::Credentials));
        assert_eq!(files.misnamed("c"), None);
        assert_eq!(files.names(), ["c", "profile b"]);
    }

    #[test]
    fn what_is_nested_below_a_service_is_found() {
        let files = files("[services s]\niam =\n  endpoint_url = https://one # mine\n\n  x = y\nsts = \n", "");
        assert_eq!(files.services("s", "iam", "endpoint_url").unwrap(), Some(Some("https://one")));
        assert_eq!(files.services("s", "sts", "endpoint_url").unwrap(), Some(None));
        assert_eq!(files.services("t", "sts", "endpoint_url").unwrap(), None);
    }

    #[test]
    fn a_file_that_is_too_long_or_no_file_is_told_and_one_that_is_missing_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        let long = directory.path().join("long");
        fs::write(&long, vec![b'\n'; MOST + 1]).unwrap();
        let shown = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let files = Files::read(Some(&long), Some(&directory.path().join("missing")), &shown);
        assert_eq!(files.stray(), Some(&Error::TooLong { file: "long".to_owned() }));
        let files = Files::read(Some(&directory.path().join("missing")), None, &shown);
        assert_eq!((files.stray(), files.names()), (None, vec![]));
        let files = Files::read(Some(directory.path()), None, &shown);
        assert!(matches!(files.stray(), Some(Error::Unreadable { .. })));
    }

    #[test]
    fn debug_never_shows_a_value() {
        let files = files("[profile a]\ncredential_process = hidden\ns3 =\n  x = hidden", "[a]\nsecret = hidden");
        assert!(!format!("{files:?}").contains("hidden"));
        let text = Text { name: "config", bytes: Some(b"hidden") };
        assert_eq!(format!("{text:?}"), r#"Text { name: "config", .. }"#);
    }
}
