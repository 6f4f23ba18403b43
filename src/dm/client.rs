//! The device: a machine that holds a tree, opens sessions, does what servers ask within their rights, and bootstraps
//! itself. No IO.
//!
//! | file | its job |
//! |---|---|
//! | `effects` | what can happen to a device, what it wants done, what it notices |
//! | `session` | one management session: packages 1 and 3 out, 2 and 4 in |
//! | `commands` | the commands of one message against the tree |
//! | `operations` | what one command does to one node |
//! | `credentials` | who the two sides are to each other |
//! | `initiative` | what it does by itself once its tree has changed |
//! | `spent` | which triggers have done their work |
//! | `mishap` | what can befall the device |
//! | `watch` | what it tells those who watch it |

pub(super) mod commands;
mod credentials;
mod effects;
mod initiative;
pub(super) mod mishap;
mod operations;
mod session;
mod spent;
pub(super) mod watch;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::Moment;
use crate::dm::bootstrap;
use crate::dm::syncml::Message;
use crate::dm::tree::{Template, Tree};
use crate::dm::trigger::{NonceUsed, Trigger};
use crate::dm::wire::Envelope;
use crate::ids::{DeviceNumber, ServerId};

use credentials::{Credentials, Nonces};
pub use effects::{BootstrapFailure, Effect, Exchange, Failure, Ignored, Initiated, Input, Note, Outcome, Settings};
pub use initiative::Initiative;
pub use mishap::Mishap;
use mishap::Troubles;
use session::{Opening, Session, Turn};
use spent::Spent;
use watch::Watch;

/// Triggers and wishes to connect that wait while a session is under way, at most.
pub const QUEUE: usize = 8;

/// One simulated device.
#[derive(Debug)]
pub struct Client {
    tree: Tree,
    settings: Arc<Settings>,
    nonces: Vec<Nonces>,
    current: Current,
    queue: VecDeque<Wish>,
    /// The latest triggers that have led to a session.
    spent: Spent,
    exchanges: u64,
    /// Sessions the device has opened by itself.
    own_sessions: u16,
    troubles: Option<Box<Troubles>>,
}

/// What the device is busy with.
#[derive(Debug)]
enum Current {
    Nothing,
    Session(Box<Session>),
    Fetch { exchange: Exchange, deadline: Moment },
}

/// What the device will do when it is free.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    Triggered { server: ServerId, session: u16, nonce: NonceUsed },
    Connect { server: ServerId },
    Fetch { url: String },
}

impl Client {
    /// A device as it leaves the factory.
    pub fn new(device: DeviceNumber, template: &Arc<Template>, settings: Arc<Settings>) -> Client {
        Client {
            tree: Tree::new(template, device),
            settings,
            nonces: Vec::new(),
            current: Current::Nothing,
            queue: VecDeque::new(),
            spent: Spent::default(),
            exchanges: 0,
            own_sessions: 0,
            troubles: None,
        }
    }

    /// The tree as it stands.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The tree, for whoever sets the stage before a run.
    pub fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// Whether it neither does nor plans anything.
    pub fn is_idle(&self) -> bool {
        matches!(self.current, Current::Nothing) && self.queue.is_empty()
    }

    /// When it wants to be woken; [`Moment::NEVER`] when it does not.
    pub fn deadline(&self) -> Moment {
        let able = self.troubles.as_ref().map_or(Moment::NEVER, |troubles| troubles.until());
        self.patience().min(able)
    }

    /// When it gives up what it is busy with.
    fn patience(&self) -> Moment {
        match &self.current {
            Current::Nothing => Moment::NEVER,
            Current::Session(session) => session.deadline,
            Current::Fetch { deadline, .. } => *deadline,
        }
    }

