//! What is under way, what may happen next, and what comes of it. No IO, no dice: whoever chooses decides everything.
//!
//! Time goes by only when somebody chooses that it does. Servers are aged by it, and never told what time it is.

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Incoming, Outgoing, PostOutcome};
use crate::delegation::machine::{Effect, Input, Job};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reading::Polarity;
use crate::delegation::server::Server;
use crate::dm::acl::Acl;
use crate::dm::bootstrap;
use crate::dm::client::Initiative;
use crate::dm::direct;
use crate::dm::script::{Errand, ErrandKind, Report};
use crate::dm::tree::Tree;
use crate::facts::{Fact, What, machines};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber, SessionId, device_id};
use crate::measure::promise::{DeviceView, Journeyed};
use crate::workload::parties::Parties;

/// A device, the servers that may manage it, and everything that is on its way between them. A clone is another future.
#[derive(Clone)]
pub struct World<'p> {
    parties: &'p Parties,
    device: DeviceNumber,
    /// How much time has gone by.
    now: Moment,
    servers: Vec<Server>,
    tree: Tree,
    /// The value of NoAutoInitialSession that keeps the device from connecting by itself.
    quiet: bool,
    /// In the order in which it set out.
    under_way: Vec<UnderWay>,
}

/// Something that has set out and not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnderWay {
    /// A POST to a peer.
    Request { from: ServerNumber, to: ServerNumber, exchange: Outgoing, message: Message },
    /// What has become of a POST, on its way back.
    Outcome { at: ServerNumber, from: ServerNumber, exchange: Outgoing, about: About, outcome: PostOutcome },
    /// A session with the device that a server wants.
    Errand { at: ServerNumber, job: Job, errand: Errand },
    /// What has come of a session.
    Report { at: ServerNumber, job: Job, errand: ErrandKind, report: Report },
    /// The device, to a bootstrap server for an account of this DM server.
    Fetch { from: BootstrapServerNumber, of: ServerNumber },
    /// The device, by itself, to a server that it has an account of.
    Connection { with: ServerNumber },
}

/// What a POST was about, as facts name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    kind: Kind,
    session: Option<SessionId>,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// What set out as the how-manieth of all that is under way arrives, from 0.
    Arrives(usize),
    /// Nothing arrives until the next timer fires.
    TimePasses,
}

