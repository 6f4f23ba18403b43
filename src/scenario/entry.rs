//! Values out of the tree, for the second look: what has the right shape is given out, with its place; what has not
//! has been reported before, and reads as absent.

use std::str::FromStr;

use toml::de::DeValue;

use crate::scenario::document::{Table, Value};
use crate::scenario::keys::Section;
use crate::scenario::problem::{Sources, Span};
use crate::scenario::shape;
use crate::units;

/// A string with its place.
#[derive(Debug, Clone)]
pub struct Text<'d> {
    pub text: &'d str,
    pub span: Span,
    /// Where the first character stands, where the text stands in the source as it is, without escapes.
    inside: Option<usize>,
}

impl<'d> Text<'d> {
    /// What begins at this byte of the string, as a text of its own.
    pub fn tail(&self, start: usize) -> Text<'d> {
        let text = self.text.get(start..).unwrap_or_default();
        let inside = self.inside.map(|inside| inside + start);
        let span = inside.map_or(self.span.clone(), |inside| inside..inside + text.len());
        Text { text, span, inside }
    }

    /// The place of the whole.
    pub fn whole(&self) -> Span {
        self.span.clone()
    }

    /// The place of a part of the string; of the whole where that cannot be told.
    pub fn part(&self, part: Span) -> Span {
        match self.inside {
            Some(start) => start + part.start..start + part.end,
            None => self.span.clone(),
        }
    }
}

/// One table of the tree with the section it is read by.
#[derive(Clone, Copy)]
pub struct Entry<'d> {
    section: &'static Section,
    /// `None` for a table that was left out: all its values are defaults.
    table: Option<&'d Table<'d>>,
    sources: &'d Sources,
    place: (usize, usize),
}

impl<'d> Entry<'d> {
    /// The root of a file.
    pub fn root(section: &'static Section, table: &'d Table<'d>, sources: &'d Sources) -> Entry<'d> {
        Entry { section, table: Some(table), sources, place: (0, 0) }
    }

    /// Where the table begins.
    pub fn place(&self) -> Span {
        self.place.0..self.place.1
    }

    fn value(&self, key: &str) -> Option<&'d Value<'d>> {
        debug_assert!(self.section.key(key).is_some(), "`{key}` is in the table of keys");
        self.table?.get(key)
    }

    /// The place of a value; of the table where it is left out.
    pub fn span(&self, key: &str) -> Span {
        self.value(key).map_or_else(|| self.place(), Value::span)
    }

    /// Whether the key is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A string.
    pub fn text(&self, key: &str) -> Option<Text<'d>> {
        self.value(key).and_then(|value| self.as_text(value))
    }

    fn as_text(&self, value: &'d Value<'d>) -> Option<Text<'d>> {
        let text = value.get_ref().as_str()?;
        let span = value.span();
        let raw = self.sources.text(span.clone());
        let quotes = (raw.len().saturating_sub(text.len())) / 2;
        let inside = (raw.get(quotes..quotes + text.len()) == Some(text)).then_some(span.start + quotes);
        Some(Text { text, span, inside })
    }

    /// A string, or its default.
    pub fn word(&self, key: &str) -> &'d str {
        self.text(key).map_or_else(|| self.default(key), |found| found.text)
    }

    /// A whole number within its bounds.
    pub fn integer(&self, key: &str) -> Option<i64> {
        let number = self.value(key).map_or_else(|| self.default(key).parse().ok(), shape::integer);
        number.filter(|number| self.is_within_bounds(key, *number))
    }

    /// A list of whole numbers; those that are out of bounds are left out.
    pub fn integers(&self, key: &str) -> Vec<(i64, Span)> {
        let numbers = self.items(key).iter().filter_map(|item| Some((shape::integer(item)?, item.span())));
        numbers.filter(|(number, _)| self.is_within_bounds(key, *number)).collect()
    }

    fn is_within_bounds(&self, key: &str, number: i64) -> bool {
        let bounds = self.section.key(key).and_then(|key| key.shape.bounds());
        bounds.is_some_and(|(least, most)| (least..=most).contains(&number))
    }

    /// A number, whole or not, or its default; 0 where it was wrong.
    pub fn real(&self, key: &str) -> f64 {
        let number = self.value(key).map_or_else(|| self.default(key).parse().ok(), shape::number);
        number.filter(|number| number.is_finite()).unwrap_or_default()
    }

    /// A whole number as the type it is kept in; `T::default()` where it was wrong, or is left out and has no default.
    pub fn number<T: TryFrom<i64> + Default>(&self, key: &str) -> T {
        self.integer(key).and_then(|number| T::try_from(number).ok()).unwrap_or_default()
    }

    /// A duration, or its default.
    pub fn duration(&self, key: &str) -> std::time::Duration {
        units::Duration::from_str(self.word(key)).unwrap_or_default().0
    }

    /// A size in bytes, or its default.
    pub fn size(&self, key: &str) -> u64 {
        let size = match self.value(key) {
            Some(value) => shape::size(value).and_then(Result::ok),
            None => self.default(key).parse().ok(),
        };
        size.map_or(0, |size| size.0)
    }

    /// Whether the key is there and is a table.
    pub fn is_table(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| value.get_ref().is_table())
    }

    /// The keys that are there and known, in the file's order, each with its place.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, Span)> {
        let entries = self.table.into_iter().flatten();
        entries.filter_map(|(name, _)| Some((self.section.key(name.get_ref())?.name, name.span())))
    }

    /// Whether there is no key that nobody knows.
    pub fn is_known(&self) -> bool {
        self.table.is_none_or(|table| table.keys().all(|name| self.section.key(name.get_ref()).is_some()))
    }

    /// `true` or `false`.
    pub fn yes(&self, key: &str) -> Option<bool> {
        self.value(key)?.get_ref().as_bool()
    }

    /// A list of strings; `None` where it is left out.
    pub fn texts(&self, key: &str) -> Option<Vec<Text<'d>>> {
        let items = self.value(key)?.get_ref().as_array()?;
        Some(items.iter().filter_map(|item| self.as_text(item)).collect())
    }

    /// A string, or a list of strings: none where it is left out.
    pub fn one_or_more(&self, key: &str) -> Vec<Text<'d>> {
        self.text(key).map_or_else(|| self.texts(key).unwrap_or_default(), |text| vec![text])
    }

    /// Whether the key is there and is a list.
    pub fn is_list(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| value.get_ref().is_array())
    }

    /// The items of a list, as they stand.
    pub fn items(&self, key: &str) -> &'d [Value<'d>] {
        self.value(key).and_then(|value| value.get_ref().as_array()).map_or(&[], |items| items)
    }

    /// A table; an empty one where it is left out.
    pub fn table(&self, key: &str) -> Entry<'d> {
        let section = self.section.key(key).and_then(|key| key.shape.section()).unwrap_or(self.section);
        let value = self.value(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        let place = value.map_or(self.place, |value| (value.span().start, value.span().end));
        Entry { section, table, sources: self.sources, place }
    }

    /// The tables of a list of tables.
    pub fn tables(&self, key: &str) -> Vec<Entry<'d>> {
        let template = self.table(key);
        self.items(key)
            .iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::Table(table) => {
                    let place = (item.span().start, item.span().end);
                    Some(Entry { table: Some(table), place, ..template })
                }
                _ => None,
            })
            .collect()
    }

    fn default(&self, key: &str) -> &'static str {
        self.section.key(key).and_then(|key| key.default).unwrap_or("")
    }
}
