//! Gaussian low-pass, plain and mask-aware.

use super::cover::{Cover, Coverage};
use super::resize::{enlarge_smoothly, shrink};
use super::vector::symmetric_sum;
use crate::plane::{Mask, Plane};
use std::ops::Range;

/// Radius at which the kernel is cut, sigma: there it is 3e-4 of its centre.
const TRUNCATE_SIGMA: f32 = 4.0;
/// Above this sigma (px) the plane is first reduced by averaging: the result differs by < 1e-3 of the signal, at a
/// fraction of the cost.
const DIRECT_SIGMA_PX: f32 = 5.0;

/// Sigma of the Gaussian that halves the amplitude at `period` (same unit as `period`):
/// `exp(-2π²σ²/P²) = 1/2`.
pub fn sigma_of_period(period: f64) -> f64 {
    period * (2f64.ln() / 2.0).sqrt() / std::f64::consts::PI
}

/// Half kernel, centre first, that sums to one over both sides.
fn half_kernel(sigma: f32) -> Vec<f32> {
    let radius = (TRUNCATE_SIGMA * sigma).ceil() as usize;
    let mut k: Vec<f64> =
        (0..=radius).map(|i| (-0.5 * (i as f64 / sigma as f64).powi(2)).exp()).collect();
    let sum = k[0] + 2.0 * k[1..].iter().sum::<f64>();
    k.iter_mut().for_each(|v| *v /= sum);
    k.into_iter().map(|v| v as f32).collect()
}

/// Gaussian low-pass of `sigma` px; the border pixel is repeated outside. `sigma` ≤ 0.1 copies.
/// Cost: about 8·sigma multiplications a pixel up to sigma 8, nearly constant above.
pub fn blur(src: &Plane, sigma: f32) -> Plane {
    if sigma <= 0.1 || src.width() == 0 || src.height() == 0 {
        return src.clone();
    }
    match Reduction::of([src.width(), src.height()], sigma) {
        Some(Reduction { factor, sigma }) => {
            enlarge_smoothly(&blur(&shrink(src, factor), sigma), factor, src.width(), src.height())
        }
        None => separable(src, &half_kernel(sigma)),
    }
}

/// Whole factor by which a plane is reduced, and the sigma that remains.
#[derive(Clone, Copy)]
struct Reduction {
    factor: usize,
    /// px of the reduced plane.
    sigma: f32,
}

impl Reduction {
    /// For a blur of `sigma` px; `None` where it is summed directly.
    fn of([width, height]: [usize; 2], sigma: f32) -> Option<Reduction> {
        let factor = (sigma / (DIRECT_SIGMA_PX / 2.0)).floor() as usize;
        if sigma <= DIRECT_SIGMA_PX || width.min(height) <= 4 * factor {
            return None;
        }
        // Averaging over cells of n px adds a variance of about n²/12, the enlargement n²/3.
        let n = factor as f32;
        Some(Reduction { factor, sigma: (sigma * sigma - n * n * (5.0 / 12.0)).sqrt() / n })
    }
}

/// Both directions of a symmetric kernel, given by its half, centre first; the border pixel is
/// repeated outside.
fn separable(src: &Plane, k: &[f32]) -> Plane {
    let (w, h) = (src.width(), src.height());
    let load = |y: usize, columns: Range<usize>, row: &mut [f32]| {
        row.copy_from_slice(&src.row(y)[columns]);
    };
    filtered(Plane::filled(w, h, 0.0), k, |_| vec![0..w], load, |_, _, _| ())
}

