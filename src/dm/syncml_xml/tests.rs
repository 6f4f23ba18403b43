//! Goldens both ways, recorded messages of real clients, and what must be refused.

use super::*;
use crate::dm::syncml::{Chal, Command, Cred, Element, Header, Item, Location, Message, Meta, Results, Status, Verb};

fn header(msg_id: &str) -> Header {
    Header {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: "1A2B".into(),
        msg_id: msg_id.into(),
        target: Location::new("https://dms1.example.test/dm"),
        source: Location::new("urn:imei:004999010000000"),
        ..Header::default()
    }
}

fn command(cmd_id: &str, verb: Verb) -> Element {
    Element::Command(Command { cmd_id: cmd_id.into(), verb })
}

fn alert(code: u16) -> Verb {
    Verb::Alert { code: Some(code), correlator: None, items: Vec::new() }
}

fn status(cmd_id: &str, msg_ref: &str, cmd_ref: &str, cmd: &str, code: u16) -> Status {
    Status {
        cmd_id: cmd_id.into(),
        msg_ref: msg_ref.into(),
        cmd_ref: Some(cmd_ref.into()),
        cmd: cmd.into(),
        code,
        ..Status::default()
    }
}

/// Both ways: what is written is the golden text, and it reads back to the same.
#[track_caller]
fn golden(message: &Message, inside: &str) {
    let text = write(message);
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\">{}</SyncML>",
        inside.replace('\n', "")
    );
    assert_eq!(text, expected);
    assert_eq!(&read(&text).unwrap(), message);
}

#[test]
fn package_1() {
    let mut header = header("1");
    header.source.name = Some("dev-17".into());
    header.cred = Some(Cred { scheme: "syncml:auth-basic".into(), format: "b64".into(), data: "ZGV2OnB3".into() });
    header.meta.max_msg_size = Some(16384);
    let item = Item::source("./DevInfo/Man").with(Meta::default(), "Maker & Söhne");
    let body = vec![command("1", alert(1200)), command("2", Verb::Replace(vec![item]))];
    golden(
        &Message { header, body, is_final: true },
        r#"<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1A2B</SessionID><MsgID>1</MsgID>
<Target><LocURI>https://dms1.example.test/dm</LocURI></Target>
<Source><LocURI>urn:imei:004999010000000</LocURI><LocName>dev-17</LocName></Source>
<Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-basic</Type></Meta>
<Data>ZGV2OnB3</Data></Cred><Meta><MaxMsgSize xmlns="syncml:metinf">16384</MaxMsgSize></Meta></SyncHdr>
<SyncBody><Alert><CmdID>1</CmdID><Data>1200</Data></Alert>
<Replace><CmdID>2</CmdID><Item><Source><LocURI>./DevInfo/Man</LocURI></Source><Data>Maker &amp; Söhne</Data></Item>
</Replace><Final/></SyncBody>"#,
    );
}

