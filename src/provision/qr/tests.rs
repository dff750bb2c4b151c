use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::draw::Drawing;
use super::attempts::{AT_FULL_SIZE, STAGES};
use super::find::Place;
use super::*;

const URI: &str = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example";

fn code() -> Vec<u8> {
    Drawing::new(URI).unwrap().to_png(4).unwrap().to_vec()
}

fn pictures() -> Pictures {
    let image = image::load_from_memory(&code()).unwrap().into_rgba8();
    Pictures::of(image.width(), image.height(), image.as_raw(), 4)
}

fn texts(read: Result<Vec<Zeroizing<String>>, Error>) -> Vec<String> {
    read.unwrap().iter().map(|text| text.to_string()).collect()
}

/// Grey, this many pixels wide and high, with alpha.
fn rgba(shade: impl Fn(usize, usize) -> [u8; 4], side: usize) -> Vec<u8> {
    (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).flat_map(|(x, y)| shade(x, y)).collect()
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = kind.to_vec();
    body.extend(data);
    let mut crc = u32::MAX;
    for &byte in &body {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut chunk = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(body);
    chunk.extend((!crc).to_be_bytes());
    chunk
}

/// Signature, header of 16-bit RGBA and the beginning of pixels.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([16, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(*b"IHDR", &header));
    png.extend(chunk(*b"IDAT", &[0x78, 0x9c, 0x63, 0x60]));
    png.extend(chunk(*b"IEND", &[]));
    png
}

/// A little-endian TIFF of one strip, 8 bits grey.
fn tiff(width: u32, height: u32) -> Vec<u8> {
    let entries =
        [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 16)];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    for (tag, value) in entries {
        tiff.extend(u16::to_le_bytes(tag));
        tiff.extend([4, 0, 1, 0, 0, 0]);
        tiff.extend(u32::to_le_bytes(value));
    }
    tiff.extend([0; 4]);
    tiff
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    gif.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0]);
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    gif.extend([0, 2, 2, 0x4c, 1, 0, 0x3b]);
    gif
}

/// An extended file of a canvas and no frame worth the name.
fn webp(width: u32, height: u32) -> Vec<u8> {
    let three = |value: u32| value.to_le_bytes()[..3].to_vec();
    let mut chunks = b"WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    chunks.extend(three(width.saturating_sub(1)));
    chunks.extend(three(height.saturating_sub(1)));
    chunks.extend(b"VP8L\x08\0\0\0\x2f\xff\xff\xff\x0f\0\0\0");
    let mut webp = b"RIFF".to_vec();
    webp.extend(u32::try_from(chunks.len()).unwrap().to_le_bytes());
    webp.extend(chunks);
    webp
}

fn bmp(width: i32, height: i32) -> Vec<u8> {
    let mut bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend(width.to_le_bytes());
    bmp.extend(height.to_le_bytes());
    bmp.extend([1, 0, 24, 0]);
    bmp.extend([0; 40]);
    bmp
}

/// Few write such codes; the name in it is shown, and the secret is the same.
#[test]
fn a_text_that_is_not_utf8_is_read_as_latin_1() {
    let code = qrcode::QrCode::new(b"otpauth://totp/Caf\xe9:alice?secret=JBSWY3DPEHPK3PXP").unwrap();
    let (margin, scale) = (4, 4);
    let side = (code.width() + 2 * margin) * scale;
    let module = |at: usize| (at / scale).checked_sub(margin).filter(|at| *at < code.width());
    let dark = |x, y| module(x).zip(module(y)).is_some_and(|at| code[at] == qrcode::Color::Dark);
    let pixels = rgba(|x, y| if dark(x, y) { [0, 0, 0, 255] } else { [255; 4] }, side);
    let side = u32::try_from(side).unwrap();
    let found = texts(payloads_of_rgba(side, side, &pixels, &Limits::default()));
    assert_eq!(found, ["otpauth://totp/Café:alice?secret=JBSWY3DPEHPK3PXP"]);
}

#[test]
fn the_format_is_told_by_content() {
    assert_eq!(format(&code()), Some("PNG"));
    assert_eq!(format(&png(1, 1)), Some("PNG"));
    assert_eq!(format(&gif(1, 1)), Some("GIF"));
    assert_eq!(format(&webp(1, 1)), Some("WEBP"));
    assert_eq!(format(&bmp(1, 1)), Some("BMP"));
    assert_eq!(format(&tiff(1, 1)), Some("TIFF"));
    assert_eq!(format(b"MM\0*\0\0\0\x08"), Some("TIFF"));
    assert_eq!(format(&[0xff, 0xd8, 0xff, 0xe0]), Some("JPEG"));
    for kind in 1..=7 {
        assert_eq!(format(format!("P{kind}\n2 2\n").as_bytes()), Some("PNM"));
    }
}

