//! Matched filters in noise that is not white (Turin 1960): the linear estimate of a template's amplitude with
//! the smallest variance in the background texture.

use super::vector::{add_products, dot, weighted_sum};
use crate::plane::{Mask, Plane, Window, par_collect};
use std::ops::Range;

/// Mean product of two pixels by the offset between them, `−reach ..= reach` px along each axis.
#[derive(Debug, Clone)]
pub struct Autocovariance {
    reach: usize,
    values: Vec<f64>,
}

/// The pairs of pixels inside a mask that an [`Autocovariance`] is the mean over, for any number of planes.
pub struct Pairs<'a> {
    mask: &'a Mask,
    reach: usize,
    /// First pixels, row by row.
    firsts: Vec<[usize; 2]>,
    /// Pairs at each offset, downwards; those upwards follow by symmetry.
    counts: Vec<f64>,
}

/// First pixels whose products one thread adds up.
const FIRSTS_TOGETHER: usize = 16_384;

impl<'a> Pairs<'a> {
    /// The first of a pair is every `stride`-th px of `window` along both axes, at least `reach` px from the planes' left,
    /// right and lower edge. `None` where fewer than half of the offsets have a quarter of `(2·reach + 1)²` pairs. Cost:
    /// (2·reach + 1)² / stride² flops a px, as for each plane later.
    pub fn new(mask: &'a Mask, window: Window, reach: usize, stride: usize) -> Option<Self> {
        let side = 2 * reach + 1;
        // The second of a pair is in the plane, but may be outside the window.
        let columns =
            window.x.max(reach)..(window.x + window.width).min(mask.width().saturating_sub(reach));
        let rows = window.y..(window.y + window.height).min(mask.height().saturating_sub(reach));
        let first = |y: usize| {
            columns.clone().step_by(stride).filter(move |&x| mask.at(x, y)).map(move |x| [x, y])
        };
        let firsts: Vec<[usize; 2]> = rows.clone().step_by(stride).flat_map(first).collect();
        let mut pairs = Pairs { mask, reach, firsts, counts: Vec::new() };
        let within = Window { x: 0, y: window.y, width: mask.width(), height: rows.len() + reach };
        let ones = mask.crop(within.within(Window::full(mask.width(), mask.height())));
        let ones = ones.map(|inside| f32::from(u8::from(inside)));
        pairs.counts = pairs.sums(&[ones.data()], window.y);
        let least = (side * side / 4) as f64;
        let enough = pairs.counts.iter().filter(|c| **c >= least).count();
        (2 * enough >= pairs.counts.len()).then_some(pairs)
    }

    /// The mean over `planes` (of mean 0, and 0 outside the mask) of the products of the pairs.
    pub fn covariance(&self, planes: &[Plane]) -> Autocovariance {
        let data: Vec<&[f32]> = planes.iter().map(|plane| plane.data()).collect();
        let (sums, scale) = (self.sums(&data, 0), planes.len() as f64);
        let values = sums.iter().zip(&self.counts).map(|(s, c)| s / (scale * c).max(1.0)).collect();
        Autocovariance { reach: self.reach, values }
    }

    /// Sums of products over all pairs, at each offset downwards, in rasters as wide as the mask that begin at its row `top`.
    fn sums(&self, planes: &[&[f32]], top: usize) -> Vec<f64> {
        let (reach, width) = (self.reach, self.mask.width());
        let parts: Vec<&[[usize; 2]]> = self.firsts.chunks(FIRSTS_TOGETHER).collect();
        let parts = par_collect(parts.len(), |i| {
            let firsts: Vec<[usize; 2]> = parts[i].iter().map(|[x, y]| [*x, y - top]).collect();
            let mut sums = vec![0.0f64; (reach + 1) * (2 * reach + 1)];
            add_products(&mut sums, planes, width, &firsts, reach);
            sums
        });
        let mut sums = vec![0.0f64; (reach + 1) * (2 * reach + 1)];
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
        }
        sums
    }
}

