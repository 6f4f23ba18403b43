//! The reader, the printer and the JSON Schema know the same keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::round_trip::{every_key, in_populations};
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
    for text in [every_key(), in_populations()] {
        paths_in(&as_json(&text), "", &mut written);
    }
    written.insert("load.at_once".to_owned());
    assert_eq!(written, known, "the test's scenario has every key");
    let mut printed = BTreeSet::new();
    for text in [every_key(), in_populations()] {
        paths_in(&as_json(&read(&text).unwrap().to_toml()), "", &mut printed);
    }
    let resolved = ["limits.optional", "journey.expect", "load.at_once", "retries.delegation_revocation_req"];
    let resolved: BTreeSet<String> = resolved.map(str::to_owned).into();
    // `optional` has gone into its limit, `expect` into the steps, the load of all has phases here, and this message does as the default says.
    assert_eq!(known.difference(&printed).cloned().collect::<BTreeSet<_>>(), resolved);
    assert!(printed.is_subset(&known));
}

/// As much of JSON Schema as the scenario's schema uses.
fn validate(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &&Value| {
            let mut wrong = Vec::new();
            validate(choice, value, path, &mut wrong);
            wrong.is_empty()
        };
        if !choices.iter().any(|choice| fits(&choice)) {
            wrong.push(format!("{path}: {value} fits nowhere"));
        }
        return;
    }
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) if schema["type"] == "number" => "number",
        Value::Number(_) => "integer",
        Value::Null => "null",
    };
    let allowed = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|allowed| allowed == kind),
        allowed => allowed == kind,
    };
    if !allowed {
        wrong.push(format!("{path}: {kind}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        wrong.push(format!("{path}: {value} is none of {words:?}"));
    }
    if let Some(number) = value.as_f64() {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            wrong.push(format!("{path}: {number} is out of range"));
        }
    }
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match schema["properties"].get(name) {
                    Some(schema) => validate(schema, inner, &format!("{path}.{name}"), wrong),
                    None => wrong.push(format!("{path}.{name}: unknown")),
                }
            }
            let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            wrong.extend(
                missing.filter(|name| !members.contains_key(*name)).map(|name| format!("{path}.{name}: missing")),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| validate(&schema["items"], item, path, wrong)),
        _ => {}
    }
}

#[track_caller]
fn schema_says(text: &str, expected: &[&str]) {
    let mut wrong = Vec::new();
    validate(&crate::scenario::schema::scenario(), &as_json(text), "", &mut wrong);
    assert_eq!(wrong, expected);
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
    let auth =
        ".server.auth: \"md6\" is none of [String(\"md5\"), String(\"basic\"), String(\"hmac\"), String(\"none\")]";
    schema_says(
        &wrong,
        &[".population.devices: 0 is out of range", ".population.colour: unknown", auth, ".server.id: missing"],
    );
}

#[test]
fn the_schema_knows_what_a_fault_can_be() {
    let fault = |lines: &str| format!("{BASE}[[fault]]\nname = \"x\"\nwhere = \"tcp\"\n{lines}\n");
    schema_says(&fault("do = \"drop\""), &[]);
    schema_says(&fault("do = \"delay\""), &[".fault.do: \"delay\" fits nowhere"]);
    let action = "do = { delay = { lognormal = { median = \"1s\", sigma = 11 } } }";
    schema_says(
        &fault(action),
        &[".fault.do: {\"delay\":{\"lognormal\":{\"median\":\"1s\",\"sigma\":11}}} fits nowhere"],
    );
    let occasion = "when = { probability = 1.5 }\nmatch = { devices = true }\ndo = \"drop\"";
    schema_says(
        &fault(occasion),
        &[".fault.when.probability: 1.5 is out of range", ".fault.match.devices: true fits nowhere"],
    );
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
