//! Files of formats that are not read, recognized by their first bytes, so that the error says what it is and what to do.

/// What the way out depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// It may be saved as PNG.
    Picture,
    /// It may be shown on a screen.
    Document,
    /// One frame of it may be.
    Video,
    /// It may be unpacked.
    Archive,
    /// One cell of it may be copied.
    Spreadsheet,
}

use Format::{Archive, Document, Picture, Spreadsheet, Video};

/// First bytes that nothing else begins with.
const MAGIC: &[(&[u8], &str, Format)] = &[
    (b"%PDF-", "a PDF document", Document),
    (b"%!PS", "a PostScript document", Document),
    (b"\xc5\xd0\xd3\xc6", "an EPS drawing", Document),
    (b"\xff\x0a", "a JPEG XL picture", Picture),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", Picture),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture", Picture),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", Picture),
    (b"II\xbc\x01", "a JPEG XR picture", Picture),
    (b"8BPS", "a Photoshop picture", Picture),
    (b"gimp xcf", "a GIMP picture", Picture),
    (b"icns\0", "an icon (ICNS)", Picture),
    (b"DDS \x7c", "a DDS picture", Picture),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture", Picture),
    (b"#?RADIANCE", "a Radiance picture", Picture),
    (b"qoif", "a QOI picture", Picture),
    (b"farbfeld", "a farbfeld picture", Picture),
    (b"BPG\xfb", "a BPG picture", Picture),
    (b"FLIF", "a FLIF picture", Picture),
    (b"AT&TFORM", "a DjVu document", Document),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile", Document),
    (b"/* XPM */", "an XPM picture", Picture),
    (b"PF\n", "a PFM picture", Picture),
    (b"Pf\n", "a PFM picture", Picture),
    (b"\x01\xda\0", "an SGI picture", Picture),
    (b"\x01\xda\x01", "an SGI picture", Picture),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)", Video),
    (b"\0\0\x01\xba", "a video (MPEG)", Video),
    (b"\0\0\x01\xb3", "a video (MPEG)", Video),
    (b"FLV\x01", "a video (FLV)", Video),
    (b"\x1f\x8b\x08", "compressed (gzip)", Archive),
    (b"BZh", "compressed (bzip2)", Archive),
    (b"\xfd7zXZ\0", "compressed (xz)", Archive),
    (b"\x28\xb5\x2f\xfd", "compressed (Zstandard)", Archive),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", Archive),
    (b"Rar!\x1a\x07", "a RAR archive", Archive),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document", Document),
];

/// The end of a TGA file of version 2.
const TGA_FOOTER: &[u8] = b"TRUEVISION-XFILE.\0";

/// Which foreign format bytes are of.
pub(super) fn kind(bytes: &[u8]) -> Option<(&'static str, Format)> {
    // "BZh", "FLIF" and "qoif" alone begin base32 as well.
    let is_text = || bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace());
    if let Some((_, what, kind)) = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return (!is_text()).then_some((what, *kind));
    }
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => Some(media(brands)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Some(("a video (AVI)", Video)),
        [0, 0, 1, 0, 1..=255, 0, ..] => Some(("an icon (ICO)", Picture)),
        [0, 0, 2, 0, 1..=255, 0, ..] if !is_tga(bytes) => Some(("a cursor (CUR)", Picture)),
        [b'P', b'K', 3, 4, ..] if zip_has(bytes, b"xl/w") => Some(("an Excel spreadsheet", Spreadsheet)),
        [b'P', b'K', 3, 4, ..] if contains(bytes, b"opendocument.spreadsheet") => {
            Some(("an OpenDocument spreadsheet", Spreadsheet))
        }
        [b'P', b'K', 3, 4, ..] if contains(bytes, b"[Content_Types].xml") => Some(("an Office document", Document)),
        [b'P', b'K', 3, 4, ..] => Some(("a ZIP archive", Archive)),
        [1, 0, 0, 0, ..] if bytes.get(40..44) == Some(b" EMF") => Some(("a Windows metafile", Document)),
        [0x0a, 0 | 2..=5, 0 | 1, 1 | 2 | 4 | 8, 0, ..] => Some(("a PCX picture", Picture)),
        [b'#', b'd', b'e', b'f', b'i', b'n', b'e', b' ', ..] if contains(bytes, b"_width ") => {
            Some(("an XBM picture", Picture))
        }
        _ if is_tga(bytes) => Some(("a TGA picture", Picture)),
        _ if is_svg(bytes) => Some(("an SVG drawing", Document)),
        _ => None,
    }
}

