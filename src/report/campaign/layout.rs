//! What stands to the right in every chart, and which cells share one.

use serde_json::Value;

use crate::results::campaign::{Campaign, CellRow, value_words};
use crate::units::{Duration, Rate, Share, Size};

/// From so many times the least on, a range is drawn by its logarithm.
const WIDE: f64 = 20.0;

/// The charts of each metric.
pub(super) struct Layout<'c> {
    /// The key that goes to the right; `None` where cells differ in nothing.
    pub x: Option<&'c str>,
    pub places: Vec<Place>,
    /// Whether equal steps are equal factors.
    pub is_log: bool,
    pub panels: Vec<Panel>,
    /// Cells that do not have the key, and are in no chart.
    pub outside: usize,
}

/// A value of the key that goes to the right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub label: String,
    /// From 0, at the left, to 1.
    pub at: f64,
}

/// One chart.
#[derive(Debug, PartialEq)]
pub(super) struct Panel {
    /// The other settings of its cells; empty where there are none.
    pub title: String,
    /// The cells by their numbers, each with the index of its place; from left to right.
    pub cells: Vec<(usize, u32)>,
}

impl<'c> Layout<'c> {
    /// The key with the most values that are numbers goes to the right; where none has numbers, the one with the most values.
    pub fn of(campaign: &'c Campaign) -> Layout<'c> {
        let keys = campaign.keys();
        let axes = keys.iter().map(|key| (*key, values(campaign, key)));
        let weight = |values: &[&Value]| (numbers(values).is_some() && values.len() > 1, values.len());
        let most = axes.reduce(|most, next| if weight(&next.1) > weight(&most.1) { next } else { most });
        let Some((x, values)) = most else {
            let cells = campaign.cells.iter().map(|cell| (0, cell.cell)).collect();
            let panel = Panel { title: String::new(), cells };
            let places = vec![Place { label: String::new(), at: 0.5 }];
            return Layout { x: None, places, is_log: false, panels: vec![panel], outside: 0 };
        };
        let (ordered, places, is_log) = places(values);
        let mut panels: Vec<Panel> = Vec::new();
        let mut outside = 0;
        for cell in &campaign.cells {
            let place = cell.settings.get(x).and_then(|own| ordered.iter().position(|value| *value == own));
            let Some(place) = place else {
                outside += 1;
                continue;
            };
            let title = others(cell, x);
            match panels.iter_mut().find(|panel| panel.title == title) {
                Some(panel) => panel.cells.push((place, cell.cell)),
                None => panels.push(Panel { title, cells: vec![(place, cell.cell)] }),
            }
        }
        panels.iter_mut().for_each(|panel| panel.cells.sort_unstable());
        Layout { x: Some(x), places, is_log, panels, outside }
    }
}

fn others(cell: &CellRow, x: &str) -> String {
    let others = cell.settings.iter().filter(|(key, _)| *key != x);
    others.map(|(key, value)| format!("{key} = {}", value_words(value))).collect::<Vec<_>>().join(", ")
}

/// The values of a key, each once, in the order of the cells.
fn values<'c>(campaign: &'c Campaign, key: &str) -> Vec<&'c Value> {
    let mut values: Vec<&Value> = Vec::new();
    for value in campaign.cells.iter().filter_map(|cell| cell.settings.get(key)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// The values from left to right, where each stands, and whether that is by its logarithm.
fn places(mut values: Vec<&Value>) -> (Vec<&Value>, Vec<Place>, bool) {
    let place = |value: &&Value, at: f64| Place { label: value_words(value), at };
    let Some(mut known) = numbers(&values) else {
        let step = 1.0 / values.len() as f64;
        let places = values.iter().zip(0_u32..).map(|(value, nth)| place(value, (f64::from(nth) + 0.5) * step));
        let places = places.collect();
        return (values, places, false);
    };
    values.sort_by(|one, other| {
        let of = |value: &&Value| numbers(&[*value]).and_then(|number| number.first().copied()).unwrap_or_default();
        of(one).total_cmp(&of(other))
    });
    known.sort_by(f64::total_cmp);
    let (least, most) = (known.first().copied().unwrap_or(0.0), known.last().copied().unwrap_or(0.0));
    let is_log = least > 0.0 && most / least >= WIDE;
    let scaled = |number: f64| if is_log { number.ln() } else { number };
    let span = scaled(most) - scaled(least);
    let at = |number: f64| if span > 0.0 { (scaled(number) - scaled(least)) / span } else { 0.5 };
    let places = values.iter().zip(&known).map(|(value, number)| place(value, at(*number))).collect();
    (values, places, is_log)
}

/// All of them as numbers of one kind: plain ones, durations, rates, shares or sizes; `None` where one is none.
fn numbers(values: &[&Value]) -> Option<Vec<f64>> {
    let kinds: [fn(&Value) -> Option<f64>; 5] = [
        Value::as_f64,
        |value| value.as_str()?.parse::<Duration>().ok().map(|time| time.0.as_secs_f64()),
        |value| value.as_str()?.parse::<Rate>().ok().map(Rate::in_seconds),
        |value| value.as_str()?.parse::<Share>().ok().map(Share::fraction),
        |value| value.as_str()?.parse::<Size>().ok().map(|size| size.0 as f64),
    ];
    kinds.iter().find_map(|kind| values.iter().map(|value| kind(value)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::campaign;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_key_with_the_most_numbers_goes_to_the_right_and_the_others_make_charts() {
        let campaign = campaign(&[
            json!({ "policy": "literal", "devices": 400 }),
            json!({ "policy": "literal", "devices": 100 }),
            json!({ "policy": "hardened", "devices": 100 }),
            json!({ "policy": "hardened", "devices": 200 }),
            json!({ "policy": "hardened" }),
        ]);
        let layout = Layout::of(&campaign);
        assert_eq!((layout.x, layout.outside, layout.is_log), (Some("devices"), 1, false));
        let places: Vec<(&str, f64)> = layout.places.iter().map(|place| (place.label.as_str(), place.at)).collect();
        assert_eq!(places, [("100", 0.0), ("200", 1.0 / 3.0), ("400", 1.0)]);
        let panel = |title: &str, cells: &[(usize, u32)]| Panel { title: title.to_owned(), cells: cells.to_vec() };
        let (literal, hardened) = ("policy = literal", "policy = hardened");
        assert_eq!(layout.panels, [panel(literal, &[(0, 2), (2, 1)]), panel(hardened, &[(0, 3), (1, 4)])]);
    }

    #[test]
    fn times_are_numbers_and_a_wide_range_goes_by_factors() {
        let cells = ["1s", "10ms", "100ms"].map(|delay| json!({ "fault.0.do.delay": delay }));
        let campaign = campaign(&cells);
        let layout = Layout::of(&campaign);
        let labels: Vec<&str> = layout.places.iter().map(|place| place.label.as_str()).collect();
        assert_eq!((labels, layout.is_log), (vec!["10ms", "100ms", "1s"], true));
        assert!((layout.places[1].at - 0.5).abs() < 1e-9);
        assert_eq!(layout.panels.len(), 1);
    }

    #[test]
    fn words_stand_side_by_side_in_the_order_of_the_cells() {
        let campaign = campaign(&["literal", "hardened"].map(|policy| json!({ "policy": policy })));
        let layout = Layout::of(&campaign);
        let places: Vec<(&str, f64)> = layout.places.iter().map(|place| (place.label.as_str(), place.at)).collect();
        assert_eq!(places, [("literal", 0.25), ("hardened", 0.75)]);
    }

    #[test]
    fn a_campaign_of_one_cell_has_one_chart() {
        let campaign = campaign(&[json!({})]);
        let layout = Layout::of(&campaign);
        assert_eq!((layout.x, layout.panels.len(), layout.panels[0].cells.len()), (None, 1, 1));
    }
}
