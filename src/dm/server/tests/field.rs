//! Sessions that real clients have held with other servers, held with this one: every message that they sent.

use super::*;
use crate::dm::syncml_xml;
use crate::dm::tests::picky;

/// Recordings of the project's test data, by how their clients proved themselves.
const RECORDINGS: [(&str, Scheme); 9] = [
    ("01_basic_xml", Scheme::None),
    ("02_md5_challenge", Scheme::Md5),
    ("03_md5_preset", Scheme::None),
    ("07_mtls_nocred", Scheme::None),
    ("13_atomic", Scheme::None),
    ("21_respuri", Scheme::None),
    ("31_aclfirst", Scheme::None),
    ("32_delegated_server_aclfirst", Scheme::None),
    ("80_hs20_simple", Scheme::None),
];

/// The message of one side; `None` where the recording has ended.
fn recorded(name: &str, number: u32, side: &str) -> Option<Message> {
    let path = format!("{}/tests/data/real-clients/{name}-{number:02}_{side}.xml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(syncml_xml::read(&text).unwrap_or_else(|error| panic!("{name} {number}: {error}")))
}

/// What the recorded server asked for, as orders of ours: the client's answers refer to them.
fn order(command: &Command) -> Order {
    let only = |items: &[Item]| {
        assert_eq!(items.len(), 1, "one item a command");
        items[0].clone()
    };
    let at = |item: &Item| {
        let target = item.target.as_deref().unwrap();
        (Uri::parse(target.split('?').next().unwrap()).unwrap(), target.ends_with("?prop=ACL"))
    };
    match &command.verb {
        Verb::Get(items) => match at(&only(items)) {
            (uri, true) => Order::GetAcl(uri),
            (uri, false) => Order::Get(uri),
        },
        Verb::Delete(items) => Order::Delete(at(&only(items)).0),
        Verb::Add(items) | Verb::Replace(items) => {
            let item = only(items);
            let value = item.data.clone().unwrap_or_default();
            match (&command.verb, at(&item), item.meta.format.as_deref()) {
                (Verb::Replace(_), (uri, true), _) => Order::ReplaceAcl { uri, acl: value },
                (Verb::Replace(_), (uri, false), _) => Order::ReplaceLeaf { uri, format: "chr", value },
                (_, (uri, _), Some("node")) => Order::AddNode { uri, kind: "" },
                (_, (uri, _), _) => Order::AddLeaf { uri, format: "chr", value },
            }
        }
        Verb::Atomic(inner) => Order::Atomic(inner.iter().map(order).collect()),
        other => panic!("{other:?}"),
    }
}

/// What a server says for a recorded client to answer: commands by their CmdIDs and targets.
fn asked(message: &Message) -> Vec<String> {
    fn told(command: &Command, out: &mut Vec<String>) {
        let inner = match &command.verb {
            Verb::Atomic(inner) => &inner[..],
            _ => &[],
        };
        let target = match &command.verb {
            Verb::Get(items) | Verb::Add(items) | Verb::Replace(items) | Verb::Delete(items) => {
                items[0].target.clone().unwrap()
            }
            _ => String::new(),
        };
        out.push(format!("{} {} {target}", command.cmd_id, command.verb.name()));
        inner.iter().for_each(|inner| told(inner, out));
    }
    let mut out = Vec::new();
    message.commands().for_each(|command| told(command, &mut out));
    out
}

/// Holds the session of a recording: the client's messages as they were, but for who it is and what it proves itself
/// with. Gives how the server's errands ended.
fn replay(name: &str, scheme: Scheme, kind: ContentType) -> Vec<String> {
    let mut bench = bench(scheme);
    let rounds: Vec<Message> = (1..).map_while(|number| recorded(name, number, "server")).collect();
    for (ticket, round) in (1..).zip(rounds.iter().filter(|round| round.commands().next().is_some())) {
        bench.want(ticket, Errand::Undo(round.commands().map(order).collect()));
    }
    bench.transcript.clear();
    for (number, theirs) in (1..).zip(&rounds) {
        let mut message = recorded(name, number, "client").unwrap();
        let (session, device) = (message.header.session_id.clone(), device_id(DEVICE).as_str().to_owned());
        message.header.source.uri.clone_from(&device);
        if number == 2 && scheme == Scheme::Md5 {
            message.header.cred = bench.md5(&bench.secret(Derived::ClientSecret), &bench.challenged_with());
        }
        let sent = wire::seal(&message, None, kind);
        let envelope = wire::open(kind.as_str(), None, &sent.body).unwrap();
        assert_eq!((&envelope.message, envelope.content_type), (&message, kind), "{name} {number}");
        bench.exchange += 1;
        bench.said = None;
        bench.tell(Input::Received { exchange: bench.exchange, envelope, client_certificate: true });

        let said = bench.said.clone().unwrap_or_else(|| panic!("{name} {number}: no answer with status 200"));
        assert_eq!(said.header.session_id, session);
        assert_eq!((said.header.msg_id.as_str(), said.header.target.uri.as_str()), (&*number.to_string(), &*device));
        let status = said.header_status().unwrap();
        assert_eq!(Some(status), said.statuses().next(), "first of all");
        assert_eq!(status.target_refs, [message.header.target.uri.clone()]);
        assert_eq!(status.source_refs, [device]);
        let answered: Vec<&str> = said.statuses().skip(1).map(|status| status.cmd_ref.as_deref().unwrap()).collect();
        assert_eq!(answered, message.commands().map(|command| command.cmd_id.as_str()).collect::<Vec<_>>());
        assert_eq!(asked(&said), asked(theirs), "{name} {number}");
        picky::is_taken(&said);
        picky::is_taken_from_a_server(&said);
    }
    assert_eq!(bench.transcript.last().map(String::as_str), Some(ENDED), "{name}: {:?}", bench.transcript);
    assert!(bench.said.unwrap().commands().next().is_none(), "a package without a command ends the session");
    bench.transcript.retain(|line| line.starts_with("finished") || line.starts_with("failed"));
    bench.transcript
}

#[test]
fn every_recorded_session_is_held_to_its_end_in_each_of_the_four_types() {
    for kind in ContentType::ALL {
        for (name, scheme) in RECORDINGS {
            let ended = replay(name, scheme, kind);
            let expected: &[&str] = match name {
                // The client could not show what its server asked for: rights given up, or never had.
                "31_aclfirst" => &[
                    "finished 1, 0 to undo",
                    "failed 2: Refused { code: 425, order: \"Replace\", uri: \"./DMAcc/dms2/Name\" }, 1 to undo",
                ],
                "80_hs20_simple" => {
                    &["failed 1: Refused { code: 425, order: \"Get\", uri: \"./DevInfo/DevId\" }, 1 to undo"]
                }
                // No Status for the Atomic itself: those in it say how it went.
                "13_atomic" => &["finished 1, 0 to undo"],
                _ => &["finished 1, 0 to undo", "finished 2, 0 to undo"],
            };
            assert_eq!(ended, expected, "{name} as {kind:?}");
        }
    }
}

/// A later session of the same client would prove itself by the nonce that our challenge has given, and we by its own.
#[test]
fn the_nonce_that_a_recorded_client_gave_is_what_we_prove_ourselves_with() {
    let mut bench = bench(Scheme::Md5);
    let mut message = recorded("02_md5_challenge", 2, "client").unwrap();
    message.header.source.uri = device_id(DEVICE).as_str().to_owned();
    let nonce = bench.nonce(Derived::ClientNonce);
    message.header.cred = bench.md5(&bench.secret(Derived::ClientSecret), &nonce);
    bench.exchange = 1;
    bench.tell(Input::Received { exchange: 1, envelope: Envelope::plain(message), client_certificate: false });
    let cred = bench.said.as_ref().unwrap().header.cred.clone().unwrap();
    // Base64 of base64 in the recording: only the outer layer is taken off.
    let ours = bench.secret(Derived::ServerSecret);
    assert!(auth::proves(&cred, Scheme::Md5, "dms1.example.test", &ours, b"dEdnQzCcsjQ="));
}

/// Sessions are told apart by SessionID and Source: where a client's messages go is its own affair.
#[test]
fn a_session_goes_on_whatever_the_target_of_a_message_says() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.hear(None, bench.package_1(1200));
    let body = bench.package_3(200, 200, "");
    let mut message = bench.message(None, body);
    message.header.target = Location::new("https://dms1.example.test/dm/elsewhere?sid=1");
    bench.exchange += 1;
    let exchange = bench.exchange;
    bench.tell(Input::Received { exchange, envelope: Envelope::plain(message), client_certificate: false });
    assert_eq!(bench.transcript.last().unwrap(), ENDED);
}

