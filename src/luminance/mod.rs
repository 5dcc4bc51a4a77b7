//! Comparable luminance: illumination, exposure, focus and noise removed from the difference of two
//! photos of the same skin.
//!
//! All planes hold the natural log of linear luminance on the baseline's pixels. The illumination, a
//! mask-aware Gaussian mean of sigma `flatten_sigma_mm`, is subtracted: exposure and slow illumination
//! gradients, which are factors of the light, cancel in log. A follow-up is resampled once, in log, by
//! quintic B-splines ([`resample`]). The sharper of two photos is blurred to match the other
//! ([`matching`]). No constant depends on the photos' own contrast.
//!
//! - `resample`: one photo on the baseline's pixels, flattened;
//! - `sharpness`, `noise`: apparent blur and noise of one photo;
//! - `foreign`: what only one of two photos shows;
//! - `transfer`: difference of two photos in focus, noise and processing;
//! - `matching`: two photos with the same valid skin and the same focus.

mod foreign;
mod matching;
mod noise;
mod resample;
mod sharpness;
mod transfer;

pub use matching::comparable;
pub use noise::{Noise, NoiseMap, Rounding};
pub use resample::luminance;
pub use transfer::{BlurMap, Processing};

use crate::plane::{Grid, Mask, Plane};
use crate::settings::LuminanceSettings;

/// Flattened log luminance of one visit on the window of the region map.
#[derive(Debug, Clone)]
pub struct Luminance {
    /// Natural log of luminance minus the illumination; 0 outside `valid`.
    pub flat: Plane,
    /// Skin visible in this photo, neither clipped nor too dark to measure.
    pub valid: Mask,
    /// Noise of sensor and file.
    pub noise: Noise,
    /// Mean log illumination in each cell of side `transfer.tile_px`; the skin's median log luminance in cells
    /// without skin.
    pub illumination: Grid<f32>,
    /// Factor (≥ 1) of the noise variance in each cell, larger where less light falls.
    pub noise_map: NoiseMap,
    /// Shortest spatial period that the photo resolves, baseline px.
    pub shortest_period_px: f64,
    /// Apparent Gaussian blur of the skin, baseline px: the blur that turns a power spectrum with equal energy
    /// in all octaves, as skin has, into the measured one. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Ratio of fine detail in the skin to fine detail in the eyes with lashes and brows, which no treatment
    /// changes: 1.2 and more in unfiltered photos. `None` without a face, or where noise hides it.
    pub fine_detail_ratio: Option<f64>,
    /// Median log luminance of the skin, clipped pixels included: exposure and skin colour together.
    pub median_log: f64,
    /// Fraction of the region map's skin that is clipped or too dark in this photo.
    pub clipped: f64,
    /// Fraction of the region map's skin under highlights in this photo.
    pub highlights: f64,
}

#[cfg(test)]
impl Luminance {
    /// A synthetic plane, all pixels valid, without noise.
    pub fn synthetic(flat: Plane) -> Self {
        Luminance {
            valid: Mask::filled(flat.width(), flat.height(), true),
            flat,
            noise: Noise::default(),
            illumination: Grid::filled(1, 1, -1.0),
            noise_map: NoiseMap::uniform(),
            shortest_period_px: 3.0,
            blur_px: None,
            fine_detail_ratio: None,
            median_log: -1.0,
            clipped: 0.0,
            highlights: 0.0,
        }
    }
}

/// Two visits made comparable: the same valid skin, the same sharpness.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The earlier photo.
    pub baseline: Luminance,
    /// The later photo, on the baseline's pixels.
    pub follow_up: Luminance,
    /// Difference in blur before matching. `None` where too little skin is visible.
    pub blur: Option<BlurMap>,
    /// Remaining difference attributed to processing, not to treatment.
    pub processing: Processing,
    /// Fraction of the skin's tiles with a straight edge that only one photo shows (text, a bandage); these
    /// tiles are masked out.
    pub foreign: f64,
}

impl Pair {
    /// Difference in Gaussian blur, median over the skin, baseline px; positive where the follow-up is
    /// blurrier.
    pub fn blur_difference_px(&self) -> Option<f64> {
        let [_, median, _] = self.blur.as_ref()?.percentiles();
        Some(median.signum() * median.abs().sqrt())
    }

    /// Variation of that blur over the skin: the blur whose variance is the range from the 10th to the 90th
    /// percentile, px.
    pub fn blur_range_px(&self) -> Option<f64> {
        let [low, _, high] = self.blur.as_ref()?.percentiles();
        Some((high - low).max(0.0).sqrt())
    }

    /// Standard deviation that differences in focus and processing add to the natural log of a change of
    /// relief of period `period_px` (baseline px), in the part of the window where `inside` holds.
    pub fn relief_sd(
        &self,
        period_px: f64,
        inside: impl Fn(f64, f64) -> bool,
        settings: &LuminanceSettings,
    ) -> f64 {
        let error =
            self.blur.as_ref().map_or(settings.transfer.unknown_error_px2, |b| b.error(inside));
        let frequency = std::f64::consts::TAU / period_px;
        (0.5 * frequency * frequency * error).hypot(self.processing.relief_sd())
    }
}

#[cfg(test)]
mod samples {
    use super::Luminance;
    use crate::align::{Field, Placement};
    use crate::filter::stats::mean_square;
    use crate::photo::Photo;
    use crate::plane::{Mask, Plane, Window};
    use crate::settings::LuminanceSettings;
    use crate::testing::{Texture, scale, whole};

    /// Side of the planes, px.
    pub const SIDE: usize = 240;
    /// 4 mm are 20 px.
    const MM_PER_PX: f64 = 0.2;

    /// A mask of all pixels.
    pub fn all() -> Mask {
        Mask::filled(SIDE, SIDE, true)
    }

    /// The luminance of a photo registered by `field`, on the pixels of `skin`.
    pub fn measured(photo: &Photo, field: &Field, skin: &Mask) -> Luminance {
        let regions = whole(Window::full(SIDE, SIDE));
        let placement = Placement { field, regions: &regions, skin, scale: &scale(MM_PER_PX) };
        super::luminance(photo, &placement, &LuminanceSettings::default())
    }

    /// The luminance of a photo on its own pixels.
    pub fn resampled(photo: &Photo) -> Luminance {
        measured(photo, &Field::identity(), &all())
    }

    /// Log light of a texture.
    pub fn texture(seed: u64) -> Plane {
        Texture::new(seed, 0.08).plane(SIDE, SIDE)
    }

    /// Root mean square of a plane at least `margin` px inside.
    pub fn rms_inside(plane: &Plane, margin: usize) -> f64 {
        let side = plane.width() - 2 * margin;
        let part = plane.crop(Window { x: margin, y: margin, width: side, height: side });
        mean_square(&part, &Mask::filled(side, side, true)).sqrt()
    }

    /// `a` − `b`.
    pub fn difference(a: &Plane, b: &Plane) -> Plane {
        a.zip(b, |a, b| a - b)
    }

    /// Largest absolute value.
    pub fn largest(plane: &Plane) -> f32 {
        plane.data().iter().fold(0.0, |a, b| a.max(b.abs()))
    }
}