impl Autocovariance {
    /// The mean product at an offset.
    fn at(&self, [x, y]: [isize; 2]) -> f64 {
        let [x, y] = if y < 0 { [-x, -y] } else { [x, y] };
        self.values[y as usize * (2 * self.reach + 1) + (x + self.reach as isize) as usize]
    }
}

/// Smallest white noise added, fraction of the variance: that of rounding.
const RIDGE_MIN: f64 = 1e-6;

/// Cholesky factor of the covariance of the pixels of a disc, from which filters are computed.
#[derive(Debug, Clone)]
pub struct Whitener {
    offsets: Vec<[isize; 2]>,
    /// Lower triangle, row by row.
    factor: Vec<f64>,
    /// C⁻¹·1.
    level: Vec<f64>,
}

impl Whitener {
    /// For a disc of `radius` px, half of the covariance's reach or less; `ridge` is white noise added, as
    /// a fraction of the variance. `None` where there is no variance.
    pub fn new(covariance: &Autocovariance, radius: usize, ridge: f64) -> Option<Self> {
        let r = radius as isize;
        let square = (-r..=r).flat_map(|y| (-r..=r).map(move |x| [x, y]));
        let offsets: Vec<_> = square.filter(|[x, y]| x * x + y * y <= r * r).collect();
        let variance = covariance.at([0, 0]);
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        // An estimate from few pairs need not be positive definite: white noise is added until it is.
        let mut ridge = ridge.max(RIDGE_MIN) * variance;
        let factor = loop {
            match factored(&offsets, |offset| covariance.at(offset), ridge) {
                Some(factor) => break factor,
                None => ridge *= 4.0,
            }
        };
        let mut whitener = Whitener { offsets, factor, level: Vec::new() };
        whitener.level = whitener.solve(vec![1.0; whitener.offsets.len()]);
        Some(whitener)
    }

    /// C⁻¹·v.
    fn solve(&self, mut v: Vec<f64>) -> Vec<f64> {
        let n = v.len();
        let row = |i: usize| &self.factor[i * (i + 1) / 2..(i + 1) * (i + 2) / 2];
        for i in 0..n {
            let (known, rest) = v.split_at_mut(i);
            rest[0] = (rest[0] - dot(row(i), known)) / row(i)[i];
        }
        for i in (0..n).rev() {
            v[i] /= row(i)[i];
            let x = v[i];
            v[..i].iter_mut().zip(row(i)).for_each(|(v, l)| *v -= l * x);
        }
        v
    }

    /// The filter with response 1 to `template(x, y)` (px from the middle) plus any constant, and the smallest
    /// variance in the noise. `None` for a template that is constant on the disc.
    pub fn filter(&self, template: impl Fn(f64, f64) -> f64) -> Option<Matched> {
        let p: Vec<f64> =
            self.offsets.iter().map(|[x, y]| template(*x as f64, *y as f64)).collect();
        let mut weights = self.solve(p.clone());
        let constant = dot(&p, &self.level) / self.level.iter().sum::<f64>();
        weights.iter_mut().zip(&self.level).for_each(|(w, l)| *w -= constant * l);
        let information = dot(&p, &weights);
        (information > 0.0).then(|| Matched {
            taps: self
                .offsets
                .iter()
                .zip(weights)
                .map(|(offset, w)| (*offset, (w / information) as f32))
                .collect(),
            noise: 1.0 / information.sqrt(),
        })
    }
}

/// Cholesky's factor of the covariance between the offsets; `None` where it is not positive definite.
fn factored(
    offsets: &[[isize; 2]],
    covariance: impl Fn([isize; 2]) -> f64,
    ridge: f64,
) -> Option<Vec<f64>> {
    let mut factor: Vec<f64> = Vec::with_capacity(offsets.len() * (offsets.len() + 1) / 2);
    for (i, a) in offsets.iter().enumerate() {
        let start = factor.len();
        for (j, b) in offsets[..=i].iter().enumerate() {
            let c = covariance([a[0] - b[0], a[1] - b[1]]) + if i == j { ridge } else { 0.0 };
            let other = j * (j + 1) / 2;
            let residual = c - dot(&factor[start..], &factor[other..other + j]);
            if i == j {
                if residual <= 1e-9 * ridge {
                    return None;
                }
                factor.push(residual.sqrt());
            } else {
                let l = residual / factor[other + j];
                factor.push(l);
            }
        }
    }
    Some(factor)
}

