//! `visible_pore_density`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Number of pores of 250 µm and more per area.
pub const METRIC: Metric = Metric {
    id: "visible_pore_density",
    section: sums::SECTION,
    heading: "Density of pores ≥ 250 µm",
    unit: Unit::PER_CM2,
    better: Better::Lower,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Pores of 250 µm and more, per area.",
    formula: "`pore_density` × the share of those",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::COUNT_SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.02, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = PoreSums::from_row(row);
    Ok(s.scaled_to_count(s.visible)? / s.area_cm2(sampling)?)
}
