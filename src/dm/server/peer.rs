//! One device as the server knows it: its queue of errands, its session, its nonces.

use std::collections::VecDeque;

use super::credentials::{Nonces, Proof};
use super::session::{self, CLIENT_INITIATED, Commands, Reply, Running, Session};
use super::{Effect, Note, Turn};
use crate::clock::Moment;
use crate::dm::auth::Scheme;
use crate::dm::dmacc::Derived;
use crate::dm::script::{DeviceFailure, Errand, Order, OrderResult, Report, Script, Step, is_done};
use crate::dm::syncml::Message;
use crate::dm::trigger::{RESYNC_NONCE, Trigger};
use crate::dm::wire::Envelope;
use crate::ids::{ServerId, device_id};

/// What is kept of one device.
#[derive(Debug, Default)]
pub struct Peer {
    nonces: Nonces,
    /// The number of the latest call, without [`FIRST_CALL`].
    calls: Option<u16>,
    queue: VecDeque<(u64, Errand)>,
    called: Option<Called>,
    /// The session of the authenticated device.
    session: Option<Box<Session>>,
    /// A session of somebody who claims to be the device and has not proved it yet. It harms no other session.
    knock: Option<Box<Session>>,
}

/// A trigger has been sent, and no session has come of it yet.
#[derive(Debug)]
struct Called {
    session_id: u16,
    /// When to call again with the nonce of last resort; `NEVER` once that has been done.
    again: Moment,
    until: Moment,
}

impl Peer {
    /// Whether there is a session, or a call for one.
    pub fn is_busy(&self) -> bool {
        self.called.is_some() || self.session.is_some()
    }

    /// Whether there is nothing to remember: the device could as well have never been heard of.
    pub fn is_blank(&self) -> bool {
        !self.is_busy()
            && self.knock.is_none()
            && self.queue.is_empty()
            && self.calls.is_none()
            && self.nonces == Nonces::default()
    }

    /// The next moment at which something has taken too long.
    pub fn deadline(&self) -> Moment {
        let called = self.called.as_ref().map_or(Moment::NEVER, |called| called.again.min(called.until));
        let until = |session: &Option<Box<Session>>| session.as_ref().map_or(Moment::NEVER, |session| session.until);
        called.min(until(&self.session)).min(until(&self.knock))
    }

    /// The account on the device is as the book derives it.
    pub fn forget_nonces(&mut self) {
        self.nonces = Nonces::default();
    }

    /// Puts an errand into the queue, and calls the device unless it is busy.
    pub fn run(&mut self, ticket: u64, errand: Errand, turn: &mut Turn<'_>) {
        self.queue.push_back((ticket, errand));
        self.go_on(turn);
    }

    /// Gives up what has taken too long.
    pub fn expire(&mut self, turn: &mut Turn<'_>) {
        let is_due = |session: &mut Box<Session>| session.until <= turn.now;
        self.knock.take_if(is_due);
        if let Some(session) = self.session.take_if(is_due) {
            break_off(*session, DeviceFailure::Unreachable, turn);
        }
        if self.called.take_if(|called| called.until <= turn.now).is_some() {
            self.fail_first(DeviceFailure::Unreachable, turn);
        }
        if let Some(called) = self.called.as_mut().filter(|called| called.again <= turn.now) {
            // It may have ignored a digest made with a nonce it does not expect (Notification 1.2).
            called.again = Moment::NEVER;
            let session_id = called.session_id;
            self.nonces.resync(&RESYNC_NONCE);
            self.trigger(session_id, turn);
        }
        self.go_on(turn);
    }

    /// Takes a package of the device, or of somebody who claims to be it.
    pub fn receive(&mut self, exchange: u64, envelope: Envelope, certificate: bool, turn: &mut Turn<'_>) {
        let header = &envelope.message.header;
        let is_it = |session: &mut Box<Session>| session.id == header.session_id;
        let mut session = match self.knock.take_if(is_it).or_else(|| self.session.take_if(is_it)) {
            Some(session) if session.is_over && !session::is_restart(&envelope.message) => {
                turn.out.push(Effect::Reject { exchange, status: BAD_REQUEST });
                return self.put_back(session);
            }
            Some(session) if session.is_over => Box::new(Session::new(&session.id)),
            Some(session) if session.is_authenticated && session::is_restart(&envelope.message) => {
                self.put_back(session);
                Box::new(Session::new(&header.session_id))
            }
            Some(session) => session,
            None => Box::new(Session::new(&header.session_id)),
        };
        if session.heard == header.msg_id {
            turn.out.push(Effect::Reject { exchange, status: BAD_REQUEST });
            return self.put_back(session);
        }
        session.heard.clone_from(&header.msg_id);
        session.until = turn.timeout();
        let proof = if session.is_authenticated && turn.settings.accounts.scheme != Scheme::Hmac {
            Proof::Good
        } else {
            self.nonces.check(&envelope, certificate, session.offered, turn.device, turn.settings)
        };
        match proof {
            Proof::Good => self.accept(exchange, session, envelope.message, turn),
            Proof::Missing | Proof::Wrong => self.refuse(exchange, session, proof, &envelope.message, turn),
        }
    }

