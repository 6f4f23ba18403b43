//! A short text that needs no memory of its own: what keeps a million trees small.

use std::fmt;
use std::sync::Arc;

/// Octets that fit in place.
const INLINE: usize = 22;

/// A text that does not change. 24 octets; up to 22 octets of text need nothing else, longer ones are shared by clones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Text {
    Inline { length: u8, octets: [u8; INLINE] },
    Shared(Arc<str>),
}

impl Text {
    /// Keeps a copy of the text.
    pub fn new(text: &str) -> Text {
        if text.len() > INLINE {
            return Text::Shared(Arc::from(text));
        }
        let mut octets = [0; INLINE];
        octets[..text.len()].copy_from_slice(text.as_bytes());
        Text::Inline { length: text.len() as u8, octets }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Inline { length, octets } => {
                std::str::from_utf8(&octets[..usize::from(*length)]).expect("the octets are those of a str")
            }
            Text::Shared(text) => text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_reads_back() {
        for length in [0, 1, INLINE - 1, INLINE, INLINE + 1, 300] {
            let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
            assert_eq!(Text::new(&text).as_str(), text);
        }
        assert_eq!(std::mem::size_of::<Text>(), 24);
    }
}
