//! Test data outside the repository: photos, labels, models of others.

use std::path::{Path, PathBuf};

/// A folder (empty: all) of the data that `SKINDELTA_DATA` names (default `../shared/data`). Where the variable is not
/// set and the default is absent, prints that; a variable that names no such folder is an error.
pub fn data(folder: &str) -> Option<PathBuf> {
    if let Some(root) = std::env::var_os("SKINDELTA_DATA") {
        let found = Path::new(&root).join(folder);
        assert!(found.is_dir(), "SKINDELTA_DATA: {} is no folder", found.display());
        return Some(found);
    }
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if found.is_dir() {
        return Some(found);
    }
    println!("skipped: no real photos at {} (SKINDELTA_DATA names their folder)", found.display());
    None
}
