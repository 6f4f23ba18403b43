//! What a reader refuses, each thing by its name; and that nothing at all brings it down or makes it talk.

use dmswarm::delegation::message::Message;
use dmswarm::delegation::misbehaved::Misbehaved;
use dmswarm::delegation::reading::Readings;
use dmswarm::delegation::xml::{read, write};
use dmswarm::ids::SessionId;
use proptest::prelude::*;

use crate::reading::random_runner;
use crate::specimens::{SECRET, account, forms};

#[track_caller]
fn check(document: impl AsRef<[u8]>, expected: Misbehaved) {
    assert_eq!(read(document.as_ref()), Err(expected));
}

#[track_caller]
fn check_not_xml(document: &str, at: usize, why: &str) {
    check(document, Misbehaved::NotXml { at, why: why.into() });
}

#[test]
fn what_is_not_well_formed_is_refused_where_it_goes_wrong() {
    check_not_xml("", 0, "no element at all");
    check_not_xml("  \n", 3, "no element at all");
    check_not_xml("{\"json\":true}", 0, "text before the root element");
    check_not_xml("<delegation_req></delegation_resp>", 16, "an end tag of another element than the open one");
    check_not_xml("</delegation_req>", 0, "an end tag of another element than the open one");
    check_not_xml("<delegation_req>a & b</delegation_req>", 18, "a & that begins no reference");
    check_not_xml("<delegation_req>\u{1}</delegation_req>", 16, "a character that XML does not allow");
    check_not_xml("<delegation_req>&#0;</delegation_req>", 16, "a reference to a character that XML does not allow");
    check_not_xml("<delegation_req a='1' b='' a='2'/>", 0, "a doubled attribute");
    check_not_xml("<delegation_req a=1/>", 0, "a malformed attribute");
    check_not_xml("<delegation_req a='<'/>", 0, "a malformed attribute");
    check_not_xml("<1/>", 0, "an element without a proper name");
    check_not_xml("<delegation_req><!-- -- --></delegation_req>", 21, "-- inside a comment");
    check_not_xml(" <?xml version='1.0'?><delegation_req/>", 1, "an XML declaration that is not the very first thing");
    check_not_xml("\u{feff}x", 3, "text before the root element");
    check_not_xml("\u{feff}\u{feff}<delegation_req/>", 3, "text before the root element");
}

