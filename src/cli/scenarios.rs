//! From the command line's files and folders to scenarios, or to what is wrong with each.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::file::{Overrides, parse, read};
use crate::scenario::problem::Problems;
use crate::scenario::{QUICKSTART, Scenario};

/// One scenario that was asked for.
#[derive(Debug)]
pub struct Asked {
    /// The path of its file, or `quickstart (built in)`.
    pub source: String,
    pub scenario: Result<Scenario, Problems>,
}

/// Reads every scenario that was asked for: the built-in quickstart for none, the `.toml` files of a folder by name.
pub fn read_all(paths: &[PathBuf], overrides: &Overrides) -> Vec<Asked> {
    if paths.is_empty() {
        return vec![quickstart(overrides)];
    }
    paths.iter().flat_map(|path| read_path(path, overrides)).collect()
}

/// The built-in quickstart.
pub fn quickstart(overrides: &Overrides) -> Asked {
    let source = "quickstart (built in)".to_owned();
    Asked { scenario: parse(&source, QUICKSTART, overrides), source }
}

fn read_path(path: &Path, overrides: &Overrides) -> Vec<Asked> {
    let asked = |path: &Path| Asked { source: path.display().to_string(), scenario: read(path, overrides) };
    if !path.is_dir() {
        return vec![asked(path)];
    }
    let unreadable = |error: &io::Error| {
        let source = path.display().to_string();
        vec![Asked { scenario: Err(Problems::unreadable(&source, error)), source }]
    };
    match files_of(path) {
        Ok(files) if files.is_empty() => {
            unreadable(&io::Error::new(io::ErrorKind::NotFound, "the folder has no `.toml` files"))
        }
        Ok(files) => files.iter().map(|file| asked(file)).collect(),
        Err(error) => unreadable(&error),
    }
}

/// The `.toml` files of a folder, sorted by name; folders in it are not entered.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_quickstart_is_read() {
        let asked = read_all(&[], &Overrides { seed: Some(5), ..Overrides::default() });
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].scenario.as_ref().unwrap().seed.0, 5);
    }

    #[test]
    fn a_folder_gives_its_files_by_name() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let asked = read_all(std::slice::from_ref(&shipped), &Overrides::default());
        assert!(asked.iter().any(|asked| asked.source.ends_with("quickstart.toml") && asked.scenario.is_ok()));
        let sources: Vec<&String> = asked.iter().map(|asked| &asked.source).collect();
        assert!(sources.is_sorted());
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let paths = [PathBuf::from("no/such/file.toml"), Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let asked = read_all(&paths, &Overrides::default());
        let said: Vec<String> = asked.iter().map(|asked| asked.scenario.as_ref().unwrap_err().to_string()).collect();
        assert!(said[0].contains("cannot read `no/such/file.toml`"), "{}", said[0]);
        assert!(said[1].contains("the folder has no `.toml` files"), "{}", said[1]);
    }
}