/// `out` with [`separable`] of the pixels that `load` writes (row, columns) in the `stretches` of columns that are given
/// for the rows under the kernel; each stretch then changed by `finish`.
fn filtered(
    mut out: Plane,
    k: &[f32],
    stretches: impl Fn(Range<usize>) -> Vec<Range<usize>> + Sync,
    load: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
    finish: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
) -> Plane {
    let (w, h, r) = (out.width(), out.height(), k.len() - 1);
    // In strips, so that the rows filtered along x need no plane and stay in cache.
    out.par_strips((8 * r).max(64), |top, strip| {
        let first = top.saturating_sub(r);
        let last = (top + strip.len() / w + r).min(h);
        for columns in stretches(first..last) {
            let n = columns.len();
            let source = columns.start.saturating_sub(r)..(columns.end + r).min(w);
            let at = source.start + r - columns.start;
            let mut padded = vec![0.0; n + 2 * r];
            let mut across = vec![0.0; (last - first) * n];
            for (y, line) in (first..last).zip(across.chunks_exact_mut(n)) {
                let end = at + source.len();
                load(y, source.clone(), &mut padded[at..end]);
                let [left, right] = [padded[at], padded[end - 1]];
                padded[..at].fill(left);
                padded[end..].fill(right);
                let sides: Vec<[&[f32]; 2]> = (0..=r)
                    .map(|j| [&padded[r - j..r - j + n], &padded[r + j..r + j + n]])
                    .collect();
                symmetric_sum(line, k, &sides);
            }
            let line = |y: usize| &across[(y - first) * n..][..n];
            for (y, row) in (top..).zip(strip.chunks_exact_mut(w)) {
                let sides: Vec<[&[f32]; 2]> = (0..=r)
                    .map(|j| [line(y.saturating_sub(j)), line((y + j).min(h - 1))])
                    .collect();
                let row = &mut row[columns.clone()];
                symmetric_sum(row, k, &sides);
                finish(y, columns.clone(), row);
            }
        }
    });
    out
}

/// Normalised convolution (Knutsson & Westin 1993): the Gaussian mean of the pixels inside `mask` only.
/// 0 where the kernel contains none of them.
pub fn blur_masked(src: &Plane, mask: &Mask, sigma: f32) -> Plane {
    if sigma <= 0.1 { src.clone() } else { MaskedBlur::new(mask, sigma).mean(src) }
}

/// [`blur_masked`] for several planes of one mask, whose own blur is computed once, and only where the kernel touches
/// an edge of the mask.
pub struct MaskedBlur<'a> {
    mask: &'a Mask,
    sigma: f32,
    coverage: Coverage,
    /// The blurred mask.
    weight: Plane,
}

impl<'a> MaskedBlur<'a> {
    /// For planes of the size of `mask`; `sigma` in px.
    pub fn new(mask: &'a Mask, sigma: f32) -> Self {
        let coverage = Coverage::of(mask);
        let mut weight = mask.map(|m| inside(1.0, m));
        if is_direct([mask.width(), mask.height()], sigma) {
            let k = half_kernel(sigma);
            // Away from the edges the blurred mask is the mask.
            let edges = |rows| coverage.stretches(rows, k.len() - 1, |cover| cover == Cover::Part);
            let load = |y: usize, columns: Range<usize>, row: &mut [f32]| {
                for (v, mask) in row.iter_mut().zip(&mask.row(y)[columns]) {
                    *v = inside(1.0, *mask);
                }
            };
            weight = filtered(weight, &k, edges, load, |_, _, _| ());
        } else {
            weight = blur(&weight, sigma);
        }
        MaskedBlur { mask, sigma, coverage, weight }
    }

    /// The masked Gaussian mean of `src`.
    pub fn mean(&self, src: &Plane) -> Plane {
        self.blurred(src, |_, _, _| ())
    }

    /// `src` minus that mean; 0 outside the mask.
    pub fn residual(&self, src: &Plane) -> Plane {
        self.blurred(src, |y, columns, row| {
            let (src, mask) = (&src.row(y)[columns.clone()], &self.mask.row(y)[columns]);
            for ((mean, v), inside) in row.iter_mut().zip(src).zip(mask) {
                *mean = if *inside { v - *mean } else { 0.0 };
            }
        })
    }

    /// The mean, each stretch of a row then changed by `finish`.
    fn blurred(
        &self,
        src: &Plane,
        finish: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
    ) -> Plane {
        let (w, h) = (src.width(), src.height());
        let finish = |y: usize, columns: Range<usize>, row: &mut [f32]| {
            for (v, &w) in row.iter_mut().zip(&self.weight.row(y)[columns.clone()]) {
                *v = if w > 1e-4 { *v / w } else { 0.0 };
            }
            finish(y, columns, row);
        };
        if !is_direct([w, h], self.sigma) {
            let mut out = blur(&src.zip(self.mask, inside), self.sigma);
            out.par_rows(|y, row| finish(y, 0..w, row));
            return out;
        }
        let load = |y: usize, columns: Range<usize>, row: &mut [f32]| {
            let (src, mask) = (&src.row(y)[columns.clone()], &self.mask.row(y)[columns]);
            for ((v, src), mask) in row.iter_mut().zip(src).zip(mask) {
                *v = inside(*src, *mask);
            }
        };
        let k = half_kernel(self.sigma);
        let near = |rows| self.coverage.stretches(rows, k.len() - 1, |cover| cover != Cover::None);
        filtered(Plane::filled(w, h, 0.0), &k, near, load, finish)
    }
}

