//! One management session of a device: packages 1 and 3 out, 2 and 4 in.

use super::commands::{Commands, NEXT_MESSAGE};
use super::credentials::{Credentials, Proof};
use super::mishap::Troubles;
use super::watch::Watch;
use super::{Exchange, Failure, Initiated, Initiative, Outcome};
use crate::clock::Moment;
use crate::dm::auth::HmacCredentials;
use crate::dm::standard;
use crate::dm::syncml::{Command, Element, Header, Item, Location, Message, Status, Verb};
use crate::dm::syncml_xml;
use crate::dm::tree::Tree;
use crate::dm::trigger::NonceUsed;
use crate::dm::wire::Envelope;
use crate::ids::{ServerId, device_id};

/// How often one side may fail to prove itself before the session ends: a real client gives up as early, another one
/// never does.
const ATTEMPTS: u8 = 3;

/// A session under way.
#[derive(Debug)]
pub struct Session {
    pub server: ServerId,
    pub url: String,
    pub exchange: Exchange,
    pub deadline: Moment,
    pub credentials: Credentials,
    /// What the device knew when the session began.
    pub before: Initiative,
    opening: Opening,
    id: String,
    device: String,
    sent: u32,
    /// Whether the server has accepted the device for the whole session (212).
    is_accepted: bool,
    /// Whether the server has answered a message without an objection.
    is_heard: bool,
    /// Whether the server has proved itself for the whole session.
    is_proven: bool,
    refusals: u8,
    doubts: u8,
    /// `MaxMsgSize` of the server, as it has said first.
    server_limit: Option<u64>,
    /// What has not found room in the messages of the device's package so far.
    left: Vec<Element>,
}

/// What began a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Triggered {
        session: u16,
        nonce: NonceUsed,
    },
    /// `serial`: which of its own sessions this is.
    ByItself {
        serial: u16,
    },
}

/// What a device does after it has heard a message.
pub enum Turn {
    /// Answers: package 3.
    Say { body: Vec<Element>, is_final: bool },
    /// Begins anew with package 1, as it has been challenged (DM Security 1.2); `body` comes first in it.
    Again { body: Vec<Element> },
    /// Says no more.
    End(Outcome),
}

impl Session {
    /// A session about to begin. `quiet`: see [`Initiative`].
    pub fn new(server: ServerId, opening: Opening, mut credentials: Credentials, tree: &Tree, quiet: bool) -> Session {
        let id = match opening {
            Opening::Triggered { session, nonce } => {
                if nonce == NonceUsed::Resync {
                    credentials.resync();
                }
                format!("{session:X}")
            }
            // The lower half of the numbers is for the device's own, the upper for servers to call with.
            Opening::ByItself { serial } => format!("{:X}", serial & 0x7FFF),
        };
        Session {
            server,
            url: credentials.address.clone(),
            exchange: Exchange(0),
            deadline: Moment::NEVER,
            credentials,
            before: Initiative::before(tree, quiet),
            opening,
            id,
            device: device_id(tree.device()).as_str().to_owned(),
            sent: 0,
            is_accepted: false,
            is_heard: false,
            is_proven: false,
            refusals: 0,
            doubts: 0,
            server_limit: None,
            left: Vec::new(),
        }
    }

    /// Who wanted it.
    pub fn by(&self) -> Initiated {
        match self.opening {
            Opening::Triggered { .. } => Initiated::ByServer,
            Opening::ByItself { .. } => Initiated::ByDevice,
        }
    }

    /// The number of the trigger that opened it, if that has done its work: a server that has been reached does not
    /// call for the same session again.
    pub fn trigger_spent(&self) -> Option<u16> {
        match self.opening {
            Opening::Triggered { session, .. } => self.is_heard.then_some(session),
            Opening::ByItself { .. } => None,
        }
    }

    /// Whether it is with this server.
    pub fn is_with(&self, server: &ServerId) -> bool {
        self.server == *server
    }

    /// Whether this trigger has opened it.
    pub fn is_of(&self, server: &ServerId, number: u16) -> bool {
        self.server == *server && matches!(self.opening, Opening::Triggered { session, .. } if session == number)
    }