    /// The device has not proved who it is: challenges it, and the second time turns it away. One client in the field
    /// would go on with its wrong password for ever: in a session that is over it gets no challenge that it could answer,
    /// but a status that ends it. Nothing that it says is remembered but in its own session.
    fn refuse(
        &mut self,
        exchange: u64,
        mut session: Box<Session>,
        proof: Proof,
        message: &Message,
        turn: &mut Turn<'_>,
    ) {
        session.failures += 1;
        let is_over = session.failures > CHALLENGES;
        let code = if proof == Proof::Missing { NO_CREDENTIALS } else { WRONG_CREDENTIALS };
        let chal = if is_over { None } else { self.nonces.offer(&mut session.offered, turn.device, turn.settings) };
        let is_over = is_over || chal.is_none();
        let reply = Reply { to: message, header_code: code, code: Some(code), chal, commands: Commands::None };
        session.reply(exchange, reply, &self.nonces, turn);
        let device = turn.device;
        if !is_over {
            turn.note(Note::Challenged { device, missing: proof == Proof::Missing });
            return self.put_back(session);
        }
        turn.note(Note::TurnedAway { device });
        // Hexadecimal, in whatever letters, and with zeros before it or not.
        let number = u16::from_str_radix(&session.id, 16);
        let is_called = self.called.take_if(|called| number == Ok(called.session_id)).is_some();
        if session.is_authenticated {
            break_off(*session, DeviceFailure::NotAuthenticated, turn);
        } else {
            if is_called {
                self.fail_first(DeviceFailure::NotAuthenticated, turn);
            }
            session.is_over = true;
            self.put_back(session);
        }
        self.go_on(turn);
    }

    /// The device has proved who it is.
    fn accept(&mut self, exchange: u64, mut session: Box<Session>, mut message: Message, turn: &mut Turn<'_>) {
        let (device, scheme) = (turn.device, turn.settings.accounts.scheme);
        let is_new = !std::mem::replace(&mut session.is_authenticated, true);
        session.failures = 0;
        session.limits.hear(&message.header.meta);
        if let Some(number) = session.offered.take() {
            self.nonces.adopt(number);
        }
        // It has one session at a time: with a new one, the old one is broken off.
        let broken = if is_new { self.session.take() } else { None };
        if is_new {
            self.called = None;
        }
        // With MD5 the new nonce is for the next session, with HMAC for the next message.
        let chal = if is_new && scheme == Scheme::Md5 || scheme == Scheme::Hmac {
            self.nonces.challenge(device, turn.settings)
        } else {
            None
        };
        let is_visit = is_new && session::opening_alert(&message) == Some(CLIENT_INITIATED) && self.queue.is_empty();

        let mut ended = Vec::new();
        let commands = self.next_commands(&turn.settings.accounts.server, &mut session, &mut message, &mut ended);
        let header_code = session::accepted(scheme, message.header.cred.is_some());
        let is_last = matches!(commands, Commands::None);
        let is_abort = session::is_abort(&message);
        let not_believed = ended.iter().any(|(_, report)| report.result == Err(DeviceFailure::NotAuthenticated));
        let own_account_removed = ended.iter().any(|(_, report)| report.own_account_removed);
        session.reply(exchange, Reply { to: &message, header_code, code: None, chal, commands }, &self.nonces, turn);

        if let Some(broken) = broken {
            break_off(*broken, DeviceFailure::Unreachable, turn);
        }
        if is_new {
            turn.note(Note::SessionOpened { device });
        }
        if not_believed {
            turn.note(Note::NotBelieved { device });
        }
        turn.out.extend(ended.into_iter().map(|(ticket, report)| Effect::Finished { ticket, report }));
        if is_visit {
            turn.out.push(Effect::Connected { device });
        }
        if is_last {
            turn.note(Note::SessionEnded { device, in_order: !not_believed && !is_abort });
        } else {
            self.session = Some(session);
        }
        if own_account_removed {
            self.forget_nonces();
            for (ticket, _) in self.queue.drain(..) {
                turn.out.push(Effect::Finished { ticket, report: Report::failed(DeviceFailure::NoAccount) });
            }
        }
        self.go_on(turn);
    }

