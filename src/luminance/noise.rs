//! What sensor and file add to a photo's log luminance.

use crate::filter::gaussian::band_noise_gain;
use crate::filter::stats::quantile;
use crate::photo::jpeg::Quantisers;
use crate::plane::{Mask, Plane, par_collect};
use crate::settings::LuminanceSettings;
use crate::srgb;

/// The noise of one photo on the baseline's pixels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Noise {
    /// Variance per pixel of what is white, log units.
    pub white: f64,
    /// Gaussian blur that was put on it since, px.
    pub blur_px: f64,
    /// How the file was rounded.
    pub file: Option<Rounding>,
}

/// The rounding of a JPEG.
#[derive(Debug, Clone, Copy)]
pub struct Rounding {
    /// The steps.
    pub quantisers: Quantisers,
    /// Codes (0 … 255) per unit of log luminance at the skin's median.
    pub codes: f64,
    /// Photo pixels per baseline pixel.
    pub scale: f64,
    /// Apparent blur of what was coded, baseline px.
    pub blur_px: f64,
}

impl Rounding {
    /// The rounding of a photo whose skin has this median log luminance.
    pub fn new(quantisers: Quantisers, median_log: f64, scale: f64, blur_px: f64) -> Rounding {
        let step = 0.01;
        let [low, high] = [median_log - step, median_log + step].map(|v| srgb::encode(v.exp()));
        let codes = 255.0 * (high - low) / (2.0 * step);
        Rounding { quantisers, codes, scale, blur_px }
    }
}

impl Noise {
    /// What the file left of the amplitude between two periods, and the noise's share of its mean
    /// square `energy`, log²: what is white there, and what rounding adds to a signal of that
    /// strength.
    pub fn of_band(&self, short_px: f64, long_px: f64, energy: f64) -> [f64; 2] {
        let [gain, rounded] = self.file.map_or([1.0, 0.0], |file| {
            // Variance per pixel of the file: its pixels are finer by the scale.
            let density = energy / band_noise_gain(short_px, long_px, 0.0);
            let unit = (file.codes * file.scale).powi(2);
            let periods = [short_px, long_px].map(|p| p * file.scale);
            let blurs = [file.blur_px, self.blur_px].map(|v| (v * file.scale).powi(2));
            let [gain, noise] = file.quantisers.rounding(density * unit, periods, blurs);
            [gain, noise / unit]
        });
        [gain, (self.white + rounded) * band_noise_gain(short_px, long_px, self.blur_px)]
    }
}

/// White noise per pixel after Immerkær (1996): the mask [1 −2 1; −2 4 −2; 1 −2 1] is blind to
/// planes and slow curves and passes 36 σ² of white noise. The quietest tiles count, since skin
/// only adds.
pub fn white(flat: &Plane, valid: &Mask, settings: &LuminanceSettings) -> f64 {
    let side = settings.noise_tile_px;
    let tiles = [flat.width() / side, flat.height() / side];
    let powers = par_collect(tiles[0] * tiles[1], |i| {
        let (left, top) = (i % tiles[0] * side, i / tiles[0] * side);
        let (mut sum, mut n) = (0.0f64, 0usize);
        for y in (top + 1)..(top + side - 1) {
            let (u, c, d) = (flat.row(y - 1), flat.row(y), flat.row(y + 1));
            for x in (left + 1)..(left + side - 1) {
                if (0..9).all(|k| valid.at(x + k % 3 - 1, y + k / 3 - 1)) {
                    let v = u[x - 1] - 2.0 * u[x] + u[x + 1] - 2.0 * c[x - 1] + 4.0 * c[x]
                        - 2.0 * c[x + 1]
                        + d[x - 1]
                        - 2.0 * d[x]
                        + d[x + 1];
                    sum += (v * v) as f64;
                    n += 1;
                }
            }
        }
        (n * 2 > side * side).then(|| sum / (36.0 * n as f64))
    });
    let mut powers: Vec<f64> = powers.into_iter().flatten().collect();
    quantile(&mut powers, settings.noise_quantile).unwrap_or(0.0)
}