    /// Takes one input and pushes what follows from it.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        self.recover(now);
        match input {
            Input::Trigger(octets) => {
                if let Err(why) = self.hear_trigger(&octets) {
                    out.push(Effect::Note(Note::TriggerIgnored(why)));
                }
            }
            Input::Connect { server } => {
                if self.tree.account_of(&server).is_none() {
                    out.push(Effect::Note(Note::ConnectIgnored { server, why: Ignored::UnknownServer }));
                } else if self.queue.len() >= QUEUE {
                    out.push(Effect::Note(Note::ConnectIgnored { server, why: Ignored::QueueFull }));
                } else {
                    self.queue.push_back(Wish::Connect { server });
                }
            }
            Input::Answer { exchange, result } => self.hear_answer(now, exchange, result, out),
            Input::Bootstrap { exchange, result } => self.hear_bootstrap(exchange, result, out),
            Input::Mishap(mishap) => self.suffer(mishap, out),
            Input::Wake => self.give_up_if_late(now, out),
        }
        self.recover(now);
        while matches!(self.current, Current::Nothing)
            && self.is_able()
            && let Some(wish) = self.queue.pop_front()
        {
            self.grant(now, wish, out);
        }
        if self.is_idle() {
            // A device at rest keeps no room for what it once waited for.
            self.queue = VecDeque::new();
        }
    }

    /// Whether nothing keeps it from opening a session.
    fn is_able(&self) -> bool {
        self.troubles.as_ref().is_none_or(|troubles| !troubles.until().is_set())
    }

    fn hear_trigger(&mut self, octets: &[u8]) -> Result<(), Ignored> {
        if self.troubles.as_ref().is_some_and(|troubles| troubles.is_offline()) {
            return Err(Ignored::Offline);
        }
        let (trigger, digest) = Trigger::read(octets).map_err(Ignored::Unreadable)?;
        let credentials = Credentials::load(&self.tree, &trigger.server, &self.nonces).ok_or(Ignored::UnknownServer)?;
        let nonce = match &self.current {
            // A server that has just ended this session calls again with the nonce that it was given in it.
            Current::Session(session) if session.is_with(&trigger.server) => session.credentials.trigger_nonce(&digest),
            _ => None,
        };
        let nonce = nonce.or_else(|| credentials.trigger_nonce(&digest)).ok_or(Ignored::BadDigest)?;
        let (server, session) = (trigger.server, trigger.session_id);
        let is_under_way = matches!(&self.current, Current::Session(current) if current.is_of(&server, session));
        let waits = self.queue.iter().any(
            |wish| matches!(wish, Wish::Triggered { server: s, session: id, .. } if *s == server && *id == session),
        );
        if is_under_way || waits || self.spent.has(&server, session) {
            return Err(Ignored::SameSession);
        }
        if self.queue.len() >= QUEUE {
            return Err(Ignored::QueueFull);
        }
        self.queue.push_back(Wish::Triggered { server, session, nonce });
        Ok(())
    }

    /// Begins what it has wished for, unless that has become pointless.
    fn grant(&mut self, now: Moment, wish: Wish, out: &mut Vec<Effect>) {
        let (server, opening) = match wish {
            Wish::Fetch { url } => {
                let exchange = self.next_exchange();
                self.current = Current::Fetch { exchange, deadline: now + self.settings.answer_timeout };
                return out.push(Effect::Fetch { exchange, url });
            }
            Wish::Triggered { server, session, nonce } => (server, Opening::Triggered { session, nonce }),
            Wish::Connect { server } => {
                self.own_sessions = self.own_sessions.wrapping_add(1);
                (server, Opening::ByItself { serial: self.own_sessions })
            }
        };
        let credentials = Credentials::load(&self.tree, &server, &self.nonces);
        let session =
            credentials.map(|held| Session::new(server.clone(), opening, held, &self.tree, self.settings.quiet_value));
        let Some(mut session) = session else {
            let why = Ignored::UnknownServer;
            return out.push(Effect::Note(match opening {
                Opening::Triggered { .. } => Note::TriggerIgnored(why),
                Opening::ByItself { .. } => Note::ConnectIgnored { server, why },
            }));
        };
        out.push(Effect::Note(Note::SessionOpened { server, by: session.by() }));
        let first = session.package_1(&self.tree, Vec::new());
        self.post(now, Box::new(session), first, out);
    }

    fn hear_answer(
        &mut self,
        now: Moment,
        exchange: Exchange,
        result: Result<Envelope, Failure>,
        out: &mut Vec<Effect>,
    ) {
        let Current::Session(mut session) = std::mem::replace(&mut self.current, Current::Nothing) else {
            return;
        };
        if session.exchange != exchange {
            // An answer to something this session has given up waiting for.
            self.current = Current::Session(session);
            return;
        }
        let turn = match result {
            Ok(envelope) => {
                let (mut watch, mut none) = (self.watch(), Troubles::default());
                let troubles = self.troubles.as_deref_mut().unwrap_or(&mut none);
                let turn = session.hear(&envelope, &mut self.tree, troubles, watch.as_mut());
                self.tell(watch, out);
                turn
            }
            Err(failure) => Turn::End(Outcome::Failed(failure)),
        };
        match turn {
            Turn::Say { body, is_final } => {
                let message = session.message(body, is_final);
                self.post(now, session, message, out);
            }
            Turn::Again { body } => {
                let message = session.package_1(&self.tree, body);
                self.post(now, session, message, out);
            }
            Turn::End(outcome) => self.end(*session, outcome, out),
        }
    }

    fn post(&mut self, now: Moment, mut session: Box<Session>, mut message: Message, out: &mut Vec<Effect>) {
        let exchange = self.next_exchange();
        session.exchange = exchange;
        session.deadline = now + self.settings.answer_timeout;
        message.header.ver_proto = self.settings.ver_proto.to_owned();
        message.header.meta.max_msg_size = Some(self.settings.max_msg_size);
        let (url, seal) = (session.url.clone(), session.seal());
        self.current = Current::Session(session);
        out.push(Effect::Post { exchange, url, message: Box::new(message), seal });
    }

    /// Ends a session and sees what it has brought: bootstrap servers to ask, servers to connect to.
    fn end(&mut self, session: Session, outcome: Outcome, out: &mut Vec<Effect>) {
        session.credentials.save(&mut self.nonces);
        self.nonces.retain(|nonces| self.tree.account_of(&nonces.server).is_some());
        self.nonces.shrink_to_fit();
        if let Some(number) = session.trigger_spent() {
            self.spent.add(&session.server, number);
        }
        if let Some(troubles) = &mut self.troubles {
            troubles.end_session();
        }
        let by = session.by();
        out.push(Effect::Note(Note::SessionEnded { server: session.server.clone(), by, outcome }));
        self.queue.extend(session.before.new_urls(&self.tree).into_iter().map(|url| Wish::Fetch { url }));
        self.connect_to_the_willing(&session.before, Some(&session.server));
    }

    fn hear_bootstrap(&mut self, exchange: Exchange, result: Result<Message, Failure>, out: &mut Vec<Effect>) {
        match self.current {
            Current::Fetch { exchange: current, .. } if current == exchange => self.current = Current::Nothing,
            _ => return,
        }
        let before = Initiative::before(&self.tree, self.settings.quiet_value);
        let watch = self.watch();
        let done = match &result {
            Ok(document) => bootstrap::apply(document, &mut self.tree).map_err(BootstrapFailure::Document),
            Err(failure) => Err(BootstrapFailure::Fetch(failure.clone())),
        };
        match done {
            Ok(servers) => {
                out.extend(servers.into_iter().map(|server| Effect::Note(Note::Bootstrapped { server })));
                self.tell(watch, out);
                self.connect_to_the_willing(&before, None);
            }
            Err(why) => out.push(Effect::Note(Note::BootstrapFailed(why))),
        }
    }

    /// Plans a session with every server that may be connected to now and might not before.
    fn connect_to_the_willing(&mut self, before: &Initiative, but: Option<&ServerId>) {
        for server in before.newly_open(&self.tree) {
            let wish = Wish::Connect { server: server.clone() };
            if but != Some(&server) && !self.queue.contains(&wish) {
                self.queue.push_back(wish);
            }
        }
    }

    fn give_up_if_late(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if now < self.patience() {
            return;
        }
        match std::mem::replace(&mut self.current, Current::Nothing) {
            Current::Nothing => {}
            Current::Session(session) => self.end(*session, Outcome::TimedOut, out),
            Current::Fetch { .. } => out.push(Effect::Note(Note::BootstrapFailed(BootstrapFailure::TimedOut))),
        }
    }

    /// What is to be told of this input, if somebody watches.
    fn watch(&self) -> Option<Watch> {
        self.settings.is_watched.then(|| Watch::new(&self.tree))
    }

    fn tell(&self, watch: Option<Watch>, out: &mut Vec<Effect>) {
        if let Some(mut watch) = watch {
            watch.look_at(&self.tree);
            out.extend(watch.into_notes().into_iter().map(Effect::Note));
        }
    }

    fn next_exchange(&mut self) -> Exchange {
        self.exchanges += 1;
        Exchange(self.exchanges)
    }
}

#[cfg(test)]
mod tests;
