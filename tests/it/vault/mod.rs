//! Vaults: one suite over all back-ends, then what is particular to each.

mod age;
mod conformance;
mod keyring;
mod providers;
#[cfg(all(feature = "postgres", target_os = "linux"))]
mod shared;
#[cfg(all(feature = "dynamodb", feature = "postgres", feature = "cli", target_os = "linux"))]
mod table;

use std::fs;
use std::path::Path;

use vmfa::vault::{Id, Item};
use zeroize::Zeroizing;

use crate::support::again;

/// Where scenes of this folder are played, each in a process of its own.
const STAGE: &str = "vault::stage";

#[test]
#[ignore = "plays the scenes of other tests"]
fn stage() {
    let Some((scene, arguments)) = again::scene() else { return };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !keyring::play(&scene, &arguments) && !age::play(&scene, &arguments) {
        panic!("there is no scene `{scene}`");
    }
}

fn item(name: &str, uri: &str) -> Item {
    Item {
        name: name.parse().unwrap(),
        issuer: Some("Amazon Web Services".to_owned()),
        account: "mfauser@123456789012".to_owned(),
        secret: Zeroizing::new(uri.to_owned()),
    }
}

/// A URI that belongs to an id, so that another's or a torn one shows.
fn uri_of(id: Id) -> String {
    let letters = id.to_string().to_uppercase().replace('-', "").replace(['0', '1', '8', '9'], "A");
    format!("otpauth://totp/Test:{id}?secret={}&issuer=Test", letters.repeat(4))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
