//! skindelta: before/after photo analysis of skin texture.
//!
//! Photos of one skin, taken weeks apart, go in; the change of each metric in each region comes
//! out, with its uncertainty and a verdict. The pipeline is data flowing one way, one module a
//! step; [`analyze`] is the only one that names them all:
//!
//! ```text
//! photo      file → linear light, upright                       Photo
//! series     photos in order of visit                           Series
//! region     which skin, under which name (on the baseline)     RegionMap
//! align      each follow-up onto the baseline's coordinates     AlignedSeries
//! luminance  light, exposure, focus, noise made comparable      Luminance, Pair
//! tone       the same for colour                                Tone
//! light      how far the lamp has moved                         LightChange
//! quality    is the photo good enough, and what to do           QualityCheck
//! metric     sums over tiles → values                           Readings, Sheet
//! change     value, interval, smallest detectable change        ChangeRow, TrendRow
//! report     JSON, CSV, HTML, maps                              Report   (show draws them)
//! ```
//!
//! Below the stages lie [`plane`] (the one image buffer, the one place where rows are split over
//! threads) and [`filter`] (pure `Plane → Plane` functions); beside them [`settings`] (every
//! tunable number), [`output`] (which files may be written), [`citations`], [`units`] and [`error`].
//! Above are [`batch`] (many series) and the command. [`phantom`] makes skin of known truth and [`validate`] holds the tool against it.
//! A stage uses types of earlier stages and functions of none; `tests/layers.rs` reads the imports
//! and holds them to that.
//!
//! Where things go:
//! - a new metric: one function and one row in [`metric::METRICS`]; where it reads the skin in a way
//!   that no group does yet, a [`metric::Group`] with its place in [`metric::Readings`] and its sheet;
//! - a new file format: a branch in [`photo::decode`];
//! - a new column of the results: a field of a row ([`change::ChangeRow`] or [`report`]'s), its line
//!   in `src/report/schema/v1.json`, its cell in [`report::csv`], its sample in `tests/sample`.
//!
//! # Example
//!
//! ```
//! use skindelta::analyze::{Request, analyze};
//! use skindelta::series::ScaleSource;
//!
//! let mut request = Request::new(["fixtures/closeup/visit-0.jpg", "fixtures/closeup/visit-3.jpg"]);
//! request.regions = skindelta::region::RegionRequest::Whole;
//! request.scale = Some((1.0 / 14.0, ScaleSource::Argument));
//! let report = analyze(&request)?.report;
//! let texture = report.changes.iter().find(|c| c.metric == "texture_coarse").unwrap();
//! assert!(texture.change_percent.unwrap() < -10.0);
//! # Ok::<(), skindelta::Error>(())
//! ```

pub mod align;
pub mod analyze;
pub mod arguments;
pub mod batch;
pub mod change;
pub mod cielab;
pub mod citations;
pub mod error;
pub mod filter;
pub mod light;
pub mod luminance;
pub mod metric;
pub mod output;
pub mod phantom;
pub mod photo;
pub mod plane;
pub mod quality;
pub mod region;
pub mod report;
pub mod series;
pub mod settings;
pub mod show;
pub mod srgb;
pub mod tone;
pub mod units;
pub mod validate;

pub use error::{Error, Result, Step};
