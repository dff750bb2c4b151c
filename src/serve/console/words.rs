//! Texts as a page shows them: escaped, with times as people write them, and with room to break long names.
//!
//! What these give is HTML.

/// The months, as dates show them.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A message: what stands between two backticks as code, RFC 3339 times as [`time`] has them.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, next)) = after.split_once('`') else { break };
        plain(&mut html, before);
        html.push_str("<code>");
        html.push_str(&name(code));
        html.push_str("</code>");
        rest = next;
    }
    plain(&mut html, rest);
    html
}

fn plain(html: &mut String, text: &str) {
    for word in text.split_inclusive(char::is_whitespace) {
        let (start, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        html.push_str(&if civil(start).is_some() { time(start) } else { name(start) });
        html.push_str(&name(end));
    }
}

/// An ARN, a command, or another text of long words, which break after slashes.
pub(super) fn name(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&#38;"),
            '<' => html.push_str("&#60;"),
            '>' => html.push_str("&#62;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            '/' => html.push_str("/<wbr>"),
            other => html.push(other),
        }
    }
    html
}

/// An RFC 3339 time in UTC; the attribute keeps it for programs.
pub(super) fn time(text: &str) -> String {
    match civil(text) {
        Some(shown) => format!("<time datetime=\"{text}\">{shown}</time>"),
        None => name(text),
    }
}

/// `28 Nov 2026, 18:27:02 UTC`, of exactly `2026-11-28T18:27:02Z`.
fn civil(text: &str) -> Option<String> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (date, clock_parts) = (digits(date, '-')?, digits(clock, ':')?);
    let ([year, month, day], [_, _, _]) = (date.as_slice(), clock_parts.as_slice()) else { return None };
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    (year.len() == 4 && clock.len() == 8)
        .then(|| format!("{} {month} {year}, {clock} UTC", day.trim_start_matches('0')))
}

/// What stands between separators, if that is digits each time.
fn digits(text: &str, separator: char) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split(separator).collect();
    let numbers = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_names_and_code_are_shown_as_people_write_them() {
        assert_eq!(
            prose("denied by `Force_MFA` of `arn:aws:iam::1:policy/a/b`, known at 2026-01-08T08:07:02Z, a/b."),
            "denied by <code>Force_MFA</code> of <code>arn:aws:iam::1:policy/<wbr>a/<wbr>b</code>, known at \
             <time datetime=\"2026-01-08T08:07:02Z\">8 Jan 2026, 08:07:02 UTC</time>, a/<wbr>b."
        );
        assert_eq!(prose("one ` alone, 2026-13-01T00:00:00Z"), "one ` alone, 2026-13-01T00:00:00Z");
        assert_eq!(prose("(2026-12-31T23:59:59Z)"), "(2026-12-31T23:59:59Z)", "no word of its own");
    }

    #[test]
    fn nothing_gets_through_that_is_markup() {
        for text in ["<b>&\"'", "`<b>&\"'`", "2026-01-08T08:07:02\"><b>Z"] {
            let html = prose(text);
            let left = html.replace("<code>", "").replace("</code>", "");
            assert!(!left.contains(['<', '>', '"', '\'']), "{html}");
        }
    }
}
