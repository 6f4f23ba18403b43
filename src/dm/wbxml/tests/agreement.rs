//! Both forms say the same, whatever the message; and no bytes bring the reader down.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::{read, write};
use crate::dm::syncml::{Chal, Command, Cred, Element, Header, Item, Location, Message, Meta, Results, Status, Verb};
use crate::dm::syncml_xml;

/// A text without white space around it, which is all that a word keeps.
fn word() -> impl Strategy<Value = String> {
    "([!-~é][ -~€]{0,9}[!-~])?"
}

/// A value: with white space, line ends and characters of every length.
fn value() -> impl Strategy<Value = String> {
    "([ -~]|[\\n\\té€😀]){0,40}"
}

fn uri() -> impl Strategy<Value = Location> {
    (word(), option::of(word())).prop_map(|(uri, name)| Location { uri, name })
}

prop_compose! {
    fn meta()(
        format in option::of(word()),
        kind in option::of(word()),
        mark in option::of(word()),
        size in option::of(any::<u64>()),
        max_msg_size in option::of(any::<u64>()),
        max_obj_size in option::of(any::<u64>()),
    ) -> Meta {
        Meta { format, kind, mark, size, max_msg_size, max_obj_size }
    }
}

prop_compose! {
    fn item()(
        target in option::of(word()),
        source in option::of(word()),
        meta in meta(),
        data in value(),
        more_data in any::<bool>(),
    ) -> Item {
        Item { target, source, meta, data: Some(data), more_data }
    }
}

fn verb() -> impl Strategy<Value = Verb> {
    let items = || vec(item(), 0..3);
    let flat = prop_oneof![
        items().prop_map(Verb::Add),
        items().prop_map(Verb::Replace),
        items().prop_map(Verb::Delete),
        items().prop_map(Verb::Get),
        items().prop_map(Verb::Copy),
        (option::of(word()), item()).prop_map(|(correlator, item)| Verb::Exec { correlator, item }),
        (option::of(any::<u16>()), option::of(word()), items()).prop_map(|(code, correlator, items)| Verb::Alert {
            code,
            correlator,
            items
        }),
        prop_oneof!["Put", "Search", "Own[a-z]{0,3}"].prop_map(Verb::Other),
    ];
    flat.prop_recursive(3, 12, 3, |inner| {
        let commands = (word(), inner).prop_map(|(cmd_id, verb)| Command { cmd_id, verb });
        let commands = vec(commands, 0..3).boxed();
        prop_oneof![commands.clone().prop_map(Verb::Atomic), commands.prop_map(Verb::Sequence)]
    })
}

prop_compose! {
    fn status()(
        names in (word(), word(), option::of(word()), word()),
        target_refs in vec(word(), 0..3),
        source_refs in vec(word(), 0..2),
        chal in option::of((word(), word(), option::of(word()))),
        code in any::<u16>(),
        items in vec(item(), 0..2),
    ) -> Status {
        let (cmd_id, msg_ref, cmd_ref, cmd) = names;
        let chal = chal.map(|(scheme, format, next_nonce)| Chal { scheme, format, next_nonce });
        Status { cmd_id, msg_ref, cmd_ref, cmd, target_refs, source_refs, chal, code, items }
    }
}

prop_compose! {
    fn results()(
        names in (word(), option::of(word()), word()),
        meta in meta(),
        target_ref in option::of(word()),
        source_ref in option::of(word()),
        items in vec(item(), 0..3),
    ) -> Results {
        let (cmd_id, msg_ref, cmd_ref) = names;
        Results { cmd_id, msg_ref, cmd_ref, meta, target_ref, source_ref, items }
    }
}

fn element() -> impl Strategy<Value = Element> {
    prop_oneof![
        (word(), verb()).prop_map(|(cmd_id, verb)| Element::Command(Command { cmd_id, verb })),
        status().prop_map(Element::Status),
        results().prop_map(Element::Results),
    ]
}

prop_compose! {
    fn message()(
        names in (word(), word(), word(), word()),
        target in uri(),
        source in uri(),
        resp_uri in option::of(word()),
        cred in option::of((word(), word(), word())),
        meta in meta(),
        body in vec(element(), 0..5),
        is_final in any::<bool>(),
    ) -> Message {
        let (ver_dtd, ver_proto, session_id, msg_id) = names;
        let cred = cred.map(|(scheme, format, data)| Cred { scheme, format, data });
        let header = Header { ver_dtd, ver_proto, session_id, msg_id, target, source, resp_uri, cred, meta };
        Message { header, body, is_final }
    }
}

proptest! {
    #[test]
    fn the_same_message_goes_either_way(message in message()) {
        let (text, bytes) = (syncml_xml::write(&message), write(&message));
        prop_assert!(syncml_xml::read(&text).as_ref() == Ok(&message), "{text}");
        prop_assert!(read(&bytes).as_ref() == Ok(&message), "{bytes:?}");
        // What is measured as XML fits as WBXML.
        prop_assert!(bytes.len() <= text.len(), "{} > {}", bytes.len(), text.len());
    }

    #[test]
    fn no_bytes_bring_the_reader_down(header in any::<bool>(), bytes in vec(any::<u8>(), 0..200)) {
        let bytes = if header { [super::BY_NUMBER, &[0x6d], &bytes].concat() } else { bytes };
        let _ = read(&bytes);
    }

    #[test]
    fn no_change_of_a_document_brings_the_reader_down(
        message in message(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = write(&message);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read(&bytes);
        let _ = read(&bytes[..cut.index(bytes.len())]);
    }
}

#[test]
fn all_recorded_messages_say_the_same_in_wbxml() {
    let folder = format!("{}/tests/data/real-clients", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let message = syncml_xml::read(&text).unwrap();
            assert_eq!(read(&write(&message)), Ok(message), "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 52);
}

/// Another implementation has written these: with a string table that is made use of, and without.
#[test]
fn what_another_implementation_wrote_says_the_same() {
    let data = format!("{}/tests/data", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(format!("{data}/wbxml")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap().to_owned();
        let Some((recording, _)) = name.split_once('.').filter(|(_, rest)| rest.ends_with("wbxml")) else { continue };
        let text = std::fs::read_to_string(format!("{data}/real-clients/{recording}.xml")).unwrap();
        assert_eq!(read(&std::fs::read(&path).unwrap()), syncml_xml::read(&text), "{name}");
        count += 1;
    }
    assert_eq!(count, 12);
}
