//! One fault of a scenario: where it acts, what it is about, when it fires, what it does.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::delegation::message::Kind;
use crate::facts::pattern::Pattern;
use crate::faults::latency::Distribution;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};

/// One fault. Its index in the scenario's list is its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique among the rules.
    pub name: String,
    pub site: Site,
    pub about: Selector,
    pub when: When,
    pub action: Action,
}

impl Rule {
    /// Whether it depends on the order in which things happen in real time, so that two runs may differ.
    pub fn is_order_dependent(&self) -> bool {
        self.when.window.is_some() || self.when.fired.is_some()
    }

    /// Whether it acts at a step of a server, and not on what passes a site.
    pub fn is_at_step(&self) -> bool {
        matches!(self.site, Site::Process | Site::Store) && self.about.step.is_some()
    }

    /// The keys of its `match` that are filled in and that nothing can be compared with: at a step only the server and
    /// the device are known, elsewhere there is no step.
    pub fn meaningless(&self) -> Vec<&'static str> {
        let about = &self.about;
        let filled: &[(&'static str, bool)] = if self.is_at_step() {
            &[
                ("to", about.to.is_some()),
                ("direction", about.direction.is_some()),
                ("role", about.role.is_some()),
                ("class", about.class.is_some()),
                ("message", about.messages.is_some()),
                ("session", about.session.is_some()),
                ("attempt", about.attempt.is_some()),
                ("state", about.state.is_some()),
            ]
        } else {
            &[("step", about.step.is_some())]
        };
        filled.iter().filter(|(_, is_filled)| *is_filled).map(|(key, _)| *key).collect()
    }
}

/// Where a fault acts: `where` in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// `tcp.connect`: before there is a connection.
    TcpConnect,
    /// `tcp`: on the connection that carries the exchange, below TLS.
    Tcp,
    /// `tls`: while TLS is agreed on.
    Tls,
    /// `http.request`: on the way to the answering side.
    Request,
    /// `http.response.before_handler`: the answering side has read the request, and its party has not.
    BeforeHandler,
    /// `http.response.after_handler`: the party has acted, and its answer is on the way back.
    AfterHandler,
    /// `protocol`: what the sender says is not what it should say.
    Protocol,
    /// `store`: a server writes to its durable store.
    Store,
    /// `process`: a server's process, at a step that the selector names.
    Process,
    /// `trigger`: package 0 on its way to a device.
    Trigger,
    /// `device`: the device itself, when a session with it begins.
    Device,
    /// `bootstrap`: a device fetches its document.
    Bootstrap,
}

/// What a fault is about: `match` in a scenario. Everything that is left out is any.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selector {
    /// The asking side: servers by name. For `store` and `process` the server itself; `from`.
    pub from: Option<Vec<ServerNumber>>,
    /// The answering side; `to`.
    pub to: Option<Vec<End>>,
    /// `direction`: who asks whom.
    pub direction: Option<Direction>,
    /// `role`: which part of the delegation the asking server plays.
    pub role: Option<Role>,
    /// `devices`: numbers, or a stable share of them.
    pub devices: Devices,
    /// `class`: index of a device class.
    pub class: Option<usize>,
    /// `message`: of any of these kinds; for an answer, the message in it or the one it answers.
    pub messages: Option<Vec<Kind>>,
    /// `session`: the how-manieth process (or management session) of this device, from 1.
    pub session: Option<RangeInclusive<u32>>,
    /// `attempt`: the how-manieth try of the same request, from 1.
    pub attempt: Option<RangeInclusive<u32>>,
    /// `state`: what the sender's record waits for, such as `ExpectConfirmed`.
    pub state: Option<String>,
    /// `step`: for `process` and `store`: the fact at which it happens. At `process` nothing happens without one.
    pub step: Option<Pattern>,
}

/// One end of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    Server(ServerNumber),
    Bootstrap(BootstrapServerNumber),
    Device,
}

/// Who asks whom: `server-to-server`, `device-to-server`, `server-to-device`, `device-to-bootstrap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    ServerToServer,
    DeviceToServer,
    /// Triggers.
    ServerToDevice,
    DeviceToBootstrap,
}

/// `delegating` or `delegated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Delegating,
    Delegated,
}

/// Which devices.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Devices {
    #[default]
    All,
    /// A share of them, 0 to 1, always the same devices for one seed and rule.
    Share(f64),
    /// By number; sorted.
    These(Vec<DeviceNumber>),
}

/// When a fault fires: `when` in a scenario. Everything that is left out is always.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// `probability`, 0 to 1.
    pub probability: f64,
    /// `nth`: the how-manieth occasion, counted per device and session, from 1.
    pub nth: Option<u32>,
    /// `every`: each so-manieth occasion, counted per device and session.
    pub every: Option<u32>,
    /// `first`: the first so many occasions, counted per device and session.
    pub first: Option<u32>,
    /// `from`, `until`: since the run began. Makes the rule depend on the order of things.
    pub window: Option<(Duration, Duration)>,
    /// `after`: only once this has been seen on the device.
    pub after: Option<Pattern>,
    /// `before`: only until this has been seen on the device.
    pub before: Option<Pattern>,
    /// `budget`: at most so many devices in the run, those of the lowest keyed hash: spent in advance, so that threads
    /// cannot change who gets it.
    pub budget: Option<u32>,
    /// `budget_per_device`: fires at most so often on one device.
    pub budget_per_device: Option<u32>,
    /// `while`: only while the rule of this number has fired on the device before. Depends on the order of things.
    pub fired: Option<usize>,
}

