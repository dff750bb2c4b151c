//! The dialect, line by line.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::file::{Error, File, Header, Kind, MOST, Problem, Section, Text, Value};

/// Reads one file. What can't be read is kept with what it belongs to.
pub(super) fn file(kind: Kind, text: &Text<'_>) -> File {
    let file = File { name: text.name.to_owned(), sections: BTreeMap::new(), strays: Vec::new() };
    let bytes = text.bytes.unwrap_or_default();
    let mut reader = Reader { kind, file, at: At::Nowhere, property: None };
    if bytes.len() > MOST {
        reader.file.strays.push(Error::TooLong { file: text.name.to_owned() });
        return reader.file;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if let Err(problem) = reader.line(line) {
            reader.note(Error::Line { file: text.name.to_owned(), line: index.saturating_add(1), problem });
        }
    }
    reader.file
}

/// Where the lines belong that are read now.
enum At {
    /// Above the first section.
    Nowhere,
    /// Below a section whose name couldn't be read: its properties are lost with it, and told once.
    Lost,
    Section(Header),
}

struct Reader {
    kind: Kind,
    file: File,
    at: At,
    /// The property that deeper lines continue, and how deep it is itself.
    property: Option<(String, usize)>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let inner = line.trim_ascii();
        if inner.is_empty() || inner.starts_with(b"#") || inner.starts_with(b";") {
            return Ok(());
        }
        let indentation = line.len().saturating_sub(line.trim_ascii_start().len());
        let text = std::str::from_utf8(inner).map_err(|_| Problem::NotText)?;
        match self.property.take() {
            Some((name, depth)) if indentation > depth => {
                let result = self.section().map_or(Ok(()), |section| continue_value(section, &name, text));
                self.property = Some((name, depth));
                result
            }
            _ if text.starts_with('[') => self.header(text),
            _ => self.property(text, indentation),
        }
    }

    fn header(&mut self, text: &str) -> Result<(), Problem> {
        self.at = At::Lost;
        let (name, rest) = text.strip_prefix('[').and_then(|text| text.split_once(']')).ok_or(Problem::Header)?;
        let rest = rest.trim();
        if !(rest.is_empty() || rest.starts_with(['#', ';'])) {
            return Err(Problem::Header);
        }
        let header = header(self.kind, name.trim());
        self.file.sections.entry(header.clone()).or_default();
        self.at = At::Section(header);
        Ok(())
    }

    fn property(&mut self, text: &str, indentation: usize) -> Result<(), Problem> {
        match self.at {
            At::Nowhere => return Err(Problem::NoSection),
            At::Lost => return Ok(()),
            At::Section(_) => {}
        }
        let (name, value) = name_and_value(text).map_err(|missing| match missing {
            Missing::Equals => Problem::NoEquals,
            Missing::Name => Problem::NoName,
        })?;
        if let Some(section) = self.section() {
            section.properties.insert(name.clone(), Value { text: value, nested: BTreeMap::new() });
        }
        self.property = Some((name, indentation));
        Ok(())
    }

    fn section(&mut self) -> Option<&mut Section> {
        match &self.at {
            At::Section(header) => self.file.sections.get_mut(header),
            At::Nowhere | At::Lost => None,
        }
    }

    fn note(&mut self, error: Error) {
        match self.section() {
            Some(section) => section.problems.push(error),
            None => self.file.strays.push(error),
        }
    }
}

/// What a section is. Names with spaces stand in quotation marks in the config file, behind the word that says what they
/// name; in the credentials file everything is a profile's name.
fn header(kind: Kind, text: &str) -> Header {
    if kind == Kind::Credentials {
        return Header::Profile(text.to_owned());
    }
    let other = || Header::Other(text.to_owned());
    let Some((sort, name)) = text.split_once([' ', '\t']) else {
        return if text == "default" { Header::Default } else { other() };
    };
    // Words as botocore has them; what is one word too many is no name for anybody.
    let words = shlex::split(name.trim()).unwrap_or_default();
    let [name] = words.as_slice() else { return other() };
    match sort {
        "profile" => Header::Profile(name.clone()),
        "services" => Header::Services(name.clone()),
        _ => other(),
    }
}

enum Missing {
    Equals,
    Name,
}

/// `name = value # comment`; names are compared without regard to case.
fn name_and_value(text: &str) -> Result<(String, Zeroizing<String>), Missing> {
    let (name, value) = text.split_once('=').ok_or(Missing::Equals)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(Missing::Name);
    }
    let space = |c: char| c == ' ' || c == '\t';
    let comment = value.match_indices(['#', ';']).map(|(at, _)| at);
    let mut comment = comment.filter(|at| value.get(..*at).is_some_and(|before| before.ends_with(space)));
    let value = comment.next().and_then(|at| value.get(..at)).unwrap_or(value).trim();
    Ok((name.to_ascii_lowercase(), Zeroizing::new(value.to_owned())))
}

