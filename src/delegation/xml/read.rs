//! A document as the message it is: the root element decides, the order does not matter, unknown elements are ignored.

use std::borrow::Cow;

use super::account;
use super::walk::Walk;
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::dm::dmacc::DmAcc;
use crate::ids::{DeviceId, ServerId, SessionId};

/// Reads the body of a request or a response.
///
/// Tolerated: any order, unknown elements with anything in them, `isClientBootstrapped` spelt right (D2), `Status`
/// (D3), any `status` or none (D1), no `reasonCode` (D19), a `DMTreeURI` or none (D4), `1` and `0` as booleans, white
/// space around values, a byte order mark. Whatever else is wrong has its name in [`Misbehaved`].
pub fn read(body: &[u8]) -> Result<Message, Misbehaved> {
    let mut walk = Walk::new(body)?;
    let root = walk.root()?;
    let kind = Kind::of_root(root).ok_or_else(|| Misbehaved::UnknownMessage { root: excerpt(root) })?;
    let mut elements = Elements { kind, texts: Default::default(), account: None };
    while let Some(name) = walk.child()? {
        match Element::of(name).filter(|element| table(kind).contains(element)) {
            None => walk.skip()?,
            Some(Element::DmAcc) => {
                let account = account::read(&mut walk)?;
                if elements.account.replace(account).is_some() {
                    return Err(elements.doubled(Element::DmAcc));
                }
            }
            Some(element) => elements.take(element, &mut walk)?,
        }
    }
    walk.finish()?;
    elements.into_message()
}

/// The longest sessionId that is taken, in octets: the text has no bound, and everybody keeps them.
const LONGEST_SESSION: usize = 1_024;

/// The first characters of what was found, for an error that somebody will read.
pub(super) fn excerpt(found: &str) -> String {
    const LENGTH: usize = 60;
    let mut excerpt: String = found.chars().take(LENGTH).collect();
    if excerpt.len() < found.len() {
        excerpt.push('…');
    }
    excerpt
}

/// A text as a boolean: XML Schema has four ways to say it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The elements of all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    ServerId,
    DeviceId,
    DeviceMan,
    DeviceMod,
    DmTreeUri,
    IsDelegationFull,
    SessionId,
    ReasonCode,
    Status,
    IsAcknowledged,
    IsClientBootstapped,
    BootstrapUrl,
    DmAcc,
}

impl Element {
    /// How many of them hold text: all but the last.
    const TEXTS: usize = Element::DmAcc as usize;

    fn of(name: &str) -> Option<Element> {
        Some(match name {
            "serverId" => Element::ServerId,
            "deviceId" => Element::DeviceId,
            "deviceMan" => Element::DeviceMan,
            "deviceMod" => Element::DeviceMod,
            "DMTreeURI" => Element::DmTreeUri,
            "isDelegationFull" => Element::IsDelegationFull,
            "sessionId" => Element::SessionId,
            "reasonCode" => Element::ReasonCode,
            "status" | "Status" => Element::Status,
            "isAcknowledged" => Element::IsAcknowledged,
            "isClientBootstapped" | "isClientBootstrapped" => Element::IsClientBootstapped,
            "bootstrapURL" => Element::BootstrapUrl,
            "DMAcc" => Element::DmAcc,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Element::ServerId => "serverId",
            Element::DeviceId => "deviceId",
            Element::DeviceMan => "deviceMan",
            Element::DeviceMod => "deviceMod",
            Element::DmTreeUri => "DMTreeURI",
            Element::IsDelegationFull => "isDelegationFull",
            Element::SessionId => "sessionId",
            Element::ReasonCode => "reasonCode",
            Element::Status => "status",
            Element::IsAcknowledged => "isAcknowledged",
            Element::IsClientBootstapped => "isClientBootstapped",
            Element::BootstrapUrl => "bootstrapURL",
            Element::DmAcc => "DMAcc",
        }
    }
}

/// What a message's table lists, and its prose (D4); any other element is unknown in it.
fn table(kind: Kind) -> &'static [Element] {
    use Element::*;
    match kind {
        Kind::DelegationReq => &[ServerId, DeviceId, DeviceMan, DeviceMod, DmTreeUri, IsDelegationFull, SessionId],
        Kind::DelegationResp => &[ReasonCode, Status, IsAcknowledged, SessionId],
        Kind::BootstrapConfirmed => &[ReasonCode, Status, IsClientBootstapped, DmAcc, SessionId],
        Kind::DelegationPrepared => &[ReasonCode, Status, IsDelegationFull, SessionId],
        Kind::BootstrapSrvUrlDelivery => &[ReasonCode, Status, BootstrapUrl, SessionId],
        Kind::DelegationTerminationReq | Kind::DelegationRevocationReq => &[DeviceId, DmTreeUri, Status, SessionId],
        Kind::DelegationRevoked => &[DeviceId, DmTreeUri, ReasonCode, Status, SessionId],
        Kind::DelegationConfirmed
        | Kind::DelegationFailure
        | Kind::BootstrapSrvUrlReq
        | Kind::DelegationTerminationAck
        | Kind::DelegationTerminationResp
        | Kind::RevocationFailure => &[ReasonCode, Status, SessionId],
    }
}