/// A filter that estimates the amplitude of a template.
#[derive(Debug, Clone)]
pub struct Matched {
    taps: Vec<([isize; 2], f32)>,
    /// Standard deviation of the amplitude in the noise.
    pub noise: f64,
}

impl Matched {
    /// Standard deviation of the amplitude in noise of another covariance.
    pub fn spread(&self, noise: &Autocovariance) -> f64 {
        let mut variance = 0.0;
        for ([ax, ay], a) in &self.taps {
            for ([bx, by], b) in &self.taps {
                variance += f64::from(a * b) * noise.at([ax - bx, ay - by]);
            }
        }
        variance.max(0.0).sqrt()
    }

    /// The amplitudes at some `columns` of row `y`; outside the plane are zeros.
    pub fn row(&self, plane: &Plane, y: usize, columns: Range<usize>) -> Vec<f32> {
        let mut out = vec![0.0f32; columns.len()];
        let rows = self.taps.iter().filter_map(|(offset, w)| {
            let row = y.checked_add_signed(offset[1]).filter(|y| *y < plane.height())?;
            Some((offset[0], *w, plane.row(row)))
        });
        let first = |dx: isize| columns.start.checked_add_signed(dx);
        let inside = |dx: isize| first(dx).is_some_and(|x| x + columns.len() <= plane.width());
        if self.taps.iter().all(|(offset, _)| inside(offset[0])) {
            let terms = rows.map(|(dx, w, row)| {
                let x = columns.start.wrapping_add_signed(dx);
                (w, &row[x..x + columns.len()])
            });
            weighted_sum(&mut out, &terms.collect::<Vec<_>>());
            return out;
        }
        for (dx, w, row) in rows {
            let from = (columns.start as isize + dx).max(0);
            let to = (columns.end as isize + dx).min(plane.width() as isize);
            if from < to {
                let skip = (from - dx) as usize - columns.start;
                let there = &row[from as usize..to as usize];
                out[skip..].iter_mut().zip(there).for_each(|(o, v)| *o += w * v);
            }
        }
        out
    }

    /// The amplitude at a position between pixels, bilinear; outside the plane that at its edge.
    pub fn at(&self, plane: &Plane, x: f64, y: f64) -> f64 {
        let inside = |v: f64, n: usize| v.clamp(0.0, n.max(1) as f64 - 1.0);
        let (x, y) = (inside(x, plane.width()), inside(y, plane.height()));
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let (x, y) = (left as usize, top as usize);
        let line = |y: usize| {
            let right = if fx > 0.0 { f64::from(self.one(plane, x + 1, y)) * fx } else { 0.0 };
            f64::from(self.one(plane, x, y)) * (1.0 - fx) + right
        };
        line(y) * (1.0 - fy) + if fy > 0.0 { line(y + 1) * fy } else { 0.0 }
    }

