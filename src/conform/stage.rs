//! What a case works with: a device, a letter box, and words for what the specification asks.

use std::rc::Rc;
use std::time::Duration;

use crate::conform::call::{Posted, Raw};
use crate::conform::fields::Fields;
use crate::conform::handset::Handset;
use crate::conform::log::Log;
use crate::conform::mailbox::{Arrived, Mailbox};
use crate::conform::timing::Timing;
use crate::conform::world::World;
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::reading::Readings;
use crate::delegation::{reason, xml};
use crate::dm::dmacc::DmAcc;
use crate::dm::uri::Uri;
use crate::ids::{DeviceId, ServerId, SessionId, device_id};

/// Why a case could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped(pub String);

/// How a case, or a part of one, ends.
pub type Told<T = ()> = Result<T, Stopped>;

/// The stage of one case.
pub struct Stage {
    pub world: Rc<World>,
    pub log: Rc<Log>,
    pub mailbox: Rc<Mailbox>,
    device: Option<Rc<Handset>>,
}

impl Stage {
    pub fn new(world: &Rc<World>, log: &Rc<Log>, device: Option<Rc<Handset>>) -> Stage {
        let id = device.as_ref().map(|device| device.id.clone());
        let url = id.as_ref().and_then(|id| world.bootstrap_url(id));
        let mailbox = Mailbox::new(log, id, url);
        Stage { world: Rc::clone(world), log: Rc::clone(log), mailbox, device }
    }

    /// The device of this case.
    ///
    /// # Errors
    /// Where the case was given none, it cannot go on.
    pub fn device(&self) -> Told<&Rc<Handset>> {
        self.device.as_ref().ok_or_else(|| Stopped("there is no device for this case".to_owned()))
    }

    pub fn us(&self) -> &ServerId {
        self.world.us_id()
    }

    pub fn peer(&self) -> &ServerId {
        self.world.peer_id()
    }

    pub fn timing(&self) -> Timing {
        self.world.timing
    }

    /// A sessionId that nobody has had yet, and whose messages are for this case.
    pub fn fresh_session(&self) -> SessionId {
        let session = self.world.fresh_session();
        self.mailbox.claim(&session);
        session
    }

    /// DELEGATION_REQ for the device of this case.
    pub fn request(&self, is_full: bool, session: &SessionId) -> Told<Message> {
        let device = self.device()?;
        let subtree = self.subtree()?.as_str().to_owned();
        let (manufacturer, model) = self.world.make(device.number);
        let session = session.clone();
        Ok(self.request_of(&device.id, (&manufacturer, &model), &subtree, is_full, session))
    }

    /// DELEGATION_REQ for any device.
    pub fn request_of(
        &self,
        device: &DeviceId,
        (manufacturer, model): (&str, &str),
        subtree: &str,
        is_full: bool,
        session: SessionId,
    ) -> Message {
        Message::DelegationReq {
            server: self.us().clone(),
            device: device.clone(),
            manufacturer: manufacturer.to_owned(),
            model: model.to_owned(),
            subtree: subtree.to_owned(),
            is_full,
            session,
        }
    }

    /// The sub-tree that is delegated.
    pub fn subtree(&self) -> Told<Uri> {
        Ok(self.world.subtree_of(self.device()?.number))
    }

    /// Our account on the device of this case.
    pub fn account(&self) -> Told<DmAcc> {
        Ok(self.world.account(&self.device()?.id))
    }

    /// Posts a message as any partner would.
    pub async fn post(&self, message: &Message) -> Posted {
        let body = xml::write(message, &Readings::default());
        self.send(Raw::post(body, message.kind().root())).await
    }

    /// Posts anything, in any way.
    pub async fn send(&self, raw: Raw) -> Posted {
        let exchange = self.log.exchange("us", "peer", raw.told(), raw.shown());
        let reply = self.world.call(&raw).await;
        let posted = Posted { reply, exchange: None, of: raw.name };
        let body = posted.body();
        let answered = self.log.exchange("peer", "us", posted.told(), Some(body));
        self.look_at_answer(&posted, answered);
        Posted { exchange: answered.or(exchange), ..posted }
    }

    /// What has to be true of every answer of the peer's.
    fn look_at_answer(&self, posted: &Posted, exchange: Option<usize>) {
        let Ok(reply) = &posted.reply else { return };
        self.log.check("tls/server-certificate", true, "it was verified", exchange);
        if !(200..300).contains(&reply.status) {
            return;
        }
        if reply.body.is_empty() {
            self.log.check("http/response-body", true, format!("{} without content", reply.status), exchange);
            return;
        }
        let type_holds = xml::check_content_type(reply.content_type()).is_ok();
        let found = reply.content_type().unwrap_or("none").to_owned();
        self.log.check("http/response-type", type_holds, found, exchange);
        let read = xml::read(&reply.body);
        let found = read.as_ref().map_or_else(ToString::to_string, |message| message.kind().root().to_owned());
        // One that lacks an element is a message all the same: its items are for that.
        let is_message = match &read {
            Ok(_) => true,
            Err(Misbehaved::MissingElement { .. } | Misbehaved::BadValue { .. }) => true,
            Err(_) => false,
        };
        self.log.check("http/response-body", is_message, found, exchange);
    }

