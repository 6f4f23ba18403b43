//! What the pickiest clients in the field take: the rest makes one of them break off, or fall over.

use crate::dm::syncml::{Command, Message, Verb};
use crate::dm::syncml_xml;

/// Holds a message against what clients take of anybody's XML.
#[track_caller]
pub fn is_taken(message: &Message) {
    let text = syncml_xml::write(message);
    let root = r#"<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>"#;
    assert!(text.starts_with(root), "the root in its very letters, no mark before it: {text}");
    assert_eq!(text.matches("<?").count(), 1, "no processing instruction behind the prologue: {text}");
    assert!(!text.contains("xmlns:") && !text.contains("<Meta "), "no prefix, no namespace on a Meta: {text}");
    for name in ["Format", "Type", "Mark", "Size", "NextNonce", "MaxMsgSize", "MaxObjSize"] {
        let declared = text.matches(&format!("<{name} xmlns=\"syncml:metinf\">")).count();
        assert_eq!(text.matches(&format!("<{name}")).count(), declared, "each child of a Meta declares itself: {text}");
    }
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)), "byte {at}: {text}");
    }
    for status in message.statuses() {
        assert!(!status.cmd_id.is_empty() && !status.msg_ref.is_empty() && status.cmd_ref.is_some(), "{status:?}");
    }
    message.commands().for_each(is_numbered);
}

/// Holds a message of a server against what clients take of its commands.
#[track_caller]
pub fn is_taken_from_a_server(message: &Message) {
    message.commands().for_each(is_complete);
    let has_commands = message.commands().next().is_some();
    assert!(message.is_final || has_commands, "a package that goes on asks for something");
}

fn is_numbered(command: &Command) {
    assert!(!command.cmd_id.is_empty(), "{command:?}");
    if let Verb::Atomic(inner) = &command.verb {
        inner.iter().for_each(is_numbered);
    }
}

/// An Add or Replace without Data or Format makes one client fall over, and so does a Sequence.
fn is_complete(command: &Command) {
    match &command.verb {
        Verb::Add(items) | Verb::Replace(items) => {
            for item in items {
                assert!(item.data.is_some() && item.meta.format.is_some(), "{command:?}");
            }
        }
        Verb::Atomic(inner) => {
            assert!(!inner.is_empty());
            inner.iter().for_each(is_complete);
        }
        Verb::Sequence(_) => panic!("{command:?}"),
        _ => {}
    }
}
