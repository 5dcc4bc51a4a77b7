//! The report: one serialised root, and its JSON, CSV and HTML forms.
//!
//! Field order is the key order of result.json; a published key is never renamed or re-meant
//! without raising [`SCHEMA_VERSION`].

#[cfg(feature = "cli")]
pub mod csv;
#[cfg(feature = "cli")]
mod folder;
#[cfg(feature = "cli")]
pub mod html;
pub mod json;
#[cfg(feature = "cli")]
pub mod maps;

#[cfg(feature = "cli")]
pub use folder::{
    JSON_SIGN, Maps, Pictures, PoreRow, ScarRow, check_folder, outputs, withdraw, write,
};

use crate::align::AlignmentStatus;
pub use crate::change::{ChangeRow, TrendRow};
use crate::metric::{Metric, Reason};
use crate::notice::Notice;
use crate::quality::QualityCheck;
use crate::region::RegionSource;
use crate::series::ScaleSource;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON Schema (draft 2020-12) of result.json.
pub const SCHEMA: &str = include_str!("schema/v1.json");

/// Everything that one series yields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // the keys are defined by the contract, section by section below
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    pub settings: serde_json::Value,
    pub settings_sha256: String,
    pub notices: Vec<String>,
    pub photos: Vec<PhotoRow>,
    pub scale: ScaleRow,
    pub regions: RegionsRow,
    pub alignment: Vec<AlignmentRow>,
    pub quality: Vec<QualityCheck>,
    pub measurements: Vec<MeasurementRow>,
    pub changes: Vec<ChangeRow>,
    pub trends: Vec<TrendRow>,
    pub citations: Vec<String>,
}

impl Report {
    /// The notices that put the whole result in doubt: told in the lead of the page and in the
    /// command's summary.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let no_face = Notice::NoFace.to_string();
        self.notices.iter().map(String::as_str).filter(move |notice| *notice == no_face)
    }

    /// What `unchanged` means, by the settings that were used: `within ±10 %`.
    pub fn within_margin(&self) -> String {
        let margin = self.settings.pointer("/change/equivalence_margin_percent");
        let margin = margin.and_then(serde_json::Value::as_f64);
        margin.map_or("within the equivalence margin".into(), |m| format!("within ±{m}\u{a0}%"))
    }
}

/// Name and version of the program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// `skindelta`
    pub name: Cow<'static, str>,
    /// Cargo's version.
    pub version: Cow<'static, str>,
}

impl Tool {
    /// This program.
    pub const THIS: Tool = Tool {
        name: Cow::Borrowed(env!("CARGO_PKG_NAME")),
        version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
    };
}

/// One photo of the series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhotoRow {
    /// Visit number, 0 = baseline.
    pub visit: usize,
    /// The user's name of the visit.
    pub label: String,
    /// ISO 8601.
    pub date: Option<String>,
    /// File name without folders.
    pub file: String,
    /// Of the file's bytes.
    pub sha256: String,
    /// After orientation, and after the photo was turned where a notice says so.
    pub width_px: usize,
    /// As `width_px`.
    pub height_px: usize,
}

/// The scale of the baseline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScaleRow {
    /// Millimetres per baseline pixel.
    pub mm_per_px: Option<f64>,
    /// Where from.
    pub source: ScaleSource,
    /// One standard deviation, relative.
    pub relative_uncertainty: f64,
}

/// Where the regions came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegionsRow {
    /// face, whole, grid or file.
    pub source: RegionSource,
    /// File name of the model used.
    pub model: Option<String>,
    /// Its SHA-256.
    pub model_sha256: Option<String>,
}

/// How well one follow-up (region: null) or one region of it is aligned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlignmentRow {
    /// Follow-up number.
    pub visit: usize,
    /// Region, or null for all.
    pub region: Option<String>,
    /// aligned, partial, failed.
    pub status: AlignmentStatus,
    /// The tool's own estimate of the error, median over tiles, baseline px.
    pub residual_median_px: Option<f64>,
    /// 95th percentile.
    pub residual_p95_px: Option<f64>,
    /// Share of the baseline's skin that the follow-up shows.
    pub overlap_percent: Option<f64>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// One value of one photo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MeasurementRow {
    /// Visit number.
    pub visit: usize,
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static Metric,
    /// The value, or null beside a reason.
    pub value: Option<f64>,
    /// Unit of the value.
    pub unit: Cow<'static, str>,
    /// Why there is no value.
    pub reason: Option<Reason>,
    /// Share of the region that was measured.
    pub coverage_percent: f64,
}
