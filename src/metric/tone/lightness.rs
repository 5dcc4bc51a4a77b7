//! `lightness`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Mean L*.
pub const METRIC: Metric = Metric {
    id: "lightness",
    section: sums::COLOUR_SECTION,
    heading: "Lightness L*",
    unit: Unit::Fixed("L*"),
    better: Better::Neutral,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: false,
    what: "L* of the region.",
    formula: "mean CIELAB L* under D50; of a change, matched on the reference skin first",
    also_moved_by: sums::COLOUR_ALSO_MOVED_BY,
    sources: &[&citations::CIE_15],
    period_mm: None,
    capture: CaptureSd { floor: 3.0, local: LocalSd::AtOneCm2(0.5) },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    s.mean(s.lightness)
}
