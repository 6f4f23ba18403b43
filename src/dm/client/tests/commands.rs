//! Package 1, and what the commands of a server get as their answers.

use super::*;

#[test]
fn a_trigger_opens_a_session_with_alert_1200_and_dev_info() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8A01);
    let (_, url, message, seal) = bench.post.clone().unwrap();
    assert_eq!((url.as_str(), seal), ("https://dms1.example.test/dm", None));
    let header = &message.header;
    assert_eq!((header.session_id.as_str(), header.msg_id.as_str()), ("8A01", "1"));
    assert_eq!((header.target.uri.as_str(), header.ver_proto.as_str()), (url.as_str(), "DM/1.3"));
    assert_eq!(header.source.uri, device_id(DEVICE).as_str());
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    assert!(auth::proves(header.cred.as_ref().unwrap(), Scheme::Md5, &name, &secret, &bench.client_nonce));
    let commands: Vec<&Command> = message.commands().collect();
    assert_eq!(commands[0].verb, alert(1200));
    let Verb::Replace(items) = &commands[1].verb else { panic!("{commands:?}") };
    let sources: Vec<&str> = items.iter().filter_map(|item| item.source.as_deref()).collect();
    assert_eq!(sources, ["./DevInfo/DevId", "./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DmV", "./DevInfo/Lang"]);
    assert_eq!(items[0].data.as_deref(), Some(device_id(DEVICE).as_str()));
    assert_eq!(syncml_xml::read(&syncml_xml::write(&message)), Ok(message));
    assert_eq!(bench.notes, [Note::SessionOpened { server: id(OWNER), by: Initiated::ByServer }]);
}

#[test]
fn a_session_by_itself_says_alert_1201() {
    let mut bench = Bench::new(Scheme::None);
    bench.give(Input::Connect { server: id(OWNER) });
    assert_eq!(bench.said().commands().next().unwrap().verb, alert(1201));
    assert_eq!(bench.said().header.cred, None);
    bench.give(Input::Connect { server: id("nobody") });
    let why = Ignored::UnknownServer;
    assert_eq!(bench.notes.last(), Some(&Note::ConnectIgnored { server: id("nobody"), why }));
}

