//! `texture_fine`.

use super::sums::{self, TextureSums};
use crate::metric::sums::Sums;
use crate::metric::{
    Better, CaptureSd, Group, LightSensitivity, LocalSd, Metric, Question, Reason, Sampling, Unit,
};

/// Amplitude of the band of short periods.
pub const METRIC: Metric = Metric {
    id: "texture_fine",
    section: sums::SECTION,
    heading: "Texture, fine (0.25–0.7 mm)",
    unit: Unit::ONE,
    better: Better::Lower,
    definition: 1,
    group: Group::Texture,
    primary: Some(Question::Texture),
    ratio: true,
    what: "Contrast of the finest furrows and pores.",
    formula: "RMS of log luminance in its band, between two Gaussian means; the noise power, estimated in a pair as \
        what the photos do not share (Deming), subtracted",
    also_moved_by: sums::AMPLITUDE_ALSO_MOVED_BY,
    sources: sums::AMPLITUDE_SOURCES,
    period_mm: Some(0.42),
    capture: CaptureSd { floor: 0.016, local: LocalSd::AtOneCm2(0.012) },
    light: LightSensitivity::Texture,
    noise_error: Some(noise_error),
    countable_objects: None,
    measure,
};

fn measure(row: &[f64], _: &Sampling) -> Result<f64, Reason> {
    let s = TextureSums::from_row(row);
    s.fine.amplitude(s.pixels)
}

fn noise_error(row: &[f64], value: f64) -> f64 {
    let s = TextureSums::from_row(row);
    s.noise_error(s.fine.noise_error, value)
}
