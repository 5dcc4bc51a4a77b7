//! `pore_count`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Number of pores.
pub const METRIC: Metric = Metric {
    id: "pore_count",
    section: sums::SECTION,
    heading: "Pore count",
    unit: Unit::ONE,
    better: Better::Lower,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Visible pores.",
    formula: "maxima of a matched filter for a shaded round profile, in noise like the microrelief around, from a \
        multiple of that noise on; over visits, those present in all over the share of a visit's own detections that \
        all show",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::COUNT_SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.012, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    PoreSums::from_row(row).count()
}
