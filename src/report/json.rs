//! A summary as JSON text, for `--json`.

use crate::measure::Summary;

/// The summary as an indented JSON object that ends with a line end.
pub fn summary(summary: &Summary) -> String {
    let mut text = serde_json::to_string_pretty(summary).expect("a summary has a JSON form");
    text.push('\n');
    text
}
