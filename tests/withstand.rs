//! What a server endpoint must withstand: each bad request gets its status and a counted reason, and harms nobody else.

mod standing;

use std::time::Duration;

use dmswarm::clock::Clock;
use dmswarm::delegation::message::Kind;
use dmswarm::dm::syncml::Message;
use dmswarm::dm::wire::{ContentType, open, seal};
use dmswarm::facts::pattern::{Pattern, Receipt, Sought};
use dmswarm::ids::{DeviceNumber, ServerNumber, device_id};
use dmswarm::run::stand::Stand;
use dmswarm::transport::certs::CertificateFolder;
use dmswarm::transport::tls::{Resumption, client_config};
use dmswarm::transport::{Address, Call, CallError, ClientIdentity, Dialer, DialerOptions, Method, Names, Reply};
use standing::{PARTIES, Place, scenario, with_parties};

const DELEGATION: &str = "application/vnd.dm.delegation+xml";

/// A caller who says he is `name`, with a certificate of the folder's authority.
fn caller(folder: &CertificateFolder, name: &str) -> ClientIdentity {
    let identity = folder.identity(name, &[]).expect("an identity");
    client_config(folder.roots(), Some(&identity), Resumption::Off).expect("TLS settings")
}

fn dialer() -> Dialer {
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    let hosts = ["dms1.example.test", "dms2.example.test", "partner-bootstrap.dms2.example.test"];
    let names = Names::new(hosts.map(|host| (host, here)));
    Dialer::new(names, DialerOptions::default(), Clock::start())
}

async fn post(to: &Address, identity: &ClientIdentity, kind: &'static str, body: String) -> Reply {
    dialer().call(Call::post(to.clone(), identity.clone(), kind, body)).await.expect("an answer")
}

fn request(session: &str, server: &str) -> String {
    format!(
        "<delegation_req><serverId>{server}</serverId><deviceId>urn:imei:004999010000003</deviceId>\
         <deviceMan>M</deviceMan><deviceMod>N</deviceMod><DMTreeURI>./SCOMO</DMTreeURI>\
         <isDelegationFull>false</isDelegationFull><sessionId>{session}</sessionId></delegation_req>"
    )
}

/// The interface of `home`, and how `partner` calls it.
fn home(stand: &Stand) -> Address {
    stand.blueprint().server(ServerNumber(0)).interface.clone()
}

#[test]
fn every_malformed_post_gets_its_status_and_a_counted_reason() {
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    let cases: Vec<(&str, String, u16, &str)> = vec![
        ("not XML", "this is not XML".into(), 400, "not_xml"),
        ("nothing", String::new(), 400, "not_xml"),
        ("cut short", "<delegation_confirmed><sessionId>s".into(), 400, "truncated"),
        ("nested deep", format!("<delegation_confirmed>{deep}</delegation_confirmed>"), 400, "nested_too_deep"),
        ("a DTD", "<!DOCTYPE a [<!ENTITY b \"c\">]><delegation_confirmed/>".into(), 400, "has_dtd"),
        ("another root", "<delegation_party/>".into(), 400, "unknown_message"),
        ("an element missing", "<delegation_confirmed/>".into(), 400, "missing_element"),
        (
            "an element doubled",
            "<delegation_confirmed><sessionId>a</sessionId><sessionId>b</sessionId></delegation_confirmed>".into(),
            400,
            "doubled_element",
        ),
        (
            "an unknown session",
            "<delegation_confirmed><sessionId>nobody's</sessionId></delegation_confirmed>".into(),
            404,
            "unknown_session",
        ),
        ("over the limit", format!("<a>{}</a>", "x".repeat(65 * 1024)), 413, "too_large"),
    ];
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let (home, partner) = (home(stand), caller(folder, "dms2.example.test"));
        for (what, body, status, reason) in &cases {
            let before = counted(stand, reason).await;
            let reply = post(&home, &partner, DELEGATION, body.clone()).await;
            assert_eq!(reply.status, *status, "{what}");
            assert!(reply.body.is_empty(), "{what}: the status is the answer");
            assert_eq!(counted(stand, reason).await, before + 1, "{what} is counted as {reason}");
        }
        let reply = post(&home, &partner, "text/xml", request("s1", "dms2.example.test")).await;
        assert_eq!(reply.status, 415);
        let got = dialer().call(Call::get(home.clone(), partner.clone())).await.expect("an answer");
        assert_eq!(got.status, 405);
        let elsewhere = home.with_path("/somewhere/else").expect("a path");
        assert_eq!(post(&elsewhere, &partner, DELEGATION, String::new()).await.status, 404);

        // After all that the server still does its work.
        stand.walk(scenario(PARTIES).plan()).await;
        let shard = stand.take_second().await.shard;
        assert_eq!((shard.started(), shard.done(), shard.failed()), (8, 8, 0));
    });
}

