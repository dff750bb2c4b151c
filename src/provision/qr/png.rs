//! PNG (ISO/IEC 15948), row by row: screenshots of large screens are PNG, and their pixels all at once would take
//! eight times what is looked at.

use std::io::Cursor;

use png::{Decoder, DecodingError, Limits, Transformations};
use zeroize::Zeroizing;

use super::pictures::{Pictures, Rows, check_memory};
use crate::provision::Error;

/// What the decoder may allocate beside rows.
const ANCILLARY: usize = 64 << 20;

/// How many rows are read before it is asked whether time is up.
const ROWS: usize = 64;

/// The pictures of a PNG whose size was checked.
pub(super) fn decode(bytes: &[u8], expired: &dyn Fn() -> bool) -> Result<Pictures, Error> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: ANCILLARY });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(|error| broken(&error))?;
    let (width, height, interlaced) = (reader.info().width, reader.info().height, reader.info().interlaced);
    let channels = reader.output_color_type().0.samples();
    let mut rows = Rows::new(width, height, channels).ok_or_else(|| no_memory(width, height))?;
    if interlaced {
        // Its rows come in seven passes, so all of them are held.
        let size = reader.output_buffer_size().ok_or_else(|| no_memory(width, height))?;
        let line = reader.output_line_size(width).unwrap_or(usize::MAX).max(1);
        let whole = u64::try_from(size).unwrap_or(u64::MAX);
        check_memory(width, height, whole.saturating_mul(2), u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        let mut all = Zeroizing::new(vec![0; size]);
        reader.next_frame(&mut all).map_err(|error| broken(&error))?;
        all.chunks_exact(line).for_each(|row| rows.push(row));
        return Ok(rows.pictures());
    }
    let mut count = 0_usize;
    while let Some(row) = reader.next_row().map_err(|error| broken(&error))? {
        rows.push(row.data());
        count = count.saturating_add(1);
        if count.is_multiple_of(ROWS) && expired() {
            return Err(Error::QrTimeUp);
        }
    }
    Ok(rows.pictures())
}

fn no_memory(width: u32, height: u32) -> Error {
    Error::ImageTooLarge { width, height, limit: 0 }
}

fn broken(error: &DecodingError) -> Error {
    let text = error.to_string();
    // Of some chunks the decoder shows its own structure.
    let reason = if text.contains('{') { "a chunk is damaged or out of place".to_owned() } else { text };
    Error::ImageBroken { format: "PNG", reason }
}
