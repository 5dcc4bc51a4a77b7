//! What a metric is: [`Metric`] and the types of its fields.

use crate::citations::Citation;
use crate::luminance::Luminance;
use crate::series::Scale;
use crate::settings::{GrooveSettings, MetricSettings};
use serde::Serialize;

/// Why a value is not there: the closed list of result.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The photos could not be brought onto each other here.
    Alignment,
    /// The pixels are too coarse, or the photo too blurred, for the structure that is asked for.
    BelowResolution,
    /// The structure is weaker than the photo's noise.
    BelowNoise,
    /// The metric needs millimetres, and no scale is known.
    NoScale,
    /// Percent has no meaning here: the metric is no ratio, or its baseline is zero.
    NoPercent,
    /// Too little of the region is skin that can be seen in the photo.
    LowCoverage,
    /// Nothing of the kind is there (no pores, lines or scars), or too little to be read: less than 6 mm of
    /// lines, for a change strong pores or scars in fewer than four places.
    NothingFound,
    /// Tone without untreated reference skin or a colour chart.
    NoReference,
    /// A quality check failed that this metric depends on, or light or colour do not allow it: light from the
    /// front for scars, b* ≤ 0 for ITA.
    Quality,
    /// The region is too small for an interval.
    TooSmall,
}

/// In which direction a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better: a significant decrease is `improved`.
    Lower,
    /// Neither: a significant change is `changed`.
    Neutral,
}

/// Unit of a metric. Lengths fall back to baseline px where no scale in mm is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A length: `mm`, or `px` without a scale.
    Length,
    /// Written as it stands.
    Fixed(&'static str),
}

impl Unit {
    /// A plain number.
    pub(super) const ONE: Unit = Unit::Fixed("1");
    /// A share of the measured skin.
    pub(super) const PERCENT: Unit = Unit::Fixed("%");
    /// A number of objects per area.
    pub(super) const PER_CM2: Unit = Unit::Fixed("1/cm²");
    /// A colour difference, CIEDE2000.
    pub(super) const DELTA_E00: Unit = Unit::Fixed("ΔE00");

    /// The unit's text in result.json.
    pub fn name(self, scale: &Scale) -> &'static str {
        match self {
            Unit::Length if scale.is_metric() => "mm",
            Unit::Length => "px",
            Unit::Fixed(name) => name,
        }
    }
}

/// Metrics that are read from the skin together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Band amplitudes and anisotropy.
    Texture,
    /// Grey-level co-occurrence.
    Glcm,
    /// Visible pores.
    Pores,
    /// Lines.
    Wrinkles,
    /// Atrophic scars.
    Scars,
    /// Colour.
    Tone,
}

impl Group {
    /// All groups, in the order of the table.
    pub const ALL: [Group; 6] =
        [Group::Texture, Group::Glcm, Group::Pores, Group::Wrinkles, Group::Scars, Group::Tone];
}

/// What a user wants to know of the skin; its primary endpoints answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Lines.
    Wrinkles,
    /// Visible pores.
    Pores,
    /// Fine relief.
    Texture,
    /// Atrophic scars.
    Scars,
    /// Erythema.
    Redness,
    /// Hyperpigmented spots.
    Pigment,
}

/// Variance between captures of unchanged skin: `floor² + at_1_cm2² / area`, area in cm². From `skindelta validate`
/// (short, and `--full`: 36 skins of six tones, three photos each at 11, 14 or 20 px/mm), rounded. What these photos
/// lack, a light that moved and another tone curve, is added by the settings' `shading_sd` and `tone_curve_sd`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureSd {
    /// What remains on any area: of ln(f/b), or in the metric's unit where it is no ratio.
    pub floor: f64,
    /// What 1 cm² adds.
    pub at_1_cm2: f64,
}

impl CaptureSd {
    /// Standard deviation between captures of unchanged skin over `area_cm2`.
    pub fn over(&self, area_cm2: f64) -> f64 {
        (self.floor.powi(2) + self.at_1_cm2.powi(2) / area_cm2.max(1e-6)).sqrt()
    }
}

/// How a metric follows the light: which number of the settings' `shading_sd` widens its interval where the light
/// changed between the visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightSensitivity {
    /// Neither light nor tone curve: colour is matched on its own.
    Unaffected,
    /// As texture and pores.
    Texture,
    /// As wrinkles.
    Wrinkles,
    /// As anisotropy.
    Anisotropy,
}

/// What a `measure` function may know beside the sums.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Millimetres per baseline px that filters use.
    pub mm_per_px: f64,
    /// Whether that is a true scale, so that lengths may be given in mm.
    pub metric_scale: bool,
    /// Shortest period both photos carry, baseline px.
    pub shortest_period_px: f64,
    /// How the sections of lines are read.
    pub groove: GrooveSettings,
}

impl Frame {
    /// What a photo's luminance carries; `None` without any scale.
    pub(super) fn of(
        luminance: &Luminance,
        scale: &Scale,
        settings: &MetricSettings,
    ) -> Option<Frame> {
        Some(Frame {
            mm_per_px: scale.mm_per_px?.0,
            metric_scale: scale.is_metric(),
            shortest_period_px: luminance.shortest_period_px,
            groove: settings.groove,
        })
    }

    /// mm² per px², where a true scale is known.
    pub(super) fn mm2(&self) -> Result<f64, Reason> {
        if self.metric_scale { Ok(self.mm_per_px * self.mm_per_px) } else { Err(Reason::NoScale) }
    }
    /// Factor from px to the unit of lengths.
    pub(crate) fn length(&self) -> f64 {
        if self.metric_scale { self.mm_per_px } else { 1.0 }
    }
}

/// Turns sums over tiles into the metric's value.
pub type Measure = fn(&[f64], &Frame) -> Result<f64, Reason>;

/// Everything the program knows of one metric. There are no defaults: a metric that lacks a field does not compile.
#[derive(Debug)]
pub struct Metric {
    /// Permanent id.
    pub id: &'static str,
    /// Part of the page under which it is listed.
    pub section: &'static str,
    /// Name on the page.
    pub heading: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Direction.
    pub better: Better,
    /// Raised when the formula changes.
    pub definition: u32,
    /// What it is read with.
    pub group: Group,
    /// The question whose primary endpoint it is; none of a secondary metric.
    pub primary: Option<Question>,
    /// Whether a change is a ratio; else only unit values are compared (L*, a*, b*, ITA …).
    pub ratio: bool,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// What moves it beside a change of the skin.
    pub also_moved_by: &'static str,
    /// Papers and standards.
    pub sources: &'static [&'static Citation],
    /// Period of the structures that it is read from, mm: what a difference in focus lowers by. None of colour.
    pub period_mm: Option<f64>,
    /// Standard deviation between captures of unchanged skin.
    pub capture: CaptureSd,
    /// How it follows the light.
    pub light: LightSensitivity,
    /// From sums and the value: standard deviation of its natural log due to the noise power, which is subtracted
    /// and known with an error only. None where no noise is subtracted.
    pub noise_error: Option<fn(&[f64], f64) -> f64>,
    /// From a tile's sums to how many objects carry the estimate of a change; [`crate::change`] requires a minimum
    /// of tiles with one. None where every tile of skin carries it.
    pub countable_objects: Option<fn(&[f64]) -> f64>,
    /// From sums to the value.
    pub measure: Measure,
}
