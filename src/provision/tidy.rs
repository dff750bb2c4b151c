//! What pages, shells and chats do to a text, undone: invisible characters, quotation marks, HTML's escapes.

use zeroize::Zeroizing;

/// How often escapes may have been escaped.
const ROUNDS: u8 = 4;

/// Characters that take no room or turn the writing direction. Those that join letters and emoji aren't among them.
pub(super) const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text without characters that take no room; nothing where there are none.
pub(super) fn visible(text: &str) -> Option<Zeroizing<String>> {
    text.contains(is_invisible).then(|| {
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        plain.extend(text.chars().filter(|character| !is_invisible(*character)));
        plain
    })
}

/// Bytes without white space. The room is made beforehand: growing leaves copies behind.
pub(super) fn dense(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut dense = Zeroizing::new(Vec::with_capacity(bytes.len()));
    dense.extend(bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    dense
}

/// What stands between quotation marks of one kind, around all of a text.
pub(super) fn unquoted(text: &str) -> Option<&str> {
    const PAIRS: [(char, char); 7] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('„', '“'), ('«', '»')];
    let inner = PAIRS.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inner.map(str::trim).filter(|inner| !inner.is_empty())
}

/// The text with HTML's escapes undone, as often as they were applied; nothing where there are none.
pub(super) fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let mut plain = unescaped_once(text)?;
    for _ in 1..ROUNDS {
        match unescaped_once(&plain) {
            Some(again) => plain = again,
            None => break,
        }
    }
    Some(plain)
}

fn unescaped_once(text: &str) -> Option<Zeroizing<String>> {
    let mut plain: Option<Zeroizing<String>> = None;
    let mut rest = text;
    while let Some((before, from)) = rest.find('&').and_then(|at| rest.split_at_checked(at)) {
        let (character, length) = escape(from).map_or(('&', 1), |(character, length)| (character, length));
        if plain.is_none() && length > 1 {
            let mut room = Zeroizing::new(String::with_capacity(text.len()));
            let read = text.len().saturating_sub(rest.len());
            room.push_str(text.get(..read).unwrap_or_default());
            plain = Some(room);
        }
        if let Some(plain) = &mut plain {
            plain.push_str(before);
            plain.push(character);
        }
        rest = from.get(length..).unwrap_or_default();
    }
    if let Some(plain) = &mut plain {
        plain.push_str(rest);
    }
    plain
}

/// The character of an escape that a text begins with, and how many bytes it has.
fn escape(text: &str) -> Option<(char, usize)> {
    const NAMES: [(&str, char); 18] = [
        ("amp", '&'),
        ("equals", '='),
        ("quest", '?'),
        ("num", '#'),
        ("percnt", '%'),
        ("plus", '+'),
        ("colon", ':'),
        ("sol", '/'),
        ("commat", '@'),
        ("period", '.'),
        ("lowbar", '_'),
        ("hyphen", '-'),
        ("quot", '"'),
        ("apos", '\''),
        ("lt", '<'),
        ("gt", '>'),
        ("nbsp", '\u{a0}'),
        ("semi", ';'),
    ];
    let body = text.strip_prefix('&')?;
    let printable = |number: u32| char::from_u32(number).filter(|character| !character.is_control());
    if let Some(number) = body.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']);
        let (digits, radix, mark) = hexadecimal.map_or((number, 10, 2_usize), |digits| (digits, 16, 3));
        let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
        let character = u32::from_str_radix(digits.get(..count)?, radix).ok().and_then(printable)?;
        let ends = digits.as_bytes().get(count) == Some(&b';');
        // HTML takes `&#38` without its semicolon too; hexadecimal digits may be the letters of what follows.
        let whole = ends || radix == 10;
        return whole.then(|| (character, mark.saturating_add(count).saturating_add(usize::from(ends))));
    }
    // A name is short: without a limit, each `&` would start a search through the whole text.
    let name = body.get(..body.bytes().take(12).position(|byte| byte == b';')?)?;
    let (_, character) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some((*character, name.len().saturating_add(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_escapes_are_undone_as_often_as_they_were_applied() {
        for (text, plain) in [
            ("a&amp;b", "a&b"),
            ("a&AMP;b", "a&b"),
            ("a&#038;b", "a&b"),
            ("a&#38;b", "a&b"),
            ("a&#38digits", "a&digits"),
            ("a&#x26;b", "a&b"),
            ("a&#X0026;b", "a&b"),
            ("a&amp;amp;b", "a&b"),
            ("a&amp;#038;b", "a&b"),
            ("a&b&#x3D;c&#61;d&equals;e", "a&b=c=d=e"),
            ("&quest;&num;&percnt;&nbsp;", "?#%\u{a0}"),
        ] {
            assert_eq!(unescaped(text).as_deref().map(String::as_str), Some(plain), "{text}");
        }
        for text in ["", "a&b", "a&amp", "a&copy=1", "&", "&#;", "&#x26digits", "&#0;", "&#99999999999;", "&unknown;"] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }
}
