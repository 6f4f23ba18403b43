//! Documents as clients in the field write them, both forms of the same messages, and what must be refused.

mod agreement;

use super::events::MOST_REPEATED;
use super::{read, write};
use crate::dm::syncml::{Command, Element, Header, Item, Location, MAX_DEPTH, Message, Meta, SyncmlError, Verb};

/// The header that two clients in the field send: SyncML by number, no string table.
const BY_NUMBER: &[u8] = &[0x02, 0xa4, 0x01, 0x6a, 0x00];
/// The header that another client and a server in the field send: SyncML by the string table, which has no NUL.
const BY_TABLE: &[u8] = b"\x02\x00\x00\x6a\x1d-//SYNCML//DTD SyncML 1.2//EN";

/// `SyncHdr` of every document here: session 1A, message 1, target `t`, source `s`.
const HDR: &[u8] = b"\x6c\x65\x031A\0\x01\x5b\x031\0\x01\x6e\x57\x03t\0\x01\x01\x67\x57\x03s\0\x01\x01\x01";

/// A document with this header and this inside its body, which ends in a Final.
fn document(header: &[u8], body: &[u8]) -> Vec<u8> {
    [header, b"\x6d", HDR, b"\x6b", body, b"\x12\x01\x01"].concat()
}

fn message(verbs: Vec<Verb>) -> Message {
    let header = Header {
        session_id: "1A".into(),
        msg_id: "1".into(),
        target: Location::new("t"),
        source: Location::new("s"),
        ..Header::default()
    };
    let command = |(number, verb): (usize, Verb)| Command { cmd_id: (number + 1).to_string(), verb };
    Message { header, body: verbs.into_iter().enumerate().map(command).map(Element::Command).collect(), is_final: true }
}

#[track_caller]
fn reads(bytes: &[u8], verbs: Vec<Verb>) {
    assert_eq!(read(bytes), Ok(message(verbs)));
}

fn add(item: Item) -> Vec<Verb> {
    vec![Verb::Add(vec![item])]
}

/// `<Add><CmdID>1</CmdID><Item>` inside `</Item></Add>`
fn item(inside: &[u8]) -> Vec<u8> {
    [b"\x45\x4b\x031\0\x01\x54", inside, b"\x01\x01"].concat()
}

#[test]
fn what_is_written_is_as_clients_and_servers_in_the_field_do_it() {
    let meta = Meta { format: Some("chr".into()), kind: Some("text/plain".into()), ..Meta::default() };
    let add = Item::target("./A").with(meta, "é");
    let mut message = message(vec![Verb::Add(vec![add]), Verb::Replace(vec![Item::target("./B")])]);
    (message.header.ver_dtd, message.header.ver_proto) = ("1.2".into(), "DM/1.2".into());
    let mut expected = [BY_TABLE, b"\x6d\x6c\x71\x031.2\0\x01\x72\x03DM/1.2\0\x01"].concat();
    expected.extend_from_slice(&HDR[1..]);
    expected.extend_from_slice(b"\x6b");
    expected.extend_from_slice(b"\x45\x4b\x031\0\x01\x54\x6e\x57\x03./A\0\x01\x01\x5a");
    // Format and Type on their page, then back.
    expected.extend_from_slice(b"\x00\x01\x47\x03chr\0\x01\x53\x03text/plain\0\x01\x01");
    expected.extend_from_slice("\x00\x00\x4f\x03é\0\x01\x01\x01".as_bytes());
    // A Data that is wanted and missing is an empty string.
    expected.extend_from_slice(b"\x60\x4b\x032\0\x01\x54\x6e\x57\x03./B\0\x01\x01\x4f\x03\0\x01\x01\x01");
    expected.extend_from_slice(b"\x12\x01\x01");
    assert_eq!(write(&message), expected);
}

#[test]
fn every_header_that_clients_in_the_field_send_is_read() {
    for header in [
        BY_NUMBER,
        BY_TABLE,
        b"\x03\xa4\x01\x6a\x00",
        b"\x01\xa4\x01\x6a\x00",
        b"\x02\x9f\x53\x6a\x00",
        b"\x03\x01\x6a\x00",
        b"\x03\x00\x03\x6a\x20ab\0-//SYNCML//DTD SyncML 1.2//EN",
        b"\x02\xa4\x01\x6a\x03xyz",
    ] {
        reads(&document(header, b""), vec![]);
    }
}

