//! A device over its life: bootstrapped, connecting by itself, delegated and revoked.

use super::*;

#[test]
fn a_new_bootstrap_entry_is_fetched_and_its_server_connected_to() {
    let mut bench = Bench::new(Scheme::Md5);
    let url = "https://boot.example.test/token";
    bench.run(vec![add("./BootstrapConfig/BootSrvInfo/2/URL"), replace("./BootstrapConfig/BootSrvInfo/2/URL", url)]);
    assert_eq!(bench.fetch, None, "not before the session is over");
    bench.answer(212, None, vec![]);
    let (exchange, fetched) = bench.fetch.take().unwrap();
    assert_eq!(fetched, url);
    let other = book(OTHER, Scheme::Md5);
    let document = bootstrap::document(&other.account(&device_id(DEVICE)), &device_id(DEVICE), Acl::empty());
    bench.give(Input::Bootstrap { exchange, result: Ok(document) });
    assert_eq!(
        bench.notes[bench.notes.len() - 2..],
        [Note::Bootstrapped { server: id(OTHER) }, Note::SessionOpened { server: id(OTHER), by: Initiated::ByDevice },]
    );
    assert_eq!(bench.post.as_ref().unwrap().1, "https://dms2.example.test/dm");
    assert_eq!(bench.said().commands().next().unwrap().verb, alert(1201));
    let mut bench = Bench {
        book: other.clone(),
        server_nonce: auth::nonce_octets(&other.derive(&device_id(DEVICE), Derived::ServerNonce)),
        ..bench
    };
    bench.answer(212, None, vec![]);
    bench.ended(Outcome::Done);
    assert_eq!(bench.fetch, None, "an entry is fetched once");
}

#[test]
fn a_fetch_that_brings_nothing_is_told_and_over() {
    let cases: [(Result<Message, Failure>, BootstrapFailure); 2] = [
        (Err(Failure::Status(404)), BootstrapFailure::Fetch(Failure::Status(404))),
        (
            Ok(Message {
                header: Header { target: Location::new(device_id(DEVICE).as_str()), ..Default::default() },
                ..Message::default()
            }),
            BootstrapFailure::Document(BootstrapError::NoAccount),
        ),
    ];
    for (result, why) in cases {
        let mut bench = Bench::new(Scheme::None);
        bench.run(vec![add("./BootstrapConfig/BootSrvInfo/2/URL")]);
        bench.answer(200, None, vec![]);
        let (exchange, _) = bench.fetch.take().unwrap();
        bench.give(Input::Bootstrap { exchange, result });
        assert_eq!(bench.notes.last(), Some(&Note::BootstrapFailed(why)));
        assert!(bench.client.is_idle());
    }
}

/// D6: the same leaf means the one or the other, by the setting.
#[test]
fn a_device_connects_by_itself_only_to_whom_it_may() {
    for (quiet_value, at_first, changed_to, connects) in [
        (true, Some("true"), "false", [false, true]),
        (true, Some("false"), "true", [true, false]),
        (true, None, "true", [true, false]),
        (false, Some("false"), "true", [false, true]),
        (false, Some("true"), "false", [true, false]),
        (false, None, "false", [true, false]),
    ] {
        let settings = Settings { quiet_value, ..Settings::default() };
        let mut bench = Bench::with(device(&[OWNER], Scheme::None, settings), book(OWNER, Scheme::None));
        let mut account = book(OTHER, Scheme::None).account(&device_id(DEVICE));
        account.no_auto_initial_session = at_first.map(|value| value == "true");
        let adds = account.orders("two").into_iter().map(|order| match order {
            Order::AddNode { uri, kind } => {
                Verb::Add(vec![Item::target(uri.as_str()).with(Meta::typed("node", kind), "")])
            }
            Order::AddLeaf { uri, format, value } => {
                Verb::Add(vec![Item::target(uri.as_str()).with(Meta::typed(format, "text/plain"), value)])
            }
            other => panic!("{other:?}"),
        });
        assert!(bench.run(adds.collect()).iter().all(|code| *code == 200));
        bench.answer(200, None, vec![]);
        let case = format!("quiet value {quiet_value}, flag {at_first:?} then {changed_to}");
        assert_eq!(bench.post.is_some(), connects[0], "{case}");
        if connects[0] {
            bench.answer(200, None, vec![]);
        }
        let flag = "./DMAcc/two/NoAutoInitialSession";
        bench.trigger(0x8002);
        let item = Item::target(flag).with(Meta::typed("bool", "text/plain"), changed_to);
        let verb = if at_first.is_some() { Verb::Replace(vec![item]) } else { Verb::Add(vec![item]) };
        bench.answer(200, None, vec![verb]);
        assert_eq!(bench.codes(), [200], "{case}");
        bench.answer(200, None, vec![]);
        assert_eq!(bench.post.is_some(), connects[1], "{case}");
    }
}

