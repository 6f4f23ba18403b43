//! Words while a run goes on: its live view on a terminal, or plain lines.

use crate::actors::dm_server::MAILBOX;
use crate::cli::args::Flags;
use crate::cli::live::{self, Live};
use crate::cli::output;
use crate::report::figures::counted;
use crate::report::live::plain::Rhythm;
use crate::report::live::screen::{About, Beat, Screen};
use crate::run::control::Keys;
use crate::run::news::{News, Pulse, Why};
use crate::run::preflight::{Apart, Reached};
use crate::scenario::Scenario;

/// Tells how one run goes, on stderr. When it goes, the last line is told, or the terminal given back.
pub struct Teller<'f> {
    flags: &'f Flags,
    about: About,
    keys: Keys,
    live: Option<Live>,
    lines: Rhythm,
}

impl<'f> Teller<'f> {
    /// Somebody who tells as the flags want it; `keys` is told what is pressed.
    pub fn new(scenario: &Scenario, flags: &'f Flags, keys: Keys) -> Teller<'f> {
        let about = About {
            scenario: scenario.name.clone(),
            seed: scenario.seed.0,
            health: scenario.health,
            mailbox: MAILBOX as u64,
        };
        Teller { flags, about, keys, live: None, lines: Rhythm::default() }
    }

    /// Tells this, if it is wanted.
    pub fn hear(&mut self, news: &News<'_>) {
        self.tell(news, live::is_wanted(self.flags));
    }

    /// Tells this in lines, whatever stderr is.
    pub fn hear_in_lines(&mut self, news: &News<'_>) {
        self.tell(news, false);
    }

    fn tell(&mut self, news: &News<'_>, may_be_live: bool) {
        if self.flags.quiet {
            return;
        }
        match news {
            News::Reached(reached) => output::remark(&told_of(reached)),
            News::Ready { addresses, folder } => {
                if self.flags.verbose {
                    let (certs, results) = (self.flags.certs.display(), folder.display());
                    output::remark(&format!("certificates in {certs}, results in {results}"));
                    for at in *addresses {
                        output::remark(&format!("{}, {}: {} at {}", at.party, at.purpose, at.url, at.socket));
                    }
                }
                if may_be_live {
                    let screen = Screen::new(self.about.clone(), output::remarks_have_colour());
                    // Where the terminal cannot be had, lines do.
                    self.live = Live::begin(screen, self.keys.clone()).ok();
                }
            }
            News::Second(pulse) => match &self.live {
                Some(live) => live.beat(beat(pulse)),
                None => self.lines.beat(&beat(pulse)).iter().for_each(|line| output::remark(line)),
            },
            News::Stopping { why, under_way } => {
                let words = stopping(why, *under_way);
                match &self.live {
                    Some(live) => live.keep(words),
                    None => output::remark(&words),
                }
            }
            News::Judging { devices } => {
                let devices = counted(u64::from(*devices), "device");
                let words = format!("all parties have come to rest; checking promises on {devices}");
                match &self.live {
                    Some(live) => live.say(words),
                    None if self.flags.verbose => output::remark(&words),
                    None => {}
                }
            }
        }
    }
}

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        self.live = None;
        std::mem::take(&mut self.lines).end().iter().for_each(|line| output::remark(line));
    }
}

/// A server that was reached, in a line.
fn told_of(reached: &Reached) -> String {
    let Reached { party, url, took, apart } = reached;
    let apart = match apart {
        None => String::new(),
        Some(Apart::Ahead(by)) => format!("; warning: its clock is {} s ahead of ours", by.as_secs()),
        Some(Apart::Behind(by)) => format!("; warning: its clock is {} s behind ours", by.as_secs()),
    };
    format!("{party}: {url} answers, in {:.1} ms{apart}", took.as_secs_f64() * 1e3)
}

fn stopping(why: &Why<'_>, under_way: u64) -> String {
    let why = match why {
        Why::Asked => String::new(),
        Why::Limit(limit) => format!(" (a limit is not kept: {})", limit.expr),
        Why::NotWritten(problem) => format!(" ({problem})"),
    };
    format!(
        "stopping{why}: nothing more is started, {} under way; interrupt again to stop without waiting for them",
        counted(under_way, "flow")
    )
}

fn beat(pulse: &Pulse) -> Beat {
    let Pulse { progress, second, at, left, state, took, took_so_far, limits, summary } = pulse.clone();
    Beat {
        row: second,
        at,
        left,
        is_paused: state.is_paused,
        pace: state.pace,
        is_stopping: state.is_stopping,
        journeys_begun: progress.journeys_begun,
        journeys_under_way: progress.journeys_under_way,
        journeys_planned: progress.journeys_planned,
        flows_started: progress.flows_started,
        flows_ended: progress.flows_ended,
        flows_failed: progress.flows_failed,
        second: took,
        whole: took_so_far,
        limits,
        summary,
    }
}