/// A line that is deeper than the property above it: more of its value, or, where that is empty, a property of its own.
fn continue_value(section: &mut Section, name: &str, text: &str) -> Result<(), Problem> {
    let value = section.properties.entry(name.to_owned()).or_default();
    if value.text.is_empty() {
        let (name, inner) = name_and_value(text).map_err(|_| Problem::Nested)?;
        value.nested.insert(name, inner);
        return Ok(());
    }
    // Room for the whole from the start: a growing string leaves copies behind.
    let room = value.text.len().saturating_add(text.len()).saturating_add(1);
    let mut longer = Zeroizing::new(String::with_capacity(room));
    longer.push_str(&value.text);
    longer.push('\n');
    longer.push_str(text);
    value.text = longer;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Files;
    use super::*;

    fn config(text: &str) -> Files {
        let config = Text { name: "config", bytes: Some(text.as_bytes()) };
        Files::parse(&config, &Text { name: "credentials", bytes: None })
    }

    /// What a property of profile `a` is.
    fn value(text: &str, name: &str) -> Option<String> {
        config(text).profile("a").unwrap().unwrap().get(name).map(str::to_owned)
    }

    fn problem(text: &str) -> (usize, Problem) {
        match config(text).profile("a").unwrap_err() {
            Error::Line { line, problem, .. } => (line, problem),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn headers_are_read_in_all_their_forms() {
        for text in [
            "[profile a]",
            "[profile\ta]",
            "[ profile \t a \t]",
            "[profile 'a'] # x",
            "[profile \"a\"];x",
            "  [profile a]",
        ] {
            assert_eq!(config(text).names(), ["a"], "{text}");
        }
        assert_eq!(config("[profile \"a b\"]").names(), ["a b"]);
        assert_eq!(
            config("[profile some-thing:long/the_one%only.foo@bar+]").names(),
            ["some-thing:long/the_one%only.foo@bar+"]
        );
        for text in
            ["[a]", "[profilea]", "[profile a b]", "[profile]", "[Profile a]", "[]", "[profile it's]", "[a profile]"]
        {
            assert!(config(text).names().is_empty(), "{text}");
            assert!(config(text).stray().is_none(), "{text}");
        }
        for text in ["[profile a", "[profile a] b", "[", "[profile a\n]"] {
            assert!(config(text).names().is_empty(), "{text}");
            assert!(
                matches!(config(text).stray(), Some(Error::Line { line: 1, problem: Problem::Header, .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_trimmed_and_lose_comments_behind_white_space() {
        let text = "\u{feff}[profile a]\r\nNAME \t=  \tvalue \t\r\nB = v # c ; d\nc = v;c\nd = v#c\ne = a=b\nf =\ng = # c\nh = é 😂";
        for (name, expected) in [
            ("name", Some("value")),
            ("b", Some("v")),
            ("c", Some("v;c")),
            ("d", Some("v#c")),
            ("e", Some("a=b")),
            ("f", None),
            ("g", None),
            ("h", Some("é 😂")),
        ] {
            assert_eq!(value(text, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn deeper_lines_continue_a_value_with_all_that_stands_there() {
        let text = "[profile a]\nx = one\n\n \t two ; three \n# comment\n  # comment\n\t[four]\ny = z";
        assert_eq!(value(text, "x").as_deref(), Some("one\ntwo ; three\n[four]"));
        assert_eq!(value(text, "y").as_deref(), Some("z"));
    }

    #[test]
    fn a_section_that_is_indented_as_a_whole_has_properties() {
        let text = "  [profile a]\n  x = one\n  y = two\n    more\n z = three";
        assert_eq!(value(text, "x").as_deref(), Some("one"));
        assert_eq!(value(text, "y").as_deref(), Some("two\nmore"));
        assert_eq!(value(text, "z").as_deref(), Some("three"));
    }

    #[test]
    fn sections_and_properties_that_repeat_are_merged() {
        let text = "[profile a]\nx = one\ny = one\nX = two\n[profile b]\nx = no\n[profile a]\ny = three";
        assert_eq!(value(text, "x").as_deref(), Some("two"));
        assert_eq!(value(text, "y").as_deref(), Some("three"));
    }

    #[test]
    fn what_cannot_be_read_has_its_line() {
        assert_eq!(problem("[profile a]\nx : one"), (2, Problem::NoEquals));
        assert_eq!(problem("[profile a]\n\n = one"), (3, Problem::NoName));
        assert_eq!(problem("[profile a]\ns3 =\n  nonsense"), (3, Problem::Nested));
        assert_eq!(problem("[profile a]\ns3 =\n  = x"), (3, Problem::Nested));
        assert_eq!(problem("[profile a]\nx = y\n[profile a]\n  nonsense"), (4, Problem::NoEquals));
        let stray = config("x = y\n[profile a]\n");
        assert!(matches!(stray.stray(), Some(Error::Line { line: 1, problem: Problem::NoSection, .. })));
        assert!(stray.profile("a").is_ok());
    }

    #[test]
    fn properties_below_a_lost_section_are_told_once() {
        let files = config("[profile a]\nx = one\n[profile b\nx = two\nnonsense\n[profile c]\n");
        assert_eq!(files.profile("a").unwrap().unwrap().get("x"), Some("one"));
        assert_eq!(files.file_strays(), 1);
    }

    impl Files {
        fn file_strays(&self) -> usize {
            self.config.strays.len()
        }
    }
}
