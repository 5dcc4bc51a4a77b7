//! What the tests need that is not in the repository: photos, labels, models of others.

use std::path::{Path, PathBuf};

/// A folder (empty: all) of the data that `SKINDELTA_DATA` names (default `../shared/data`); where it
/// is absent, says so.
pub fn data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SKINDELTA_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let found = root.join(folder);
    if found.is_dir() {
        return Some(found);
    }
    println!("skipped: no {} (name the folder of data in SKINDELTA_DATA)", found.display());
    None
}
