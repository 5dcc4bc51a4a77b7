//! `pore_area_percent`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Area of pores, of the measured skin.
pub const METRIC: Metric = Metric {
    id: "pore_area_percent",
    section: sums::SECTION,
    heading: "Pore area",
    unit: Unit::PERCENT,
    better: Better::Lower,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Area of pores, of the measured skin.",
    formula: "Σ π/4 d² / area",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::COUNT_SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.02, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: Some(sums::used_for_diameter),
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = PoreSums::from_row(row);
    let area = s.scaled_to_count(s.area_px2)?;
    Ok(100.0 * area / s.pixels * if area > 0.0 { s.volume_ratio()? } else { 1.0 })
}
