//! Where in a policy's text a statement stands, as the simulator tells it: from just behind the token in front of the
//! statement to just behind its end, lines and columns counted from 1.

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Of the statement of a number, counted from 1, in a text that was read as a policy before.
pub(super) fn of(text: &str, statement: usize) -> Option<(Position, Position)> {
    let mut scan = Scan { at: Position { line: 1, column: 1 }, depth: 0, name: String::new(), last: None };
    let mut characters = text.chars();
    let (mut list, mut seen, mut start) = (None, 0_usize, None);
    while let Some(character) = characters.next() {
        let before = scan.last;
        scan.step(character);
        match character {
            '"' => scan.text(&mut characters),
            '{' | '[' => {
                let of_statement = scan.depth == 1 && scan.name == "Statement";
                if character == '[' && of_statement {
                    list = Some(scan.depth);
                }
                if character == '{' && (of_statement || list == Some(scan.depth.saturating_sub(1))) {
                    seen = seen.saturating_add(1);
                    if seen == statement {
                        start = before.map(|start| (start, scan.depth));
                    }
                }
                scan.depth = scan.depth.saturating_add(1);
            }
            '}' | ']' => {
                scan.depth = scan.depth.saturating_sub(1);
                if list == Some(scan.depth) && character == ']' {
                    list = None;
                }
                if let Some((start, _)) = start.filter(|(_, depth)| *depth == scan.depth) {
                    return Some((start, scan.at));
                }
            }
            _ => {}
        }
        if !character.is_whitespace() {
            scan.last = Some(scan.at);
        }
    }
    None
}

struct Scan {
    /// Behind the last character.
    at: Position,
    depth: u32,
    /// The last text of the outermost object.
    name: String,
    /// Behind the last token.
    last: Option<Position>,
}

impl Scan {
    fn step(&mut self, character: char) {
        if character == '\n' {
            self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
    }

    /// Passes over the rest of a text.
    fn text(&mut self, characters: &mut std::str::Chars<'_>) {
        let mut text = String::new();
        while let Some(character) = characters.next() {
            self.step(character);
            match character {
                '"' => break,
                '\\' => {
                    if let Some(escaped) = characters.next() {
                        self.step(escaped);
                    }
                }
                other => text.push(other),
            }
        }
        if self.depth == 1 {
            self.name = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, statement: usize) -> Option<[(u32, u32); 2]> {
        of(text, statement).map(|(start, end)| [start, end].map(|position| (position.line, position.column)))
    }

    #[test]
    fn statements_are_where_the_service_was_seen_to_say() {
        let compact =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"}"}]}"#;
        assert_eq!(at(compact, 1), Some([(1, 38), (1, 86)]));
        assert_eq!(at(compact, 2).unwrap()[0], (1, 87));
        assert_eq!(at(compact, 2).unwrap()[1].1 as usize, compact.len() - 1);
        assert_eq!(at(compact, 3), None);
        let spaced = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}"#;
        assert_eq!(at(spaced, 1).unwrap()[0], (1, 41));
        let lines = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Condition\": {\"Bool\": {\"a:b\": \"\\\"}\"}}\n    }\n  ]\n}";
        assert_eq!(at(lines, 1), Some([(3, 17), (6, 6)]));
        let single = r#"{"Id":"[{","Statement":{"Effect":"Allow"},"Version":"2012-10-17"}"#;
        assert_eq!(at(single, 1), Some([(1, 24), (1, 42)]));
    }
}
