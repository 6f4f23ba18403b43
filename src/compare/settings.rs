//! A scenario as keys and values, and where two of them differ.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// The settings of a scenario by their keys, such as `journey.lent.share`; all but the seed, which makes no other scenario.
///
/// Where tables of a list have names, they go by these and not by their places: whoever adds one does not change the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

/// A key that does not have the same value in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    /// As TOML spells it; `None` where there is no such key.
    pub here: Option<String>,
    pub there: Option<String>,
}

impl Settings {
    /// Of the text of a `scenario.toml` as a run leaves it.
    ///
    /// # Errors
    /// What makes it no TOML.
    pub fn of(text: &str) -> Result<Settings, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut settings = BTreeMap::new();
        for (key, value) in table.iter().filter(|(key, _)| *key != SEED) {
            gather(spelt(key), value, &mut settings);
        }
        Ok(Settings(settings))
    }

    /// Where the other one is not the same, by key.
    pub fn differences(&self, other: &Settings) -> Vec<Difference> {
        let mut keys: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let of = |settings: &Settings, key: &String| settings.0.get(key).cloned();
        let both =
            keys.into_iter().map(|key| Difference { key: key.clone(), here: of(self, key), there: of(other, key) });
        both.filter(|difference| difference.here != difference.there).collect()
    }
}

const SEED: &str = "seed";

fn gather(path: String, value: &Value, settings: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                gather(format!("{path}.{}", spelt(key)), value, settings);
            }
        }
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_table) => {
            let names: Vec<Option<&str>> = list.iter().map(|one| one.get("name").and_then(Value::as_str)).collect();
            let is_told_apart = |name: &str| names.iter().filter(|other| **other == Some(name)).count() == 1;
            for (place, (value, name)) in list.iter().zip(&names).enumerate() {
                let label = name.filter(|name| is_told_apart(name)).map_or_else(|| place.to_string(), spelt);
                gather(format!("{path}.{label}"), value, settings);
            }
        }
        value => {
            settings.insert(path, written(value));
        }
    }
}

/// A value in one line, without what a terminal would obey.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let each = table.iter().map(|(key, value)| format!("{} = {}", spelt(key), written(value)));
            format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.to_string(),
    }
}

fn spelt(key: &str) -> String {
    key.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../results/sample/scenario.toml");

    fn told(changed: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let of = |text: &str| Settings::of(text).expect("it is TOML");
        let differences = of(SAMPLE).differences(&of(changed));
        differences.into_iter().map(|one| (one.key, one.here, one.there)).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn another_seed_is_no_other_scenario() {
        assert_eq!(told(SAMPLE), []);
        assert_eq!(told(&SAMPLE.replacen("seed = 7", "seed = 8", 1)), []);
    }

    #[test]
    fn differences_are_told_by_key_with_both_values() {
        let changed = SAMPLE.replacen("share = 20", "share = 21", 1).replacen("devices = 1000", "devices = 2000", 1);
        let expected = [
            ("journey.lent and asked back.share".to_owned(), some("20"), some("21")),
            ("population.devices".to_owned(), some("1000"), some("2000")),
        ];
        assert_eq!(told(&changed), expected);
    }

    #[test]
    fn a_table_that_is_added_to_a_list_changes_none_of_the_others() {
        let fault = "\n[[fault]]\nname = \"slow\"\nwhere = \"http.request\"\ndo = { delay = \"5ms\" }\n";
        let expected = [
            ("fault.slow.do.delay".to_owned(), None, some("\"5ms\"")),
            ("fault.slow.name".to_owned(), None, some("\"slow\"")),
            ("fault.slow.where".to_owned(), None, some("\"http.request\"")),
        ];
        assert_eq!(told(&format!("{SAMPLE}{fault}")), expected);
    }

    #[test]
    fn values_of_every_kind_are_one_line_that_no_terminal_obeys() {
        let text = "a = \"\\u001b[31m\\nx\"\nb = [1, { c = 2.5 }]\nc = {}\n[[d]]\ne = true\n[[d]]\ne = 1979-05-27\n";
        let settings = Settings::of(text).expect("it is TOML");
        let lines: Vec<String> = settings.0.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let expected = ["a: \"\\u{1b}[31m\\nx\"", "b: [1, { c = 2.5 }]", "c: {  }", "d.0.e: true", "d.1.e: 1979-05-27"];
        assert_eq!(lines, expected);
        assert!(Settings::of("a = ").is_err());
    }
}
