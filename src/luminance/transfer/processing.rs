//! Processing: a filter or a tone curve that acts on all skin alike.

use super::{OctaveProducts, Tile, tiles};
use crate::filter::gaussian::noise_gain;
use crate::filter::stats::{deming, median, quantile};
use crate::luminance::Luminance;
use crate::plane::Mask;
use crate::settings::TransferSettings;

/// Difference between two photos of the same focus that is attributed to processing, not to treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Processing {
    /// Natural log of the gain common to all skin in fine octaves (sigma up to 2 px).
    pub fine: f64,
    /// The same in coarser octaves.
    pub coarse: f64,
    /// Excess loss of weak detail over that of strong detail, natural log ([`super::denoising`]).
    pub denoising: f64,
    /// Natural log of the gain of relief that half of the skin reaches, over all octaves and whatever explains it.
    /// `None` where too little skin is visible.
    pub relief_gain: Option<f64>,
}

impl Processing {
    /// Standard deviation that processing adds to the natural log of a change of relief.
    pub fn relief_sd(&self) -> f64 {
        self.fine.abs().max(self.coarse.abs()).hypot((self.denoising - DENOISING_BY_NOISE).max(0.0))
    }
}

/// Separates processing (a filter or curve that acts on all skin alike) from treatment, on photos of the same
/// focus, in octaves from sigma 1 px up.
///
/// Treatment changes relief and leaves pigment and deeper structures as they were, and it varies from place to
/// place: a common gain explains at most 0.4 of the difference on rendered skin with one treated structure, 0.7 where
/// all relief was treated. A filter or a curve explains nearly all of it. Energy that the photos do not share in their
/// finest octaves (noise, rounding) is subtracted first. The gain of an octave is weighted twice: from 0 to 1 as the
/// explained fraction rises over `explained_fraction`, and from 0 to 1 as the unexplained fraction of the octave's
/// energy falls over `unexplained_fraction`. It is the gain that three quarters of the tiles reach: a gain that half of
/// the skin lacks is not processing.
///
/// `blur_difference`, px², was matched before, with the standard error `blur_error`, px².
pub fn processing(
    [a, b]: [&Luminance; 2],
    valid: &Mask,
    blur_difference: f64,
    blur_error: f64,
    settings: &TransferSettings,
) -> Processing {
    let sigmas = &settings.sigmas_px[FIRST_SIGMA..];
    let tiles = tiles([&a.flat, &b.flat], valid, sigmas, settings);
    let mut found = Processing::default();
    if tiles.len() < settings.tiles_min {
        return found;
    }
    let mut all_gains = Vec::new();
    for (k, sigma) in sigmas.windows(2).enumerate() {
        let unshared = [a, b].map(|l| {
            let kept = noise_gain([sigma[0], sigma[1]].map(|s| s.hypot(l.noise.blur_px)));
            UnsharedEnergy { noise: l.noise.white * kept, beyond: l.noise.white_error * kept }
        });
        let mut gains = tile_gains(&tiles, k, &unshared);
        all_gains.extend(&gains);
        let gain = common_gain(&tiles, k, &unshared, &mut gains, settings);
        // A blur that was matched imperfectly leaves a gain that is no processing.
        let left = 2.0 * blur_error + BLUR_MODEL_ERROR * blur_difference.abs();
        let mismatch = 0.5 * mean_frequency(&tiles, k) * left;
        let gain = gain.signum() * (gain.abs() - mismatch).max(0.0);
        let largest = if sigma[0] < 2.0 { &mut found.fine } else { &mut found.coarse };
        if gain.abs() > largest.abs() {
            *largest = gain;
        }
    }
    found.relief_gain = median(&mut all_gains);
    found
}

/// Largest [`super::denoising`] of two photos that differ in noise alone, natural log.
const DENOISING_BY_NOISE: f64 = 0.06;
/// Fraction of a blur's variance by which a lens departs from a Gaussian.
const BLUR_MODEL_ERROR: f64 = 0.1;
/// Index of the first sigma of [`processing`]: 1 px.
const FIRST_SIGMA: usize = 2;

