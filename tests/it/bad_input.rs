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
            fs::read(vector(file)).unwrap().into_iter().take(count.parse().unwrap()).collect()
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

/// What a message about a source says, with its hints.
fn told(home: &Home, source: &[u8], options: &[&str]) -> String {
    let path = home.file("source", source);
    let arguments = ["code", "--from", path.to_str().unwrap()];
    home.run(&[&arguments[..], options].concat()).expect(5).stderr
}

#[test]
fn formats_that_are_not_read_are_named_with_the_way_out() {
    let home = Home::new();
    let cases: [(&[u8], &str, &str); 5] = [
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "an AVIF picture", "PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture", "PNG"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "screenshot"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isom", "a video", "screenshot"),
        (b"PK\x03\x04\x14\0\0\0", "a ZIP archive", "unpack"),
    ];
    for (source, what, way) in cases {
        let told = told(&home, source, &[]);
        assert!(told.contains(what) && told.contains(way) && !told.contains("binary data"), "{told}");
    }
    let float = fs::read(vector("qr/python-float.tiff")).unwrap();
    let told = told(&home, &float, &[]);
    assert!(told.contains("not supported") && told.contains("PNG") && !told.contains("damaged"), "{told}");
}

#[test]
fn a_search_that_ran_out_of_time_says_so_and_names_deadline() {
    let home = Home::new();
    // Finder patterns side by side cost a reader seconds.
    let side = 20 * 90;
    let shade = |at: usize| {
        let (x, y) = (at % side % 20 / 2, at / side % 20 / 2);
        let from_edge = x.min(y).min(6_usize.saturating_sub(x.max(y)));
        if x < 7 && y < 7 && from_edge != 1 { 0 } else { 255 }
    };
    let mut picture = format!("P5 {side} {side} 255\n").into_bytes();
    picture.extend((0..side * side).map(shade));
    let told = told(&home, &picture, &["--deadline", "1s"]);
    assert!(told.contains("time was up") && told.contains("--deadline"), "{told}");
}

#[test]
fn parts_of_a_split_code_are_named_and_never_enrolled() {
    let home = Home::new();
    let part = |number: u8| fs::read(vector(&format!("qr/python-split-part-{number}.png"))).unwrap();
    assert!(told(&home, &part(1), &[]).contains("part 1 of 3"));
    assert!(told(&home, &part(3), &[]).contains("part 3 of 3"));
    let whole = vector("qr/python-split.png");
    let add = home.run(&["add", "whole", whole.to_str().unwrap(), "--json"]).expect(0).json();
    let picture = vector("qr/aws-mfauser.png");
    let same = home.run(&["code", "--from", picture.to_str().unwrap(), "--at", "59"]).expect(0).stdout;
    assert_eq!(home.run(&["code", "whole", "--at", "59"]).expect(0).stdout, same, "{add}");
}
