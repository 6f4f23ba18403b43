//! The reader, the printer and the JSON Schema know the same keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::round_trip::{every_key, in_populations, relayed};
use super::*;
use crate::scenario::keys::{SCENARIO, Section};

/// The paths of all keys of a section.
fn paths_of(section: &Section, prefix: &str, into: &mut BTreeSet<String>) {
    for key in section.keys {
        into.insert(format!("{prefix}{}", key.name));
        if let Some(inner) = key.shape.section() {
            paths_of(inner, &format!("{prefix}{}.", key.name), into);
        }
    }
}

/// The paths of all keys of a value.
fn paths_in(value: &Value, prefix: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                into.insert(format!("{prefix}{name}"));
                paths_in(inner, &format!("{prefix}{name}."), into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths_in(item, prefix, into)),
        _ => {}
    }
}

fn as_json(text: &str) -> Value {
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

#[test]
fn every_key_is_read_and_printed() {
    let mut known = BTreeSet::new();
    paths_of(&SCENARIO, "", &mut known);
    let mut written = BTreeSet::new();
    for text in [every_key(), in_populations(), relayed()] {
        paths_in(&as_json(&text), "", &mut written);
    }
    assert_eq!(written, known, "the test's scenario has every key");
    let mut printed = BTreeSet::new();
    for text in [every_key(), in_populations(), relayed()] {
        paths_in(&as_json(&read(&text).unwrap().to_toml()), "", &mut printed);
    }
    let resolved = ["limits.optional", "journey.expect", "retries.delegation_revocation_req"];
    let resolved: BTreeSet<String> = resolved.map(str::to_owned).into();
    // `optional` has gone into its limit, `expect` into the steps, and this message does as the default says.
    assert_eq!(known.difference(&printed).cloned().collect::<BTreeSet<_>>(), resolved);
    assert!(printed.is_subset(&known));
}

/// Where a file does not keep to the schema, and by which of its words, as a validator that others wrote sees it.
#[track_caller]
fn schema_says(text: &str, expected: &[&str]) {
    let validator = jsonschema::validator_for(&crate::scenario::schema::scenario()).expect("a schema");
    let value = as_json(text);
    let told = |error: jsonschema::ValidationError<'_>| {
        let schema_path = error.schema_path().to_string();
        format!("{} {}", error.instance_path(), schema_path.rsplit('/').next().unwrap_or_default())
    };
    let wrong: BTreeSet<String> = validator.iter_errors(&value).map(told).collect();
    assert_eq!(wrong, expected.iter().map(|wrong| (*wrong).to_owned()).collect());
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_nothing_else() {
    schema_says(QUICKSTART, &[]);
    schema_says(&every_key(), &[]);
    schema_says(&in_populations(), &[]);
    schema_says(&read(&every_key()).unwrap().to_toml(), &[]);
    schema_says(&read(QUICKSTART).unwrap().to_toml(), &[]);
    let wrong =
        with("devices = 10", "devices = 0\ncolour = 1").replace("id = \"dms2.example.test\"\n", "auth = \"md6\"\n");
    schema_says(
        &wrong,
        &[
            "/population additionalProperties",
            "/population/devices minimum",
            "/server/1 required",
            "/server/1/auth enum",
        ],
    );
}

#[test]
fn the_schema_knows_what_a_fault_can_be() {
    let fault = |lines: &str| format!("{BASE}[[fault]]\nname = \"x\"\nwhere = \"tcp\"\n{lines}\n");
    schema_says(&fault("do = \"drop\""), &[]);
    schema_says(&fault("do = \"delay\""), &["/fault/0/do anyOf"]);
    let action = "do = { delay = { lognormal = { median = \"1s\", sigma = 11 } } }";
    schema_says(&fault(action), &["/fault/0/do anyOf"]);
    let occasion = "when = { probability = 1.5 }\nmatch = { devices = true }\ndo = \"drop\"";
    schema_says(&fault(occasion), &["/fault/0/match/devices anyOf", "/fault/0/when/probability maximum"]);
}

#[test]
fn the_schema_has_every_key_the_reader_knows_and_no_other() {
    fn keys(schema: &Value, prefix: &str, into: &mut BTreeSet<String>) {
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            into.insert(format!("{prefix}{name}"));
            keys(inner, &format!("{prefix}{name}."), into);
            keys(&inner["items"], &format!("{prefix}{name}."), into);
            for choice in [&inner["anyOf"], &inner["items"]["anyOf"]].into_iter().filter_map(Value::as_array).flatten()
            {
                keys(choice, &format!("{prefix}{name}."), into);
            }
        }
    }
    let (mut known, mut told) = (BTreeSet::new(), BTreeSet::new());
    paths_of(&SCENARIO, "", &mut known);
    keys(&crate::scenario::schema::scenario(), "", &mut told);
    assert_eq!(told, known);
}
