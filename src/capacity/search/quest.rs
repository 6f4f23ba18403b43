//! Where to look next for the bounds of some goals together.
//!
//! 1. From the first load up by a factor while it holds, or down while it does not, until two loads bracket the answer.
//! 2. Halve the bracket until it is as narrow as asked for. A load needs two sub-trials that agree for that; what they say
//!    is believed for the time being (MLRsearch's intermediate goals: little time far from the answer).
//! 3. Give both ends sub-trials until they are bounds, as sure as the goals ask for. An end that turns out to be on the
//!    other side moves the bracket, which goes on from there.
//! 4. Where sub-trials of a load near the bracket disagree, there is no point in coming closer: what lies there is a coin
//!    toss. Then a *window* of the width for noise is laid around the likely threshold, and its ends are made bounds. Ends
//!    that cannot be decided are left for loads farther out, and the interval is as wide as that.
//!
//! What seems not to hold below what seems to hold is given more sub-trials before anything else: two that agree by
//! chance would otherwise keep the search below them.

use crate::capacity::axis::{Axis, distance, step_of};
use crate::capacity::search::evidence::{Side, Standing};
use crate::capacity::search::goal::{Goal, Settings};
use crate::capacity::search::table::{Bounds, Row, Table};
use crate::capacity::search::threshold::{Seen, likely_threshold};

/// What a quest wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Want {
    /// A sub-trial at a load.
    Load(f64),
    /// Nothing more.
    Done(Close),
}

/// How a quest ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// As narrow as asked for.
    Found,
    /// Not that narrow: no load that would help can be decided.
    Wide,
    /// The most load of the range holds.
    AboveRange,
    /// The least load of the range does not.
    BelowRange,
}

/// The search for the bounds of some goals together.
#[derive(Debug, Clone)]
pub struct Quest {
    /// By number.
    goals: Vec<usize>,
    window: Option<Window>,
}

/// Two loads that are to become the bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    low: f64,
    high: f64,
}

/// What a quest looks at.
struct View<'v> {
    goals: &'v [Goal],
    of: &'v [usize],
    axis: Axis,
    table: &'v Table,
    most_per_load: u32,
}

/// With so many sub-trials that balance each other, a load is looked at no longer before its neighbours are.
const UNCLEAR: u32 = 6;
/// With so many sub-trials, a load is no longer doubted because one above it seems to hold.
const DOUBTED: u32 = 12;
/// With so many sub-trials that answer nothing, a load is given up.
const SILENT: u32 = 3;
/// Within this factor of the bracket, disagreement is that of the threshold.
const NEAR: f64 = 1.25;
/// Within this factor of the bracket, the threshold is looked for.
const AROUND: f64 = 1.5;

impl Quest {
    pub fn new(goals: Vec<usize>) -> Quest {
        Quest { goals, window: None }
    }

    /// What to try next, given all that was told.
    pub fn pursue(&mut self, settings: &Settings, table: &Table) -> Want {
        let Settings { axis, most_per_load, .. } = *settings;
        let view = View { goals: &settings.goals, of: &self.goals, axis, table, most_per_load };
        let width = view.width(view.is_noisy());
        if view.is_found(width) {
            return Want::Done(Close::Found);
        }
        if table.rows().is_empty() {
            return Want::Load(settings.first);
        }
        if let Some(unclear) = table.rows().iter().find(|row| view.is_unclear(row)) {
            return Want::Load(unclear.load);
        }
        let bracket = table.bracket(&settings.goals, &self.goals);
        if let Some(doubtful) = bracket.upper.filter(|upper| view.is_doubtful(*upper)) {
            return Want::Load(doubtful);
        }
        match bracket {
            Bounds { lower: Some(low), upper: Some(high) } => {
                let bracket = Window { low, high };
                if view.is_noisy_near(bracket) && (axis.halfway(low, high, width).is_none() || view.has_inside(bracket))
                {
                    let window = self.window.filter(|window| view.is_hopeful(*window));
                    let window = window.unwrap_or_else(|| view.frame(bracket, width));
                    self.window = Some(window);
                    view.confirm(&[window.low, window.high])
                } else {
                    view.halve(bracket, width)
                }
            }
            Bounds { upper: Some(upper), .. } => view.lower(upper, settings.growth, width),
            Bounds { lower, .. } => view.raise(lower, settings.growth),
        }
    }
}

