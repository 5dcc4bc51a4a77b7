//! What sensor and file add to a photo's log luminance.

use crate::filter::gaussian::band_noise_gain;
use crate::filter::stats::quantile;
use crate::photo::jpeg::Quantisers;
use crate::plane::{Grid, Mask, Plane, par_collect};
use crate::settings::LuminanceSettings;
use crate::srgb;

/// The noise of one photo on the baseline's pixels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Noise {
    /// Variance per pixel of what is white, log units.
    pub white: f64,
    /// By how much more that may be: what the photos of a pair do not share beyond it.
    pub white_error: f64,
    /// Gaussian blur that was put on it since, px.
    pub blur_px: f64,
    /// How the file was rounded.
    pub file: Option<Rounding>,
}

/// A factor of the noise's variance in each square cell.
#[derive(Debug, Clone)]
pub struct NoiseMap {
    /// The factors.
    pub factors: Grid<f32>,
    /// Side of a cell, px.
    pub cell_px: usize,
}

impl NoiseMap {
    /// The same noise everywhere.
    pub fn even() -> NoiseMap {
        NoiseMap { factors: Grid::filled(1, 1, 1.0), cell_px: 1 }
    }

    /// The factor at a pixel; the last cell's beyond them.
    pub fn at(&self, x: usize, y: usize) -> f64 {
        let [i, j] = [x, y].map(|v| (v / self.cell_px) as isize);
        f64::from(self.factors.clamped(i, j))
    }
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

    /// Mean square, log², that the noise between two periods may have more.
    pub fn error_of_band(&self, short_px: f64, long_px: f64) -> f64 {
        self.white_error * band_noise_gain(short_px, long_px, self.blur_px)
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

    fn read(plane: &Plane, valid: &Mask) -> f64 {
        white(plane, valid, &LuminanceSettings::default())
    }

    /// The quietest tenth of the tiles is a little below the mean of all.
    #[test]
    fn white_noise_is_read_within_a_tenth() {
        for sd in [0.003, 0.01, 0.05] {
            for stream in [1, 2] {
                let found = read(&noise(SIDE, SIDE, stream).map(|v| sd * v), &all()).sqrt();
                println!("{sd} {found}");
                assert!((found / f64::from(sd) - 1.0).abs() < 0.1, "{sd}: {found}");
            }
        }
    }

    #[test]
    fn slopes_and_curves_are_no_noise() {
        let curved = Plane::from_fn(SIDE, SIDE, |x, y| {
            let [x, y] = [x, y].map(|v| v as f32 / 64.0);
            0.5 * x - 0.25 * y + 0.125 * x * x - 0.5 * y * y
        });
        assert!(read(&curved, &all()) < 1e-12, "{}", read(&curved, &all()));
        let smooth = Texture::new(1, 0.1).blurred(9.0).plane(SIDE, SIDE);
        assert!(read(&smooth, &all()).sqrt() < 1e-4);
        let both = read(&noisy(&smooth.zip(&curved, |a, b| a + b), 3, 0.01), &all()).sqrt();
        assert!((both / 0.01 - 1.0).abs() < 0.1, "{both}");
    }

    #[test]
    fn only_quiet_skin_counts() {
        let quiet = noise(SIDE, SIDE, 4).map(|v| 0.01 * v);
        let alone = read(&quiet, &all());
        // Rough skin on one half.
        let rough = Texture::new(2, 0.1).plane(SIDE, SIDE);
        let half = Plane::from_fn(SIDE, SIDE, |x, y| {
            quiet.at(x, y) + if x < SIDE / 2 { rough.at(x, y) } else { 0.0 }
        });
        assert!((read(&half, &all()) / alone - 1.0).abs() < 0.15);
        // Anything outside the mask.
        let mask = Mask::from_fn(SIDE, SIDE, |x, _| x >= SIDE / 2);
        let spoilt = quiet.zip(&mask, |v, m| if m { v } else { 1e6 });
        assert_eq!(read(&spoilt, &mask), read(&quiet, &mask));
        assert_eq!(read(&quiet, &Mask::filled(SIDE, SIDE, false)), 0.0);
    }

    #[test]
    fn the_noise_of_a_band_is_what_the_band_passes() {
        let white = 1e-4;
        let plane = noise(SIDE, SIDE, 5).map(|v| 0.01 * v);
        for blur_px in [0.0, 0.8, 1.5] {
            let own = Noise { white, white_error: 0.25 * white, blur_px, file: None };
            for [short, long] in [[3.0, 8.0], [8.0, 20.0]] {
                let seen =
                    mean_square(&band(&blur(&plane, blur_px as f32), &all(), short, long), &all());
                let [gain, share] = own.of_band(short, long, 1.0);
                println!("{blur_px} {short}: {share} {seen}");
                assert_eq!(gain, 1.0);
                assert!((share / seen - 1.0).abs() < 0.12, "{blur_px} {short}: {share} {seen}");
                assert!((own.error_of_band(short, long) / share - 0.25).abs() < 1e-9);
            }
        }
    }

    /// A start of a JPEG file whose steps are all `step`.
    fn quantisers(step: u8) -> Quantisers {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
        bytes.extend([step; 64]);
        Quantisers::of_file(&bytes).expect("a table")
    }

    #[test]
    fn rounding_is_counted_in_codes_of_the_skins_light() {
        // The slope of the sRGB curve times the light: 255 · 1.055/2.4 · v^(1/2.4).
        for light in [0.05f64, 0.2, 0.5] {
            let truth = 255.0 * 1.055 / 2.4 * light.powf(1.0 / 2.4);
            let found = Rounding::new(quantisers(4), light.ln(), 1.0, 1.3).codes;
            assert!((found / truth - 1.0).abs() < 1e-3, "{light}: {found} {truth}");
        }
    }

    /// Of a strong signal each coefficient gets a twelfth of its squared step.
    #[test]
    fn rounding_adds_a_twelfth_of_the_squared_step() {
        let file = Rounding { quantisers: quantisers(2), codes: 60.0, scale: 1.0, blur_px: 0.5 };
        let noise = Noise { white: 1e-5, file: Some(file), ..Noise::default() };
        let [short, long] = [4.0, 10.0];
        let [gain, share] = noise.of_band(short, long, 1.0);
        let truth = (1e-5 + 4.0 / 12.0 / 3600.0) * band_noise_gain(short, long, 0.0);
        println!("{gain} {share} {truth}");
        assert!(
            (gain - 1.0).abs() < 0.01 && (share / truth - 1.0).abs() < 0.05,
            "{gain} {share} {truth}"
        );
    }

    #[test]
    fn a_map_of_noise_holds_each_cell_and_the_last_beyond() {
        let map = NoiseMap { factors: Grid::from_vec(2, 2, vec![1.0, 2.0, 4.0, 8.0]), cell_px: 10 };
        let at =
            [[9, 9], [10, 9], [9, 10], [10, 19], [500, 0], [500, 500]].map(|[x, y]| map.at(x, y));
        assert_eq!(at, [1.0, 2.0, 4.0, 8.0, 2.0, 8.0]);
        assert_eq!(NoiseMap::even().at(123, 45), 1.0);
    }
}
