//! `scar_depth`.

use super::sums::{self, ScarSums};
use crate::metric::sums::Sums;
use crate::metric::{Better, Group, LightSensitivity, Metric, Reason, Sampling, Unit};

/// Mean depth of all scars present in some visit, weighted by precision.
pub const METRIC: Metric = Metric {
    id: "scar_depth",
    section: sums::SECTION,
    heading: "Scar depth (optical estimate)",
    unit: Unit::Length,
    better: Better::Lower,
    definition: 1,
    group: Group::Scars,
    primary: None,
    ratio: true,
    what: "Mean depth of the scars that one of the photos shows, an optical estimate, weighted by precision.",
    formula: "amplitude of the bowl's shading × r / log luminance per slope, less the selection bias",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: sums::CAPTURE,
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: Some(sums::scars),
    measure,
};

/// Lower limit of a visit's depth whose logarithm is taken, share of the depth in the mean of the visits: that of
/// healed scars.
const HEALED: f64 = 0.05;

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = ScarSums::from_row(row);
    if s.searched <= 0.0 {
        return Err(Reason::Quality);
    }
    if s.scars <= 0.0 {
        return Err(Reason::NothingFound);
    }
    if s.joint_depth <= 0.0 {
        return Err(Reason::BelowNoise);
    }
    Ok(s.depth.max(HEALED * s.joint_depth) / s.weight * sampling.length())
}
