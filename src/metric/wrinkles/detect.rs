//! Ridge response of one photo.

use crate::filter::morphology::dilate;
use crate::filter::oriented::{Oriented, oriented};
use crate::filter::resize::{shrink, shrink_mask};
use crate::luminance::Luminance;
use crate::metric::{Reason, Sampling};
use crate::plane::Grid;
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// Ridge response of one photo, in which lines are traced.
#[derive(Debug, Clone)]
pub struct RidgeResponse {
    /// Pixels of the window of the region map in one of the response, each way.
    pub(super) factor: usize,
    pub(super) ridges: Grid<Oriented>,
}

/// Filters one photo for lines.
///
/// # Errors
/// `BelowResolution` where pixels or blur hide fine wrinkles.
pub fn detect(
    photo: &Luminance,
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<RidgeResponse, Reason> {
    check_resolution(sampling, settings)?;
    log::trace!(target: "skindelta", "search lines");
    let factor = sampling.reduction(settings.line_grid_mm);
    let pixel = PixelSize::new(sampling.mm_per_px, factor);
    let sigma = |mm: &f64| pixel.px(*mm).max(settings.line_sigma_min_px) as f32;
    let sigmas: Vec<f32> = settings.line_sigmas_mm.iter().map(sigma).collect();
    let along = pixel.px(settings.line_along_mm) as f32;
    let flat = shrink(&photo.flat, factor);
    // A ridge is compared with the response beside it, which may lie off the skin.
    let beside = pixel.px(settings.line_distance_min_mm).max(1.0) as usize + 2;
    let around = dilate(&shrink_mask(&photo.valid, factor), beside);
    let ridges = oriented(&flat, &around, along, &sigmas, settings.line_directions);
    Ok(RidgeResponse { factor, ridges })
}

/// Refuses photos whose shortest period is longer than lines need.
pub(super) fn check_resolution(
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<(), Reason> {
    let longest = settings.line_period_max_mm / sampling.mm_per_px;
    if sampling.shortest_period_px > longest { Err(Reason::BelowResolution) } else { Ok(()) }
}