#[test]
fn package_2() {
    let mut header = header("1");
    header.resp_uri = Some("https://dms1.example.test/dm?s=1&t=2".into());
    let mut challenged = status("1", "1", "0", "SyncHdr", 401);
    challenged.target_refs.push("https://dms1.example.test/dm".into());
    challenged.source_refs.push("urn:imei:004999010000000".into());
    challenged.chal =
        Some(Chal { scheme: "syncml:auth-md5".into(), format: "b64".into(), next_nonce: Some("bm9uY2U=".into()) });
    let add = Item::target("./DMAcc/a").with(Meta::typed("node", "urn:oma:mo:oma-dm-dmacc:1.1"), "");
    let acl = Item::target("./SCOMO?prop=ACL").with(Meta::typed("chr", "text/plain"), "Get=*&Replace=a");
    let inner = vec![
        Command { cmd_id: "3".into(), verb: Verb::Add(vec![add]) },
        Command { cmd_id: "4".into(), verb: Verb::Replace(vec![acl]) },
    ];
    let body = vec![
        Element::Status(challenged),
        command("2", Verb::Atomic(inner)),
        command("5", Verb::Get(vec![Item::target("./A"), Item::target("./B")])),
        command("6", Verb::Delete(vec![Item::target("./C")])),
        command("7", Verb::Exec { correlator: Some("c".into()), item: Item::target("./D") }),
        command("8", Verb::Sequence(Vec::new())),
        command("9", Verb::Copy(vec![Item { source: Some("./F".into()), ..Item::target("./E") }])),
    ];
    golden(
        &Message { header, body, is_final: true },
        r#"<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1A2B</SessionID><MsgID>1</MsgID>
<Target><LocURI>https://dms1.example.test/dm</LocURI></Target>
<Source><LocURI>urn:imei:004999010000000</LocURI></Source>
<RespURI>https://dms1.example.test/dm?s=1&amp;t=2</RespURI></SyncHdr>
<SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>
<TargetRef>https://dms1.example.test/dm</TargetRef><SourceRef>urn:imei:004999010000000</SourceRef>
<Chal><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-md5</Type>
<NextNonce xmlns="syncml:metinf">bm9uY2U=</NextNonce></Meta></Chal><Data>401</Data></Status>
<Atomic><CmdID>2</CmdID><Add><CmdID>3</CmdID><Item><Target><LocURI>./DMAcc/a</LocURI></Target>
<Meta><Format xmlns="syncml:metinf">node</Format><Type xmlns="syncml:metinf">urn:oma:mo:oma-dm-dmacc:1.1</Type></Meta>
<Data></Data></Item></Add>
<Replace><CmdID>4</CmdID><Item><Target><LocURI>./SCOMO?prop=ACL</LocURI></Target>
<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>
<Data>Get=*&amp;Replace=a</Data></Item></Replace></Atomic>
<Get><CmdID>5</CmdID><Item><Target><LocURI>./A</LocURI></Target></Item>
<Item><Target><LocURI>./B</LocURI></Target></Item></Get>
<Delete><CmdID>6</CmdID><Item><Target><LocURI>./C</LocURI></Target></Item></Delete>
<Exec><CmdID>7</CmdID><Correlator>c</Correlator><Item><Target><LocURI>./D</LocURI></Target></Item></Exec>
<Sequence><CmdID>8</CmdID></Sequence>
<Copy><CmdID>9</CmdID><Item><Target><LocURI>./E</LocURI></Target><Source><LocURI>./F</LocURI></Source></Item></Copy>
<Final/></SyncBody>"#,
    );
}

#[test]
fn package_3() {
    let found = Results {
        cmd_id: "3".into(),
        msg_ref: Some("1".into()),
        cmd_ref: "5".into(),
        meta: Meta::typed("chr", "text/plain"),
        items: vec![Item { data: Some("<a>".into()), more_data: true, ..Item::source("./A") }],
        ..Results::default()
    };
    let event = Item {
        meta: Meta { mark: Some("critical".into()), size: Some(3), max_obj_size: Some(9), ..Meta::default() },
        ..Item::default()
    };
    let body = vec![
        Element::Status(status("1", "1", "0", "SyncHdr", 212)),
        Element::Status(status("2", "1", "5", "Get", 200)),
        Element::Results(found),
        command("4", Verb::Alert { code: Some(1226), correlator: Some("c".into()), items: vec![event] }),
    ];
    golden(
        &Message { header: header("2"), body, is_final: false },
        r#"<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1A2B</SessionID><MsgID>2</MsgID>
<Target><LocURI>https://dms1.example.test/dm</LocURI></Target>
<Source><LocURI>urn:imei:004999010000000</LocURI></Source></SyncHdr>
<SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212</Data></Status>
<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>5</CmdRef><Cmd>Get</Cmd><Data>200</Data></Status>
<Results><CmdID>3</CmdID><MsgRef>1</MsgRef><CmdRef>5</CmdRef>
<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>
<Item><Source><LocURI>./A</LocURI></Source><Data>&lt;a&gt;</Data><MoreData/></Item></Results>
<Alert><CmdID>4</CmdID><Data>1226</Data><Correlator>c</Correlator><Item><Meta>
<Mark xmlns="syncml:metinf">critical</Mark><Size xmlns="syncml:metinf">3</Size>
<MaxObjSize xmlns="syncml:metinf">9</MaxObjSize></Meta></Item></Alert></SyncBody>"#,
    );
}