#[test]
fn base32_that_starts_like_an_image_is_none() {
    for text in ["", "BM", "BMXYZ2345ABCDEFGHIJKLMNOPQ", "P2P3P4P5", "P7", "P3KX BMXY", "GIFA2345", "II3A", "MM2Z"] {
        assert_eq!(format(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn text_without_an_image_is_unrecognized() {
    assert_eq!(payloads(URI.as_bytes(), &Limits::default()).unwrap_err(), Error::Unrecognized);
}

#[test]
fn a_header_that_announces_too_much_is_refused_before_decoding() {
    let files = [
        ("png", png(50_000, 50_000)),
        ("png of endless rows", png(0x7fff_ffff, 0x7fff_ffff)),
        ("png of one endless row", png(0x7fff_ffff, 1)),
        ("tiff", tiff(1_000_000, 1_000_000)),
        ("gif", gif(65_535, 65_535)),
        ("webp", webp(60_000, 60_000)),
        ("bmp", bmp(60_000, 60_000)),
        ("bmp upside down", bmp(60_000, -60_000)),
        ("pnm", b"P6 60000 60000 255\n".to_vec()),
        ("pnm of bits", b"P1 60000 60000\n".to_vec()),
    ];
    for (name, file) in files {
        let error = payloads(&file, &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::ImageTooLarge { limit: 64, .. }), "{name}: {error:?}");
    }
}

#[test]
fn the_limit_is_of_pixels_and_taken_as_given() {
    let image = code();
    let limits = Limits { pixels: 10_000, ..Limits::default() };
    assert!(matches!(payloads(&image, &limits), Err(Error::ImageTooLarge { .. })));
    let limits = Limits { pixels: 200 * 200, ..Limits::default() };
    assert_eq!(texts(payloads(&image, &limits)), [URI]);
}

#[test]
fn damaged_and_posing_images_are_broken() {
    let image = code();
    let posing = [b"\x89PNG\r\n\x1a\n".as_slice(), URI.as_bytes()].concat();
    let files = [
        ("cut", image[..image.len() / 2].to_vec()),
        ("cut in its header", image[..20].to_vec()),
        ("signature alone", image[..8].to_vec()),
        ("posing", posing),
        ("no pixels", png(0, 0)),
        ("no rows", png(10, 0)),
        ("png within limits, without its pixels", png(4_000, 4_000)),
        ("tiff without its pixels", tiff(5_000, 5_000)),
        ("tiff without pixels at all", tiff(0, 0)),
        ("webp without its pixels", webp(5_000, 5_000)),
        ("bmp without its pixels", bmp(5_000, 5_000)),
        ("pnm without its pixels", b"P5 5000 5000 255\n".to_vec()),
        ("pnm posing", b"P5 otpauth".to_vec()),
        ("jpeg posing", b"\xff\xd8\xffotpauth".to_vec()),
        ("gif posing", b"GIF89aotpauth".to_vec()),
        ("tiff posing", b"II*\0otpauth://".to_vec()),
        ("webp posing", b"RIFF\0\0\0\0WEBPotpauth".to_vec()),
    ];
    for (name, file) in files {
        let error = payloads(&file, &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::ImageBroken { .. }), "{name}: {error:?}");
    }
}

#[test]
fn every_cut_of_an_image_is_an_error_or_its_text() {
    let image = code();
    for end in (0..image.len()).step_by(37) {
        match payloads(&image[..end], &Limits::default()) {
            Ok(read) => assert_eq!(texts(Ok(read)), [URI], "{end}"),
            Err(Error::ImageBroken { .. } | Error::NoQrCode) => {}
            Err(Error::Unrecognized) => assert!(end < 8, "{end}"),
            Err(error) => panic!("{end}: {error:?}"),
        }
    }
}

#[test]
fn images_without_a_code_have_none() {
    let checks = |x: usize, y: usize| [[0, 0, 0, 255], [255; 4]][(x / 8 + y / 8) % 2];
    let finder = |x: usize, y: usize| {
        // Finder patterns of 2 pixels a module, each beside the next.
        let (x, y) = (x % 16 / 2, y % 16 / 2);
        let (from_edge, inside) = (x.min(y).min(6_usize.saturating_sub(x.max(y))), x < 7 && y < 7);
        if inside && from_edge != 1 { [0, 0, 0, 255] } else { [255; 4] }
    };
    let images = [("checks", rgba(checks, 256)), ("finder patterns", rgba(finder, 128)), ("dot", vec![0, 0, 0, 255])];
    for (name, image) in images {
        let side = u32::try_from((image.len() / 4).isqrt()).unwrap();
        assert_eq!(payloads_of_rgba(side, side, &image, &Limits::default()).unwrap_err(), Error::NoQrCode, "{name}");
    }
    for (width, height) in [(1, 300), (300, 1), (20, 20)] {
        let white = vec![255; usize::try_from(width * height * 4).unwrap()];
        assert_eq!(payloads_of_rgba(width, height, &white, &Limits::default()).unwrap_err(), Error::NoQrCode);
    }
}

#[test]
fn a_picture_of_one_shade_is_plain_unless_a_colour_differs() {
    let plain = |pixels: &[u8]| Pictures::of(30, 30, pixels, 3).usual.iter().all(pictures::Picture::is_plain);
    let grey = vec![90; 30 * 30 * 3];
    assert!(plain(&grey));
    let mut red = grey;
    // One in the blue channel is less than one in luma.
    red[1_202] = 91;
    assert!(!plain(&red));
}

#[test]
fn pixels_of_another_length_are_broken() {
    for (width, height, length) in [(0, 0, 0), (10, 10, 399), (10, 10, 401), (0, 10, 40)] {
        let read = payloads_of_rgba(width, height, &vec![0; length], &Limits::default());
        assert!(matches!(read, Err(Error::ImageBroken { .. })), "{width}×{height}");
    }
    let read = payloads_of_rgba(u32::MAX, u32::MAX, &[], &Limits::default());
    assert!(matches!(read, Err(Error::ImageTooLarge { .. })));
}

/// The code as a mask: `true` is dark.
fn mask() -> (u32, Vec<bool>) {
    let image = image::load_from_memory(&code()).unwrap().into_luma8();
    (image.width(), image.as_raw().iter().map(|&shade| shade < 128).collect())
}

#[test]
fn transparent_pixels_are_read_on_any_background() {
    let (side, dark) = mask();
    let kinds: [(&str, [u8; 4], [u8; 4]); 6] = [
        ("opaque", [0, 0, 0, 255], [255, 255, 255, 255]),
        ("black on transparent black", [0, 0, 0, 255], [0, 0, 0, 0]),
        ("white on transparent white", [255, 255, 255, 255], [255, 255, 255, 0]),
        ("a hole in white", [255, 255, 255, 0], [255, 255, 255, 255]),
        ("a hole in black", [0, 0, 0, 0], [0, 0, 0, 255]),
        ("a screen whose alpha is nothing", [0, 0, 0, 0], [255, 255, 255, 0]),
    ];
    for (name, ink, paper) in kinds {
        let image: Vec<u8> = dark.iter().flat_map(|&dark| if dark { ink } else { paper }).collect();
        assert_eq!(texts(payloads_of_rgba(side, side, &image, &Limits::default())), [URI], "{name}");
    }
}

#[test]
fn colours_of_one_luma_are_told_apart_by_their_channels() {
    let (side, dark) = mask();
    let image: Vec<u8> = dark.iter().flat_map(|&dark| if dark { [255, 0, 0, 255] } else { [0, 76, 0, 255] }).collect();
    assert_eq!(texts(payloads_of_rgba(side, side, &image, &Limits::default())), [URI]);
}

#[test]
fn no_attempt_is_made_when_time_is_up() {
    let limits = Limits { expired: Arc::new(|| true), ..Limits::default() };
    assert_eq!(payloads(&code(), &limits).unwrap_err(), Error::QrTimeUp);
}

#[test]
fn what_was_found_before_time_was_up_is_kept() {
    let mut before = false;
    let mut kept = 0;
    for most in 0..40 {
        let (sender, receiver) = mpsc::channel();
        let asked = AtomicUsize::new(0);
        climb(pictures(), false, &|| asked.fetch_add(1, Ordering::SeqCst) >= most, &sender);
        drop(sender);
        let (found, rest): (Vec<_>, Vec<_>) = receiver.iter().partition(Result::is_ok);
        let found: Vec<Find> = found.into_iter().flat_map(Result::unwrap).collect();
        let found: Vec<_> = in_reading_order(found).iter().map(|text| text.to_string()).collect();
        assert!(found.is_empty() || found == [URI], "{most}");
        assert!(matches!(rest[..], [] | [Err(Error::QrTimeUp)]), "{most}");
        assert!(!before || !found.is_empty(), "{most}: was found in less time");
        before = !found.is_empty();
        kept += usize::from(before && rest.len() == 1);
    }
    assert_ne!(kept, 0);
}

/// Three codes and text, large enough for several threads.
#[test]
fn what_is_found_and_in_which_order_does_not_depend_on_the_cores() {
    let codes: Vec<_> = (3..6)
        .map(|scale| {
            let code = Drawing::new(&format!("{URI}&image={scale}")).unwrap().to_png(scale).unwrap();
            image::load_from_memory(&code).unwrap().into_luma8()
        })
        .collect();
    let mut page = image::GrayImage::from_pixel(1_000, 700, image::Luma([240]));
    for (at, code) in (20..).step_by(320).zip(&codes) {
        image::imageops::replace(&mut page, code, at, at / 2);
    }
    let found = |cores: usize| {
        let (sender, receiver) = mpsc::channel();
        let pictures = Pictures::of(page.width(), page.height(), page.as_raw(), 1);
        search::climb_on(cores, pictures, false, &|| false, &sender);
        drop(sender);
        let finds = receiver.iter().flat_map(Result::unwrap);
        finds.map(|find| (find.text.to_string(), find.place.x.to_bits())).collect::<Vec<_>>()
    };
    let alone = found(1);
    assert!(alone.len() >= 3);
    for cores in [2, 3, 8] {
        assert_eq!(found(cores), alone, "{cores}");
    }
}

#[test]
fn the_caller_leaves_a_worker_that_is_busy_for_long() {
    // Finder patterns side by side cost a reader seconds a call: the cube of their number.
    let finder = |x: usize, y: usize| {
        let (x, y) = (x % 20 / 2, y % 20 / 2);
        let from_edge = x.min(y).min(6_usize.saturating_sub(x.max(y)));
        if x < 7 && y < 7 && from_edge != 1 { [0, 0, 0, 255] } else { [255; 4] }
    };
    let side = 20 * 60;
    let image = rgba(finder, side);
    let asked = AtomicUsize::new(0);
    let expired = move || asked.fetch_add(1, Ordering::SeqCst) > 20;
    let limits = Limits { expired: Arc::new(expired), ..Limits::default() };
    let side = u32::try_from(side).unwrap();
    assert_eq!(payloads_of_rgba(side, side, &image, &limits).unwrap_err(), Error::QrTimeUp);
}

#[test]
fn a_worker_whose_caller_left_stops() {
    let (sender, receiver) = mpsc::channel();
    drop(receiver);
    let pictures = pictures();
    let asked = AtomicUsize::new(0);
    climb(pictures, false, &|| asked.fetch_add(1, Ordering::SeqCst) > 1000, &sender);
    assert!(asked.load(Ordering::SeqCst) < 12, "before the attempt, at some rows, and for the code in it");
}

#[test]
fn a_decoder_that_panics_has_found_the_image_broken() {
    let broken = guarded(&code(), || -> Result<(), Error> { panic!("as decoders do") });
    assert!(matches!(broken, Err(Error::ImageBroken { format: "PNG", .. })));
}

#[test]
fn codes_come_in_reading_order_and_once() {
    let find = |text: &str, x: f32, y: f32| Find {
        text: Zeroizing::new(text.to_owned()),
        place: Place { x, y, width: 0.2, height: 0.2 },
        part: None,
    };
    let found = vec![
        find("below", 0.1, 0.8),
        find("right", 0.9, 0.21),
        find("left", 0.1, 0.25),
        find("right", 0.8, 0.2),
        find("", 0.0, 0.0),
        find("middle", 0.5, 0.28),
    ];
    let order: Vec<_> = in_reading_order(found).iter().map(|text| text.to_string()).collect();
    assert_eq!(order, ["left", "middle", "right", "below"]);
}

#[test]
fn every_attempt_has_a_name_of_its_own() {
    let mut names: Vec<_> =
        STAGES.iter().copied().chain([AT_FULL_SIZE]).flatten().map(|attempt| attempt.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn bytes_of_no_sense_never_panic() {
    let mut state = 1_u32;
    for magic in [png(60, 60), gif(60, 60), webp(60, 60), bmp(60, 60), tiff(60, 60), b"P4 60 60\n".to_vec()] {
        for _ in 0..20 {
            let mut file = magic.clone();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = usize::try_from(state >> 8).unwrap() % file.len();
                file[at] = state.to_be_bytes()[0];
            }
            file.write_all(&state.to_be_bytes()).unwrap();
            let _ = payloads(&file, &Limits { pixels: 1 << 20, ..Limits::default() });
        }
    }
}
