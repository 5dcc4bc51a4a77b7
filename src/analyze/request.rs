//! What is asked of an analysis.

use crate::region::{Model, RegionRequest};
use crate::series::ScaleSource;
use crate::settings::Settings;
use std::path::PathBuf;
use std::sync::Arc;

/// How photos are analysed, the same for all of a series.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which regions.
    pub regions: RegionRequest,
    /// Millimetres per pixel of the baseline, and who said so.
    pub scale: Option<(f64, ScaleSource)>,
    /// ONNX model, shared by all series; none: the project's own where a face is asked for, in a build
    /// that holds it.
    pub model: Option<Arc<Model>>,
    /// Region of untreated skin that tone is compared with.
    pub reference: Option<String>,
    /// Every tunable number.
    pub settings: Settings,
}

impl Default for Options {
    /// The regions of a face, no scale, the project's own model and settings.
    fn default() -> Self {
        Options {
            regions: RegionRequest::Face,
            scale: None,
            model: None,
            reference: None,
            settings: Settings::default(),
        }
    }
}

/// One photo to be analysed.
#[derive(Debug, Clone)]
pub struct PhotoInput {
    /// Where it lies.
    pub path: PathBuf,
    /// Name of the visit; `baseline`, `visit 1` … where none is given.
    pub label: Option<String>,
    /// ISO 8601 date.
    pub date: Option<String>,
}

/// A series of photo files, and what is wanted of it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Photos in order of visit, at least one (one: a measurement without comparison).
    pub photos: Vec<PhotoInput>,
    /// How they are analysed.
    pub options: Options,
    /// Whether to make the pictures of the page.
    #[cfg(feature = "cli")]
    pub pictures: bool,
    /// Whether to make the maps.
    #[cfg(feature = "cli")]
    pub maps: bool,
    /// Files that were read to make this request: region file, model with its sidecar, settings, manifest. They
    /// are not opened again; no output may replace them.
    pub read: Vec<PathBuf>,
}

impl Request {
    /// Photos in order of visit, everything else as the command has it by default.
    pub fn new<P: Into<PathBuf>>(photos: impl IntoIterator<Item = P>) -> Self {
        let input = |path: P| PhotoInput { path: path.into(), label: None, date: None };
        Request { photos: photos.into_iter().map(input).collect(), ..Request::default() }
    }

    /// All files that the results depend on, which no output may replace.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let photos = self.photos.iter().map(|photo| &photo.path);
        photos.chain(&self.read).cloned().collect()
    }
}
