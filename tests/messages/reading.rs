//! What a reader takes although nobody of us writes it, and that it takes whatever we write.

use dmswarm::delegation::message::Message;
use dmswarm::delegation::reading::Readings;
use dmswarm::delegation::xml::{read, write};
use dmswarm::dm::dmacc::DmAcc;
use dmswarm::ids::{DeviceId, SessionId};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::specimens::{account, any_message};

#[track_caller]
fn check(document: &str, expected: Message) {
    assert_eq!(read(document.as_bytes()), Ok(expected));
}

fn confirmed(session: &str) -> Message {
    Message::DelegationConfirmed { reason: Some(200), session: SessionId::new(session) }
}

#[test]
fn the_order_does_not_matter() {
    check(
        "<delegation_confirmed><sessionId>s</sessionId><status>CONFIRMED</status><reasonCode>200</reasonCode>\
         </delegation_confirmed>",
        confirmed("s"),
    );
}

#[test]
fn unknown_elements_are_ignored_with_all_that_is_in_them() {
    check(
        "<delegation_confirmed xmlns:v='urn:vendor'><v:sessionId>other</v:sessionId><vendor a='1'><sessionId>other\
         </sessionId>text &amp; <empty/><![CDATA[</vendor>]]></vendor><empty/><reasonCode>200</reasonCode>\
         <deviceId>not in this table</deviceId><deviceId>nor is this</deviceId><sessionId>s</sessionId>\
         </delegation_confirmed>",
        confirmed("s"),
    );
}

#[test]
fn the_root_element_decides_and_never_the_status() {
    let session = || SessionId::new("s");
    for status in ["", "<status>PREPARED</status>", "<Status>FAILURE</Status>", "<status/>", "<status><x/></status>"] {
        let body = format!("{status}<sessionId>s</sessionId>");
        check(
            &format!("<delegation_confirmed>{body}</delegation_confirmed>"),
            Message::DelegationConfirmed { reason: None, session: session() },
        );
        check(
            &format!("<revocation_failure>{body}</revocation_failure>"),
            Message::RevocationFailure { reason: None, session: session() },
        );
        check(
            &format!("<delegation_failure>{body}</delegation_failure>"),
            Message::DelegationFailure { reason: None, session: session() },
        );
    }
}

#[test]
fn both_spellings_and_all_four_booleans_are_read() {
    for name in ["isClientBootstapped", "isClientBootstrapped"] {
        for value in ["true", "1", " true\n", "<![CDATA[true]]>", "tr<!-- ! -->ue", "&#x74;rue"] {
            check(
                &format!("<bootstrap_confirmed><{name}>{value}</{name}><sessionId>s</sessionId></bootstrap_confirmed>"),
                Message::BootstrapConfirmed {
                    reason: None,
                    bootstrapped: Some(true),
                    account: None,
                    session: SessionId::new("s"),
                },
            );
        }
    }
    for (value, is_full) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        check(
            &format!(
                "<delegation_prepared><isDelegationFull>{value}</isDelegationFull><sessionId>s</sessionId>\
                 </delegation_prepared>"
            ),
            Message::DelegationPrepared { reason: None, is_full, session: SessionId::new("s") },
        );
    }
}

#[test]
fn typed_white_space_is_trimmed_and_meant_white_space_kept() {
    check(
        "<delegation_confirmed><reasonCode> 200\t</reasonCode><sessionId>\n  a b\r\n</sessionId></delegation_confirmed>",
        confirmed("a b"),
    );
    check(
        "<delegation_confirmed><reasonCode>200</reasonCode><sessionId> &#32;a<![CDATA[ ]]> </sessionId></delegation_confirmed>",
        confirmed(" a "),
    );
}

#[test]
fn references_and_cdata_are_text() {
    check(
        "<delegation_confirmed><reasonCode>200</reasonCode><sessionId>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1F600;<![CDATA[<&amp;>]]></sessionId></delegation_confirmed>",
        confirmed("<>&'\"AB\u{1F600}<&amp;>"),
    );
}

#[test]
fn what_may_stand_around_the_root_element_may_stand_there() {
    let root = "<delegation_confirmed><reasonCode>200</reasonCode><sessionId>s</sessionId></delegation_confirmed>";
    for (before, after) in [
        ("", ""),
        ("\u{feff}", "\n"),
        ("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", " \n"),
        ("<?xml version='1.0'?><!-- before -->", "<!-- after --><?pi?>\n"),
        ("\n  <?pi with data?>", ""),
    ] {
        check(&format!("{before}{root}{after}"), confirmed("s"));
    }
}

