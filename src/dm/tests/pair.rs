//! Two servers and a device that talk in virtual time: every message crosses as XML and as WBXML, and what happens is a transcript.

use std::sync::Arc;
use std::time::Duration;

use super::picky;
use crate::clock::Moment;
use crate::dm::acl::Acl;
use crate::dm::auth::Scheme;
use crate::dm::bootstrap;
use crate::dm::client::{self, Client, Mishap};
use crate::dm::dmacc::{AccountBook, DmAcc};
use crate::dm::script::{Errand, Extent, Report};
use crate::dm::server::{self, Sessions};
use crate::dm::standard::{Blueprint, template};
use crate::dm::syncml::{Element, Message, Verb};
use crate::dm::trigger::Version;
use crate::dm::uri::Uri;
use crate::dm::wire::{self, Envelope};
use crate::ids::{DeviceNumber, ServerId, device_id};

pub(super) const DEVICE: DeviceNumber = DeviceNumber(17);

/// Two servers and one device, with nothing between them.
pub(super) struct Pair {
    pub(super) now: Moment,
    pub(super) books: [Arc<AccountBook>; 2],
    pub(super) servers: [Sessions; 2],
    pub(super) device: Client,
    pub(super) transcript: Vec<String>,
    pub(super) reports: Vec<(u64, Report)>,
    pub(super) connected: Vec<usize>,
    /// How many packages the device has sent.
    pub(super) packages: usize,
    /// Bytes of the device's longest package.
    pub(super) longest: usize,
    /// What the server wants as soon as its errand has ended, before the device has read its last answer.
    pub(super) follow_up: Option<Errand>,
    /// What befalls the device once it has sent so many packages, before it hears the next answer.
    pub(super) mishap: Option<(usize, Mishap)>,
    pub(super) documents: Documents,
}

/// What the second server's bootstrap server has for the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Documents {
    Good,
    Stale,
    Missing,
}

pub(super) fn book(name: &str, scheme: Scheme, key: u64) -> Arc<AccountBook> {
    let (server, address) = (ServerId::new(format!("{name}.example.test")), format!("https://{name}.example.test/dm"));
    Arc::new(AccountBook { server, address, scheme, key })
}

/// `change` sets the device apart from one that has room, lets its owner do everything, and knows the owner only.
pub(super) fn pair(scheme: Scheme, change: impl FnOnce(&mut Blueprint, &[Arc<AccountBook>; 2])) -> Pair {
    let books = [book("dms1", scheme, 1), book("dms2", scheme, 2)];
    let mut blueprint = Blueprint {
        manufacturer: "Maker & Söhne".into(),
        model: "M1".into(),
        owner: books[0].server.clone(),
        accounts: vec![books[0].clone()],
        subtrees: vec![subtree()],
        storage: None,
        refuses: None,
    };
    change(&mut blueprint, &books);
    let servers = books.each_ref().map(|book| Sessions::new(settings(book)));
    let device = Client::new(DEVICE, &template(&blueprint), Arc::new(client::Settings::default()));
    Pair {
        now: Moment::ZERO,
        books,
        servers,
        device,
        transcript: Vec::new(),
        reports: Vec::new(),
        connected: Vec::new(),
        packages: 0,
        longest: 0,
        follow_up: None,
        mishap: None,
        documents: Documents::Good,
    }
}

pub(super) fn settings(book: &Arc<AccountBook>) -> server::Settings {
    server::Settings {
        accounts: book.clone(),
        max_msg_size: 65_536,
        session_timeout: Duration::from_secs(10),
        trigger_version: Version::V11,
        ver_proto: "DM/1.2".into(),
        devices: 1_000,
        needs_certificate: false,
    }
}

pub(super) fn subtree() -> Uri {
    Uri::parse("./SCOMO").unwrap()
}