/// Whether a blur of a plane of this size is the sum over its kernel.
fn is_direct(size: [usize; 2], sigma: f32) -> bool {
    sigma > 0.1 && Reduction::of(size, sigma).is_none()
}

/// A pixel inside a mask, and 0 outside.
fn inside(v: f32, mask: bool) -> f32 {
    if mask { v } else { 0.0 }
}

/// Discrete Gaussian (Lindeberg 1990), the kernel of diffusion between pixels: its variance is exactly
/// `variance` px² even where a sampled Gaussian fails, below sigma 0.5 px. The mean of the pixels inside `mask`
/// only.
pub fn diffuse(src: &Plane, mask: &Mask, variance: f64) -> Plane {
    let k = diffusion_kernel(variance);
    let weight = separable(&mask.map(|m| inside(1.0, m)), &k);
    separable(&src.zip(mask, inside), &k).zip(&weight, |v, w| if w > 1e-4 { v / w } else { 0.0 })
}

/// Half of e^−t·Iₙ(t), centre first, I the modified Bessel function of the first kind.
fn diffusion_kernel(t: f64) -> Vec<f32> {
    let radius = (f64::from(TRUNCATE_SIGMA) * t.sqrt()).ceil() as usize + 2;
    let term = |n: usize| {
        // Σ (t/2)^(2m+n) / (m! (m+n)!)
        let mut next = (1..=n).fold(1.0, |v, i| v * 0.5 * t / i as f64);
        let mut sum = 0.0;
        for m in 1..200 {
            sum += next;
            next *= 0.25 * t * t / (m * (m + n)) as f64;
        }
        sum * (-t).exp()
    };
    (0..=radius).map(|n| term(n) as f32).collect()
}

/// The pixels of `mask` whose surroundings (Gaussian, sigma `margin` px) are nearly all inside it, and which are
/// at least `margin` px inside the frame: a derivative responds to the edge of a mask as to a line.
pub fn away_from_edges(mask: &Mask, margin: f64) -> Mask {
    let near = blur(&mask.map(|m| inside(1.0, m)), margin as f32);
    let (w, h, m) = (mask.width(), mask.height(), margin.ceil() as usize);
    Mask::from_fn(w, h, |x, y| near.at(x, y) > 0.97 && x >= m && y >= m && x + m < w && y + m < h)
}

/// Band-pass: the difference of two masked Gaussian means, passing periods between
/// `short_px` and `long_px` (half amplitude there). 0 outside `mask`.
pub fn band(src: &Plane, mask: &Mask, short_px: f64, long_px: f64) -> Plane {
    let fine = blur_masked(src, mask, sigma_of_period(short_px) as f32);
    let mut band = blur_masked(src, mask, sigma_of_period(long_px) as f32);
    band.par_rows(|y, row| {
        for ((v, &fine), &m) in row.iter_mut().zip(fine.row(y)).zip(mask.row(y)) {
            *v = if m { fine - *v } else { 0.0 };
        }
    });
    band
}

/// The fraction of white noise power (variance 1 per px), blurred by `blur_px`, that [`band`] passes.
pub fn band_noise_gain(short_px: f64, long_px: f64, blur_px: f64) -> f64 {
    noise_gain([short_px, long_px].map(|period| sigma_of_period(period).hypot(blur_px)))
}

