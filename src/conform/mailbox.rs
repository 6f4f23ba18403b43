//! What the peer posts to us in one case: answered at once as the case has it, and kept until the case asks for it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::conform::fields::Fields;
use crate::conform::log::Log;
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::reading::Readings;
use crate::delegation::{reason, xml};
use crate::ids::{DeviceId, SessionId};
use crate::transport::exchange::{Inbound, Method, Outbound};

/// How many messages wait for one case at most; a peer that floods us is told to come later.
const MOST: usize = 64;

/// One message of the peer's.
#[derive(Debug)]
pub struct Arrived {
    pub kind: Option<Kind>,
    pub message: Option<Message>,
    pub fields: Fields,
    /// Its place among the exchanges of the case.
    pub exchange: Option<usize>,
    /// Milliseconds since the run began.
    pub at_ms: u64,
}

/// How a case answers a kind of message.
#[derive(Debug, Clone)]
pub enum Answer {
    /// As one does that goes on: 204, or the message that the text has for it.
    Usual,
    /// This status alone.
    Status(u16),
    /// A refusal, where the message has one; else as [`Answer::Usual`].
    No(u16),
    /// None: the connection ends.
    HangUp,
}

/// The letter box of one case.
pub struct Mailbox {
    log: Rc<Log>,
    device: Option<DeviceId>,
    /// The URL that this device's bootstrap is at, where the case plays DMS-2.
    url: Option<String>,
    sessions: RefCell<Vec<SessionId>>,
    answers: RefCell<BTreeMap<Kind, Answer>>,
    arrived: RefCell<VecDeque<Arrived>>,
    news: Notify,
    is_closed: Cell<bool>,
}

impl Mailbox {
    pub fn new(log: &Rc<Log>, device: Option<DeviceId>, url: Option<String>) -> Rc<Mailbox> {
        Rc::new(Mailbox {
            log: Rc::clone(log),
            device,
            url,
            sessions: RefCell::default(),
            answers: RefCell::default(),
            arrived: RefCell::default(),
            news: Notify::new(),
            is_closed: Cell::new(false),
        })
    }

    /// Messages of this session are for this case.
    pub fn claim(&self, session: &SessionId) {
        let mut sessions = self.sessions.borrow_mut();
        if !sessions.contains(session) && sessions.len() < MOST {
            sessions.push(session.clone());
        }
    }

    /// The sessions of the case.
    pub fn claimed(&self) -> Vec<SessionId> {
        self.sessions.borrow().clone()
    }

