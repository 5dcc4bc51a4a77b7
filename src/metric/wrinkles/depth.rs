//! `wrinkle_depth`.

use super::sums::{self, WrinkleSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Depth of the mean cross-section of the lines measurable in all visits, an optical estimate.
pub const METRIC: Metric = Metric {
    id: "wrinkle_depth",
    section: sums::SECTION,
    heading: "Wrinkle depth (optical estimate)",
    unit: Unit::Length,
    better: Better::Lower,
    definition: 1,
    group: Group::Wrinkles,
    primary: None,
    ratio: true,
    what: "An optical estimate of how deep lines are. Checked on rendered skin, never against profilometry.",
    formula: "from the integral D of the mean cross-section's dark profile and its width w: D = w·K·q²/(1 + ½q²), q \
        = depth/w (radiosity in V, U and Gaussian grooves); a change by the height and stretch of the pair's mean \
        cross-section and the root of its D, the background texture subtracted",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.028, local: LocalSd::Objects },
    light: LightSensitivity::Wrinkles,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    Ok(sums::in_units(WrinkleSums::from_row(row).groove_mm(sampling)?.depth, sampling))
}
