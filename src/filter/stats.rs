//! Order statistics, sums in a fixed order, and quantiles of distributions.

use super::vector::square_difference;
use crate::plane::{Mask, Plane, par_collect};

/// The `q`-quantile (0 … 1) by linear interpolation between order statistics; `None` when empty.
/// Values are compared by total order; the slice is reordered.
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let t = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let i = t.floor() as usize;
    let j = (i + 1).min(values.len() - 1);
    Some(values[i] + (t - i as f64) * (values[j] - values[i]))
}

/// The median; `None` when empty.
pub fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Deming regression: ratio b/a of the amplitudes of two noisy measurements of one signal, from their mean squares
/// `aa` and `bb` over their mean product, and the ratio `noises` of their noise variances, b over a.
pub fn deming(aa: f64, bb: f64, noises: f64) -> f64 {
    let d = bb - noises * aa;
    0.5 * (d + (d * d + 4.0 * noises).sqrt())
}

/// Mean square of the pixels inside `mask`; 0 where there are none.
pub fn mean_square(plane: &Plane, mask: &Mask) -> f64 {
    let zeros = vec![0.0; plane.width()];
    mean_of_rows(plane.height(), |y| square_difference(plane.row(y), &zeros, mask.row(y)))
}

/// Mean square of `a` − `b` over the pixels inside `mask`; 0 where there are none.
pub fn mean_square_difference(a: &Plane, b: &Plane, mask: &Mask) -> f64 {
    mean_of_rows(a.height(), |y| square_difference(a.row(y), b.row(y), mask.row(y)))
}

/// Sums over numbers of pixels, each of all rows.
fn mean_of_rows(rows: usize, row: impl Fn(usize) -> (f64, usize) + Sync + Send) -> f64 {
    let sums = par_collect(rows, row).into_iter();
    let (sum, n) = sums.fold((0.0, 0), |(sum, n), (s, m)| (sum + s, n + m));
    sum / n.max(1) as f64
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    // The fraction converges fast below the mean of the distribution only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp() / a;
    // Lentz's method, modified by Thompson & Barnett (1986).
    let nonzero = |v: f64| if v.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { v };
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..=1000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / nonzero(1.0 + term * d);
            c = nonzero(1.0 + term / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= f64::EPSILON * fraction {
            break;
        }
    }
    front * fraction
}

/// Quantile of Student's distribution with `df` degrees of freedom, of a probability of one half or
/// more, by bisection.
pub fn student_quantile(probability: f64, df: f64) -> f64 {
    let below = |t: f64| 1.0 - 0.5 * incomplete_beta(df / (df + t * t), 0.5 * df, 0.5);
    let mut high = 1.0;
    while below(high) < probability && high < f64::MAX {
        high *= 2.0;
    }
    let mut low = 0.0;
    // A double has 53 bits.
    for _ in 0..53 {
        let middle = 0.5 * (low + high);
        *(if below(middle) < probability { &mut low } else { &mut high }) = middle;
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(quantile(&mut [0.0, 10.0], 0.25), Some(2.5));
        assert_eq!(median(&mut []), None);
    }

    /// Tables of Student's distribution.
    #[test]
    fn quantiles_of_students_distribution_are_those_of_the_tables() {
        for (probability, df, t) in [
            (0.5, 3.0, 0.0),
            (0.975, 1.0, 12.706_204_736),
            (0.975, 2.0, 4.302_652_730),
            (0.975, 3.0, 3.182_446_305),
            (0.975, 4.0, 2.776_445_105),
            (0.975, 9.0, 2.262_157_163),
            (0.975, 39.0, 2.022_690_920),
            (0.975, 1000.0, 1.962_339_081),
            (0.995, 5.0, 4.032_142_984),
        ] {
            let found = student_quantile(probability, df);
            assert!((found - t).abs() < 2e-9 * t.max(1.0), "{probability} {df}: {found}");
        }
    }
}
