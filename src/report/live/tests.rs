//! The screens as they are drawn, compared with stored ones, and what must hold of them at any size.

use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::screen::{About, Beat, Page, Screen};
use super::{draw, plain};
use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::measure::course::{Course, Piece};
use crate::measure::health::{HealthLimits, HostUse};
use crate::measure::latency::Latency;
use crate::measure::limit;
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::shard::End;
use crate::measure::summary::{Ending, FaultRow, LatencyRow, Run};
use crate::measure::timeline::{Gauges, TimelineRow};
use crate::measure::{Shard, Summary};

const DELEGATE: FlowKind = FlowKind::Delegate { approach: Approach::DmAcc, is_full: false, by_delegated: true };
const REVOKE: FlowKind = FlowKind::Revoke(Revocation::Asked);

/// In each second 100 delegations and 50 revocations start and end; one of each is undone, which of the delegation was
/// expected. A DELEGATION_PREPARED is lost, and one comes late.
fn records() -> Shard {
    let mut shard = Shard::new();
    let ms = |ms: u64| Duration::from_millis(ms);
    for (flow, flows) in [(DELEGATE, 100), (REVOKE, 50)] {
        for number in 0..flows {
            let outcome = if number == 0 { Outcome::Undone { reason: 408 } } else { Outcome::Done };
            shard.flow_started(flow, "done", None);
            let as_expected = number > 0 || flow == DELEGATE;
            shard.flow_ended(flow, &End { outcome: &outcome, as_expected, response: ms(12), service: ms(9) }, None);
            shard.late(ms(3));
        }
        let kinds: &[Kind] = if flow == DELEGATE {
            &[Kind::DelegationReq, Kind::DelegationResp, Kind::BootstrapConfirmed, Kind::DelegationPrepared]
        } else {
            &[Kind::DelegationTerminationReq, Kind::DelegationTerminationResp, Kind::DelegationRevoked]
        };
        for kind in kinds {
            (0..flows).for_each(|_| shard.message_sent(*kind, Some(flow)));
            (0..flows - 1).for_each(|_| shard.message_answered(*kind, Some(flow), ms(2), ms(1)));
        }
    }
    shard.message_lost(Kind::DelegationPrepared, Some(DELEGATE), true);
    shard.message_unexpected(Kind::DelegationPrepared, Some(DELEGATE), true);
    shard.event_loop_delayed(ms(4));
    shard
}

/// The beats of the first seconds of a run that is to have 1,000 journeys.
fn beats(seconds: u64) -> Vec<Beat> {
    let mut course = Course::new(&limit::with_default(Vec::new()), Vec::new(), Vec::new());
    let beat = |second: u64| {
        let (from, to) = (Duration::from_secs(second), Duration::from_secs(second + 1));
        let gauges = Gauges { cpu_share: 0.9, faults: 1, mailbox_depth: 9, ..Gauges::default() };
        let (phases, ended, injected) = (Vec::new(), Vec::new(), vec![second + 1]);
        let records = records();
        let mut all = Latency::default();
        [DELEGATE, REVOKE].iter().filter_map(|flow| records.flows().latency(*flow)).for_each(|flow| all.merge(flow));
        let took = LatencyRow::from(&all);
        let row = course.add(&Piece { from, to, is_load: true, records, gauges, phases, injected, ended });
        let fault = FaultRow {
            name: "prepared-lost".to_owned(),
            eligible: 100 * (second + 1),
            injected: second + 1,
            order_dependent: false,
            first_s: None,
            last_s: None,
        };
        let summary = summary(&course, to, &[fault]);
        Beat {
            row: row.expect("a second is over"),
            at: to,
            left: Some(Duration::from_secs(60 - second)),
            is_paused: false,
            pace: 1.21,
            is_stopping: false,
            journeys_begun: 100 * (second + 1),
            journeys_under_way: 20,
            journeys_planned: Some(1_000),
            flows_started: 150 * (second + 1),
            flows_ended: 150 * (second + 1),
            flows_failed: second + 1,
            second: took,
            whole: took,
            limits: course.limits_so_far(),
            summary: Arc::new(summary),
        }
    };
    (0..seconds).map(beat).collect()
}

fn summary(course: &Course, lasted: Duration, faults: &[FaultRow]) -> Summary {
    Summary::build(&Run {
        cut_short: 0,
        ran_out: &[],
        scenario: "quickstart",
        seed: 7,
        policy: Policy::Hardened,
        devices: 1_000,
        duration: lasted,
        ending: Ending::Interrupted,
        course,
        population_devices: &[1_000],
        promises: &[],
        goals: &[],
        faults,
        windows: &LongestWindows::default(),
        expected: None,
        host: HostUse {
            cpu_s: 3.9,
            cores: 2.0,
            peak_rss_bytes: 84 << 20,
            open_files: 90,
            most_open_files: Some(100),
            mailbox_depth: 9,
            most_mailbox_depth: 10,
            ..HostUse::default()
        },
        health: HealthLimits::DEFAULT,
    })
}

fn screen(seconds: u64) -> Screen {
    let about = About { scenario: "quickstart".to_owned(), seed: 7, health: HealthLimits::DEFAULT, mailbox: 10 };
    let mut screen = Screen::new(about, true);
    beats(seconds).into_iter().for_each(|beat| screen.beat(beat));
    screen
}

