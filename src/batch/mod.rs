//! Analysis of many series that a manifest lists.
//!
//! - `manifest`: reads the manifest and checks all of it before any analysis starts;
//! - `run`: analyses the series on a few threads within a memory limit and writes the tables.

mod manifest;
mod run;

pub use manifest::{SeriesPlan, plan};
pub use run::{BatchOptions, Failure, run};

#[cfg(test)]
mod testing {
    //! Manifests with photos for the tests of this module.

    use super::{SeriesPlan, plan};
    use crate::analyze::Request;
    use crate::error::Result;
    use std::fs;

    /// A folder with a manifest and 40 × 30 px photos of these names.
    pub fn folder(manifest: &str, photos: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("manifest.csv"), manifest).unwrap();
        for name in photos {
            let file = folder.path().join(name);
            image::GrayImage::new(40, 30).save_with_format(file, image::ImageFormat::Png).unwrap();
        }
        folder
    }

    fn common() -> Request {
        Request { pictures: true, ..Request::default() }
    }

    pub fn planned(folder: &tempfile::TempDir) -> Result<Vec<SeriesPlan>> {
        plan(&folder.path().join("manifest.csv"), &common())
    }
}
