//! `pore_elongation`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Mean ratio of the axes of pores.
pub const METRIC: Metric = Metric {
    id: "pore_elongation",
    section: sums::SECTION,
    heading: "Pore elongation",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Mean ratio of the axes of pores.",
    formula: "largest ratio of two diameters at half depth at right angles, mean over pores; noise raises it",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.012, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = PoreSums::from_row(row);
    if s.in_all <= 0.0 { Err(Reason::NothingFound) } else { Ok(s.elongation / s.in_all) }
}
