//! Noise of sensor and file in a photo's log luminance.

use crate::filter::gaussian::band_noise_gain;
use crate::filter::stats::quantile;
use crate::photo::jpeg::Quantisers;
use crate::plane::{Grid, Mask, Plane, par_collect};
use crate::settings::LuminanceSettings;
use crate::srgb;

/// The noise of one photo on the baseline's pixels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Noise {
    /// Variance per pixel of the white noise, log².
    pub white: f64,
    /// Energy above `white` that the photos of a pair do not share, log²: noise, or detail that the other photo lost.
    pub white_error: f64,
    /// Gaussian blur applied to the noise since, px.
    pub blur_px: f64,
    /// Rounding of the file.
    pub file: Option<Rounding>,
}

/// A factor of the noise variance in each square cell.
#[derive(Debug, Clone)]
pub struct NoiseMap {
    /// The factors.
    pub factors: Grid<f32>,
    /// Side of a cell, px.
    pub cell_px: usize,
}

impl NoiseMap {
    /// The factor 1 everywhere.
    pub fn uniform() -> NoiseMap {
        NoiseMap { factors: Grid::filled(1, 1, 1.0), cell_px: 1 }
    }

    /// The factor at a pixel; beyond the cells that of the last one.
    pub fn at(&self, x: usize, y: usize) -> f64 {
        let [i, j] = [x, y].map(|v| (v / self.cell_px) as isize);
        f64::from(self.factors.clamped(i, j))
    }
}

/// The rounding of a JPEG.
#[derive(Debug, Clone, Copy)]
pub struct Rounding {
    /// Quantisation steps of the coefficients.
    pub quantisers: Quantisers,
    /// Codes (0 … 255) per unit of log luminance at the skin's median.
    pub codes: f64,
    /// Pixels of the photo's file per baseline pixel.
    pub scale: f64,
    /// Apparent blur of the coded photo, baseline px.
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
    /// Fraction of the amplitude between two periods that the rounding of the file kept, and the noise in
    /// the mean square `energy` of that band, both in log²: white noise, and the noise that rounding adds to a
    /// signal of that energy.
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

    /// Further mean square between two periods that may be noise, log².
    pub fn error_of_band(&self, short_px: f64, long_px: f64) -> f64 {
        self.white_error * band_noise_gain(short_px, long_px, self.blur_px)
    }
}