#[test]
fn masses_of_attributes_elements_or_references_take_no_more_than_their_share_of_time() {
    // Each of these, were it handled in quadratic time, would keep this test busy for minutes.
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=''")).collect();
    let elements = "<x/>".repeat(250_000);
    let references = "&amp;".repeat(200_000);
    for inside in [format!("{attributes}>"), format!(">{elements}")] {
        let document = format!("<delegation_confirmed{inside}<sessionId>s</sessionId></delegation_confirmed>");
        let expected = Message::DelegationConfirmed { reason: None, session: SessionId::new("s") };
        assert!(read(document.as_bytes()) == Ok(expected), "{}", &document[..60]);
    }
    let delivery = format!(
        "<bootstrap_srv_url_delivery><bootstrapURL>{references}</bootstrapURL><sessionId>s</sessionId>\
         </bootstrap_srv_url_delivery>"
    );
    let (url, session) = ("&".repeat(200_000), SessionId::new("s"));
    assert!(read(delivery.as_bytes()) == Ok(Message::BootstrapSrvUrlDelivery { reason: None, url, session }));
    let nodes = "<AppAddr><Addr>y</Addr><PortNbr>1</PortNbr></AppAddr>".repeat(20_000);
    let account = format!(
        "<bootstrap_confirmed><isClientBootstapped>0</isClientBootstapped><DMAcc><ServerID>x</ServerID>{nodes}</DMAcc>\
         <sessionId>s</sessionId></bootstrap_confirmed>"
    );
    match read(account.as_bytes()) {
        Ok(Message::BootstrapConfirmed { account: Some(account), .. }) => assert_eq!(account.addresses.len(), 20_000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_id_has_a_bound_since_somebody_has_to_remember_it() {
    let document =
        |session: &str| format!("<delegation_confirmed><sessionId>{session}</sessionId></delegation_confirmed>");
    let longest = "s".repeat(1_024);
    let expected = Message::DelegationConfirmed { reason: None, session: SessionId::new(longest.as_str()) };
    assert_eq!(read(document(&longest).as_bytes()), Ok(expected));
    let Err(refused) = read(document(&format!("{longest}s")).as_bytes()) else { panic!("it is longer than that") };
    assert!(refused.to_string().contains("text of 1 to 1,024 bytes in the element sessionId"), "{refused}");
}

#[test]
fn only_utf_8_is_read() {
    check(b"<delegation_req>\xe4</delegation_req>", Misbehaved::NotUtf8 { at: 16, why: "the byte 0xe4".into() });
    check(b"\xff\xfe<\0a\0", Misbehaved::NotUtf8 { at: 0, why: "the byte 0xff".into() });
    check(
        "<?xml version='1.0' encoding='ISO-8859-1'?><delegation_req/>",
        Misbehaved::NotUtf8 { at: 0, why: "another encoding in the XML declaration".into() },
    );
}

#[test]
fn every_beginning_of_a_document_is_truncated() {
    for body in bodies() {
        let document = std::str::from_utf8(&body).expect("it is UTF-8");
        let root = document.find("<delegation").or(document.find("<b")).or(document.find("<r")).expect("it has a root");
        for at in 0..document.trim_end().len() {
            let misbehaved = read(&body[..at]).expect_err("the end is missing");
            let is_expected = match &misbehaved {
                Misbehaved::Truncated { at: found } => *found == at,
                // Before the root element nothing is open that could be cut.
                Misbehaved::NotXml { .. } => at <= root,
                _ => false,
            };
            assert!(is_expected, "{document}\ncut at {at}: {misbehaved}");
        }
    }
}

#[test]
fn nothing_may_follow_the_root_element() {
    let root = "<delegation_confirmed><sessionId>s</sessionId></delegation_confirmed>";
    for after in ["x", "<more/>", "\n<more></more>", "<![CDATA[ ]]>", "&amp;", root] {
        let blank = after.len() - after.trim_start().len();
        let at = root.len() + if after == "\n<more></more>" { blank } else { 0 };
        check(format!("{root}{after}"), Misbehaved::TrailingContent { at });
    }
}

#[test]
fn elements_nest_thirty_two_deep_and_no_deeper() {
    let nested = |deep: usize| {
        let inner = deep - 1;
        format!(
            "<delegation_confirmed>{}{}<sessionId>s</sessionId></delegation_confirmed>",
            "<x>".repeat(inner),
            "</x>".repeat(inner)
        )
    };
    let expected = Message::DelegationConfirmed { reason: None, session: SessionId::new("s") };
    assert_eq!(read(nested(32).as_bytes()), Ok(expected));
    check(nested(33), Misbehaved::NestedTooDeep { at: 22 + 31 * 3, limit: 32 });
    check("<x>".repeat(100_000), Misbehaved::UnknownMessage { root: "x".into() });
    let deep_account = format!("<bootstrap_confirmed><DMAcc>{}", "<x>".repeat(100_000));
    check(deep_account, Misbehaved::NestedTooDeep { at: 28 + 30 * 3, limit: 32 });
}

#[test]
fn document_types_and_entities_of_their_own_are_refused() {
    let document_type = |at| Misbehaved::HasDtd { at, what: "a document type" };
    check("<!DOCTYPE delegation_req><delegation_req/>", document_type(0));
    check(
        "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><delegation_req>&b;</delegation_req>",
        document_type(21),
    );
    check("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><delegation_req/>", document_type(0));
    check("<!DOCTYPE d [<!ENTITY a 'a'>", document_type(0));
    check("<delegation_req><!DOCTYPE d></delegation_req>", document_type(16));
    let entity = |at| Misbehaved::HasDtd { at, what: "an entity that is not one of XML's five" };
    check("<delegation_req><sessionId>&b;</sessionId></delegation_req>", entity(27));
    check("<delegation_req><unknown>&nbsp;</unknown></delegation_req>", entity(25));
    check("<delegation_req a='&b;'/>", entity(0));
}

#[test]
fn unknown_roots_are_refused() {
    let unknown = |root: &str| Misbehaved::UnknownMessage { root: root.into() };
    check("<html/>", unknown("html"));
    check("<Delegation_Req/>", unknown("Delegation_Req"));
    check("<d:delegation_req xmlns:d='urn:d'/>", unknown("d:delegation_req"));
    check(format!("<{}/>", "x".repeat(1000)), unknown(&format!("{}…", "x".repeat(60))));
}

/// The golden document of a form with one piece of it replaced.
fn changed(form: &str, from: &str, to: &str) -> String {
    let (_, message) = forms().into_iter().find(|(name, _)| *name == form).expect("there is such a form");
    let document = write(&message, &Readings::default());
    assert!(document.contains(from), "{from} stands in {form}");
    document.replacen(from, to, 1)
}

#[test]
fn every_element_that_has_to_be_there_is_missed() {
    let check = |form: &str, message: &'static str, element: &'static str| {
        let document =
            changed(form, &format!("<{element}>"), "<was><x>").replacen(&format!("</{element}>"), "</x></was>", 1);
        check(document, Misbehaved::MissingElement { message, element });
    };
    for element in ["serverId", "deviceId", "deviceMan", "deviceMod", "DMTreeURI", "isDelegationFull", "sessionId"] {
        check("delegation_req", "delegation_req", element);
    }
    check("delegation_resp", "delegation_resp", "isAcknowledged");
    check("delegation_prepared", "delegation_prepared", "isDelegationFull");
    check("bootstrap_srv_url_delivery", "bootstrap_srv_url_delivery", "bootstrapURL");
    check("bootstrap_confirmed-account", "bootstrap_confirmed", "isClientBootstapped");
    check("bootstrap_confirmed-account", "bootstrap_confirmed", "DMAcc");
    check("delegation_termination_req", "delegation_termination_req", "deviceId");
    check("delegation_revocation_req", "delegation_revocation_req", "deviceId");
    for (form, message) in forms() {
        if !form.starts_with("delegation_revoked-forced") {
            check(form, message.kind().root(), "sessionId");
        }
    }
    // A forced revocation is told by its deviceId; without one, a session is what is missed.
    let document = changed("delegation_revoked-forced", "deviceId>urn:imei:004999010000006</deviceId", "x/");
    self::check(document, Misbehaved::MissingElement { message: "delegation_revoked", element: "sessionId" });
}

#[test]
fn every_element_of_a_table_may_stand_there_once() {
    let check = |form: &str, first: &str, again: &str, element: &'static str| {
        let message = form.split('-').next().expect("a form begins with its message");
        let (_, specimen) = forms().into_iter().find(|(name, _)| *name == form).expect("there is such a form");
        assert_eq!(specimen.kind().root(), message);
        let document = changed(form, first, &format!("{again}{first}"));
        check(document, Misbehaved::DoubledElement { message: specimen.kind().root(), element });
    };
    check("delegation_req", "<sessionId>", "<sessionId>other</sessionId>", "sessionId");
    check("delegation_req", "<sessionId>", "<sessionId>home-7</sessionId>", "sessionId");
    check("delegation_resp", "<reasonCode>", "<reasonCode/>", "reasonCode");
    // Two spellings are still one element.
    check("delegation_resp", "<status>", "<Status>DELEGATION_RESP</Status>", "status");
    check(
        "bootstrap_confirmed-already",
        "<isClientBootstapped>",
        "<isClientBootstrapped>true</isClientBootstrapped>",
        "isClientBootstapped",
    );
    let small = "<DMAcc><ServerID>x</ServerID><AppAddr><Addr>y</Addr></AppAddr></DMAcc>";
    check("bootstrap_confirmed-account", "<DMAcc>", small, "DMAcc");
    check("bootstrap_confirmed-account", "<ServerID>", "<ServerID>x</ServerID>", "DMAcc/ServerID");
    check("bootstrap_confirmed-account", "<AAuthSecret>", "<AAuthSecret/>", "DMAcc/AppAuth/AAuthSecret");
}

#[test]
fn values_that_are_not_of_their_type_are_refused() {
    let check = |form: &str, from: &str, to: &str, element: &'static str, found: &str| {
        let (_, specimen) = forms().into_iter().find(|(name, _)| *name == form).expect("there is such a form");
        let message = specimen.kind().root();
        check(changed(form, from, to), Misbehaved::BadValue { message, element, found: found.into() });
    };
    check("delegation_req", "Full>false", "Full>FALSE", "isDelegationFull", "FALSE");
    check("delegation_req", "Full>false", "Full>", "isDelegationFull", "");
    check("delegation_req", "home-7", "", "sessionId", "");
    check("delegation_req", "home-7", " \n ", "sessionId", "");
    check("delegation_req", "home-7", "<x>home-7</x>", "sessionId", "elements");
    check("delegation_resp", "Code>200", "Code>ok", "reasonCode", "ok");
    check("delegation_resp", "Code>200", "Code>-1", "reasonCode", "-1");
    check("delegation_resp", "Code>200", "Code>65536", "reasonCode", "65536");
    check("delegation_resp", "Code>200", "Code>", "reasonCode", "");
    let long = "9".repeat(1000);
    check("delegation_resp", "Code>200", &format!("Code>{long}"), "reasonCode", &format!("{}…", &long[..60]));
    let hidden = "something that is not shown here";
    let account = "bootstrap_confirmed-account";
    check(account, "bm9uY2U=", "not base64!", "DMAcc/AppAuth/AAuthData", hidden);
    check(account, ">443<", ">70000<", "DMAcc/AppAddr/PortNbr", hidden);
    check(account, "Session>true", "Session>yes", "DMAcc/NoAutoInitialSession", hidden);
    check(account, "<ServerID>dms2.example.test", "<ServerID>", "DMAcc/ServerID", hidden);
}

#[test]
fn an_account_lacks_what_it_cannot_do_without() {
    let check = |dm_acc: &str, element: &'static str| {
        let document = format!(
            "<bootstrap_confirmed><isClientBootstapped>false</isClientBootstapped>{dm_acc}<sessionId>s</sessionId>\
             </bootstrap_confirmed>"
        );
        check(document, Misbehaved::MissingElement { message: "bootstrap_confirmed", element });
    };
    check("<DMAcc/>", "DMAcc/ServerID");
    check("<DMAcc>text</DMAcc>", "DMAcc/ServerID");
    check("<DMAcc><MgmtTree/></DMAcc>", "DMAcc/ServerID");
    check("<DMAcc><ServerID>x</ServerID></DMAcc>", "DMAcc/AppAddr/Addr");
    check("<DMAcc><ServerID>x</ServerID><AppAddr/></DMAcc>", "DMAcc/AppAddr/Addr");
    check(
        "<DMAcc><ServerID>x</ServerID><AppAddr><Addr>y</Addr></AppAddr><AppAuth><AAuthLevel>CLCRED</AAuthLevel></AppAuth></DMAcc>",
        "DMAcc/AppAuth/AAuthType",
    );
}

