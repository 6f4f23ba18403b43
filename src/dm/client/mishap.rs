//! What can befall a device: decided by whoever drives it, carried out by the machine itself.

use std::collections::VecDeque;

use super::spent::Spent;
use super::{BootstrapFailure, Client, Current, Effect, Failure, Note, Outcome};
use crate::clock::Moment;
use crate::dm::syncml::{Command, Message, Verb};

/// One thing that befalls a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// No network: what is under way fails at once, triggers are lost, nothing is opened before `until`. What the device
    /// itself wants, and triggers that it had before, are seen to afterwards. A later end prolongs it.
    Offline { until: Moment },
    /// In a session with somebody else: what calls for a session waits until then. A session under way goes on.
    Busy { until: Moment },
    /// In the session under way, or else in the next one, the connection breaks as soon as so many commands have been
    /// carried out (an Atomic is one, an Alert none). They are done, the message with their statuses is never sent. A
    /// session that ends before has had it.
    DropAfter { commands: u32 },
    /// The commands of the next message that holds any are done, then the connection breaks before their statuses.
    LoseStatus,
    /// The next command that would change or execute something is answered with this code, and not done. In an Atomic it
    /// is the first such command in it, and makes the Atomic fail. Several of them are for several commands.
    Refuse { code: u16 },
    /// The session under way and everything that waits are lost, and with them the other session of a busy device. The
    /// tree and the nonces stay.
    Reboot,
    /// As a reboot; and the tree is as it was first, and nothing is remembered of any server.
    FactoryReset,
}

/// What has befallen a device and is not over.
#[derive(Debug, Default)]
pub struct Troubles {
    offline_until: Option<Moment>,
    busy_until: Option<Moment>,
    /// Commands until the connection breaks.
    drop_after: Option<u32>,
    loses_status: bool,
    refusals: VecDeque<u16>,
}

impl Troubles {
    pub fn is_offline(&self) -> bool {
        self.offline_until.is_some()
    }

    /// Until when no session can begin; `NEVER` where one can begin now.
    pub fn until(&self) -> Moment {
        self.offline_until.max(self.busy_until).unwrap_or(Moment::NEVER)
    }

    /// Takes the code that the next change is refused with.
    pub fn next_refusal(&mut self) -> Option<u16> {
        self.refusals.pop_front()
    }

    /// Whether the connection breaks here.
    pub fn breaks_now(&self) -> bool {
        self.drop_after == Some(0)
    }

    /// A command has been carried out.
    pub fn count(&mut self, command: &Command) {
        if is_work(command) {
            self.drop_after = self.drop_after.map(|left| left.saturating_sub(1));
        }
    }

    /// Whether the statuses of this message are lost, now that all in it has been done.
    pub fn loses_statuses_of(&mut self, message: &Message) -> bool {
        message.commands().any(is_work) && std::mem::take(&mut self.loses_status)
    }

    /// A session has ended.
    pub fn end_session(&mut self) {
        self.drop_after = None;
    }

    /// Forgets what is over; whether anything is left.
    fn last(&mut self, now: Moment) -> bool {
        self.offline_until.take_if(|until| *until <= now);
        self.busy_until.take_if(|until| *until <= now);
        let waits = self.offline_until.is_some() || self.busy_until.is_some();
        waits || self.drop_after.is_some() || self.loses_status || !self.refusals.is_empty()
    }
}

/// Whether it is a command to work on, and no word about the session.
fn is_work(command: &Command) -> bool {
    !matches!(command.verb, Verb::Alert { .. })
}

impl Client {
    /// Lets a mishap happen.
    pub(super) fn suffer(&mut self, mishap: Mishap, out: &mut Vec<Effect>) {
        match mishap {
            Mishap::Offline { until } => {
                let troubles = self.troubles();
                troubles.offline_until = troubles.offline_until.max(Some(until));
                self.break_off("the device has no network", out);
            }
            Mishap::Busy { until } => {
                let troubles = self.troubles();
                troubles.busy_until = troubles.busy_until.max(Some(until));
            }
            Mishap::DropAfter { commands } => self.troubles().drop_after = Some(commands),
            Mishap::LoseStatus => self.troubles().loses_status = true,
            Mishap::Refuse { code } => self.troubles().refusals.push_back(code),
            Mishap::Reboot => self.reboot(out),
            Mishap::FactoryReset => {
                self.reboot(out);
                let watch = self.watch();
                self.tree.reset();
                self.nonces = Vec::new();
                self.spent = Spent::default();
                self.own_sessions = 0;
                self.tell(watch, out);
            }
        }
    }

    /// Drops what is over, so that a device at rest keeps no room for it.
    pub(super) fn recover(&mut self, now: Moment) {
        self.troubles.take_if(|troubles| !troubles.last(now));
    }

    fn reboot(&mut self, out: &mut Vec<Effect>) {
        self.break_off("the device has been switched off", out);
        self.queue = VecDeque::new();
        if let Some(troubles) = &mut self.troubles {
            troubles.busy_until = None;
        }
    }

    /// Ends what is under way as a broken connection would.
    fn break_off(&mut self, why: &str, out: &mut Vec<Effect>) {
        let failure = Failure::Unreachable(why.to_owned());
        match std::mem::replace(&mut self.current, Current::Nothing) {
            Current::Nothing => {}
            Current::Session(session) => self.end(*session, Outcome::Failed(failure), out),
            Current::Fetch { .. } => {
                out.push(Effect::Note(Note::BootstrapFailed(BootstrapFailure::Fetch(failure))));
            }
        }
    }

    fn troubles(&mut self) -> &mut Troubles {
        self.troubles.get_or_insert_default()
    }
}
