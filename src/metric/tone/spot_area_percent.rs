//! `spot_area_percent`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Area of spots, of the measured skin.
pub const METRIC: Metric = Metric {
    id: "spot_area_percent",
    section: sums::SPOT_SECTION,
    heading: "Spot area",
    unit: Unit::PERCENT,
    better: Better::Lower,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: true,
    what: "Area of dark spots, of the measured skin.",
    formula: "cells darker than their surroundings that differ from them by at least a fixed ΔE00",
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
    Ok(100.0 * s.mean(s.spot_cells)?)
}
