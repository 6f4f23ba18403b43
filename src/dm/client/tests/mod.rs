//! A device against a server that the tests play by hand.

mod commands;
mod credentials;
mod field;
mod lifetime;
mod mishaps;
mod sessions;
mod triggers;
mod watched;

use super::*;
use crate::dm::acl::{Acl, Right};
use crate::dm::auth::HmacCredentials;
use crate::dm::auth::{self, Scheme};
use crate::dm::bootstrap::BootstrapError;
use crate::dm::dmacc::{self, AccountBook, Derived, DmAcc};
use crate::dm::script::Order;
use crate::dm::standard::{self, Blueprint};
use crate::dm::syncml::{Chal, Command, Cred, Element, Header, Item, Location, Meta, Status, Verb};
use crate::dm::syncml_xml;
use crate::dm::tnds;
use crate::dm::tree::{Actor, Format, NewNode};
use crate::dm::trigger::{RESYNC_NONCE, Version};
use crate::dm::uri::Uri;
use crate::ids::device_id;

const OWNER: &str = "dms1.example.test";
const OTHER: &str = "dms2.example.test";
const DEVICE: DeviceNumber = DeviceNumber(3);
const NOW: Moment = Moment::from_millis(1_000);

fn id(name: &str) -> ServerId {
    ServerId::new(name)
}

fn at(uri: &str) -> Uri {
    Uri::parse(uri).unwrap()
}

fn book(server: &str, scheme: Scheme) -> AccountBook {
    AccountBook { server: id(server), address: format!("https://{server}/dm"), scheme, key: 7 }
}

/// A device whose accounts are of these servers, all by one scheme; the first is its owner.
fn device(servers: &[&str], scheme: Scheme, settings: Settings) -> Client {
    let blueprint = Blueprint {
        manufacturer: "Example".into(),
        model: "M1".into(),
        owner: id(servers[0]),
        accounts: servers.iter().map(|server| Arc::new(book(server, scheme))).collect(),
        subtrees: vec![at("./SCOMO")],
        storage: None,
        refuses: None,
    };
    Client::new(DEVICE, &standard::template(&blueprint), Arc::new(settings))
}

/// A device, and a server side fed by hand.
struct Bench {
    client: Client,
    book: AccountBook,
    /// What the server would prove itself with.
    server_nonce: Vec<u8>,
    client_nonce: Vec<u8>,
    notes: Vec<Note>,
    /// The request that waits for its answer.
    post: Option<(Exchange, String, Message, Option<HmacCredentials>)>,
    fetch: Option<(Exchange, String)>,
    said: u32,
}

impl Bench {
    fn new(scheme: Scheme) -> Bench {
        Bench::with(device(&[OWNER], scheme, Settings::default()), book(OWNER, scheme))
    }

    fn with(client: Client, book: AccountBook) -> Bench {
        let nonce = |what| auth::nonce_octets(&book.derive(&device_id(DEVICE), what));
        let (server_nonce, client_nonce) = (nonce(Derived::ServerNonce), nonce(Derived::ClientNonce));
        let (notes, post, fetch) = (Vec::new(), None, None);
        Bench { client, server_nonce, client_nonce, book, notes, post, fetch, said: 0 }
    }

    fn give(&mut self, input: Input) {
        self.give_at(NOW, input);
    }

    fn give_at(&mut self, now: Moment, input: Input) {
        let mut out = Vec::new();
        self.client.handle(now, input, &mut out);
        for effect in out {
            match effect {
                Effect::Note(note) => self.notes.push(note),
                Effect::Post { exchange, url, message, seal } => {
                    assert!(self.post.replace((exchange, url, *message, seal)).is_none(), "one request at a time");
                }
                Effect::Fetch { exchange, url } => {
                    assert!(self.fetch.replace((exchange, url)).is_none(), "one request at a time");
                }
            }
        }
    }

    fn secret(&self, what: Derived) -> String {
        self.book.derive(&device_id(DEVICE), what)
    }

    fn trigger(&mut self, session: u16) {
        self.trigger_with(session, &self.server_nonce.clone());
    }

    fn trigger_with(&mut self, session: u16, nonce: &[u8]) {
        self.trigger_at(NOW, session, nonce);
    }

