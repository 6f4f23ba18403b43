//! XML that is not as it should be: each mutation by its name, as a change of a message's bytes.
//!
//! What a reader makes of a message that was written well, [`delegation::xml::read`](crate::delegation::xml::read) above
//! all:
//!
//! | mutation | is read as |
//! |---|---|
//! | `truncated` | refused: `truncated` |
//! | `ill-formed` | refused: `not_xml` |
//! | `wrong-encoding`, `invalid-utf8` | refused: `not_utf8` |
//! | `dtd`, `entity-expansion` | refused: `has_dtd` |
//! | `root-renamed` | refused: `unknown_message` |
//! | `missing-element` | refused: `missing_element` |
//! | `duplicated-element` | refused: `doubled_element` |
//! | `boolean-capital` | refused: `bad_value` |
//! | `trailing-content` | refused: `trailing_content` |
//! | `long-device-id`, `escaped-uri`, `case-of-ids` | another message: of a device, a sub-tree, a session that nobody knows |
//! | all others | the same message |
//!
//! A mutation that finds nothing to change in a message - no boolean, no DMTreeURI - leaves it as it is.

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::faults::keys::keyed;
use crate::faults::outline::{Child, Outline, find, outline, prolog_end};

/// One way to spoil a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// The last third is missing.
    Truncated,
    /// The first element has no end tag.
    IllFormed,
    /// The declaration says UTF-16; the bytes are UTF-8.
    WrongEncoding,
    /// A byte that UTF-8 does not have stands in the first element.
    InvalidUtf8,
    /// A byte order mark comes first.
    Bom,
    /// There is a document type, with an entity that nobody uses.
    Dtd,
    /// Entities of entities, used once: a thousand million words if they were written out.
    EntityExpansion,
    /// All elements are of another namespace.
    Namespace,
    /// The root element is called as in the prose, in capitals.
    RootRenamed,
    /// An element comes first that no table has, with one inside.
    UnknownElement,
    /// The first element that this message cannot do without is gone.
    MissingElement,
    /// The first element is there twice.
    DuplicatedElement,
    /// The elements come in the reverse order.
    ReorderedElements,
    /// `isClientBootstapped` is spelt as it is meant (D2).
    RightSpelling,
    /// Booleans begin with a capital: `True`.
    BooleanCapital,
    /// Booleans are digits: `1`.
    BooleanDigit,
    /// `status` is in small letters.
    StatusCase,
    /// There is white space around `status`.
    StatusBlanks,
    /// `deviceId` goes on for four kilobytes.
    LongDeviceId,
    /// `DMTreeURI` is percent-escaped wherever it is no letter or digit.
    EscapedUri,
    /// The letters of all identifiers are in the other case (D30).
    CaseOfIds,
    /// Another element follows the root.
    TrailingContent,
    ProcessingInstruction,
    Comment,
}

keyed!(Mutation {
    Truncated => "truncated",
    IllFormed => "ill-formed",
    WrongEncoding => "wrong-encoding",
    InvalidUtf8 => "invalid-utf8",
    Bom => "bom",
    Dtd => "dtd",
    EntityExpansion => "entity-expansion",
    Namespace => "namespace",
    RootRenamed => "root-renamed",
    UnknownElement => "unknown-element",
    MissingElement => "missing-element",
    DuplicatedElement => "duplicated-element",
    ReorderedElements => "reordered-elements",
    RightSpelling => "right-spelling",
    BooleanCapital => "boolean-capital",
    BooleanDigit => "boolean-digit",
    StatusCase => "status-case",
    StatusBlanks => "status-blanks",
    LongDeviceId => "long-device-id",
    EscapedUri => "escaped-uri",
    CaseOfIds => "case-of-ids",
    TrailingContent => "trailing-content",
    ProcessingInstruction => "processing-instruction",
    Comment => "comment",
});

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How much longer `long-device-id` makes a deviceId, in bytes.
const LONGER: usize = 4096;
/// Elements that are not there in every form of a message, or that a reader can do without (D1, D4, D14, D19).
const OPTIONAL: [&[u8]; 5] = [b"reasonCode", b"status", b"Status", b"DMTreeURI", b"isClientBootstapped"];

impl Mutation {
    /// The body as it is sent instead. Any bytes will do; what has nothing to change comes back as it is.
    pub fn apply(self, body: &[u8]) -> Vec<u8> {
        let outline = outline(body);
        self.change(body, outline.as_ref()).unwrap_or_else(|| body.to_vec())
    }

