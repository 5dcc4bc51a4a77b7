//! Texture: amplitudes of band-passed log luminance, and their anisotropy.
//!
//! `texture_fine` and `texture_coarse` are root mean squares of the flattened log luminance
//! between two spatial periods (half amplitude at each), the power of the photo's own noise
//! subtracted; `texture_roughness`² = fine² + coarse². They are contrasts, not heights.
//! `texture_anisotropy` is the coherence of the structure tensor of the finest band that the photos resolve.

pub(super) mod anisotropy;
pub(super) mod coarse;
pub(super) mod fine;
pub(super) mod roughness;
pub(crate) mod sums;

use super::Sampling;
use crate::filter::gaussian::band;
use crate::filter::stats::mean_square;
use crate::luminance::{Luminance, NoiseMap};
use crate::plane::Plane;
use crate::settings::MetricSettings;

/// Log luminance of one visit in one band.
struct Band {
    /// `None` where the photos do not resolve the band.
    plane: Option<Plane>,
    /// Mean square of its noise: of a photo alone the expected one, of a pair the upper limit; infinite where the
    /// file's rounding removed most of the band.
    noise: f64,
    /// By how much the noise may exceed that.
    noise_error: f64,
    /// Share of the amplitude that the file's rounding kept.
    kept: f64,
}

/// One visit.
struct VisitBands {
    /// Fine and coarse.
    bands: [Band; 2],
    /// Noise power over its mean, by place.
    noisier: NoiseMap,
}

/// Band-passed planes of each visit.
pub struct TextureBands(Vec<VisitBands>);

impl TextureBands {
    /// Filters each visit.
    pub fn read(visits: &[&Luminance], sampling: &Sampling, settings: &MetricSettings) -> Self {
        let [a, b, c] = settings.texture_periods_mm.map(|mm| mm / sampling.mm_per_px);
        let paired = visits.len() == 2;
        let bands = |l: &&Luminance| VisitBands {
            bands: [[a, b], [b, c]].map(|periods| {
                if periods[0] < sampling.shortest_period_px {
                    Band { plane: None, noise: 0.0, noise_error: 0.0, kept: 1.0 }
                } else {
                    Band::of(l, periods, paired, settings)
                }
            }),
            noisier: l.noise_map.clone(),
        };
        TextureBands(visits.iter().map(bands).collect())
    }

    /// Standard deviation of ln(follow-up/baseline) due to the rounding of the two files, the larger of both bands: how
    /// much it removed of weak detail is known to a factor of two, so half of that loss is restored in a pair.
    pub fn rounding_sd(&self) -> f64 {
        let [before, after] = [0, self.0.len() - 1].map(|visit| &self.0[visit].bands);
        let sd = |k: usize| 0.5 * (after[k].kept / before[k].kept).ln().abs();
        sd(0).max(sd(1))
    }
}

impl Band {
    /// The band between two periods, px, its loss by the file's rounding compensated.
    fn of(l: &Luminance, [short, long]: [f64; 2], paired: bool, settings: &MetricSettings) -> Self {
        let plane = band(&l.flat, &l.valid, short, long);
        let energy = mean_square(&plane, &l.valid);
        let [kept, noise] = l.noise.of_band(short, long, energy);
        if kept < settings.texture_gain_min {
            let noise = f64::INFINITY;
            return Band { plane: Some(plane), noise, noise_error: noise, kept };
        }
        let most = if paired { settings.texture_noise_cap } else { 1.0 };
        let gain = if paired { kept.sqrt() } else { kept };
        let power = |noise: f64| noise / (gain * gain);
        Band {
            plane: Some(plane.map(|v| v / gain as f32)),
            noise: power(most * noise),
            noise_error: power(l.noise.error_of_band(short, long)),
            kept,
        }
    }
}