    fn trigger_at(&mut self, now: Moment, session: u16, nonce: &[u8]) {
        let secret = self.secret(Derived::ServerSecret);
        let octets = Trigger::new(self.book.server.clone(), session).write(Version::V11, &secret, nonce);
        self.give_at(now, Input::Trigger(octets));
    }

    /// The message the device has sent.
    #[track_caller]
    fn said(&self) -> &Message {
        &self.post.as_ref().expect("the device has sent a message").2
    }

    /// The server's proof by basic or MD5.
    fn cred(&self) -> Option<Cred> {
        auth::cred(self.book.scheme, self.book.server.as_str(), &self.secret(Derived::ServerSecret), &self.server_nonce)
    }

    /// Answers the device: this status for its header, with the server's proof, and these commands.
    fn answer(&mut self, code: u16, chal: Option<Chal>, verbs: Vec<Verb>) {
        let cred = self.cred();
        self.answer_as(code, chal, cred, verbs, |_| {});
    }

    #[track_caller]
    fn answer_as(
        &mut self,
        code: u16,
        chal: Option<Chal>,
        cred: Option<Cred>,
        verbs: Vec<Verb>,
        change: impl FnOnce(&mut Message),
    ) {
        let (exchange, url, said, _) = self.post.take().expect("the device has sent a message");
        self.said += 1;
        let mut message = Message { is_final: true, ..Message::default() };
        message.header.session_id = said.header.session_id.clone();
        message.header.msg_id = self.said.to_string();
        message.header.source.uri = url;
        message.header.target.uri = said.header.source.uri.clone();
        message.header.cred = cred;
        message.body.push(Element::Status(Status {
            cmd_id: "1".into(),
            msg_ref: said.header.msg_id.clone(),
            cmd_ref: Some("0".into()),
            cmd: "SyncHdr".into(),
            chal,
            code,
            ..Status::default()
        }));
        let commands = verbs.into_iter().enumerate();
        message
            .body
            .extend(commands.map(|(place, verb)| Element::Command(Command { cmd_id: (place + 2).to_string(), verb })));
        change(&mut message);
        self.send(exchange, message);
    }

    fn send(&mut self, exchange: Exchange, message: Message) {
        let mut envelope = Envelope::plain(message);
        if self.book.scheme == Scheme::Hmac {
            let (name, secret) = (self.book.server.to_string(), self.secret(Derived::ServerSecret));
            let header = HmacCredentials { name, secret, nonce: self.server_nonce.clone() }.header(b"body");
            envelope.hmac = auth::HmacClaim::read(&header, b"body");
        }
        self.give(Input::Answer { exchange, result: Ok(envelope) });
    }

    /// Opens a session, lets it run these commands, and gives the codes of their statuses.
    fn run(&mut self, verbs: Vec<Verb>) -> Vec<u16> {
        self.trigger(0x8001);
        self.answer(212, None, verbs);
        self.codes()
    }

    fn codes(&self) -> Vec<u16> {
        self.said().statuses().filter(|status| !status.is_for_header()).map(|status| status.code).collect()
    }

    #[track_caller]
    fn ended(&self, outcome: Outcome) {
        let Some(Note::SessionEnded { outcome: found, .. }) = self.notes.last() else {
            panic!("{:?}", self.notes);
        };
        assert_eq!(*found, outcome);
        assert!(self.client.is_idle());
    }
}

fn leaf(uri: &str, value: &str) -> Item {
    Item::target(uri).with(Meta::typed("chr", "text/plain"), value)
}

fn add(uri: &str) -> Verb {
    Verb::Add(vec![leaf(uri, "x")])
}

fn get(uri: &str) -> Verb {
    Verb::Get(vec![Item::target(uri)])
}

fn delete(uri: &str) -> Verb {
    Verb::Delete(vec![Item::target(uri)])
}

fn replace(uri: &str, value: &str) -> Verb {
    Verb::Replace(vec![leaf(uri, value)])
}

fn alert(code: u16) -> Verb {
    Verb::Alert { code: Some(code), correlator: None, items: vec![] }
}

fn inner(verbs: Vec<Verb>) -> Vec<Command> {
    let number = |(place, verb)| Command { cmd_id: format!("1{place}"), verb };
    verbs.into_iter().enumerate().map(number).collect()
}

const NAME: NewNode<'static> = NewNode::Leaf { format: Format::Chr, kind: "", value: "Second" };