impl<'p> World<'p> {
    /// The world of one device at its beginning, with nothing under way.
    pub fn new(parties: &'p Parties, device: DeviceNumber, no_auto_initial_session: Polarity) -> World<'p> {
        let servers = (0..).map(ServerNumber).zip(&parties.servers);
        World {
            parties,
            device,
            now: Moment::ZERO,
            servers: servers.map(|(me, _)| Server::new(parties.delegation_settings(me))).collect(),
            tree: Tree::new(parties.template(device), device),
            quiet: no_auto_initial_session == Polarity::Name,
            under_way: Vec::new(),
        }
    }

    /// What may happen next, in the order in which things set out; the time comes last. Nothing where all is at rest.
    pub fn choices(&self) -> impl Iterator<Item = Choice> {
        let time = self.next_timer().map(|_| Choice::TimePasses);
        (0..self.under_way.len()).map(Choice::Arrives).chain(time)
    }

    /// Lets one thing happen; a choice that is not open changes nothing. `facts` grows by what was seen.
    pub fn take(&mut self, choice: Choice, facts: &mut Vec<Fact>) {
        match choice {
            Choice::Arrives(place) if place < self.under_way.len() => {
                let what = self.under_way.remove(place);
                self.arrive(what, facts);
            }
            Choice::Arrives(_) => {}
            Choice::TimePasses => self.pass_time(facts),
        }
    }

    /// The operator of a server wants something.
    pub fn wish(&mut self, at: ServerNumber, wish: Input, facts: &mut Vec<Fact>) {
        if let Input::Start { flow, peer, .. } = &wish {
            self.see(What::Wished { at, peer: *peer, flow: *flow }, facts);
        }
        self.tell(at, wish, facts);
    }

    /// What is under way, in the order in which it set out.
    pub fn under_way(&self) -> &[UnderWay] {
        &self.under_way
    }

    /// How much time has gone by.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// A server's machine.
    pub fn server(&self, server: ServerNumber) -> &Server {
        &self.servers[usize::from(server.0)]
    }

    /// What is on the device, for the promises; of its journey only what was known beforehand.
    pub fn view(&self) -> DeviceView {
        let (owner, bootstrapped) = self.parties.at_first(self.device);
        let journeyed = Journeyed::at_first(owner, bootstrapped);
        DeviceView::of(&self.tree, 0, journeyed, |id| self.parties.server_named(id))
    }

    fn next_timer(&self) -> Option<Duration> {
        let deadline = self.servers.iter().map(Server::deadline).min()?;
        deadline.is_set().then(|| deadline - Moment::ZERO)
    }

    fn pass_time(&mut self, facts: &mut Vec<Fact>) {
        let Some(until) = self.next_timer() else { return };
        self.now = self.now + until;
        self.servers.iter_mut().for_each(|server| server.age(until));
        for at in (0..).map(ServerNumber).take(self.servers.len()) {
            if self.server(at).deadline() <= Moment::ZERO {
                self.tell(at, Input::Wake, facts);
            }
        }
    }

    fn arrive(&mut self, what: UnderWay, facts: &mut Vec<Fact>) {
        match what {
            UnderWay::Request { from, to, exchange, message } => self.receive(from, to, exchange, message, facts),
            UnderWay::Outcome { at, from, exchange, about, outcome } => {
                let (About { kind, session }, answer) = (about, machines::heard(&outcome));
                self.see(What::Heard { at, from, kind, session, attempt: 1, answer }, facts);
                self.tell(at, Input::Posted { exchange, outcome }, facts);
            }
            UnderWay::Errand { at, job, errand } => self.hold_session(at, job, errand, facts),
            UnderWay::Report { at, job, errand, report } => {
                let failure = report.result.as_ref().err().map(|failure| failure.reason_code());
                self.see(What::ErrandEnded { at, errand, failure }, facts);
                self.tell(at, Input::ErrandDone { job, report }, facts);
            }
            UnderWay::Fetch { from, of } => self.bootstrap(from, of, facts),
            UnderWay::Connection { with } => {
                if self.tree.has_account(&self.parties.server(with).id) {
                    self.see(What::SessionOpened { with }, facts);
                    self.tell(with, Input::DeviceConnected { device: self.device }, facts);
                    self.see(What::SessionEnded { with, in_order: true }, facts);
                }
            }
        }
    }

    fn receive(
        &mut self,
        from: ServerNumber,
        to: ServerNumber,
        exchange: Outgoing,
        message: Message,
        facts: &mut Vec<Fact>,
    ) {
        let about = About { kind: message.kind(), session: message.session().cloned() };
        // It is answered in the same turn, so that one number will do for all.
        let input = Input::Received { exchange: Incoming(0), from, message };
        let mut out = Vec::new();
        self.servers[usize::from(to.0)].handle(Moment::ZERO, input, &mut out);
        if let Some((_, what)) = machines::taken(to, from, about.session.as_ref(), &out) {
            self.see(what, facts);
        }
        let place = out.iter().position(|effect| matches!(effect, Effect::Answer { .. }));
        if let Some(Effect::Answer { answer, .. }) = place.map(|place| out.remove(place)) {
            let outcome = match answer {
                Answer::Message(message) => PostOutcome::Message(message),
                Answer::NoContent => PostOutcome::NoContent,
                Answer::Rejected(misbehaved) => PostOutcome::Rejected { status: misbehaved.http_status() },
            };
            self.under_way.push(UnderWay::Outcome { at: from, from: to, exchange, about, outcome });
        }
        self.obey(to, out, facts);
    }

    /// A session of a server with the device; what the device does by itself because of it sets out behind it.
    fn hold_session(&mut self, at: ServerNumber, job: Job, errand: Errand, facts: &mut Vec<Fact>) {
        let kind = errand.kind();
        let before = Initiative::before(&self.tree, self.quiet);
        let id = self.parties.server(at).id.clone();
        let comes = self.tree.has_account(&id);
        if comes {
            self.see(What::SessionOpened { with: at }, facts);
        }
        let ran = direct::run(&id, errand, &mut self.tree, None);
        let parties = self.parties;
        for note in ran.notes {
            if let Some(what) = machines::of_device(note, |id| parties.server_named(id)) {
                self.see(what, facts);
            }
        }
        if comes {
            self.see(What::SessionEnded { with: at, in_order: true }, facts);
        }
        self.under_way.push(UnderWay::Report { at, job, errand: kind, report: ran.report });
        let urls = before.new_urls(&self.tree);
        let fetches = urls.iter().filter_map(|url| self.bootstraps_to(url));
        let fetches: Vec<UnderWay> = fetches.map(|(from, of)| UnderWay::Fetch { from, of }).collect();
        self.under_way.extend(fetches);
        self.connect_to_the_willing(&before, Some(at));
    }

    fn connect_to_the_willing(&mut self, before: &Initiative, but: Option<ServerNumber>) {
        let parties = self.parties;
        let open = before.newly_open(&self.tree).into_iter().filter_map(|id| parties.server_named(&id));
        let connections = open.filter(|with| but != Some(*with)).map(|with| UnderWay::Connection { with });
        self.under_way.extend(connections);
    }

    /// To which bootstrap server a URL leads, and to an account of whom.
    fn bootstraps_to(&self, url: &str) -> Option<(BootstrapServerNumber, ServerNumber)> {
        let device = device_id(self.device);
        let mut servers = (0..).map(ServerNumber).zip(&self.parties.servers);
        servers.find_map(|(of, server)| {
            let (from, links) = server.bootstrap.as_ref()?;
            (links.device_of(url)? == device).then_some((*from, of))
        })
    }

    fn bootstrap(&mut self, from: BootstrapServerNumber, of: ServerNumber, facts: &mut Vec<Fact>) {
        let device = device_id(self.device);
        let account = self.parties.server(of).accounts.account(&device);
        let document = bootstrap::document(&account, &device, Acl::empty());
        self.see(What::Fetched { from, ok: true }, facts);
        let had_account = self.tree.has_account(&account.server);
        let before = Initiative::before(&self.tree, self.quiet);
        if bootstrap::apply(&document, &mut self.tree).is_ok() {
            if !had_account {
                self.see(What::Account { of, is_there: true }, facts);
            }
            self.connect_to_the_willing(&before, None);
        }
    }

    fn tell(&mut self, at: ServerNumber, input: Input, facts: &mut Vec<Fact>) {
        let mut out = Vec::new();
        self.servers[usize::from(at.0)].handle(Moment::ZERO, input, &mut out);
        self.obey(at, out, facts);
    }

    fn obey(&mut self, at: ServerNumber, effects: Vec<Effect>, facts: &mut Vec<Fact>) {
        for effect in effects {
            match effect {
                Effect::Post { exchange, to, message } => {
                    let (kind, session) = (message.kind(), message.session().cloned());
                    self.see(What::Sent { from: at, to, kind, session, attempt: 1 }, facts);
                    self.under_way.push(UnderWay::Request { from: at, to, exchange, message });
                }
                Effect::Errand { job, errand, .. } => {
                    self.see(What::ErrandBegan { at, errand: errand.kind() }, facts);
                    self.under_way.push(UnderWay::Errand { at, job, errand });
                }
                Effect::Note(note) => {
                    if let Some((_, what)) = machines::of_server(at, note) {
                        self.see(what, facts);
                    }
                }
                // No nonces are kept here, and nobody dies.
                Effect::RenewAccount { .. } | Effect::Persist(_) => {}
                Effect::Answer { .. } => unreachable!("only a message is answered, and `receive` sees to that"),
            }
        }
    }

    fn see(&self, what: What, facts: &mut Vec<Fact>) {
        facts.push(Fact { at: self.now, what });
    }
}