#[test]
fn strings_may_be_inline_in_the_table_opaque_entities_and_in_pieces() {
    let table = b"\x02\xa4\x01\x6a\x07./A\0zz\0";
    // ./A by the table, its value of `z`, `b`, U+E9 and `d`.
    let value = item(b"\x6e\x57\x83\x00\x01\x01\x4f\x83\x05\xc3\x01b\x02\x81\x69\x03d\0\x01");
    reads(&document(table, &value), add(Item::target("./A").with(Meta::default(), "zbéd")));
    let empty = item(b"\x4f\x01");
    reads(&document(BY_NUMBER, &empty), add(Item { data: Some(String::new()), ..Item::default() }));
    reads(
        &document(BY_NUMBER, &item(b"\x0f\x34")),
        add(Item { more_data: true, data: Some(String::new()), ..Item::default() }),
    );
}

#[test]
fn order_literal_tags_attributes_and_strange_elements_do_not_matter() {
    // Type before Format, as a client in the field has it, with white space between.
    let meta = item(b"\x5a\x03 \0\x00\x01\x53\x03text/plain\0\x01\x47\x03Chr\0\x01\x01\x00\x00");
    let expected = add(Item { meta: Meta::typed("Chr", "text/plain"), ..Item::default() });
    reads(&document(BY_NUMBER, &meta), expected);
    // `x:Data` as a literal with attributes of every kind, and an element nobody knows.
    let table = b"\x02\xa4\x01\x6a\x0bx:Data\0Own\0";
    let strange =
        item(b"\x44\x07\x54\x01\x01\xc4\x00\x05\x03a\0\x85\x83\x00\x00\x01\xc3\x01\x01\x02\x21\x04\x00\x01\x03v\0\x01");
    reads(&document(table, &strange), add(Item { data: Some("v".into()), ..Item::default() }));
}

#[test]
fn a_command_without_a_token_goes_by_its_name() {
    let other = |name: &str| Verb::Other(name.to_owned());
    let message = message(vec![other("Own"), other("Put"), other("Other"), other("Own")]);
    let bytes = write(&message);
    // 29 characters of the public identifier, and 11 more: 40 bytes.
    assert_eq!(bytes[4..45], *b"\x28-//SYNCML//DTD SyncML 1.2//EN\0Own\0Other\0");
    assert_eq!(read(&bytes), Ok(message));
}

#[test]
fn a_management_tree_in_tokens_is_the_xml_that_it_stands_for() {
    let tree = item(
        b"\x4f\x00\x02\x60\x77\x031.2\0\x01\x64\x66\x03a&b\0\x01\x6f\x5c\x25\x01\x75\x4b\xc3\x01x\x01\x01\x01\x01\x01\x00\x00\x01",
    );
    let expected = "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node><NodeName>a&amp;b</NodeName>\
                    <RTProperties><Format><node></node></Format><Type><chr>x</chr></Type></RTProperties></Node></MgmtTree>";
    let bytes = document(BY_NUMBER, &tree);
    reads(&bytes, add(Item { data: Some(expected.into()), ..Item::default() }));
}

#[test]
fn octets_that_are_no_text_become_base64() {
    // AAECAw== is base64 of 00 01 02 03; ff makes it no text.
    let octets = item(b"\x4f\xc3\x04\xff\x00\x01\x02\x01\x5a\x00\x01\x47\x03bin\0\x01\x01\x00\x00");
    let expected = Item { meta: Meta::format("b64"), data: Some("/wABAg==".into()), ..Item::default() };
    reads(&document(BY_NUMBER, &octets), add(expected));
}

#[test]
fn a_value_with_a_nul_is_opaque() {
    let message = message(add(Item::target("./A").with(Meta::default(), "a\0b")));
    let bytes = write(&message);
    assert!(bytes.windows(6).any(|part| part == b"\x4f\xc3\x03a\0b"));
    assert_eq!(read(&bytes), Ok(message));
}