impl View<'_> {
    fn is_found(&self, width: f64) -> bool {
        let Bounds { lower, upper } = self.table.bounds(self.goals, self.of);
        lower.zip(upper).is_some_and(|(lower, upper)| self.axis.is_narrow(lower, upper, width))
    }

    /// The narrowest that is asked for.
    fn width(&self, is_noisy: bool) -> f64 {
        let width = |goal: &Goal| if is_noisy { goal.width_in_noise } else { goal.width };
        self.of.iter().map(|goal| width(&self.goals[*goal])).fold(1.0, f64::min)
    }

    fn is_contested(&self, row: &Row) -> bool {
        self.of.iter().any(|goal| row.evidence[*goal].is_contested())
    }

    /// Whether sub-trials of a load came out differently anywhere.
    fn is_noisy(&self) -> bool {
        self.table.rows().iter().any(|row| self.is_contested(row))
    }

    fn is_noisy_near(&self, bracket: Window) -> bool {
        let near = bracket.low / NEAR..=bracket.high * NEAR;
        self.table.rows().iter().any(|row| near.contains(&row.load) && self.is_contested(row))
    }

    fn has_inside(&self, bracket: Window) -> bool {
        self.table.rows().iter().any(|row| row.load > bracket.low && row.load < bracket.high)
    }

    /// Whether a load is no bound and will not become one.
    fn is_given_up(&self, row: &Row) -> bool {
        row.standing(self.goals, self.of) == Standing::Undecided
            && (row.count() >= self.most_per_load || self.of.iter().any(|goal| row.evidence[*goal].silent >= SILENT))
    }

    /// Whether a load goes neither way as yet, though it has had few sub-trials.
    fn is_unclear(&self, row: &Row) -> bool {
        row.leaning(self.goals, self.of).is_none() && !self.is_given_up(row) && row.count() < UNCLEAR
    }

    /// Whether the lowest load that seems not to hold may seem so by chance, since a higher one seems to hold. Left
    /// alone, it would keep the search below it.
    fn is_doubtful(&self, upper: f64) -> bool {
        let is_bound = |row: &Row| row.standing(self.goals, self.of) != Standing::Undecided;
        let is_weak = self.table.row(upper).is_some_and(|row| row.count() < DOUBTED && !is_bound(row));
        let holds = |row: &Row| row.leaning(self.goals, self.of) == Some(Side::Holds);
        is_weak && self.table.rows().iter().any(|row| row.load > upper && holds(row))
    }

    /// Whether both ends may yet become the bounds that they are to be.
    fn is_hopeful(&self, window: Window) -> bool {
        let may_be = |load: f64, side: Side| {
            self.table.row(load).is_none_or(|row| {
                !self.is_given_up(row) && row.leaning(self.goals, self.of).is_none_or(|leaning| leaning == side)
            })
        };
        may_be(window.low, Side::Holds) && may_be(window.high, Side::Fails)
    }

    /// A load that divides a bracket, around what is given up within it; else what makes bounds of its ends.
    fn halve(&self, bracket: Window, width: f64) -> Want {
        let Window { low, high } = bracket;
        let mut inside = self.table.rows().iter().map(|row| row.load).filter(|load| *load > low && *load < high);
        let middle = match inside.next() {
            None => self.axis.halfway(low, high, width),
            Some(first) => {
                let last = inside.next_back().unwrap_or(first);
                self.axis.halfway(low, first, width).or_else(|| self.axis.halfway(last, high, width))
            }
        };
        middle.map_or_else(|| self.confirm(&[low, high]), Want::Load)
    }

    /// A sub-trial at the one of some loads that has had the fewest, among those that may yet become bounds.
    fn confirm(&self, loads: &[f64]) -> Want {
        let count = |load: &f64| self.table.row(*load).map_or(0, Row::count);
        let is_pending = |load: &&f64| {
            let row = self.table.row(**load);
            row.is_none_or(|row| row.standing(self.goals, self.of) == Standing::Undecided && !self.is_given_up(row))
        };
        let next = loads.iter().filter(is_pending).min_by_key(|load| count(load));
        next.map_or(Want::Done(Close::Wide), |load| Want::Load(*load))
    }

    /// A load above all that were tried. At the end of the range, the end is made a bound; where it answers nothing,
    /// then what seems to hold below it.
    fn raise(&self, lower: Option<f64>, growth: f64) -> Want {
        let edge = self.table.rows().iter().map(|row| row.load).fold(self.axis.least(), f64::max);
        if edge < self.axis.most() {
            return Want::Load(self.axis.times(edge, growth));
        }
        self.close(&[edge, lower.unwrap_or(edge)], Standing::Lower, Close::AboveRange)
    }

    /// A load below all that were tried. At the end of the range, the end is made a bound; where it answers nothing,
    /// then what seems not to hold above it, as near as can be to what answers nothing.
    fn lower(&self, upper: f64, growth: f64, width: f64) -> Want {
        let edge = self.table.rows().iter().map(|row| row.load).fold(self.axis.most(), f64::min);
        if edge > self.axis.least() {
            return Want::Load(self.axis.times(edge, 1.0 / growth));
        }
        let unknown = self.table.rows().iter().map(|row| row.load).rfind(|load| *load < upper);
        let middle = unknown.and_then(|unknown| self.axis.halfway(unknown, upper, width));
        middle.map_or_else(|| self.close(&[edge, upper], Standing::Upper, Close::BelowRange), Want::Load)
    }

    /// Makes an end of the range a bound, and then what else there is.
    fn close(&self, loads: &[f64; 2], standing: Standing, close: Close) -> Want {
        let [edge, _] = loads;
        let is = |row: &Row| row.standing(self.goals, self.of) == standing;
        if self.table.row(*edge).is_some_and(is) { Want::Done(close) } else { self.confirm(loads) }
    }

    /// A window of a width around the likely threshold. It keeps an end that is a bound already, takes loads that were
    /// tried for new ones that are hardly elsewhere, and leaves out loads that have been given up.
    fn frame(&self, bracket: Window, width: f64) -> Window {
        let whole = step_of(width) * ROUNDING;
        let half = whole / 2.0;
        let Bounds { lower, upper } = self.table.bounds(self.goals, self.of);
        let threshold = self.threshold(bracket).max(lower.unwrap_or(0.0)).min(upper.unwrap_or(f64::INFINITY));
        let is_near = |load: &f64| distance(*load, threshold).abs() <= 1.5 * half;
        let (low, high) = match (lower.filter(is_near), upper.filter(is_near)) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, self.tried_below(self.axis.times(low, whole.exp()), whole / 8.0)),
            (None, Some(high)) => (self.tried_above(self.axis.times(high, 1.0 / whole.exp()), whole / 8.0), high),
            (None, None) => {
                let low = self.tried_above(self.axis.admit(threshold / half.exp()), whole / 8.0);
                (low, self.tried_below(self.axis.times(low, whole.exp()), whole / 8.0))
            }
        };
        let given_up = || self.table.rows().iter().filter(|row| self.is_given_up(row)).map(|row| row.load);
        let is_inside = |load: &f64| *load >= low / half.exp() && *load <= high * half.exp();
        let lowest = given_up().filter(is_inside).fold(f64::INFINITY, f64::min);
        let highest = given_up().filter(is_inside).fold(0.0, f64::max);
        let low = if low < lowest * ROUNDING { low } else { self.axis.times(lowest, 1.0 / half.exp()) };
        let high = if high > highest / ROUNDING { high } else { self.axis.times(highest, half.exp()) };
        Window { low, high }
    }

    /// The nearest load that was tried from a wish to so far above it, if it may be a lower bound; else the wish.
    fn tried_above(&self, wish: f64, reach: f64) -> f64 {
        let may_be = |row: &&Row| row.load >= wish && distance(wish, row.load) <= reach;
        self.table
            .rows()
            .iter()
            .filter(may_be)
            .find(|row| self.may_become(row, Standing::Lower))
            .map_or(wish, |row| row.load)
    }

    /// The nearest load that was tried from a wish to so far below it, if it may be an upper bound; else the wish.
    fn tried_below(&self, wish: f64, reach: f64) -> f64 {
        let may_be = |row: &&Row| row.load <= wish && distance(row.load, wish) <= reach;
        self.table
            .rows()
            .iter()
            .filter(may_be)
            .rfind(|row| self.may_become(row, Standing::Upper))
            .map_or(wish, |row| row.load)
    }

    fn may_become(&self, row: &Row, standing: Standing) -> bool {
        let now = row.standing(self.goals, self.of);
        now == standing || (now == Standing::Undecided && !self.is_given_up(row))
    }

    /// Where the goal that is exceeded most often is met, most likely.
    fn threshold(&self, bracket: Window) -> f64 {
        let rows = self.table.rows();
        let exceeded = |goal: &usize| rows.iter().map(|row| row.evidence[*goal].exceeded).sum::<u32>();
        let goal = self.of.iter().copied().max_by_key(exceeded).expect("a quest has goals");
        let seen = rows.iter().map(|row| {
            let evidence = &row.evidence[goal];
            Seen { load: row.load, held: evidence.held, exceeded: evidence.exceeded }
        });
        let seen: Vec<Seen> = seen.collect();
        likely_threshold(&seen, self.goals[goal].exceed_ratio, bracket.low / AROUND, bracket.high * AROUND)
    }
}

/// Keeps an interval that is computed by its ratio from being wider than asked for by the last bit.
const ROUNDING: f64 = 0.999;