/// Variance per pixel of white noise after Immerkær (1996): the mask [1 −2 1; −2 4 −2; 1 −2 1] rejects
/// planes and slow curves and passes 36 σ² of white noise. A low quantile over tiles is taken, since skin's
/// texture adds energy.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::gaussian::{band, blur};
    use crate::filter::stats::mean_square;
    use crate::testing::{Texture, noise, noisy};

    const SIDE: usize = 256;

    fn all() -> Mask {
        Mask::filled(SIDE, SIDE, true)
    }

    fn measured(plane: &Plane, valid: &Mask) -> f64 {
        white(plane, valid, &LuminanceSettings::default())
    }

    /// The 10th percentile of the tiles is a little below their mean.
    #[test]
    fn white_noise_is_measured_within_ten_per_cent() {
        for sd in [0.003, 0.01, 0.05] {
            for stream in [1, 2] {
                let found = measured(&noise(SIDE, SIDE, stream).map(|v| sd * v), &all()).sqrt();
                println!("{sd} {found}");
                assert!((found / f64::from(sd) - 1.0).abs() < 0.1, "{sd}: {found}");
            }
        }
    }

    #[test]
    fn slopes_and_curves_are_not_noise() {
        let curved = Plane::from_fn(SIDE, SIDE, |x, y| {
            let [x, y] = [x, y].map(|v| v as f32 / 64.0);
            0.5 * x - 0.25 * y + 0.125 * x * x - 0.5 * y * y
        });
        assert!(measured(&curved, &all()) < 1e-12, "{}", measured(&curved, &all()));
        let smooth = Texture::new(1, 0.1).blurred(9.0).plane(SIDE, SIDE);
        assert!(measured(&smooth, &all()).sqrt() < 1e-4);
        let both = measured(&noisy(&smooth.zip(&curved, |a, b| a + b), 3, 0.01), &all()).sqrt();
        assert!((both / 0.01 - 1.0).abs() < 0.1, "{both}");
    }

    #[test]
    fn rough_and_masked_skin_adds_no_noise() {
        let quiet = noise(SIDE, SIDE, 4).map(|v| 0.01 * v);
        let expected = measured(&quiet, &all());
        // Rough skin on one half.
        let rough = Texture::new(2, 0.1).plane(SIDE, SIDE);
        let half = Plane::from_fn(SIDE, SIDE, |x, y| {
            quiet.at(x, y) + if x < SIDE / 2 { rough.at(x, y) } else { 0.0 }
        });
        assert!((measured(&half, &all()) / expected - 1.0).abs() < 0.15);
        // Anything outside the mask.
        let mask = Mask::from_fn(SIDE, SIDE, |x, _| x >= SIDE / 2);
        let disturbed = quiet.zip(&mask, |v, m| if m { v } else { 1e6 });
        assert_eq!(measured(&disturbed, &mask), measured(&quiet, &mask));
        assert_eq!(measured(&quiet, &Mask::filled(SIDE, SIDE, false)), 0.0);
    }

    #[test]
    fn the_noise_of_a_band_is_the_white_noise_that_it_passes() {
        let white = 1e-4;
        let plane = noise(SIDE, SIDE, 5).map(|v| 0.01 * v);
        for blur_px in [0.0, 0.8, 1.5] {
            let own = Noise { white, white_error: 0.25 * white, blur_px, file: None };
            for [short, long] in [[3.0, 8.0], [8.0, 20.0]] {
                let passed =
                    mean_square(&band(&blur(&plane, blur_px as f32), &all(), short, long), &all());
                let [gain, noise] = own.of_band(short, long, 1.0);
                println!("{blur_px} {short}: {noise} {passed}");
                assert_eq!(gain, 1.0);
                assert!((noise / passed - 1.0).abs() < 0.12, "{blur_px} {short}: {noise} {passed}");
                assert!((own.error_of_band(short, long) / noise - 0.25).abs() < 1e-9);
            }
        }
    }

    /// Quantisation tables of a JPEG file whose steps are all `step`.
    fn quantisers(step: u8) -> Quantisers {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
        bytes.extend([step; 64]);
        Quantisers::of_file(&bytes).expect("a table")
    }

    #[test]
    fn codes_per_log_unit_follow_the_slope_of_srgb() {
        // The slope of the sRGB curve times the light: 255 · 1.055/2.4 · v^(1/2.4).
        for light in [0.05f64, 0.2, 0.5] {
            let truth = 255.0 * 1.055 / 2.4 * light.powf(1.0 / 2.4);
            let found = Rounding::new(quantisers(4), light.ln(), 1.0, 1.3).codes;
            assert!((found / truth - 1.0).abs() < 1e-3, "{light}: {found} {truth}");
        }
    }

    /// Each coefficient of a strong signal gets a noise variance of a twelfth of its squared step.
    #[test]
    fn rounding_adds_a_twelfth_of_the_squared_step() {
        let file = Rounding { quantisers: quantisers(2), codes: 60.0, scale: 1.0, blur_px: 0.5 };
        let noise = Noise { white: 1e-5, file: Some(file), ..Noise::default() };
        let [short, long] = [4.0, 10.0];
        let [gain, found] = noise.of_band(short, long, 1.0);
        let truth = (1e-5 + 4.0 / 12.0 / 3600.0) * band_noise_gain(short, long, 0.0);
        println!("{gain} {found} {truth}");
        assert!(
            (gain - 1.0).abs() < 0.01 && (found / truth - 1.0).abs() < 0.05,
            "{gain} {found} {truth}"
        );
    }

    #[test]
    fn a_noise_map_repeats_its_last_cells() {
        let map = NoiseMap { factors: Grid::from_vec(2, 2, vec![1.0, 2.0, 4.0, 8.0]), cell_px: 10 };
        let at =
            [[9, 9], [10, 9], [9, 10], [10, 19], [500, 0], [500, 500]].map(|[x, y]| map.at(x, y));
        assert_eq!(at, [1.0, 2.0, 4.0, 8.0, 2.0, 8.0]);
        assert_eq!(NoiseMap::uniform().at(123, 45), 1.0);
    }
}
