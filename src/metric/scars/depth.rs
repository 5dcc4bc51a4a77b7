//! `scar_depth`.

use super::sums::{self, ScarSums};
use crate::metric::sums::Sums;
use crate::metric::{Better, Frame, Group, LightSensitivity, Metric, Reason, Unit};

/// Mean depth of all scars that some visit shows, weighted by how precisely each is read.
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

/// What is left of scars that have healed, of their depth in the mean of the visits: a log has no 0.
const HEALED: f64 = 0.05;

fn measure(row: &[f64], frame: &Frame) -> Result<f64, Reason> {
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
    Ok(s.depth.max(HEALED * s.joint_depth) / s.weight * frame.length())
}
