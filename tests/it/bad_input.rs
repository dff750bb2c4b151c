//! Sources that enrol nothing: each gives its error, exit code 5, nothing on stdout, nothing stored.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;

use crate::support::{Home, SEED, tool, vector};

/// Makes a source as its recipe in `vectors/bad-input.txt` says.
fn make(home: &Home, recipe: &str) -> PathBuf {
    let (kind, rest) = recipe.split_once(':').unwrap_or((recipe, ""));
    let bytes = match kind {
        "text" => unescape(rest),
        "repeat" => {
            let (count, what) = rest.split_once(':').unwrap();
            unescape(what).repeat(count.parse().unwrap())
        }
        "head" => {
            let (count, file) = rest.split_once(':').unwrap();
            fs::read(vector(file)).unwrap()[..count.parse().unwrap()].to_vec()
        }
        "png" => {
            let (width, height) = rest.split_once('x').unwrap();
            png_header(width.parse().unwrap(), height.parse().unwrap())
        }
        "qr" => {
            let path = home.path().join("made.png");
            let made = tool("qrencode", "qrencode").arg("-o").arg(&path).arg(rest).status().unwrap();
            assert!(made.success());
            return path;
        }
        "utf16" => std::iter::once(0xfeff).chain(rest.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
        "base64" => base64::engine::general_purpose::STANDARD.encode(rest).into_bytes(),
        "nested" => (0..6)
            .fold(format!("otpauth://totp/a?secret={SEED}"), |inner, _| {
                base64::engine::general_purpose::STANDARD.encode(inner)
            })
            .into_bytes(),
        "blank" => [&b"P5\n64 64\n255\n"[..], &[255; 64 * 64]].concat(),
        "long-issuer" => format!("otpauth://totp/a?secret={SEED}&issuer={}", "x".repeat(300)).into_bytes(),
        "dir" => {
            let path = home.path().join("a-directory");
            fs::create_dir_all(&path).unwrap();
            return path;
        }
        "missing" => return home.path().join("no-such-file"),
        other => panic!("no recipe is called {other}"),
    };
    home.file("source", bytes)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("no escape \\{other:?}"),
        });
    }
    bytes
}

/// Signature and IHDR with a right checksum, and nothing behind them.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut crc = u32::MAX;
    for byte in &header {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d", &header[..], &(!crc).to_be_bytes()].concat()
}

#[test]
fn every_bad_source_gives_its_error_and_leaves_nothing() {
    let home = Home::new();
    home.add("before");
    let table = fs::read_to_string(vector("bad-input.txt")).unwrap();
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut columns = line.splitn(2, char::is_whitespace);
        let name = columns.next().unwrap();
        let (code, recipe) = columns.next().unwrap().trim_start().split_once(char::is_whitespace).unwrap();
        let source = make(&home, recipe.trim_start());
        cases += 1;
        let run = home.run(&["add".as_ref(), "bad".as_ref(), source.as_os_str(), "--json".as_ref()]);
        let good = run.code == 5
            && run.stdout.is_empty()
            && run.error_code() == code
            && run.stderr.lines().count() == 1
            && !run.stderr.contains(SEED);
        if !good {
            failures.push(format!("{name}: expected {code}, got {} in {run:?}", run.error_code()));
        }
        // The same through the other door.
        let run = home.run(&["code".as_ref(), "--from".as_ref(), source.as_os_str()]);
        if run.code != 5 || !run.stdout.is_empty() || !run.stderr.starts_with("vmfa: ") {
            failures.push(format!("{name}: code --from: {run:?}"));
        }
    }
    let left = home.run(&["list", "--json"]).expect(0).json();
    assert_eq!(left["devices"].as_array().unwrap().len(), 1, "something was stored: {left}");
    assert!(failures.is_empty(), "{} of {cases}:\n{}", failures.len(), failures.join("\n"));
    assert!(cases >= 60, "only {cases} cases");
}

#[test]
fn what_stdin_brings_is_judged_alike() {
    let home = Home::new();
    let run = home.run_with(&["add", "bad", "-", "--json"], b"\0\0").expect(5);
    assert_eq!((run.error_code().as_str(), run.stdout.as_str()), ("wrong-kind", ""));
}
