//! What a JPEG file tells about itself: its segments, and how coarsely its picture was rounded.

use std::ops::Range;

/// Rounding steps of the luminance's 8 × 8 cosine coefficients, in codes of 0 … 255, row by row
/// (ITU-T T.81).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantisers([f32; 64]);

/// The sum of the luminance table of ITU-T T.81, annex K, which the scale of quality starts from.
const STANDARD_TABLE_SUM: f64 = 3688.0;

impl Quantisers {
    /// The first table of a file, which is the luminance's.
    pub fn of_file(bytes: &[u8]) -> Option<Quantisers> {
        let (_, table) = segments(bytes).find(|(marker, _)| *marker == 0xDB)?;
        let wide = *bytes.get(table.start)? >> 4 != 0;
        let values = bytes.get(table.start + 1..table.start + if wide { 129 } else { 65 })?;
        let mut steps = [0.0; 64];
        for (k, place) in zigzag().enumerate() {
            steps[place] = if wide {
                f32::from(u16::from_be_bytes([values[2 * k], values[2 * k + 1]]))
            } else {
                f32::from(values[k])
            };
        }
        Some(Quantisers(steps))
    }

    /// The quality on the scale of the Independent JPEG Group that the table stands for: the
    /// standard table is 50. Within 1 for files of libjpeg and its kin; others' tables have another
    /// shape, and the same mean.
    pub fn quality(&self) -> f64 {
        let sum: f64 = self.0.iter().map(|v| f64::from(*v)).sum();
        let scale = 100.0 * sum / STANDARD_TABLE_SUM;
        (if scale <= 100.0 { (200.0 - scale) / 2.0 } else { 5000.0 / scale }).round()
    }

    /// What rounding made of a signal: the share of its amplitude that is left, and the variance that
    /// was added (as white noise per pixel, codes²), over the coefficients of `periods` (shortest,
    /// longest; px), where what is left and what was added now have the mean variance `seen`.
    ///
    /// The spectrum is taken for one that is alike in all octaves, blurred by `blur_px2` (a Gaussian's
    /// variance) before it was coded, and by `since_px2` afterwards; coefficients for Laplacian. Of a
    /// rounded one, what is in proportion to the true one is signal; the rest is noise: a twelfth of
    /// the squared step where the signal is strong, nothing where all is rounded to zero. The true
    /// signal is the one that looks like `seen` after rounding (bisection: more signal shows more).
    /// Where little is left the share tends to 0, and says that the true signal is a guess.
    pub fn rounding(
        &self,
        seen: f64,
        [short, long]: [f64; 2],
        [blur_px2, since_px2]: [f64; 2],
    ) -> [f64; 2] {
        let mut parts: Vec<Coefficient> = (1..64)
            .filter_map(|k| {
                let period = 16.0 / ((k % 8) as f64).hypot((k / 8) as f64);
                let q = (std::f64::consts::TAU / period).powi(2);
                let coded = (-blur_px2 * q).exp() / q;
                let since = (-since_px2 * q).exp();
                let step = f64::from(self.0[k]);
                (short..=long).contains(&period).then_some(Coefficient { step, coded, since })
            })
            .collect();
        if parts.is_empty() {
            // Beyond the block's own longest period its first coefficients stand.
            let step = f64::from(0.5 * (self.0[1] + self.0[8]));
            parts.push(Coefficient { step, coded: 1.0, since: 1.0 });
        }
        let n = parts.len() as f64;
        let now: f64 = parts.iter().map(|c| c.coded * c.since).sum();
        // Of a true signal: the share of its power that is left, what was added, what of that shows.
        let made = |signal: f64| {
            parts.iter().fold([0.0; 3], |sums, c| {
                let [gain, noise] = rounded(signal * n * c.coded / now, c.step);
                let left = gain * gain * c.coded * c.since / now;
                [sums[0] + left, sums[1] + noise / n, sums[2] + noise * c.since / n]
            })
        };
        let coarsest = parts.iter().map(|c| c.step).fold(0.0, f64::max);
        let [mut low, mut high] = [1e-6 * coarsest * coarsest, seen + coarsest * coarsest];
        for _ in 0..50 {
            let middle = (low * high).sqrt();
            let [left, _, shows] = made(middle);
            *(if left * middle + shows < seen { &mut low } else { &mut high }) = middle;
        }
        let [left, added, _] = made((low * high).sqrt());
        [left.sqrt(), added]
    }
}

/// A cosine coefficient: its rounding step, the power that was coded, and the share of it that a blur
/// has left since.
struct Coefficient {
    step: f64,
    coded: f64,
    since: f64,
}

/// Of a Laplacian variable of variance `signal` rounded to multiples of `step`: the factor of what is
/// in proportion to the variable, and the variance of the rest.
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

/// Places, row by row, in the order in which a file stores them.
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

/// The segments of a JPEG up to its first scan header: marker, and where the bytes after the length
/// lie (their end may be beyond that of a damaged file).
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, Range<usize>)> + '_ {
    let mut at = Some(2); // after the start marker
    std::iter::from_fn(move || {
        let segment = next_segment(bytes, at?)?;
        at = (segment.0 != 0xDA).then_some(segment.1.end);
        Some(segment)
    })
}

/// The first segment at or after `at`: marker, and where the bytes after its length lie (none for a
/// marker that stands alone; their end may be beyond that of a damaged file). Coded data, fill bytes
/// and what else is no marker are passed over.
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

    /// Against the sum written out over a fine grid.
    #[test]
    fn rounding_adds_what_the_definition_says() {
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

    /// What is seen of a known signal tells its rounding; of nothing, nothing is left.
    #[test]
    fn what_is_seen_tells_what_was_rounded() {
        let quantisers = Quantisers([6.0; 64]);
        for signal in [4.0, 20.0, 300.0] {
            let [gain, noise] = rounded(signal, 6.0);
            let seen = gain * gain * signal + noise;
            let told = quantisers.rounding(seen, [100.0, 200.0], [0.0; 2]);
            assert!((told[0] / gain - 1.0).abs() < 1e-6, "{signal}: {told:?} {gain}");
            assert!((told[1] - noise).abs() < 1e-6 * signal);
        }
        assert!(quantisers.rounding(0.0, [4.0, 10.0], [1.0, 0.0])[0] < 0.01);
    }
}
