//! The first look at a file, by the tables of keys alone: unknown keys, missing keys, values of the wrong shape.

use toml::de::DeValue;

use crate::scenario::document::{Table, Value};
use crate::scenario::keys::{SCENARIO, Section, Shape};
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::units::{Duration, Size};

/// No party waits longer than this for another.
pub const LONGEST_TIMEOUT: Duration = Duration(std::time::Duration::from_hours(24));
/// Nothing in a run takes longer than this.
pub const LONGEST_STRETCH: Duration = Duration(std::time::Duration::from_hours(24 * 365));

/// Where a key belongs that the table has not, if anybody knows.
pub type Elsewhere = fn(&str) -> Option<String>;

/// Everything about a table of a scenario that is wrong by itself. `place` is where its header stands.
pub fn check(section: &'static Section, table: &Table<'_>, place: Span, found: &mut Vec<Problem>) {
    // In TOML a key belongs to the last table before it.
    let at_the_top = |name: &str| {
        SCENARIO.key(name).map(|_| format!("`{name}` is a key of the file itself: it stands before the first table"))
    };
    check_beside(section, table, place, at_the_top, found);
}

/// The same about a table of another file.
pub fn check_beside(
    section: &'static Section,
    table: &Table<'_>,
    place: Span,
    elsewhere: Elsewhere,
    found: &mut Vec<Problem>,
) {
    for (name, value) in table {
        match section.key(name.get_ref()) {
            Some(key) => {
                check_shape(key.name, &key.shape, value, elsewhere, found);
                if key.is_required
                    && matches!(key.shape, Shape::Tables(_))
                    && value.get_ref().as_array().is_some_and(|items| items.is_empty())
                {
                    found.push(Problem::new(value.span(), format!("`{}` needs at least one entry", key.name)));
                }
            }
            None => found.push(unknown_key(section, name.get_ref(), name.span(), elsewhere)),
        }
    }
    for key in section.keys.iter().filter(|key| key.is_required && !table.contains_key(key.name)) {
        let example = match key.shape {
            Shape::Table(_) => format!("add a table `[{}]`: {}", key.name, key.about),
            Shape::Tables(_) => format!("add a table `[[{}]]`: {}", key.name, key.about),
            _ => format!("add `{} = ...`: {}", key.name, key.about),
        };
        found.push(Problem::new(place.clone(), format!("the key `{}` is missing", key.name)).hint(example));
    }
}

fn unknown_key(section: &Section, name: &str, place: Span, elsewhere: Elsewhere) -> Problem {
    let known: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
    let hint = elsewhere(name)
        .or_else(|| did_you_mean(name, known.iter().copied()))
        .unwrap_or_else(|| format!("its keys are {}", words(&known, "and")));
    Problem::new(place, format!("unknown key `{name}`")).label("not a key of this table").hint(hint)
}

fn check_shape(name: &str, shape: &'static Shape, value: &Value<'_>, elsewhere: Elsewhere, found: &mut Vec<Problem>) {
    let place = value.span();
    match (shape, value.get_ref()) {
        (Shape::Text, DeValue::String(_))
        | (Shape::YesNo | Shape::YesOrTexts, DeValue::Boolean(_))
        | (Shape::Paths, DeValue::Table(_)) => {}
        (Shape::Word(known), DeValue::String(word)) => check_word(name, known, word, place, found),
        (Shape::Named(known), DeValue::String(word)) => check_word(name, &known(), word, place, found),
        (Shape::Integer(least, most), DeValue::Integer(number)) => {
            let number = number.to_string();
            if !integer(value).is_some_and(|number| (*least..=*most).contains(&number)) {
                let message = format!("expected a whole number from {least} to {most}, found `{number}`");
                found.push(Problem::new(place, message).label(format!("out of range for `{name}`")));
            }
        }
        (Shape::Number(least, most), DeValue::Integer(_) | DeValue::Float(_)) => {
            if !number(value).is_some_and(|number| (*least..=*most).contains(&number)) {
                let message = format!("expected a number from {least} to {most}");
                found.push(Problem::new(place, message).label(format!("out of range for `{name}`")));
            }
        }
        (Shape::Duration | Shape::DurationOrNone, DeValue::String(text)) => match text.parse::<Duration>() {
            Ok(duration) if duration.0.is_zero() && matches!(shape, Shape::Duration) => {
                found.push(Problem::new(place, format!("`{name}` has to be longer than nothing")));
            }
            Ok(duration) if duration > LONGEST_TIMEOUT => {
                found.push(Problem::new(place, format!("`{name}` is longer than {LONGEST_TIMEOUT}, found `{text}`")));
            }
            Ok(_) => {}
            Err(error) => found.push(Problem::new(place, error.to_string())),
        },
        (Shape::Size(least, most), DeValue::String(_) | DeValue::Integer(_)) => match size(value) {
            Some(Ok(size)) if (*least..=*most).contains(&size.0) => {}
            Some(Err(error)) => found.push(Problem::new(place, error.to_string())),
            _ => {
                let message = format!("expected a size from {} to {}", Size(*least), Size(*most));
                found.push(Problem::new(place, message).label(format!("out of range for `{name}`")));
            }
        },
        (Shape::Texts | Shape::YesOrTexts, DeValue::Array(items)) => {
            let wrong = items.iter().filter(|item| !item.get_ref().is_str());
            found.extend(wrong.map(|item| wrong_type(name, shape, item)));
        }
        (Shape::List(inner), DeValue::Array(items)) => {
            items.iter().for_each(|item| check_shape(name, inner, item, elsewhere, found));
        }
        (Shape::Table(section), DeValue::Table(table)) => check_beside(section, table, place, elsewhere, found),
        (Shape::Tables(section), DeValue::Array(items)) => {
            for item in items {
                match item.get_ref() {
                    DeValue::Table(table) => check_beside(section, table, item.span(), elsewhere, found),
                    _ => found.push(wrong_type(name, shape, item)),
                }
            }
        }
        (Shape::Either(_, shapes), it) => match shapes.iter().find(|shape| may_be(shape, it)) {
            Some(fitting) => {
                let before = found.len();
                check_shape(name, fitting, value, elsewhere, found);
                hint_at_table(name, shape, value, &mut found[before..]);
            }
            None => found.push(wrong_type(name, shape, value)),
        },
        _ => found.push(wrong_type(name, shape, value)),
    }
}

