//! Texture: amplitudes of band-passed log luminance, and their anisotropy.
//!
//! `texture_fine` and `texture_coarse` are root mean squares of the flattened log luminance
//! between two spatial periods (half amplitude at each), with the power that the photo's own noise
//! adds taken off; `texture_roughness`² = fine² + coarse². They are contrasts, not heights.
//! `texture_anisotropy` is the coherence of the structure tensor over the finest of them that the photos hold.

pub(super) mod anisotropy;
pub(super) mod coarse;
pub(super) mod fine;
pub(super) mod roughness;
pub(crate) mod sums;

use super::Frame;
use crate::filter::gaussian::band;
use crate::filter::stats::mean_square;
use crate::luminance::{Luminance, NoiseMap};
use crate::plane::Plane;
use crate::settings::MetricSettings;

struct Bands {
    /// Fine and coarse.
    planes: [Option<Plane>; 2],
    /// Mean squares of their noise: what the photo by itself lets expect, in a pair the most it may be;
    /// infinite where the file has rounded most of the band away.
    noise: [f64; 2],
    /// What that may be more.
    noise_error: [f64; 2],
    /// What the file's rounding left of their amplitude, 0–1.
    kept: [f64; 2],
    /// Where there is more of it.
    noisier: NoiseMap,
}

/// Band-passed planes of each visit.
pub struct Texture(Vec<Bands>);

impl Texture {
    /// Filters each visit; a band that its pixels cannot hold is left out.
    pub fn read(visits: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> Self {
        let [a, b, c] = settings.texture_periods_mm.map(|mm| mm / frame.mm_per_px);
        let most = if visits.len() == 2 { settings.texture_noise_cap } else { 1.0 };
        let bands = |l: &&Luminance| {
            let make = |[short, long]: [f64; 2]| {
                if short < frame.shortest_period_px {
                    return (None, [0.0; 2], 1.0);
                }
                let plane = band(&l.flat, &l.valid, short, long);
                let energy = mean_square(&plane, &l.valid);
                let [kept, noise] = l.noise.of_band(short, long, energy);
                if kept < settings.texture_gain_min {
                    return (Some(plane), [f64::INFINITY; 2], kept);
                }
                let gain = if visits.len() == 2 { kept.sqrt() } else { kept };
                let noises = [most * noise, l.noise.error_of_band(short, long)];
                (Some(plane.map(|v| v / gain as f32)), noises.map(|n| n / (gain * gain)), kept)
            };
            let (fine, coarse) = (make([a, b]), make([b, c]));
            Bands {
                planes: [fine.0, coarse.0],
                noise: [fine.1[0], coarse.1[0]],
                noise_error: [fine.1[1], coarse.1[1]],
                kept: [fine.2, coarse.2],
                noisier: l.noise_map.clone(),
            }
        };
        Texture(visits.iter().map(bands).collect())
    }

    /// Standard deviation of ln(f/b) that the rounding of the two files leaves, the larger of both bands: what
    /// it took from weak detail is known to a factor of two, so that of a pair half is put back.
    pub fn rounding_sd(&self) -> f64 {
        let [before, after] = [0, self.0.len() - 1].map(|visit| self.0[visit].kept);
        let sd = |k: usize| 0.5 * (after[k] / before[k]).ln().abs();
        sd(0).max(sd(1))
    }
}
