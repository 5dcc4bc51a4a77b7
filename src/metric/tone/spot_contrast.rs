//! `spot_contrast`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Mean difference of spots from the skin around them.
pub const METRIC: Metric = Metric {
    id: "spot_contrast",
    section: sums::SPOT_SECTION,
    heading: "Spot contrast",
    unit: Unit::DELTA_E00,
    better: Better::Lower,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: true,
    what: "How far spots differ from the skin around them.",
    formula: "mean ΔE00 of their cells from the surroundings",
    also_moved_by: sums::SPOT_ALSO_MOVED_BY,
    sources: &[&citations::SHARMA_2005],
    period_mm: None,
    capture: CaptureSd { floor: 0.05, local: LocalSd::Objects },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    if s.spot_cells <= 0.0 { Err(Reason::NothingFound) } else { Ok(s.spot_contrast / s.spot_cells) }
}
