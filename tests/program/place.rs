//! A folder of a test's own.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of a test's own, removed at its end.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(files: &[(&str, &str)]) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dmswarm-program-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        for (name, text) in files {
            let file = path.join(name);
            fs::create_dir_all(file.parent().expect("a folder above")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        Place(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
