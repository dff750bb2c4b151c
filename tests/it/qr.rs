//! QR codes that other programs made are read, and ours are read by others.
//!
//! `vectors/qr/` holds images by Debian's `qrencode` and Python's `qrcode` (3 to 12 pixels a module), so
//! that no Python is needed here; `vectors/qr/make.sh` makes them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use vmfa::provision::draw::Drawing;
use vmfa::provision::{Error, Limits, qr};

const AWS: &str = "otpauth://totp/Amazon%20Web%20Services:mfauser@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Amazon%20Web%20Services";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/qr")
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Unrecognized => "error:Unrecognized",
        Error::ImageTooLarge { .. } => "error:ImageTooLarge",
        Error::ImageBroken { .. } => "error:ImageBroken",
        Error::ImageUnsupported { .. } => "error:ImageUnsupported",
        Error::NoQrCode => "error:NoQrCode",
        Error::QrPart { .. } => "error:QrPart",
        _ => "error of another kind",
    }
}

fn read(image: &[u8]) -> Vec<String> {
    match qr::payloads(image, &Limits::default()) {
        Ok(texts) => texts.iter().map(|text| text.to_string()).collect(),
        Err(error) => vec![kind(&error).to_owned()],
    }
}

fn run(program: &str, package: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} can't be run ({error}): install Debian's {package}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn every_image_of_the_folder_is_read_as_its_line_says() {
    let table = fs::read_to_string(folder().join("expect.txt")).unwrap();
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once('\t').unwrap_or_else(|| panic!("a line without a tab: {line}"));
        assert!(expected.insert(name, rest.split('\t').collect()).is_none(), "{name} has two lines");
    }
    let mut failures = Vec::new();
    let mut images = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if matches!(name.as_str(), "expect.txt" | "make.sh" | "make.py") {
            continue;
        }
        images += 1;
        match expected.remove(name.as_str()) {
            None => failures.push(format!("{name}: has no line in expect.txt")),
            Some(expected) => {
                let read = read(&fs::read(folder().join(&name)).unwrap());
                if read != expected {
                    failures.push(format!("{name}:\n  expected {expected:?}\n  read     {read:?}"));
                }
            }
        }
    }
    failures.extend(expected.keys().map(|name| format!("{name}: has a line, but there is no such file")));
    assert!(failures.is_empty(), "{} of {images} images:\n{}", failures.len(), failures.join("\n"));
    assert_ne!(images, 0, "no image in {}", folder().display());
}

#[test]
fn what_qrencode_draws_today_is_read_at_every_size() {
    let home = tempfile::tempdir().unwrap();
    let mut failures = Vec::new();
    for pixels in 3..=12 {
        let file = home.path().join(format!("{pixels}.png"));
        let path = file.to_str().unwrap();
        run("qrencode", "qrencode", &["-s", &pixels.to_string(), "-o", path, AWS]);
        let read = read(&fs::read(&file).unwrap());
        if read != [AWS] {
            failures.push(format!("{pixels} pixels a module: {read:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_drawn_here_is_read_by_zbarimg() {
    let home = tempfile::tempdir().unwrap();
    for pixels in [3, 6, 12] {
        let file = home.path().join("code.png");
        fs::write(&file, Drawing::new(AWS).unwrap().to_png(pixels).unwrap()).unwrap();
        let output = run("zbarimg", "zbar-tools", &["--raw", "-q", file.to_str().unwrap()]);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), AWS, "{pixels} pixels a module");
    }
}
