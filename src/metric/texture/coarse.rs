//! `texture_coarse`.

use super::sums::{self, TextureSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Question, Reason, Sampling, Unit,
};

/// Amplitude of the band of long periods.
pub const METRIC: Metric = Metric {
    id: "texture_coarse",
    section: sums::SECTION,
    heading: "Texture, coarse (0.7–2 mm)",
    unit: Unit::ONE,
    better: Better::Lower,
    definition: 1,
    group: Group::Texture,
    primary: Some(Question::Texture),
    ratio: true,
    what: "Contrast of skin's microrelief and of coarse pores.",
    formula: "as `texture_fine`, in its own band",
    also_moved_by: sums::AMPLITUDE_ALSO_MOVED_BY,
    sources: sums::AMPLITUDE_SOURCES,
    period_mm: Some(1.2),
    capture: CaptureSd { floor: 0.016, local: LocalSd::AtOneCm2(0.012) },
    light: LightSensitivity::Texture,
    noise_error: Some(noise_error),
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = TextureSums::from_row(row);
    s.coarse.amplitude(s.pixels)
}

fn noise_error(row: &[f64], value: f64) -> f64 {
    let s = TextureSums::from_row(row);
    s.noise_error(s.coarse.noise_error, value)
}
