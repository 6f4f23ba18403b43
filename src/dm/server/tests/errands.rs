//! What becomes of errands and sessions: order, time, interruptions.

use super::*;
use crate::dm::script::{DeviceFailure, Extent};

#[test]
fn without_credentials_a_visit_is_two_packages_of_each_side() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.check(&["trigger for 7: session 8000, account's nonce"]);
    bench.hear(None, bench.package_1(1200));
    bench.check(&[&format!("#1, SyncHdr 200, Alert 200, Replace 200, {VISIT}"), OPENED]);
    let first = bench.said.clone().unwrap();
    assert_eq!(first.header.source.uri, "https://dms1.example.test/dm");
    assert_eq!(first.header.session_id, "8000");
    let status = first.header_status().unwrap();
    assert_eq!(status.target_refs, ["https://dms1.example.test/dm"]);
    assert_eq!(status.source_refs, [device_id(DEVICE).as_str()]);
    bench.hear(None, bench.package_3(200, 200, "Get=*&Replace=dms1.example.test"));
    bench.check(&["#2, SyncHdr 200, Final", "finished 7, 0 to undo", ENDED]);
    assert_eq!(bench.sessions.deadline(), Moment::NEVER);
    assert_eq!(bench.sessions.open(), 0);
}

#[test]
fn errands_wait_for_their_turn_and_share_a_session() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.want(8, Errand::Undo(vec![Order::Delete(Uri::parse("./A").unwrap())]));
    bench.want(9, Errand::Undo(Vec::new()));
    bench.hear(None, bench.package_1(1200));
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.hear(None, bench.package_3(200, 425, ""));
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        &format!("#1, SyncHdr 200, Alert 200, Replace 200, {VISIT}"),
        OPENED,
        "#2, SyncHdr 200, do ./A, Final",
        "finished 7, 0 to undo",
        "#3, SyncHdr 200, Final",
        "failed 8: Refused { code: 425, order: \"Delete\", uri: \"./A\" }, 1 to undo",
        "finished 9, 0 to undo",
        ENDED,
    ]);
}

#[test]
fn a_device_that_does_not_come_is_called_twice_and_then_given_up() {
    let mut bench = bench(Scheme::Md5);
    bench.want(7, visit());
    bench.want(8, visit());
    bench.check(&["trigger for 7: session 8000, account's nonce"]);
    assert_eq!(bench.sessions.deadline(), Moment::ZERO + TIMEOUT / 2);
    bench.wait(5);
    bench.check(&["trigger for 7: session 8000, resync nonce"]);
    bench.wait(4);
    bench.check(&[]);
    bench.wait(1);
    bench.check(&["failed 7: Unreachable, 0 to undo", "trigger for 8: session 8001, resync nonce"]);
}

#[test]
fn a_device_that_falls_silent_is_given_up_with_what_may_have_been_done() {
    let mut bench = bench(Scheme::None);
    bench.want(7, Errand::Undo(vec![Order::Delete(Uri::parse("./A").unwrap())]));
    bench.hear(None, bench.package_1(1200));
    bench.transcript.clear();
    bench.wait(9);
    bench.check(&[]);
    bench.wait(1);
    bench.check(&["failed 7: Unreachable, 1 to undo", BROKEN]);
    assert_eq!(bench.sessions.deadline(), Moment::NEVER);
}

#[test]
fn a_device_that_opens_another_session_has_broken_off_the_first() {
    for session in ["8000", "77"] {
        let mut bench = bench(Scheme::None);
        bench.want(7, visit());
        bench.want(8, visit());
        bench.hear(None, bench.package_1(1200));
        bench.transcript.clear();
        (bench.session, bench.msg_id) = (session.into(), 0);
        bench.hear(None, bench.package_1(1201));
        let first = format!("#1, SyncHdr 200, Alert 200, Replace 200, {VISIT}");
        bench.check(&[&first, "failed 7: Unreachable, 0 to undo", BROKEN, OPENED]);
    }
}

