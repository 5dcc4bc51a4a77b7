//! Neighbouring points of the same line.

use super::trace::TracedPoint;
use std::collections::BTreeMap;

/// Points by line and by square of the image, so that those near to one are found at constant cost.
pub(super) struct Neighbours<'a> {
    points: &'a [TracedPoint],
    squares: BTreeMap<(u32, i64, i64), Vec<usize>>,
    /// px.
    radius: f64,
}

/// Least variance of the points' positions along a line that a slope is fitted to, squared radii.
const VARIANCE_MIN: f64 = 0.01;

impl<'a> Neighbours<'a> {
    /// Neighbours within `radius` px.
    pub(super) fn new(points: &'a [TracedPoint], radius: f64) -> Self {
        let mut neighbours =
            Neighbours { points, squares: BTreeMap::new(), radius: radius.max(1.0) };
        for (i, point) in points.iter().enumerate() {
            neighbours.squares.entry(neighbours.square(point)).or_default().push(i);
        }
        neighbours
    }

    fn square(&self, point: &TracedPoint) -> (u32, i64, i64) {
        (point.line, (point.x / self.radius) as i64, (point.y / self.radius) as i64)
    }

    /// Points on the line of point `i` within the radius, itself included.
    pub(super) fn of(&self, i: usize) -> impl Iterator<Item = usize> {
        let here = &self.points[i];
        let (line, cx, cy) = self.square(here);
        let squares = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
        squares
            .flat_map(move |(dx, dy)| {
                self.squares.get(&(line, cx + dx, cy + dy)).into_iter().flatten()
            })
            .copied()
            .filter(move |&k| {
                let there = &self.points[k];
                (there.x - here.x).hypot(there.y - here.y) <= self.radius
            })
    }

    /// Smooths `values` along the line at point `i`: a local straight fit (a mean would be biased at a line's ends),
    /// with weights that fall as a Gaussian of half the radius and with the angle between the two points' directions.
    /// The values of a point whose direction is opposite are taken in reverse order.
    pub(super) fn local_fit<const N: usize>(
        &self,
        i: usize,
        values: impl Fn(usize) -> [f64; N],
    ) -> [f64; N] {
        let here = &self.points[i];
        let (mut sum, mut sloping) = ([0.0; N], [0.0; N]);
        let mut moments = [0.0; 3];
        for k in self.of(i) {
            let there = &self.points[k];
            let [dx, dy] = [there.x - here.x, there.y - here.y].map(|d| d / self.radius);
            let t = dx * here.along[0] + dy * here.along[1];
            let cosine = here.along[0] * there.along[0] + here.along[1] * there.along[1];
            let weight = cosine.abs() * (-2.0 * (dx * dx + dy * dy)).exp();
            moments.iter_mut().zip([1.0, t, t * t]).for_each(|(m, p)| *m += weight * p);
            let values = values(k);
            for (x, v) in sum.iter_mut().enumerate() {
                let value = weight * values[if cosine < 0.0 { N - 1 - x } else { x }];
                *v += value;
                sloping[x] += t * value;
            }
        }
        let [all, first, second] = moments;
        let variance = all * second - first * first;
        // Too short for a slope: the mean.
        if variance < VARIANCE_MIN * all * all {
            return sum.map(|v| v / all);
        }
        std::array::from_fn(|x| (second * sum[x] - first * sloping[x]) / variance)
    }
}
