//! Accuracy on rendered skin whose true values are known ([`crate::phantom`]).
//!
//! Three experiments on photos that differ as two careful visits do ([`Capture::careful`]: exposure, white balance,
//! illumination, focus, noise, compression, distance, pose):
//! - [`repeatability`]: two photos of unchanged skin. Its variance is the one that every verdict uses
//!   ([`crate::metric::CaptureSd`]);
//! - [`dose_response`]: skin with a known change of one parameter; slope on the true change, and cross-talk;
//! - [`detection`]: precision and recall of pores, lines and scars in one photo, and the error of their sizes.
//!
//! A fourth one, [`processing`], counts false verdicts where one photo was processed, compressed or taken without
//! care. [`page`] writes the three as Markdown.

pub mod detection;
pub mod dose_response;
pub mod nuisance;
pub mod page;
pub mod processing;
pub mod repeatability;

use crate::analyze::{self, Analysis, Request, analyze_series};
use crate::error::Result;
use crate::phantom::{Capture, Scene, SkinSpec};
use crate::photo::Photo;
use crate::region::RegionRequest;
use crate::report;
use crate::series::{ScaleSource, Series, Visit};
use crate::settings::Settings;
use detection::{DetectionRow, SizeRow};
use dose_response::{CrossTalk, DOSES, DoseRow};
use repeatability::RepeatabilityRow;
use serde::Serialize;

/// Extent of the experiments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValidationOptions {
    /// Resolutions, px/mm.
    pub px_per_mm: Vec<f64>,
    /// Skins at each resolution for repeatability and for detection; their tones run from light to dark in turn.
    pub untreated_skins: usize,
    /// Follow-up photos of each for repeatability.
    pub recaptures: usize,
    /// Parameters that are scaled for the dose response, of [`DOSES`].
    pub treated_parameters: Vec<&'static str>,
    /// Skins of each kind at each resolution for the dose response; each gets all doses of its kind.
    pub treated_skins: usize,
    /// Seed of the first skin; the others take the following ones.
    pub seed: u64,
}

impl ValidationOptions {
    /// A few minutes on two cores.
    pub fn short() -> ValidationOptions {
        ValidationOptions {
            px_per_mm: vec![14.0],
            untreated_skins: 6,
            recaptures: 1,
            treated_parameters: DOSES.iter().map(|dose| dose.parameter).collect(),
            treated_skins: 1,
            seed: 100,
        }
    }

    /// Three resolutions and more skins: docs/accuracy.json.
    pub fn full() -> ValidationOptions {
        ValidationOptions {
            px_per_mm: vec![11.0, 14.0, 20.0],
            untreated_skins: 12,
            recaptures: 2,
            treated_skins: 3,
            ..ValidationOptions::short()
        }
    }
}

/// Result of the three experiments: accuracy.json.
#[derive(Debug, Clone, Serialize)]
pub struct Accuracy {
    /// Name and version of the program.
    pub tool: report::Tool,
    /// Extent of the experiments.
    pub options: ValidationOptions,
    /// One per metric of this version, in the order of the table of metrics.
    pub repeatability: Vec<RepeatabilityRow>,
    /// One per treated parameter and metric that should change with it.
    pub dose_response: Vec<DoseRow>,
    /// One per treated parameter and headline metric.
    pub cross_talk: Vec<CrossTalk>,
    /// One per kind of object, kind of skin and resolution.
    pub detection: Vec<DetectionRow>,
    /// One per metric of size, kind of skin and resolution.
    pub sizes: Vec<SizeRow>,
}

/// Renders, photographs and measures all skins. Deterministic.
///
/// # Errors
/// As [`crate::analyze::analyze_series`].
pub fn run(options: &ValidationOptions) -> Result<Accuracy> {
    let (dose_response, cross_talk) = dose_response::dose_response(options)?;
    let (detection, sizes) = detection::detection(options)?;
    Ok(Accuracy {
        tool: report::Tool::THIS,
        options: options.clone(),
        repeatability: repeatability::repeatability(options)?,
        dose_response,
        cross_talk,
        detection,
        sizes,
    })
}

