//! Grey-level co-occurrence (Haralick 1973) with the definitions of the IBSI reference manual.
//!
//! Grey levels are bins of fixed width in log luminance, the same for all photos; the distance is in mm; four
//! directions are merged; the matrix is symmetric. Photos are first smoothed to periods of 0.25 mm, or to the shortest period that
//! both resolve where that is longer, so that noise is not counted as texture.

pub(super) mod features;

use super::{Reason, Sampling, Sheet, Tiles};
use crate::filter::gaussian::{blur_masked, sigma_of_period};
use crate::luminance::Luminance;
use crate::plane::Grid;
use crate::settings::MetricSettings;

/// Grey levels; values beyond the outer bins are counted in them.
const LEVELS: usize = 32;

/// Quantised log luminance; `None` where the distance is below the resolution.
pub struct Glcm(Option<Levels>);

struct Levels {
    /// One per visit.
    planes: Vec<Grid<u8>>,
    /// Distance of a pair of pixels.
    distance_px: usize,
}

impl Glcm {
    /// Quantises each visit.
    pub fn read(visits: &[&Luminance], sampling: &Sampling, settings: &MetricSettings) -> Self {
        let short =
            (settings.texture_periods_mm[0] / sampling.mm_per_px).max(sampling.shortest_period_px);
        let distance = settings.glcm_distance_mm / sampling.mm_per_px;
        // Two samples closer than half the shortest period are not independent.
        if distance < 0.5 * sampling.shortest_period_px {
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
        Glcm(Some(Levels { planes, distance_px: distance.round().max(1.0) as usize }))
    }

    /// Counts of pairs of levels per tile, of pairs whose pixels are both measured.
    pub fn sheet(&self, visit: usize, tiles: &Tiles) -> Result<Sheet, Reason> {
        let levels = self.0.as_ref().ok_or(Reason::BelowResolution)?;
        Ok(pairs(&levels.planes[visit], levels.distance_px as isize, &DIRECTIONS, tiles))
    }
}

/// Steps to one neighbour of each opposite pair, in units of the distance.
const DIRECTIONS: [[isize; 2]; 4] = [[1, 0], [1, 1], [0, 1], [-1, 1]];

/// Counts of the pairs of levels `distance` px apart, in both orders.
fn pairs(levels: &Grid<u8>, distance: isize, directions: &[[isize; 2]], tiles: &Tiles) -> Sheet {
    let mut sheet = Sheet::new(tiles.count(), LEVELS * LEVELS);
    tiles.for_each(|tile, x, y| {
        let i = levels.at(x, y) as usize;
        for [dx, dy] in directions {
            let (nx, ny) = (x as isize + distance * dx, y as isize + distance * dy);
            if nx < 0 || tiles.of(nx as usize, ny as usize).is_none() {
                continue;
            }
            let j = levels.at(nx as usize, ny as usize) as usize;
            let mut row = sheet.tile(tile);
            row[i * LEVELS + j] += 1.0;
            row[j * LEVELS + i] += 1.0;
        }
    });
    sheet
}

#[cfg(test)]
mod tests {
    use super::features::mean;
    use super::*;
    use crate::filter::stats::quantile;
    use crate::plane::{Mask, Window};

    /// IBSI digital phantom, slice by slice; 0 = outside the region of interest.
    const PHANTOM: [[[u8; 5]; 4]; 4] = [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ];