    /// Package 1: the alert that says who wanted the session, then DevInfo; behind what `body` holds.
    pub fn package_1(&mut self, tree: &Tree, mut body: Vec<Element>) -> Message {
        let code = match self.by() {
            Initiated::ByServer => 1200,
            Initiated::ByDevice => 1201,
        };
        let dev_info = standard::dev_info_uris().filter_map(|uri| {
            let value = tree.value(&uri)?;
            Some(Item { source: Some(uri.to_string()), data: Some(value), ..Item::default() })
        });
        body.push(alert(code));
        body.push(Element::Command(Command { cmd_id: String::new(), verb: Verb::Replace(dev_info.collect()) }));
        self.message(body, true)
    }

    /// A message with the session's header. Its elements get their CmdIDs.
    pub fn message(&mut self, mut body: Vec<Element>, is_final: bool) -> Message {
        self.sent += 1;
        for (number, element) in (1_u32..).zip(&mut body) {
            let cmd_id = match element {
                Element::Command(command) => &mut command.cmd_id,
                Element::Status(status) => &mut status.cmd_id,
                Element::Results(results) => &mut results.cmd_id,
            };
            *cmd_id = number.to_string();
        }
        let cred = if self.is_accepted { None } else { self.credentials.cred() };
        let header = Header {
            ver_dtd: "1.2".to_owned(),
            session_id: self.id.clone(),
            msg_id: self.sent.to_string(),
            target: Location { uri: self.url.clone(), name: None },
            source: Location { uri: self.device.clone(), name: self.credentials.user().map(str::to_owned) },
            cred,
            ..Header::default()
        };
        Message { header, body, is_final }
    }

    /// What the next message is signed with.
    pub fn seal(&self) -> Option<HmacCredentials> {
        self.credentials.seal()
    }

    /// Hears a message of the server and does what it asks.
    pub fn hear(
        &mut self,
        envelope: &Envelope,
        tree: &mut Tree,
        troubles: &mut Troubles,
        watch: Option<&mut Watch>,
    ) -> Turn {
        let message = &envelope.message;
        if message.header.session_id != self.id {
            return Turn::End(Outcome::Misbehaved("it answered with another SessionID"));
        }
        if let Some(uri) = &message.header.resp_uri {
            self.url.clone_from(uri);
        }
        let proof = if self.is_proven { Proof::Good } else { self.credentials.check(envelope) };
        match self.verdict(message) {
            Verdict::Welcome => self.is_heard = true,
            Verdict::Again => {
                let status = self.header_status(message, proof);
                return Turn::Again { body: vec![Element::Status(status)] };
            }
            Verdict::End(outcome) => return Turn::End(outcome),
        }
        if message.commands().any(|command| matches!(command.verb, Verb::Alert { code: Some(1223), .. })) {
            return Turn::End(Outcome::Aborted);
        }
        if message.is_final && message.commands().next().is_none() {
            // A package without a command is the end of the session (DM Protocol 1.2).
            return Turn::End(Outcome::Done);
        }
        if proof != Proof::Good {
            self.doubts += 1;
            if self.doubts >= ATTEMPTS {
                return Turn::End(Outcome::ServerNotAuthenticated);
            }
        }
        let status = self.header_status(message, proof);
        self.server_limit = self.server_limit.or(message.header.meta.max_msg_size);
        let mut commands = Commands::new(&self.server, &message.header.msg_id, status, self.room(), watch);
        for command in message.commands() {
            match proof {
                Proof::Good if troubles.breaks_now() => break,
                Proof::Good => commands.run(command, tree, troubles),
                Proof::Missing => commands.refuse(command, MISSING_CREDENTIALS),
                Proof::Wrong => commands.refuse(command, INVALID_CREDENTIALS),
            }
        }
        if proof == Proof::Good && (troubles.breaks_now() || troubles.loses_statuses_of(message)) {
            return Turn::End(Outcome::Failed(Failure::Unreachable("the connection broke".to_owned())));
        }
        let mut body = commands.into_body();
        body.splice(1..1, std::mem::take(&mut self.left));
        self.left = body.split_off(self.fitting(&body));
        let mut asked = message.commands();
        let is_asked_on = !message.is_final && asked.next().is_some_and(is_next_message) && asked.next().is_none();
        if !message.is_final && !is_asked_on {
            // The server has more to say in this package: "next message" (DM Protocol 1.2).
            body.push(alert(NEXT_MESSAGE));
        }
        Turn::Say { body, is_final: self.left.is_empty() && (message.is_final || is_asked_on) }
    }