/// One thing that a bad line, or a bad peer, does to a body.
#[derive(Debug, Clone)]
enum Damage {
    Truncate(usize),
    Flip(usize, u8),
    /// Puts the bytes between the first two at the third once more.
    Duplicate(usize, usize, usize),
    Remove(usize, usize),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = 0..4096_usize;
    let length = 1..64_usize;
    prop_oneof![
        1 => at.clone().prop_map(Damage::Truncate),
        4 => (at.clone(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        4 => (at.clone(), length.clone(), at.clone()).prop_map(|(from, length, to)| Damage::Duplicate(from, length, to)),
        4 => (at, length).prop_map(|(from, length)| Damage::Remove(from, length)),
    ]
}

fn damaged(mut body: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let length = body.len().max(1);
        match *damage {
            Damage::Truncate(at) => body.truncate(at % length),
            Damage::Flip(at, bits) => {
                if let Some(byte) = body.get_mut(at % length) {
                    *byte ^= bits;
                }
            }
            Damage::Duplicate(from, count, to) => {
                let from = from % length;
                let piece = body[from.min(body.len())..(from + count).min(body.len())].to_vec();
                let to = (to % length).min(body.len());
                body.splice(to..to, piece);
            }
            Damage::Remove(from, count) => {
                let from = (from % length).min(body.len());
                body.drain(from..(from + count).min(body.len()));
            }
        }
    }
    body
}

/// Documents to damage: every form, and one with all that a reader has to know of XML.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> =
        forms().iter().map(|(_, message)| write(message, &Readings::default()).into_bytes()).collect();
    bodies.push(
        b"<?xml version='1.0' encoding='UTF-8'?><!-- a --><?pi b?><delegation_confirmed a='&lt;' b=\"c\"><!--d--><sessionId>\
          <![CDATA[ e ]]>&#x66;&amp;<!----></sessionId><x><y/>&gt;</x><reasonCode>200</reasonCode></delegation_confirmed>\n"
            .to_vec(),
    );
    bodies
}