    /// Whether a POST was answered with a success and no content.
    pub fn taken(&self, item: &str, posted: &Posted) -> bool {
        let holds = posted.is_success() && posted.body().is_empty();
        self.log.check(item, holds, format!("{}: {}", posted.of, posted.told()), posted.exchange);
        holds
    }

    /// As [`Stage::taken`], where the rest of the case makes no sense otherwise.
    pub fn must_be_taken(&self, item: &str, posted: &Posted) -> Told {
        self.taken(item, posted).then_some(()).ok_or_else(|| Stopped(format!("{}: {}", posted.of, posted.told())))
    }

    /// Whether a POST was not answered with a success.
    pub fn refused(&self, item: &str, posted: &Posted) -> bool {
        let holds = posted.is_refused();
        match posted.is_silent() {
            // Nothing was said, so that nothing can be held against it; that it lives on is for others to see.
            true => self.log.unseen(item, format!("{}: {}", posted.of, posted.told())),
            false => self.log.check(item, holds, format!("{}: {}", posted.of, posted.told()), posted.exchange),
        }
        holds
    }

    /// The message that answers a POST; its items are looked at. `is_yes`: whether its reasonCode is to say so.
    pub fn answer(
        &self,
        id: &str,
        kind: Kind,
        posted: &Posted,
        session: &SessionId,
        is_yes: bool,
    ) -> Told<(Option<Message>, Fields)> {
        let fields = Fields::read(posted.body());
        let is_sent = posted.status() == Some(200) && fields.root == kind.root();
        self.log.check(&format!("{id}/sent"), is_sent, posted.told(), posted.exchange);
        if !is_sent {
            return Err(Stopped(format!("{} was not answered with {kind}, but {}", posted.of, posted.told())));
        }
        self.look_at_fields(id, kind, &fields, Some(session), is_yes, posted.exchange);
        Ok((xml::read(posted.body()).ok(), fields))
    }

    /// Waits for a message of the peer's; its items are looked at.
    ///
    /// # Errors
    /// It has not come.
    pub async fn next(
        &self,
        id: &str,
        kind: Kind,
        session: Option<&SessionId>,
        is_yes: bool,
        within: Duration,
    ) -> Told<Arrived> {
        let came = self.mailbox.next(kind, within).await;
        let Some(came) = came else {
            let others = self.mailbox.waiting_roots();
            let instead =
                if others.is_empty() { String::new() } else { format!("; {} came instead", others.join(", ")) };
            let found = format!("it has not come within {} s{instead}", within.as_secs_f64());
            self.log.check(&format!("{id}/sent"), false, found.as_str(), None);
            return Err(Stopped(format!("{kind}: {found}")));
        };
        self.log.check(&format!("{id}/sent"), true, "it came", came.exchange);
        self.look_at_fields(id, kind, &came.fields, session, is_yes, came.exchange);
        Ok(came)
    }

    /// reasonCode, status and sessionId, as far as the table of the message has them.
    fn look_at_fields(
        &self,
        id: &str,
        kind: Kind,
        fields: &Fields,
        session: Option<&SessionId>,
        is_yes: bool,
        exchange: Option<usize>,
    ) {
        let check = |parameter: &str, holds, found: String| {
            self.log.check(&format!("{id}/{parameter}"), holds, found, exchange);
        };
        let has_reason =
            !matches!(kind, Kind::DelegationReq | Kind::DelegationTerminationReq | Kind::DelegationRevocationReq);
        if has_reason {
            let text = fields.get("reasonCode");
            let code = text.and_then(|text| text.parse::<u16>().ok());
            let is_known = code.is_some_and(|code| reason::lookup(code).is_some());
            let holds = is_known && reason::is_success(code) == is_yes;
            check("reasonCode", holds, text.unwrap_or("it is not there").to_owned());
        }
        if kind != Kind::DelegationReq {
            let (text, is_capital) = match (fields.get("status"), fields.get("Status")) {
                (None, Some(text)) => (Some(text), true),
                (text, _) => (text, false),
            };
            if kind == Kind::DelegationRevoked {
                self.log.answer("D3", if is_capital { "`Status`, as table 17 prints it" } else { "`status`" });
            }
            // D1: table 16 prints the status of another message, so that any will do there.
            let holds = match kind {
                Kind::DelegationRevocationReq => text.is_some_and(|text| !text.is_empty()),
                _ => text == Some(literal(kind)),
            };
            check("status", holds, text.unwrap_or("it is not there").to_owned());
        }
        if let Some(session) = session {
            let found = fields.get("sessionId").unwrap_or("it is not there");
            let holds = found == session.as_str();
            check("sessionId", holds, if holds { "the one of the process".to_owned() } else { found.to_owned() });
        }
    }

