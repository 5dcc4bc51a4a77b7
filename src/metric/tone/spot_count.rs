//! `spot_count`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Number of spots.
pub const METRIC: Metric = Metric {
    id: "spot_count",
    section: sums::SPOT_SECTION,
    heading: "Spot count",
    unit: Unit::ONE,
    better: Better::Lower,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: true,
    what: "Dark spots.",
    formula: "connected groups of the cells of `spot_area_percent`",
    also_moved_by: sums::SPOT_ALSO_MOVED_BY,
    sources: &[&citations::SHARMA_2005],
    period_mm: None,
    capture: CaptureSd { floor: 0.35, local: LocalSd::Objects },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    if s.cells <= 0.0 { Err(Reason::LowCoverage) } else { Ok(s.spots) }
}
