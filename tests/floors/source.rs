//! Rust source as text: without comments and texts, without tests, and the paths in it. Not a parser, and needs none.

/// The source with comments and the insides of texts blanked out; lines stay where they are.
pub fn code(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| characters.get(at + i) == Some(&c));
    while at < characters.len() {
        let before = at.checked_sub(1).map_or(' ', |before| characters[before]);
        let is_word = before.is_alphanumeric() || before == '_';
        let hashes = characters[at..].iter().skip(1).take_while(|c| **c == '#').count();
        let end = if starts(at, "//") {
            characters[at..].iter().position(|c| *c == '\n').map_or(characters.len(), |length| at + length)
        } else if starts(at, "/*") {
            (at..characters.len()).find(|end| starts(*end, "*/")).map_or(characters.len(), |end| end + 2)
        } else if characters[at] == 'r' && !is_word && characters.get(at + 1 + hashes) == Some(&'"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let from = at + 2 + hashes;
            (from..characters.len()).find(|end| starts(*end, &close)).map_or(characters.len(), |end| end + 1 + hashes)
        } else if characters[at] == '"' {
            let mut end = at + 1;
            while end < characters.len() && characters[end] != '"' {
                end += if characters[end] == '\\' { 2 } else { 1 };
            }
            end + 1
        } else if starts(at, "'\\") {
            (at + 3..characters.len()).find(|end| characters[*end] == '\'').map_or(characters.len(), |end| end + 1)
        } else if characters[at] == '\'' && characters.get(at + 2) == Some(&'\'') {
            at + 3
        } else {
            code.push(characters[at]);
            at += 1;
            continue;
        };
        let end = end.min(characters.len());
        code.push('"');
        code.extend(characters[at..end].iter().filter(|c| **c == '\n'));
        at = end;
    }
    code
}

/// The code less its `#[cfg(test)] mod ... { }` blocks; lines stay where they are.
pub fn without_tests(code: &str) -> String {
    let mut living = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, block) = rest.split_at(at);
        living.push_str(before);
        let mut depth = 0_usize;
        let end = block.char_indices().find_map(|(at, character)| {
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth == 0 && matches!(character, '}' | ';')).then_some(at + 1)
        });
        let (block, after) = block.split_at(end.unwrap_or(block.len()));
        living.extend(block.chars().filter(|character| *character == '\n'));
        rest = after;
    }
    living + rest
}

/// A path as it stands in the code, groups written out: `use a::{b, c::d}` is `a::b` and `a::c::d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub segments: Vec<String>,
    pub is_macro: bool,
    pub line: usize,
}

impl Named {
    pub fn text(&self) -> String {
        format!("{}{}", self.segments.join("::"), if self.is_macro { "!" } else { "" })
    }

    /// The path from the root of the crate; `None` if it leads outside, or nobody can tell from the text.
    pub fn within_the_crate(&self, module: &str) -> Option<Vec<String>> {
        let mut from: Vec<String> = module.split("::").map(str::to_owned).collect();
        let ups = self.segments.iter().take_while(|segment| *segment == "super").count();
        let rest = match self.segments.first()?.as_str() {
            "crate" => {
                from.clear();
                &self.segments[1..]
            }
            "self" => &self.segments[1..],
            "super" => {
                from.truncate(from.len().saturating_sub(ups));
                &self.segments[ups..]
            }
            _ => return None,
        };
        from.extend(rest.iter().cloned());
        Some(from)
    }

    /// Which of these it is: a macro by its name, a type's function wherever the type comes from, anything else by its
    /// full path. A word alone names a crate only where more follows.
    pub fn is_one_of<'t>(&self, things: &[&'t str]) -> Option<&'t str> {
        things.iter().copied().find(|thing| {
            if let Some(name) = thing.strip_suffix('!') {
                return self.is_macro && self.segments.last().is_some_and(|last| last == name);
            }
            let wanted: Vec<&str> = thing.split("::").collect();
            let mut windows = self.segments.windows(wanted.len()).map(|window| window == wanted);
            if thing.starts_with(char::is_uppercase) {
                windows.any(|is_it| is_it)
            } else {
                self.segments.len() > 1 && windows.next() == Some(true)
            }
        })
    }
}

/// Every path in the code, and every lone word.
pub fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_word(&tokens[at].0) {
            at = push_paths(&tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// Pushes the path, or the group of paths, that begins with the word at `at`; returns where it ends.
fn push_paths(tokens: &[(String, usize)], mut at: usize, prefix: &[String], paths: &mut Vec<Named>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |(text, _)| text.as_str());
    let line = tokens[at].1;
    let mut segments = prefix.to_vec();
    loop {
        if text(at) != "self" || segments.is_empty() {
            segments.push(text(at).to_owned());
        }
        at += 1;
        if text(at) != "::" || !(is_word(text(at + 1)) || ["{", "*"].contains(&text(at + 1))) {
            let is_macro = text(at) == "!" && text(at + 1) != "=";
            paths.push(Named { segments, is_macro, line });
            return at;
        }
        at += 1;
        if text(at) == "{" {
            at += 1;
            while at < tokens.len() && text(at) != "}" {
                at = match text(at) {
                    "as" => at + 2,
                    word if is_word(word) || word == "*" => push_paths(tokens, at, &segments, paths),
                    _ => at + 1,
                };
            }
            return at + 1;
        }
    }
}

/// Words, `::`, and all other characters that are not white space, each with its line.
fn tokens(code: &str) -> Vec<(String, usize)> {
    let mut tokens: Vec<(String, usize)> = Vec::new();
    let mut is_open = false;
    for (line, text) in code.lines().enumerate() {
        for character in text.chars() {
            let goes_on = match tokens.last() {
                Some((last, _)) if is_word(last) => character.is_alphanumeric() || character == '_',
                Some((last, _)) => last == ":" && character == ':',
                None => false,
            };
            match tokens.last_mut() {
                Some((last, _)) if is_open && goes_on => last.push(character),
                _ if !character.is_whitespace() => tokens.push((character.to_string(), line + 1)),
                _ => {}
            }
            is_open = !character.is_whitespace();
        }
        is_open = false;
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}