#[test]
fn a_device_that_connects_by_itself_is_announced_unless_an_errand_waits_for_it() {
    let mut bench = bench(Scheme::None);
    bench.session = "5".into();
    bench.hear(None, bench.package_1(1201));
    bench.check(&["#1, SyncHdr 200, Alert 200, Replace 200, Final", OPENED, "connected", ENDED]);

    bench.want(7, visit());
    (bench.session, bench.msg_id) = ("6".into(), 0);
    bench.hear(None, bench.package_1(1201));
    let first = format!("#1, SyncHdr 200, Alert 200, Replace 200, {VISIT}");
    bench.check(&["trigger for 7: session 8000, account's nonce", &first, OPENED]);
}

#[test]
fn a_package_in_parts_is_asked_for_to_its_end() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.hear(None, bench.package_1(1200));
    bench.transcript.clear();
    let mut parts = bench.package_3(200, 200, "");
    let results = parts.split_off(2);
    let mut message = bench.message(None, parts);
    message.is_final = false;
    bench.exchange += 1;
    let exchange = bench.exchange;
    bench.tell(Input::Received { exchange, envelope: Envelope::plain(message), client_certificate: false });
    bench.check(&["#2, SyncHdr 200, Alert 1222, more"]);
    bench.hear(None, results);
    bench.check(&["#3, SyncHdr 200, Final", "finished 7, 0 to undo", ENDED]);
}

/// Tells the server once what the device takes.
fn announce(bench: &mut Bench, meta: Meta) {
    let mut message = bench.message(None, bench.package_1(1200));
    message.header.meta = meta;
    bench.exchange += 1;
    let exchange = bench.exchange;
    bench.tell(Input::Received { exchange, envelope: Envelope::plain(message), client_certificate: false });
}

#[test]
fn a_round_goes_in_as_many_messages_as_the_device_needs() {
    let most = |octets| Meta { max_msg_size: Some(octets), ..Meta::default() };
    let delete = |name: &str| Order::Delete(Uri::parse(name).unwrap());
    let long = format!("./{}", "x".repeat(200));
    let orders = || vec![delete("./A"), delete("./B"), delete(&long), delete("./C")];
    let mut bench = bench(Scheme::None);
    bench.want(7, Errand::Undo(orders()));
    // 2,048 for the frame, then two short ones of 88 and one of 285.
    announce(&mut bench, most(2_048 + 180));
    assert_eq!(bench.transcript.remove(1), "#1, SyncHdr 200, Alert 200, Replace 200, do ./A, do ./B, Final");
    bench.transcript.clear();
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.check(&[
        "#2, SyncHdr 200, do ./C, Final",
        "#3, SyncHdr 200, Final",
        &format!("failed 7: Refused {{ code: 413, order: \"Delete\", uri: {long:?} }}, 1 to undo"),
        ENDED,
    ]);
    // Nothing fits, or everything.
    for (octets, first) in [(1_000, "Final"), (20_000, &*format!("do ./A, do ./B, do {long}, do ./C, Final"))] {
        let mut bench = self::bench(Scheme::None);
        bench.want(7, Errand::Undo(orders()));
        announce(&mut bench, most(octets));
        assert_eq!(bench.transcript[1], format!("#1, SyncHdr 200, Alert 200, Replace 200, {first}"));
    }
}

#[test]
fn a_value_longer_than_the_device_takes_is_not_sent() {
    let leaf = |value: &str| Order::ReplaceLeaf { uri: Uri::parse("./A").unwrap(), format: "chr", value: value.into() };
    for (value, expected) in
        [("12345", "failed 7: Refused { code: 413, order: \"Atomic\", uri: \"\" }, 1 to undo"), ("1234", OPENED)]
    {
        let mut bench = bench(Scheme::None);
        bench.want(7, Errand::Undo(vec![Order::Atomic(vec![leaf(value)])]));
        announce(&mut bench, Meta { max_obj_size: Some(4), ..Meta::default() });
        assert!(bench.transcript.contains(&expected.to_owned()), "{:?}", bench.transcript);
    }
}

