//! Sharpness: the apparent blur of one photo.

use crate::filter::gaussian::{blur_masked, noise_gain};
use crate::filter::stats::mean_square_difference;
use crate::plane::{Mask, Plane, Window};
use crate::region::Face;
use crate::settings::LuminanceSettings;

/// Sharpness of one photo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sharpness {
    /// Apparent Gaussian blur, px: the blur that turns a power spectrum with equal energy in all octaves, as
    /// skin has, into the measured one. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Amplitude of fine octaves (σ 1–1.4 px) over that of coarse ones (σ 2.8–4 px). `None` where noise
    /// hides it.
    pub fine: Option<f64>,
}

/// The sharpness of the `valid` pixels, under white noise of variance `white` per pixel.
///
/// A power spectrum with equal energy in all octaves, blurred by a Gaussian of variance v, has in an octave of
/// sigmas σ and τ the energy ∝ ln((σ²/2 + τ²/2 + v)²/((σ² + v)(τ² + v))) (Frullani's integral). v is solved
/// for the measured ratio of the finest octave above the noise to the coarsest.
pub fn sharpness(
    flat: &Plane,
    valid: &Mask,
    white: f64,
    settings: &LuminanceSettings,
) -> Sharpness {
    let bands = octaves(flat, valid, settings);
    let signal = |octave: usize| {
        let OctaveBand { energy, gain } = &bands[octave];
        let noise = white.max(settings.transfer.noise_floor.powi(2)) * gain;
        Some(energy - noise).filter(|signal| *signal > noise)
    };
    let expected = |octave: usize, v: f64| {
        let [a, b] = [0, 1].map(|k| settings.transfer.sigmas_px[octave + k].powi(2));
        ((a / 2.0 + b / 2.0 + v).powi(2) / ((a + v) * (b + v))).ln()
    };
    let Some(coarse) = signal(COARSE) else { return Sharpness::default() };
    let finest = (FINE..COARSE).find_map(|octave| Some((octave, signal(octave)?)));
    let blur_px = finest.map(|(octave, fine)| {
        // The ratio falls with the blur.
        let [mut low, mut high] = [0.0, BLUR_MAX_PX.powi(2)];
        for _ in 0..40 {
            let v = 0.5 * (low + high);
            let too_much = expected(octave, v) / expected(COARSE, v) < fine / coarse;
            *(if too_much { &mut high } else { &mut low }) = v;
        }
        f64::sqrt(0.5 * (low + high))
    });
    Sharpness { blur_px, fine: signal(FINE).map(|fine| (fine / coarse).sqrt()) }
}

/// The fine and the coarse octave of [`Sharpness::fine`]; finer ones hold the sensor's own filters.
const FINE: usize = 2;
const COARSE: usize = 5;
/// Largest apparent blur in the search, px.
const BLUR_MAX_PX: f64 = 10.0;

/// [`sharpness`] of both eyes with their lashes and brows, on the `measurable` pixels.
pub fn of_eyes(
    log: &Plane,
    measurable: &Mask,
    window: Window,
    face: &Face,
    settings: &LuminanceSettings,
) -> Sharpness {
    let [right, left] = face.eyes;
    let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
    let middle = [0, 1].map(|k| (right[k] + left[k]) / 2.0);
    // Half width and height of the crop, pupil distances: brows to lower lashes.
    let half = [0.75, 0.3].map(|v| v * apart);
    let origin = [window.x, window.y].map(|v| v as f64);
    let size = [log.width(), log.height()].map(|v| v as f64);
    let end = |k: usize, side: f64| {
        (middle[k] + side * half[k] - origin[k]).clamp(0.0, size[k]).round() as usize
    };
    let [x0, y0, x1, y1] = [end(0, -1.0), end(1, -1.0), end(0, 1.0), end(1, 1.0)];
    let eyes = Plane::from_fn(x1 - x0, y1 - y0, |x, y| log.at(x0 + x, y0 + y));
    let measurable = Mask::from_fn(x1 - x0, y1 - y0, |x, y| measurable.at(x0 + x, y0 + y));
    sharpness(&eyes, &measurable, 0.0, settings)
}

/// Energy of one octave band, and the fraction of white noise power that the band passes.
struct OctaveBand {
    energy: f64,
    gain: f64,
}

