//! Photos finer than skin is measured, reduced: no metric looks at less than 0.2 mm, and a photo of 48 megapixels then
//! costs no more than one of 9.

use super::turn::Turn;
use super::{FlatAreas, Photo};
use crate::filter::vector::weighted_sum;
use crate::plane::Grid;

/// The pixels of a photo in those of its upright file. Pixel centres are integers in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduction {
    /// Pixels of the file in one of the photo, along each axis; 1 where nothing was reduced.
    pub factor: f64,
    /// Width and height of the upright file, px.
    pub file_size: [usize; 2],
}

impl Reduction {
    /// A photo of all pixels of its file.
    pub fn none(width: usize, height: usize) -> Reduction {
        Reduction { factor: 1.0, file_size: [width, height] }
    }

    /// Of the turned photo.
    pub(super) fn turned(mut self, turn: Turn) -> Reduction {
        if turn.quarters % 2 == 1 {
            self.file_size.reverse();
        }
        self
    }

    /// Position in the file of a position in the photo.
    pub fn to_file(&self, position: [f64; 2]) -> [f64; 2] {
        position.map(|v| (v + 0.5) * self.factor - 0.5)
    }

    /// Position in the photo of a position in the file.
    pub fn from_file(&self, position: [f64; 2]) -> [f64; 2] {
        position.map(|v| (v + 0.5) / self.factor - 0.5)
    }
}

impl Photo {
    /// The photo with pixels `factor` > 1 times as large, in linear light, by cubic convolution (Keys 1981) stretched by
    /// that factor; the border pixel is repeated outside. Cost: 4·`factor` multiplications a sample of the file.
    pub fn reduced(self, factor: f64) -> Photo {
        let size = [self.width(), self.height()].map(|n| ((n as f64 / factor) as usize).max(1));
        let reduction = Reduction { factor, ..self.reduction };
        let [columns, rows] = [(size[0], self.width()), (size[1], self.height())]
            .map(|(to, from)| (0..to).map(|i| Taps::new(i, factor, from)).collect::<Vec<_>>());
        let mut linear = Grid::filled(size[0], size[1], [0u16; 3]);
        linear.par_strips(STRIP, |top, strip| {
            let rows = &rows[top..top + strip.len() / size[0]];
            let first = rows.first().map_or(0, |taps| taps.first);
            let last = rows.last().map_or(first, |taps| taps.first + taps.weights.len());
            let source: Vec<Vec<f32>> = (first..last)
                .map(|y| self.linear.row(y).iter().flatten().map(|v| f32::from(*v)).collect())
                .collect();
            let mut mixed = vec![0.0; 3 * self.width()];
            for (taps, out) in rows.iter().zip(strip.chunks_exact_mut(size[0])) {
                let lines = source[taps.first - first..].iter().map(|line| &line[..]);
                let terms: Vec<_> = taps.weights.iter().copied().zip(lines).collect();
                weighted_sum(&mut mixed, &terms);
                let (pixels, _) = mixed.as_chunks::<3>();
                for (taps, out) in columns.iter().zip(out) {
                    let mut sum = [0.0f32; 3];
                    for (w, rgb) in taps.weights.iter().zip(&pixels[taps.first..]) {
                        (0..3).for_each(|k| sum[k] += w * rgb[k]);
                    }
                    *out = sum.map(|v| v.round().clamp(0.0, 65535.0) as u16);
                }
            }
        });
        Photo { linear, flat: self.flat.reduced(factor), reduction, ..self }
    }
}

/// Rows that one thread computes together.
const STRIP: usize = 32;

/// What one pixel of the photo takes along an axis of the file.
struct Taps {
    /// First pixel of the file.
    first: usize,
    /// Weights from there on; they sum to 1.
    weights: Vec<f32>,
}

impl Taps {
    /// Of pixel `i`, in a file of `n` px.
    fn new(i: usize, factor: f64, n: usize) -> Taps {
        let centre = (i as f64 + 0.5) * factor - 0.5;
        let inside = |v: f64| (v.max(0.0) as usize).min(n - 1);
        let (low, high) = ((centre - 2.0 * factor).ceil(), (centre + 2.0 * factor).floor());
        let (first, last) = (inside(low), inside(high));
        let mut weights = vec![0.0f64; last - first + 1];
        for k in low as isize..=high as isize {
            weights[inside(k as f64) - first] += cubic((k as f64 - centre) / factor);
        }
        let sum: f64 = weights.iter().sum();
        Taps { first, weights: weights.into_iter().map(|w| (w / sum) as f32).collect() }
    }
}

/// Keys' cubic convolution kernel, a = −½.
fn cubic(t: f64) -> f64 {
    match t.abs() {
        t if t < 1.0 => 1.0 + t * t * (1.5 * t - 2.5),
        t if t < 2.0 => 2.0 + t * (t * (2.5 - 0.5 * t) - 4.0),
        _ => 0.0,
    }
}

impl FlatAreas {
    /// The areas of the reduced photo.
    fn reduced(mut self, factor: f64) -> FlatAreas {
        self.cell_px /= factor;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn wave(period: f64, [x, y]: [f64; 2]) -> u16 {
        (20_000.0 + 8_000.0 * (TAU * (x + 0.4 * y) / period).sin()).round() as u16
    }

    /// Waves that the coarser pixels hold keep their place, and their amplitude within what the kernel passes.
    #[test]
    fn what_the_coarser_pixels_hold_stays_where_it_is() {
        for factor in [1.2, 1.7, 3.3] {
            let period = 8.0 * factor;
            let photo = Photo::drawn(Grid::from_fn(300, 260, |x, y| {
                [wave(period, [x, y].map(|v| v as f64)); 3]
            }));
            let small = photo.reduced(factor);
            assert_eq!(small.width(), (300.0 / factor) as usize);
            assert_eq!(small.reduction.file_size, [300, 260]);
            for y in 5..small.height() - 5 {
                for x in 5..small.width() - 5 {
                    let at = [x, y].map(|v| v as f64);
                    let file = small.reduction.to_file(at);
                    let back = small.reduction.from_file(file);
                    assert!((back[0] - at[0]).abs() + (back[1] - at[1]).abs() < 1e-9);
                    let off = f64::from(small.linear.at(x, y)[1]) - f64::from(wave(period, file));
                    assert!(off.abs() < 0.05 * 8_000.0, "{factor}: {off}");
                }
            }
        }
    }

    /// A wave too fine for the coarser pixels is gone instead of coming back as a slow one.
    #[test]
    fn what_they_do_not_hold_is_gone() {
        let photo = Photo::drawn(Grid::from_fn(300, 300, |x, _| [wave(2.6, [x as f64, 0.0]); 3]));
        let small = photo.reduced(2.5);
        let off = |x: usize| (f64::from(small.linear.at(x, 60)[0]) - 20_000.0).abs();
        assert!((5..115).map(off).fold(0.0, f64::max) < 0.06 * 8_000.0);
    }

    #[test]
    fn an_even_photo_stays_even_up_to_its_border() {
        let small = Photo::drawn(Grid::filled(50, 41, [65_535, 7, 300])).reduced(1.37);
        assert!(small.linear.data().iter().all(|rgb| *rgb == [65_535, 7, 300]));
        assert_eq!(Photo::drawn(Grid::filled(1, 1, [9; 3])).reduced(4.0).width(), 1);
    }
}
