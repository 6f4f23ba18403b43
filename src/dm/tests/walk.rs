//! Random walks: whatever a peer sends, a device and a server's sessions answer it once, write only what can be read
//! back, and come to rest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::pair::{DEVICE, book, settings, subtree};
use crate::clock::Moment;
use crate::dm::acl::Acl;
use crate::dm::auth::Scheme;
use crate::dm::bootstrap;
use crate::dm::client::{self, Client, Mishap};
use crate::dm::dmacc::AccountBook;
use crate::dm::script::{Errand, Extent, Order};
use crate::dm::server::{self, Sessions};
use crate::dm::standard::{Blueprint, template};
use crate::dm::syncml::{Chal, Command, Cred, Element, Item, Message, Meta, Results, Status, Verb};
use crate::dm::syncml_xml;
use crate::dm::tnds;
use crate::dm::uri::Uri;
use crate::dm::wire::Envelope;
use crate::ids::{ServerId, device_id};

/// Walks of each kind, and steps in each.
const WALKS: u64 = 20;
const STEPS: usize = 120;

/// Texts that mean something somewhere.
const TEXTS: [&str; 30] = [
    ".",
    "./SCOMO",
    "./SCOMO/Settings/Enabled",
    "./SCOMO/New/Deep",
    "./SCOMO?prop=ACL",
    "./SCOMO/Settings?prop=Name",
    ".?list=TNDS",
    "./SCOMO?list=StructData",
    "./DMAcc",
    "./DMAcc/dms1.example.test",
    "./DMAcc/dms1.example.test/ServerID?prop=Name",
    "./DMAcc/x/ServerID",
    "./Inbox",
    "./BootstrapConfig/BootSrvInfo/1/URL",
    "/",
    "a//b",
    "é?",
    "Get=*&Replace=dms1.example.test",
    "Get=",
    "dms2.example.test",
    "true",
    "node",
    "bool",
    "chr",
    tnds::MEDIA_TYPE,
    "<MgmtTree><Node><NodeName>x</NodeName><Node><NodeName>y</NodeName><Value>&amp;</Value></Node></Node></MgmtTree>",
    "SyncHdr",
    "0",
    "1",
    "",
];

struct Dice(ChaCha8Rng);

impl Dice {
    fn any<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())].clone()
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.0.random_ratio(1, one_in)
    }

    fn text(&mut self) -> String {
        self.any(&TEXTS).to_owned()
    }

    fn maybe_text(&mut self) -> Option<String> {
        if self.chance(2) { Some(self.text()) } else { None }
    }

    fn meta(&mut self) -> Meta {
        Meta { format: self.maybe_text(), kind: self.maybe_text(), size: self.any(&[None, Some(3)]), ..Meta::default() }
    }

    fn item(&mut self) -> Item {
        let data = if self.chance(9) { Some("x".repeat(3_000)) } else { self.maybe_text() };
        let target = if self.chance(9) { None } else { Some(self.text()) };
        Item { target, source: self.maybe_text(), meta: self.meta(), data, more_data: self.chance(9) }
    }

    fn items(&mut self) -> Vec<Item> {
        (0..self.0.random_range(0..3)).map(|_| self.item()).collect()
    }

    fn verb(&mut self, depth: u32) -> Verb {
        let inner = |dice: &mut Dice| -> Vec<Command> {
            let commands = 0..dice.0.random_range(0..4);
            commands.map(|n| Command { cmd_id: format!("9{n}"), verb: dice.verb(depth + 1) }).collect()
        };
        match self.0.random_range(0..if depth > 3 { 8 } else { 10 }) {
            0 => Verb::Add(self.items()),
            1 => Verb::Replace(self.items()),
            2 => Verb::Delete(self.items()),
            3 => Verb::Get(self.items()),
            4 => Verb::Copy(self.items()),
            5 => Verb::Exec { correlator: None, item: self.item() },
            6 => {
                let code = self.any(&[None, Some(1100), Some(1101), Some(1200), Some(1201), Some(1222), Some(1226)]);
                Verb::Alert { code, correlator: None, items: self.items() }
            }
            7 => Verb::Other(self.any(&["Put", "Dance"]).to_owned()),
            8 => Verb::Atomic(inner(self)),
            _ => Verb::Sequence(inner(self)),
        }
    }

    fn mishap(&mut self, now: Moment) -> Mishap {
        let until = now + Duration::from_secs(self.any(&[0, 1, 100]));
        let commands = self.any(&[0, 1, 3]);
        self.any(&[
            Mishap::Offline { until },
            Mishap::Busy { until },
            Mishap::DropAfter { commands },
            Mishap::LoseStatus,
            Mishap::Refuse { code: 425 },
            Mishap::Reboot,
            Mishap::FactoryReset,
        ])
    }

    fn chal(&mut self) -> Option<Chal> {
        let scheme = self.any(&["syncml:auth-basic", "syncml:auth-md5", "syncml:auth-MAC", "?"]).to_owned();
        self.chance(3).then(|| Chal { scheme, format: "b64".into(), next_nonce: Some("AAEC".into()) })
    }

    fn status(&mut self, to: &str) -> Status {
        Status {
            cmd_id: "1".into(),
            msg_ref: to.to_owned(),
            cmd_ref: self.any(&["0", "1", "2", "3", "4", "5", "6"]).parse().ok(),
            cmd: self.any(&["SyncHdr", "Get", "Atomic"]).to_owned(),
            chal: self.chal(),
            code: self.any(&[200, 200, 200, 200, 212, 213, 215, 401, 404, 407, 425, 500, 507]),
            ..Status::default()
        }
    }

    fn results(&mut self, to: &str) -> Results {
        let cmd_ref = self.any(&["2", "3", "4", "5"]).to_owned();
        Results { msg_ref: Some(to.to_owned()), cmd_ref, items: self.items(), ..Results::default() }
    }

    /// A message that belongs to the session that `to` is of, most of the time.
    fn message(&mut self, to: &Message) -> Message {
        let mut message = Message { is_final: !self.chance(5), ..Message::default() };
        message.header.session_id = if self.chance(30) { self.text() } else { to.header.session_id.clone() };
        message.header.msg_id = self.0.random_range(1..100_u32).to_string();
        message.header.source.uri = to.header.target.uri.clone();
        message.header.target.uri = to.header.source.uri.clone();
        message.header.meta.max_msg_size = self.any(&[None, None, Some(1), Some(3_000), Some(65_536)]);
        let cred = Cred { scheme: "syncml:auth-md5".into(), format: "b64".into(), data: "x".into() };
        message.header.cred = self.chance(9).then_some(cred);
        for _ in 0..self.0.random_range(0..6) {
            let element = match self.0.random_range(0..4) {
                0 => Element::Status(self.status(&to.header.msg_id)),
                1 => Element::Results(self.results(&to.header.msg_id)),
                _ => Element::Command(Command { cmd_id: "7".into(), verb: self.verb(0) }),
            };
            message.body.push(element);
        }
        message
    }
}

