//! The folder of one search: what was gone through, and a folder for each finding.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::results::FolderError;
use crate::results::folder::{create_fresh, file_safe, write_whole};
use crate::results::utc;

/// Reads a file of a search that was made before.
///
/// # Errors
/// Where it cannot be read.
pub fn read(folder: &Path, name: &str) -> io::Result<String> {
    fs::read_to_string(folder.join(name))
}

/// The folder of one search.
#[derive(Debug)]
pub struct SearchFolder {
    path: PathBuf,
}

impl SearchFolder {
    /// Makes `<out>/<scenario>-<kind>-<UTC time>-<seed>/`.
    ///
    /// # Errors
    /// [`FolderError`] when the place cannot be written.
    pub fn create(
        out: &Path,
        (scenario, kind): (&str, &str),
        now: SystemTime,
        seed: u64,
    ) -> Result<SearchFolder, FolderError> {
        let no_folder = |source| FolderError::NoFolder { out: out.to_owned(), source };
        fs::create_dir_all(out).map_err(no_folder)?;
        let name = format!("{}-{kind}-{}-{seed}", file_safe(scenario), utc::file_safe(now));
        Ok(SearchFolder { path: create_fresh(out, &name).map_err(no_folder)? })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the search itself.
    ///
    /// # Errors
    /// [`FolderError::NotWritten`], here and in what follows.
    pub fn write(&self, name: &str, text: &str) -> Result<(), FolderError> {
        write_whole(&self.path.join(name), text.as_bytes())
    }

    /// Writes the files of a finding into `findings/<name>/`, and tells where that is.
    pub fn write_finding(&self, name: &str, files: &[(&str, String)]) -> Result<PathBuf, FolderError> {
        let folder = self.path.join("findings").join(file_safe(name));
        fs::create_dir_all(&folder).map_err(|source| FolderError::NotWritten { file: folder.clone(), source })?;
        for (file, text) in files {
            write_whole(&folder.join(file), text.as_bytes())?;
        }
        Ok(folder)
    }
}