/// The elements that one document has.
struct Elements<'a> {
    kind: Kind,
    /// By [`Element`].
    texts: [Option<Cow<'a, str>>; Element::TEXTS],
    account: Option<DmAcc>,
}

impl<'a> Elements<'a> {
    fn take(&mut self, element: Element, walk: &mut Walk<'a>) -> Result<(), Misbehaved> {
        if self.texts[element as usize].is_some() {
            return Err(self.doubled(element));
        }
        let text = match walk.text()? {
            Some(text) => text,
            // Nobody looks at a status.
            None if element == Element::Status => Cow::Borrowed(""),
            None => return Err(self.bad(element, "elements")),
        };
        self.texts[element as usize] = Some(text);
        Ok(())
    }

    fn into_message(mut self) -> Result<Message, Misbehaved> {
        Ok(match self.kind {
            Kind::DelegationReq => Message::DelegationReq {
                server: ServerId::new(self.name(Element::ServerId)?),
                device: self.device()?,
                manufacturer: self.text(Element::DeviceMan)?.into_owned(),
                model: self.text(Element::DeviceMod)?.into_owned(),
                subtree: self.text(Element::DmTreeUri)?.into_owned(),
                is_full: self.boolean(Element::IsDelegationFull)?,
                session: self.session()?,
            },
            Kind::DelegationResp => Message::DelegationResp {
                reason: self.reason()?,
                is_acknowledged: self.boolean(Element::IsAcknowledged)?,
                session: self.session()?,
            },
            Kind::BootstrapConfirmed => self.into_bootstrap_confirmed()?,
            Kind::DelegationPrepared => Message::DelegationPrepared {
                reason: self.reason()?,
                is_full: self.boolean(Element::IsDelegationFull)?,
                session: self.session()?,
            },
            Kind::DelegationConfirmed => {
                Message::DelegationConfirmed { reason: self.reason()?, session: self.session()? }
            }
            Kind::DelegationFailure => Message::DelegationFailure { reason: self.reason()?, session: self.session()? },
            Kind::BootstrapSrvUrlReq => {
                Message::BootstrapSrvUrlReq { reason: self.reason()?, session: self.session()? }
            }
            Kind::BootstrapSrvUrlDelivery => Message::BootstrapSrvUrlDelivery {
                reason: self.reason()?,
                url: self.name(Element::BootstrapUrl)?.into_owned(),
                session: self.session()?,
            },
            Kind::DelegationTerminationReq => Message::DelegationTerminationReq {
                device: self.device()?,
                subtree: self.subtree(),
                session: self.session()?,
            },
            Kind::DelegationTerminationAck => {
                Message::DelegationTerminationAck { reason: self.reason()?, session: self.session()? }
            }
            Kind::DelegationTerminationResp => {
                Message::DelegationTerminationResp { reason: self.reason()?, session: self.session()? }
            }
            Kind::DelegationRevoked => self.into_delegation_revoked()?,
            Kind::RevocationFailure => Message::RevocationFailure { reason: self.reason()?, session: self.session()? },
            Kind::DelegationRevocationReq => Message::DelegationRevocationReq {
                device: self.device()?,
                subtree: self.subtree(),
                session: self.session()?,
            },
        })
    }