#[test]
fn no_damage_brings_the_reader_down_or_makes_it_quote_a_secret() {
    let damage = (prop::sample::select(bodies()), prop::collection::vec(any_damage(), 1..6));
    random_runner("no_damage_brings_the_reader_down_or_makes_it_quote_a_secret")
        .run(&damage, |(body, damages)| {
            if let Err(misbehaved) = read(&damaged(body, &damages)) {
                prop_assert_eq!(misbehaved.http_status(), 400);
                for said in [misbehaved.to_string(), format!("{misbehaved:?}")] {
                    prop_assert!(!said.contains("s3cr3t"), "{}", said);
                }
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn any_bytes_at_all_are_survived() {
    random_runner("any_bytes_at_all_are_survived")
        .run(&prop::collection::vec(any::<u8>(), 0..200), |body| {
            prop_assert!(read(&body).is_err());
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_message_shown_for_debugging_keeps_its_secrets() {
    assert!(account().auth.iter().any(|auth| auth.secret.as_deref() == Some(SECRET)));
    let message = Message::BootstrapConfirmed {
        reason: None,
        bootstrapped: Some(false),
        account: Some(Box::new(account())),
        session: SessionId::new("s"),
    };
    assert!(!format!("{message:?}").contains("s3cr3t"));
}