/// Mean squared angular frequency of octave `k`, 1/px².
fn mean_frequency(tiles: &[Tile], k: usize) -> f64 {
    let sum = |of: fn(&OctaveProducts) -> f64| tiles.iter().map(|t| of(&t.octaves[k])).sum::<f64>();
    let (ab, gradient) = (sum(|p| p.ab), sum(|p| p.gradient));
    if ab > 0.0 { (gradient / ab).max(0.0) } else { 0.0 }
}

/// Energy of one photo in an octave that the other photo does not share.
struct UnsharedEnergy {
    /// Its white noise.
    noise: f64,
    /// Unshared energy beyond the noise.
    beyond: f64,
}

/// The gain of each tile in octave `k`, natural log.
fn tile_gains(tiles: &[Tile], k: usize, [of_a, of_b]: &[UnsharedEnergy; 2]) -> Vec<f64> {
    let gain = |t: &Tile| {
        let OctaveProducts { aa, bb, ab, .. } = t.octaves[k];
        let [aa, bb] = [aa - of_a.noise, bb - of_b.noise];
        (ab > 0.0 && aa > 0.0 && bb > 0.0).then(|| deming(aa / ab, bb / ab, 1.0).ln())
    };
    tiles.iter().filter_map(gain).filter(|gain| gain.is_finite()).collect()
}

