//! Fine relief, and the direction of the light that it shows.
//!
//! Slopes of fine relief that look away from a lamp are the steepest changes from dark to bright: the mean of
//! |∇|²·∇ points from the lamp to the skin, and vanishes under light from the front.

use super::Frame;
use crate::filter::gaussian::{MaskedBlur, away_from_edges, blur};
use crate::filter::resize::{shrink, shrink_mask};
use crate::luminance::Luminance;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::MetricSettings;

/// Log light of photos on one mask without what is slower than pores.
#[derive(Debug, Clone)]
pub struct FineRelief {
    /// Pixels of the window of the region map in one of the planes, both ways.
    pub factor: usize,
    /// One per photo.
    pub planes: Vec<Plane>,
    /// Pixels of the planes that are skin.
    pub valid: Mask,
    /// Those away from the skin's edges.
    pub inner: Mask,
}

impl FineRelief {
    /// Of photos that share one mask of valid skin.
    pub fn of(photos: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> FineRelief {
        let factor = ((settings.pore_grid_mm / frame.mm_per_px) as usize).max(1);
        let px = |mm: f64| mm / (frame.mm_per_px * factor as f64);
        let valid = shrink_mask(&photos[0].valid, factor);
        let around = MaskedBlur::new(&valid, px(settings.pore_surround_mm) as f32);
        FineRelief {
            factor,
            planes: photos.iter().map(|l| around.residual(&shrink(&l.flat, factor))).collect(),
            inner: away_from_edges(&valid, px(settings.pore_margin_mm)),
            valid,
        }
    }
}

/// Slopes of the fine relief.
pub struct Slopes<'a> {
    factor: usize,
    inner: &'a Mask,
    slopes: Vec<Grid<[f32; 2]>>,
}

impl<'a> Slopes<'a> {
    /// Of all photos of `relief`.
    pub fn of(relief: &'a FineRelief, mm_per_px: f64, settings: &MetricSettings) -> Slopes<'a> {
        let sigma = settings.lamp_slope_mm / (mm_per_px * relief.factor as f64);
        let slopes = |plane: &Plane| {
            let s = blur(plane, sigma as f32);
            Grid::from_fn(s.width(), s.height(), |x, y| {
                let (x, y) = (x as isize, y as isize);
                let across = s.clamped(x + 1, y) - s.clamped(x - 1, y);
                [0.5 * across, 0.5 * (s.clamped(x, y + 1) - s.clamped(x, y - 1))]
            })
        };
        let slopes = relief.planes.iter().map(slopes).collect();
        Slopes { factor: relief.factor, inner: &relief.inner, slopes }
    }

    /// The window of the slopes that is `window` on planes of another `factor`.
    pub fn window(&self, window: Window, factor: usize) -> Window {
        let fine = |n: usize| n * factor / self.factor;
        let [x, y] = [window.x, window.y].map(fine);
        let width = fine(window.width).min(self.inner.width().saturating_sub(x));
        let height = fine(window.height).min(self.inner.height().saturating_sub(y));
        Window { x, y, width, height }
    }

    /// Direction in which the light falls over the skin of `window` (of the slopes), all photos together, and how
    /// steeply: mean |∇|²∇ over (mean |∇|²)^³⁄². `None` where there is no skin, or nothing varies.
    pub fn light_direction(&self, window: Window) -> Option<[f64; 2]> {
        let (mut sum, mut square, mut n) = ([0.0f64; 2], 0.0, 0.0);
        for slopes in &self.slopes {
            for y in window.y..window.y + window.height {
                for x in (window.x..window.x + window.width).filter(|&x| self.inner.at(x, y)) {
                    let g = slopes.at(x, y).map(f64::from);
                    let size = g[0] * g[0] + g[1] * g[1];
                    sum = [sum[0] + size * g[0], sum[1] + size * g[1]];
                    square += size;
                    n += 1.0;
                }
            }
        }
        let root_mean_square = (square / n).sqrt();
        (n > 0.0 && square > 0.0).then(|| sum.map(|v| v / n / root_mean_square.powi(3)))
    }
}
