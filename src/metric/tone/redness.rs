//! `redness`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Question, Reason, Sampling, Unit,
};

/// Mean a*.
pub const METRIC: Metric = Metric {
    id: "redness",
    section: sums::COLOUR_SECTION,
    heading: "Redness a*",
    unit: Unit::Fixed("a*"),
    better: Better::Neutral,
    definition: 1,
    group: Group::Tone,
    primary: Some(Question::Redness),
    ratio: false,
    what: "a* of the region.",
    formula: "mean CIELAB a* under D50; of a change, matched on the reference skin first",
    also_moved_by: sums::COLOUR_ALSO_MOVED_BY,
    sources: &[&citations::CIE_15],
    period_mm: None,
    capture: CaptureSd { floor: 0.45, local: LocalSd::AtOneCm2(0.1) },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    s.mean(s.redness)
}