#[test]
fn a_forced_revocation_needs_no_session_and_may_name_one() {
    let device = || Some(DeviceId::new("urn:imei:1"));
    check(
        "<delegation_revoked><deviceId>urn:imei:1</deviceId></delegation_revoked>",
        Message::DelegationRevoked { device: device(), subtree: None, reason: None, session: None },
    );
    check(
        "<delegation_revoked><DMTreeURI/><deviceId>urn:imei:1</deviceId><sessionId>s</sessionId></delegation_revoked>",
        Message::DelegationRevoked {
            device: device(),
            subtree: Some(String::new()),
            reason: None,
            session: Some(SessionId::new("s")),
        },
    );
}

#[track_caller]
fn check_account(dm_acc: &str, expected: DmAcc) {
    let document = format!(
        "<bootstrap_confirmed>{dm_acc}<sessionId>s</sessionId><isClientBootstapped>0</isClientBootstapped></bootstrap_confirmed>"
    );
    let message = Message::BootstrapConfirmed {
        reason: None,
        bootstrapped: Some(false),
        account: Some(Box::new(expected)),
        session: SessionId::new("s"),
    };
    // Not by assert_eq!, which would not show what differs: the Debug form of an account keeps its secrets.
    assert!(read(document.as_bytes()) == Ok(message), "{document}");
}

#[test]
fn an_account_is_read_in_every_shape_it_comes_in() {
    // The management object with its unnamed nodes, in another order, under the node of the account.
    check_account(
        "<DMAcc><partner><AppAuth><a><AAuthType>DIGEST</AAuthType><AAuthLevel>CLCRED</AAuthLevel><AAuthName>device\
         </AAuthName><AAuthSecret>s3cr3t &amp; &lt;more></AAuthSecret><AAuthData> bm9u\n Y2U= </AAuthData></a><b>\
         <AAuthLevel>SRVCRED</AAuthLevel><AAuthType>BASIC</AAuthType><AAuthName>server</AAuthName><AAuthSecret>\
         <![CDATA[s3cr3t & <more>]]></AAuthSecret></b></AppAuth><AppID>w7</AppID><Name>Partner</Name><PrefConRef>./NAP/1\
         </PrefConRef><ToConRef><x><ConRef>./NAP/1</ConRef></x><y><ConRef>./NAP/2</ConRef></y></ToConRef><AppAddr>\
         <one><Addr>https://dms2.example.test/dm</Addr><AddrType>URI</AddrType><Port><p><PortNbr>443</PortNbr></p><q>\
         <PortNbr>8443</PortNbr></q></Port></one><two><Addr>192.0.2.2</Addr><AddrType>IPv4</AddrType></two></AppAddr>\
         <AAuthPref>DIGEST</AAuthPref><ServerID>dms2.example.test</ServerID><NoAutoInitialSession>1\
         </NoAutoInitialSession><Ext><Vendor>yes</Vendor></Ext></partner></DMAcc>",
        account(),
    );
    let tnds = include_str!("../data/messages/dmacc-tnds.xml");
    check_account(tnds, account());
    let prefixed = tnds.replace("Node>", "d:Node>").replace("MgmtTree", "d:MgmtTree").replace("xmlns", "xmlns:d");
    check_account(&prefixed, account());
}

#[test]
fn an_account_counts_only_when_one_is_to_be_made() {
    check(
        "<bootstrap_confirmed><isClientBootstapped>true</isClientBootstapped><DMAcc><ServerID>x</ServerID><AppAddr>\
         <Addr>y</Addr></AppAddr></DMAcc><sessionId>s</sessionId></bootstrap_confirmed>",
        Message::BootstrapConfirmed {
            reason: None,
            bootstrapped: Some(true),
            account: None,
            session: SessionId::new("s"),
        },
    );
}

#[test]
fn whatever_is_written_is_read_back_the_same() {
    random_runner("whatever_is_written_is_read_back_the_same")
        .run(&any_message(), |message| {
            let document = write(&message, &Readings::default());
            proptest::prop_assert!(read(document.as_bytes()).as_ref() == Ok(&message), "{}", document);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// A runner whose seed is printed when the test fails, and taken from `DMSWARM_TEST_SEED` to run the same again.
pub fn random_runner(test: &str) -> TestRunner {
    let seed = match std::env::var("DMSWARM_TEST_SEED") {
        Ok(text) => text.parse().expect("DMSWARM_TEST_SEED is a number"),
        Err(_) => rand::random::<u64>(),
    };
    println!("to run it again: DMSWARM_TEST_SEED={seed} cargo test --release --test messages {test}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
