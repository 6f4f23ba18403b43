//! Whether a rule is about what passes: its selector, its devices, and the moments that its `when` leaves.

use crate::clock::Moment;
use crate::delegation::message::Kind;
use crate::facts::{Fact, What};
use crate::faults::dice::Dice;
use crate::faults::forgery::answer_kind;
use crate::faults::rule::{Devices, End, Rule, Selector, Site, When};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber};

/// The devices on which a rule may fire at all.
pub(super) struct Chosen {
    dice: Dice,
    /// Those that got some of the budget, sorted; `None` where there is no budget.
    funded: Option<Vec<DeviceNumber>>,
}

impl Chosen {
    /// Spends the budget in advance. `class_of`: the class of a device, `None` where it is not known.
    pub fn new(dice: Dice, rule: &Rule, devices: u32, class_of: &dyn Fn(DeviceNumber) -> Option<usize>) -> Chosen {
        let mut chosen = Chosen { dice, funded: None };
        if let Some(budget) = rule.when.budget {
            let is_of_class = |device: &DeviceNumber| match (rule.about.class, class_of(*device)) {
                (Some(sought), Some(class)) => sought == class,
                _ => true,
            };
            let candidates = (0..devices).map(DeviceNumber);
            let candidates = candidates.filter(|device| chosen.has(&rule.about.devices, *device)).filter(is_of_class);
            let mut queue: Vec<(u64, DeviceNumber)> = candidates.map(|device| (dice.place(device), device)).collect();
            queue.sort_unstable();
            let mut funded: Vec<DeviceNumber> =
                queue.into_iter().take(budget as usize).map(|(_, device)| device).collect();
            funded.sort_unstable();
            chosen.funded = Some(funded);
        }
        chosen
    }

    pub fn has(&self, devices: &Devices, device: DeviceNumber) -> bool {
        let is_selected = match devices {
            Devices::All => true,
            Devices::Share(share) => self.dice.is_in_share(device, *share),
            Devices::These(these) => these.binary_search(&device).is_ok(),
        };
        is_selected && self.funded.as_ref().is_none_or(|funded| funded.binary_search(&device).is_ok())
    }
}

/// Whether a selector means what passes a site; its devices aside.
pub(super) fn is_about(about: &Selector, site: Site, passage: &Passage<'_>) -> bool {
    let is_from = |servers: &Vec<ServerNumber>| match passage.from {
        End::Server(server) => servers.contains(&server),
        End::Bootstrap(_) | End::Device => false,
    };
    about.direction.is_none_or(|direction| direction == passage.direction)
        && about.from.as_ref().is_none_or(is_from)
        && about.to.as_ref().is_none_or(|ends| ends.contains(&passage.to))
        && about.role.is_none_or(|role| Some(role) == passage.role)
        && about.class.is_none_or(|class| class == passage.class)
        && about.messages.as_ref().is_none_or(|kinds| passage.message.is_some_and(|kind| names(kinds, site, kind)))
        && about.session.as_ref().is_none_or(|sessions| sessions.contains(&passage.nth_session))
        && about.attempt.as_ref().is_none_or(|attempts| attempts.contains(&passage.attempt))
        && about.state.as_ref().is_none_or(|state| state == passage.state)
}

/// Whether a message is one of these. On the way back it is so too by what it answers, or by what answers it.
fn names(kinds: &[Kind], site: Site, kind: Kind) -> bool {
    let is_its_exchange = |other: &Kind| answer_kind(kind) == Some(*other) || answer_kind(*other) == Some(kind);
    kinds.contains(&kind) || (site == Site::AfterHandler && kinds.iter().any(is_its_exchange))
}

/// Whether a rule may fire at this moment, after what has been seen on the device.
pub(super) fn is_timely(when: &When, now: Moment, seen: &[Fact]) -> bool {
    let since_start = now.since(Moment::ZERO);
    let has_fired = |rule: usize| seen.iter().any(|fact| fact.what == What::Fault { rule });
    when.window.is_none_or(|(from, until)| from <= since_start && since_start < until)
        && when.after.as_ref().is_none_or(|pattern| pattern.seen_in(seen).is_some())
        && when.before.as_ref().is_none_or(|pattern| pattern.seen_in(seen).is_none())
        && when.fired.is_none_or(has_fired)
}

/// Whether the latest fact is the step of a rule at this server.
pub(super) fn is_at_step(about: &Selector, at: ServerNumber, seen: &[Fact]) -> bool {
    let (Some(step), Some(latest)) = (&about.step, seen.last()) else { return false };
    about.from.as_ref().is_none_or(|servers| servers.contains(&at))
        && step.matches(&latest.what)
        && step.seen_in(seen) == Some(seen.len())
}

/// Whether the how-manieth occasion is one that counts; from 1.
pub(super) fn is_due(when: &When, occasion: u32) -> bool {
    when.nth.is_none_or(|nth| occasion == nth)
        && when.every.is_none_or(|every| occasion.is_multiple_of(every))
        && when.first.is_none_or(|first| occasion <= first)
}
