//! Which flow is under way on each device, for whoever counts messages by flow. One byte per device, no locks.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::delegation::flow::FlowKind;
use crate::ids::DeviceNumber;
use crate::measure::outcome::flow_slot;

/// No flow yet.
const NONE: u8 = u8::MAX;

/// The latest flow of each device: what comes late still belongs to it. Shared by all threads.
pub struct PresentFlows {
    kinds: Vec<FlowKind>,
    slots: Box<[AtomicU8]>,
}

impl PresentFlows {
    /// Of so many devices, none of which has had a flow yet.
    pub fn new(devices: u32) -> PresentFlows {
        let slots = (0..devices).map(|_| AtomicU8::new(NONE)).collect();
        PresentFlows { kinds: FlowKind::all().collect(), slots }
    }

    /// A flow begins on a device.
    pub fn begin(&self, device: DeviceNumber, flow: FlowKind) {
        if let (Some(slot), Ok(number)) = (self.slots.get(device.0 as usize), u8::try_from(flow_slot(flow))) {
            slot.store(number, Ordering::Relaxed);
        }
    }

    /// The latest flow of a device; `None` when there was none, or no such device.
    pub fn of(&self, device: DeviceNumber) -> Option<FlowKind> {
        let slot = self.slots.get(device.0 as usize)?.load(Ordering::Relaxed);
        self.kinds.get(usize::from(slot)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_flow_of_a_device_is_known() {
        let present = PresentFlows::new(2);
        assert_eq!(present.of(DeviceNumber(1)), None);
        for flow in FlowKind::all() {
            present.begin(DeviceNumber(1), flow);
            assert_eq!(present.of(DeviceNumber(1)), Some(flow));
        }
        present.begin(DeviceNumber(9), FlowKind::all().next().expect("there are flows"));
        assert_eq!((present.of(DeviceNumber(0)), present.of(DeviceNumber(9))), (None, None));
    }
}