    /// Bytes that the elements of one message may take, going by what the server takes.
    fn room(&self) -> usize {
        let limit = self.server_limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        limit.saturating_sub(FRAME)
    }

    /// How many of these elements go into one message: at least one beside the Status of the header, or it would never
    /// come to an end.
    fn fitting(&self, body: &[Element]) -> usize {
        if syncml_xml::fits(body.iter(), self.room()) {
            return body.len();
        }
        let ends = body.iter().scan(0, |end, element| {
            *end += syncml_xml::size(element);
            Some(*end)
        });
        ends.take_while(|end| *end <= self.room()).count().max(2).min(body.len())
    }

    /// What the server says of the device's own credentials.
    fn verdict(&mut self, message: &Message) -> Verdict {
        let Some(status) = message.header_status() else { return Verdict::Welcome };
        match status.code {
            INVALID_CREDENTIALS | MISSING_CREDENTIALS => {
                self.refusals += 1;
                let can_retry = status.chal.as_ref().is_some_and(|chal| self.credentials.take_challenge(chal));
                self.is_accepted = false;
                if can_retry && self.refusals < ATTEMPTS {
                    Verdict::Again
                } else {
                    Verdict::End(Outcome::NotAuthenticated)
                }
            }
            code if code >= 300 => Verdict::End(Outcome::Refused(code)),
            code => {
                // 212 counts for the rest of the session, its nonce for the next one; 200 for this message alone.
                self.is_accepted |= code == 212;
                if let Some(chal) = &status.chal {
                    self.credentials.take_nonce(chal);
                }
                Verdict::Welcome
            }
        }
    }

    /// The answer to the server's header: what the device thinks of its credentials.
    fn header_status(&mut self, message: &Message, proof: Proof) -> Status {
        let is_first_proof = proof == Proof::Good && !self.is_proven;
        let code = match proof {
            Proof::Missing => MISSING_CREDENTIALS,
            Proof::Wrong => INVALID_CREDENTIALS,
            // With an HMAC every message is proved by itself, so that 212 is never given (DM Security 1.2).
            Proof::Good if message.header.cred.is_some() && !self.credentials.is_hmac() => 212,
            Proof::Good => 200,
        };
        self.is_proven |= proof == Proof::Good && !self.credentials.is_hmac();
        let chal = match proof {
            Proof::Good if is_first_proof && self.credentials.server_uses_nonce() => self.credentials.challenge(),
            Proof::Good => None,
            Proof::Missing | Proof::Wrong => self.credentials.challenge(),
        };
        Status {
            cmd_id: String::new(),
            msg_ref: message.header.msg_id.clone(),
            cmd_ref: Some("0".to_owned()),
            cmd: "SyncHdr".to_owned(),
            target_refs: vec![message.header.target.uri.clone()],
            source_refs: vec![message.header.source.uri.clone()],
            chal,
            code,
            items: Vec::new(),
        }
    }
}

/// What to make of the server's answer to the device's credentials.
enum Verdict {
    Welcome,
    Again,
    End(Outcome),
}

fn alert(code: u16) -> Element {
    let verb = Verb::Alert { code: Some(code), correlator: None, items: Vec::new() };
    Element::Command(Command { cmd_id: String::new(), verb })
}

fn is_next_message(command: &Command) -> bool {
    matches!(command.verb, Verb::Alert { code: Some(NEXT_MESSAGE), .. })
}

/// What a message takes beside its elements, at most.
const FRAME: usize = 1_024;

const INVALID_CREDENTIALS: u16 = 401;
const MISSING_CREDENTIALS: u16 = 407;