    /// The amplitude at a pixel; outside the plane are zeros.
    fn one(&self, plane: &Plane, x: usize, y: usize) -> f32 {
        let value = |[dx, dy]: [isize; 2]| {
            let (x, y) = (x.wrapping_add_signed(dx), y.wrapping_add_signed(dy));
            if x < plane.width() && y < plane.height() { plane.at(x, y) } else { 0.0 }
        };
        self.taps.iter().fold(0.0, |sum, (offset, w)| sum + w * value(*offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::gaussian::blur;
    use crate::rng::Rng;

    /// Noise from a fixed random stream, smoothed along the rows so that it is not white.
    fn streaks(seed: u64) -> Plane {
        let noise = Plane::from_fn(240, 200, |x, y| {
            Rng::at(seed, x as i64, y as i64).range(-0.5, 0.5) as f32
        });
        let mut out = noise.clone();
        for y in 0..200 {
            for x in 3..237 {
                out.set(x, y, (x - 3..x + 4).map(|k| noise.at(k, y)).sum::<f32>() / 7f32.sqrt());
            }
        }
        out
    }

    fn dark_profile(x: f64, y: f64) -> f64 {
        -(-(x * x + y * y) / 8.0).exp()
    }

    #[test]
    fn the_response_to_the_template_is_one_and_to_noise_as_predicted() {
        let noise = streaks(7);
        let (mask, window) = (Mask::filled(240, 200, true), Window::full(240, 200));
        let covariance =
            Pairs::new(&mask, window, 14, 1).expect("enough pairs").covariance(&[noise.clone()]);
        let filter = Whitener::new(&covariance, 7, 0.01)
            .and_then(|w| w.filter(dark_profile))
            .expect("a filter");
        // The template plus any constant, also between pixels.
        let alone = Plane::from_fn(60, 60, |x, y| {
            3.0 + 0.2 * dark_profile(x as f64 - 30.0, y as f64 - 29.0) as f32
        });
        assert!((filter.at(&alone, 30.0, 29.0) - 0.2).abs() < 1e-4);
        assert!((filter.row(&alone, 29, 28..33)[2] - 0.2).abs() < 1e-4);
        // Another realisation of the noise.
        let other = streaks(8);
        let responses: Vec<f32> = (20..180).flat_map(|y| filter.row(&other, y, 20..220)).collect();
        let n = responses.len() as f64;
        let spread = (responses.iter().map(|v| f64::from(v * v)).sum::<f64>() / n).sqrt();
        assert!((spread / filter.noise - 1.0).abs() < 0.1, "{spread} {}", filter.noise);
        assert!((filter.spread(&covariance) / filter.noise - 1.0).abs() < 0.02);
        // A filter for white noise has a larger variance.
        let white = Autocovariance {
            reach: 14,
            values: {
                let mut values = vec![0.0; 15 * 29];
                values[14] = 1.0;
                values
            },
        };
        let plain =
            Whitener::new(&white, 7, 0.01).and_then(|w| w.filter(dark_profile)).expect("a filter");
        let responses: Vec<f32> = (20..180).flat_map(|y| plain.row(&other, y, 20..220)).collect();
        let more = (responses.iter().map(|v| f64::from(v * v)).sum::<f64>() / n).sqrt();
        assert!(more > 1.1 * spread, "{more} {spread}");
    }

    /// Compared with a direct sum over the pixels inside a mask.
    #[test]
    fn covariance_is_the_mean_product_inside_the_mask() {
        let plane = blur(&streaks(3), 1.0);
        let mask = Mask::from_fn(240, 200, |x, y| (x / 40 + y / 40) % 2 == 0);
        let plane = plane.zip(&mask, |v, m| if m { v } else { 0.0 });
        let covariance = Pairs::new(&mask, Window::full(240, 200), 4, 1)
            .expect("enough pairs")
            .covariance(&[plane.clone()]);
        for step in [[0isize, 0isize], [3, 0], [-2, 4], [2, -4]] {
            let (mut sum, mut n) = (0.0, 0.0);
            for y in 4..196usize {
                for x in 4..236usize {
                    let (u, v) = (x.wrapping_add_signed(step[0]), y.wrapping_add_signed(step[1]));
                    if mask.at(x, y) && mask.at(u, v) {
                        sum += f64::from(plane.at(x, y)) * f64::from(plane.at(u, v));
                        n += 1.0;
                    }
                }
            }
            let (found, truth) = (covariance.at(step), sum / n);
            assert!(
                (found - truth).abs() < 0.02 * covariance.at([0, 0]),
                "{step:?} {found} {truth}"
            );
        }
        let nothing = Mask::filled(240, 200, false);
        assert!(Pairs::new(&nothing, Window::full(240, 200), 4, 1).is_none());
    }

    #[test]
    fn nothing_is_no_template() {
        let flat = Plane::filled(80, 80, 0.0);
        let all = Mask::filled(80, 80, true);
        let covariance = Pairs::new(&all, Window::full(80, 80), 8, 2)
            .expect("pairs")
            .covariance(&[flat.clone()]);
        assert!(Whitener::new(&covariance, 4, 0.01).is_none());
    }
}
