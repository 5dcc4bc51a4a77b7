//! `pore_density`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Number of pores per area.
pub const METRIC: Metric = Metric {
    id: "pore_density",
    section: sums::SECTION,
    heading: "Pore density",
    unit: Unit::PER_CM2,
    better: Better::Lower,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Visible pores per area of measured skin.",
    formula: "`pore_count` / area",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::COUNT_SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.012, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = PoreSums::from_row(row);
    Ok(s.count()? / s.area_cm2(sampling)?)
}
