//! `wrinkle_density`.

use super::sums::{self, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Length of the lines that are present per cm² of measured skin.
pub const METRIC: Metric = Metric {
    id: "wrinkle_density",
    section: sums::SECTION,
    heading: "Wrinkle density",
    unit: Unit::Fixed("mm/cm²"),
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "Length of the centre lines of wrinkles per area of measured skin.",
    formula: "`wrinkle_length` / area",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.012, local: LocalSd::Objects },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = WrinkleSums::from_row(row);
    let area_cm2 = s.pixels * sampling.mm2()? / 100.0;
    Ok(s.length(sampling)? / area_cm2)
}
