//! What one exchange has to suffer, put together from the verdicts on it: waits, a message that is not what it should
//! be, bytes that are not, trouble on the connection, and what the answering side is to do.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::actors::desk::{After, Before, Desk, Left, Plan};
use crate::delegation::message::Message;
use crate::facts::pattern::{Hearing, Pattern, Sought};
use crate::faults::forgery;
use crate::faults::mutation::Mutation;
use crate::faults::rule::{Action, BadCertificate, Direction, ExchangePhase, SameOrNew, Site};
use crate::faults::verdict::Verdict;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::transport::dialer::Call;
use crate::transport::exchange::Inbound;
use crate::transport::tls::ClientIdentity;
use crate::transport::trouble::{Again, ConnectTrouble, Reset, ResetPhase, Swallow, Trouble};

/// The sites that an exchange over HTTPS passes: the first six in any case, the seventh by who asks whom.
pub fn sites(direction: Direction) -> &'static [Site] {
    use Site::*;
    match direction {
        Direction::ServerToServer => &[TcpConnect, Tcp, Tls, Request, BeforeHandler, AfterHandler, Protocol],
        Direction::DeviceToServer => &[TcpConnect, Tcp, Tls, Request, BeforeHandler, AfterHandler],
        Direction::DeviceToBootstrap => &[TcpConnect, Tcp, Tls, Request, BeforeHandler, AfterHandler, Bootstrap],
        Direction::ServerToDevice => &[],
    }
}

/// What one exchange has to suffer.
#[derive(Debug, Default)]
pub struct Ordeal {
    /// Before it is sent.
    pub waits: Vec<Wait>,
    /// Changes of the message itself, in order.
    pub forgeries: Vec<Action>,
    /// Changes of the request's bytes, in order.
    pub spoils: Vec<Spoil>,
    pub trouble: Option<Box<Trouble>>,
    pub before: Vec<Before>,
    pub after: Vec<After>,
    pub is_stale: bool,
}

/// What a request that has come has to suffer yet.
#[derive(Debug)]
pub struct Arrival {
    /// It has not come: it would have been lost on its way.
    pub is_lost: bool,
    /// Its caller hears nothing, where it is lost.
    pub is_silent: bool,
    /// It is answered, and the answer is lost.
    pub loses_answer: bool,
    /// It comes once more, so long after it was answered.
    pub comes_again: Option<Duration>,
    pub plan: Option<Plan>,
}

/// Something to wait for.
#[derive(Debug, Clone)]
pub enum Wait {
    For(Duration),
    Until {
        until: Pattern,
        at_most: Duration,
    },
    /// As `Until`, but what has been seen so far does not count.
    Next {
        what: Sought,
        at_most: Duration,
    },
}

/// A change of what is sent.
#[derive(Debug, Clone)]
pub enum Spoil {
    /// An empty one is left out.
    ContentType(String),
    Empty,
    /// Blanks are added until the body is so long.
    Oversize(u64),
    /// `Connection: close`.
    Close,
    Xml(Mutation),
}

