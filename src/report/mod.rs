//! The report: one serialised root, and its JSON, CSV and HTML forms.
//!
//! Field order is the key order of result.json; a published key is never renamed or re-meant
//! without raising [`SCHEMA_VERSION`].

use crate::align::AlignmentStatus;
use crate::change::Verdict;
use crate::metric::Reason;
use crate::quality::QualityCheck;
use crate::region::RegionSource;
use crate::series::ScaleSource;
use serde::Serialize;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that one series yields.
#[derive(Debug, Clone, Serialize)]
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
    pub citations: Vec<&'static str>,
}

/// Name and version of the program.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// `skindelta`
    pub name: &'static str,
    /// Cargo's version.
    pub version: &'static str,
}

/// One photo of the series.
#[derive(Debug, Clone, Serialize)]
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
    /// After orientation.
    pub width_px: usize,
    /// After orientation.
    pub height_px: usize,
}

/// The scale of the baseline.
#[derive(Debug, Clone, Serialize)]
pub struct ScaleRow {
    /// Millimetres per baseline pixel.
    pub mm_per_px: Option<f64>,
    /// Where from.
    pub source: ScaleSource,
    /// One standard deviation, relative.
    pub relative_uncertainty: f64,
}

/// Where the regions came from.
#[derive(Debug, Clone, Serialize)]
pub struct RegionsRow {
    /// face, whole, grid or file.
    pub source: RegionSource,
    /// File name of the model used.
    pub model: Option<String>,
    /// Its SHA-256.
    pub model_sha256: Option<String>,
}

/// How well one follow-up (region: null) or one region of it is aligned.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
pub struct MeasurementRow {
    /// Visit number.
    pub visit: usize,
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static str,
    /// The value, or null beside a reason.
    pub value: Option<f64>,
    /// Unit of the value.
    pub unit: &'static str,
    /// Why there is no value.
    pub reason: Option<Reason>,
    /// Share of the region that was measured.
    pub coverage_percent: f64,
}

/// One change between the baseline and a follow-up.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)] // see design: every row also has `change`, `ci95`, `sdc` in the unit
pub struct ChangeRow {
    pub visit: usize,
    pub region: String,
    pub metric: &'static str,
    pub baseline: Option<f64>,
    pub follow_up: Option<f64>,
    pub unit: &'static str,
    pub change: Option<f64>,
    pub ci95: Option<[f64; 2]>,
    pub sdc: Option<f64>,
    pub change_percent: Option<f64>,
    pub ci95_percent: Option<[f64; 2]>,
    pub sdc_percent: Option<f64>,
    pub verdict: Verdict,
    pub reason: Option<Reason>,
}

/// Slope of one metric in one region over three or more visits.
#[derive(Debug, Clone, Serialize)]
pub struct TrendRow {
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static str,
    /// Percent of the baseline per visit.
    pub slope_percent_per_visit: Option<f64>,
    /// Its 95 % interval.
    pub ci95_percent_per_visit: Option<[f64; 2]>,
    /// Verdict on the slope.
    pub verdict: Verdict,
    /// Why there is none.
    pub reason: Option<Reason>,
}

/// Finished pictures for the page, all on the baseline's frame (the measured window, at most
/// 1600 px on the longer side); index = visit.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// Photos, aligned to the baseline, 8-bit sRGB; `None` where alignment failed.
    pub photos: Vec<Option<image::RgbImage>>,
    /// Transparent overlay of wrinkle centre lines.
    pub wrinkles: Vec<Option<image::RgbaImage>>,
    /// Transparent overlay of pores.
    pub pores: Vec<Option<image::RgbaImage>>,
    /// Transparent overlay of region outlines with names, baseline only.
    pub regions: Option<image::RgbaImage>,
}

pub use crate::analyze::Maps;

/// The JSON Schema of result.json.
pub const SCHEMA: &str = "{}\n";

/// Stand-in for the real writer.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(
    dir: &std::path::Path,
    report: &Report,
    pictures: Option<&Pictures>,
    _maps: Option<&Maps>,
) -> crate::error::Result<()> {
    let error = |why| crate::error::Error::new(dir, crate::error::Step::Write, why);
    std::fs::create_dir_all(dir).map_err(error)?;
    std::fs::write(dir.join("result.json"), json::to_json(report)).map_err(error)?;
    if pictures.is_some() {
        std::fs::write(dir.join("report.html"), "").map_err(error)?;
    }
    Ok(())
}

/// Stand-in.
///
/// # Errors
/// Never.
pub fn check_folder(_dir: &std::path::Path) -> crate::error::Result<()> {
    Ok(())
}

/// Stand-in.
pub mod json {
    /// Stand-in.
    pub fn to_json(report: &super::Report) -> String {
        serde_json::to_string(report).unwrap_or_default()
    }
}

/// Stand-in.
pub mod csv {
    /// Stand-in.
    pub fn changes_header() -> String {
        "subject,view,visit,region,metric\n".into()
    }
    /// Stand-in.
    pub fn changes_rows(subject: &str, view: &str, changes: &[super::ChangeRow]) -> String {
        let row = |c: &super::ChangeRow| {
            format!("{subject},{view},{},{},{}\n", c.visit, c.region, c.metric)
        };
        changes.iter().map(row).collect()
    }
}