/// Prints the seed of a walk that does not get to its end.
struct Seeded(u64);

impl Drop for Seeded {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: put it in place of the range in this test to walk it alone", self.0);
        }
    }
}

fn books() -> [Arc<AccountBook>; 2] {
    [book("dms1", Scheme::None, 1), book("dms2", Scheme::None, 2)]
}

#[track_caller]
fn reads_back(message: &Message) {
    assert_eq!(syncml_xml::read(&syncml_xml::write(message)).as_ref(), Ok(message));
}

#[test]
fn no_server_breaks_a_device() {
    let mut answered = 0;
    for seed in 0..WALKS {
        let _seeded = Seeded(seed);
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let books = books();
        let blueprint = Blueprint {
            manufacturer: "Maker".into(),
            model: "M1".into(),
            owner: books[0].server.clone(),
            accounts: books.to_vec(),
            subtrees: vec![subtree()],
            storage: dice.any(&[None, Some(500), Some(10_000)]),
            refuses: None,
        };
        let settings = client::Settings { is_watched: true, ..client::Settings::default() };
        let mut device = Client::new(DEVICE, &template(&blueprint), Arc::new(settings));
        let (mut now, mut inputs, mut open) = (Moment::ZERO, Vec::new(), 0);
        let mut accounts: BTreeSet<ServerId> = books.iter().map(|book| book.server.clone()).collect();
        for _ in 0..STEPS {
            let mishap = dice.chance(6).then(|| client::Input::Mishap(dice.mishap(now)));
            let input = mishap.or_else(|| inputs.pop()).unwrap_or_else(|| match dice.0.random_range(0..8) {
                0 => client::Input::Wake,
                1 => client::Input::Trigger(dice.text().into_bytes()),
                _ => client::Input::Connect { server: dice.any(&books).server.clone() },
            });
            if matches!(input, client::Input::Wake) && device.deadline().is_set() {
                now = now.max(device.deadline());
            }
            let mut out = Vec::new();
            device.handle(now, input, &mut out);
            let mut requests = 0;
            for effect in out {
                requests += i32::from(!matches!(effect, client::Effect::Note(_)));
                match effect {
                    client::Effect::Post { exchange, message, .. } => {
                        answered += 1;
                        reads_back(&message);
                        let result = match dice.0.random_range(0..20) {
                            0 => Err(client::Failure::Status(500)),
                            _ => Ok(Envelope::plain(dice.message(&message))),
                        };
                        inputs.push(client::Input::Answer { exchange, result });
                    }
                    client::Effect::Fetch { exchange, .. } => {
                        let account = books[1].account(&device_id(DEVICE));
                        let document = bootstrap::document(&account, &device_id(DEVICE), Acl::empty());
                        let result = if dice.chance(2) { Ok(document) } else { Err(client::Failure::Status(404)) };
                        inputs.push(client::Input::Bootstrap { exchange, result });
                    }
                    client::Effect::Note(client::Note::SessionOpened { .. }) => open += 1,
                    client::Effect::Note(client::Note::SessionEnded { .. }) => open -= 1,
                    client::Effect::Note(client::Note::AccountAppeared { server }) => {
                        assert!(accounts.insert(server.clone()), "{server} had an account");
                    }
                    client::Effect::Note(client::Note::AccountGone { server }) => {
                        assert!(accounts.remove(&server), "{server} had none");
                    }
                    client::Effect::Note(_) => {}
                }
            }
            assert!(requests <= 1, "one request at a time");
            assert!((0..=1).contains(&open), "{open} sessions at a time");
            assert_eq!(accounts, device.tree().accounts().into_iter().map(|(_, server)| server).collect());
            // Every node can be told and found again.
            for node in device.tree().nodes(&Uri::root()) {
                assert_eq!(Uri::parse(node.uri.as_str()).as_ref(), Ok(&node.uri));
            }
        }
    }
    assert!(answered > 600, "only {answered} messages were exchanged");
}