/// The screen as text, one line each, without spaces at their ends; and how far it can be scrolled.
fn drawn(screen: &Screen, width: u16, height: u16) -> (String, u16, Terminal<TestBackend>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal of our own");
    let mut most = 0;
    terminal.draw(|frame| most = draw(frame, screen)).expect("a terminal of our own");
    let buffer = terminal.backend().buffer();
    let line = |row| {
        let cells = (0..width).map(|column| buffer[(column, row)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    let text = (0..height).map(|row| line(row) + "\n").collect();
    (text, most, terminal)
}

#[track_caller]
fn check(page: Page, (width, height): (u16, u16), file: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/report");
    let stored = std::fs::read_to_string(format!("{folder}/{file}")).expect("it is stored");
    let mut screen = screen(4);
    screen.page = page;
    let (text, ..) = drawn(&screen, width, height);
    assert_eq!(text, stored, "found:\n{text}");
}

#[test]
fn each_page_is_drawn_as_it_is_stored() {
    check(Page::Overview, (80, 24), "live-overview.txt");
    check(Page::Overview, (140, 40), "live-wide.txt");
    check(Page::Ladder, (80, 24), "live-ladder.txt");
    check(Page::Flows, (80, 24), "live-flows.txt");
    check(Page::Health, (80, 24), "live-health.txt");
}

#[test]
fn no_size_is_too_small_and_none_too_large() {
    for (width, height) in [(1, 1), (1, 50), (3, 2), (10, 4), (40, 10), (79, 5), (300, 3), (500, 120)] {
        for page in Page::ALL {
            for seconds in [0, 1, 3] {
                let mut screen = screen(seconds);
                (screen.page, screen.scroll) = (page, u16::MAX);
                drawn(&screen, width, height);
                screen.has_help = true;
                drawn(&screen, width, height);
            }
        }
    }
}

#[test]
fn a_state_that_is_not_the_usual_one_is_said() {
    let mut screen = screen(0);
    assert!(drawn(&screen, 80, 24).0.contains("beginning"));
    let beat = beats(1).remove(0);
    screen.beat(Beat { is_paused: true, pace: 1.0, ..beat.clone() });
    let text = drawn(&screen, 80, 24).0;
    assert!(text.contains("PAUSED") && !text.contains("pace"), "{text}");
    screen.beat(Beat { is_paused: true, is_stopping: true, ..beat });
    assert!(drawn(&screen, 80, 24).0.contains("STOPPING pace x1.21"));
}

#[test]
fn a_message_stands_in_place_of_the_keys_for_some_seconds() {
    let mut screen = screen(1);
    screen.say("mark 3");
    assert!(drawn(&screen, 80, 24).0.contains("\n mark 3\n"));
    let beats = beats(6);
    beats.into_iter().for_each(|beat| screen.beat(beat));
    assert!(drawn(&screen, 80, 24).0.contains("p pause"));
}

#[test]
fn what_does_not_fit_is_scrolled_to_its_end_and_no_further() {
    let mut screen = screen(1);
    screen.page = Page::Ladder;
    // A head, two flows, four and three messages: 10 lines. Head and foot leave 8 - 3 - 1 = 4 for them.
    let (first, most, _) = drawn(&screen, 80, 8);
    assert_eq!(most, 6);
    screen.scroll = u16::MAX;
    let (last, ..) = drawn(&screen, 80, 8);
    assert!(first.contains("delegate.dmacc") && !first.contains("delegation_revoked"), "{first}");
    assert!(last.contains("delegation_revoked") && !last.contains("delegate.dmacc"), "{last}");
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let colours = |colour| {
        let mut screen = screen(2);
        screen.colour = colour;
        let (.., terminal) = drawn(&screen, 80, 24);
        terminal.backend().buffer().content().iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(colours(true) > 0);
    assert_eq!(colours(false), 0);
}

#[test]
fn a_pipe_hears_the_first_second_every_fifth_and_the_last() {
    let mut rhythm = plain::Rhythm::default();
    let told: Vec<u64> =
        beats(12).iter().filter(|beat| rhythm.beat(beat).is_some()).map(|beat| beat.row.second + 1).collect();
    assert_eq!(told, [1, 5, 10]);
    assert!(rhythm.end().expect("the twelfth has not been told").starts_with("  12 s"));
    let mut rhythm = plain::Rhythm::default();
    beats(5).iter().for_each(|beat| drop(rhythm.beat(beat)));
    assert_eq!(rhythm.end(), None, "the fifth has been told");
}

#[test]
fn progress_is_one_line() {
    let mut beat = beats(1).remove(0);
    beat.row = TimelineRow { second: 4, done: 98, exchanges: 1_204, p50_ms: Some(12.34), ..TimelineRow::default() };
    (beat.flows_started, beat.flows_ended, beat.flows_failed) = (1_500, 1_480, 0);
    assert_eq!(
        plain::line(&beat),
        "   5 s, 60 s left  1,500 started, 1,480 ended, 20 under way, 0 failed; 98 flows/s, 1,204 exchanges/s, \
         p50 12.3 ms; 1 fault"
    );
    let mut summary = (*beat.summary).clone();
    (summary.health.valid, summary.faults) = (false, Vec::new());
    (beat.summary, beat.left) = (Arc::new(summary), None);
    let line = plain::line(&beat);
    assert!(line.starts_with("   5 s  1,500") && line.ends_with("p50 12.3 ms; INVALID so far"), "{line}");
}
