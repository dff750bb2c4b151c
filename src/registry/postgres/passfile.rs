//! Password files: `HOST:PORT:DATABASE:USER:PASSWORD`, a line each, as libpq reads them.

use zeroize::Zeroizing;

use super::address::{Address, Host};

/// The password that a file's text has for an address: that of the first line whose fields are the address's or `*`.
/// `\\` takes the meaning from a colon or a backslash.
#[must_use]
pub fn password(text: &str, address: &Address) -> Option<Zeroizing<String>> {
    let (user, database) = (address.user()?, address.database()?);
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line);
        let [host, port, its_database, its_user, password] = fields.as_mut_slice() else { return None };
        let is = |field: &str, wanted: &str| field == "*" || field == wanted;
        let at_host = address.hosts().iter().any(|known| {
            let (name, its_port) = match known {
                Host::Tcp(name, port) => (name.as_str(), port),
                Host::Socket(_, port) => ("localhost", port),
            };
            is(host, name) && is(port, &its_port.to_string())
        });
        let found = at_host && is(its_database, database) && is(its_user, user);
        found.then(|| std::mem::take(password)).filter(|password| !password.is_empty())
    })
}

fn fields(line: &str) -> Vec<Zeroizing<String>> {
    let mut fields = vec![Zeroizing::new(String::with_capacity(line.len()))];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            // A password may have colons.
            ':' if fields.len() < 5 => fields.push(Zeroizing::new(String::with_capacity(line.len()))),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(characters.next())),
            _ => fields.last_mut().into_iter().for_each(|field| field.push(character)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let of = |text: &str, url: &str| {
            password(text, &Address::parse(url).unwrap()).map(|password| password.as_str().to_owned())
        };
        let text =
            "# db:5432:vmfa:ci:no\ndb:5432:vmfa:other:no\n*:*:vmfa:ci:a\\:b\\\\c:d\n*:*:*:*:last\nlocalhost:1:x:y:z\n";
        assert_eq!(of(text, "postgres://ci@db/vmfa").as_deref(), Some("a:b\\c:d"));
        assert_eq!(of(text, "postgres://me@db/vmfa").as_deref(), Some("last"));
        assert_eq!(of("localhost:1:x:y:z", "postgres://y@%2Frun:1/x").as_deref(), Some("z"));
        for (text, url) in [
            ("db:5432:vmfa:ci", "postgres://ci@db/vmfa"),
            ("db:5432:vmfa:ci:", "postgres://ci@db/vmfa"),
            ("db:5433:vmfa:ci:x", "postgres://ci@db/vmfa"),
            ("*:*:*:*:x", "postgres://db/vmfa"),
        ] {
            assert_eq!(of(text, url), None, "{text}");
        }
    }
}
