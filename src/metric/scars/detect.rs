//! Candidates for scars in one photo, and the filters that scars are detected by.

use super::SearchArea;
use super::shading::{Shading, magnitudes};
use crate::filter::matched::{Autocovariance, Whitener};
use crate::filter::stats::{mean_square, median};
use crate::metric::relief::Slopes;
use crate::metric::search::{self, Candidate, CellWindows, Filter, SearchCell, differences};
use crate::metric::{ComparableVisit, Reason};
use crate::plane::{Plane, Window, par_collect};
use crate::settings::MetricSettings;

/// Candidates in one photo, and the cells and planes that it was searched by.
#[derive(Debug, Clone)]
pub struct ScarCandidates {
    pub(super) cells: LitCells,
    pub(super) candidates: Vec<Candidate>,
    pub(super) shading: Shading,
}

/// Searches one photo for depressions.
///
/// # Errors
/// `LowCoverage` where there is too little skin to estimate its background texture.
pub fn detect(
    view: &ComparableVisit<'_>,
    slopes: &Slopes<'_>,
    area: &SearchArea,
    settings: &MetricSettings,
) -> Result<ScarCandidates, Reason> {
    log::trace!(target: "skindelta", "search scars");
    let shading = Shading::of(&[*view], area, settings);
    let cells = cells(&shading.search, slopes, area, settings)?;
    let distance = area.pixel.px(settings.scar_distance_min_mm).round() as usize;
    let candidates = area.search(&shading.search, &cells.cells).candidates(distance);
    Ok(ScarCandidates { cells, candidates, shading })
}

/// Cells of a search, and the direction of the light in each.
#[derive(Debug, Clone)]
pub(super) struct LitCells {
    pub cells: Vec<SearchCell>,
    /// Unit vectors; `None` under frontal light.
    pub light: Vec<Option<[f64; 2]>>,
}

/// Filters for bowls of each size, in cells with their own light and amplitude of background texture.
///
/// # Errors
/// `LowCoverage` where there is too little skin to estimate its background texture.
pub(super) fn cells(
    planes: &[Plane],
    slopes: &Slopes<'_>,
    area: &SearchArea,
    settings: &MetricSettings,
) -> Result<LitCells, Reason> {
    let bowls = Bowls::new(planes, area, settings)?;
    let windows = windows(area, settings);
    let light = par_collect(windows.len(), |i| {
        let [across, down] =
            slopes.light_direction(slopes.window(windows[i].surround, area.factor))?;
        let skewness = across.hypot(down);
        (skewness >= settings.scar_light_skewness_min).then(|| [across / skewness, down / skewness])
    });
    let cells = par_collect(windows.len(), |i| {
        let CellWindows { cell, surround } = windows[i];
        let filters = bowls.filters(surround, light[i]);
        SearchCell { window: cell, filters: filters.unwrap_or_default() }
    });
    Ok(LitCells { cells, light })
}

/// Windows of the cells; the surround of one with little skin is all skin.
fn windows(area: &SearchArea, settings: &MetricSettings) -> Vec<CellWindows> {
    let [w, h] = [area.valid.width(), area.valid.height()];
    search::cells([w, h], area.pixel.px(settings.pore_cell_mm))
        .into_iter()
        .map(|CellWindows { cell, surround }| {
            let skin = area.valid.crop(surround);
            let valid = skin.count();
            let few = (valid as f64) < settings.scar_cell_skin_min * skin.data().len() as f64;
            CellWindows { cell, surround: if few { Window::full(w, h) } else { surround } }
        })
        .collect()
}

/// Makes filters for bowls in the background texture of all skin, scaled to its local amplitude.
struct Bowls<'a> {
    /// Planes without outliers.
    texture: Vec<Plane>,
    /// Sum of the planes' mean squares over all skin.
    variance: f64,
    /// `None` where nothing varies.
    whitener: Option<Whitener>,
    /// Covariance of the difference of two photos.
    difference: Autocovariance,
    area: &'a SearchArea,
    settings: &'a MetricSettings,
}

impl<'a> Bowls<'a> {
    fn new(
        planes: &[Plane],
        area: &'a SearchArea,
        settings: &'a MetricSettings,
    ) -> Result<Self, Reason> {
        let texture = without_outliers(planes, area, settings);
        let pairs = area.pairs().ok_or(Reason::LowCoverage)?;
        let covariance = pairs.covariance(&texture);
        let difference = pairs.covariance(&differences(&texture));
        let whitener = Whitener::new(&covariance, area.radius, settings.scar_regularisation);
        let mut bowls = Bowls { texture, variance: 0.0, whitener, difference, area, settings };
        bowls.variance = bowls.variance(Window::full(area.valid.width(), area.valid.height()));
        Ok(bowls)
    }

    /// Sum of the planes' mean squares over the skin of a window.
    fn variance(&self, window: Window) -> f64 {
        let inside = self.area.valid.crop(window);
        let variance = |plane: &Plane| mean_square(&plane.crop(window), &inside);
        self.texture.iter().map(variance).sum::<f64>()
    }

    /// One filter per size, for the background texture of a window. `None` under frontal light, or where nothing
    /// varies.
    fn filters(&self, window: Window, light: Option<[f64; 2]>) -> Option<Vec<Filter>> {
        let local = (self.variance(window) / self.variance).sqrt();
        let light = light.filter(|_| local > 0.0)?;
        let filter = |radius_mm: &f64| {
            let radius = self.area.pixel.px(*radius_mm);
            let whitener = self.whitener.as_ref()?;
            let matched = whitener.filter(|x, y| template(x / radius, y / radius, light))?;
            let noise = matched.noise * local;
            let limit = self.settings.scar_response_min * noise;
            let difference_sd = local * matched.spread(&self.difference);
            Some(Filter { noise, limit, difference_sd, matched })
        };
        self.settings.scar_radii_mm.iter().map(filter).collect()
    }
}

/// Planes clipped to a multiple of the median contrast, so that many scars are not taken for background texture.
fn without_outliers(planes: &[Plane], area: &SearchArea, settings: &MetricSettings) -> Vec<Plane> {
    let mut contrasts: Vec<f64> =
        planes.iter().flat_map(|plane| magnitudes(plane, &area.valid, 1)).collect();
    let most = (settings.scar_texture_clip * median(&mut contrasts).unwrap_or(0.0)) as f32;
    planes.iter().map(|p| p.map(|v| v.clamp(-most, most))).collect()
}

/// Slope along the light, per radius, of a bowl of depth 1 whose depth is half at distance 1.
fn template(x: f64, y: f64, light: [f64; 2]) -> f64 {
    let square = x * x + y * y;
    4.0 * square * (x * light[0] + y * light[1]) / (1.0 + square * square).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_slope_of_a_bowl() {
        let depth = |x: f64, y: f64| -1.0 / (1.0 + (x * x + y * y).powi(2));
        let ([u, v], step) = ([0.6, -0.8], 1e-5);
        for (x, y) in [(0.3, 0.1), (-0.7, 0.9), (1.4, -1.1), (0.0, 0.0)] {
            let slope = (depth(x + step * u, y + step * v) - depth(x - step * u, y - step * v))
                / (2.0 * step);
            assert!((template(x, y, [u, v]) - slope).abs() < 1e-8);
        }
    }
}
