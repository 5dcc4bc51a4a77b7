//! Resampling a part of a photo onto a turned and scaled raster.

use crate::filter::warp::bilinear;
use crate::plane::Grid;

/// A raster over a photo: position, step and turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    /// Middle of the raster, photo px.
    pub centre: [f64; 2],
    /// Photo px per raster px, along its rows and its columns.
    pub step: [f64; 2],
    /// Turn of the rows against those of the photo, radians, clockwise in the picture.
    pub roll: f64,
    /// Raster px.
    pub width: usize,
    /// Raster px.
    pub height: usize,
}

impl View {
    /// The whole of a photo of `photo` px, on a raster of `width`×`height`.
    pub fn whole(photo: [usize; 2], width: usize, height: usize) -> Self {
        let [w, h] = photo.map(|n| n as f64);
        View {
            centre: [0.5 * (w - 1.0), 0.5 * (h - 1.0)],
            step: [w / width as f64, h / height as f64],
            roll: 0.0,
            width,
            height,
        }
    }

    /// Photo position of a raster position; pixel centres are integers in both.
    pub fn to_photo(self, [i, j]: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.roll.sin_cos();
        let u = (i - 0.5 * (self.width as f64 - 1.0)) * self.step[0];
        let v = (j - 0.5 * (self.height as f64 - 1.0)) * self.step[1];
        [self.centre[0] + u * c - v * s, self.centre[1] + u * s + v * c]
    }

    /// Raster position of a photo position: the inverse of [`View::to_photo`].
    pub fn to_raster(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.roll.sin_cos();
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        [
            (dx * c + dy * s) / self.step[0] + 0.5 * (self.width as f64 - 1.0),
            (dy * c - dx * s) / self.step[1] + 0.5 * (self.height as f64 - 1.0),
        ]
    }

    /// Raster position of a photo position; `None` outside the raster.
    pub fn covered(&self, at: [f64; 2]) -> Option<[f64; 2]> {
        let [i, j] = self.to_raster(at);
        let within = |v: f64, length: usize| v >= -0.5 && v <= length as f64 - 0.5;
        (within(i, self.width) && within(j, self.height)).then_some([i, j])
    }

    /// The photo on the raster: means over its cells, in linear light, 0 … 1.
    ///
    /// Border rule: outside the photo its border pixels are repeated. A turned raster is interpolated
    /// linearly from an upright one of the same step.
    pub fn sample(&self, linear: &Grid<[u16; 3]>) -> Grid<[f32; 3]> {
        let (w, h) = (self.width as f64, self.height as f64);
        let [sx, sy] = self.step;
        if self.roll == 0.0 {
            let corner = self.to_photo([-0.5, -0.5]);
            let rect = Rect { x: corner[0], y: corner[1], width: w * sx, height: h * sy };
            return resample(linear, rect, self.width, self.height);
        }
        let (s, c) = (self.roll.sin().abs(), self.roll.cos().abs());
        let step = sx.min(sy);
        let cells = |length: f64| (length / step).ceil() as usize + 2;
        let (cw, ch) = (cells(w * sx * c + h * sy * s), cells(w * sx * s + h * sy * c));
        let upright = View { step: [step, step], roll: 0.0, width: cw, height: ch, ..*self };
        let copy = upright.sample(linear);
        let channels = [0, 1, 2].map(|k| copy.map(|rgb| rgb[k]));
        Grid::from_fn(self.width, self.height, |i, j| {
            let [x, y] = upright.to_raster(self.to_photo([i as f64, j as f64]));
            [0, 1, 2].map(|k| bilinear(&channels[k], x, y))
        })
    }
}

/// A rectangle in photo pixels with fractional corners; pixel (0, 0) covers −½ … ½.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Mean colour of each cell of a `width`×`height` raster over `rect` of a linear photo.
///
/// A cell smaller than a pixel is widened to one, which is linear interpolation. Border rule:
/// outside the photo its border pixels are repeated. Result: linear light, 0 … 1.
pub(super) fn resample(
    linear: &Grid<[u16; 3]>,
    rect: Rect,
    width: usize,
    height: usize,
) -> Grid<[f32; 3]> {
    let columns = spans(rect.x, rect.width, width, linear.width());
    let rows = spans(rect.y, rect.height, height, linear.height());
    let mut out = Grid::filled(width, height, [0.0f32; 3]);
    out.par_rows(|y, cells| {
        let mut sums = vec![[0.0f32; 3]; cells.len()];
        for &(sy, wy) in &rows[y] {
            let source = linear.row(sy);
            for (sum, span) in sums.iter_mut().zip(&columns) {
                for &(sx, wx) in span {
                    let w = wx * wy;
                    for c in 0..3 {
                        sum[c] += w * f32::from(source[sx][c]);
                    }
                }
            }
        }
        for (cell, sum) in cells.iter_mut().zip(sums) {
            *cell = sum.map(|v| v / 65535.0);
        }
    });
    out
}

/// For each of `n` cells over `[start, start + length)`: the pixels in it and their weights.
fn spans(start: f64, length: f64, n: usize, pixels: usize) -> Vec<Vec<(usize, f32)>> {
    let step = length / n as f64;
    let half = 0.5 * step.max(1.0);
    let last = pixels as f64 - 1.0;
    (0..n)
        .map(|i| {
            // Shifted by half a pixel, so that pixel k covers [k, k + 1).
            let centre = start + (i as f64 + 0.5) * step + 0.5;
            let (from, to) = (centre - half, centre + half);
            let mut span: Vec<(usize, f32)> = Vec::new();
            for k in from.floor() as i64..to.ceil() as i64 {
                let weight = ((k + 1) as f64).min(to) - (k as f64).max(from);
                if weight > 0.0 {
                    span.push((
                        (k as f64).clamp(0.0, last) as usize,
                        (weight / (to - from)) as f32,
                    ));
                }
            }
            span
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Grid<[u16; 3]> {
        Grid::from_fn(64, 48, |x, y| [(x * 500) as u16, (y * 700) as u16, 1000])
    }

    #[test]
    fn to_raster_is_the_inverse_of_to_photo() {
        let view =
            View { centre: [31.5, 20.25], step: [1.5, 0.75], roll: 0.3, width: 21, height: 30 };
        for p in [[0.0, 0.0], [20.0, 3.5], [-4.0, 29.0]] {
            let q = view.to_raster(view.to_photo(p));
            assert!((p[0] - q[0]).abs() < 1e-9 && (p[1] - q[1]).abs() < 1e-9, "{p:?} {q:?}");
        }
    }

    #[test]
    fn a_turned_view_of_a_ramp_has_the_values_of_its_positions() {
        let view =
            View { centre: [30.0, 24.0], step: [1.25, 1.25], roll: 0.4, width: 16, height: 16 };
        let sampled = view.sample(&ramp());
        // A pixel cut by a cell counts as constant: up to 0.06 px off on a ramp.
        for (i, j) in [(0, 0), (15, 2), (7, 15)] {
            let [x, y] = view.to_photo([i as f64, j as f64]);
            let rgb = sampled.at(i, j).map(|v| f64::from(v) * 65535.0);
            assert!((rgb[0] - 500.0 * x).abs() < 30.0, "{rgb:?} at {x} {y}");
            assert!((rgb[1] - 700.0 * y).abs() < 42.0, "{rgb:?} at {x} {y}");
        }
    }
}
