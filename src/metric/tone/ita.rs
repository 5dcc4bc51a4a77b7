//! `ita`.

use super::sums::{self, ToneSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Angle of the mean colour. For b* > 0, as skin has, it is the published arctan((L* − 50)/b*); b* ≤ 0 does not occur
/// on skin under a plausible white balance, and is not measurable.
pub const METRIC: Metric = Metric {
    id: "ita",
    section: sums::COLOUR_SECTION,
    heading: "Typology angle ITA",
    unit: Unit::Fixed("degrees"),
    better: Better::Neutral,
    definition: 1,
    group: Group::Tone,
    primary: None,
    ratio: false,
    what: "Individual typology angle. Not measurable without b* > 0.",
    formula: "atan2(L* − 50, b*)",
    also_moved_by: sums::COLOUR_ALSO_MOVED_BY,
    sources: &[&citations::CHARDON_1991],
    period_mm: None,
    capture: CaptureSd { floor: 6.6, local: LocalSd::AtOneCm2(1.0) },
    light: LightSensitivity::Unaffected,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = ToneSums::from_row(row);
    let (l, b) = (s.mean(s.lightness)?, s.mean(s.yellowness)?);
    if b <= 0.0 { Err(Reason::Quality) } else { Ok((l - 50.0).atan2(b).to_degrees()) }
}
