//! What there is to draw: the seconds so far, and the page that is shown.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::measure::Summary;
use crate::measure::health::HealthLimits;
use crate::measure::limit::LimitResult;
use crate::measure::summary::LatencyRow;
use crate::measure::timeline::TimelineRow;

/// So many seconds are kept for the sparklines: more than a terminal is wide.
const MOST_SECONDS: usize = 400;
/// Messages stand in place of the keys for so many seconds.
const MESSAGE_S: u8 = 5;

/// How a run stands, once a second.
#[derive(Debug, Clone)]
pub struct Beat {
    pub row: TimelineRow,
    /// Since the load began.
    pub at: Duration,
    /// Until the last start of the load; `None` where nobody can know.
    pub left: Option<Duration>,
    pub is_paused: bool,
    /// Of the planned rate: 1 is as planned.
    pub pace: f64,
    /// Nothing more is started.
    pub is_stopping: bool,
    pub journeys_begun: u64,
    pub journeys_under_way: u64,
    /// `None` where the load goes by time alone.
    pub journeys_planned: Option<u64>,
    pub flows_started: u64,
    pub flows_ended: u64,
    /// Of those that have ended, the ones that ended otherwise than expected.
    pub flows_failed: u64,
    /// Of all flows that ended `done` in this second, whatever their kind.
    pub second: LatencyRow,
    /// The same of the whole run.
    pub whole: LatencyRow,
    /// How the limits are kept so far; in the summary they are judged as if the run were over.
    pub limits: Vec<LimitResult>,
    /// All that was measured so far.
    pub summary: Arc<Summary>,
}

/// What does not change while a run goes on.
#[derive(Debug, Clone)]
pub struct About {
    pub scenario: String,
    pub seed: u64,
    /// What this machine may do to it before it is INVALID.
    pub health: HealthLimits,
    /// How many messages may wait in the mailbox of a server.
    pub mailbox: u64,
}

/// One page of the view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    #[default]
    Overview,
    Ladder,
    Flows,
    Health,
}

impl Page {
    /// All of them, in their order; the first is page 1.
    pub const ALL: [Page; 4] = [Page::Overview, Page::Ladder, Page::Flows, Page::Health];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Page::Overview => "overview",
            Page::Ladder => "ladder",
            Page::Flows => "flows",
            Page::Health => "health",
        }
    }

    /// The page so many places on, in a circle.
    pub fn on(self, places: usize) -> Page {
        Page::ALL[(self as usize + places) % Page::ALL.len()]
    }
}

/// All that is drawn.
#[derive(Debug, Clone)]
pub struct Screen {
    pub about: About,
    pub colour: bool,
    pub page: Page,
    pub scroll: u16,
    /// Whether times count from the send instead of from the intended start.
    pub is_service: bool,
    pub has_help: bool,
    history: VecDeque<TimelineRow>,
    last: Option<Beat>,
    /// The summary of the second before the last.
    before: Option<Arc<Summary>>,
    /// And for how many seconds it is still shown.
    message: Option<(String, u8)>,
}

impl Screen {
    /// The screen of a run in which nothing has happened yet.
    pub fn new(about: About, colour: bool) -> Screen {
        Screen {
            about,
            colour,
            page: Page::default(),
            scroll: 0,
            is_service: false,
            has_help: false,
            history: VecDeque::new(),
            last: None,
            before: None,
            message: None,
        }
    }

    /// Another second is over.
    pub fn beat(&mut self, beat: Beat) {
        self.history.push_back(beat.row);
        if self.history.len() > MOST_SECONDS {
            self.history.pop_front();
        }
        self.before = self.last.replace(beat).map(|before| before.summary);
        self.message = self.message.take().and_then(|(words, left)| Some((words, left.checked_sub(1)?)));
    }

    /// Shows words in place of the keys, for some seconds.
    pub fn say(&mut self, message: impl Into<String>) {
        self.message = Some((message.into(), MESSAGE_S));
    }

    /// How the run stands; `None` before its first second is over.
    pub fn last(&self) -> Option<&Beat> {
        self.last.as_ref()
    }

    /// What is shown in place of the keys.
    pub fn message(&self) -> Option<&str> {
        self.message.as_ref().map(|(words, _)| words.as_str())
    }

    /// One figure of the last seconds, the oldest first, at most so many.
    pub(super) fn course(&self, most: usize, figure: impl Fn(&TimelineRow) -> u64) -> Vec<u64> {
        let skipped = self.history.len().saturating_sub(most);
        self.history.iter().skip(skipped).map(figure).collect()
    }

    /// How often the fault at this place has been injected in the last second.
    pub(super) fn injected_now(&self, place: usize) -> u64 {
        let of = |summary: &Summary| summary.faults.get(place).map_or(0, |fault| fault.injected);
        let before = self.before.as_deref().map_or(0, of);
        self.last.as_ref().map_or(0, |beat| of(&beat.summary)).saturating_sub(before)
    }
}
