//! `pore_diameter`.

use super::sums::{self, PoreSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Mean equivalent diameter of the pores present in all visits, on the average of the photos, times
/// √(volume in this photo / volume on the average); the volumes are those of strong pores.
pub const METRIC: Metric = Metric {
    id: "pore_diameter",
    section: sums::SECTION,
    heading: "Pore diameter",
    unit: Unit::Fixed("mm"),
    better: Better::Lower,
    definition: 1,
    group: Group::Pores,
    primary: None,
    ratio: true,
    what: "Mean equivalent diameter of the pores that both photos show.",
    formula: "full width at half depth of the mean radial profile, less what blur and scattering add (squares); its \
        change by the root of the volume of the mean dark profile of the region's strong pores",
    also_moved_by: sums::ALSO_MOVED_BY,
    sources: sums::SOURCES,
    period_mm: Some(sums::PERIOD_MM),
    capture: CaptureSd { floor: 0.01, local: LocalSd::Objects },
    light: LightSensitivity::Texture,
    noise_error: None,
    countable_objects: Some(sums::used_for_diameter),
    measure,
};

fn measure(row: &[f64], sampling: &Sampling) -> Result<f64, Reason> {
    let s = PoreSums::from_row(row);
    Ok(s.diameter_px / s.in_all * s.volume_ratio()?.sqrt() * sampling.length())
}
