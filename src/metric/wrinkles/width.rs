//! `wrinkle_width`.

use super::sums::{self, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Full width at half depth of the mean cross-section of the lines measurable in all visits.
pub const METRIC: Metric = Metric {
    id: "wrinkle_width",
    section: sums::SECTION,
    heading: "Wrinkle width",
    unit: Unit::Length,
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "Full width at half depth of the region's lines.",
    formula: "width of the dark profile of the mean cross-section, less what blur and scattering add (squares), over \
        the dark part of a groove; of each visit, the background texture's share of the pair's mean subtracted",
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
    Ok(sums::in_units(WrinkleSums::from_row(row).width_mm(sampling)?, sampling))
}
