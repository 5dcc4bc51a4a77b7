//! `tone_unevenness`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Mean difference from the region's mean colour.
pub const METRIC: Metric = Metric {
    id: "tone_unevenness",
    section: sums::COLOUR_SECTION,
    heading: "Tone unevenness",
    unit: Unit::DELTA_E00,
    better: Better::Lower,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: true,
    what: "Spread of colour around the region's mean.",
    formula: "mean ΔE00 from the region's mean colour",
    also_moved_by: sums::COLOUR_ALSO_MOVED_BY,
    sources: &[&citations::SHARMA_2005],
    period_mm: None,
    capture: CaptureSd { floor: 0.11, local: LocalSd::AtOneCm2(0.02) },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    s.mean(s.unevenness)
}
