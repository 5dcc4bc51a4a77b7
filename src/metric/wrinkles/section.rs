//! Cross-sections: log luminance along a normal of a line.

use super::trace::TracedPoint;
use crate::filter::warp::bilinear;
use crate::metric::Sampling;
use crate::plane::Plane;
use crate::settings::{GrooveSettings, MetricSettings};

/// Log luminance across a line: samples from −reach to +reach, evenly spaced.
pub(super) type Section = [f64; SAMPLES];
/// Samples of a cross-section; odd, so that one lies on the line.
pub(super) const SAMPLES: usize = 49;
/// Parallels to each side of a cross-section that it is averaged over.
const PARALLELS: isize = 3;

impl GrooveSettings {
    /// Distance of two samples of a cross-section, mm.
    pub(super) fn step_mm(&self) -> f64 {
        2.0 * self.reach_mm / (SAMPLES - 1) as f64
    }

    /// Distances of the samples of a cross-section from the line, mm; negative to its left.
    pub(super) fn offsets_mm(&self) -> impl Iterator<Item = f64> + use<> {
        let reach = self.reach_mm;
        (0..SAMPLES).map(move |i| reach * (2.0 * i as f64 / (SAMPLES - 1) as f64 - 1.0))
    }
}

/// Samples the cross-section at a point, a mean over parallels along the line.
pub(super) fn section(
    flat: &Plane,
    point: &TracedPoint,
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Section {
    let [tx, ty] = point.along;
    let half = 0.5 * settings.line_average_mm / sampling.mm_per_px;
    let mut out = [0.0; SAMPLES];
    for (v, x_mm) in out.iter_mut().zip(sampling.groove.offsets_mm()) {
        let d = x_mm / sampling.mm_per_px;
        let parallels = (-PARALLELS..=PARALLELS).map(|k| {
            let a = half * k as f64 / PARALLELS as f64;
            f64::from(bilinear(flat, point.x + a * tx - d * ty, point.y + a * ty + d * tx))
        });
        *v = parallels.sum::<f64>() / (2 * PARALLELS + 1) as f64;
    }
    out
}

/// Mean of cross-sections.
pub(super) fn mean(sections: &[Section]) -> Section {
    let mut sum = [0.0; SAMPLES];
    for section in sections {
        sum.iter_mut().zip(section).for_each(|(s, v)| *s += v / sections.len() as f64);
    }
    sum
}
