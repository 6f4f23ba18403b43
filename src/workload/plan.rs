//! The starts of one run, all fixed before it begins.

use crate::clock::Moment;
use crate::ids::DeviceNumber;
use crate::workload::arrival::{Arrival, Moments};

/// How much load there is, and how it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// How many journeys are started in all.
    pub starts: u32,
    pub arrival: Arrival,
}

/// One start of one journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When it should happen, whatever the state of the run: response times count from here.
    pub intended: Moment,
    pub device: DeviceNumber,
}

/// The starts in their order: the n-th is that of device n. Each device has one journey: where there are more starts
/// than devices the numbers begin again, and a start whose device has had its journey is dropped, and counted.
///
/// A closed load has no intended moments of its own: all its starts say [`Moment::ZERO`], at most
/// [`Plan::at_once`] may be under way, and a start is intended for the moment a place is free.
#[derive(Debug, Clone)]
pub struct Plan {
    devices: u32,
    starts: u32,
    made: u32,
    moments: Option<Moments>,
    at_once: Option<u32>,
}

impl Plan {
    /// The plan of a load on so many devices (at least 1).
    pub fn new(load: &Load, devices: u32) -> Plan {
        let (moments, at_once) = match &load.arrival {
            Arrival::Open(phases) => (Some(Moments::of(phases.clone())), None),
            Arrival::Closed { at_once } => (None, Some(*at_once)),
        };
        Plan { devices, starts: load.starts, made: 0, moments, at_once }
    }

    /// How many starts there are in all.
    pub fn starts(&self) -> u32 {
        self.starts
    }

    /// For a closed load: how many journeys may be under way at once.
    pub fn at_once(&self) -> Option<u32> {
        self.at_once
    }

    /// How many starts can find no free device.
    pub fn dropped(&self) -> u32 {
        self.starts.saturating_sub(self.devices)
    }
}

impl Iterator for Plan {
    type Item = Start;

    fn next(&mut self) -> Option<Start> {
        if self.made == self.starts || self.devices == 0 {
            return None;
        }
        let intended = match &mut self.moments {
            Some(moments) => moments.next()?,
            None => Moment::ZERO,
        };
        let device = DeviceNumber(self.made % self.devices);
        self.made += 1;
        Some(Start { intended, device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;
    use crate::workload::arrival::Phase;

    fn open(starts: u32) -> Load {
        let phase = Phase::Hold { rate: Rate::per_second(50.0), over: None };
        Load { starts, arrival: Arrival::Open(vec![phase]) }
    }

    #[test]
    fn every_device_starts_once_in_order() {
        let starts: Vec<Start> = Plan::new(&open(100), 100).collect();
        assert_eq!(starts.len(), 100);
        assert!(starts.iter().enumerate().all(|(n, start)| start.device.0 == n as u32));
        assert_eq!(starts[99].intended, Moment::from_millis(1_980));
    }

    #[test]
    fn starts_beyond_the_devices_are_known_to_be_dropped() {
        let plan = Plan::new(&open(120), 100);
        assert_eq!(plan.dropped(), 20);
        assert_eq!(plan.last().map(|start| start.device), Some(DeviceNumber(19)));
        assert_eq!(Plan::new(&open(80), 100).dropped(), 0);
    }

    #[test]
    fn a_closed_load_has_places_instead_of_moments() {
        let plan = Plan::new(&Load { starts: 10, arrival: Arrival::Closed { at_once: 4 } }, 10);
        assert_eq!((plan.at_once(), plan.starts()), (Some(4), 10));
        assert!(plan.clone().all(|start| start.intended == Moment::ZERO));
        assert_eq!(plan.count(), 10);
    }

    #[test]
    fn the_same_load_gives_the_same_plan() {
        let starts = |count| Plan::new(&open(count), 1000).collect::<Vec<Start>>();
        assert_eq!(starts(500), starts(500));
        assert_eq!(starts(500), starts(1000)[..500]);
    }
}
