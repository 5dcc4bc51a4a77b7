//! Tone: CIELAB of the region's skin, its evenness, and hyperpigmented spots.
//!
//! Read on cells of skin (see [`crate::tone`]). In a pair the follow-up's white balance and exposure are matched to the
//! baseline, channel by channel, by the median log ratio. For a region's colour they are matched on reference skin: a
//! region the user names, or all skin outside the region, so that a change is measured relative to that of the other
//! skin. For its evenness and spots, which are differences within it, they are matched on the region itself. Evenness
//! is measured on parts of the skin only: over all of it an illumination gradient cannot be distinguished from uneven
//! skin.

pub(super) mod ita;
pub(super) mod lightness;
pub(super) mod redness;
pub(super) mod spot_area_percent;
pub(super) mod spot_contrast;
pub(super) mod spot_count;
mod sums;
pub(super) mod unevenness;
pub(super) mod yellowness;

use super::{ComparableVisit, Sampling, Tiles};
use crate::cielab::{delta_e00, lab};
use crate::filter::gaussian::blur_masked;
use crate::filter::stats::median;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// Colour of the cells of all visits, on one common mask.
pub struct ToneCells {
    cell_px: usize,
    rgb: Vec<Grid<[f32; 3]>>,
    /// Of each visit: log ratio of visit 0 to it, channel by channel.
    log_ratios: Vec<Grid<[f64; 3]>>,
    valid: Mask,
    spot_sigma: f32,
    spot_min_cells: usize,
    spot_contrast: f64,
    reference_share: f64,
}

/// Skin on which a follow-up's colour is matched to the baseline's.
#[derive(Debug, Clone, Copy)]
pub enum ReferenceSkin<'a> {
    /// A region the user names.
    Named(&'a Tiles),
    /// All skin outside the region.
    OtherSkin,
    /// None: the region's colour is not measured.
    None,
}

/// Cells on which colours are matched.
#[derive(Clone, Copy)]
enum MatchedOn<'a> {
    Region,
    Reference(ReferenceSkin<'a>),
}

impl ToneCells {
    /// Takes the cells that are valid in all visits.
    pub fn read(
        views: &[ComparableVisit<'_>],
        sampling: &Sampling,
        settings: &MetricSettings,
    ) -> Self {
        let first = &views[0].tone;
        let valid = Mask::from_fn(first.valid.width(), first.valid.height(), |x, y| {
            views.iter().all(|v| v.tone.valid.at(x, y))
        });
        let cell = PixelSize::new(sampling.mm_per_px, first.cell_px);
        let log_ratio =
            |a: [f32; 3], b: [f32; 3]| [0, 1, 2].map(|k| (a[k] as f64 / b[k] as f64).ln());
        let log_ratios = views.iter().map(|v| first.rgb.zip(&v.tone.rgb, log_ratio)).collect();
        ToneCells {
            cell_px: first.cell_px,
            rgb: views.iter().map(|v| v.tone.rgb.clone()).collect(),
            log_ratios,
            valid,
            spot_sigma: cell.px(settings.spot_surround_mm) as f32,
            spot_min_cells: (settings.spot_min_mm2 / (cell.mm() * cell.mm())).ceil() as usize,
            spot_contrast: settings.spot_contrast,
            reference_share: settings.tone_reference_share,
        }
    }

    fn tile(&self, tiles: &Tiles, x: usize, y: usize) -> Option<usize> {
        let middle = |i: usize| i * self.cell_px + self.cell_px / 2;
        tiles.of(middle(x), middle(y))
    }

    /// Factors of the linear channels that match `visit` to visit 0; `None` where too little of that skin is valid.
    fn gains(&self, visit: usize, tiles: &Tiles, on: MatchedOn<'_>) -> Option<[f64; 3]> {
        if self.rgb.len() == 1 {
            return Some([1.0; 3]);
        }
        let mut ratios: [Vec<f64>; 3] = Default::default();
        let mut own = 0usize;
        for_each_set(&self.valid, |x, y| {
            let inside = self.tile(tiles, x, y).is_some();
            own += inside as usize;
            let wanted = match on {
                MatchedOn::Region => inside,
                MatchedOn::Reference(ReferenceSkin::Named(named)) => {
                    self.tile(named, x, y).is_some()
                }
                MatchedOn::Reference(ReferenceSkin::OtherSkin) => !inside,
                MatchedOn::Reference(ReferenceSkin::None) => false,
            };
            if wanted {
                let log_ratio = self.log_ratios[visit].at(x, y);
                ratios.iter_mut().zip(log_ratio).for_each(|(ratios, v)| ratios.push(v));
            }
        });
        let n = ratios[0].len() as f64;
        let others = matches!(on, MatchedOn::Reference(ReferenceSkin::OtherSkin));
        let share = if others { self.reference_share } else { 0.0 };
        let enough = n >= 1.0 && n >= share * (own as f64 + n);
        enough.then(|| ratios.map(|mut r| median(&mut r).unwrap_or(0.0).exp()))
    }

    /// The cells of a region, with a margin of one.
    fn cells_of(&self, tiles: &Tiles) -> Window {
        let Window { x, y, width, height } = tiles.window();
        let first = [x, y].map(|v| v / self.cell_px);
        let end = [x + width, y + height].map(|v| v.div_ceil(self.cell_px));
        let (width, height) = (end[0] - first[0], end[1] - first[1]);
        let cells = Window { x: first[0], y: first[1], width, height };
        cells.grown(1, self.valid.width(), self.valid.height())
    }

    /// L*, a*, b* of each of the `cells` that is `inside`, multiplied by `gains` first; 0 elsewhere.
    fn colour(
        &self,
        visit: usize,
        gains: [f64; 3],
        inside: &Mask,
        cells: Window,
    ) -> Grid<[f64; 3]> {
        let colour = |c: [f32; 3]| lab([0, 1, 2].map(|k| c[k] as f64 * gains[k]));
        self.rgb[visit]
            .crop(cells)
            .zip(inside, |c, inside| if inside { colour(c) } else { [0.0; 3] })
    }

    /// ΔE00 of cells from the skin around, where they are darker and differ by at least the limit, else 0.
    fn spots(&self, colour: &Grid<[f64; 3]>, inside: &Mask) -> Plane {
        let channel = |k: usize| blur_masked(&colour.map(|c| c[k] as f32), inside, self.spot_sigma);
        let around = [channel(0), channel(1), channel(2)];
        Plane::from_fn(colour.width(), colour.height(), |x, y| {
            if !inside.at(x, y) {
                return 0.0;
            }
            let (c, a) = (colour.at(x, y), [0, 1, 2].map(|k| around[k].at(x, y) as f64));
            let d = delta_e00(c, a);
            if c[0] < a[0] && d >= self.spot_contrast { d as f32 } else { 0.0 }
        })
    }
}

/// Calls `f(x, y)` for each set pixel, row after row.
fn for_each_set(mask: &Mask, mut f: impl FnMut(usize, usize)) {
    for y in 0..mask.height() {
        for (x, _) in mask.row(y).iter().enumerate().filter(|(_, set)| **set) {
            f(x, y);
        }
    }
}