    /// Hears the device's answers, and works out what comes next. Errands that end meanwhile are put into `ended`.
    fn next_commands(
        &mut self,
        me: &ServerId,
        session: &mut Session,
        message: &mut Message,
        ended: &mut Vec<(u64, Report)>,
    ) -> Commands {
        let is_believed = self.hear_header(session, message);
        if session::is_abort(message) {
            ended.extend(session.running.take().map(|it| (it.ticket, it.script.abandon(DeviceFailure::Unreachable))));
            return Commands::None;
        }
        let mut results = None;
        if let Some(running) = &mut session.running
            && let Some(mut round) = running.round.take()
        {
            if let Belief::NotYet { again } = is_believed {
                session.rejections += 1;
                if again && session.rejections <= CHALLENGES {
                    return Commands::Orders(round.orders);
                }
                ended.extend(
                    session.running.take().map(|it| (it.ticket, it.script.abandon(DeviceFailure::NotAuthenticated))),
                );
                return Commands::None;
            }
            round.fill(message);
            if !message.is_final {
                running.round = Some(round);
                return Commands::NextMessage;
            }
            results = Some(round.results());
        } else if !message.is_final {
            return Commands::NextMessage;
        }
        self.next_orders(me, session, results, ended).map_or(Commands::None, Commands::Orders)
    }

    /// Goes on with the errand under way, and when it has ended with the next one in the queue.
    fn next_orders(
        &mut self,
        me: &ServerId,
        session: &mut Session,
        mut results: Option<Vec<OrderResult>>,
        ended: &mut Vec<(u64, Report)>,
    ) -> Option<Vec<Order>> {
        loop {
            let mut running = match session.running.take() {
                Some(running) => running,
                None => {
                    let (ticket, errand) = self.queue.pop_front()?;
                    Running::new(ticket, Script::new(me, errand))
                }
            };
            match running.next(results.take().unwrap_or_default(), session.limits) {
                Step::Orders(orders) => {
                    session.running = Some(running);
                    return Some(orders);
                }
                Step::Finished(report) => {
                    let is_last = report.own_account_removed;
                    ended.push((running.ticket, report));
                    if is_last {
                        return None;
                    }
                }
            }
        }
    }

    /// Keeps the nonce that the device wants next; whether it believes us.
    fn hear_header(&mut self, session: &mut Session, message: &Message) -> Belief {
        let Some(status) = message.header_status() else { return Belief::Yes };
        let nonce = status.chal.as_ref().and_then(|chal| chal.next_nonce.as_deref());
        if let Some(nonce) = nonce {
            self.nonces.use_next(nonce);
        }
        // Accepted for the rest of the session (212), or for this message only (200).
        session.is_believed |= status.code == 212;
        if is_done(status.code) { Belief::Yes } else { Belief::NotYet { again: nonce.is_some() } }
    }

    /// Calls the device when there is something to do and nothing under way.
    fn go_on(&mut self, turn: &mut Turn<'_>) {
        if self.is_busy() || self.queue.is_empty() {
            return;
        }
        // A server that has lost its memory must not begin with the numbers it has used before: devices take a number
        // that comes again for the same session.
        let call = self.calls.map_or((turn.now.nanos() >> 20) as u16, |last| last.wrapping_add(1)) & !FIRST_CALL;
        self.calls = Some(call);
        let session_id = FIRST_CALL | call;
        let again = turn.now + turn.settings.session_timeout / 2;
        self.called = Some(Called { session_id, again, until: turn.timeout() });
        self.trigger(session_id, turn);
    }

    fn trigger(&self, session_id: u16, turn: &mut Turn<'_>) {
        let Some((ticket, _)) = self.queue.front() else { return };
        let book = &*turn.settings.accounts;
        let secret = book.derive(&device_id(turn.device), Derived::ServerSecret);
        let nonce = self.nonces.ours(turn.device, book);
        let trigger = Trigger::new(book.server.clone(), session_id);
        let bytes = trigger.write(turn.settings.trigger_version, &secret, &nonce);
        turn.out.push(Effect::Trigger { ticket: *ticket, device: turn.device, bytes });
    }

    /// The errand for which the device was called has failed.
    fn fail_first(&mut self, failure: DeviceFailure, turn: &mut Turn<'_>) {
        if let Some((ticket, _)) = self.queue.pop_front() {
            turn.out.push(Effect::Finished { ticket, report: Report::failed(failure) });
        }
    }

    fn put_back(&mut self, session: Box<Session>) {
        let place = if session.is_authenticated { &mut self.session } else { &mut self.knock };
        *place = Some(session);
    }
}

/// Whether the device believes us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    Yes,
    /// `again`: whether it has given a nonce to try again with.
    NotYet {
        again: bool,
    },
}

/// An authenticated session has not come to its end in order.
fn break_off(session: Session, failure: DeviceFailure, turn: &mut Turn<'_>) {
    if let Some(running) = session.running {
        let report = running.script.abandon(failure);
        turn.out.push(Effect::Finished { ticket: running.ticket, report });
    }
    turn.note(Note::SessionEnded { device: turn.device, in_order: false });
}

/// How often either side is given another chance to prove itself.
const CHALLENGES: u8 = 1;
/// Sessions that we call for have numbers from here on, so that those a device opens by itself seldom meet them.
const FIRST_CALL: u16 = 0x8000;
const BAD_REQUEST: u16 = 400;
const WRONG_CREDENTIALS: u16 = 401;
const NO_CREDENTIALS: u16 = 407;