    /// The rows of the initiative's table: name and value, to three figures.
    fn references() -> impl Iterator<Item = (&'static str, f64)> {
        include_str!("../../../tests/reference/ibsi_digital_phantom_2d.csv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .skip(1)
            .map(|line| line.split_once(',').expect("a name and a value"))
            .map(|(tag, value)| (tag, value.parse().expect("a number")))
    }

    /// Whether a value is the reference where that was rounded to three figures.
    #[track_caller]
    fn close(tag: &str, value: f64, reference: f64) {
        let digit = 10f64.powf(reference.abs().log10().floor() - 2.0);
        assert!((value - reference).abs() <= 0.5 * digit + 1e-9, "{tag}: {value}, not {reference}");
    }

    /// The counts of one slice over some directions.
    fn counts(slice: &[[u8; 5]; 4], directions: &[[isize; 2]]) -> Vec<f64> {
        let levels = Grid::from_fn(5, 4, |x, y| slice[y][x].saturating_sub(1));
        let inside = Mask::from_fn(5, 4, |x, y| slice[y][x] > 0);
        pairs(&levels, 1, directions, &Tiles::new(Window::full(5, 4), inside, 8)).total(&[1.0])
    }

    /// A feature of the manual's section 3.6 that is not among the metrics, from the same counts.
    fn feature(name: &str, s: &[f64]) -> f64 {
        /// Grey levels of the phantom.
        const N: f64 = 6.0;
        let of = |f: &dyn Fn(f64, f64, f64) -> f64| mean(s, f).expect("pairs");
        let mu = of(&|i, _, _| i);
        let total: f64 = s.iter().sum();
        // Distributions of a key of the two levels.
        let spread = |key: &dyn Fn(usize, usize) -> usize| {
            let mut p = vec![0.0; 2 * LEVELS];
            s.iter().enumerate().for_each(|(k, c)| p[key(k / LEVELS, k % LEVELS)] += c / total);
            p
        };
        let [single, difference, sum] =
            [spread(&|i, _| i), spread(&|i, j| i.abs_diff(j)), spread(&|i, j| i + j)];
        let entropy =
            |p: &[f64]| p.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum::<f64>();
        let both = entropy(&s.iter().map(|c| c / total).collect::<Vec<_>>());
        let alone = of(&|i, j, _| -(single[i as usize - 1] * single[j as usize - 1]).log2());
        let apart = 2.0 * entropy(&single);
        let cluster = |power: i32| of(&|i, j, _| (i + j - 2.0 * mu).powi(power));
        match name {
            "joint_max" => s.iter().fold(0.0, |max: f64, c| max.max(c / total)),
            "joint_avg" => mu,
            "joint_var" => of(&|i, _, _| (i - mu).powi(2)),
            "diff_avg" => of(&|i, j, _| (i - j).abs()),
            "diff_var" => {
                let average = of(&|i, j, _| (i - j).abs());
                of(&|i, j, _| ((i - j).abs() - average).powi(2))
            }
            "diff_entr" => entropy(&difference),
            "sum_avg" => of(&|i, j, _| i + j),
            "sum_var" | "clust_tend" => cluster(2),
            "sum_entr" => entropy(&sum),
            "inv_diff" => of(&|i, j, _| 1.0 / (1.0 + (i - j).abs())),
            "inv_diff_norm" => of(&|i, j, _| 1.0 / (1.0 + (i - j).abs() / N)),
            "inv_diff_mom_norm" => of(&|i, j, _| 1.0 / (1.0 + ((i - j) / N).powi(2))),
            "inv_var" => of(&|i, j, _| if i == j { 0.0 } else { (i - j).powi(-2) }),
            "auto_corr" => of(&|i, j, _| i * j),
            "clust_shade" => cluster(3),
            "clust_prom" => cluster(4),
            "info_corr1" => (both - alone) / entropy(&single),
            "info_corr2" => (1.0 - (-2.0 * (apart - both)).exp()).sqrt(),
            other => panic!("{other} is no feature of the table"),
        }
    }

    /// Both 2D aggregations: a matrix per slice and direction, and one per slice.
    #[test]
    fn co_occurrence_is_that_of_the_ibsi_digital_phantom() {
        let sampling = Sampling::sharp(1.0);
        let singly: Vec<&[[isize; 2]]> = DIRECTIONS.chunks(1).collect();
        let mut seen = 0;
        for (tag, reference) in references() {
            let Some((name, aggregation)) =
                tag.strip_prefix("cm_").and_then(|t| t.rsplit_once("_2D_"))
            else {
                continue;
            };
            let merged: &[&[[isize; 2]]] = match aggregation {
                "avg" => &singly,
                _ => &[&DIRECTIONS],
            };
            let metric = match name {
                "contrast" => Some(features::CONTRAST),
                "joint_entr" => Some(features::JOINT_ENTROPY),
                "energy" => Some(features::ANGULAR_SECOND_MOMENT),
                "inv_diff_mom" => Some(features::INVERSE_DIFFERENCE_MOMENT),
                "dissimilarity" => Some(features::DISSIMILARITY),
                "corr" => Some(features::CORRELATION),
                _ => None,
            };
            let measure = metric.map(|metric| metric.measure);
            let values = PHANTOM.iter().flat_map(|slice| merged.iter().map(|d| counts(slice, d)));
            let values: Vec<f64> = values
                .map(|s| {
                    measure.map_or_else(|| feature(name, &s), |m| m(&s, &sampling).expect(tag))
                })
                .collect();
            close(tag, values.iter().sum::<f64>() / values.len() as f64, reference);
            seen += 1;
        }
        assert_eq!(seen, 50);
    }

    /// First-order statistics of the manual's section 3.3, with the quantiles that the tool uses.
    #[test]
    fn statistics_are_those_of_the_ibsi_digital_phantom() {
        let levels = PHANTOM.iter().flatten().flatten().filter(|v| **v > 0);
        let mut x: Vec<f64> = levels.map(|v| f64::from(*v)).collect();
        let n = x.len() as f64;
        let average = |f: &dyn Fn(f64) -> f64| x.iter().map(|v| f(*v)).sum::<f64>() / n;
        let mu = average(&|v| v);
        let moment = |power: i32| average(&|v| (v - mu).powi(power));
        let (variance, third, fourth) = (moment(2), moment(3), moment(4));
        let (mad, rms) = (average(&|v| (v - mu).abs()), average(&|v| v * v).sqrt());
        let mut q = |q: f64| quantile(&mut x, q).expect("voxels");
        let [min, p10, p25, median, p75, p90, max] =
            [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0].map(&mut q);
        let medad = x.iter().map(|v| (v - median).abs()).sum::<f64>() / n;
        let robust: Vec<f64> = x.iter().copied().filter(|v| (p10..=p90).contains(v)).collect();
        let middle = robust.iter().sum::<f64>() / robust.len() as f64;
        let rmad = robust.iter().map(|v| (v - middle).abs()).sum::<f64>() / robust.len() as f64;
        let mut seen = 0;
        for (tag, reference) in references() {
            let Some(name) = tag.strip_prefix("stat_") else { continue };
            let value = match name {
                "mean" => mu,
                "var" => variance,
                "skew" => third / variance.powf(1.5),
                "kurt" => fourth / variance.powi(2) - 3.0,
                "median" => median,
                "min" => min,
                "p10" => p10,
                "p90" => p90,
                "max" => max,
                "iqr" => p75 - p25,
                "range" => max - min,
                "mad" => mad,
                "rmad" => rmad,
                "medad" => medad,
                "cov" => variance.sqrt() / mu,
                "qcod" => (p75 - p25) / (p75 + p25),
                "energy" => n * rms * rms,
                "rms" => rms,
                other => panic!("{other} is no statistic of the table"),
            };
            close(tag, value, reference);
            seen += 1;
        }
        assert_eq!(seen, 18);
    }
}
