//! `wrinkle_area_percent`.

use super::sums::{self, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// 100 × length of the lines that are present × width of the mean cross-section of the lines measurable in all visits
/// / area of the measured skin.
pub const METRIC: Metric = Metric {
    id: "wrinkle_area_percent",
    section: sums::SECTION,
    heading: "Wrinkle area",
    unit: Unit::PERCENT,
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "Area of lines, of the measured skin.",
    formula: "length × width / area",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.044, local: LocalSd::Objects },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = WrinkleSums::from_row(row);
    if s.pixels <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    if s.present_px <= 0.0 {
        return Ok(0.0);
    }
    Ok(100.0 * s.present_px * s.width_mm(sampling)? / sampling.mm_per_px / s.pixels)
}
