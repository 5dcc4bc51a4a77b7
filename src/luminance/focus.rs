//! Sharpness: the apparent blur of one photo.

use crate::filter::gaussian::{blur_masked, noise_gain};
use crate::filter::stats::mean_square;
use crate::plane::{Mask, Plane, Window};
use crate::region::Face;
use crate::settings::LuminanceSettings;

/// How sharp one photo is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sharpness {
    /// Apparent Gaussian blur, px: what makes a spectrum that is alike in all octaves, as skin's is,
    /// into the one seen. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Amplitude of fine octaves (σ 1–1.4 px) over that of coarse ones (σ 2.8–4 px). `None` where noise
    /// hides it.
    pub fine: Option<f64>,
}

/// The sharpness of what is `valid`, under white noise of a variance per pixel.
///
/// A power spectrum that is alike in all octaves, blurred by a Gaussian of variance v, leaves an octave
/// of sigmas σ and τ the energy ∝ ln((σ²/2 + τ²/2 + v)²/((σ² + v)(τ² + v))) (Frullani's integral). v is
/// what makes the ratio of the finest octave that noise does not hide to the coarsest the one seen.
pub fn sharpness(
    flat: &Plane,
    valid: &Mask,
    white: f64,
    settings: &LuminanceSettings,
) -> Sharpness {
    let bands = octaves(flat, valid, settings);
    let signal = |octave: usize| {
        let Octave { plane, gain } = &bands[octave];
        let noise = white.max(settings.transfer.noise_floor.powi(2)) * gain;
        Some(mean_square(plane, valid) - noise).filter(|signal| *signal > noise)
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
/// Largest apparent blur that is told, px.
const BLUR_MAX_PX: f64 = 10.0;

/// [`sharpness`] of both eyes with their lashes and brows, where `shown`.
pub fn of_eyes(
    log: &Plane,
    shown: &Mask,
    window: Window,
    face: &Face,
    settings: &LuminanceSettings,
) -> Sharpness {
    let [right, left] = face.eyes;
    let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
    let middle = [0, 1].map(|k| (right[k] + left[k]) / 2.0);
    // Half the size of the part, in distances of the pupils: brows to lower lashes.
    let half = [0.75, 0.3].map(|part| part * apart);
    let origin = [window.x, window.y].map(|v| v as f64);
    let size = [log.width(), log.height()].map(|v| v as f64);
    let end = |k: usize, side: f64| {
        (middle[k] + side * half[k] - origin[k]).clamp(0.0, size[k]).round() as usize
    };
    let [x0, y0, x1, y1] = [end(0, -1.0), end(1, -1.0), end(0, 1.0), end(1, 1.0)];
    let eyes = Plane::from_fn(x1 - x0, y1 - y0, |x, y| log.at(x0 + x, y0 + y));
    let shown = Mask::from_fn(x1 - x0, y1 - y0, |x, y| shown.at(x0 + x, y0 + y));
    sharpness(&eyes, &shown, 0.0, settings)
}

/// One octave band and the share of white noise power it passes.
struct Octave {
    plane: Plane,
    gain: f64,
}

/// Differences of Gaussians half an octave apart, finest first.
fn octaves(flat: &Plane, valid: &Mask, settings: &LuminanceSettings) -> Vec<Octave> {
    let sigmas = &settings.transfer.sigmas_px[..=COARSE + 1];
    let blurred: Vec<Plane> = sigmas.iter().map(|&s| blur_masked(flat, valid, s as f32)).collect();
    (1..sigmas.len())
        .map(|i| {
            let plane = blurred[i - 1].zip(&blurred[i], |fine, coarse| fine - coarse);
            Octave { plane, gain: noise_gain([sigmas[i - 1], sigmas[i]]) }
        })
        .collect()
}