impl Accuracy {
    /// As JSON, laid out as result.json is.
    pub fn to_json(&self) -> String {
        report::json::to_json(self)
    }
}

/// Number of atrophic scars on the area of the default patch, and range of their depths, mm: shallow and deep boxcar
/// scars (Jacob 2001).
const SCARS: (usize, [f64; 2]) = (6, [0.15, 0.6]);

/// Kind of rendered skin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SkinKind {
    /// That of the repeatability.
    Usual,
    /// Three times the wrinkles, of 0.1–1 mm depth: usual skin has too few for a dose response.
    Lined,
    /// Four times the scars.
    Scarred,
    /// Fine relief alone: wrinkles, pores and pigment change texture too.
    Bare,
}

/// Wrinkles of lined skin, in multiples of those of usual skin, and range of their depths, mm.
const LINED: (usize, [f64; 2]) = (3, [0.1, 1.0]);

/// Scars of scarred skin, in multiples of those of usual skin.
const SCARRED: usize = 4;

impl std::fmt::Display for SkinKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SkinKind::Usual => "usual",
            SkinKind::Lined => "lined",
            SkinKind::Scarred => "scarred",
            SkinKind::Bare => "bare",
        })
    }
}

impl SkinKind {
    /// The skin of a seed, large enough for the default frame at `px_per_mm`; wrinkles, scars and spots per area
    /// are the same at all resolutions.
    fn spec(self, seed: u64, px_per_mm: f64) -> SkinSpec {
        let frame = Capture::default();
        let usual = SkinSpec::default();
        let size_mm =
            [frame.width_px, frame.height_px].map(|n| (1.06 * n as f64 + 100.0) / px_per_mm);
        let area = size_mm[0] * size_mm[1] / (usual.size_mm[0] * usual.size_mm[1]);
        let per_area = |n: usize| (n as f64 * area).round().max(1.0) as usize;
        let usual = SkinSpec {
            seed,
            tone: 1 + (seed % 6) as u8,
            size_mm,
            samples_per_mm: 2.0 * px_per_mm,
            wrinkles: per_area(usual.wrinkles),
            spots: per_area(usual.spots),
            scars: per_area(SCARS.0),
            scar_depth_mm: SCARS.1,
            ..usual
        };
        let (times, wrinkle_depth_mm) = LINED;
        match self {
            SkinKind::Usual => usual,
            SkinKind::Lined => {
                SkinSpec { wrinkles: times * usual.wrinkles, wrinkle_depth_mm, ..usual }
            }
            SkinKind::Scarred => SkinSpec { scars: SCARRED * usual.scars, ..usual },
            SkinKind::Bare => SkinSpec { wrinkles: 0, scars: 0, pore_density: 0.0, ..usual },
        }
    }
}

/// Capture of photo `k` of the skin of a seed.
fn capture(seed: u64, k: u64, px_per_mm: f64) -> Capture {
    Capture { px_per_mm, ..Capture::careful(1000 * seed + k) }
}

/// One photo as the program reads it: encoded and decoded.
fn photograph(scene: &Scene, capture: &Capture) -> Result<Photo> {
    let bytes = scene.shoot(capture).encode();
    Photo::from_bytes("phantom.jpg".as_ref(), &bytes, &Settings::default().photo)
}

/// Analyses photos of one skin in order of visit, the first taken as `shot`; with maps for a single photo.
fn analyze(photos: Vec<Photo>, shot: &Capture, regions: RegionRequest) -> Result<Analysis> {
    let maps = photos.len() == 1;
    let visit = |(k, photo)| Visit { label: format!("visit {k}"), date: None, photo };
    let series = Series { visits: photos.into_iter().enumerate().map(visit).collect() };
    let scale = Some((mm_per_px(shot), ScaleSource::Argument));
    let options = analyze::Options { regions, scale, ..analyze::Options::default() };
    let request = Request { options, maps, ..Request::default() };
    analyze_series(series, &request)
}

fn mm_per_px(shot: &Capture) -> f64 {
    1.0 / (shot.scale * shot.px_per_mm)
}

fn percent(n: usize, of: usize) -> f64 {
    100.0 * n as f64 / of.max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    sum / n.max(1) as f64
}
