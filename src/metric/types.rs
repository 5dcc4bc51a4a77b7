//! What a metric is: [`Metric`] and the types of its fields.

use crate::citations::Citation;
use crate::luminance::Luminance;
use crate::series::Scale;
use crate::settings::{GrooveSettings, MetricSettings};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a value is missing: the closed list of result.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The photos could not be registered here.
    Alignment,
    /// The pixels are too coarse, or the photo too blurred, for the structure measured.
    BelowResolution,
    /// The structure is weaker than the photo's noise.
    BelowNoise,
    /// The metric needs millimetres, and no scale is known.
    NoScale,
    /// A change in percent is undefined: the metric is no ratio, or its baseline is zero.
    NoPercent,
    /// Too little of the region is visible skin.
    LowCoverage,
    /// No pores, lines or scars, or too few to be read: less than 6 mm of lines; for a change, strong pores or scars on
    /// fewer than four tiles.
    NothingFound,
    /// Tone without untreated reference skin or a colour chart.
    NoReference,
    /// A quality check failed that this metric depends on, or light or colour do not allow it: frontal light for
    /// scars, b* ≤ 0 for ITA.
    Quality,
    /// The region is too small for an interval.
    TooSmall,
}

/// Direction in which a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// A decrease: a significant one is `improved`.
    Lower,
    /// Neither: a significant change is `changed`.
    Neutral,
}

/// Unit of a metric. Lengths fall back to baseline px where no scale in mm is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A length: `mm`, or `px` without a scale.
    Length,
    /// The same with and without a scale.
    Fixed(&'static str),
}

impl Unit {
    /// Dimensionless.
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

/// Metrics that are read together.
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

/// A user's question; its primary endpoints answer it.
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

/// Standard deviation between captures of unchanged skin: a part common to the photo and a local one. From `skindelta
/// validate` (short, and `--full`: 36 skins of six tones, three photos each at 11, 14 or 20 px/mm), times 1.5: no
/// rendering knows all that differs between two visits. Lights that moved by more than 1.5° and other tone curves, which
/// these photos lack, are added by the settings' `shading_sd` and `tone_curve_sd`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureSd {
    /// Common part: of ln(follow-up/baseline), or in the metric's unit where it is no ratio.
    pub floor: f64,
    /// Local part.
    pub local: LocalSd,
}

/// Local part of the standard deviation between captures of unchanged skin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LocalSd {
    /// Falls with the root of the area: over 1 cm², in the unit of the common part.
    AtOneCm2(f64),
    /// Falls with the number of objects, which varies from skin to skin: that of the paired bootstrap over tiles.
    Objects,
}

impl CaptureSd {
    /// Standard deviation between captures of unchanged skin over `area_cm2`, without that of [`LocalSd::Objects`].
    pub fn over(&self, area_cm2: f64) -> f64 {
        match self.local {
            LocalSd::AtOneCm2(sd) => self.floor.hypot(sd / area_cm2.max(1e-6).sqrt()),
            LocalSd::Objects => self.floor,
        }
    }
}

/// Which number of the settings' `shading_sd` widens a metric's interval where the light changed between the visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightSensitivity {
    /// None, and no tone curve either: colour is matched on its own.
    Unaffected,
    /// That of texture and pores.
    Texture,
    /// That of wrinkles.
    Wrinkles,
    /// That of anisotropy.
    Anisotropy,
}

/// Scale and resolution of the photos compared: the sizes of filters follow from it, and every `measure` receives it.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    /// Millimetres per baseline px, true or nominal.
    pub mm_per_px: f64,
    /// Whether that scale is true, so that lengths may be given in mm.
    pub metric_scale: bool,
    /// Pixels of the baseline's file in one of the baseline.
    pub file_px: f64,
    /// Shortest period that all photos resolve, baseline px.
    pub shortest_period_px: f64,
    /// Settings of the measures of wrinkles.
    pub groove: GrooveSettings,
}

impl Sampling {
    /// Of a photo's luminance; `None` without any scale.
    pub(super) fn of(
        luminance: &Luminance,
        scale: &Scale,
        settings: &MetricSettings,
    ) -> Option<Sampling> {
        Some(Sampling {
            mm_per_px: scale.mm_per_px?.0,
            metric_scale: scale.is_metric(),
            file_px: scale.file_px,
            shortest_period_px: luminance.shortest_period_px,
            groove: settings.groove,
        })
    }

    /// Largest factor by which pixels can be reduced to a side of at most `side_mm`; 1 where they are larger.
    pub(super) fn reduction(&self, side_mm: f64) -> usize {
        ((side_mm / self.mm_per_px) as usize).max(1)
    }

    /// mm² per px², where a true scale is known.
    pub(super) fn mm2(&self) -> Result<f64, Reason> {
        if self.metric_scale { Ok(self.mm_per_px * self.mm_per_px) } else { Err(Reason::NoScale) }
    }
    /// Factor from px to the unit of lengths: mm, or px of the baseline's file.
    pub(crate) fn length(&self) -> f64 {
        if self.metric_scale { self.mm_per_px } else { self.file_px }
    }
}

#[cfg(test)]
impl Sampling {
    /// Of a sharp photo of a known scale.
    pub(crate) fn sharp(mm_per_px: f64) -> Sampling {
        let groove = GrooveSettings::default();
        Sampling { mm_per_px, metric_scale: true, file_px: 1.0, shortest_period_px: 3.0, groove }
    }
}

/// Turns sums over tiles into the metric's value.
pub type MeasureFn = fn(&[f64], &Sampling) -> Result<f64, Reason>;

/// One metric. There are no defaults: a metric that lacks a field does not compile.
pub struct Metric {
    /// Permanent id.
    pub id: &'static str,
    /// Section of the page.
    pub section: &'static str,
    /// Name on the page.
    pub heading: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Direction in which it improves.
    pub better: Better,
    /// Raised when the formula changes.
    pub definition: u32,
    /// Group that it is read in.
    pub group: Group,
    /// The question whose primary endpoint it is; `None` for a secondary metric.
    pub primary: Option<Question>,
    /// Whether a change is a ratio; otherwise it is a difference in the metric's unit (L*, a*, b*, ITA …).
    pub ratio: bool,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// What changes it besides the skin.
    pub also_moved_by: &'static str,
    /// Papers and standards.
    pub sources: &'static [&'static Citation],
    /// Period of the structures that it is read from, mm, which gives its loss by a difference in focus. `None` for
    /// colour.
    pub period_mm: Option<f64>,
    /// Standard deviation between captures of unchanged skin.
    pub capture: CaptureSd,
    /// How far its interval widens with the light.
    pub light: LightSensitivity,
    /// From sums and the value: standard deviation of its natural log due to the error of the noise power that is
    /// subtracted. `None` where no noise is subtracted.
    pub noise_error: Option<fn(&[f64], f64) -> f64>,
    /// From a tile's sums: number of objects that a change is estimated from; [`crate::change`] requires a minimum
    /// of tiles with one. `None` where it is estimated from every tile of skin.
    pub countable_objects: Option<fn(&[f64]) -> f64>,
    /// From sums: the value.
    pub measure: MeasureFn,
}

impl PartialEq for Metric {
    /// Ids are unique.
    fn eq(&self, other: &Metric) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}
