//! Lines of bytes that may be hostile: none is held that is longer than it may be.

use std::io::{self, BufRead};

/// The longest message, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// What came on a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes are in the buffer.
    Whole,
    /// It was longer than [`LONGEST`], and passed over.
    TooLong,
    /// There is none any more. What stood behind the last line end was no line.
    End,
}

/// Reads the next line into a buffer, without its end.
pub(super) fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut too_long = false;
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            return Ok(Line::End);
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let (taken, used) =
            end.map_or((piece, piece.len()), |end| (piece.get(..end).unwrap_or_default(), end.saturating_add(1)));
        too_long = too_long || line.len().saturating_add(taken.len()) > LONGEST;
        if too_long {
            // Nor is it kept for the next.
            *line = Vec::new();
        } else {
            line.extend_from_slice(taken);
        }
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are never there at once.
    struct Endless(usize);

    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.0);
            buffer[..count].fill(b'x');
            self.0 = self.0.saturating_sub(count);
            Ok(count)
        }
    }

    #[test]
    fn lines_are_read_and_long_ones_passed_over() {
        let longest = "x".repeat(LONGEST);
        let text = format!("a\n\n{longest}\n{longest}x\nb\r\nno line");
        let mut input = io::BufReader::with_capacity(1000, text.as_bytes());
        let mut line = Vec::new();
        let mut read = || {
            let kind = next(&mut input, &mut line).unwrap();
            (kind, String::from_utf8(line.clone()).unwrap())
        };
        assert_eq!(read(), (Line::Whole, "a".to_owned()));
        assert_eq!(read(), (Line::Whole, String::new()));
        assert_eq!(read(), (Line::Whole, longest));
        assert_eq!(read(), (Line::TooLong, String::new()));
        assert_eq!(read(), (Line::Whole, "b\r".to_owned()));
        assert_eq!(read().0, Line::End);
    }

    #[test]
    fn a_line_that_doesnt_end_is_not_held() {
        let mut line = Vec::new();
        let mut input = io::BufReader::new(Endless(64 << 20));
        assert_eq!(next(&mut input, &mut line).unwrap(), Line::End);
        assert_eq!(line.capacity(), 0);
    }
}
