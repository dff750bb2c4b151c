//! Google Authenticator's codes, by the converter `otpa` from PyPI.

use std::fmt::Write as _;

use super::{pictured, scanned};
use crate::export::uris;
use crate::support::{Home, installed, run, tool};

const SCHEME: &str = "otpauth-migration://offline?data=";

/// Runs `otpa`, which gives a link per line.
fn otpa(home: &Home, arguments: &[&str]) -> Vec<String> {
    let run = run(home.other(installed("otpa")).args(arguments), b"").expect(0);
    run.stdout.lines().map(str::to_owned).collect()
}

/// Twelve accounts, of which the app's codes hold ten each.
fn filled() -> Home {
    let home = Home::new();
    let mut sources = String::from(
        "otpauth://totp/Example:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example\n\
         otpauth://totp/Git:b%C3%B6b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Git&algorithm=SHA512&digits=8\n\
         otpauth://hotp/Bank:dave?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=Bank&counter=7\n",
    );
    for number in 0..9 {
        writeln!(
            sources,
            "otpauth://totp/u{number}?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2L{}",
            char::from(b'B' + number)
        )
        .unwrap();
    }
    home.run_with(&["add", "all/", "-", "--no-code"], sources.as_bytes()).expect(0);
    home
}

#[test]
fn our_page_is_read_as_the_same_accounts() {
    let home = filled();
    home.run(&["export", "page.html", "--format", "google", "--plaintext"]).expect(0);
    let links = scanned(&pictured(&home, &home.path().join("page.html")));
    assert!(links.len() == 2 && links.iter().all(|link| link.starts_with(SCHEME)), "{links:?}");
    let mut arguments = vec!["ca"];
    arguments.extend(links.iter().map(String::as_str));
    let there = Home::new();
    there.run_with(&["add", "all/", "-", "--no-code"], otpa(&home, &arguments).join("\n").as_bytes()).expect(0);
    assert_eq!(uris(&there), uris(&home));
}

#[test]
fn pictures_of_its_codes_are_imported_together() {
    let home = filled();
    home.file("uris.txt", uris(&home).concat());
    let links = otpa(&home, &["cm", "-f", "uris.txt", "-n", "5"]);
    assert_eq!(links.len(), 3, "{links:?}");
    let pictures: Vec<String> = (1..=links.len()).map(|number| format!("{number}.png")).collect();
    for (link, picture) in links.iter().zip(&pictures) {
        let mut draw = tool("qrencode", "qrencode");
        run(draw.arg("-o").arg(home.path().join(picture)).arg(link), b"").expect(0);
    }
    let paths: Vec<String> = pictures.iter().map(|name| home.path().join(name).display().to_string()).collect();
    let there = Home::new();
    let mut arguments = vec!["import".to_owned(), "--json".to_owned()];
    arguments.extend(paths.iter().take(2).cloned());
    assert_eq!(there.run(&arguments).expect(5).error_code(), "parts");
    arguments.extend(paths.last().cloned());
    there.run(&arguments).expect(0);
    assert_eq!(uris(&there), uris(&home));
}