    fn change(self, body: &[u8], outline: Option<&Outline>) -> Option<Vec<u8>> {
        let first = || outline?.children.first();
        let inside = |added: &[u8]| Some(insert(body, outline?.inside, added));
        Some(match self {
            Mutation::Truncated => body[..body.len() - body.len().div_ceil(3)].to_vec(),
            Mutation::IllFormed => {
                let child = first()?;
                replace(body, child.content.end..child.whole.end, b"")
            }
            Mutation::WrongEncoding => {
                replace(body, 0..prolog_end(body), b"<?xml version=\"1.0\" encoding=\"UTF-16\"?>")
            }
            Mutation::InvalidUtf8 => insert(body, first().map_or(body.len(), |child| child.content.start), b"\xff"),
            Mutation::Bom => insert(body, 0, BYTE_ORDER_MARK),
            Mutation::Dtd => with_entities(body, outline?, "<!ENTITY word \"text\">"),
            Mutation::EntityExpansion => {
                let child = first()?;
                with_entities(&replace(body, child.content.clone(), b"&e9;"), outline?, &entities())
            }
            Mutation::Namespace => insert(body, outline?.root.end, b" xmlns=\"urn:example:another\""),
            Mutation::RootRenamed => {
                let outline = outline?;
                let name = body[outline.root.clone()].to_ascii_uppercase();
                // From the end to the start, so that the first place stays where it is.
                replace(&replace(body, outline.root_end.clone(), &name), outline.root.clone(), &name)
            }
            Mutation::UnknownElement => inside(b"<extension><note>unknown</note></extension>")?,
            Mutation::MissingElement => {
                let is_mandatory = |child: &&Child| !OPTIONAL.contains(&&body[child.name.clone()]);
                replace(body, outline?.children.iter().find(is_mandatory)?.whole.clone(), b"")
            }
            Mutation::DuplicatedElement => {
                let child = first()?;
                insert(body, child.whole.end, &body[child.whole.clone()])
            }
            Mutation::ReorderedElements => reversed(body, &outline?.children)?,
            Mutation::RightSpelling => replace_all(body, &[(b"isClientBootstapped", b"isClientBootstrapped")]),
            Mutation::BooleanCapital => replace_all(body, &[(b">true<", b">True<"), (b">false<", b">False<")]),
            Mutation::BooleanDigit => replace_all(body, &[(b">true<", b">1<"), (b">false<", b">0<")]),
            Mutation::StatusCase => with_contents(body, outline?, &["status", "Status"], <[u8]>::to_ascii_lowercase),
            Mutation::StatusBlanks => {
                with_contents(body, outline?, &["status", "Status"], |text| [b" \n\t", text, b" "].concat())
            }
            Mutation::LongDeviceId => {
                with_contents(body, outline?, &["deviceId"], |text| [text, &[b'0'; LONGER][..]].concat())
            }
            Mutation::EscapedUri => with_contents(body, outline?, &["DMTreeURI"], percent_escaped),
            Mutation::CaseOfIds => {
                with_contents(body, outline?, &["serverId", "deviceId", "sessionId"], in_the_other_case)
            }
            Mutation::TrailingContent => [body, b"<more/>"].concat(),
            Mutation::ProcessingInstruction => inside(b"<?look away?>")?,
            Mutation::Comment => inside(b"<!-- nothing to see -->")?,
        })
    }
}

fn replace(body: &[u8], place: Range<usize>, with: &[u8]) -> Vec<u8> {
    [&body[..place.start], with, &body[place.end..]].concat()
}

fn insert(body: &[u8], at: usize, added: &[u8]) -> Vec<u8> {
    replace(body, at..at, added)
}

/// All places where one of these stands, each replaced by its counterpart.
fn replace_all(body: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut changed = body.to_vec();
    for (from, to) in pairs {
        let before = std::mem::take(&mut changed);
        let mut done = 0;
        while let Some(found) = find(&before, done, from) {
            changed.extend_from_slice(&before[done..found]);
            changed.extend_from_slice(to);
            done = found + from.len();
        }
        changed.extend_from_slice(&before[done..]);
    }
    changed
}

/// The contents of all children of these names, changed.
fn with_contents(body: &[u8], outline: &Outline, names: &[&str], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let is_meant = |child: &&Child| names.iter().any(|name| name.as_bytes() == &body[child.name.clone()]);
    let mut changed = body.to_vec();
    // From the end to the start, so that the places before stay where they are.
    for child in outline.children.iter().rev().filter(is_meant) {
        changed = replace(&changed, child.content.clone(), &change(&body[child.content.clone()]));
    }
    changed
}

/// The children in the reverse order, with what stands between them where it was; `None` where there are none.
fn reversed(body: &[u8], children: &[Child]) -> Option<Vec<u8>> {
    let (first, last) = (children.first()?, children.last()?);
    let mut changed = body[..first.whole.start].to_vec();
    for (at, child) in children.iter().enumerate() {
        changed.extend_from_slice(&body[children[children.len() - 1 - at].whole.clone()]);
        let gap_end = children.get(at + 1).map_or(child.whole.end, |next| next.whole.start);
        changed.extend_from_slice(&body[child.whole.end..gap_end]);
    }
    changed.extend_from_slice(&body[last.whole.end..]);
    Some(changed)
}

/// A document type with these declarations, behind the XML declaration. The outline is that of the body up to there.
fn with_entities(body: &[u8], outline: &Outline, declarations: &str) -> Vec<u8> {
    let name = &body[outline.root.clone()];
    insert(body, prolog_end(body), &[b"<!DOCTYPE ", name, b" [", declarations.as_bytes(), b"]>"].concat())
}

/// Ten entities, each but the first ten times the one before: 10^9 words.
fn entities() -> String {
    let mut declarations = "<!ENTITY e0 \"word\">".to_owned();
    for level in 1..10 {
        let tenfold = format!("&e{};", level - 1).repeat(10);
        declarations.push_str(&format!("<!ENTITY e{level} \"{tenfold}\">"));
    }
    declarations
}

fn percent_escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(3 * text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() {
            escaped.push(byte);
        } else {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    escaped
}

/// Letters in the other case, but for those of references such as `&amp;`.
fn in_the_other_case(text: &[u8]) -> Vec<u8> {
    let mut is_reference = false;
    let other = |&byte: &u8| {
        is_reference = (is_reference || byte == b'&') && byte != b';';
        match byte {
            _ if is_reference => byte,
            b'a'..=b'z' => byte.to_ascii_uppercase(),
            _ => byte.to_ascii_lowercase(),
        }
    };
    text.iter().map(other).collect()
}