#[test]
fn every_command_gets_its_status_and_every_get_its_results() {
    let mut bench = Bench::new(Scheme::Md5);
    let exec = Verb::Exec { correlator: None, item: Item::target("./SCOMO/Operate") };
    let copy = Verb::Copy(vec![Item { source: Some("./SCOMO/Status".into()), ..Item::target("./SCOMO/Inventory/s") }]);
    let two = |a: &str, b: &str| Verb::Get(vec![Item::target(a), Item::target(b)]);
    let tnds = Verb::Add(vec![Item::target("./Inbox").with(Meta::typed("xml", tnds::MEDIA_TYPE), "<x/>")]);
    let odd = Verb::Add(vec![Item::target("./SCOMO/y").with(Meta::format("odd"), "")]);
    let piece = Verb::Add(vec![Item { more_data: true, ..leaf("./SCOMO/z", "1") }]);
    let verbs = vec![
        (add("./SCOMO/Inventory/a"), 200),
        (add("./SCOMO/Inventory/a"), 418),
        (replace("./SCOMO/Inventory/a", "y"), 200),
        (replace("./SCOMO/Inventory/b", "y"), 404),
        (replace("./SCOMO?prop=ACL", "Get=*&Replace=dms1.example.test"), 200),
        (replace("./SCOMO?prop=ACL", "nonsense"), 400),
        (get("./SCOMO?prop=ACL"), 200),
        (get("./SCOMO?list=All"), 406),
        (get("./SCOMO?prop"), 422),
        (get("./SCOMO/"), 400),
        (add("./SCOMO/Inventory?prop=ACL"), 405),
        (exec, 425),
        (copy, 425),
        (delete("./DevInfo"), 405),
        (two("./DevInfo/Man", "./DevInfo/Mod"), 200),
        (alert(1100), 200),
        (alert(1101), 406),
        (Verb::Alert { code: None, correlator: None, items: vec![] }, 412),
        (Verb::Other("Put".into()), 406),
        (Verb::Other("Dance".into()), 501),
        (Verb::Exec { correlator: None, item: Item::default() }, 412),
        (Verb::Sequence(inner(vec![get("./DevInfo/Man")])), 200),
        (tnds, 400),
        (odd, 415),
        (piece, 406),
        (Verb::Get(vec![Item::default()]), 412),
        (Verb::Get(vec![]), 412),
    ];
    let (verbs, mut expected): (Vec<Verb>, Vec<u16>) = verbs.into_iter().unzip();
    expected.insert(15, 200); // Each item has a status of its own.
    expected.insert(23, 200); // So has the Get in the Sequence.
    assert_eq!(bench.run(verbs), expected);
    let said = bench.said().clone();
    assert!(said.is_final);
    let first = said.header_status().unwrap();
    assert_eq!((first.code, first.msg_ref.as_str(), first.cmd_id.as_str()), (212, "1", "1"));
    let found: Vec<(&str, &str, &str)> = said
        .results()
        .map(|results| {
            let item = &results.items[0];
            (results.cmd_ref.as_str(), item.source.as_deref().unwrap(), item.data.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("8", "./SCOMO?prop=ACL", "Get=*&Replace=dms1.example.test"),
            ("16", "./DevInfo/Man", "Example"),
            ("16", "./DevInfo/Mod", "M1"),
            ("10", "./DevInfo/Man", "Example"),
        ]
    );
    let ids: Vec<&str> = said
        .body
        .iter()
        .map(|element| match element {
            Element::Status(status) => &*status.cmd_id,
            Element::Results(results) => &*results.cmd_id,
            Element::Command(command) => &*command.cmd_id,
        })
        .collect();
    assert_eq!(ids, (1..=ids.len()).map(|id| id.to_string()).collect::<Vec<_>>(), "each CmdID once");
    bench.answer(212, None, vec![]);
    bench.ended(Outcome::Done);
}

#[test]
fn a_sub_tree_is_listed_as_far_as_the_server_may_read() {
    let mut bench = Bench::with(device(&[OWNER, OTHER], Scheme::None, Settings::default()), book(OWNER, Scheme::None));
    let tree = bench.client.tree_mut();
    tree.set_acl(&at("./SCOMO/Settings"), Acl::parse("Get=somebody").unwrap());
    tree.set_acl(&at("./SCOMO/Inventory"), Acl::parse("Get=*&Replace=somebody").unwrap());
    bench.run(vec![get("./SCOMO?list=TNDS+ACL"), get("./SCOMO?list=StructData"), get(".?list=TNDS-Value")]);
    let results: Vec<&[Item]> = bench.said().results().map(|results| &*results.items).collect();
    let [acls, data, whole] = results[..] else { panic!("{results:?}") };
    assert_eq!(acls[0].source.as_deref(), Some("./SCOMO?list=TNDS+ACL"));
    assert_eq!(acls[0].meta, Meta::typed("xml", tnds::MEDIA_TYPE));
    let node = |name: &str, acl: &str, below: &str| {
        let acl = if acl.is_empty() { String::new() } else { format!("<RTProperties><ACL>{acl}</ACL></RTProperties>") };
        format!("<Node><NodeName>{name}</NodeName>{acl}{below}</Node>")
    };
    let below =
        node("Inventory", "Get=*&amp;Replace=somebody", "") + &node("Operate", "", "") + &node("Status", "", "");
    let all = "Get=dms1.example.test&amp;Replace=dms1.example.test&amp;Add=dms1.example.test\
               &amp;Delete=dms1.example.test&amp;Exec=dms1.example.test";
    let expected =
        format!("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD>{}</MgmtTree>", node("SCOMO", all, &below));
    assert_eq!(acls[0].data.as_deref(), Some(&*expected));
    let data: Vec<_> = data.iter().map(|item| (item.source.as_deref().unwrap(), item.data.as_deref())).collect();
    let status = [("./SCOMO/Operate", Some("")), ("./SCOMO/Status", Some("idle"))];
    assert_eq!(data, [[("./SCOMO", None), ("./SCOMO/Inventory", None)], status].concat());
    // Not a secret, not the inbox, and no value where none was wanted.
    let whole = tnds::read(whole[0].data.as_deref().unwrap()).unwrap();
    let names: Vec<&str> = whole.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["BootstrapConfig", "DMAcc", "DevDetail", "DevInfo", "SCOMO"]);
    let whole = tnds::write(&whole);
    assert!(whole.contains("AAuthName") && !whole.contains("AAuthSecret") && !whole.contains("AAuthData"), "{whole}");
    assert!(!whole.contains("dms2.example.test/dm"), "{whole}");
}

