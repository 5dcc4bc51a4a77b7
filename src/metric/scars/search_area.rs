//! Skin on which scars are searched: valid in all views, away from lines.

use crate::filter::gaussian::away_from_edges;
use crate::filter::matched::Pairs;
use crate::filter::morphology::dilate;
use crate::filter::resize::shrink_mask;
use crate::metric::search::{Search, SearchCell};
use crate::metric::wrinkles::LinePoint;
use crate::metric::{ComparableVisit, Reason, Sampling};
use crate::plane::{Mask, Plane, Window};
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// Skin on the planes of the search.
pub struct SearchArea {
    /// Pixels of the window of the region map in one of the planes, each way.
    pub(super) factor: usize,
    pub(super) mm_per_px: f64,
    /// Of the planes.
    pub(super) pixel: PixelSize,
    pub(super) skin: Mask,
    /// Skin that no line crosses nearby.
    pub(super) valid: Mask,
    /// That away from its edges.
    inner: Mask,
    /// Radius of a filter, px of the planes.
    pub(super) radius: usize,
}

impl SearchArea {
    /// Skin that is valid in all views, away from the `lines` of any.
    ///
    /// # Errors
    /// `NoScale`; that of the lines where they could not be read, as they would be taken for scars.
    pub fn new(
        views: &[ComparableVisit<'_>],
        lines: &Result<Vec<LinePoint>, Reason>,
        sampling: &Sampling,
        settings: &MetricSettings,
    ) -> Result<SearchArea, Reason> {
        if !sampling.metric_scale {
            return Err(Reason::NoScale);
        }
        let mm_per_px = sampling.mm_per_px;
        let factor = sampling.reduction(settings.scar_grid_mm);
        let pixel = PixelSize::new(mm_per_px, factor);
        let skin = skin(views, factor);
        let lines = lines.as_ref().map_err(|reason| *reason)?;
        let valid = away_from_lines(lines, &skin, factor, pixel.px(settings.scar_line_mm));
        let inner = away_from_edges(&valid, pixel.px(settings.scar_margin_mm));
        let radius = pixel.px(settings.scar_filter_radius_mm).round() as usize;
        Ok(SearchArea { factor, mm_per_px, pixel, skin, valid, inner, radius })
    }

    /// A search of planes of this area in these cells.
    pub(super) fn search<'a>(&'a self, planes: &'a [Plane], cells: &'a [SearchCell]) -> Search<'a> {
        Search { factor: self.factor, planes, inner: &self.inner, cells }
    }

    /// Pairs of pixels of the whole area; `None` where there is too little skin.
    pub(super) fn pairs(&self) -> Option<Pairs<'_>> {
        let everywhere = Window::full(self.valid.width(), self.valid.height());
        Pairs::new(&self.valid, everywhere, 2 * self.radius, 2)
    }
}

/// Skin whose luminance and colour are valid in all views, reduced by `factor`.
fn skin(views: &[ComparableVisit<'_>], factor: usize) -> Mask {
    let luminance = &views[0].luminance.valid;
    let valid = Mask::from_fn(luminance.width(), luminance.height(), |x, y| {
        let colour =
            |v: &ComparableVisit<'_>| v.tone.valid.at(x / v.tone.cell_px, y / v.tone.cell_px);
        luminance.at(x, y) && views.iter().all(colour)
    });
    shrink_mask(&valid, factor)
}

/// Skin that no line crosses within `distance` px.
fn away_from_lines(lines: &[LinePoint], skin: &Mask, factor: usize, distance: f64) -> Mask {
    let mut crossed = Mask::filled(skin.width(), skin.height(), false);
    lines.iter().for_each(|line| crossed.set(line.x / factor, line.y / factor, true));
    let crossed = dilate(&crossed, distance.round() as usize);
    skin.zip(&crossed, |skin, crossed| skin && !crossed)
}
