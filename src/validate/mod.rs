//! The program's own accuracy, on skin whose truth is known ([`crate::phantom`]).
//!
//! Four questions. What does a pair of photos of *unchanged* skin show ([`nulls`])? The answer is the
//! variance between captures that every verdict rests on ([`crate::metric::CaptureSd`]). Does a
//! *known* change come out at its true size, and in nothing else ([`doses`])? And are the pores,
//! lines and scars that one photo shows there, and as large as told ([`places`])? Photos differ as careful visits do
//! ([`Capture::careful`]): exposure, white balance, light, focus, noise, compression, distance, pose. Last, what
//! is said of unchanged skin where one photo was processed, or taken without care ([`processing`])?

pub mod doses;
pub mod nuisance;
pub mod nulls;
pub mod places;
pub mod processing;
mod table;

use crate::analyze::{self, Analysis, Request, analyze_series};
use crate::error::Result;
use crate::phantom::{Capture, Scene, SkinSpec};
use crate::photo::Photo;
use crate::region::RegionRequest;
use crate::report;
use crate::series::{ScaleSource, Series, Visit};
use crate::settings::Settings;
use doses::{CrossTalk, DOSES, DoseRow};
use nulls::NullRow;
use places::{PlaceRow, SizeRow};
use serde::Serialize;

/// How much is validated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// Resolutions, px/mm.
    pub px_per_mm: Vec<f64>,
    /// Unchanged skins at each resolution, their tones in turn light to dark.
    pub null_skins: usize,
    /// Follow-up photos of each.
    pub recaptures: usize,
    /// What is treated, of [`DOSES`].
    pub doses: Vec<&'static str>,
    /// Treated skins of each kind at each resolution, for all its doses.
    pub dose_skins: usize,
    /// First seed; skins take it and the following ones.
    pub seed: u64,
}

impl Options {
    /// A few minutes on two cores.
    pub fn short() -> Options {
        Options {
            px_per_mm: vec![14.0],
            null_skins: 6,
            recaptures: 1,
            doses: DOSES.iter().map(|dose| dose.parameter).collect(),
            dose_skins: 1,
            seed: 100,
        }
    }

    /// Three resolutions, more skins: the tables of docs/accuracy.md.
    pub fn full() -> Options {
        Options {
            px_per_mm: vec![11.0, 14.0, 20.0],
            null_skins: 12,
            recaptures: 2,
            dose_skins: 3,
            ..Options::short()
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Name and version of the program.
    pub tool: report::Tool,
    /// What was run.
    pub options: Options,
    /// One per metric that this version measures, in the order of the table.
    pub nulls: Vec<NullRow>,
    /// One per dose and metric that should tell it.
    pub doses: Vec<DoseRow>,
    /// One per dose and headline metric.
    pub cross_talk: Vec<CrossTalk>,
    /// Pores, lines and scars, at each resolution.
    pub places: Vec<PlaceRow>,
    /// Sizes of what one photo shows.
    pub sizes: Vec<SizeRow>,
}

/// Photographs and measures all skins. Deterministic.
///
/// # Errors
/// As [`crate::analyze::analyze_series`].
pub fn run(options: &Options) -> Result<Outcome> {
    let (doses, cross_talk) = doses::doses(options)?;
    let (places, sizes) = places::places(options)?;
    Ok(Outcome {
        tool: report::Tool::THIS,
        options: options.clone(),
        nulls: nulls::nulls(options)?,
        doses,
        cross_talk,
        places,
        sizes,
    })
}

impl Outcome {
    /// The outcome as JSON, laid out as result.json is.
    pub fn to_json(&self) -> String {
        report::json::to_json(self)
    }
}

/// Atrophic scars on as much skin as a usual patch has, and their depths, mm: shallow and deep boxcar scars
/// (Jacob 2001).
const SCARS: (usize, [f64; 2]) = (6, [0.15, 0.6]);

/// Which skin is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// That of the nulls.
    Usual,
    /// With three times the wrinkles, of 0.1–1 mm: usual skin has too few to be treated.
    Lined,
    /// With four times the scars.
    Scarred,
    /// With nothing but fine relief: texture sees wrinkles, pores and pigment too.
    Bare,
}

/// Wrinkles of lined skin, of those of the usual, and their depths, mm.
const LINED: (usize, [f64; 2]) = (3, [0.1, 1.0]);

/// Scars of scarred skin, of those of the usual.
const SCARRED: usize = 4;

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Usual => "usual",
            Kind::Lined => "lined",
            Kind::Scarred => "scarred",
            Kind::Bare => "bare",
        })
    }
}

impl Kind {
    /// One person's skin, large enough for the default frame at `px_per_mm`, with the same wrinkles
    /// and spots per area at all resolutions.
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
            Kind::Usual => usual,
            Kind::Lined => SkinSpec { wrinkles: times * usual.wrinkles, wrinkle_depth_mm, ..usual },
            Kind::Scarred => SkinSpec { scars: SCARRED * usual.scars, ..usual },
            Kind::Bare => SkinSpec { wrinkles: 0, scars: 0, pore_density: 0.0, ..usual },
        }
    }
}

/// How photo `k` of a skin is taken.
fn capture(seed: u64, k: u64, px_per_mm: f64) -> Capture {
    Capture { px_per_mm, ..Capture::careful(1000 * seed + k) }
}

/// One photo as the program reads it: encoded and decoded.
fn photograph(scene: &Scene, capture: &Capture) -> Result<Photo> {
    let bytes = scene.shoot(capture).encode();
    Photo::from_bytes("phantom.jpg".as_ref(), &bytes, &Settings::default().photo)
}

/// Photos of one skin, in order of visit, the first of them `shot`; with maps where there is only one.
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
