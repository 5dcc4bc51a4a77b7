//! `scar_area_percent`.

use super::sums::{self, ScarSums};
use crate::metric::sums::Sums;
use crate::metric::{Better, Group, LightSensitivity, Metric, Reason, Sampling, Unit};

/// Area within half depth of the scars present, of the skin under oblique light.
pub const METRIC: Metric = Metric {
    id: "scar_area_percent",
    section: sums::SECTION,
    heading: "Depressed scar area",
    unit: Unit::PERCENT,
    better: Better::Lower,
    definition: 1,
    group: Group::Scars,
    primary: None,
    ratio: true,
    what: "Area of atrophic scars, of the skin that is visibly lit from beside.",
    formula: "Σ π r² / area, r the radius at half depth of bowls of 1.5–5 mm; detected where log luminance, less \
        what colour explains, responds to a bowl shaded along the direction of the light that the slopes of the skin \
        show, from a multiple of the response of the background texture on",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: sums::CAPTURE,
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: Some(sums::scars),
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ScarSums::from_row(row);
    if s.searched <= 0.0 { Err(Reason::Quality) } else { Ok(100.0 * s.area_px2 / s.searched) }
}