#[test]
fn what_a_get_finds_may_come_in_pieces() {
    #[track_caller]
    fn check(pieces: &[&str], size: Option<u64>, expected: &str) {
        let mut bench = bench(Scheme::None);
        bench.want(7, visit());
        bench.hear(None, bench.package_1(1200));
        let round = bench.said.clone().unwrap();
        let body = bench.package_3(200, 200, "");
        for (place, piece) in pieces.iter().enumerate() {
            let is_last = place + 1 == pieces.len();
            let mut item = Item::source("./SCOMO?prop=ACL").with(Meta::default(), *piece);
            item.more_data = !is_last;
            item.meta.size = size.filter(|_| place == 0);
            let cmd_ref = round.commands().next().unwrap().cmd_id.clone();
            let results = Results {
                cmd_id: "5".into(),
                msg_ref: Some("1".into()),
                cmd_ref,
                items: vec![item],
                ..Results::default()
            };
            let first = if place == 0 { &body[..2] } else { &body[..1] };
            let mut message = bench.message(None, [first, &[Element::Results(results)]].concat());
            message.is_final = is_last;
            bench.exchange += 1;
            bench.transcript.clear();
            let exchange = bench.exchange;
            bench.tell(Input::Received { exchange, envelope: Envelope::plain(message), client_certificate: false });
            if !is_last {
                let id = place + 2;
                bench.check(&[&format!("#{id}, SyncHdr 200, Results 213, Alert 1222, more")]);
            }
        }
        assert_eq!(bench.transcript[1], expected);
    }
    let (done, refused) = ("finished 7, 0 to undo", |code| {
        format!("failed 7: Refused {{ code: {code}, order: \"Get\", uri: \"./SCOMO?prop=ACL\" }}, 0 to undo")
    });
    check(&["Get=*&Re", "place=dms1.exa", "mple.test"], Some(31), done);
    check(&["Get=*&Re", "place=dms1.example.test"], None, done);
    check(&["Get=*&Re", "place=other"], Some(19), &refused(425));
    check(&["Get=*&Re", "place=dms1.example.test"], Some(30), &refused(424));
    let much = "x".repeat(700_000);
    check(&[&much, &much], None, &refused(413));
}

#[test]
fn an_atomic_without_a_status_is_judged_by_its_inner_ones() {
    #[track_caller]
    fn check(outer: Option<u16>, inner: [Option<u16>; 2], expected: &str) {
        let mut bench = bench(Scheme::None);
        let order = |name: &str| Order::Delete(Uri::parse(name).unwrap());
        bench.want(7, Errand::Undo(vec![Order::Atomic(vec![order("./A"), order("./B")])]));
        bench.hear(None, bench.package_1(1200));
        bench.transcript.clear();
        let codes = [("4", outer), ("5", inner[0]), ("6", inner[1])];
        let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 200))];
        for (cmd_ref, code) in codes {
            body.extend(code.map(|code| Element::Status(bench.status(cmd_ref, "x", code))));
        }
        bench.hear(None, body);
        assert_eq!(bench.transcript[1], expected);
    }
    let refused = |code: u16, order: &str, uri: &str| {
        format!("failed 7: Refused {{ code: {code}, order: {order:?}, uri: {uri:?} }}, 1 to undo")
    };
    check(Some(200), [Some(200), Some(200)], "finished 7, 0 to undo");
    check(None, [Some(200), Some(200)], "finished 7, 0 to undo");
    check(Some(200), [None, None], "finished 7, 0 to undo");
    check(None, [Some(216), Some(420)], &refused(420, "Delete", "./B"));
    check(Some(507), [Some(425), Some(215)], &refused(425, "Delete", "./A"));
    check(Some(507), [None, None], &refused(507, "Atomic", ""));
    check(Some(517), [None, None], &refused(517, "Atomic", ""));
    check(None, [None, None], &refused(500, "Delete", "./A"));
}

