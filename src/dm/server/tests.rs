//! Transcripts of sessions with a hand-made device.

mod errands;
mod field;
mod proofs;

use std::time::Duration;

use super::*;
use crate::dm::auth::{self, Scheme};
use crate::dm::dmacc::Derived;
use crate::dm::script::Order;
use crate::dm::syncml::{Command, Cred, Element, Header, Item, Location, Meta, Results, Status, Verb};
use crate::dm::trigger::{NonceUsed, Trigger};
use crate::dm::uri::Uri;
use crate::dm::wire::{self, ContentType};
use crate::ids::{ServerId, device_id};

const DEVICE: DeviceNumber = DeviceNumber(3);
const TIMEOUT: Duration = Duration::from_secs(10);

/// A server, and a device that says what it is told to say.
struct Bench {
    sessions: Sessions,
    now: Moment,
    book: Arc<AccountBook>,
    transcript: Vec<String>,
    /// The server's latest message.
    said: Option<Message>,
    /// Whether that was sealed by the server's credentials and the nonce the device expects.
    sealed_for: Option<Vec<u8>>,
    session: String,
    msg_id: u32,
    exchange: u64,
}

fn bench(scheme: Scheme) -> Bench {
    let book = Arc::new(AccountBook {
        server: ServerId::new("dms1.example.test"),
        address: "https://dms1.example.test/dm".into(),
        scheme,
        key: 7,
    });
    let settings = Settings {
        accounts: book.clone(),
        max_msg_size: 16384,
        session_timeout: TIMEOUT,
        trigger_version: Version::V11,
        ver_proto: "DM/1.2".into(),
        devices: 1_000,
        needs_certificate: false,
    };
    Bench {
        sessions: Sessions::new(settings),
        now: Moment::ZERO,
        book,
        transcript: Vec::new(),
        said: None,
        sealed_for: None,
        session: String::new(),
        msg_id: 0,
        exchange: 0,
    }
}

impl Bench {
    fn secret(&self, what: Derived) -> String {
        self.book.derive(&device_id(DEVICE), what)
    }

    fn nonce(&self, what: Derived) -> Vec<u8> {
        auth::nonce_octets(&self.secret(what))
    }

    fn tell(&mut self, input: Input) {
        let mut out = Vec::new();
        self.sessions.handle(self.now, input, &mut out);
        for effect in out {
            let line = match effect {
                Effect::Trigger { ticket, bytes, .. } => {
                    let (trigger, digest) = Trigger::read(&bytes).unwrap();
                    let (secret, nonce) = (self.secret(Derived::ServerSecret), self.nonce(Derived::ServerNonce));
                    let fits = match digest.verify(self.book.server.as_str(), &secret, &nonce) {
                        Some(NonceUsed::Given) => "account's nonce",
                        Some(NonceUsed::Resync) => "resync nonce",
                        None => "another nonce",
                    };
                    self.session = trigger.session_text();
                    format!("trigger for {ticket}: session {}, {fits}", self.session)
                }
                Effect::Answer { message, seal, exchange } => {
                    assert_eq!(exchange, self.exchange);
                    let text = shown(&message);
                    self.sealed_for = seal.map(|seal| seal.nonce);
                    self.said = Some(message);
                    text
                }
                Effect::Reject { status, .. } => format!("HTTP {status}"),
                Effect::Finished { ticket, report } => match report.result {
                    Ok(()) => format!("finished {ticket}, {} to undo", report.undo.len()),
                    Err(failure) => format!("failed {ticket}: {failure:?}, {} to undo", report.undo.len()),
                },
                Effect::Connected { .. } => "connected".into(),
                Effect::Note(note) => format!("{note:?}").replace("device: DeviceNumber(3)", "").replace("  ", " "),
            };
            self.transcript.push(line);
        }
    }

    fn want(&mut self, ticket: u64, errand: Errand) {
        self.tell(Input::Run { ticket, device: DEVICE, errand });
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.tell(Input::Wake);
    }

    fn hear(&mut self, cred: Option<Cred>, body: Vec<Element>) {
        let message = self.message(cred, body);
        self.exchange += 1;
        let envelope = Envelope::plain(message);
        self.tell(Input::Received { exchange: self.exchange, envelope, client_certificate: false });
    }