#[test]
fn no_device_breaks_a_server() {
    let mut finished = 0;
    for seed in 0..WALKS {
        let _seeded = Seeded(seed);
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let books = books();
        let mut sessions = Sessions::new(settings(&books[0]));
        let mut to = Message::default();
        to.header.target.uri = device_id(DEVICE).as_str().to_owned();
        let (mut now, mut wanted, mut open, mut ended) = (Moment::ZERO, 0, 0, 0);
        for step in 0..STEPS {
            let input = match dice.0.random_range(0..12) {
                0 => {
                    wanted += 1;
                    let (delegate, subtree) = (books[1].server.clone(), subtree());
                    let account = dice.any(&[None, Some(Box::new(books[1].account(&device_id(DEVICE))))]);
                    let errand = dice.any(&[
                        Errand::Prepare {
                            delegate: delegate.clone(),
                            account,
                            subtree: subtree.clone(),
                            quiet: true,
                            extent: Extent::at_once(step % 2 == 0),
                            takes_over: step % 3 == 0,
                        },
                        Errand::PushBootstrapUrl { url: "https://b.example.test".into(), revocable: false },
                        Errand::Visit { subtree: subtree.clone() },
                        Errand::RemoveAccount { of: delegate.clone(), leftovers: Vec::new() },
                        Errand::LetConnect { delegate, value: false },
                        Errand::Leave,
                        Errand::Undo(vec![Order::Delete(subtree)]),
                    ]);
                    server::Input::Run { ticket: wanted, device: DEVICE, errand }
                }
                1 => {
                    now = if sessions.deadline().is_set() { sessions.deadline() } else { now };
                    server::Input::Wake
                }
                2 => server::Input::AccountGone { device: DEVICE },
                _ => {
                    let envelope = Envelope::plain(dice.message(&to));
                    server::Input::Received { exchange: step as u64, envelope, client_certificate: false }
                }
            };
            let received = matches!(input, server::Input::Received { .. });
            let mut out = Vec::new();
            sessions.handle(now, input, &mut out);
            let mut answers = 0;
            for effect in out {
                match effect {
                    server::Effect::Answer { message, .. } => {
                        answers += 1;
                        reads_back(&message);
                        to = message;
                        std::mem::swap(&mut to.header.source, &mut to.header.target);
                        to.header.target.uri = device_id(DEVICE).as_str().to_owned();
                    }
                    server::Effect::Reject { .. } => answers += 1,
                    server::Effect::Finished { .. } => ended += 1,
                    server::Effect::Note(server::Note::SessionOpened { .. }) => open += 1,
                    server::Effect::Note(server::Note::SessionEnded { .. }) => open -= 1,
                    _ => {}
                }
            }
            assert_eq!(answers, i32::from(received), "one answer for one package");
            assert!((0..=1).contains(&open), "{open} sessions with one device");
        }
        // With nobody answering any more, everything wanted comes to its end.
        for _ in 0..1_000 {
            let mut out = Vec::new();
            now = now.max(if sessions.deadline().is_set() { sessions.deadline() } else { now });
            sessions.handle(now, server::Input::Wake, &mut out);
            ended += out.iter().filter(|effect| matches!(effect, server::Effect::Finished { .. })).count() as u64;
        }
        assert_eq!((ended, sessions.open(), sessions.deadline()), (wanted, 0, Moment::NEVER));
        finished += ended;
    }
    assert!(finished > 100, "only {finished} errands were wanted");
}
