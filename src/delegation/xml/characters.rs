//! Characters as XML 1.0 sees them: which are allowed, which make a name, which are white space around a text.

use std::borrow::Cow;

/// A text as it is put together from its pieces; borrowed while there is only one.
#[derive(Default)]
pub(super) struct Text<'a> {
    text: Cow<'a, str>,
    /// Up to here nothing is trimmed from the end.
    kept: usize,
}

impl<'a> Text<'a> {
    /// Adds text whose white space may be there for the eye only.
    pub(super) fn push_typed(&mut self, piece: Cow<'a, str>) {
        let white_space = |character: char| character.is_ascii() && is_white_space(character as u8);
        if !self.text.is_empty() {
            let kept = piece.trim_end_matches(white_space).len();
            if kept > 0 {
                self.kept = self.text.len() + kept;
            }
            self.text.to_mut().push_str(&piece);
            return;
        }
        self.text = match piece {
            Cow::Borrowed(piece) => Cow::Borrowed(piece.trim_start_matches(white_space)),
            Cow::Owned(piece) => Cow::Owned(piece.trim_start_matches(white_space).to_owned()),
        };
        self.kept = self.text.trim_end_matches(white_space).len();
    }

    /// Adds text that is kept as it is.
    pub(super) fn push_meant(&mut self, piece: Cow<'a, str>) {
        if self.text.is_empty() {
            self.text = piece;
        } else {
            self.text.to_mut().push_str(&piece);
        }
        self.kept = self.text.len();
    }

    pub(super) fn push_character(&mut self, character: char) {
        self.text.to_mut().push(character);
        self.kept = self.text.len();
    }

    pub(super) fn finish(self) -> Cow<'a, str> {
        match self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..self.kept).unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(self.kept);
                Cow::Owned(text)
            }
        }
    }
}

/// White space as XML 1.0 has it (production 3).
pub(super) fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether XML 1.0 allows the character at all, even as a reference (production 2).
pub(super) fn is_allowed(character: char) -> bool {
    match character {
        '\u{0}'..='\u{1f}' => is_white_space(character as u8),
        '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}

/// Where the first character stands that XML does not allow.
pub(super) fn forbidden_character(text: &str) -> Option<usize> {
    // Nearly always there is none; the first pass says so quickly. 0xef begins U+FFFE and U+FFFF.
    let is_suspect = |byte: u8| byte < 0x20 && !is_white_space(byte) || byte == 0xef;
    if !text.bytes().fold(false, |suspect, byte| suspect | is_suspect(byte)) {
        return None;
    }
    text.char_indices().find(|&(_, character)| !is_allowed(character)).map(|(at, _)| at)
}

/// Whether it can be the name of an element or an attribute; beyond ASCII everything passes.
pub(super) fn is_name(name: &str) -> bool {
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    let mut bytes = name.bytes();
    bytes.next().is_some_and(is_start)
        && bytes.all(|byte| is_start(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_that_was_typed_is_trimmed() {
        let mut text = Text::default();
        text.push_typed(" \n ".into());
        text.push_character(' ');
        text.push_typed(" a ".into());
        text.push_meant(" b ".into());
        text.push_typed(" \n".into());
        assert_eq!(text.finish(), "  a  b ");
    }

    #[test]
    fn one_piece_of_text_is_borrowed() {
        let mut text = Text::default();
        text.push_typed(Cow::Borrowed("\n  urn:imei:1\t"));
        assert!(matches!(text.finish(), Cow::Borrowed("urn:imei:1")));
    }

    #[test]
    fn a_no_break_space_is_not_white_space() {
        let mut text = Text::default();
        text.push_typed(" \u{a0} ".into());
        assert_eq!(text.finish(), "\u{a0}");
    }

    #[test]
    fn the_first_forbidden_character_is_found_where_it_stands() {
        assert_eq!(forbidden_character("a\tb\r\n"), None);
        assert_eq!(forbidden_character("\u{feff}\u{ff01}"), None);
        assert_eq!(forbidden_character("ab\u{0}c"), Some(2));
        assert_eq!(forbidden_character("ä\u{ffff}"), Some(2));
    }

    #[test]
    fn names_are_told_from_other_things() {
        for name in ["sessionId", "a", "_", "x:y", "größe", "a-1.2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "-a", ".", "a<b", "a&b", "a\"b", "a/b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
