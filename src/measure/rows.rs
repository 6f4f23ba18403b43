//! Named rows in a fixed order: a list inside, a JSON object outside.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Rows by name. The order is the specification's, which an ordered map would lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T>(Vec<(String, T)>);

impl<T> Rows<T> {
    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, row)| row)
    }

    /// Every row with its name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, row)| (name.as_str(), row))
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Rows<T> {
        Rows(Vec::new())
    }
}

impl<T> FromIterator<(String, T)> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(rows: I) -> Rows<T> {
        Rows(rows.into_iter().collect())
    }
}

impl<T: Serialize> Serialize for Rows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, row) in &self.0 {
            object.serialize_entry(name, row)?;
        }
        object.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows<T>, D::Error> {
        deserializer.deserialize_map(RowsVisitor(PhantomData))
    }
}

struct RowsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowsVisitor<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of named rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Rows<T>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = object.next_entry()? {
            rows.push(row);
        }
        Ok(Rows(rows))
    }
}

/// The schema of an object with such rows.
impl<T: JsonSchema> JsonSchema for Rows<T> {
    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, T>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_order_through_json() {
        let rows: Rows<u8> = [("b", 1), ("a", 2)].map(|(name, row)| (name.to_owned(), row)).into_iter().collect();
        let text = serde_json::to_string(&rows).expect("JSON");
        assert_eq!(text, r#"{"b":1,"a":2}"#);
        assert_eq!(serde_json::from_str::<Rows<u8>>(&text).expect("rows"), rows);
        assert_eq!((rows.get("a"), rows.get("c")), (Some(&2), None));
    }
}