#[test]
fn package_4_that_ends_a_session() {
    let body = vec![Element::Status(status("1", "2", "0", "SyncHdr", 200))];
    golden(
        &Message { header: header("2"), body, is_final: true },
        r#"<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1A2B</SessionID><MsgID>2</MsgID>
<Target><LocURI>https://dms1.example.test/dm</LocURI></Target>
<Source><LocURI>urn:imei:004999010000000</LocURI></Source></SyncHdr>
<SyncBody><Status><CmdID>1</CmdID><MsgRef>2</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>
<Final/></SyncBody>"#,
    );
}

#[test]
fn add_and_replace_always_hold_data_and_no_reference_is_numeric() {
    let add = Verb::Add(vec![Item { meta: Meta::format("node"), ..Item::target("./A") }]);
    let replace = Verb::Replace(vec![Item::target("./B").with(Meta::default(), "a\r\n\tb\u{1}'\"")]);
    let text =
        write(&Message { header: header("1"), body: vec![command("1", add), command("2", replace)], is_final: true });
    assert!(text.contains("</Meta><Data></Data></Item></Add>"), "{text}");
    assert!(text.contains("<Data>a\r\n\tb\u{fffd}'\"</Data>"), "{text}");
    assert!(!text.contains("&#"), "{text}");
}