fn check_word(name: &str, known: &[&str], word: &str, place: Span, found: &mut Vec<Problem>) {
    if !known.contains(&word) {
        let message = format!("`{name}` is {}, found `{word}`", one_of(known));
        found.push(Problem::new(place, message).maybe_hint(did_you_mean(word, known.iter().copied())));
    }
}

/// A word that is wrong by itself, and right as the key of a table.
fn hint_at_table(name: &str, shape: &Shape, value: &Value<'_>, found: &mut [Problem]) {
    let word = value.get_ref().as_str().unwrap_or_default();
    if shape.section().is_some_and(|section| section.key(word).is_some()) {
        for problem in found {
            *problem = problem.clone().hint(format!("`{word}` says more: `{name} = {{ {word} = ... }}`"));
        }
    }
}

/// Whether a value has the type of a shape, right or wrong.
fn may_be(shape: &Shape, value: &DeValue<'_>) -> bool {
    match shape {
        Shape::Text | Shape::Word(_) | Shape::Named(_) | Shape::Duration | Shape::DurationOrNone => value.is_str(),
        Shape::Integer(..) => value.is_integer(),
        Shape::Number(..) => value.is_integer() || value.is_float(),
        Shape::YesNo => value.is_bool(),
        Shape::Size(..) => value.is_str() || value.is_integer(),
        Shape::Texts | Shape::Tables(_) | Shape::List(_) => value.is_array(),
        Shape::YesOrTexts => value.is_bool() || value.is_array(),
        Shape::Table(_) | Shape::Paths => value.is_table(),
        Shape::Either(_, shapes) => shapes.iter().any(|shape| may_be(shape, value)),
    }
}

fn wrong_type(name: &str, shape: &Shape, value: &Value<'_>) -> Problem {
    let expected = match shape {
        Shape::Text => "a string".to_owned(),
        Shape::Word(known) => one_of(known),
        Shape::Named(known) => one_of(&known()),
        Shape::Integer(..) => "a whole number".to_owned(),
        Shape::Number(..) => "a number".to_owned(),
        Shape::YesNo => "`true` or `false`".to_owned(),
        Shape::Duration | Shape::DurationOrNone => "a duration such as `\"250ms\"`".to_owned(),
        Shape::Size(..) => "a size such as `\"1MiB\"`".to_owned(),
        Shape::Texts => "a list of strings".to_owned(),
        Shape::YesOrTexts => "`true`, `false` or a list of strings".to_owned(),
        Shape::Table(_) => format!("a table `[{name}]`"),
        Shape::Tables(_) => format!("tables `[[{name}]]`"),
        Shape::Paths => "a table such as `{ \"population.devices\" = 100 }`".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::Either(expected, _) => (*expected).to_owned(),
    };
    let found = match value.get_ref() {
        DeValue::String(text) => format!("the string `{text}`"),
        DeValue::Integer(number) => format!("the whole number `{number}`"),
        DeValue::Float(number) => format!("the number `{number}`"),
        DeValue::Boolean(yes) => format!("`{yes}`"),
        DeValue::Datetime(date) => format!("the date `{date}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    Problem::new(value.span(), format!("`{name}` is {expected}, found {found}"))
}

/// The value as a whole number, if it is one that fits.
pub fn integer(value: &Value<'_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The value as a number, whole or not.
pub fn number(value: &Value<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => integer(value).map(|number| number as f64),
    }
}

/// The value as a size; `None` where it is neither a string nor a whole number that fits.
pub fn size(value: &Value<'_>) -> Option<Result<Size, crate::units::UnitError>> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.parse()),
        _ => integer(value).and_then(|bytes| u64::try_from(bytes).ok()).map(|bytes| Ok(Size(bytes))),
    }
}

fn one_of(known: &[&str]) -> String {
    format!("one of {}", words(known, "and"))
}

/// "`a`, `b` and `c`", with the conjunction that is wanted.
pub fn words(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