/// By the brands of an ISO base media file (ISO/IEC 14496-12, section 4.3): the major one, a version, those that it
/// is compatible with.
fn media(brands: &[u8]) -> (&'static str, Format) {
    let (brands, _) = brands.as_chunks::<4>();
    for brand in brands.iter().take(16) {
        match brand {
            b"avif" | b"avis" => return ("an AVIF picture", Picture),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => return ("a HEIC picture", Picture),
            b"crx " => return ("a raw photo (CR3)", Picture),
            _ => {}
        }
    }
    match brands.first() {
        Some(b"mif1" | b"msf1") => ("a HEIF picture", Picture),
        _ => ("a video (MP4 or QuickTime)", Video),
    }
}

/// TGA doesn't begin with a signature: version 2 ends with one, and the older has a header that few values fit.
pub(super) fn is_tga(bytes: &[u8]) -> bool {
    if bytes.ends_with(TGA_FOOTER) {
        return true;
    }
    let Some(&[id, map, kind, m0, m1, m2, m3, m4, _, _, _, _, w0, w1, h0, h1, depth, descriptor]) = bytes.first_chunk()
    else {
        return false;
    };
    let [width, height] = [[w0, w1], [h0, h1]].map(|side| u64::from(u16::from_le_bytes(side)));
    let fits = match (map, kind & 7, depth) {
        (1, 1, 8) => m4 != 0,
        (0, 2, 15 | 16 | 24 | 32) | (0, 3, 8 | 16) => [m0, m1, m2, m3, m4] == [0; 5],
        _ => false,
    };
    let all = u64::from(depth).div_ceil(8).saturating_mul(width).saturating_mul(height);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_sub(18).saturating_sub(u64::from(id));
    let compressed = kind & 8 != 0;
    fits && kind < 12 && all > 0 && descriptor & 0xc0 == 0 && (compressed || length >= all)
}

/// An XML document whose first element is `svg`, behind comments and what declares a document type.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(2048)).unwrap_or_default();
    let Ok(head) = std::str::from_utf8(head.utf8_chunks().next().map_or(&[], |chunk| chunk.valid().as_bytes())) else {
        return false;
    };
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let element = head.split('<').map(str::trim_start).find(|part| part.starts_with(|c: char| c.is_alphabetic()));
    head.starts_with('<') && element.is_some_and(|part| part.starts_with("svg") || part.starts_with("svg:svg"))
}

/// The names are in front of the files, and all of them at the end.
fn zip_has(bytes: &[u8], name: &[u8]) -> bool {
    const END: usize = 16 << 10;
    let end = bytes.get(bytes.len().saturating_sub(END)..).unwrap_or_default();
    contains(bytes, name) || end.windows(name.len()).any(|window| window == name)
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.get(..bytes.len().min(4096)).is_some_and(|head| head.windows(what.len()).any(|window| window == what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_bytes() {
        let mut tga = vec![0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 24, 0];
        tga.extend([7; 12]);
        let footed = [&[0_u8; 40][..], TGA_FOOTER].concat();
        let rows: [(&[u8], &str); 18] = [
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "an AVIF picture"),
            (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "an AVIF picture"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
            (b"\0\0\0\x14ftypmif1\0\0\0\0mif1", "a HEIF picture"),
            (b"\0\0\0\x18ftypisom\0\0\0\0isom", "a video (MP4 or QuickTime)"),
            (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
            (b"\0\0\x02\0\x01\0\x10\x10", "a cursor (CUR)"),
            (b"\xff\x0a\xfa", "a JPEG XL picture"),
            (b"8BPS\0\x01", "a Photoshop picture"),
            (b"\x01\xda\x01\x01\0\x03", "an SGI picture"),
            (b"#define code_width 33\n", "an XBM picture"),
            (&tga, "a TGA picture"),
            (&footed, "a TGA picture"),
            (b"PK\x03\x04\x14\0 [Content_Types].xml", "an Office document"),
            (b"PK\x03\x04\x14\0 [Content_Types].xml xl/workbook.xml", "an Excel spreadsheet"),
            (b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
            (b"PK\x03\x04\x14\0", "a ZIP archive"),
            (b"<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"x\">\n<svg width=\"1\"/>", "an SVG drawing"),
        ];
        for (bytes, what) in rows {
            assert_eq!(kind(bytes).map(|(what, _)| what), Some(what), "{bytes:?}");
        }
    }

    #[test]
    fn text_and_what_is_read_is_never_foreign() {
        let texts =
            ["", "BZHE3DPEHPK3PXPA", "BZh234ABCD", "FLIFJBSWY3DPEHPK", "qoifabcd", "otpauth://totp/a?secret=AA"];
        for text in texts.into_iter().chain(["<html><svg/></html>", "<note/>", "{\"a\": \"<svg>\"}"]) {
            assert_eq!(kind(text.as_bytes()), None, "{text}");
        }
        for bytes in [&b"\0\0\0\0"[..], b"\x89PNG\r\n\x1a\n", b"\x7fELF\x02\x01\x01\0\0", &[0; 64]] {
            assert_eq!(kind(bytes), None, "{bytes:?}");
        }
    }
}