#[test]
fn an_abort_ends_the_session_and_what_comes_twice_is_refused() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.hear(None, bench.package_1(1200));
    bench.transcript.clear();
    bench.msg_id -= 1;
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.check(&["HTTP 400"]);
    let abort = Verb::Alert { code: Some(1223), correlator: None, items: Vec::new() };
    let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 200))];
    body.push(Element::Command(Command { cmd_id: "2".into(), verb: abort }));
    bench.hear(None, body);
    bench.check(&["#2, SyncHdr 200, Alert 200, Final", "failed 7: Unreachable, 0 to undo", BROKEN]);
}

#[test]
fn a_stranger_is_not_found_and_costs_nothing() {
    let mut bench = bench(Scheme::None);
    // Of no form we know; and of ours, but one more than there are.
    for stranger in ["IMEI:493005100592800", device_id(DeviceNumber(1_000)).as_str()] {
        let mut message = bench.message(None, Vec::new());
        message.header.source = Location::new(stranger);
        bench.tell(Input::Received { exchange: 0, envelope: Envelope::plain(message), client_certificate: true });
        bench.check(&["HTTP 404"]);
        assert!(bench.sessions.peers.is_empty());
    }
}

#[test]
fn a_false_claim_is_forgotten_with_its_session() {
    for scheme in [Scheme::Basic, Scheme::Md5, Scheme::Hmac] {
        let mut bench = bench(scheme);
        bench.session = "1".into();
        bench.hear(None, bench.package_1(1201));
        assert_eq!(bench.sessions.peers.len(), 1, "it may prove itself yet");
        bench.wait(10);
        assert!(bench.sessions.peers.is_empty(), "{scheme:?}");
    }
}

#[test]
fn once_the_own_account_is_gone_nothing_more_can_be_wanted() {
    let mut bench = bench(Scheme::None);
    let (delegate, subtree) = (ServerId::new("dms2.example.test"), Uri::parse(".").unwrap());
    bench.want(7, Errand::Grant { delegate, subtree, extent: Extent::Everything { leaves: true } });
    bench.want(8, visit());
    bench.hear(None, bench.package_1(1200));
    let mut body = bench.package_3(200, 200, "Get=*&Replace=dms1.example.test");
    // To the ACL of the root, what is below, and the own account.
    let found = body.iter_mut().filter_map(|element| match element {
        Element::Results(results) => Some(&mut results.items[0].data),
        _ => None,
    });
    for (data, text) in found.skip(1).zip(["<MgmtTree/>", "dms1.example.test"]) {
        *data = Some(text.into());
    }
    bench.hear(None, body);
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.transcript.clear();
    bench.hear(None, bench.package_3(200, 200, ""));
    bench.check(&[
        "#4, SyncHdr 200, Final",
        "finished 7, 0 to undo",
        ENDED,
        &format!("failed 8: {:?}, 0 to undo", DeviceFailure::NoAccount),
    ]);
}

#[test]
fn what_devices_do_not_send_is_not_allowed() {
    let mut bench = bench(Scheme::None);
    bench.session = "1".into();
    let verbs = [Verb::Get(vec![Item::target("./A")]), Verb::Other("Put".into()), Verb::Other("Dance".into())];
    let body = verbs.map(|verb| Element::Command(Command { cmd_id: "1".into(), verb }));
    bench.hear(None, body.into());
    bench.check(&["#1, SyncHdr 200, Get 405, Put 406, Dance 501, Final", OPENED, ENDED]);
}

#[test]
fn answers_are_xml_that_pickier_clients_take() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    bench.session = "1".into();
    bench.hear(bench.md5(&secret, &nonce), bench.package_1(1201));
    let packet = wire::seal(bench.said.as_ref().unwrap(), None, wire::ContentType::DmXml);
    let text = std::str::from_utf8(&packet.body).unwrap();
    let begin = r#"<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>"#;
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains(r#"<MaxMsgSize xmlns="syncml:metinf">16384</MaxMsgSize>"#), "{text}");
    assert!(text.ends_with("<Final/></SyncBody></SyncML>"), "{text}");
}