#[test]
fn items_that_fare_differently_are_answered_one_by_one() {
    let mut bench = Bench::new(Scheme::None);
    let items = vec![Item::target("./DevInfo/Man"), Item::target("./Nowhere")];
    assert_eq!(bench.run(vec![Verb::Get(items)]), [200, 404]);
    let targets: Vec<&[String]> = bench.said().statuses().skip(1).map(|status| &*status.target_refs).collect();
    assert_eq!(targets, [["./DevInfo/Man".to_owned()], ["./Nowhere".to_owned()]]);
}

#[test]
fn an_atomic_is_done_whole_or_not_at_all() {
    // Codes of the Atomic and of its commands in order (RepPro 1.2).
    let account = "./DMAcc/dms1.example.test";
    for (verbs, codes) in [
        (vec![add("./SCOMO/a"), add("./SCOMO/b")], vec![200, 200, 200]),
        (vec![add("./SCOMO/a"), add("./SCOMO"), add("./SCOMO/b")], vec![507, 216, 418, 215]),
        (vec![add("./SCOMO/a"), get("./SCOMO"), add("./SCOMO/b")], vec![507, 216, 500, 215]),
        (vec![Verb::Atomic(inner(vec![add("./SCOMO/a")]))], vec![507, 500, 500]),
        (vec![Verb::Sequence(inner(vec![add("./SCOMO/a")])), delete("./x")], vec![507, 216, 216, 404]),
        (vec![Verb::Sequence(inner(vec![add("./SCOMO/a"), delete("./x")]))], vec![507, 216, 216, 404]),
        (vec![Verb::Add(vec![leaf("./SCOMO/a", "x"), leaf("./SCOMO", "x")])], vec![507, 216, 418]),
        (vec![add("./SCOMO/a"), Verb::Other("Put".into())], vec![507, 216, 406]),
        (vec![add("./SCOMO/a"), alert(1101)], vec![507, 216, 406]),
        (vec![add("./DMAcc/x/y"), delete(account), add("./SCOMO/b")], vec![507, 216, 216, 425]),
    ] {
        let mut bench = Bench::new(Scheme::Md5);
        let before = bench.client.tree().nodes(&Uri::root());
        assert_eq!(bench.run(vec![Verb::Atomic(inner(verbs))]), codes);
        let is_unchanged = bench.client.tree().nodes(&Uri::root()) == before;
        assert_eq!(is_unchanged, codes[0] == 507, "{codes:?}");
    }
}

#[test]
fn a_sequence_goes_on_whatever_fails_but_not_past_a_question_that_nobody_answers() {
    for (verbs, codes) in [
        (vec![add("./SCOMO/a"), add("./SCOMO"), add("./SCOMO/b")], vec![200, 200, 418, 200]),
        (vec![add("./SCOMO/a"), alert(1100), add("./SCOMO/b")], vec![200, 200, 200, 200]),
        (vec![add("./SCOMO/a"), alert(1101), add("./SCOMO/b")], vec![200, 200, 406, 215]),
    ] {
        let mut bench = Bench::new(Scheme::Md5);
        assert_eq!(bench.run(vec![Verb::Sequence(inner(verbs))]), codes);
        assert_eq!(bench.client.tree().has(&at("./SCOMO/b")), codes[3] == 200, "{codes:?}");
    }
}
