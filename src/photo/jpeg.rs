//! JPEG files: segments, quantisation table, and the effect of quantisation on a signal.

use std::ops::Range;

/// Quantisation steps of the luminance's 8 × 8 DCT coefficients, in codes of 0 … 255, row by row
/// (ITU-T T.81).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantisers([f32; 64]);

/// Sum of the luminance table of ITU-T T.81, annex K: quality 50.
const STANDARD_TABLE_SUM: f64 = 3688.0;

impl Quantisers {
    /// The first table of a file, the luminance's.
    pub fn of_file(bytes: &[u8]) -> Option<Quantisers> {
        let (_, table) = segments(bytes).find(|(marker, _)| *marker == 0xDB)?;
        let wide = *bytes.get(table.start)? >> 4 != 0;
        let values = bytes.get(table.start + 1..table.start + if wide { 129 } else { 65 })?;
        let mut steps = [0.0; 64];
        for (k, index) in zigzag().enumerate() {
            steps[index] = if wide {
                f32::from(u16::from_be_bytes([values[2 * k], values[2 * k + 1]]))
            } else {
                f32::from(values[k])
            };
        }
        Some(Quantisers(steps))
    }

    /// Quality on the scale of the Independent JPEG Group, from the sum of the table; the standard table
    /// is 50. Accurate to 1 for files of libjpeg and its derivatives; other encoders' tables have another
    /// shape.
    pub fn quality(&self) -> f64 {
        let sum: f64 = self.0.iter().map(|v| f64::from(*v)).sum();
        let scale = 100.0 * sum / STANDARD_TABLE_SUM;
        (if scale <= 100.0 { (200.0 - scale) / 2.0 } else { 5000.0 / scale }).round()
    }

    /// Effect of quantisation on a signal, as [gain, noise]: the factor on its amplitude and the
    /// variance added (as white noise per pixel, codes²), over the coefficients of periods between
    /// `short` and `long` px. `observed`: the mean variance of signal and noise after quantisation and
    /// both blurs, codes².
    ///
    /// Model: equal power in all octaves, blurred by `before_px2` (variance of a Gaussian) before
    /// coding and by `after_px2` afterwards; Laplacian coefficients. Of a quantised coefficient the
    /// part proportional to the true one is signal and the residual is noise: a twelfth of the squared
    /// step where the signal is strong, 0 where all values are rounded to 0. The variance of the true
    /// signal is found by bisection, since the observed variance increases with it. Where most values
    /// are rounded to 0 the gain tends to 0, and the true signal is uncertain.
    pub fn rounding(
        &self,
        observed: f64,
        [short, long]: [f64; 2],
        [before_px2, after_px2]: [f64; 2],
    ) -> [f64; 2] {
        let mut coefficients: Vec<Coefficient> = (1..64)
            .filter_map(|k| {
                let period = 16.0 / ((k % 8) as f64).hypot((k / 8) as f64);
                let q = (std::f64::consts::TAU / period).powi(2);
                let coded = (-before_px2 * q).exp() / q;
                let kept = (-after_px2 * q).exp();
                let step = f64::from(self.0[k]);
                (short..=long).contains(&period).then_some(Coefficient { step, coded, kept })
            })
            .collect();
        if coefficients.is_empty() {
            // Periods beyond the block: its first coefficients.
            let step = f64::from(0.5 * (self.0[1] + self.0[8]));
            coefficients.push(Coefficient { step, coded: 1.0, kept: 1.0 });
        }
        let n = coefficients.len() as f64;
        let total: f64 = coefficients.iter().map(|c| c.coded * c.kept).sum();
        // For the variance of a true signal: power gain, noise, and noise after the second blur.
        let effect = |signal: f64| {
            coefficients.iter().fold([0.0; 3], |sums, c| {
                let [gain, noise] = rounded(signal * n * c.coded / total, c.step);
                let power = gain * gain * c.coded * c.kept / total;
                [sums[0] + power, sums[1] + noise / n, sums[2] + noise * c.kept / n]
            })
        };
        let coarsest = coefficients.iter().map(|c| c.step).fold(0.0, f64::max);
        let [mut low, mut high] = [1e-6 * coarsest * coarsest, observed + coarsest * coarsest];
        for _ in 0..50 {
            let middle = (low * high).sqrt();
            let [power, _, noise] = effect(middle);
            *(if power * middle + noise < observed { &mut low } else { &mut high }) = middle;
        }
        let [power, noise, _] = effect((low * high).sqrt());
        [power.sqrt(), noise]
    }
}

/// A DCT coefficient.
struct Coefficient {
    /// Quantisation step, codes.
    step: f64,
    /// Relative power before quantisation.
    coded: f64,
    /// Share of the power left by the blur after quantisation.
    kept: f64,
}