#[test]
fn a_revoked_delegate_is_gone_and_a_granted_one_works() {
    let client = device(&[OWNER, OTHER], Scheme::Md5, Settings::default());
    let mut bench = Bench::with(client, book(OWNER, Scheme::Md5));
    let acl = bench.client.tree().acl(&at("./SCOMO")).granting(&id(OTHER), &Right::ALL).to_string();
    assert_eq!(bench.run(vec![replace("./SCOMO?prop=ACL", &acl)]), [200]);
    let chal = bench.said().header_status().unwrap().chal.clone().unwrap();
    bench.answer(200, None, vec![]);
    bench.server_nonce = auth::nonce_octets(&chal.next_nonce.unwrap());
    let mut delegate = Bench::with(bench.client, book(OTHER, Scheme::Md5));
    assert_eq!(delegate.run(vec![get("./SCOMO"), replace("./SCOMO/Settings/Enabled", "false")]), [200, 415]);
    delegate.answer(200, None, vec![]);
    let mut owner = Bench { client: delegate.client, ..bench };
    owner.trigger(0x8002);
    owner.answer(212, None, vec![delete("./DMAcc/dms2.example.test")]);
    assert_eq!(owner.codes(), [200]);
    assert_eq!(owner.client.tree().servers_named_in_acls().into_iter().collect::<Vec<_>>(), [id(OWNER)]);
}

/// What servers in the field have sent to real clients, answered by this one. The proofs in the recordings went by the
/// nonces of those clients, so that the accounts here ask for none.
#[test]
fn what_real_servers_have_sent_is_answered_without_error() {
    let read = |name: &str| {
        let path = format!("{}/tests/data/real-clients/{name}_server.xml", env!("CARGO_MANIFEST_DIR"));
        syncml_xml::read(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let proof_of_dms2 = at("./DMAcc/dms2/AppAuth/2/AAuthType");
    for (server, recording, numbers, refused) in [
        ("funambol", "01_basic_xml", 1..=3, &[][..]),
        ("funambol", "02_md5_challenge", 1..=4, &[]),
        ("funambol", "03_md5_preset", 1..=3, &[]),
        ("funambol", "07_mtls_nocred", 1..=3, &[]),
        // The server adds ./Vendor and, as TND has it, gets no Get there: its Get is refused.
        ("funambol", "13_atomic", 1..=2, &[425]),
        ("funambol", "21_respuri", 1..=3, &[]),
        // It ends by trying what it has given up the right to, and the real client refused it too.
        ("funambol", "31_aclfirst", 1..=3, &[425]),
        ("dms2", "32_delegated_server_aclfirst", 1..=3, &[]),
        ("hs20", "80_hs20_simple", 1..=2, &[]),
    ] {
        let mut bench = Bench::with(device(&[server], Scheme::None, Settings::default()), book(server, Scheme::None));
        if server == "dms2" {
            // The recording is of an account with a Name.
            bench.client.tree_mut().add(&id(server), &at("./DMAcc/dms2/Name"), NAME).unwrap();
        }
        bench.give(Input::Connect { server: id(server) });
        let mut codes = Vec::new();
        for number in numbers {
            let name = format!("{recording}-{number:02}");
            let (exchange, _, said, _) = bench.post.take().unwrap_or_else(|| panic!("{name}: the device is silent"));
            let mut message = read(&name);
            message.header.session_id = said.header.session_id;
            let tree = bench.client.tree_mut();
            if tree.has(&proof_of_dms2) {
                tree.replace(Actor::Device, &proof_of_dms2, None, None, "TRANSPORT").unwrap();
            }
            bench.send(exchange, message);
            if bench.post.is_some() {
                codes.extend(bench.codes().into_iter().filter(|code| *code != 200));
            }
        }
        assert_eq!(codes, refused, "{recording}");
        let done = Note::SessionEnded { server: id(server), by: Initiated::ByDevice, outcome: Outcome::Done };
        assert_eq!(bench.notes[1], done, "{recording}");
    }
}
