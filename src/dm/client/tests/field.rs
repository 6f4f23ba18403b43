//! A device before a server as there is one in the field, whose messages look as these do.

use super::*;
use crate::dm::wire;

/// What it sends: no namespace at the root, laid out for the eye, its name and ours echoed, its credentials each time.
fn package(session: &str, msg_id: &str, cred: Option<Cred>, resp_uri: &str, body: &str) -> String {
    let cred = cred.map_or(String::new(), |Cred { scheme, data, .. }| {
        format!(
            "<Cred>\n      <Meta>\n        <Type xmlns=\"syncml:metinf\">{scheme}</Type>\n        \
             <Format xmlns=\"syncml:metinf\">b64</Format>\n      </Meta>\n      <Data>{data}</Data>\n    </Cred>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SyncML>\n  <SyncHdr>\n    <VerDTD>1.2</VerDTD>\n    \
         <VerProto>DM/1.2</VerProto>\n    <SessionID>{session}</SessionID>\n    <MsgID>{msg_id}</MsgID>\n    <Target>\n      \
         <LocURI>{}</LocURI>\n      <LocName>dev</LocName>\n    </Target>\n    <Source>\n      \
         <LocURI>https://{OWNER}/dm</LocURI>\n      <LocName>{OWNER}</LocName>\n    </Source>\n    \
         <RespURI>{resp_uri}</RespURI>\n    {cred}\n  </SyncHdr>\n  <SyncBody>\n{body}\n    <Final/>\n  </SyncBody>\n</SyncML>\n",
        device_id(DEVICE).as_str()
    )
}

fn status(msg_ref: &str, cmd_ref: &str, cmd: &str, code: u16, chal: &str) -> String {
    format!(
        "    <Status>\n      <CmdID>{}</CmdID>\n      <MsgRef>{msg_ref}</MsgRef>\n      <CmdRef>{cmd_ref}</CmdRef>\n      \
         <Cmd>{cmd}</Cmd>\n{chal}      <Data>{code}</Data>\n    </Status>\n",
        cmd_ref.len()
    )
}

impl Bench {
    /// The server answers with this text.
    fn hear_text(&mut self, text: &str) {
        let (exchange, ..) = self.post.take().expect("the device has sent a message");
        let envelope = wire::open("application/vnd.syncml.dm+xml; charset=UTF-8", None, text.as_bytes()).unwrap();
        self.give(Input::Answer { exchange, result: Ok(envelope) });
    }

    /// The server asks for MD5 by this nonce, for the header and for each command, and proves itself meanwhile.
    fn challenge(&mut self, code: u16, nonce: &str) {
        let chal = format!(
            "<Chal>\n<Meta><Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type>\
             <Format xmlns=\"syncml:metinf\">b64</Format>\
             <NextNonce xmlns=\"syncml:metinf\">{nonce}</NextNonce></Meta>\n</Chal>\n"
        );
        let said = self.said().clone();
        let msg_ref = said.header.msg_id.as_str();
        let mut body = status(msg_ref, "0", "SyncHdr", code, &chal);
        for command in said.commands() {
            body.push_str(&status(msg_ref, &command.cmd_id, command.verb.name(), code, ""));
        }
        let text = package(&said.header.session_id, msg_ref, self.cred(), SID, &body);
        self.hear_text(&text);
    }
}

const SID: &str = "https://dms1.example.test/dm?sid=7F&amp;n=1";

#[test]
fn a_session_with_a_server_in_the_field_is_held_to_its_end() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8001);
    let first = bench.said().clone();
    assert!(first.header.cred.is_some() && first.header.meta.max_msg_size >= Some(1_024), "it refuses anything less");
    let has_dev_info = |message: &Message| {
        message.commands().any(|command| match &command.verb {
            Verb::Replace(items) => items.iter().any(|item| item.source.as_deref() == Some("./DevInfo/DevId")),
            _ => false,
        })
    };
    assert!(has_dev_info(&first));

    // "bm9uY2U=" is base64 of `nonce`.
    bench.challenge(401, "bm9uY2U=");
    let again = bench.said().clone();
    assert!(has_dev_info(&again), "package 1 comes whole again");
    assert_eq!(again.header_status().map(|status| status.code), Some(212), "the server has proved itself meanwhile");
    let given = again.header_status().unwrap().chal.clone().and_then(|chal| chal.next_nonce).expect("a nonce for it");
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    assert!(auth::proves(&again.header.cred.unwrap(), Scheme::Md5, &name, &secret, b"nonce"));
    let (_, url, ..) = bench.post.as_ref().unwrap();
    assert_eq!(
        (url.as_str(), again.header.target.uri.as_str()),
        ("https://dms1.example.test/dm?sid=7F&n=1", url.as_str())
    );

    let chal = "      <Chal><Meta><NextNonce xmlns=\"syncml:metinf\">bmV4dA==</NextNonce>\
                <Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type></Meta></Chal>\n";
    let items = "      <Item>\n        <Target>\n          <LocURI>./DevInfo/Man</LocURI>\n        </Target>\n      </Item>\n\
                 <Item><Target><LocURI>./DevInfo/Mod</LocURI></Target></Item>\n";
    let body = status("2", "0", "SyncHdr", 212, chal) + &format!("    <Get>\n<CmdID>2</CmdID>\n{items}</Get>");
    let text = package("8001", "2", None, SID, &body);
    bench.hear_text(&text);
    let found: Vec<Item> = bench.said().results().flat_map(|results| results.items.clone()).collect();
    let values: Vec<_> = found.iter().map(|item| (item.source.as_deref(), item.data.as_deref())).collect();
    assert_eq!(values, [(Some("./DevInfo/Man"), Some("Example")), (Some("./DevInfo/Mod"), Some("M1"))]);
    let statuses: Vec<_> = bench.said().statuses().skip(1).map(|one| (&*one.target_refs[0], one.code)).collect();
    assert_eq!(statuses, [("./DevInfo/Man", 200), ("./DevInfo/Mod", 200)]);
    assert!(bench.said().header.cred.is_none(), "212 holds for the session");

    // Later answers give 200, and neither a Meta nor a challenge.
    let text = package("8001", "3", None, SID, &status("3", "0", "SyncHdr", 200, ""));
    bench.hear_text(&text);
    bench.ended(Outcome::Done);

    bench.trigger_with(0x8002, &auth::nonce_octets(&given));
    let (_, url, ..) = bench.post.as_ref().unwrap();
    assert_eq!(url, "https://dms1.example.test/dm", "the address of the account again");
    let proof = bench.said().header.cred.clone().unwrap();
    assert!(auth::proves(&proof, Scheme::Md5, &name, &secret, b"next"), "the nonce of the last session counts");
}

#[test]
fn a_device_that_is_asked_again_and_again_gives_up_at_the_third_time() {
    for code in [401, 407] {
        let mut bench = Bench::new(Scheme::Md5);
        bench.trigger(0x8001);
        bench.challenge(code, "bm9uY2U=");
        bench.challenge(code, "bmV4dA==");
        assert_eq!(bench.said().header.msg_id, "3");
        bench.challenge(code, "bGFzdA==");
        bench.ended(Outcome::NotAuthenticated);
    }
}

#[test]
fn both_200_and_212_let_a_device_go_on_and_only_212_lets_it_leave_its_credentials_out() {
    for (code, has_cred) in [(200, true), (212, false)] {
        let mut bench = Bench::new(Scheme::Basic);
        bench.trigger(0x8001);
        let get = "<Get><CmdID>2</CmdID><Item><Target><LocURI>./DevInfo/Man</LocURI></Target></Item></Get>";
        let text = package("8001", "1", bench.cred(), SID, &(status("1", "0", "SyncHdr", code, "") + get));
        bench.hear_text(&text);
        assert_eq!((bench.codes(), bench.said().header.cred.is_some()), (vec![200], has_cred));
    }
}