/// The gain of octave `k` that one filter on all skin explains, natural log; `gains` are those of the tiles.
fn common_gain(
    tiles: &[Tile],
    k: usize,
    unshared: &[UnsharedEnergy; 2],
    gains: &mut [f64],
    settings: &TransferSettings,
) -> f64 {
    let n = tiles.len() as f64;
    let mean =
        |of: fn(&OctaveProducts) -> f64| tiles.iter().map(|t| of(&t.octaves[k])).sum::<f64>() / n;
    let [of_a, of_b] = unshared;
    let [aa, bb, ab] = [mean(|p| p.aa) - of_a.noise, mean(|p| p.bb) - of_b.noise, mean(|p| p.ab)];
    if ab <= 0.0 || aa <= 0.0 || bb <= 0.0 {
        return 0.0;
    }
    let rho = deming(aa / ab, bb / ab, 1.0);
    // Energy that neither a filter nor a treatment explains says nothing about which of the two it was.
    let difference = aa + bb - 2.0 * ab - of_a.beyond - of_b.beyond;
    // Below a quarter of the unshared energy the difference is not significant.
    if difference <= 0.25 * unshared.iter().map(|of| of.noise + of.beyond).sum::<f64>() {
        return 0.0;
    }
    let [own_aa, own_bb] = [aa - of_a.beyond, bb - of_b.beyond];
    let residual = (own_bb - 2.0 * rho * ab + rho * rho * own_aa) * 2.0 / (1.0 + rho * rho);
    let between = |v: f64, [none, all]: [f64; 2]| ((v - none) / (all - none)).clamp(0.0, 1.0);
    let residual = residual.max(0.0);
    let weight = between(1.0 - residual / difference, settings.explained_fraction)
        * between(residual / (aa * bb).sqrt(), settings.unexplained_fraction);
    let [low, high] = [0.25, 0.75].map(|q| quantile(gains, q).unwrap_or(0.0));
    let shared = if low > 0.0 {
        low
    } else if high < 0.0 {
        high
    } else {
        0.0
    };
    weight * shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::gaussian::blur;
    use crate::luminance::transfer::samples::{LARGE, SMALL, all, noisy, shots, skin};
    use crate::plane::Plane;
    use crate::settings::LuminanceSettings;
    use crate::testing::Texture;

    #[test]
    fn a_filter_on_all_skin_is_processing_and_a_treatment_is_not() {
        let (all, settings) = (all(LARGE), LuminanceSettings::default().transfer);
        // Relief and pigment of equal strength: a treatment scales one of them.
        let relief = skin();
        let pigment = relief.transposed();
        let sum = |gain: f32| relief.zip(&pigment, |r, p| gain * r + p);
        let before = noisy(&sum(1.0), 11, 0.005);
        let found = |after: &Plane| {
            let after = noisy(after, 12, 0.005);
            processing([&before, &after], &all, 0.0, 0.0, &settings)
        };
        let gains = |after: &Plane| {
            let found = found(after);
            [found.fine, found.coarse]
        };
        for treated in [0.5, 0.8, 1.0] {
            let gains = gains(&sum(treated));
            assert!(gains.iter().all(|gain| gain.abs() < 0.01), "{treated}: {gains:?}");
        }
        for gain in [0.8f32, 1.2] {
            let [_, coarse] = gains(&sum(1.0).map(|v| gain * v));
            assert!((coarse / f64::from(gain).ln() - 1.0).abs() < 0.2, "{gain}: {coarse}");
            let relief = found(&sum(1.0).map(|v| gain * v)).relief_gain.expect("enough skin");
            assert!((relief - f64::from(gain).ln()).abs() < 0.02, "{gain}: {relief}");
        }
        // Unsharp masking of radius 2 px.
        let sharp = sum(1.0).zip(&blur(&sum(1.0), 2.0), |v, b| v + 0.6 * (v - b));
        assert!(gains(&sharp)[0] > 0.2);
        // All structures of half of the skin treated alike.
        let both = sum(1.0);
        let half = Plane::from_fn(LARGE, LARGE, |x, y| {
            both.at(x, y) * if x < LARGE / 2 { 0.7 } else { 1.0 }
        });
        assert!(gains(&half).iter().all(|gain| gain.abs() < 0.01));
        // A third of the skin moves the gain of half of it but little.
        let third = Plane::from_fn(LARGE, LARGE, |x, y| {
            both.at(x, y) * if x < LARGE / 3 { 0.7 } else { 1.0 }
        });
        assert!(found(&third).relief_gain.expect("enough skin").abs() < 0.02);
    }

    /// Sharpening by `amount` with an unsharp mask of sigma 2 px is a filter whose gain is known.
    #[test]
    fn the_gain_of_an_unsharp_mask_is_measured() {
        let settings = LuminanceSettings::default().transfer;
        let texture = Texture::new(2, 0.08);
        for amount in [0.3, 0.6, -0.3] {
            let masked = texture.filtered(|q| 1.0 + amount * (1.0 - (-0.5 * 4.0 * q * q).exp()));
            let [a, b] = shots([&texture, &masked], 0.001);
            let found = processing([&a, &b], &all(SMALL), 0.0, 0.0, &settings);
            // Largest log gain of the octaves with a sigma below 2 px, and of those from 2 px on.
            let octave = |sigmas: &[f64]| {
                let [s, t] = [sigmas[0], sigmas[1]].map(|v| 0.5 * v * v);
                let power =
                    |of: &Texture| of.filtered(|q| (-s * q * q).exp() - (-t * q * q).exp()).power();
                0.5 * (power(&masked) / power(&texture)).ln()
            };
            let largest = |part: &[f64]| {
                part.windows(2)
                    .map(octave)
                    .fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a })
            };
            let [fine, coarse] =
                [largest(&settings.sigmas_px[2..5]), largest(&settings.sigmas_px[4..])];
            println!("{amount}: {found:?} {fine} {coarse}");
            assert!((found.fine / fine - 1.0).abs() < 0.15, "{amount}: {found:?} {fine}");
            // A gain that differs within an octave counts less.
            let ratio = found.coarse / coarse;
            assert!((0.3..1.1).contains(&ratio), "{amount}: {found:?} {coarse}");
        }
    }

    #[test]
    fn the_largest_gain_and_denoising_beyond_noise_add_to_the_error_of_relief() {
        let denoising = DENOISING_BY_NOISE + 0.4;
        let found = Processing { fine: -0.3, coarse: 0.1, denoising, relief_gain: Some(-0.3) };
        assert!((found.relief_sd() - 0.5).abs() < 1e-12);
        assert_eq!(
            Processing { denoising: 0.5 * DENOISING_BY_NOISE, ..Processing::default() }.relief_sd(),
            0.0
        );
    }
}
