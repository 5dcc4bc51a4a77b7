//! Candidates for pores in one photo, and the filters that pores are detected by.

use crate::filter::matched::{Autocovariance, Pairs, Whitener};
use crate::metric::relief::{FineRelief, Slopes};
use crate::metric::search::{
    self, Candidate, CellWindows, Filter, Search, SearchCell, differences,
};
use crate::metric::{Reason, Sampling};
use crate::plane::{Window, par_collect};
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// Candidates in one photo, and the cells that it was searched by.
#[derive(Debug, Clone)]
pub struct PoreCandidates {
    pub(super) cells: Vec<SearchCell>,
    pub(super) candidates: Vec<Candidate>,
}

/// Searches one photo for pores.
///
/// # Errors
/// `NoScale`; `BelowResolution` where the pixels are too coarse, or the photo too blurred; `LowCoverage` where
/// there is too little skin to estimate its background texture.
pub fn detect(
    relief: &FineRelief,
    slopes: &Slopes<'_>,
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<PoreCandidates, Reason> {
    check_resolution(sampling, settings)?;
    log::trace!(target: "skindelta", "search pores");
    let cells = cells(relief, slopes, sampling, settings)?;
    let candidates = search(relief, &cells).candidates(settings.pore_distance_min_px);
    Ok(PoreCandidates { cells, candidates })
}

/// Refuses photos without a scale, and those too coarse or blurred for pores.
pub(super) fn check_resolution(
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<(), Reason> {
    if !sampling.metric_scale {
        return Err(Reason::NoScale);
    }
    // The limit is stated for a sharp photo, whose shortest period is 3 px; a blurrier one is judged by its own.
    if sampling.shortest_period_px * sampling.mm_per_px > 3.0 * settings.pore_mm_per_px_max {
        return Err(Reason::BelowResolution);
    }
    Ok(())
}

/// A search of fine relief in these cells.
pub(super) fn search<'a>(relief: &'a FineRelief, cells: &'a [SearchCell]) -> Search<'a> {
    Search { factor: relief.factor, planes: &relief.planes, inner: &relief.inner, cells }
}

/// Filters for pores of each size, in cells with their own light and background texture.
///
/// # Errors
/// `LowCoverage` where there is too little skin to estimate its background texture.
pub(super) fn cells(
    relief: &FineRelief,
    slopes: &Slopes<'_>,
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<Vec<SearchCell>, Reason> {
    let pixel = PixelSize::new(sampling.mm_per_px, relief.factor);
    let (w, h) = (relief.valid.width(), relief.valid.height());
    let radius = pixel.px(settings.pore_filter_radius_mm).round() as usize;
    let stride = (pixel.px(settings.pore_covariance_step_mm) as usize).max(1);
    let differences = differences(&relief.planes);
    let covariances = |around| {
        let pairs = Pairs::new(&relief.valid, around, 2 * radius, stride)?;
        let [texture, difference] =
            [&relief.planes, &differences].map(|planes| pairs.covariance(planes));
        Some(Covariances { texture, difference })
    };
    // `None` where nothing varies, and so nothing can be detected.
    let filters = |covariances: &Covariances, around: Window| {
        let whitener = Whitener::new(&covariances.texture, radius, settings.pore_regularisation)?;
        let walls = wall_contrast(slopes.light_direction(around)?, settings);
        let filter = |mm: &f64| {
            let sigma = pixel.px(*mm);
            let matched = whitener.filter(|x, y| template(x, y, sigma, walls))?;
            let limit = settings.pore_contrast.max(settings.pore_response_min * matched.noise);
            let difference_sd = matched.spread(&covariances.difference);
            Some(Filter { noise: matched.noise, limit, difference_sd, matched })
        };
        settings.pore_sigmas_mm.iter().map(filter).collect::<Option<Vec<_>>>()
    };
    let everywhere = Window::full(w, h);
    let of_all = covariances(everywhere).ok_or(Reason::LowCoverage)?;
    let windows = search::cells([w, h], pixel.px(settings.pore_cell_mm));
    Ok(par_collect(windows.len(), |i| {
        let CellWindows { cell, surround } = windows[i];
        // A cell with little skin takes the filters of all skin.
        let own = covariances(surround).and_then(|own| filters(&own, surround));
        let filters = own.or_else(|| filters(&of_all, everywhere)).unwrap_or_default();
        SearchCell { window: cell, filters }
    }))
}

/// Covariances of the background texture.
struct Covariances {
    /// Of the photos.
    texture: Autocovariance,
    /// Of the difference of two photos.
    difference: Autocovariance,
}

/// Contrast of a pore's walls, along the light: in proportion to the slopes' skewness, `light`, up to a limit.
fn wall_contrast(light: [f64; 2], settings: &MetricSettings) -> [f64; 2] {
    let [gain, most] = settings.pore_wall_contrast;
    let walls = light.map(|v| gain * v);
    let size = walls[0].hypot(walls[1]);
    walls.map(|v| v * (most / size.max(most)))
}

/// Log luminance of a pore of depth 1: a round dark profile, and its bright and dark walls, whose contrast is the
/// length of `walls`, a vector along the light.
fn template(x: f64, y: f64, sigma: f64, walls: [f64; 2]) -> f64 {
    let profile = (-0.5 * (x * x + y * y) / (sigma * sigma)).exp();
    let wall = 0.5f64.exp() * (walls[0] * x + walls[1] * y) / sigma;
    profile * (wall - 1.0)
}
