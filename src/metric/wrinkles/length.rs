//! `wrinkle_length`.

use super::sums::{self, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Length of the lines that are present.
pub const METRIC: Metric = Metric {
    id: "wrinkle_length",
    section: sums::SECTION,
    heading: "Wrinkle length",
    unit: Unit::Length,
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "Length of the centre lines of wrinkles.",
    formula: "ridges of long oriented derivatives, linked point by point, that exceed the microrelief around by a \
        minimum summed along them; detected in both photos, counted in one where it retains a minimum of the dark \
        profile that the other shows and of what it retains along the line",
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
    WrinkleSums::from_row(row).length(sampling)
}
