//! Fine relief, and the direction of the light that is estimated from its slopes.
//!
//! The steepest changes of log luminance from dark to bright are on slopes that face away from the light: the mean of
//! |∇|²·∇ points from the light source to the skin, and is 0 under frontal light.

use super::Sampling;
use crate::filter::gaussian::{MaskedBlur, away_from_edges, blur};
use crate::filter::resize::{shrink, shrink_mask};
use crate::luminance::Luminance;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::MetricSettings;
use crate::units::PixelSize;
use std::sync::OnceLock;

/// High-passed log luminance of photos on one mask, without what is slower than pores.
#[derive(Debug, Clone)]
pub struct FineRelief {
    /// Pixels of the window of the region map in one of the planes, each way.
    pub factor: usize,
    /// One per photo.
    pub planes: Vec<Plane>,
    /// Pixels of the planes that are skin.
    pub valid: Mask,
    /// Those of them away from the skin's edges.
    pub inner: Mask,
}

impl FineRelief {
    /// Of photos that share one mask of valid skin.
    pub fn of(photos: &[&Luminance], sampling: &Sampling, settings: &MetricSettings) -> FineRelief {
        let factor = sampling.reduction(settings.pore_grid_mm);
        let pixel = PixelSize::new(sampling.mm_per_px, factor);
        let valid = shrink_mask(&photos[0].valid, factor);
        let around = MaskedBlur::new(&valid, pixel.px(settings.pore_surround_mm) as f32);
        FineRelief {
            factor,
            planes: photos.iter().map(|l| around.residual(&shrink(&l.flat, factor))).collect(),
            inner: away_from_edges(&valid, pixel.px(settings.pore_margin_mm)),
            valid,
        }
    }
}

/// Gradients of the fine relief.
pub struct Slopes<'a> {
    factor: usize,
    inner: &'a Mask,
    slopes: Vec<Grid<[f32; 2]>>,
    /// [`Slopes::light_direction`] of all skin, which stands in for that of many cells with little.
    everywhere: OnceLock<Option<[f64; 2]>>,
}

impl<'a> Slopes<'a> {
    /// Of all photos of `relief`.
    pub fn of(relief: &'a FineRelief, mm_per_px: f64, settings: &MetricSettings) -> Slopes<'a> {
        let sigma = PixelSize::new(mm_per_px, relief.factor).px(settings.light_slope_sigma_mm);
        let slopes = |plane: &Plane| {
            let s = blur(plane, sigma as f32);
            Grid::from_fn(s.width(), s.height(), |x, y| {
                let (x, y) = (x as isize, y as isize);
                let across = s.clamped(x + 1, y) - s.clamped(x - 1, y);
                [0.5 * across, 0.5 * (s.clamped(x, y + 1) - s.clamped(x, y - 1))]
            })
        };
        let slopes = relief.planes.iter().map(slopes).collect();
        let everywhere = OnceLock::new();
        Slopes { factor: relief.factor, inner: &relief.inner, slopes, everywhere }
    }

    /// The part of the slopes that `window` is on planes of another `factor`.
    pub fn window(&self, window: Window, factor: usize) -> Window {
        let fine = |n: usize| n * factor / self.factor;
        let [x, y] = [window.x, window.y].map(fine);
        let width = fine(window.width).min(self.inner.width().saturating_sub(x));
        let height = fine(window.height).min(self.inner.height().saturating_sub(y));
        Window { x, y, width, height }
    }

    /// Skewness of the slopes in `window` (px of the slopes) over all photos: mean |∇|²∇ over (mean |∇|²)^³⁄². Its
    /// direction is that from the light source to the skin; its length grows with the obliqueness of the light. `None` where
    /// there is no skin, or nothing varies.
    pub fn light_direction(&self, window: Window) -> Option<[f64; 2]> {
        if window == Window::full(self.inner.width(), self.inner.height()) {
            return *self.everywhere.get_or_init(|| self.skewness(window));
        }
        self.skewness(window)
    }

    fn skewness(&self, window: Window) -> Option<[f64; 2]> {
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
