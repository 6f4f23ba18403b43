//! Every exchange with somebody else's servers, as it was: kept until it is written, bounded, and without anything secret.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::clock::Moment;
use crate::delegation::evidence;
use crate::delegation::message::Message;
use crate::delegation::xml;
use crate::ids::{SessionId, device_number};

/// How many exchanges wait to be written at most; of more, only their number is kept. They are written each second.
const MOST: usize = 20_000;

/// The exchanges since they were taken last. Shared by all threads.
#[derive(Default)]
pub struct Tape(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    exchanges: Vec<Exchange>,
    left_out: u64,
}

/// One request and what came of it: a line of `exchanges.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// When it was asked, in seconds since the process began.
    pub at_s: f64,
    /// Who asks and who is asked, by their names in the scenario.
    pub from: String,
    pub to: String,
    /// The root of the message; left out for what is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The number of the device that the message names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
    /// A status of HTTP, or why there is none.
    pub outcome: String,
    pub took_ms: f64,
    /// Both bodies, as far as they may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

/// What was taken: lines, and how many more there would have been.
#[derive(Debug, Default)]
pub struct Taken {
    pub exchanges: Vec<Exchange>,
    pub left_out: u64,
}

impl Exchange {
    /// An exchange between these two: what was said, and what came of it.
    pub fn new(
        (from, to): (&str, &str),
        (at, took): (Moment, Duration),
        said: &[u8],
        (outcome, answered): (String, &[u8]),
    ) -> Exchange {
        let message = xml::read(said).ok();
        let device = message.as_ref().and_then(Message::device).and_then(|id| device_number(id.as_str()));
        Exchange {
            at_s: at.seconds(),
            from: from.to_owned(),
            to: to.to_owned(),
            message: message.as_ref().map(|message| message.kind().root()),
            session: message.as_ref().and_then(Message::session).map(SessionId::as_str).map(evidence::short),
            device: device.map(|device| device.0),
            outcome: evidence::short(&outcome),
            took_ms: took.as_secs_f64() * 1e3,
            said: evidence::body(said),
            answered: evidence::body(answered),
        }
    }
}

impl Tape {
    /// Keeps an exchange, where there is room.
    pub fn keep(&self, exchange: impl FnOnce() -> Exchange) {
        // Others do not wait while a body is looked at.
        let has_room = self.0.lock().unwrap_or_else(PoisonError::into_inner).exchanges.len() < MOST;
        let exchange = has_room.then(exchange);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match exchange {
            Some(exchange) if kept.exchanges.len() < MOST => kept.exchanges.push(exchange),
            _ => kept.left_out += 1,
        }
    }

    /// All that was kept since this was called last.
    pub fn take(&self) -> Taken {
        let Kept { exchanges, left_out } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Taken { exchanges, left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::reading::Readings;
    use crate::dm::dmacc::{AccountBook, AuthScheme};
    use crate::ids::{DeviceNumber, ServerId, device_id};

    #[test]
    fn what_is_kept_holds_no_secret_and_no_more_than_there_is_room_for() {
        let book = AccountBook {
            server: ServerId::new("dms2.example.test"),
            address: "https://dms2.example.test/dm".to_owned(),
            scheme: AuthScheme::Md5,
            key: 7,
        };
        let account = book.account(&device_id(DeviceNumber(3)));
        let secrets: Vec<String> =
            account.auth.iter().flat_map(|auth| [auth.secret.clone(), auth.data.clone()]).flatten().collect();
        assert_eq!(secrets.len(), 4);
        let session = SessionId::new("s\u{1b}[31m");
        let confirmed = Message::BootstrapConfirmed {
            reason: Some(200),
            bootstrapped: Some(false),
            account: Some(Box::new(account)),
            session,
        };
        let said = xml::write(&confirmed, &Readings::default());
        let times = (Moment::from_millis(1_500), Duration::from_millis(2));
        let one = || Exchange::new(("partner", "home"), times, said.as_ref(), ("204".to_owned(), b""));
        let line = serde_json::to_string(&one()).expect("a line");
        assert!(line.contains(r#""at_s":1.5,"from":"partner","to":"home","message":"bootstrap_confirmed""#), "{line}");
        assert!(secrets.iter().all(|secret| !line.contains(secret.as_str())), "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains("\\u001b"), "{line}");
        let tape = Tape::default();
        (0..MOST + 3).for_each(|_| tape.keep(one));
        let taken = tape.take();
        assert_eq!((taken.exchanges.len(), taken.left_out), (MOST, 3));
        assert_eq!((tape.take().exchanges.len(), tape.take().left_out), (0, 0));
    }
}
