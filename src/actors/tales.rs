//! The flows that are told of in full: all that failed, those that took longest, and as many others as are not too many.

use std::time::Duration;

use crate::actors::board::Board;
use crate::facts::Fact;
use crate::measure::course::Ended;

/// Of the flows that ended as expected, so many are told of in a second.
const MOST_IN_A_SECOND: usize = 200;
/// So many of the flows that took longest so far are told of besides.
const SLOWEST: usize = 3;

/// A flow that has ended, and what was seen of its device meanwhile.
#[derive(Debug, Clone)]
pub struct Tale {
    pub ended: Ended,
    pub facts: Vec<Fact>,
}

/// The flows that have ended since the tales were taken last.
#[derive(Debug, Default)]
pub struct Tales {
    ended: Vec<(Ended, bool)>,
    ordinary: usize,
    /// The longest response times so far, the longest first.
    slowest: Vec<Duration>,
}

impl Tales {
    /// A flow has ended.
    pub fn hear(&mut self, ended: Ended) {
        let is_told = !ended.as_expected || self.is_slow(ended.response) || self.ordinary < MOST_IN_A_SECOND;
        self.ordinary += usize::from(ended.as_expected && is_told);
        self.ended.push((ended, is_told));
    }

    /// What is told of the flows that have ended since this was called last. Of the others nothing is kept any more.
    pub fn take(&mut self, board: &Board) -> Vec<Tale> {
        self.ordinary = 0;
        let ended = std::mem::take(&mut self.ended).into_iter();
        let told = ended.filter_map(|(ended, is_told)| {
            let facts = board.tell(ended.device, is_told);
            is_told.then_some(Tale { ended, facts })
        });
        told.collect()
    }

    /// Whether it is among the slowest so far.
    fn is_slow(&mut self, response: Duration) -> bool {
        let place = self.slowest.partition_point(|slower| *slower >= response);
        if place >= SLOWEST {
            return false;
        }
        self.slowest.insert(place, response);
        self.slowest.truncate(SLOWEST);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::delegation::flow::{FlowKind, Outcome};
    use crate::facts::What;
    use crate::ids::DeviceNumber;

    fn ended(device: u32, millis: u64, as_expected: bool) -> Ended {
        let response = Duration::from_millis(millis);
        Ended {
            device: DeviceNumber(device),
            kind: FlowKind::all().next().expect("there are flows"),
            outcome: Outcome::Done,
            as_expected,
            response,
            service: response,
            at: response,
        }
    }

    #[test]
    fn what_failed_or_took_long_is_always_told_and_of_the_rest_as_much_as_is_bearable() {
        let (mut tales, board) = (Tales::default(), Board::new(Clock::start(), 1));
        (0..1_000).for_each(|device| tales.hear(ended(device, 5, true)));
        tales.hear(ended(1_000, 1, false));
        tales.hear(ended(1_001, 9, true));
        let told: Vec<u32> = tales.take(&board).iter().map(|tale| tale.ended.device.0).collect();
        // The first ones are the slowest so far as well.
        assert_eq!(told.len(), MOST_IN_A_SECOND + 2);
        assert_eq!(told[MOST_IN_A_SECOND..], [1_000, 1_001]);
        assert!(tales.take(&board).is_empty());
        tales.hear(ended(7, 4, true));
        assert_eq!(tales.take(&board).len(), 1, "another second has begun");
    }

    #[test]
    fn nothing_is_kept_of_a_device_that_is_not_watched_once_its_flow_is_over() {
        let (mut tales, board) = (Tales::default(), Board::new(Clock::start(), 1));
        let device = DeviceNumber(5);
        let step = |number| board.saw(device, What::Step { number }, |_| ());
        step(1);
        board.open(device);
        step(2);
        tales.hear(ended(device.0, 5, false));
        let told = tales.take(&board);
        assert_eq!(told[0].facts.iter().map(|fact| &fact.what).collect::<Vec<_>>(), [&What::Step { number: 2 }]);
        step(3);
        tales.hear(ended(device.0, 5, false));
        assert!(tales.take(&board)[0].facts.is_empty());
    }
}
