//! The words by which a scenario names sites, actions and whatever else of a rule is one of a few.

use crate::faults::rule::{
    Action, BackWith, BadCertificate, BadSession, Direction, ExchangePhase, Role, SameOrNew, Site,
};

/// Gives an enum of bare variants its words: `ALL`, in this order, and `key`.
macro_rules! keyed {
    ($type:ident { $($variant:ident => $key:literal,)+ }) => {
        impl $type {
            pub const ALL: [$type; [$($key),+].len()] = [$($type::$variant),+];

            /// Its word in a scenario.
            pub const fn key(self) -> &'static str {
                match self {
                    $($type::$variant => $key,)+
                }
            }
        }
    };
}
pub(super) use keyed;

keyed!(Site {
    TcpConnect => "tcp.connect",
    Tcp => "tcp",
    Tls => "tls",
    Request => "http.request",
    BeforeHandler => "http.response.before_handler",
    AfterHandler => "http.response.after_handler",
    Protocol => "protocol",
    Store => "store",
    Process => "process",
    Trigger => "trigger",
    Device => "device",
    Bootstrap => "bootstrap",
});

keyed!(Direction {
    ServerToServer => "server-to-server",
    DeviceToServer => "device-to-server",
    ServerToDevice => "server-to-device",
    DeviceToBootstrap => "device-to-bootstrap",
});

keyed!(Role {
    Delegating => "delegating",
    Delegated => "delegated",
});

keyed!(ExchangePhase {
    Handshake => "handshake",
    RequestHead => "request-head",
    RequestBody => "request-body",
    ResponseHead => "response-head",
    ResponseBody => "response-body",
});

keyed!(BadCertificate {
    None => "none",
    WrongCa => "wrong-ca",
    Expired => "expired",
    NotYetValid => "not-yet-valid",
    WrongName => "wrong-name",
    OtherServer => "other-server",
});

keyed!(SameOrNew {
    Same => "same-connection",
    New => "new-connection",
});

keyed!(BadSession {
    Stale => "stale",
    Foreign => "foreign",
    Unknown => "unknown",
});

keyed!(BackWith {
    Durable => "durable",
    Older => "older",
    Nothing => "nothing",
});

impl Action {
    /// Its word in a scenario: alone, or the key of a table with its values.
    pub fn key(&self) -> &'static str {
        match self {
            Action::Refuse | Action::RefuseWith(_) => "refuse",
            Action::BlackHole => "black-hole",
            Action::ResetAt(_) => "reset",
            Action::ResetAfter(_) => "reset_after",
            Action::Stall(_) => "stall",
            Action::SlowClose(_) => "slow_close",
            Action::Bandwidth(_) => "bandwidth",
            Action::Slice { .. } => "slice",
            Action::Certificate(_) => "certificate",
            Action::RefuseResumption => "refuse-resumption",
            Action::Drop { .. } => "drop",
            Action::Delay(_) => "delay",
            Action::Duplicate { .. } => "duplicate",
            Action::Swap(_) => "swap",
            Action::Hold { .. } => "hold",
            Action::Status { .. } => "status",
            Action::ContentType(_) => "content_type",
            Action::EmptyBody => "empty-body",
            Action::Oversize(_) => "oversize",
            Action::Close => "close",
            Action::Xml(_) => "xml",
            Action::Session(_) => "session",
            Action::InvertRole => "invert-role",
            Action::WrongPhase => "wrong-phase",
            Action::Reason(_) => "reason",
            Action::Full(_) => "full",
            Action::Fail => "fail",
            Action::Kill { .. } => "kill",
            Action::Pause(_) => "pause",
            Action::Twice => "twice",
            Action::Offline(_) => "offline",
            Action::Busy(_) => "busy",
            Action::DropAfter(_) => "drop_after",
            Action::LoseStatus => "lose-status",
            Action::Reboot => "reboot",
            Action::FactoryReset => "factory-reset",
            Action::Stale => "stale",
        }
    }

    /// The sites at which it may stand: elsewhere there is nothing that it could do.
    pub fn sites(&self) -> &'static [Site] {
        use Site::*;
        match self {
            Action::Refuse | Action::BlackHole => &[TcpConnect],
            Action::ResetAt(_)
            | Action::ResetAfter(_)
            | Action::SlowClose(_)
            | Action::Bandwidth(_)
            | Action::Slice { .. } => &[Tcp],
            Action::Stall(_) => &[Tcp, Tls],
            Action::Certificate(_) | Action::RefuseResumption => &[Tls],
            Action::Drop { .. } => &[Request, BeforeHandler, AfterHandler, Trigger, Bootstrap],
            Action::Delay(_) => &[TcpConnect, Request, BeforeHandler, AfterHandler, Store, Trigger, Bootstrap],
            Action::Hold { .. } => &[Request, BeforeHandler, AfterHandler, Trigger],
            Action::Duplicate { .. } | Action::Swap(_) => &[Request],
            Action::Status { .. } => &[BeforeHandler, AfterHandler, Bootstrap],
            Action::EmptyBody => &[Request, AfterHandler, Bootstrap],
            Action::ContentType(_) | Action::Oversize(_) | Action::Close => &[Request, AfterHandler],
            Action::Xml(_) => &[Request, AfterHandler, Protocol],
            Action::Session(_) | Action::InvertRole | Action::WrongPhase | Action::Reason(_) | Action::Full(_) => {
                &[Protocol]
            }
            Action::RefuseWith(_) => &[BeforeHandler, Device],
            Action::Fail => &[Store],
            Action::Kill { .. } | Action::Pause(_) => &[Process],
            Action::Twice => &[Trigger],
            Action::Offline(_)
            | Action::Busy(_)
            | Action::DropAfter(_)
            | Action::LoseStatus
            | Action::Reboot
            | Action::FactoryReset => &[Device],
            Action::Stale => &[Bootstrap],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::latency::Radio;
    use crate::faults::mutation::Mutation;

    #[track_caller]
    fn check(keys: &[&str]) {
        let is_word = |key: &str| {
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
        };
        for (at, key) in keys.iter().enumerate() {
            assert!(is_word(key), "{key}");
            assert!(!keys[..at].contains(key), "{key} names two");
        }
    }

    #[test]
    fn no_word_names_two_things() {
        check(&Site::ALL.map(Site::key));
        check(&Direction::ALL.map(Direction::key));
        check(&Role::ALL.map(Role::key));
        check(&ExchangePhase::ALL.map(ExchangePhase::key));
        check(&BadCertificate::ALL.map(BadCertificate::key));
        check(&SameOrNew::ALL.map(SameOrNew::key));
        check(&BadSession::ALL.map(BadSession::key));
        check(&BackWith::ALL.map(BackWith::key));
        check(&Mutation::ALL.map(Mutation::key));
        check(&Radio::ALL.map(Radio::key));
    }

    #[test]
    fn the_two_actions_of_one_word_share_no_site() {
        let (bare, with_code) = (Action::Refuse, Action::RefuseWith(405));
        assert_eq!(bare.key(), with_code.key());
        assert!(bare.sites().iter().all(|site| !with_code.sites().contains(site)));
    }
}