impl Pair {
    /// Runs an errand of one server until nothing moves any more, time included; its report.
    pub(super) fn run(&mut self, server: usize, errand: Errand) -> Report {
        let ticket = self.reports.len() as u64;
        self.tell_server(server, server::Input::Run { ticket, device: DEVICE, errand });
        while self.reports.len() as u64 == ticket || !self.device.is_idle() {
            self.wait();
        }
        assert_eq!(self.reports.last().unwrap().0, ticket);
        assert!(self.device.is_idle());
        assert_eq!(self.servers.iter().map(Sessions::open).sum::<usize>(), 0);
        self.reports.last().unwrap().1.clone()
    }

    /// Lets time pass until somebody wants to be woken.
    pub(super) fn wait(&mut self) {
        let deadlines = [self.servers[0].deadline(), self.servers[1].deadline(), self.device.deadline()];
        self.now = deadlines.into_iter().min().unwrap();
        assert!(self.now.is_set(), "nothing is left that could happen:\n{}", self.transcript.join("\n"));
        for server in 0..2 {
            if self.servers[server].deadline() <= self.now {
                self.tell_server(server, server::Input::Wake);
            }
        }
        if self.device.deadline() <= self.now {
            self.tell_device(client::Input::Wake);
        }
    }

    pub(super) fn tell_server(&mut self, server: usize, input: server::Input) {
        if let Some(answer) = self.ask_server(server, input) {
            panic!("an answer to nobody: {answer:?}");
        }
    }

    /// Tells a server something; the answer, where it was a package. Triggers reach the device afterwards.
    pub(super) fn ask_server(
        &mut self,
        server: usize,
        input: server::Input,
    ) -> Option<Result<Envelope, client::Failure>> {
        let mut out = Vec::new();
        self.servers[server].handle(self.now, input, &mut out);
        if out.iter().any(|effect| matches!(effect, server::Effect::Finished { .. }))
            && let Some(errand) = self.follow_up.take()
        {
            let ticket = FOLLOW_UP;
            self.servers[server].handle(self.now, server::Input::Run { ticket, device: DEVICE, errand }, &mut out);
        }
        let (mut answer, mut triggers) = (None, Vec::new());
        for effect in out {
            match effect {
                server::Effect::Trigger { bytes, .. } => {
                    self.note(format!("S{} -> device  package 0", server + 1));
                    triggers.push(bytes);
                }
                server::Effect::Answer { message, seal, .. } => {
                    self.note(format!("S{} -> device  {}", server + 1, gist(&message)));
                    picky::is_taken_from_a_server(&message);
                    answer = Some(Ok(cross(&message, seal.as_ref())));
                }
                server::Effect::Reject { status, .. } => answer = Some(Err(client::Failure::Status(status))),
                server::Effect::Finished { ticket, report } => {
                    self.note(format!("S{}            {:?}", server + 1, report.result));
                    self.reports.push((ticket, report));
                }
                server::Effect::Connected { .. } => self.connected.push(server),
                server::Effect::Note(_) => {}
            }
        }
        for bytes in triggers {
            self.tell_device(client::Input::Trigger(bytes));
        }
        answer
    }

    pub(super) fn tell_device(&mut self, input: client::Input) {
        let mut out = Vec::new();
        self.device.handle(self.now, input, &mut out);
        for effect in out {
            match effect {
                client::Effect::Post { exchange, url, message, seal } => {
                    let server = self.books.iter().position(|book| book.address == url).expect("a known address");
                    self.note(format!("device -> S{}  {}", server + 1, gist(&message)));
                    self.packages += 1;
                    self.longest = self.longest.max(wire::seal(&message, None, wire::ContentType::DmXml).body.len());
                    let envelope = cross(&message, seal.as_ref());
                    let input = server::Input::Received { exchange: exchange.0, envelope, client_certificate: false };
                    let result = self.ask_server(server, input).expect("every package is answered");
                    if let Some((_, mishap)) = self.mishap.take_if(|(package, _)| *package == self.packages) {
                        self.befall(mishap);
                    }
                    self.tell_device(client::Input::Answer { exchange, result });
                }
                client::Effect::Fetch { exchange, url } => {
                    self.note(format!("device         GET {url}"));
                    let (account, device) = (self.account(1), device_id(DEVICE));
                    let result = match self.documents {
                        Documents::Good => Ok(bootstrap::document(&account, &device, Acl::empty())),
                        Documents::Stale => Ok(bootstrap::stale_document(&account, &device, Acl::empty())),
                        Documents::Missing => Err(client::Failure::Status(404)),
                    };
                    let result = result.map(|document| cross(&document, None).message);
                    self.tell_device(client::Input::Bootstrap { exchange, result });
                }
                client::Effect::Note(note) => self.note(format!("device         {note:?}")),
            }
        }
    }

