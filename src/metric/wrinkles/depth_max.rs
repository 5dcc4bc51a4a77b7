//! `wrinkle_depth_max`.

use super::sums::{self, BIN_FACTOR, FIRST_BIN_MM, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Depth that 5 % of the length measurable in all visits exceeds: that of a single deepest pixel would be noise.
pub const METRIC: Metric = Metric {
    id: "wrinkle_depth_max",
    section: sums::SECTION,
    heading: "Deepest wrinkle (optical estimate)",
    unit: Unit::Length,
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "Depth that 5 % of the lines' length exceeds.",
    formula: "95th percentile of the depths along the lines",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.04, local: LocalSd::Objects },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let bins = WrinkleSums::from_row(row).depth_histogram;
    let total: f64 = bins.iter().sum();
    if total <= 0.0 {
        return Err(Reason::NothingFound);
    }
    let mut above = 0.0;
    for (k, &length) in bins.iter().enumerate().rev() {
        if above + length >= 0.05 * total {
            let f = 1.0 - (0.05 * total - above) / length;
            return Ok(sums::in_units(FIRST_BIN_MM * BIN_FACTOR.powf(k as f64 + f), sampling));
        }
        above += length;
    }
    Err(Reason::NothingFound)
}