    /// Tables 3 and 9 share a root element; isClientBootstapped tells them apart (D14), and says whether a DMAcc counts.
    fn into_bootstrap_confirmed(mut self) -> Result<Message, Misbehaved> {
        let is_by_account = self.has(Element::IsClientBootstapped);
        let bootstrapped = if is_by_account { Some(self.boolean(Element::IsClientBootstapped)?) } else { None };
        let account = match (bootstrapped, self.account.take()) {
            (None, Some(_)) => return Err(self.missing(Element::IsClientBootstapped)),
            (Some(false), None) => return Err(self.missing(Element::DmAcc)),
            (Some(false), Some(account)) => Some(Box::new(account)),
            (Some(true), _) | (None, None) => None,
        };
        Ok(Message::BootstrapConfirmed { reason: self.reason()?, bootstrapped, account, session: self.session()? })
    }

    /// The forced form (table 18) names the device and needs no session; the other two need one (D5).
    fn into_delegation_revoked(mut self) -> Result<Message, Misbehaved> {
        let is_forced = self.has(Element::DeviceId);
        let device = if is_forced { Some(self.device()?) } else { None };
        let session = if self.has(Element::SessionId) || !is_forced { Some(self.session()?) } else { None };
        Ok(Message::DelegationRevoked { device, subtree: self.subtree(), reason: self.reason()?, session })
    }

    fn device(&mut self) -> Result<DeviceId, Misbehaved> {
        self.name(Element::DeviceId).map(DeviceId::new)
    }

    fn session(&mut self) -> Result<SessionId, Misbehaved> {
        let session = self.name(Element::SessionId)?;
        // Somebody has to remember it.
        if session.len() > LONGEST_SESSION {
            let (message, element) = (self.kind.root(), Element::SessionId.name());
            return Err(Misbehaved::BadValue { message, element, found: excerpt(&session) });
        }
        Ok(SessionId::new(session))
    }

    fn subtree(&mut self) -> Option<String> {
        self.texts[Element::DmTreeUri as usize].take().map(Cow::into_owned)
    }

    fn reason(&mut self) -> Result<Option<u16>, Misbehaved> {
        match self.texts[Element::ReasonCode as usize].take() {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.bad(Element::ReasonCode, &text)),
        }
    }

    fn boolean(&mut self, element: Element) -> Result<bool, Misbehaved> {
        let text = self.text(element)?;
        boolean(&text).ok_or_else(|| self.bad(element, &text))
    }

    /// A text that names something, and therefore cannot be empty.
    fn name(&mut self, element: Element) -> Result<Cow<'a, str>, Misbehaved> {
        let text = self.text(element)?;
        if text.is_empty() { Err(self.bad(element, "")) } else { Ok(text) }
    }

    fn text(&mut self, element: Element) -> Result<Cow<'a, str>, Misbehaved> {
        self.texts[element as usize].take().ok_or_else(|| self.missing(element))
    }

    fn has(&self, element: Element) -> bool {
        self.texts[element as usize].is_some()
    }

    fn missing(&self, element: Element) -> Misbehaved {
        Misbehaved::MissingElement { message: self.kind.root(), element: element.name() }
    }

    fn doubled(&self, element: Element) -> Misbehaved {
        Misbehaved::DoubledElement { message: self.kind.root(), element: element.name() }
    }

    fn bad(&self, element: Element, found: &str) -> Misbehaved {
        Misbehaved::BadValue { message: self.kind.root(), element: element.name(), found: excerpt(found) }
    }
}
