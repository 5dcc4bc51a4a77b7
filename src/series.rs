//! A series: photos of one skin over time; a pair is a series of two.

use crate::photo::Photo;
use crate::units::MmPerPx;
use serde::{Deserialize, Serialize};

/// One visit of a series.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Shown in the report: `baseline`, `visit 1`, or what the user named it.
    pub label: String,
    /// ISO 8601 date, where given.
    pub date: Option<String>,
    /// The photo.
    pub photo: Photo,
}

/// Photos in order of visit; the first is the baseline.
#[derive(Debug, Clone)]
pub struct Series {
    /// The visits, baseline first.
    pub visits: Vec<Visit>,
}

/// Where the scale came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleSource {
    /// `--mm-per-px`.
    Argument,
    /// The manifest of a batch.
    Manifest,
    /// The irises and the distance of the pupils of a face.
    Face,
    /// A nominal face width: filter sizes only, no lengths in mm.
    Nominal,
    /// None.
    None,
}

/// Millimetres of skin per baseline pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The scale that filter sizes use; `None` where there is neither a scale nor a face.
    pub mm_per_px: Option<MmPerPx>,
    /// Where it came from.
    pub source: ScaleSource,
    /// One standard deviation, relative.
    pub relative_uncertainty: f64,
    /// Pixels of the baseline's file in one of the baseline.
    pub file_px: f64,
}

impl Scale {
    /// The scale of the baseline reduced by this factor.
    pub fn reduced(self, factor: f64) -> Scale {
        let mm_per_px = self.mm_per_px.map(|mm| MmPerPx(mm.0 * factor));
        Scale { mm_per_px, file_px: self.file_px * factor, ..self }
    }

    /// Whether lengths may be told in millimetres (a nominal face is no ruler).
    pub fn is_metric(&self) -> bool {
        matches!(self.source, ScaleSource::Argument | ScaleSource::Manifest | ScaleSource::Face)
    }
}
