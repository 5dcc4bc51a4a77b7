//! Denoising: weak detail lost where strong detail is kept.

use crate::filter::gaussian::{MaskedBlur, noise_gain};
use crate::filter::stats::{deming, quantile};
use crate::luminance::Luminance;
use crate::plane::Mask;

/// Excess loss of weak detail over that of strong detail between two photos before their focus is matched,
/// natural log; positive where one of them was denoised.
///
/// A lens attenuates fine octaves of weak and strong detail by the same factor, and a treatment attenuates all
/// octaves of a structure by the same factor; denoising removes the finest octave of weak detail and keeps that of
/// strong detail. The log ratio of amplitudes is taken in two octaves, over the quarter of the pixels with the
/// least activity (mean square of the octave over sigma 4 px) and over the tenth with the most. The result is the
/// difference between the octaves in the weak quarter minus twice that in the strong tenth. A difference in noise
/// alone gives up to 0.06.
pub fn denoising([a, b]: [&Luminance; 2], valid: &Mask) -> f64 {
    let [fine, coarse] = OCTAVES.map(|octave| ratios_by_activity([a, b], valid, octave));
    let (Some(fine), Some(coarse)) = (fine, coarse) else { return 0.0 };
    let [weak, strong] = [0, 1].map(|k| (fine[k] - coarse[k]).abs());
    (weak - 2.0 * strong).max(0.0)
}

/// Sigmas of the finer and the coarser octave, px.
const OCTAVES: [[f32; 2]; 2] = [[1.4, 2.0], [2.8, 4.0]];
/// Sigma over which activity is a mean, px.
const ACTIVITY_PX: f32 = 4.0;
/// Least coherence γ² of an octave for a ratio of its amplitudes.
const COHERENCE_MIN: f64 = 0.4;

/// Log ratios of an octave's amplitude in the second photo to that in the first, over the quarter of the pixels
/// with the least activity and the tenth with the most; `None` where the octave is not coherent.
fn ratios_by_activity(photos: [&Luminance; 2], valid: &Mask, sigmas: [f32; 2]) -> Option<[f64; 2]> {
    let [fine, coarse] = sigmas.map(|sigma| MaskedBlur::new(valid, sigma));
    let octaves = photos.map(|l| fine.mean(&l.flat).zip(&coarse.mean(&l.flat), |f, c| f - c));
    let mean_square = octaves[0].zip(&octaves[1], |a, b| 0.25 * (a + b) * (a + b));
    let activity = MaskedBlur::new(valid, ACTIVITY_PX).mean(&mean_square);
    let inside = || (0..valid.data().len()).filter(|&i| valid.data()[i]);
    let mut sizes: Vec<f64> = inside().step_by(7).map(|i| f64::from(activity.data()[i])).collect();
    let [quarter, tenth] = [0.25, 0.9].map(|q| quantile(&mut sizes, q).unwrap_or(0.0));
    let gain = noise_gain(sigmas.map(f64::from));
    let noise = photos.map(|l| l.noise.white * gain);
    let ratio = |range: std::ops::RangeInclusive<f64>| {
        let chosen = inside().filter(|&i| range.contains(&f64::from(activity.data()[i])));
        let (sums, n) = chosen.fold(([0.0; 3], 0.0), |([aa, bb, ab], n), i| {
            let [a, b] = [0, 1].map(|k| f64::from(octaves[k].data()[i]));
            ([aa + a * a, bb + b * b, ab + a * b], n + 1.0)
        });
        let [aa, bb, ab] = sums.map(|sum| sum / f64::max(n, 1.0));
        let coherent = ab > 0.0 && ab * ab > COHERENCE_MIN * aa * bb;
        let own = [aa - noise[0], bb - noise[1]];
        (coherent && own[0] > 0.0 && own[1] > 0.0)
            .then(|| deming(own[0] / ab, own[1] / ab, 1.0).ln())
    };
    Some([ratio(0.0..=quarter)?, ratio(tenth..=f64::INFINITY)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::gaussian::diffuse;
    use crate::luminance::transfer::samples::{LARGE, all, noisy, skin};
    use crate::plane::Plane;

    #[test]
    fn a_loss_of_weak_detail_is_denoising_and_neither_blur_nor_treatment_is() {
        let all = all(LARGE);
        // Weak on the left, strong on the right.
        let skin = skin();
        let weak = |x: usize| if x < LARGE / 2 { 0.2 } else { 1.0 };
        let before = Plane::from_fn(LARGE, LARGE, |x, y| weak(x) * skin.at(x, y));
        let measured = |after: &Plane| {
            let [a, b] = [(&before, 11), (after, 12)].map(|(p, stream)| noisy(p, stream, 0.001));
            let [there, back] = [[&a, &b], [&b, &a]].map(|pair| denoising(pair, &all));
            assert!((there - back).abs() < 1e-9, "{there} {back}");
            there
        };
        let soft = diffuse(&before, &all, 0.6);
        let left = |soft: &Plane| {
            Plane::from_fn(LARGE, LARGE, |x, y| {
                if x < LARGE / 2 { soft.at(x, y) } else { before.at(x, y) }
            })
        };
        assert!(measured(&left(&soft)) > 0.1, "{}", measured(&left(&soft)));
        for (what, after) in [
            ("nothing", before.clone()),
            ("blur", soft),
            ("all treated", before.map(|v| 0.6 * v)),
            ("weak detail treated", left(&before.map(|v| 0.6 * v))),
        ] {
            assert!(measured(&after) < 0.03, "{what}: {}", measured(&after));
        }
    }
}
