//! skindelta: before/after photo analysis of skin texture.
//!
//! Photos of one skin, taken weeks apart, go in; the change of each metric in each region comes
//! out, with its uncertainty and a verdict. Each photo is prepared once and compared many times:
//!
//! ```text
//! Photo ─► Baseline (face, regions, scale, registration reference, planes, detections)
//! Photo ─► FollowUp (face, registration, planes on the baseline's grid, detections)
//! (Baseline, FollowUp) ─► Comparison (what differs between the photos, checks, changes) ─► Report
//! ```
//!
//! Data flow one way, one module a stage; [`analyze`] is the only module that names them all:
//!
//! ```text
//! photo      file, bytes or pixels → linear light, upright     Photo
//! series     photos in order of visit                          Series, Scale
//! region     which skin, under which name (on the baseline)    FoundFace, RegionMap
//! align      each follow-up on the baseline's coordinates      Reference, Alignment, Placement
//! luminance  light, exposure, focus, noise made comparable     Luminance, Pair
//! tone       the same for colour                               Tone
//! light      how the light has changed                         LightChange
//! quality    is the photo good enough, and what to do          QualityCheck
//! metric     searched once a photo; sums over tiles → values   Detections, Readings, Sheet
//! change     value, interval, noise band, verdict              ChangeRow, TrendRow
//! report     JSON, CSV, HTML, maps                             Report   (show draws them)
//! ```
//!
//! Below the stages lie `plane` (the one image buffer, the one place where rows are split over
//! threads) and `filter` (pure `Plane → Plane` functions); beside them [`settings`] (every
//! tunable number), `rng` (repeatable random numbers), `output` (which files may be written), [`citations`],
//! `units` and [`error`]. Above are `batch` (many series) and the command. `phantom` renders skin of known truth and
//! `validate` holds the tool against it. A stage uses types of earlier stages and functions of none; `tests/it/layers.rs` reads the
//! imports and holds them to that.
//!
//! Where things go:
//! - a new metric: `src/metric/<group>/<name>.rs` with its [`metric::Metric`] and a line of [`metric::METRICS`]; its
//!   capture errors come from `skindelta validate`. Where it reads the skin in a way that no group does yet, a
//!   `Group` (also in `Group::ALL`) with its place in `Readings` and its sheet;
//! - a new file format: a branch of `decode` in `src/photo/decode.rs`, with its line in `FORMATS`;
//! - a new quality check: a variant of [`quality::Check`] and its row of the table in `src/quality/check.rs`, its value
//!   in `photo`, `pair` or `faces` beside it, its limits in [`settings::QualitySettings`], its case in
//!   `tests/it/quality.rs`;
//! - a new column of the results: a field of a row ([`change::ChangeRow`], filled in `src/change.rs`, or
//!   [`report`]'s, filled in `src/analyze/{rows,report}.rs`), its line in `src/report/schema/v1.json` (`properties` and
//!   `required`), its cell in `src/report/csv.rs`, its sample in `tests/it/sample.rs`;
//! - a new setting: a field in `src/settings/<stage>.rs` and its line in `settings.toml`;
//! - a new option of the command: a field of the command in `src/cli/<command>.rs`, passed on in
//!   [`analyze::Options`] or [`analyze::Request`].
//!
//! # Example
//!
//! ```
//! use skindelta::{Analyzer, Options, Photo, RegionRequest, ScaleSource};
//!
//! let scale = Some((1.0 / 14.0, ScaleSource::Argument));
//! let analyzer = Analyzer::new(Options { regions: RegionRequest::Whole, scale, ..Options::default() });
//! let open = |k| Photo::open(format!("fixtures/closeup/visit-{k}.jpg").as_ref(), &Default::default());
//! let baseline = analyzer.baseline(open(0)?)?;
//! let follow_up = analyzer.follow_up(&baseline, &[], open(3)?)?;
//! let changes = analyzer.compare(&baseline, &follow_up)?.changes;
//! let texture = changes.iter().find(|c| c.metric.id == "texture_coarse").unwrap();
//! assert!(texture.change_percent.unwrap() < -10.0);
//! # Ok::<(), skindelta::Error>(())
//! ```
//!
//! A whole series of files with its report: [`analyze::analyze`]. Photos from memory: [`photo::Photo::from_bytes`],
//! [`photo::Photo::from_rgb8`], [`photo::Photo::from_rgb16`].

pub mod analyze;
pub mod change;
pub mod citations;
pub mod error;
pub mod metric;
pub mod notice;
pub mod photo;
pub mod quality;
pub mod region;
pub mod report;
pub mod series;
pub mod settings;

// Internals: open to this package's command, tests and benches only, and free to change in any version.
#[doc(hidden)]
pub mod align;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod arguments;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod batch;
#[doc(hidden)]
pub mod cielab;
#[doc(hidden)]
pub mod filter;
#[doc(hidden)]
pub mod light;
#[doc(hidden)]
pub mod luminance;
#[doc(hidden)]
pub mod npy;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod output;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod phantom;
#[doc(hidden)]
pub mod plane;
#[doc(hidden)]
pub mod rng;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod show;
#[doc(hidden)]
pub mod srgb;
#[cfg(test)]
mod testing;
#[doc(hidden)]
pub mod tone;
#[doc(hidden)]
pub mod units;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod validate;

pub use analyze::{Analyzer, Options};
pub use error::{Error, Result, Step};
pub use photo::Photo;
pub use region::RegionRequest;
pub use report::Report;
pub use series::ScaleSource;
