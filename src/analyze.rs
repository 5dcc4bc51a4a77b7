//! The pipeline: the only file that names all stages.

use crate::error::{Error, Result, Step};
use crate::region::RegionRequest;
use crate::report::{Maps, Pictures, Report};
use crate::series::ScaleSource;
use crate::settings::Settings;
use std::path::PathBuf;
use std::time::Duration;

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

/// What is to be analysed, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// Photos in order of visit, at least one (one: a measurement without comparison).
    pub photos: Vec<PhotoInput>,
    /// Which regions.
    pub regions: RegionRequest,
    /// Millimetres per pixel of the baseline, and who said so.
    pub scale: Option<(f64, ScaleSource)>,
    /// ONNX segmentation model named by the user.
    pub model: Option<PathBuf>,
    /// Region of untreated skin that tone is told against.
    pub reference: Option<String>,
    /// Whether to make the pictures of the page.
    pub pictures: bool,
    /// Whether to make the maps.
    pub maps: bool,
    /// Every tunable number.
    pub settings: Settings,
}

/// What an analysis yields.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The numbers.
    pub report: Report,
    /// The pictures of the page (empty unless asked for).
    pub pictures: Pictures,
    /// The maps (empty unless asked for).
    pub maps: Maps,
    /// How long each stage took, in their order; never part of the report.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Runs the whole pipeline over one series.
///
/// # Errors
/// A photo that cannot be read, a region file that does not fit, a model that cannot run. An
/// alignment that fails is a result, not an error.
pub fn analyze(request: &Request) -> Result<Analysis> {
    let first = &request.photos[0].path;
    Err(Error::new(first, Step::Measure, "the pipeline is not wired yet"))
}
