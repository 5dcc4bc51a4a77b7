//! Grey-level co-occurrence (Haralick 1973) with the definitions of the IBSI reference manual.
//!
//! Grey levels are bins of fixed width in log luminance (shared by all photos), the distance is
//! in mm, four directions are merged, the matrix is symmetric. Photos are first smoothed to the
//! shortest period that both carry, so that noise is no texture.

use super::{Frame, Reason, Sheet, Tiles};
use crate::filter::gaussian::{blur_masked, sigma_of_period};
use crate::luminance::Luminance;
use crate::plane::Grid;
use crate::settings::MetricSettings;

/// Grey levels; values beyond the outer bins are counted in them.
const LEVELS: usize = 32;

/// Quantised planes of each visit; none where the distance is below the resolution.
pub struct Glcm(Option<(Vec<Grid<u8>>, usize)>);

impl Glcm {
    /// Quantises each visit.
    pub fn read(visits: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> Self {
        let short =
            (settings.texture_periods_mm[0] / frame.mm_per_px).max(frame.shortest_period_px);
        let distance = settings.glcm_distance_mm / frame.mm_per_px;
        // Two samples closer than half the shortest period hold the same thing.
        if distance < 0.5 * frame.shortest_period_px {
            return Glcm(None);
        }
        let sigma = sigma_of_period(short) as f32;
        let width = settings.glcm_bin_width as f32;
        let planes = visits
            .iter()
            .map(|l| {
                blur_masked(&l.flat, &l.valid, sigma).map(|v| {
                    ((v / width).floor() + (LEVELS / 2) as f32).clamp(0.0, LEVELS as f32 - 1.0)
                        as u8
                })
            })
            .collect();
        Glcm(Some((planes, distance.round().max(1.0) as usize)))
    }

    /// Pair counts per tile, both pixels measured.
    pub fn sheet(&self, visit: usize, tiles: &Tiles) -> Result<Sheet, Reason> {
        let Some((planes, d)) = &self.0 else { return Err(Reason::BelowResolution) };
        let levels = &planes[visit];
        let d = *d as isize;
        let mut sheet = Sheet::new(tiles.count(), LEVELS * LEVELS);
        tiles.for_each(|tile, x, y| {
            let i = levels.at(x, y) as usize;
            for (dx, dy) in [(d, 0), (d, d), (0, d), (-d, d)] {
                let (nx, ny) = (x as isize + dx, y as isize + dy);
                if nx < 0 || tiles.of(nx as usize, ny as usize).is_none() {
                    continue;
                }
                let j = levels.at(nx as usize, ny as usize) as usize;
                let mut row = sheet.tile(tile);
                row[i * LEVELS + j] += 1.0;
                row[j * LEVELS + i] += 1.0;
            }
        });
        Ok(sheet)
    }
}

/// Σ p(i, j)·f(i, j) over a square count matrix.
fn mean(counts: &[f64], f: impl Fn(f64, f64, f64) -> f64) -> Result<f64, Reason> {
    let n: f64 = counts.iter().sum();
    if n <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    let side = counts.len().isqrt();
    let mut sum = 0.0;
    for (k, &c) in counts.iter().enumerate() {
        if c > 0.0 {
            sum += c / n * f((k / side) as f64 + 1.0, (k % side) as f64 + 1.0, c / n);
        }
    }
    Ok(sum)
}

/// `glcm_contrast`: Σ (i−j)² p.
pub fn contrast(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    mean(s, |i, j, _| (i - j).powi(2))
}

/// `glcm_joint_entropy`: −Σ p log₂ p.
pub fn joint_entropy(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    mean(s, |_, _, p| -p.log2())
}

/// `glcm_angular_second_moment`: Σ p².
pub fn angular_second_moment(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    mean(s, |_, _, p| p)
}

/// `glcm_inverse_difference_moment`: Σ p / (1 + (i−j)²).
pub fn inverse_difference_moment(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    mean(s, |i, j, _| 1.0 / (1.0 + (i - j).powi(2)))
}

/// `glcm_dissimilarity`: Σ |i−j| p.
pub fn dissimilarity(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    mean(s, |i, j, _| (i - j).abs())
}

/// `glcm_correlation`: covariance of (i, j) over the variance.
pub fn correlation(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    let mu = mean(s, |i, _, _| i)?;
    let variance = mean(s, |i, _, _| (i - mu).powi(2))?;
    if variance <= 0.0 {
        return Err(Reason::NothingFound);
    }
    Ok(mean(s, |i, j, _| (i - mu) * (j - mu))? / variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::{Mask, Window};

    /// IBSI digital phantom, slice by slice; 0 = outside the region of interest.
    const PHANTOM: [[[u8; 5]; 4]; 4] = [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ];

    /// Reference values of the aggregation `2D_comb` (merged over directions, mean over slices).
    #[test]
    fn matches_the_ibsi_digital_phantom() {
        let frame = Frame {
            mm_per_px: 1.0,
            metric_scale: true,
            shortest_period_px: 1.0,
            groove: Default::default(),
        };
        let mean_of = |f: super::super::Measure| -> f64 {
            PHANTOM
                .iter()
                .map(|slice| {
                    let levels = Grid::from_fn(5, 4, |x, y| slice[y][x].saturating_sub(1));
                    let inside = Mask::from_fn(5, 4, |x, y| slice[y][x] > 0);
                    let tiles = Tiles::new(Window::full(5, 4), inside, 8);
                    let sheet = Glcm(Some((vec![levels], 1))).sheet(0, &tiles).unwrap();
                    f(&sheet.total(&[1.0]), &frame).unwrap()
                })
                .sum::<f64>()
                / 4.0
        };
        let close = |value: f64, reference: f64, digit: f64| {
            assert!((value - reference).abs() <= 0.5 * digit + 1e-9, "{value} {reference}");
        };
        close(mean_of(contrast), 5.19, 0.01);
        close(mean_of(joint_entropy), 2.24, 0.01);
        close(mean_of(angular_second_moment), 0.352, 0.001);
        close(mean_of(inverse_difference_moment), 0.625, 0.001);
        close(mean_of(dissimilarity), 1.40, 0.01);
        close(mean_of(correlation), 0.0173, 0.0001);
    }
}