/// The fraction of white noise power (variance 1 per px) that the difference of two Gaussian means passes: the sum
/// of the squared kernel, `1/4πa² + 1/4πb² − 1/π(a²+b²)` for wide kernels, summed exactly for narrow ones.
pub fn noise_gain(sigmas: [f64; 2]) -> f64 {
    let [a, b] = sigmas.map(|sigma| -> Vec<f64> {
        let half: Vec<f64> = if sigma <= 0.1 {
            vec![1.0]
        } else {
            half_kernel(sigma as f32).iter().map(|&v| v as f64).collect()
        };
        half.iter().rev().chain(&half[1..]).copied().collect()
    });
    let inner = |p: &[f64], q: &[f64]| -> f64 {
        let (short, long) = if p.len() < q.len() { (p, q) } else { (q, p) };
        let shift = (long.len() - short.len()) / 2;
        short.iter().enumerate().map(|(i, v)| v * long[i + shift]).sum()
    };
    inner(&a, &a).powi(2) + inner(&b, &b).powi(2) - 2.0 * inner(&a, &b).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sine of period P keeps exp(-2π²σ²/P²) of its amplitude.
    #[test]
    fn attenuates_a_sine_as_the_formula_says() {
        for (period, sigma) in [(12.0f32, 1.5f32), (40.0, 5.0), (200.0, 20.0)] {
            let n = 1200;
            let wave = Plane::from_fn(n, 900, |x, _| {
                (2.0 * std::f32::consts::PI * x as f32 / period).sin()
            });
            let out = blur(&wave, sigma);
            let mid = out.row(450);
            let rms = (mid[400..800].iter().map(|v| (v * v) as f64).sum::<f64>() / 400.0).sqrt();
            let truth = (-2.0 * (std::f64::consts::PI * sigma as f64 / period as f64).powi(2))
                .exp()
                / 2f64.sqrt();
            assert!((rms - truth).abs() < 4e-3, "period {period} sigma {sigma}: {rms} {truth}");
        }
    }

    /// Each pixel equals the direct sum to the bit: in strips, blocks and at borders.
    #[test]
    fn equals_the_direct_sum() {
        for (w, h, sigma) in [(1, 1, 1.0), (5, 3, 2.0), (97, 70, 0.7), (64, 130, 4.9)] {
            let src =
                Plane::from_fn(w, h, |x, y| ((x * 7919 + y * 104_729) % 1009) as f32 / 1009.0);
            let k = half_kernel(sigma);
            let sum = |at: &dyn Fn(isize) -> f32| {
                (1..k.len())
                    .fold(k[0] * at(0), |s, j| s + k[j] * (at(-(j as isize)) + at(j as isize)))
            };
            let across =
                Plane::from_fn(w, h, |x, y| sum(&|d| src.clamped(x as isize + d, y as isize)));
            let truth =
                Plane::from_fn(w, h, |x, y| sum(&|d| across.clamped(x as isize, y as isize + d)));
            assert_eq!(blur(&src, sigma), truth, "{w}×{h}, sigma {sigma}");
        }
    }

    /// Sum and variance of the kernel are exact, and the variances of two steps add.
    #[test]
    fn diffusion_has_its_variance() {
        for t in [0.01, 0.1, 0.5, 2.0, 4.0] {
            let k: Vec<f64> = diffusion_kernel(t).iter().map(|v| f64::from(*v)).collect();
            let sum = k[0] + 2.0 * k[1..].iter().sum::<f64>();
            let second: f64 = k.iter().enumerate().map(|(n, v)| 2.0 * (n * n) as f64 * v).sum();
            assert!(
                (sum - 1.0).abs() < 1e-4 && (second / t - 1.0).abs() < 2e-3,
                "{t}: {sum} {second}"
            );
        }
        let src = Plane::from_fn(40, 30, |x, y| ((x * 7919 + y * 104_729) % 1009) as f32 / 1009.0);
        let mask = Mask::filled(40, 30, true);
        let (twice, once) =
            (diffuse(&diffuse(&src, &mask, 0.3), &mask, 0.5), diffuse(&src, &mask, 0.8));
        for (a, b) in (10..20)
            .flat_map(|y| (10..30).map(move |x| (x, y)))
            .map(|(x, y)| (twice.at(x, y), once.at(x, y)))
        {
            assert!((a - b).abs() < 1e-3);
        }
    }

    #[test]
    fn half_amplitude_at_the_stated_period() {
        let sigma = sigma_of_period(10.0);
        let gain = (-2.0 * (std::f64::consts::PI * sigma / 10.0).powi(2)).exp();
        assert!((gain - 0.5).abs() < 1e-12);
    }

    #[test]
    fn masked_mean_ignores_what_lies_outside() {
        let src = Plane::from_fn(60, 60, |x, _| if x < 30 { 2.0 } else { 1e6 });
        let mask = Mask::from_fn(60, 60, |x, _| x < 30);
        let out = blur_masked(&src, &mask, 3.0);
        for x in 0..30 {
            assert!((out.at(x, 30) - 2.0).abs() < 1e-3);
        }
    }

    #[test]
    fn noise_gain_matches_a_delta_response() {
        let (short, long) = (3.5, 11.0);
        let mut delta = Plane::filled(81, 81, 0.0);
        delta.set(40, 40, 1.0);
        let response = band(&delta, &Mask::filled(81, 81, true), short, long);
        let power: f64 = response.data().iter().map(|&v| (v as f64).powi(2)).sum();
        assert!((power / band_noise_gain(short, long, 0.0) - 1.0).abs() < 1e-3);
    }
}
