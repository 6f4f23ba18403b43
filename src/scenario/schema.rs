//! The JSON Schemas of a scenario file and of a campaign file, made from the tables of keys.

use serde_json::{Map, Value, json};

use crate::scenario::keys::{CAMPAIGN, Key, SCENARIO, Section, Shape};

/// The schema of a scenario, draft 2020-12.
pub fn scenario() -> Value {
    file(&SCENARIO, "dmswarm scenario")
}

/// The schema of a campaign, draft 2020-12. What its paths may be is the scenario's to say.
pub fn campaign() -> Value {
    file(&CAMPAIGN, "dmswarm campaign")
}

fn file(root: &Section, title: &str) -> Value {
    let mut schema = section(root);
    if let Value::Object(members) = &mut schema {
        members.shift_insert(0, "$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.shift_insert(1, "title".to_owned(), json!(title));
    }
    schema
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> = section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = section.keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let mut schema = json!({
        "description": section.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = shape(&key.shape);
    schema["description"] = json!(key.about);
    if matches!(key.shape, Shape::Tables(_)) && key.is_required {
        schema["minItems"] = json!(1);
    }
    if let Some(default) = key.default {
        schema["default"] = match key.shape {
            Shape::Integer(..) | Shape::Number(..) => {
                let whole = default.parse::<i64>().map(|number| json!(number));
                whole.unwrap_or_else(|_| default.parse::<f64>().map_or(Value::Null, |number| json!(number)))
            }
            Shape::YesNo => json!(default == "true"),
            _ => json!(default),
        };
    }
    schema
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Named(words) => json!({ "type": "string", "enum": words() }),
        Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Shape::YesNo => json!({ "type": "boolean" }),
        Shape::Duration | Shape::DurationOrNone => json!({ "type": "string", "examples": ["250ms", "1.5s", "1h30m"] }),
        Shape::Size(least, most) => json!({
            "type": ["string", "integer"], "minimum": least, "maximum": most, "examples": ["64KiB", 65_536],
        }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::YesOrTexts => json!({ "type": ["boolean", "array"], "items": { "type": "string" } }),
        Shape::Table(inner) => section(inner),
        Shape::Paths => json!({ "type": "object" }),
        Shape::Tables(inner) => json!({ "type": "array", "items": section(inner) }),
        Shape::List(inner) => json!({ "type": "array", "items": self::shape(inner) }),
        Shape::Either(_, shapes) => json!({ "anyOf": shapes.iter().map(self::shape).collect::<Vec<_>>() }),
    }
}
