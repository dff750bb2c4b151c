//! Portable Symmetric Key Container (RFC 6030): the seeds that come with hardware tokens. Plain, or encrypted under a
//! pre-shared key or a password.
//!
//! Signatures and keys encrypted to a certificate aren't read.

mod package;
mod seal;

use self::package::Package;
use self::seal::Seal;
use zeroize::Zeroizing;

use crate::exchange::element::{self, Element};
use crate::exchange::{Entries, Error, Export, Flaw, Importer, Input, Locked, MOST_ENTRIES};

pub(super) const IMPORTER: Importer =
    Importer { id: "pskc", title: "a key container (PSKC, RFC 6030)", recognizes, read };

const NAMESPACE: &str = "urn:ietf:params:xml:ns:keyprov:pskc";

/// How far into a file the root element begins, behind declarations and comments.
const HEAD: usize = 8 << 10;

fn recognizes(input: &Input<'_>) -> bool {
    let Some(text) = input.text.filter(|text| text.trim_start().starts_with('<')) else { return false };
    let end = text.char_indices().nth(HEAD).map_or(text.len(), |(at, _)| at);
    let head = text.get(..end).unwrap_or_default();
    head.contains("KeyContainer") && head.contains(NAMESPACE)
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let text = input.text.ok_or(Error::Unrecognized)?;
    let mut found = Entries::default();
    let mut encrypted = false;
    let container = element::each(text, "KeyPackage", |element| {
        encrypted |= element.contains("EncryptedValue");
        if encrypted { Ok(()) } else { push(&mut found, &element, None).map(|_| ()) }
    })?;
    if container.name() != "KeyContainer" {
        return Err(Error::damaged("its outermost element is not a key container"));
    }
    let version = container.attribute("Version").unwrap_or("?");
    if version != "1.0" {
        return Err(Error::Version { version: version.chars().take(20).collect(), known: "1.0" });
    }
    if !encrypted {
        return Ok(Export::Plain(found));
    }
    let seal = Seal::read(&container)?;
    Ok(Export::Locked(Box::new(Container { seal, text: Zeroizing::new(text.to_owned()) })))
}

/// A container whose keys are encrypted.
struct Container {
    seal: Seal,
    text: Zeroizing<String>,
}

impl Locked for Container {
    /// A wrong password can't be told from damage unless some key passes its check: the checks are by the same password.
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        let opener = self.seal.opener(password)?;
        let mut found = Entries::default();
        let (mut passed, mut failed) = (false, false);
        element::each(&self.text, "KeyPackage", |element| {
            let opened = push(&mut found, &element, Some(&opener))?;
            passed |= opened == Some(true);
            failed |= opened == Some(false);
            Ok(())
        })?;
        if failed && !passed { Err(Error::WrongPasswordOrDamaged) } else { Ok(found) }
    }
}

/// Counts a key package. Tells whether its secret passed its check; `None` where there was nothing to check.
fn push(found: &mut Entries, element: &Element, opener: Option<&seal::Opener>) -> Result<Option<bool>, Error> {
    let package = Package(element);
    let mut opened = None;
    if package.is_otp() {
        let secret = package.secret(opener);
        opened = opener.filter(|_| element.contains("EncryptedValue")).and(match &secret {
            Ok(_) => Some(true),
            Err(Flaw::Damaged(_)) => Some(false),
            Err(_) => None,
        });
        found.push(package.whose(), secret.and_then(|secret| package.entry(secret)));
    } else {
        found.without = found.without.saturating_add(1);
    }
    if found.count().saturating_add(found.without) > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    Ok(opened)
}