    /// As `hear`, sealed with an HMAC by this nonce.
    fn hear_sealed(&mut self, nonce: &[u8], body: Vec<Element>) {
        let message = self.message(None, body);
        self.exchange += 1;
        let name = self.secret(Derived::ClientName);
        let seal = HmacCredentials { name, secret: self.secret(Derived::ClientSecret), nonce: nonce.to_vec() };
        let packet = wire::seal(&message, Some(&seal), ContentType::DmXml);
        let envelope = wire::open(packet.content_type.as_str(), packet.hmac_header.as_deref(), &packet.body).unwrap();
        self.tell(Input::Received { exchange: self.exchange, envelope, client_certificate: false });
    }

    fn message(&mut self, cred: Option<Cred>, body: Vec<Element>) -> Message {
        self.msg_id += 1;
        let header = Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: self.session.clone(),
            msg_id: self.msg_id.to_string(),
            target: Location::new("https://dms1.example.test/dm"),
            source: Location::new(device_id(DEVICE).as_str()),
            cred,
            ..Header::default()
        };
        Message { header, body, is_final: true }
    }

    /// Alert and DevInfo.
    fn package_1(&self, alert: u16) -> Vec<Element> {
        let item = Item::source("./DevInfo/Man").with(Meta::default(), "Maker");
        let alert = Verb::Alert { code: Some(alert), correlator: None, items: Vec::new() };
        [alert, Verb::Replace(vec![item])]
            .into_iter()
            .enumerate()
            .map(|(at, verb)| Element::Command(Command { cmd_id: (at + 1).to_string(), verb }))
            .collect()
    }

    fn status(&self, cmd_ref: &str, cmd: &str, code: u16) -> Status {
        let said = self.said.as_ref().expect("the server has said something");
        Status {
            cmd_id: "9".into(),
            msg_ref: said.header.msg_id.clone(),
            cmd_ref: Some(cmd_ref.into()),
            cmd: cmd.into(),
            code,
            ..Status::default()
        }
    }

    /// A status for the header and each command; every Get finds `data`.
    fn package_3(&self, header: u16, code: u16, data: &str) -> Vec<Element> {
        let mut body = vec![Element::Status(self.status("0", "SyncHdr", header))];
        for command in self.said.as_ref().unwrap().commands() {
            body.push(Element::Status(self.status(&command.cmd_id, command.verb.name(), code)));
            if matches!(command.verb, Verb::Get(_)) && code == 200 {
                body.push(Element::Results(Results {
                    msg_ref: Some(self.said.as_ref().unwrap().header.msg_id.clone()),
                    cmd_ref: command.cmd_id.clone(),
                    items: vec![Item::source("./x").with(Meta::default(), data)],
                    ..Results::default()
                }));
            }
        }
        body
    }

    fn md5(&self, secret: &str, nonce: &[u8]) -> Option<Cred> {
        auth::cred(Scheme::Md5, device_id(DEVICE).as_str(), secret, nonce)
    }

    /// The nonce of the server's latest challenge.
    fn challenged_with(&self) -> Vec<u8> {
        let chal = self.said.as_ref().unwrap().header_status().unwrap().chal.clone().expect("a challenge");
        auth::nonce_octets(&chal.next_nonce.expect("a nonce"))
    }

    /// What happened since the last time, line by line.
    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.transcript), expected);
    }
}

/// A message of the server on one line.
fn shown(message: &Message) -> String {
    let mut parts = vec![format!("#{}", message.header.msg_id)];
    parts.extend(message.header.cred.as_ref().map(|cred| cred.scheme.replace("syncml:auth-", "with ")));
    for element in &message.body {
        parts.push(match element {
            Element::Status(Status { cmd, code, chal, .. }) => {
                let chal = chal.as_ref().map(|chal| if chal.next_nonce.is_some() { "+nonce" } else { "+chal" });
                format!("{cmd} {code}{}", chal.unwrap_or_default())
            }
            Element::Command(Command { verb: Verb::Alert { code, .. }, .. }) => format!("Alert {}", code.unwrap()),
            Element::Command(Command { verb: Verb::Atomic(inner), .. }) => format!("Atomic of {}", inner.len()),
            Element::Command(Command { verb: Verb::Get(items) | Verb::Delete(items), .. }) => {
                format!("do {}", items[0].target.as_deref().unwrap())
            }
            other => format!("{other:?}"),
        });
    }
    parts.push(if message.is_final { "Final".into() } else { "more".into() });
    parts.join(", ")
}

fn visit() -> Errand {
    Errand::Visit { subtree: Uri::parse("./SCOMO").unwrap() }
}

const OPENED: &str = "SessionOpened { }";
const ENDED: &str = "SessionEnded { , in_order: true }";
const BROKEN: &str = "SessionEnded { , in_order: false }";
const VISIT: &str = "do ./SCOMO?prop=ACL, Final";