    /// The case is over; what still comes is answered, and nobody asks for it.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.arrived.borrow_mut().clear();
    }

    /// From now on, messages of this kind are answered so.
    pub fn answer(&self, kind: Kind, answer: Answer) {
        self.answers.borrow_mut().insert(kind, answer);
    }

    /// Whether a message is for this case. `loose`: what cannot be read as one is as well, where it names the device or a
    /// session of the case somewhere.
    pub fn is_for(&self, fields: &Fields, body: &[u8], loose: bool) -> bool {
        let device = self.device.as_ref().map(DeviceId::as_str);
        let sessions = self.sessions.borrow();
        if !loose {
            let session = fields.get("sessionId");
            let is_ours = session.is_some_and(|id| sessions.iter().any(|ours| ours.as_str() == id));
            return is_ours || device.is_some() && fields.get("deviceId") == device;
        }
        let text = String::from_utf8_lossy(body);
        device.is_some_and(|id| text.contains(id)) || sessions.iter().any(|session| text.contains(session.as_str()))
    }

    /// Takes a message and answers it.
    pub fn take(&self, request: &Inbound, fields: Fields, read: Result<Message, Misbehaved>) -> Outbound {
        if self.arrived.borrow().len() >= MOST {
            return Outbound::status(503).with_header("retry-after", "1");
        }
        let body = request.body.as_ref().map(|body| &body[..]).unwrap_or_default();
        let root = if fields.root.is_empty() { "something that is no message" } else { &fields.root };
        let exchange = self.log.exchange("peer", "us", format!("{} {root}", request.method), Some(body));
        self.look_at_request(request, &read, exchange);
        let message = read.ok();
        if let Some(Message::DelegationReq { session, .. }) = &message {
            self.claim(session);
        }
        let kind = message.as_ref().map(Message::kind);
        let answer = match &message {
            Some(message) => self.answer_to(message),
            None => Outbound::status(400),
        };
        let is_message = !answer.body.is_empty();
        let told = match (answer.hangs_up, is_message) {
            (true, _) => "no answer: the connection ends".to_owned(),
            (_, true) => format!("{} with a message", answer.status),
            (_, false) => answer.status.to_string(),
        };
        self.log.exchange("us", "peer", told, Some(&answer.body));
        if !self.is_closed.get() {
            let at_ms = self.log.now_ms();
            self.arrived.borrow_mut().push_back(Arrived { kind, message, fields, exchange, at_ms });
            self.news.notify_waiters();
        }
        answer
    }

    /// What has to be true of every request of the peer's.
    fn look_at_request(&self, request: &Inbound, read: &Result<Message, Misbehaved>, exchange: Option<usize>) {
        let check = |item, holds, found: String| self.log.check(item, holds, found, exchange);
        let shown = request.caller.as_ref().map(|names| names.iter().collect::<Vec<_>>().join(", "));
        let found = shown.as_ref().map_or("it showed none".to_owned(), |names| format!("it showed one for {names}"));
        check("tls/client-certificate", shown.is_some(), found);
        check("http/request-method", request.method == Method::Post, request.method.to_string());
        let found = request.content_type.clone().unwrap_or_else(|| "none".to_owned());
        check("http/request-type", xml::check_content_type(request.content_type.as_deref()).is_ok(), found);
        let found = read.as_ref().err().map_or_else(|| "it can be read".to_owned(), ToString::to_string);
        check("xml/written", read.is_ok(), found);
    }

    fn answer_to(&self, message: &Message) -> Outbound {
        let answer = self.answers.borrow().get(&message.kind()).cloned().unwrap_or(Answer::Usual);
        let (refusal, session) = match answer {
            Answer::Status(status) => return Outbound::status(status),
            Answer::HangUp => return Outbound::hang_up(),
            Answer::Usual => (None, message.session().cloned()),
            Answer::No(reason) => (Some(reason), message.session().cloned()),
        };
        let reason = Some(refusal.unwrap_or(reason::OK));
        let reply = session.and_then(|session| match message.kind() {
            Kind::DelegationReq => {
                Some(Message::DelegationResp { reason, is_acknowledged: refusal.is_none(), session })
            }
            Kind::BootstrapSrvUrlReq => {
                let url = self.url.clone().filter(|_| refusal.is_none()).unwrap_or_default();
                Some(Message::BootstrapSrvUrlDelivery { reason, url, session })
            }
            Kind::DelegationTerminationReq => Some(Message::DelegationTerminationAck { reason, session }),
            _ => None,
        });
        match reply {
            Some(reply) => Outbound::ok(xml::CONTENT_TYPE, xml::write(&reply, &Readings::default())),
            None => Outbound::status(204),
        }
    }

    /// Waits for a message of this kind, and takes it out; others stay.
    pub async fn next(&self, kind: Kind, within: Duration) -> Option<Arrived> {
        self.next_of(&[kind], within).await
    }

    /// Waits for a message of one of these kinds.
    pub async fn next_of(&self, kinds: &[Kind], within: Duration) -> Option<Arrived> {
        let take = || {
            let mut arrived = self.arrived.borrow_mut();
            let place = arrived.iter().position(|one| one.kind.is_some_and(|kind| kinds.contains(&kind)));
            place.and_then(|place| arrived.remove(place))
        };
        let wait = async {
            loop {
                let news = self.news.notified();
                if let Some(found) = take() {
                    return found;
                }
                news.await;
            }
        };
        match tokio::time::timeout(within, wait).await {
            Ok(found) => Some(found),
            Err(_) => take(),
        }
    }

    /// How many messages of a kind wait.
    pub fn waiting(&self, kind: Kind) -> usize {
        self.arrived.borrow().iter().filter(|one| one.kind == Some(kind)).count()
    }

    /// The roots of all that waits.
    pub fn waiting_roots(&self) -> Vec<String> {
        self.arrived.borrow().iter().map(|one| one.fields.root.clone()).collect()
    }

    /// Forgets all that waits.
    pub fn clear(&self) {
        self.arrived.borrow_mut().clear();
    }
}
