//! `texture_roughness`.

use super::sums::{self, TextureSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Question, Reason, Sampling, Unit,
};

/// Amplitude of both bands.
pub const METRIC: Metric = Metric {
    id: "texture_roughness",
    section: sums::SECTION,
    heading: "Texture roughness",
    unit: Unit::ONE,
    better: Better::Lower,
    definition: 1,
    group: Group::Texture,
    primary: Some(Question::Texture),
    ratio: true,
    what: "Contrast of relief and fine pigment over all scales of skin texture.",
    formula: "√(fine² + coarse²)",
    also_moved_by: sums::AMPLITUDE_ALSO_MOVED_BY,
    sources: sums::AMPLITUDE_SOURCES,
    period_mm: Some(0.7),
    capture: CaptureSd { floor: 0.014, local: LocalSd::AtOneCm2(0.012) },
    light: LightSensitivity::Texture,
    noise_error: Some(noise_error),
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = TextureSums::from_row(row);
    Ok(s.fine.amplitude(s.pixels)?.hypot(s.coarse.amplitude(s.pixels)?))
}

fn noise_error(row: &[f64], value: f64) -> f64 {
    let s = TextureSums::from_row(row);
    s.noise_error(s.fine.noise_error + s.coarse.noise_error, value)
}