    pub(super) fn befall(&mut self, mishap: Mishap) {
        self.note(format!("device         {mishap:?}"));
        self.tell_device(client::Input::Mishap(mishap));
    }

    pub(super) fn note(&mut self, line: String) {
        self.transcript.push(format!("{}  {line}", self.now).replace(".example.test", ""));
    }

    pub(super) fn account(&self, server: usize) -> DmAcc {
        self.books[server].account(&device_id(DEVICE))
    }

    pub(super) fn id(&self, server: usize) -> ServerId {
        self.books[server].server.clone()
    }

    pub(super) fn prepare(&self, is_new: bool, is_full: bool) -> Errand {
        let account = is_new.then(|| Box::new(self.account(1)));
        Errand::Prepare {
            delegate: self.id(1),
            account,
            subtree: subtree(),
            quiet: true,
            extent: Extent::at_once(is_full),
            takes_over: false,
        }
    }

    /// Everything on the device that an errand can change.
    pub(super) fn state(&self) -> Vec<String> {
        self.device.tree().nodes(&Uri::root()).into_iter().map(|node| format!("{node:?}")).collect()
    }

    pub(super) fn accounts(&self) -> Vec<ServerId> {
        self.device.tree().accounts().into_iter().map(|(_, server)| server).collect()
    }

    pub(super) fn is_named_in_acls(&self, server: usize) -> bool {
        self.device.tree().servers_named_in_acls().contains(&self.id(server))
    }

    #[track_caller]
    pub(super) fn succeeds(&mut self, server: usize, errand: Errand) -> Report {
        let report = self.run(server, errand);
        assert_eq!(report.result, Ok(()), "\n{}", self.transcript.join("\n"));
        report
    }
}

/// A message as it arrives, having been XML on the way; WBXML would have said the same, in fewer bytes.
pub(super) fn cross(message: &Message, seal: Option<&crate::dm::auth::HmacCredentials>) -> Envelope {
    picky::is_taken(message);
    let packet = wire::seal(message, seal, wire::ContentType::DmXml);
    let envelope = wire::open(packet.content_type.as_str(), packet.hmac_header.as_deref(), &packet.body).unwrap();
    assert_eq!(&envelope.message, message);
    let binary = wire::seal(message, seal, wire::ContentType::DmWbxml);
    let other = wire::open(binary.content_type.as_str(), binary.hmac_header.as_deref(), &binary.body).unwrap();
    assert_eq!((&other.message, other.hmac.is_some()), (message, envelope.hmac.is_some()));
    assert!(binary.body.len() < packet.body.len());
    envelope
}

pub(super) fn gist(message: &Message) -> String {
    let parts = message.body.iter().map(|element| match element {
        Element::Status(status) => format!("{} {}", status.cmd, status.code),
        Element::Results(results) => match results.items[0].data.as_deref().unwrap_or_default() {
            tree if tree.starts_with("<MgmtTree") => "tree".to_owned(),
            text => format!("`{text}`"),
        },
        Element::Command(command) => match &command.verb {
            Verb::Alert { code, .. } => format!("Alert {}", code.unwrap()),
            Verb::Atomic(inner) => format!("Atomic of {}", inner.len()),
            Verb::Add(items) | Verb::Replace(items) | Verb::Delete(items) | Verb::Get(items) => {
                let item = &items[0];
                let uri = item.target.as_ref().or(item.source.as_ref()).unwrap();
                format!("{} {uri}", command.verb.name())
            }
            other => other.name().to_owned(),
        },
    });
    let body: Vec<String> = parts.collect();
    format!("#{} {}", message.header.msg_id, body.join(", "))
}

/// The ticket of a follow-up.
pub(super) const FOLLOW_UP: u64 = 1_000;
