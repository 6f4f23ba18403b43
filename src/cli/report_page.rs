//! `report.html`: the report of a run, made from the stored data in its folder and written beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::run_page::run_page;
use crate::results::{Dossier, DossierError};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportPageError {
    #[error(transparent)]
    Dossier(#[from] DossierError),
    #[error("cannot write `{}`: {source}; make room, or give yourself the right to write there", file.display())]
    NotWritten { file: PathBuf, source: io::Error },
}

/// Writes `report.html` into the folder of a run, in place of the one before, and tells where it is.
///
/// # Errors
/// [`ReportPageError`] when the folder is none of a run, or cannot be written.
pub fn write(folder: &Path) -> Result<PathBuf, ReportPageError> {
    let page = run_page(&Dossier::read(folder)?);
    let file = folder.join("report.html");
    let beside = folder.join("report.tmp");
    let written = fs::write(&beside, page).and_then(|()| fs::rename(&beside, &file));
    let written = written.inspect_err(|_| {
        // What is left of it is of no use; if it cannot be removed either, the first error tells more.
        let _ = fs::remove_file(&beside);
    });
    written.map_err(|source| ReportPageError::NotWritten { file: file.clone(), source })?;
    Ok(file)
}
