//! From axes, exclusions and single cells to the cells of a campaign: every combination of values, once.

use toml::Value;

use crate::scenario::problem::Span;

/// One key of a scenario with a value for it, and where both stand in the campaign file.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub path: String,
    pub value: Value,
    pub at: Spot,
}

/// Where a setting stands in the campaign file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spot {
    pub key: Span,
    pub value: Span,
    /// Where the path begins in the file, where it stands there as it is.
    pub path_from: Option<usize>,
    /// Whether the value stands in the file as it is written out.
    pub is_verbatim: bool,
}

/// One key of a scenario with the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub path: String,
    /// At least one.
    pub values: Vec<Setting>,
}

/// One combination of settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    pub settings: Vec<Setting>,
}

impl Setting {
    /// As `--set` takes it.
    pub fn text(&self) -> String {
        format!("{}={}", self.path, self.value)
    }

    /// Where in the campaign file that stands which stands here in [`Setting::text`].
    pub fn place_of(&self, part: Span) -> Span {
        let Spot { key, value, path_from, is_verbatim } = &self.at;
        let value_from = self.path.len() + 1;
        match part.start.checked_sub(value_from) {
            Some(start) if *is_verbatim => {
                let end = part.end.saturating_sub(value_from).max(start);
                value.start + start..(value.start + end).min(value.end)
            }
            Some(_) => value.clone(),
            None => {
                path_from.map_or_else(|| key.clone(), |from| from + part.start..from + part.end.min(self.path.len()))
            }
        }
    }

    fn is(&self, other: &Setting) -> bool {
        self.path == other.path && self.value == other.value
    }
}

impl Cell {
    /// Whether it has all of these settings.
    pub fn has(&self, settings: &[Setting]) -> bool {
        settings.iter().all(|wanted| self.settings.iter().any(|own| own.is(wanted)))
    }

    /// Whether it has the same settings, in whatever order.
    pub fn is_same_as(&self, other: &Cell) -> bool {
        self.settings.len() == other.settings.len() && self.has(&other.settings)
    }
}

/// How many combinations there are; `None` where that is more than anybody can count.
pub fn count(axes: &[Axis]) -> Option<u64> {
    axes.iter().try_fold(1_u64, |all, axis| all.checked_mul(axis.values.len() as u64))
}

/// Every combination of the axes, the last one turning fastest, without those that have all settings of an exclusion. Without
/// any axis there is one: the scenario as it is.
pub fn product(axes: &[Axis], exclude: &[Vec<Setting>]) -> Vec<Cell> {
    let all = axes.iter().fold(vec![Cell::default()], |cells, axis| {
        let with = |cell: &Cell, value: &Setting| {
            let mut cell = cell.clone();
            cell.settings.push(value.clone());
            cell
        };
        cells.iter().flat_map(|cell| axis.values.iter().map(|value| with(cell, value)).collect::<Vec<_>>()).collect()
    });
    all.into_iter().filter(|cell| !exclude.iter().any(|excluded| cell.has(excluded))).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn setting(path: &str, value: impl Into<Value>) -> Setting {
        Setting { path: path.to_owned(), value: value.into(), at: Spot::default() }
    }

    fn axis<V: Into<Value> + Clone>(path: &str, values: &[V]) -> Axis {
        Axis { path: path.to_owned(), values: values.iter().map(|value| setting(path, value.clone())).collect() }
    }

    fn words(cells: &[Cell]) -> Vec<String> {
        cells.iter().map(|cell| cell.settings.iter().map(Setting::text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn cells_are_all_combinations_and_the_last_axis_turns_fastest() {
        let axes = [axis("population.devices", &[10, 20]), axis("policy", &["literal", "hardened"])];
        assert_eq!(count(&axes), Some(4));
        assert_eq!(
            words(&product(&axes, &[])),
            [
                "population.devices=10 policy=\"literal\"",
                "population.devices=10 policy=\"hardened\"",
                "population.devices=20 policy=\"literal\"",
                "population.devices=20 policy=\"hardened\"",
            ]
        );
        assert_eq!(product(&[], &[]), [Cell::default()], "without an axis, the scenario as it is");
    }

    #[test]
    fn an_exclusion_takes_away_every_cell_that_has_all_of_it() {
        let axes = [axis("a", &[1, 2, 3]), axis("b", &["x", "y"])];
        let excluded = [vec![setting("a", 1)], vec![setting("b", "y"), setting("a", 3)]];
        assert_eq!(words(&product(&axes, &excluded)), ["a=2 b=\"x\"", "a=2 b=\"y\"", "a=3 b=\"x\""]);
        // What only looks alike is another value.
        assert_eq!(product(&axes, &[vec![setting("a", "1")]]).len(), 6);
    }

    #[test]
    fn so_many_combinations_that_nobody_can_count_them_are_not_counted() {
        let axes: Vec<Axis> = (0..64).map(|number| axis(&format!("k{number}"), &[0, 1, 2])).collect();
        assert_eq!(count(&axes), None);
        assert_eq!(count(&axes[..3]), Some(27));
    }

    #[test]
    fn the_order_of_settings_is_of_no_account() {
        let one = Cell { settings: vec![setting("a", 1), setting("b", 2)] };
        let other = Cell { settings: vec![setting("b", 2), setting("a", 1)] };
        assert!(one.is_same_as(&other));
        assert!(!one.is_same_as(&Cell { settings: vec![setting("a", 1)] }));
        assert!(!one.is_same_as(&Cell { settings: vec![setting("a", 1), setting("b", 3)] }));
    }

    #[test]
    fn a_part_of_a_setting_is_found_where_it_stands_in_the_file() {
        // "ab.c" = "xyz" from byte 10 on: the path from 11 to 15, the value from 19 to 24.
        let at = Spot { key: 10..16, value: 19..24, path_from: Some(11), is_verbatim: true };
        let setting = Setting { path: "ab.c".into(), value: "xyz".into(), at };
        assert_eq!(setting.text(), "ab.c=\"xyz\"");
        assert_eq!(setting.place_of(3..4), 14..15);
        assert_eq!(setting.place_of(0..10), 11..15, "no further than the path");
        assert_eq!(setting.place_of(5..10), 19..24);
        assert_eq!(setting.place_of(6..7), 20..21);
        let rewritten = Setting { at: Spot { is_verbatim: false, path_from: None, ..setting.at.clone() }, ..setting };
        assert_eq!((rewritten.place_of(6..7), rewritten.place_of(3..4)), (19..24, 10..16));
    }
}