/// Differences of Gaussians half an octave apart, finest first.
fn octaves(flat: &Plane, valid: &Mask, settings: &LuminanceSettings) -> Vec<OctaveBand> {
    let sigmas = &settings.transfer.sigmas_px[..=COARSE + 1];
    let mut finer = blur_masked(flat, valid, sigmas[0] as f32);
    let band = |sigmas: &[f64]| {
        let coarser = blur_masked(flat, valid, sigmas[1] as f32);
        let energy = mean_square_difference(&finer, &coarser, valid);
        finer = coarser;
        OctaveBand { energy, gain: noise_gain([sigmas[0], sigmas[1]]) }
    };
    sigmas.windows(2).map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, face, noisy};

    const SIDE: usize = 256;

    fn all() -> Mask {
        Mask::filled(SIDE, SIDE, true)
    }

    /// The sharpness of a texture blurred by `blur_px` under white noise of standard deviation `sd`.
    fn of(seed: u64, blur_px: f64, sd: f32) -> Sharpness {
        let texture = Texture::new(seed, 0.08).blurred(blur_px * blur_px).plane(SIDE, SIDE);
        let white = f64::from(sd * sd);
        sharpness(&noisy(&texture, 11, sd), &all(), white, &LuminanceSettings::default())
    }

    #[test]
    fn the_blur_of_a_flat_octave_spectrum_is_measured() {
        for blur_px in [0.8, 1.3, 2.0, 3.0] {
            for (seed, sd) in [(1, 0.0), (2, 0.003)] {
                let found = of(seed, blur_px, sd).blur_px.expect("a blur");
                println!("{blur_px} {sd} {found}");
                assert!((found / blur_px - 1.0).abs() < 0.1, "{blur_px}: {found}");
            }
        }
    }

    #[test]
    fn noise_that_is_as_strong_as_the_texture_hides_the_blur() {
        assert!(of(1, 1.3, 0.5).blur_px.is_none());
        assert!(of(1, 1.3, 0.5).fine.is_none());
        // A finer octave is hidden; coarser ones are measured.
        let soft = of(1, 2.0, 0.05);
        println!("{soft:?}");
        assert!(soft.fine.is_none() && (soft.blur_px.expect("a blur") / 2.0 - 1.0).abs() < 0.25);
    }

    /// The ratio is that of the texture's known amplitudes under the two filters.
    #[test]
    fn fine_detail_is_the_ratio_of_two_octaves() {
        let settings = LuminanceSettings::default();
        for seed in [1, 2] {
            let texture = Texture::new(seed, 0.08).blurred(1.0);
            let through = |octave: usize| {
                let [a, b] = [0, 1].map(|k| settings.transfer.sigmas_px[octave + k].powi(2));
                texture.filtered(|q| (-0.5 * a * q * q).exp() - (-0.5 * b * q * q).exp()).power()
            };
            let truth = (through(FINE) / through(COARSE)).sqrt();
            let found = of(seed, 1.0, 0.0).fine.expect("detail");
            println!("{truth} {found}");
            assert!((found / truth - 1.0).abs() < 0.05, "{found} {truth}");
        }
    }

    #[test]
    fn eyes_are_measured_where_the_face_has_them() {
        let face = face([[1060.0, 580.0], [1140.0, 580.0]], [1100.0, 664.0]);
        let window = Window { x: 1000, y: 500, width: SIDE, height: SIDE };
        let [sharp, soft] =
            [0.7, 2.5].map(|blur: f64| Texture::new(3, 0.2).blurred(blur * blur).plane(SIDE, SIDE));
        // 60 px to each side of the middle between the eyes, 24 px up and down.
        let eyes = |x: usize, y: usize| (40..160).contains(&x) && (56..104).contains(&y);
        let log =
            Plane::from_fn(
                SIDE,
                SIDE,
                |x, y| if eyes(x, y) { sharp.at(x, y) } else { soft.at(x, y) },
            );
        let of_part = |log: &Plane, measurable: &Mask| {
            of_eyes(log, measurable, window, &face, &LuminanceSettings::default()).fine
        };
        let found = of_part(&log, &all()).expect("eyes");
        let part = Window { x: 40, y: 56, width: 120, height: 48 };
        let crop = sharpness(
            &sharp.crop(part),
            &Mask::filled(120, 48, true),
            0.0,
            &LuminanceSettings::default(),
        );
        assert_eq!(Some(found), crop.fine);
        assert!(found > 2.0 * of_part(&soft, &all()).expect("eyes"));
        assert_eq!(of_part(&log, &Mask::filled(SIDE, SIDE, false)), None);
    }
}