    /// The parameters of a DELEGATION_REQ of the peer's, and its session.
    pub fn look_at_request(&self, id: &str, came: &Arrived, is_full: bool) -> Told<SessionId> {
        let device = self.device()?;
        let (manufacturer, model) = self.world.make(device.number);
        let subtree = self.subtree()?;
        let check = |parameter: &str, holds, found: &str| {
            self.log.check(&format!("{id}/{parameter}"), holds, found, came.exchange);
        };
        let text = |name| came.fields.get(name).unwrap_or("it is not there");
        check("serverId", text("serverId") == self.peer().as_str(), text("serverId"));
        check("deviceId", text("deviceId") == device.id.as_str(), text("deviceId"));
        check("deviceMan", text("deviceMan") == manufacturer, text("deviceMan"));
        check("deviceMod", text("deviceMod") == model, text("deviceMod"));
        let names_it = Uri::parse(text("DMTreeURI")).is_ok_and(|uri| uri == subtree);
        check("DMTreeURI", names_it, text("DMTreeURI"));
        check("isDelegationFull", text("isDelegationFull") == is_full.to_string(), text("isDelegationFull"));
        let session = came.fields.get("sessionId").filter(|id| !id.is_empty());
        check("sessionId", session.is_some(), text("sessionId"));
        let session = session.ok_or_else(|| Stopped("the request has no sessionId".to_owned()))?;
        let session = SessionId::new(session);
        self.mailbox.claim(&session);
        let is_new = self.world.is_new_of_peer(&session);
        self.log.answer("D35", if is_new { "each has its own" } else { "one that it has given before" });
        Ok(session)
    }

    /// Asks the peer's operator for a step; the case cannot go on where nobody can be asked.
    pub async fn ask_operator(&self, step: &str) -> Told {
        let device = self.device()?;
        self.log.exchange("us", "operator", step, None);
        let asked = self.world.ask_operator(&device.id, step).await;
        let told = asked.as_ref().map_or_else(Clone::clone, |()| "accepted".to_owned());
        self.log.exchange("operator", "us", told, None);
        asked.map_err(Stopped)
    }

    /// Ends at the peer what the case has left behind there, so that the device can be used again: nothing is expected of
    /// the answers.
    pub async fn leave(&self) {
        let Some(device) = &self.device else { return };
        device.recover();
        let failed = |session| Message::DelegationFailure { reason: Some(reason::FAILED), session };
        let mut last: Vec<Message> = self.mailbox.claimed().into_iter().map(failed).collect();
        let id = device.id.clone();
        last.push(match self.world.is_peers(device.number) {
            true => Message::DelegationRevocationReq { device: id, subtree: None, session: self.fresh_session() },
            false => {
                Message::DelegationRevoked { device: Some(id), subtree: None, reason: Some(reason::OK), session: None }
            }
        });
        let all = async {
            for message in last {
                let raw = Raw::post(xml::write(&message, &Readings::default()), message.kind().root());
                let posted = Posted { reply: self.world.call(&raw).await, exchange: None, of: raw.name };
                self.log.exchange(
                    "us",
                    "peer",
                    format!("to leave nothing behind: {}: {}", raw.name, posted.told()),
                    None,
                );
            }
        };
        // A peer that does not answer gets no more of this.
        let _ = tokio::time::timeout(self.timing().request, all).await;
    }

    /// A device that nobody has.
    pub fn unknown_device(&self) -> DeviceId {
        device_id(crate::ids::DeviceNumber(self.world.devices() + 77_777))
    }
}

/// The literal that the tables have for `status`.
fn literal(kind: Kind) -> &'static str {
    match kind {
        Kind::DelegationReq => "",
        Kind::DelegationResp => "DELEGATION_RESP",
        Kind::BootstrapConfirmed => "BOOTSTRAP_CONFIRMED",
        Kind::DelegationPrepared => "PREPARED",
        Kind::DelegationConfirmed => "CONFIRMED",
        Kind::DelegationFailure | Kind::RevocationFailure => "FAILURE",
        Kind::BootstrapSrvUrlReq => "BOOT_SRV_URL_REQ",
        Kind::BootstrapSrvUrlDelivery => "BOOT_SRV_URL_DEL",
        Kind::DelegationTerminationReq | Kind::DelegationRevocationReq => "DEL_TERM_REQ",
        Kind::DelegationTerminationAck => "DEL_TERM_ACK",
        Kind::DelegationTerminationResp => "DEL_TERM_RESP",
        Kind::DelegationRevoked => "DEL_REVOKED",
    }
}