async fn counted(stand: &Stand, reason: &str) -> u64 {
    stand.take_second().await.shard.rejections(reason)
}

#[test]
fn a_trusted_certificate_of_another_party_is_forbidden() {
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let stranger = caller(folder, "dms9.example.test");
        let reply = post(&home(stand), &stranger, DELEGATION, request("s1", "dms9.example.test")).await;
        assert_eq!(reply.status, 403, "our authority vouches for it, but it is no server of ours");
        let partner = caller(folder, "dms2.example.test");
        let reply = post(&home(stand), &partner, DELEGATION, request("s2", "dms1.example.test")).await;
        assert_eq!(reply.status, 403, "it says that it is somebody else");
    });
}

#[test]
fn without_a_certificate_or_with_one_of_a_foreign_authority_tls_refuses() {
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let nobody = client_config(folder.roots(), None, Resumption::Off).expect("TLS settings");
        let elsewhere = Place::new();
        let foreign = CertificateFolder::open(&elsewhere.0).expect("another authority");
        let foreign = foreign.identity("dms2.example.test", &[]).expect("an identity");
        let foreigner = client_config(folder.roots(), Some(&foreign), Resumption::Off).expect("TLS settings");
        for (who, identity) in [("nobody", nobody), ("a foreigner", foreigner)] {
            let call = Call::post(home(stand), identity, DELEGATION, request("s1", "dms2.example.test"));
            let refused = dialer().call(call).await.expect_err(who);
            assert!(matches!(refused, CallError::Tls { .. }), "{who}: {refused}");
        }
    });
}

#[test]
fn a_method_that_is_not_post_is_not_allowed() {
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let partner = caller(folder, "dms2.example.test");
        let call = Call { method: Method::Other("DELETE".into()), ..Call::get(home(stand), partner) };
        assert_eq!(dialer().call(call).await.expect("an answer").status, 405);
    });
}

#[test]
fn a_device_that_talks_nonsense_gets_a_status_and_harms_nobody() {
    let syncml = "application/vnd.syncml.dm+xml";
    let from = |device: &str| {
        format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
             <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>x</LocURI></Target>\
             <Source><LocURI>{device}</LocURI></Source></SyncHdr><SyncBody><Final/></SyncBody></SyncML>"
        )
    };
    let cases: Vec<(&str, &'static str, String, u16)> = vec![
        ("not XML", syncml, "nonsense".into(), 400),
        ("cut short", syncml, "<SyncML><SyncHdr>".into(), 400),
        ("nested deep", syncml, "<SyncML>".repeat(500), 400),
        ("an entity of its own", syncml, "<!DOCTYPE a [<!ENTITY b \"c\">]><SyncML/>".into(), 400),
        ("cut short in WBXML", "application/vnd.syncml.dm+wbxml", "\u{2}".into(), 400),
        ("another type", "text/plain", from("urn:imei:004999010000007"), 415),
        ("over the limit", syncml, "x".repeat(65 * 1024), 413),
        ("nobody's device", syncml, from("urn:imei:490154203237518"), 404),
    ];
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let device = client_config(folder.roots(), None, Resumption::Off).expect("TLS settings");
        let address = &stand.blueprint().parties.server(ServerNumber(0)).accounts.address;
        let home = Address::parse(address).expect("an address");
        for (what, kind, body, status) in &cases {
            let reply = post(&home, &device, kind, body.clone()).await;
            assert_eq!((reply.status, reply.body.len()), (*status, 0), "{what}");
        }
        let elsewhere = home.with_path("/elsewhere").expect("a path");
        assert_eq!(post(&elsewhere, &device, syncml, String::new()).await.status, 404);
        assert_eq!(dialer().call(Call::get(home.clone(), device.clone())).await.expect("an answer").status, 405);

        // A device of ours without credentials is answered, and asked for them.
        let reply = post(&home, &device, syncml, from("urn:imei:004999010000007")).await;
        assert_eq!(reply.status, 200);
        let said = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(said.contains("<Data>407</Data>") && said.contains("<Chal>"), "{said}");

        stand.walk(scenario(PARTIES).plan()).await;
        assert_eq!(stand.take_second().await.shard.failed(), 0, "all the others are served as before");
    });
}