/// For a Laplacian variable of variance `signal` rounded to multiples of `step`: the regression factor
/// on the variable, and the variance of the residual.
fn rounded(signal: f64, step: f64) -> [f64; 2] {
    if signal <= 0.0 || step <= 0.0 {
        return [1.0, 0.0];
    }
    let rate = (2.0 / signal).sqrt();
    let x = (-rate * step).exp();
    // Moments of the rounded variable, summed over its steps.
    let square = step * step * x.sqrt() * (1.0 + x) / (1.0 - x).powi(2);
    let product =
        step * x.sqrt() * ((0.5 * step + 1.0 / rate) / (1.0 - x) + step * x / (1.0 - x).powi(2));
    [product / signal, (square - product * product / signal).max(0.0)]
}

/// Indices, row by row, in the order in which a file stores them.
fn zigzag() -> impl Iterator<Item = usize> {
    (0..15usize).flat_map(|diagonal| {
        let along = diagonal.saturating_sub(7)..=diagonal.min(7);
        along.clone().map(move |i| {
            // Even diagonals run upwards.
            let (x, y) = if diagonal % 2 == 0 { (i, diagonal - i) } else { (diagonal - i, i) };
            8 * y + x
        })
    })
}

/// The segments of a JPEG up to its first scan header: marker, and range of the bytes after the length
/// (its end may lie beyond that of a damaged file).
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, Range<usize>)> + '_ {
    let mut at = Some(2); // after the start marker
    std::iter::from_fn(move || {
        let segment = next_segment(bytes, at?)?;
        at = (segment.0 != 0xDA).then_some(segment.1.end);
        Some(segment)
    })
}

/// The first segment at or after `at`: marker, and range of the bytes after its length (empty for a
/// marker without a length; its end may lie beyond that of a damaged file). Coded data, fill bytes and
/// other bytes that are no marker are skipped.
pub(super) fn next_segment(bytes: &[u8], mut at: usize) -> Option<(u8, Range<usize>)> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)? + 1;
        match *bytes.get(at..)? {
            // FF 00 is a byte of coded data, FF FF a fill byte.
            [0 | 0xFF, ..] => {}
            [marker @ (1 | 0xD0..=0xD9), ..] => return Some((marker, at + 1..at + 1)),
            [marker, high, low, ..] => {
                let end = at + 1 + usize::from(u16::from_be_bytes([high, low]));
                return Some((marker, at + 3..end));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zigzag_starts_and_ends_as_published() {
        let order: Vec<usize> = zigzag().collect();
        assert_eq!(order[..10], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
        assert_eq!(order[60..], [47, 55, 62, 63]);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..64).collect::<Vec<_>>());
    }

    /// Compared with the integral over a fine grid.
    #[test]
    fn rounding_agrees_with_its_definition() {
        for (signal, step) in [(1.0f64, 0.1f64), (1.0, 1.0), (1.0, 3.0), (4.0, 9.0)] {
            let rate = (2.0 / signal).sqrt();
            let (mut square, mut product) = (0.0, 0.0);
            let d = 1e-4;
            let mut c = 0.5 * d;
            while c < 40.0 * signal.sqrt() {
                let p = 0.5 * rate * (-rate * c).exp() * d;
                let rounded = step * (c / step).round();
                square += 2.0 * p * rounded * rounded;
                product += 2.0 * p * rounded * c;
                c += d;
            }
            let [gain, noise] = rounded(signal, step);
            assert!((gain - product / signal).abs() < 1e-3, "{signal} {step}");
            assert!((noise - square + product * product / signal).abs() < 1e-3 * signal);
        }
        assert!((rounded(1.0, 0.1)[1] - 0.01 / 12.0).abs() < 1e-5);
        assert!(rounded(1.0, 40.0)[1] < 1e-4);
    }

    /// Gain and noise of a known signal are recovered from its observed variance; without variance the
    /// gain is near 0.
    #[test]
    fn gain_and_noise_follow_from_the_observed_variance() {
        let quantisers = Quantisers([6.0; 64]);
        for signal in [4.0, 20.0, 300.0] {
            let [gain, noise] = rounded(signal, 6.0);
            let observed = gain * gain * signal + noise;
            let found = quantisers.rounding(observed, [100.0, 200.0], [0.0; 2]);
            assert!((found[0] / gain - 1.0).abs() < 1e-6, "{signal}: {found:?} {gain}");
            assert!((found[1] - noise).abs() < 1e-6 * signal);
        }
        assert!(quantisers.rounding(0.0, [4.0, 10.0], [1.0, 0.0])[0] < 0.01);
    }
}
