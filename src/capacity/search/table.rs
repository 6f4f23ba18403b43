//! All that a search was told, load by load.

use crate::capacity::search::evidence::{Evidence, Side, Standing};
use crate::capacity::search::goal::Goal;
use crate::capacity::search::trial::Measured;

/// One load that was tried.
#[derive(Debug, Clone)]
pub struct Row {
    pub load: f64,
    pub sub_trials: Vec<Measured>,
    /// One for each goal.
    pub evidence: Vec<Evidence>,
}

/// The loads that were tried, the lowest first.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// The bounds of what is searched for, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Row {
    /// What the load is for several goals together: no more than the worst of them.
    pub fn standing(&self, goals: &[Goal], of: &[usize]) -> Standing {
        let standings = || of.iter().map(|goal| self.evidence[*goal].standing(&goals[*goal]));
        if standings().any(|standing| standing == Standing::Upper) {
            Standing::Upper
        } else if standings().all(|standing| standing == Standing::Lower) {
            Standing::Lower
        } else {
            Standing::Undecided
        }
    }

    /// What it seems to be for several goals together.
    pub fn leaning(&self, goals: &[Goal], of: &[usize]) -> Option<Side> {
        let leanings = || of.iter().map(|goal| self.evidence[*goal].leaning(&goals[*goal]));
        if leanings().any(|leaning| leaning == Some(Side::Fails)) {
            Some(Side::Fails)
        } else if leanings().all(|leaning| leaning == Some(Side::Holds)) {
            Some(Side::Holds)
        } else {
            None
        }
    }

    /// How many sub-trials counted.
    pub fn count(&self) -> u32 {
        self.sub_trials.len() as u32
    }
}

impl Table {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a load, if it was tried.
    pub fn row(&self, load: f64) -> Option<&Row> {
        self.rows.iter().find(|row| row.load == load)
    }

    /// How many sub-trials counted.
    pub fn count(&self) -> u32 {
        self.rows.iter().map(Row::count).sum()
    }

    /// Takes in a sub-trial.
    pub fn add(&mut self, load: f64, measured: Measured, goals: &[Goal]) {
        let at = self.rows.partition_point(|row| row.load < load);
        if self.rows.get(at).is_none_or(|row| row.load != load) {
            let evidence = vec![Evidence::new(); goals.len()];
            self.rows.insert(at, Row { load, sub_trials: Vec::new(), evidence });
        }
        let row = &mut self.rows[at];
        for (number, goal) in goals.iter().enumerate() {
            row.evidence[number].add(goal, number, &measured);
        }
        row.sub_trials.push(measured);
    }

    /// The bounds of several goals together: the lowest load that is an upper bound, and the highest below it that is a
    /// lower one (MLRsearch's relevant bounds: a load that holds above one that does not is none).
    pub fn bounds(&self, goals: &[Goal], of: &[usize]) -> Bounds {
        self.bounds_by(|row| match row.standing(goals, of) {
            Standing::Lower => Some(Side::Holds),
            Standing::Upper => Some(Side::Fails),
            Standing::Undecided => None,
        })
    }

    /// Where the bounds seem to be.
    pub fn bracket(&self, goals: &[Goal], of: &[usize]) -> Bounds {
        self.bounds_by(|row| row.leaning(goals, of))
    }

    fn bounds_by(&self, side: impl Fn(&Row) -> Option<Side>) -> Bounds {
        let upper = self.rows.iter().find(|row| side(row) == Some(Side::Fails)).map(|row| row.load);
        let below = |row: &&Row| upper.is_none_or(|upper| row.load < upper);
        let lower = self.rows.iter().filter(below).rfind(|row| side(row) == Some(Side::Holds)).map(|row| row.load);
        Bounds { lower, upper }
    }
}