#[test]
fn what_is_no_message_is_refused_at_its_byte() {
    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let in_item = |inside: &[u8]| document(BY_NUMBER, &item(inside));
    check(b"", "byte 0: the text ends inside <SyncML>");
    check(b"\x05\xa4\x01\x6a\x00", "byte 0: in <SyncML>: not WBXML of SyncML: version byte 0x05");
    check(b"<SyncML/>", "version byte 0x3c");
    check(b"\x02\x04\x6a\x00", "byte 1: in <SyncML>: not WBXML of SyncML: public identifier 0x4, expected 0x1201");
    check(b"\x02\x00\x00\x6a\x04-//W", "byte 1: in <SyncML>: not WBXML of SyncML: public identifier");
    check(b"\x02\x00\x05\x6a\x04-//W", "no place 5 in the string table");
    check(b"\x02\xa4\x01\x04\x00", "byte 3: in <SyncML>: not WBXML of SyncML: character set 4, expected 106");
    check(b"\x02\xa4\x01\x6a\x05abc", "byte 8: the text ends");
    check(b"\x02\x90\x80\x80\x80\x80\x00", "a number of more than 32 bits");
    check(&[BY_NUMBER, b"\x6b\x01"].concat(), "byte 5: the root element is <SyncBody>");
    check(&[BY_NUMBER, b"\x03a\0"].concat(), "byte 5: in <SyncML>: not WBXML of SyncML: expected the root");
    check(&[BY_NUMBER, b"\x01"].concat(), "byte 5: in <SyncML>: not WBXML of SyncML: an end without a start");
    check(&[BY_NUMBER, b"\x2d"].concat(), "<SyncML> has no <SyncHdr>");
    check(&[document(BY_NUMBER, b""), vec![0x01]].concat(), "an end without a start");
    check(&[document(BY_NUMBER, b""), vec![0x2d]].concat(), "content after the end of <SyncML>");
    check(&document(BY_NUMBER, b"\x03a\0"), "in <SyncBody>: not WBXML of SyncML: text where only elements may stand");
    check(&document(BY_NUMBER, b"\x43"), "token 0x03 of code page 0 is no element");
    check(&document(BY_NUMBER, b"\x30"), "token 0x30 of code page 0 is no element");
    check(&document(BY_NUMBER, b"\x00\x07\x05"), "token 0x05 of code page 7 is no element");
    check(&document(BY_NUMBER, b"\x45\x01"), "<Add> has no <CmdID>");
    check(&in_item(b"\x4f\x02\x83\xb0\x00\x01"), "in <Data>: not WBXML of SyncML: no character 0xd800");
    check(&in_item(b"\x4f\x03\xff\0\x01"), "in <Data>: not WBXML of SyncML: a string that is not UTF-8");
    check(&in_item(b"\x4f\x83\x09\x01"), "no place 9 in the string table");
    check(&in_item(b"\x4f\x14\xc3\x01\xff\x01"), "octets that are no text beside elements");
    check(&in_item(b"\x44\x00\x01"), "a literal tag without a name");
    check(&in_item(b"\x6e\x57\xc3\x01\xff\x01\x01"), "<LocURI> is `\u{fffd}`, expected text");
    check(&document(BY_NUMBER, b"\x46\x4b\x031\0\x14\x01\x01"), "<CmdID> is `<Item></Item>`, expected text");
    check(&document(BY_NUMBER, &[0x48; MAX_DEPTH + 1]), "elements are nested more than 64 deep");
    check(&in_item(&[&[0x4f], &[0x54; MAX_DEPTH][..]].concat()), "elements are nested more than 64 deep");
}

#[test]
fn a_short_body_cannot_become_long_by_its_string_table() {
    let length = 16_384;
    // 16384 in groups of seven bits: 1, 0, 0.
    let header = [b"\x02\xa4\x01\x6a\x81\x80\x00", &vec![b'a'; length][..]].concat();
    let refers = |times: usize| document(&header, &item(&[b"\x4f", &b"\x83\x00".repeat(times)[..], b"\x01"].concat()));
    let most = MOST_REPEATED / length;
    assert!(read(&refers(most)).is_ok());
    let error = read(&refers(most + 1)).unwrap_err();
    assert!(matches!(error, SyncmlError::TooLong { limit: MOST_REPEATED, .. }), "{error}");
}

#[test]
fn every_cut_of_a_document_is_an_error() {
    let bytes = document(BY_TABLE, &item(b"\x6e\x57\x83\x00\x01\x01\x4f\x83\x05\xc3\x01b\x02\x81\x69\x03d\0\x01"));
    assert!(read(&bytes).is_ok());
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}