/// A message with the given body, in a form that nobody would write on purpose.
fn odd(body: &str) -> Message {
    let text = format!(
        "<?xml version='1.0'?>\n<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'syncml.dtd'>\n<!-- hello -->
        <s:SyncML xmlns:s='SYNCML:SYNCML1.1'><s:SyncBody>{body}<Final /></s:SyncBody>
        <SyncHdr><Source><LocName>n</LocName><LocURI> d </LocURI></Source><MsgID>1</MsgID><Unknown><Deep>x</Deep></Unknown>
        <Target><LocURI><![CDATA[https://dms1.example.test/dm?a=1&b=2]]></LocURI></Target>
        <SessionID>ff</SessionID></SyncHdr></s:SyncML>\n<!-- bye -->\n"
    );
    read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn order_prefixes_quotes_and_strange_elements_do_not_matter() {
    let message = odd("<NoResp/><Strange><Data/></Strange><s:Alert><Data> 1201 </Data><CmdID>1</CmdID></s:Alert>");
    assert_eq!(message.header.source, Location { uri: "d".into(), name: Some("n".into()) });
    assert_eq!(message.header.target.uri, "https://dms1.example.test/dm?a=1&b=2");
    assert_eq!(message.header.session_id, "ff");
    assert_eq!(message.body, [command("1", alert(1201))]);
    assert!(message.is_final);
}

#[test]
fn what_has_a_cmd_id_is_kept_to_be_answered() {
    let other = |name: &str| Verb::Other(name.to_owned());
    let (put, get) = ("<Put><Item/><CmdID>8</CmdID></Put>", "<Get><CmdID>9</CmdID></Get>");
    let message = odd(&format!("<Atomic><CmdID>7</CmdID>{put}{get}</Atomic><v:Own><CmdID>1</CmdID></v:Own>"));
    let inner = [("8", other("Put")), ("9", Verb::Get(vec![]))];
    let inner = inner.map(|(cmd_id, verb)| Command { cmd_id: cmd_id.into(), verb }).into();
    assert_eq!(message.body, [command("7", Verb::Atomic(inner)), command("1", other("Own"))]);
    assert_eq!(message.commands().map(|command| command.verb.unsupported()).collect::<Vec<_>>(), [None, Some(501)]);
    assert_eq!(other("Put").unsupported(), Some(406));
    assert_eq!(read(&write(&message)), Ok(message));
    let exec = odd("<Exec><CmdID>1</CmdID></Exec>");
    assert_eq!(exec.body, [command("1", Verb::Exec { correlator: None, item: Item::default() })]);
}

#[test]
fn a_namespace_on_the_meta_and_a_prefix_are_read_too() {
    for meta in [
        "<Meta xmlns='syncml:metinf'><Type>t</Type><Format>f</Format></Meta>",
        "<Meta><mi:Format xmlns:mi='syncml:metinf'>f</mi:Format><mi:Type xmlns:mi='syncml:metinf'>t</mi:Type></Meta>",
        "<Meta><Format>f</Format><Type>t</Type></Meta>",
    ] {
        let item = format!("<Item><Target><LocURI>./A</LocURI></Target>{meta}</Item>");
        let expected = Item { meta: Meta::typed("f", "t"), ..Item::target("./A") };
        let message = odd(&format!("<Add><CmdID>1</CmdID>{item}</Add>"));
        assert_eq!(message.body, [command("1", Verb::Add(vec![expected.clone()]))], "{meta}");
        let above = format!("<Add><CmdID>1</CmdID>{meta}<Item><Target><LocURI>./A</LocURI></Target></Item></Add>");
        assert_eq!(odd(&above).body, [command("1", Verb::Add(vec![expected]))], "{meta}");
    }
}

#[test]
fn data_is_text_however_it_is_wrapped() {
    #[track_caller]
    fn check(data: &str, expected: Option<&str>) {
        let message = odd(&format!("<Replace><CmdID>1</CmdID><Item>{data}</Item></Replace>"));
        let item = Item { data: expected.map(str::to_owned), ..Item::default() };
        assert_eq!(message.body, [command("1", Verb::Replace(vec![item]))], "{data}");
    }
    let tree = "<MgmtTree xmlns='syncml:dmddf1.2'><Node><Value>a &amp; b</Value><Empty/></Node></MgmtTree>";
    check(&format!("<Data>\n {tree}\n <!-- x --></Data>"), Some(&format!("{tree}\n <!-- x -->")));
    check(&format!("<Data>{tree}</Data>"), Some(tree));
    check(&format!("<Data><![CDATA[{tree}]]></Data>"), Some(tree));
    check(
        "<Data>&lt;MgmtTree&gt;&#65;&#x42;&apos;&quot;&amp;&lt;/MgmtTree&gt;</Data>",
        Some("<MgmtTree>AB'\"&</MgmtTree>"),
    );
    check("<Data>a<![CDATA[&]]>b</Data>", Some("a&b"));
    check("<Data> x </Data>", Some(" x "));
    check("<Data></Data>", Some(""));
    check("<Data/>", Some(""));
    check("", None);
}

#[test]
fn what_is_no_message_is_refused_with_its_place() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        match read(text) {
            Ok(_) => panic!("read without an error: {text}"),
            Err(error) => assert!(error.to_string().contains(expected), "{error}\nexpected: {expected}\n{text}"),
        }
    }
    let hdr = "<SyncHdr><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>t</LocURI></Target>\
               <Source><LocURI>s</LocURI></Source></SyncHdr>";
    let with_body = |body: &str| format!("<SyncML>{hdr}<SyncBody>{body}</SyncBody></SyncML>");
    read(&with_body("")).unwrap();

    check("", "byte 0: the text ends inside <SyncML>");
    check(&format!("\u{feff}\u{feff}{}", with_body("")), "byte 0: in <SyncML>: not well-formed XML");
    check("\u{feff}\u{feff}\u{feff}<é/>", "byte 0: in <SyncML>: not well-formed XML");
    check("SyncML", "expected the root element");
    check("<html></html>", "byte 0: the root element is <html>, expected <SyncML>");
    check("<SyncML><SyncHdr>", "byte 17: the text ends inside <SyncHdr>");
    check("<SyncML><SyncHdr></SyncBody></SyncML>", "in <SyncHdr>: not well-formed XML");
    check(&with_body("<Status><CmdID>1</Cmd"), "in <CmdID>: not well-formed XML");
    check(&format!("{}<x/>", with_body("")), "content after the end of <SyncML>");
    check(&format!("{} x", with_body("")), "content after the end of <SyncML>");
    check(&format!("<!DOCTYPE SyncML [<!ENTITY a \"b\">]>{}", with_body("")), "byte 0: the DOCTYPE has definitions");
    check(&with_body("<Add><CmdID>&a;</CmdID></Add>"), "in <CmdID>: not well-formed XML: `&a;` is no entity of XML");
    check("<SyncML></SyncML>", "<SyncML> has no <SyncHdr>");
    check(&format!("<SyncML>{hdr}</SyncML>"), "<SyncML> has no <SyncBody>");
    check(&format!("<SyncML>{hdr}{hdr}<SyncBody/></SyncML>"), "<SyncML> has two <SyncHdr>");
    check("<SyncML><SyncHdr><MsgID>1</MsgID></SyncHdr></SyncML>", "<SyncHdr> has no <SessionID>");
    check(&with_body("<Add></Add>"), "<Add> has no <CmdID>");
    check(&with_body("<Status><Data>200</Data></Status>"), "<Status> has no <MsgRef>");
    check(&with_body("<Status><MsgRef>1</MsgRef><Data>ok</Data></Status>"), "<Data> is `ok`, expected a status code");
    check(&with_body("<Alert><CmdID>1<b/></CmdID></Alert>"), "<CmdID> is `1<b/>`, expected text");
    check(&with_body("words"), "in <SyncBody>: not well-formed XML: text where only elements may stand");
    check(&with_body(&"<x>".repeat(70)), "elements are nested more than 64 deep");
    let deep = format!("<Add><CmdID>1</CmdID><Item><Data>{}", "<Node>".repeat(70));
    check(&with_body(&deep), "elements are nested more than 64 deep");
    check(&with_body(&"<Atomic>".repeat(70)), "elements are nested more than 64 deep");
}

#[test]
fn every_cut_of_a_message_is_an_error() {
    let text = recorded("13_atomic-01_server.xml");
    let end = text.trim_end().len();
    for cut in 0..end {
        assert!(read(&text[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn whatever_one_character_is_turned_into_reading_ends_with_an_answer() {
    let text = recorded("80_hs20_simple-02_client.xml");
    let mut read_anyway = 0;
    for (at, old) in text.char_indices() {
        for new in ["<", ">", "&", "/", "'", " ", "<!", "<?", "]]>", ":", "é", "\0"] {
            let changed = format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..]);
            if let Ok(message) = read(&changed) {
                read_anyway += 1;
                assert!(!message.body.is_empty(), "{changed}");
            }
        }
    }
    // Changes inside texts and attributes are no business of the reader, all others are errors.
    assert!((1..3000).contains(&read_anyway), "{read_anyway}");
}

fn recorded(name: &str) -> String {
    let path = format!("{}/tests/data/real-clients/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// `Alert 1201`, `Status Get 425`...: what a message says, in order.
fn gist(message: &Message) -> Vec<String> {
    message
        .body
        .iter()
        .map(|element| match element {
            Element::Status(status) => format!("Status {} {}", status.cmd, status.code),
            Element::Results(results) => format!("Results {}", results.items.len()),
            Element::Command(Command { verb: Verb::Alert { code, .. }, .. }) => format!("Alert {}", code.unwrap()),
            Element::Command(Command { verb: Verb::Replace(items), .. }) => format!("Replace {}", items.len()),
            Element::Command(command) => command.verb.name().to_owned(),
        })
        .collect()
}

#[test]
fn all_recorded_messages_are_read_and_survive_our_own_writing() {
    let folder = format!("{}/tests/data/real-clients", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".xml") {
            continue;
        }
        count += 1;
        let message = read(&recorded(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read(&write(&message)).as_ref(), Ok(&message), "{name}");
        assert!(message.is_final, "{name}");
        let whole = message.body.iter().map(size).sum();
        assert!(fits(message.body.iter(), whole) && !fits(message.body.iter(), whole - 1), "{name}");
        let first = name.contains("-01_client") || name.contains("02_md5_challenge-02_client");
        if first {
            assert!(gist(&message).contains(&"Alert 1201".to_owned()), "{name}");
        }
    }
    assert_eq!(count, 52);
}

#[test]
fn recorded_messages_say_what_their_clients_meant() {
    #[track_caller]
    fn check(name: &str, msg_id: &str, source: &str, expected: &[&str]) {
        let message = read(&recorded(name)).unwrap();
        assert_eq!(message.header.session_id, "1");
        assert_eq!(message.header.msg_id, msg_id);
        assert_eq!(message.header.source.uri, source);
        assert_eq!(gist(&message), expected, "{name}");
    }
    for name in ["01_basic_xml", "02_md5_challenge", "03_md5_preset", "07_mtls_nocred", "13_atomic", "21_respuri"] {
        check(&format!("{name}-01_client.xml"), "1", "DMCtest", &["Alert 1201", "Replace 13"]);
    }
    check("02_md5_challenge-02_client.xml", "2", "DMCtest", &["Status SyncHdr 401", "Alert 1201", "Replace 13"]);
    check(
        "13_atomic-02_client.xml",
        "2",
        "DMCtest",
        &["Status SyncHdr 212", "Status Add 200", "Status Add 200", "Status Get 200", "Results 1"],
    );
    check(
        "31_aclfirst-03_client.xml",
        "3",
        "DMCtest",
        &["Status SyncHdr 212", "Status Get 200", "Results 1", "Status Replace 425"],
    );
    let station = "urn:Example:HS20-station:123456";
    check("80_hs20_simple-01_client.xml", "1", station, &["Alert 1201", "Alert 1226", "Replace 5"]);
    check("80_hs20_simple-02_client.xml", "2", station, &["Status SyncHdr 212", "Status Get 425"]);
}

#[test]
fn recorded_details_are_kept() {
    let message = read(&recorded("02_md5_challenge-02_client.xml")).unwrap();
    let cred = message.header.cred.as_ref().unwrap();
    assert_eq!((cred.scheme.as_str(), cred.data.as_str()), ("syncml:auth-md5", "gBar9bCf4Gk8YgeE8mDA4A=="));
    let chal = message.header_status().unwrap().chal.as_ref().unwrap();
    assert_eq!(chal.next_nonce.as_deref(), Some("ZEVkblF6Q2NzalE9"));
    assert_eq!(message.header.meta.max_msg_size, Some(16384));

    let message = read(&recorded("80_hs20_simple-02_client.xml")).unwrap();
    let hdr = message.header_status().unwrap();
    assert_eq!(hdr.cmd_ref, None);
    assert_eq!(message.statuses().nth(1).unwrap().target_refs, ["./DevInfo/DevId"]);

    let message = read(&recorded("32_delegated_server_aclfirst-02_client.xml")).unwrap();
    let acl = &message.results().nth(1).unwrap().items[0];
    assert_eq!(acl.source.as_deref(), Some("./DMAcc/dms2?prop=ACL"));
    assert_eq!(acl.data.as_deref(), Some("Get=*&Replace=dms2&Add=dms2&Delete=dms2"));

    let message = read(&recorded("80_hs20_simple-01_client.xml")).unwrap();
    let Verb::Alert { items, .. } = &message.commands().nth(1).unwrap().verb else { panic!("no alert") };
    assert!(items[0].data.as_ref().unwrap().starts_with("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD>"));

    let message = read(&recorded("21_respuri-01_server.xml")).unwrap();
    assert!(message.header.resp_uri.unwrap().contains('?'));
}