/// Some DM clients use the types of data synchronisation, and one asks for WBXML whatever it sends.
#[test]
fn an_answer_comes_in_the_type_of_its_request() {
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let device = client_config(folder.roots(), None, Resumption::Off).expect("TLS settings");
        let address = &stand.blueprint().parties.server(ServerNumber(0)).accounts.address;
        let home = Address::parse(address).expect("an address");
        let mut message = Message { is_final: true, ..Message::default() };
        message.header.source.uri = device_id(DeviceNumber(0)).as_str().to_owned();
        for (number, kind) in ContentType::ALL.into_iter().enumerate() {
            message.header.session_id = format!("{:X}", 10 + number);
            message.header.msg_id = "1".to_owned();
            let mut call = Call::post(home.clone(), device.clone(), kind.as_str(), seal(&message, None, kind).body);
            call.headers.push(("accept", "application/vnd.syncml.dm+wbxml".to_owned()));
            let reply = dialer().call(call).await.expect("an answer");
            assert_eq!((reply.status, reply.content_type()), (200, Some(kind.as_str())));
            let answer = open(kind.as_str(), None, &reply.body).expect("a message").message;
            assert_eq!(answer.header.session_id, message.header.session_id, "{kind:?}");
            let status = answer.header_status().expect("a status");
            assert_eq!((status.code, status.chal.is_some()), (407, true), "only 200 carries a challenge");
        }
    });
}

#[test]
fn a_bootstrap_document_is_for_whoever_knows_its_url() {
    with_parties(&scenario(PARTIES), async |stand, folder| {
        let device = client_config(folder.roots(), None, Resumption::Off).expect("TLS settings");
        let url = stand.blueprint().bootstrap_servers[0].links.url_for(&device_id(DeviceNumber(2)));
        let address = Address::parse(&url).expect("an address");
        let call = |address: &Address| Call::get(address.clone(), device.clone());
        let reply = dialer().call(call(&address)).await.expect("an answer");
        assert_eq!((reply.status, reply.content_type()), (200, Some("application/vnd.syncml.dm+xml")));
        assert!(String::from_utf8_lossy(&reply.body).contains("dms2.example.test"));

        let mut guessed = address.path().to_owned();
        let last = guessed.pop();
        guessed.push(if last == Some('A') { 'B' } else { 'A' });
        let guessed = address.with_path(&guessed).expect("a path");
        assert_eq!(dialer().call(call(&guessed)).await.expect("an answer").status, 404);
        assert_eq!(post(&address, &device, "text/plain", String::new()).await.status, 405);
    });
}

/// What has been read is in the receiver's hands: that its sender gives up does not take it back.
#[test]
fn a_request_that_waits_at_the_door_is_handled_although_its_caller_has_given_up() {
    let fault = r#"
[timeouts]
request = "200ms"

[[fault]]
name = "notice-late"
where = "http.response.before_handler"
match = { message = "delegation_revoked" }
do = { hold = "unanswered delegation_revoked at home", at_most = "10s" }
"#;
    let text = PARTIES.replace("revoke asked", "revoke forced with notice expect any");
    let scenario = scenario(&format!("policy = \"literal\"\n{text}\n{fault}"));
    with_parties(&scenario, async |stand, _| {
        stand.walk(scenario.plan()).await;
        let (message, at) = (Kind::of_root("delegation_revoked"), Some(ServerNumber(1)));
        let taken = Pattern { what: Sought::Received { how: Some(Receipt::Taken), message, at }, nth: 1 };
        let is_handled = stand.board().gate(DeviceNumber(0), &taken, Duration::from_secs(10)).await;
        assert!(is_handled, "the delegate never learnt of it");
    });
}
