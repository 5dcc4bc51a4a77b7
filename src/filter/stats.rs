//! Order statistics and sums in a fixed order.

use crate::plane::{Mask, Plane};

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

/// Ratio of the amplitudes of two noisy readings of one thing, from their mean squares over their
/// shared one, and the ratio of their noises.
pub fn deming(aa: f64, bb: f64, noises: f64) -> f64 {
    let d = bb - noises * aa;
    0.5 * (d + (d * d + 4.0 * noises).sqrt())
}

/// Mean square of the pixels inside `mask`; 0 where there are none.
pub fn mean_square(plane: &Plane, mask: &Mask) -> f64 {
    let inside = plane.data().iter().zip(mask.data()).filter(|(_, inside)| **inside);
    let (sum, n) = inside.fold((0.0, 0.0), |(sum, n), (v, _)| (sum + f64::from(v * v), n + 1.0));
    sum / f64::max(n, 1.0)
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
}