impl Default for When {
    fn default() -> When {
        When {
            probability: 1.0,
            nth: None,
            every: None,
            first: None,
            window: None,
            after: None,
            before: None,
            budget: None,
            budget_per_device: None,
            fired: None,
        }
    }
}

/// What a fault does: `do` in a scenario. The sites at which each may stand are in [`Action::sites`].
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `"refuse"`: nobody listens.
    Refuse,
    /// `"black-hole"`: nothing comes back, not even a refusal.
    BlackHole,
    /// `{ reset = "request-body" }`: RST while this is under way.
    ResetAt(ExchangePhase),
    /// `{ reset_after = "100B" }`: RST once so many bytes have gone out.
    ResetAfter(u64),
    /// `{ stall = "2s" }`: for so long nothing is read or written; at `tls`, the handshake after its first flight.
    Stall(Duration),
    /// `{ slow_close = "2s" }`: the connection is not kept, and closed only after so long.
    SlowClose(Duration),
    /// `{ bandwidth = "1KiB" }`: bytes a second, each way.
    Bandwidth(u64),
    /// `{ slice = 7, gap = "5ms" }`: written in pieces of so many bytes.
    Slice { bytes: u32, gap: Duration },
    /// `{ certificate = "expired" }`: what the asking side shows.
    Certificate(BadCertificate),
    /// `"refuse-resumption"`: a new connection with a full handshake.
    RefuseResumption,
    /// `"drop"`: it never arrives. On a request the asking side waits until its time is over; `{ drop = "reset" }`: it
    /// sees the connection break.
    Drop { breaks: bool },
    /// `{ delay = "1s" }`, `{ delay = { normal = ... } }`, `{ delay = "nb-iot" }`.
    Delay(Distribution),
    /// `{ duplicate = "same-connection", gap = "5ms" }`.
    Duplicate { on: SameOrNew, gap: Duration },
    /// `{ swap = "1s" }`: held until the next POST of the same sender to the same peer for this device has been
    /// answered, at most so long.
    Swap(Duration),
    /// `{ hold = "timer confirmed at home", at_most = "5s" }`: a gate.
    Hold { until: Pattern, at_most: Duration },
    /// `{ status = 503, retry_after = "1s" }`.
    Status { status: u16, retry_after: Option<Duration> },
    /// `{ content_type = "text/plain" }`; an empty one is left out.
    ContentType(String),
    /// `"empty-body"`.
    EmptyBody,
    /// `{ oversize = "2MiB" }`: blanks are added until it is so long.
    Oversize(u64),
    /// `"close"`: `Connection: close`.
    Close,
    /// `{ xml = "truncated" }`: one of [`Mutation`](crate::faults::mutation::Mutation).
    Xml(crate::faults::mutation::Mutation),
    /// `{ session = "stale" }`.
    Session(BadSession),
    /// `"invert-role"`: the message of the other side that answers to this one.
    InvertRole,
    /// `"wrong-phase"`: a message of the same role out of its turn.
    WrongPhase,
    /// `{ reason = 406 }`: its reasonCode says no.
    Reason(u16),
    /// `{ full = true }`: isDelegationFull is this, whatever it should be.
    Full(bool),
    /// `{ refuse = 405 }`: the peer says no without having looked: a negative answer where the step has one, else 409.
    /// On a device: it answers the next command that changes something with this status.
    RefuseWith(u16),
    /// `"fail"`: a write to the store fails.
    Fail,
    /// `{ kill = "1s", state = "durable" }`: gone for so long, back with what is named.
    Kill { downtime: Duration, back_with: BackWith },
    /// `{ pause = "1s" }`: for so long it does nothing, and whatever it was about to do waits.
    Pause(Duration),
    /// `"twice"`: the trigger comes twice.
    Twice,
    /// `{ offline = "5s" }`: the device has no network.
    Offline(Duration),
    /// `{ busy = "2s" }`: in a session with somebody else.
    Busy(Duration),
    /// `{ drop_after = 2 }`: the session breaks after so many commands.
    DropAfter(u32),
    /// `"lose-status"`: the commands of the next package are done, and the connection breaks before their statuses.
    LoseStatus,
    /// `"reboot"`: the session and what waits is lost; the tree stays.
    Reboot,
    /// `"factory-reset"`: the tree is as at first.
    FactoryReset,
    /// `"stale"`: the document of an account that is not valid any more.
    Stale,
}

impl Action {
    /// For how long at most it is felt beyond the exchange or the session that it befalls.
    pub fn lasting(&self) -> Duration {
        match self {
            Action::Kill { downtime: lasting, .. }
            | Action::Pause(lasting)
            | Action::Offline(lasting)
            | Action::Busy(lasting)
            | Action::SlowClose(lasting)
            | Action::Swap(lasting)
            | Action::Hold { at_most: lasting, .. } => *lasting,
            // Of what it may take, one in a thousand takes longer.
            Action::Delay(takes) => takes.quantile(0.999),
            _ => Duration::ZERO,
        }
    }
}

/// A part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangePhase {
    Handshake,
    RequestHead,
    RequestBody,
    ResponseHead,
    ResponseBody,
}

/// A certificate that should not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadCertificate {
    None,
    WrongCa,
    Expired,
    NotYetValid,
    WrongName,
    /// That of another server of the scenario.
    OtherServer,
}

/// The same connection, or a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameOrNew {
    Same,
    New,
}

/// A sessionId that should not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSession {
    /// Of an earlier process of the same device.
    Stale,
    /// Of a process of another device.
    Foreign,
    /// Nobody has ever named it.
    Unknown,
}

/// What a killed server comes back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackWith {
    /// What it had written to its durable store.
    Durable,
    /// The store as it was before the latest write about each device.
    Older,
    Nothing,
}
