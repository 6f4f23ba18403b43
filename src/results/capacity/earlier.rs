//! A search that was made before, read back as evidence for a plan.

use std::path::{Path, PathBuf};

use crate::results::capacity::{CapacityRecord, RECORD};
use crate::results::search;

/// Why a folder is no search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` holds no search for a capacity: {problem}; name a folder that `dmswarm capacity` has made", folder.display())]
pub struct NoSearch {
    pub folder: PathBuf,
    pub problem: String,
}

impl CapacityRecord {
    /// Reads the search in a folder, or in the one of that name below `out`; with where that is.
    ///
    /// # Errors
    /// [`NoSearch`] where there is none of this version.
    pub fn read(folder: &Path, out: &Path) -> Result<(PathBuf, CapacityRecord), NoSearch> {
        let below = out.join(folder);
        let place = if folder.exists() || !below.exists() { folder.to_owned() } else { below };
        let none = |problem: String| NoSearch { folder: place.clone(), problem };
        let text = search::read(&place, RECORD).map_err(|error| none(format!("its {RECORD}: {error}")))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| none(format!("its {RECORD} is no JSON: {error}")))?;
        let schema = value["schema"].as_str().unwrap_or("nothing");
        if schema != CapacityRecord::SCHEMA {
            let (found, expected) = (schema.escape_debug(), CapacityRecord::SCHEMA);
            return Err(none(format!("the schema of its {RECORD} is `{found}`, expected `{expected}`")));
        }
        let search = serde_json::from_value(value);
        let search = search.map_err(|error| none(format!("its {RECORD} is none of this version: {error}")))?;
        Ok((place, search))
    }
}