/// A client that has been given no credentials, and so says nothing but 0, of the header and of each command.
#[test]
fn a_status_of_0_is_a_refusal() {
    let mut bench = bench(Scheme::None);
    bench.want(7, visit());
    bench.hear(None, bench.package_1(1200));
    bench.transcript.clear();
    bench.hear(None, bench.package_3(0, 0, ""));
    bench.check(&["#2, SyncHdr 200, Final", "NotBelieved { }", "failed 7: NotAuthenticated, 0 to undo", BROKEN]);
}

/// What a Get of several nodes finds comes as one Results with many Items, or as one for each; and a Status for each.
#[test]
fn several_statuses_and_results_for_one_command_are_all_heard() {
    for (codes, expected) in [
        ([200, 200], "finished 7, 0 to undo"),
        ([200, 404], "failed 7: Refused { code: 404"),
        ([405, 200], "failed 7: Refused { code: 405"),
    ] {
        let mut bench = bench(Scheme::None);
        bench.want(7, Errand::Undo(vec![Order::Get(Uri::parse("./A").unwrap())]));
        bench.hear(None, bench.package_1(1200));
        let command = bench.said.as_ref().unwrap().commands().next().unwrap().clone();
        let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 200))];
        for (code, target) in codes.into_iter().zip(["./A", "./A/B"]) {
            let status = bench.status(&command.cmd_id, "Get", code);
            body.push(Element::Status(Status { target_refs: vec![target.into()], ..status }));
            let items = vec![Item::source(target), Item::source("./A/C")];
            body.push(Element::Results(Results { cmd_ref: command.cmd_id.clone(), items, ..Results::default() }));
        }
        bench.hear(None, body);
        assert!(bench.transcript.iter().any(|line| line.starts_with(expected)), "{codes:?}: {:?}", bench.transcript);
    }
}
