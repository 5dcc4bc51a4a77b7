//! `texture_anisotropy`.

use super::sums::{self, TextureSums};
use crate::citations;
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Unit,
};

/// Coherence of the structure tensor.
pub const METRIC: Metric = Metric {
    id: "texture_anisotropy",
    section: sums::SECTION,
    heading: "Texture direction (anisotropy)",
    unit: Unit::ONE,
    better: Better::Neutral,
    definition: 1,
    group: Group::Texture,
    primary: None,
    ratio: true,
    what: "How much the texture has one direction: 0 none, 1 all lines parallel.",
    formula: "√((Jxx − Jyy)² + 4Jxy²) / (Jxx + Jyy), J the structure tensor summed over the region",
    also_moved_by: "The direction of the light: slopes across it are seen best. Noise lowers it.",
    sources: &[&citations::BIGUN_1987],
    period_mm: Some(1.2),
    capture: CaptureSd { floor: 0.08, local: LocalSd::AtOneCm2(0.05) },
    light: LightSensitivity::Anisotropy,
    noise_error: None,
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = TextureSums::from_row(row);
    let trace = s.tensor_xx + s.tensor_yy;
    // The tensor is that of the finest band that is resolved.
    let finest = if s.fine.energy.is_nan() { &s.coarse } else { &s.fine };
    if finest.noise.is_infinite() {
        return Err(Reason::BelowNoise);
    }
    if trace <= 0.0 {
        return Err(if s.coarse.energy.is_nan() {
            Reason::BelowResolution
        } else {
            Reason::NothingFound
        });
    }
    Ok((s.tensor_xx - s.tensor_yy).hypot(2.0 * s.tensor_xy) / trace)
}