impl Ordeal {
    /// Puts verdicts together. `me`: the server that asks, if one does. `identity` gives what is shown instead.
    pub fn of(
        verdicts: &[Verdict<'_>],
        me: Option<ServerNumber>,
        identity: impl Fn(BadCertificate) -> Option<ClientIdentity>,
    ) -> Ordeal {
        let mut ordeal = Ordeal::default();
        for verdict in verdicts {
            ordeal.add(verdict, me, &identity);
        }
        ordeal
    }

    /// Does to a call what befalls it from now on. What the answering side has to do lies on the desk for as long as the
    /// result is kept.
    pub fn befall(&mut self, call: &mut Call, device: DeviceNumber, desk: &Arc<Desk>) -> Option<Left> {
        self.spoil(call);
        let left = self.plan(device).map(|plan| desk.leave(plan));
        if let Some(left) = &left {
            self.trouble().answer = Some(left.number);
        }
        call.trouble = self.trouble.take();
        left
    }

    /// As [`Ordeal::befall`], of a call that leaves this process: what the answering side would have to do is for the caller
    /// to do in its place.
    pub fn befall_alone(&mut self, call: &mut Call, device: DeviceNumber) -> Option<Plan> {
        self.spoil(call);
        call.trouble = self.trouble.take();
        self.plan(device)
    }

    /// A message as faults want it, of which no other process is known; `None` where they leave it as it is.
    pub fn forged(&self, said: &Message) -> Option<Message> {
        self.forgeries.iter().fold(None, |before: Option<Message>, action| {
            let forged = forgery::forge(before.as_ref().unwrap_or(said), action, None, None);
            forged.or(before)
        })
    }

    /// Does to a request that has come what would have befallen it on its way here. Its caller is somebody else's: what
    /// should have been done there is done here, or what of it can be.
    pub fn befall_arrived(&mut self, request: &mut Inbound, device: DeviceNumber) -> Arrival {
        let mut content_type = request.content_type.take().map(Cow::Owned);
        if let Ok(body) = &mut request.body {
            for spoil in std::mem::take(&mut self.spoils) {
                spoil.apply(&mut content_type, body);
            }
        }
        request.content_type = content_type.map(Cow::into_owned);
        let Trouble { connect, identity, reset, swallow, lose_answer, again, .. } =
            self.trouble.take().map(|trouble| *trouble).unwrap_or_default();
        Arrival {
            is_lost: connect.is_some() || identity.is_some() || reset.is_some() || swallow.is_some(),
            is_silent: connect == Some(ConnectTrouble::BlackHole) || swallow == Some(Swallow::Silently),
            loses_answer: lose_answer.is_some(),
            comes_again: again.map(|again| again.gap),
            plan: self.plan(device),
        }
    }

    /// What the answering side has to do; `None` where that is nothing.
    fn plan(&self, device: DeviceNumber) -> Option<Plan> {
        let Ordeal { before, after, is_stale, .. } = self;
        let is_empty = before.is_empty() && after.is_empty() && !is_stale;
        (!is_empty).then(|| Plan { device, before: before.clone(), after: after.clone(), is_stale: *is_stale })
    }

    /// The trouble of the call, made where there is none yet.
    fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// Does to a call what is done to its bytes.
    fn spoil(&mut self, call: &mut Call) {
        for spoil in std::mem::take(&mut self.spoils) {
            match spoil {
                Spoil::Close => self.trouble().close = true,
                other => other.apply(&mut call.content_type, &mut call.body),
            }
        }
    }

    fn add(
        &mut self,
        verdict: &Verdict<'_>,
        me: Option<ServerNumber>,
        identity: &impl Fn(BadCertificate) -> Option<ClientIdentity>,
    ) {
        let draw = verdict.draw;
        let site = verdict.site;
        match (site, verdict.action) {
            // At `bootstrap` it is the document that comes out wrong: its request has nothing to spoil.
            (Site::AfterHandler | Site::Bootstrap, action) if let Some(spoil) = Spoil::of(action) => {
                self.after.push(After::Spoil(spoil));
            }
            (Site::AfterHandler, Action::Drop { breaks }) => self.trouble().lose_answer = Some(swallow(*breaks)),
            (Site::AfterHandler, Action::Status { status, retry_after }) => {
                self.after.push(After::Status { status: *status, retry_after: *retry_after });
            }
            (Site::AfterHandler, action) if let Some(wait) = wait(action, draw) => self.after.push(After::Wait(wait)),
            (Site::BeforeHandler, Action::Drop { breaks: true }) => self.before.push(Before::HangUp),
            (Site::BeforeHandler, Action::Drop { breaks: false }) => self.before.push(Before::Silence),
            (Site::BeforeHandler, action) if let Some(wait) = wait(action, draw) => {
                self.before.push(Before::Wait(wait));
            }
            (_, Action::Status { status, retry_after }) => {
                self.before.push(Before::Status { status: *status, retry_after: *retry_after });
            }
            (_, Action::RefuseWith(reason)) => self.before.push(Before::Refuse { reason: *reason }),
            (_, Action::Stale) => self.is_stale = true,
            (_, Action::Refuse) => self.trouble().connect = Some(ConnectTrouble::Refuse),
            (_, Action::BlackHole) => self.trouble().connect = Some(ConnectTrouble::BlackHole),
            (_, Action::ResetAt(phase)) => self.trouble().reset = Some(Reset::At(reset_phase(*phase))),
            (_, Action::ResetAfter(bytes)) => self.trouble().reset = Some(Reset::After(*bytes)),
            (Site::Tls, Action::Stall(time)) => self.trouble().handshake_stall = Some(*time),
            (_, Action::Stall(time)) => self.trouble().stall = Some(*time),
            (_, Action::SlowClose(time)) => self.trouble().slow_close = Some(*time),
            (_, Action::Bandwidth(rate)) => self.trouble().bandwidth = Some(*rate),
            (_, Action::Slice { bytes, gap }) => self.trouble().slice = Some((*bytes as usize, *gap)),
            (_, Action::Certificate(bad)) => self.trouble().identity = identity(*bad),
            (_, Action::RefuseResumption) => self.trouble().full_handshake = true,
            (_, Action::Drop { breaks }) => self.trouble().swallow = Some(swallow(*breaks)),
            (_, Action::Duplicate { on, gap }) => {
                let on_same_connection = *on == SameOrNew::Same;
                self.trouble().again = Some(Again { on_same_connection, gap: *gap });
            }
            (_, Action::Swap(at_most)) => {
                let what = Sought::Heard { how: Hearing::Answered, message: None, at: me };
                self.waits.push(Wait::Next { what, at_most: *at_most });
            }
            (
                _,
                action @ (Action::Session(_)
                | Action::InvertRole
                | Action::WrongPhase
                | Action::Reason(_)
                | Action::Full(_)),
            ) => self.forgeries.push(action.clone()),
            (_, action) => {
                self.waits.extend(wait(action, draw));
                self.spoils.extend(Spoil::of(action));
            }
        }
    }
}

fn wait(action: &Action, draw: u64) -> Option<Wait> {
    match action {
        Action::Delay(from) => Some(Wait::For(from.draw(draw))),
        Action::Hold { until, at_most } => Some(Wait::Until { until: until.clone(), at_most: *at_most }),
        _ => None,
    }
}

fn swallow(breaks: bool) -> Swallow {
    if breaks { Swallow::Breaking } else { Swallow::Silently }
}

fn reset_phase(phase: ExchangePhase) -> ResetPhase {
    match phase {
        ExchangePhase::Handshake => ResetPhase::Handshake,
        ExchangePhase::RequestHead => ResetPhase::RequestHead,
        ExchangePhase::RequestBody => ResetPhase::RequestBody,
        ExchangePhase::ResponseHead => ResetPhase::ResponseHead,
        ExchangePhase::ResponseBody => ResetPhase::ResponseBody,
    }
}

impl Spoil {
    fn of(action: &Action) -> Option<Spoil> {
        Some(match action {
            Action::ContentType(text) => Spoil::ContentType(text.clone()),
            Action::EmptyBody => Spoil::Empty,
            Action::Oversize(size) => Spoil::Oversize(*size),
            Action::Close => Spoil::Close,
            Action::Xml(mutation) => Spoil::Xml(*mutation),
            _ => return None,
        })
    }

    /// Changes the content type or the body; a connection is not its business.
    pub fn apply(&self, content_type: &mut Option<Cow<'static, str>>, body: &mut Bytes) {
        match self {
            Spoil::ContentType(text) => *content_type = (!text.is_empty()).then(|| text.clone().into()),
            Spoil::Empty => *body = Bytes::new(),
            Spoil::Oversize(size) => {
                let mut longer = body.to_vec();
                longer.resize(longer.len().max(usize::try_from(*size).unwrap_or(usize::MAX)), b' ');
                *body = longer.into();
            }
            Spoil::Xml(mutation) => *body = mutation.apply(body).into(),
            Spoil::Close => {}
        }
    }
}
