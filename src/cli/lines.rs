//! Lines for a terminal, broken between words.

/// Programs whose commands appear in messages. A command stays on one line, so that it can be copied.
const PROGRAMS: [&str; 16] = [
    "vmfa",
    "aws",
    "eval",
    "printf",
    "jq",
    "curl",
    "grep",
    "gpg",
    "age",
    "bw",
    "chmod",
    "kill",
    "apt-get",
    "watch",
    "keepassxc-cli",
    "sudo",
];

/// A text with its lines broken between words where they are wider than a terminal; what follows the first is indented.
/// A command, and what stands in backticks, isn't broken: the terminal does that, and it can still be copied.
pub(super) fn broken(text: &str, width: usize, indent: usize) -> String {
    use unicode_width::UnicodeWidthStr as _;
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0_usize);
    for piece in pieces(text) {
        let wide = piece.width();
        if used > indent && used.saturating_add(1).saturating_add(wide) > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        } else if used > 0 {
            out.push(' ');
            used = used.saturating_add(1);
        }
        out.push_str(&piece);
        used = used.saturating_add(wide);
    }
    out
}

/// Words, and what is kept in one piece.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let (mut quoted, mut command) = (false, false);
    for word in text.split(' ') {
        let begins = PROGRAMS.contains(&word)
            && pieces.last().is_none_or(|before| before.ends_with([':', ';', ',']) || before == "or");
        match pieces.last_mut() {
            Some(piece) if (quoted || command) && !begins => {
                piece.push(' ');
                piece.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        quoted ^= word.matches('`').count() % 2 == 1;
        command = (command || begins) && !word.ends_with([';', ',']);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_commands_are_kept_whole() {
        let text = "hint: one item: bw get item ITEM | jq -r .login.totp | vmfa add NAME -; or export as plain .json";
        assert_eq!(
            broken(text, 40, 6),
            "hint: one item:\n      bw get item ITEM | jq -r .login.totp | vmfa add NAME -;\n      or export as plain .json"
        );
        let text = "hint: did you mean `vmfa code mfauser`? `vmfa list` shows all of them";
        assert_eq!(
            broken(text, 30, 6),
            "hint: did you mean\n      `vmfa code mfauser`?\n      `vmfa list` shows all of\n      them"
        );
        assert_eq!(broken("short", 30, 6), "short");
        assert!(broken("vmfa: a message of some length about 日本語日本語 and more", 30, 6).lines().count() > 1);
    }
}
