//! Where in a policy's text a statement stands, as the simulator tells it: from just behind the brace or bracket that opens
//! `Statement`, or the end of the statement before, to just behind its own end, lines and columns counted from 1.

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Of the statement of a number, counted from 1, in a text that was read as a policy before.
pub(super) fn of(text: &str, statement: usize) -> Option<(Position, Position)> {
    let mut scan = Scan { at: Position { line: 1, column: 1 }, depth: 0, name: String::new(), returned: false };
    let mut characters = text.chars();
    // Behind the bracket, the depth within it, how many statements began, and behind the last one that ended.
    let (mut list, mut seen, mut ended) = (None, 0_usize, None);
    let mut start = None;
    while let Some(character) = characters.next() {
        scan.step(character);
        match character {
            '"' => scan.text(&mut characters),
            '{' | '[' => {
                let of_statement = scan.depth == 1 && scan.name == "Statement";
                scan.depth = scan.depth.saturating_add(1);
                if character == '[' && of_statement {
                    list = Some(scan.depth);
                    ended = Some(scan.at);
                }
                let within = list.is_some_and(|depth| scan.depth == depth.saturating_add(1));
                if character == '{' && (of_statement || within) {
                    seen = seen.saturating_add(1);
                    if seen == statement {
                        start = Some((if within { ended.unwrap_or(scan.at) } else { scan.at }, scan.depth));
                    }
                }
            }
            '}' | ']' => {
                if let Some((start, _)) = start.filter(|(_, depth)| *depth == scan.depth) {
                    return Some((start, scan.at));
                }
                if list.is_some_and(|depth| scan.depth == depth.saturating_add(1)) {
                    ended = Some(scan.at);
                }
                if list == Some(scan.depth) {
                    list = None;
                }
                scan.depth = scan.depth.saturating_sub(1);
            }
            _ => {}
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
    /// Whether the last character was a carriage return.
    returned: bool,
}

impl Scan {
    fn step(&mut self, character: char) {
        match character {
            '\n' if self.returned => {}
            '\r' | '\n' => self.at = Position { line: self.at.line.saturating_add(1), column: 1 },
            _ => self.at.column = self.at.column.saturating_add(1),
        }
        self.returned = character == '\r';
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
        assert_eq!(at(compact, 2).unwrap()[0], (1, 86));
        assert_eq!(at(compact, 2).unwrap()[1].1 as usize, compact.len() - 1);
        assert_eq!(at(compact, 3), None);
        let spaced = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}"#;
        assert_eq!(at(spaced, 1).unwrap()[0], (1, 41));
        let lines = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Condition\": {\"Bool\": {\"a:b\": \"\\\"}\"}}\n    }\n  ]\n}";
        assert_eq!(at(lines, 1), Some([(3, 17), (6, 6)]));
        let single = r#"{"Id":"[{","Statement":{"Effect":"Allow"},"Version":"2012-10-17"}"#;
        assert_eq!(at(single, 1), Some([(1, 25), (1, 42)]));
        let apart = "{\r\n\"Statement\" : [ {\"Effect\":\"Allow\"} ,\r {\"Effect\":[{}]}]}";
        assert_eq!(at(apart, 1), Some([(2, 16), (2, 35)]));
        assert_eq!(at(apart, 2), Some([(2, 35), (3, 17)]));
    }
}
