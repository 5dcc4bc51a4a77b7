//! Tone: CIELAB of the region's skin, its evenness, and hyperpigmented spots.
//!
//! Read on cells of skin (see [`crate::tone`]). In a pair the follow-up's white balance and
//! exposure are matched to the baseline, channel by channel, by the median log ratio. For the region's
//! colour on reference skin: a region the user names, or all skin outside the region, which tells a change
//! only that differs from that of the other skin. For its evenness and spots on the region itself: they
//! are differences within it. Evenness is told of parts of the skin only: over all of it light is uneven, too.

pub(super) mod ita;
pub(super) mod lightness;
pub(super) mod redness;
pub(super) mod spot_area_percent;
pub(super) mod spot_contrast;
pub(super) mod spot_count;
mod sums;
pub(super) mod unevenness;
pub(super) mod yellowness;

use super::{Frame, Tiles, View};
use crate::cielab::{delta_e00, lab};
use crate::filter::gaussian::blur_masked;
use crate::filter::stats::median;
use crate::plane::{Grid, Mask, Plane};
use crate::settings::MetricSettings;

/// Cells of all visits, on one common mask.
pub struct ToneCells {
    cell_px: usize,
    rgb: Vec<Grid<[f32; 3]>>,
    valid: Mask,
    spot_sigma: f32,
    spot_min_cells: usize,
    spot_contrast: f64,
    reference_share: f64,
}

/// Skin on which a follow-up's colour is matched to the baseline's.
#[derive(Debug, Clone, Copy)]
pub enum Reference<'a> {
    /// A region the user names.
    Named(&'a Tiles),
    /// All skin outside the region.
    OtherSkin,
    /// None: the region's colour is not told.
    None,
}

/// Which cells a match is made on.
#[derive(Clone, Copy)]
enum MatchedOn<'a> {
    Region,
    Reference(Reference<'a>),
}

impl ToneCells {
    /// Joins the visits on the cells that are valid in all.
    pub fn read(views: &[View<'_>], frame: &Frame, settings: &MetricSettings) -> Self {
        let first = &views[0].tone;
        let valid = Mask::from_fn(first.valid.width(), first.valid.height(), |x, y| {
            views.iter().all(|v| v.tone.valid.at(x, y))
        });
        let cell_mm = first.cell_px as f64 * frame.mm_per_px;
        ToneCells {
            cell_px: first.cell_px,
            rgb: views.iter().map(|v| v.tone.rgb.clone()).collect(),
            valid,
            spot_sigma: (settings.spot_surround_mm / cell_mm) as f32,
            spot_min_cells: (settings.spot_min_mm2 / (cell_mm * cell_mm)).ceil() as usize,
            spot_contrast: settings.spot_contrast,
            reference_share: settings.tone_reference_share,
        }
    }

    fn for_each_cell(&self, mut f: impl FnMut(usize, usize)) {
        for y in 0..self.valid.height() {
            for x in 0..self.valid.width() {
                if self.valid.at(x, y) {
                    f(x, y);
                }
            }
        }
    }

    fn tile(&self, tiles: &Tiles, x: usize, y: usize) -> Option<usize> {
        let middle = |i: usize| i * self.cell_px + self.cell_px / 2;
        tiles.of(middle(x), middle(y))
    }

    /// Factors that bring `visit` to visit 0; none where too little of that skin is there.
    fn gains(&self, visit: usize, tiles: &Tiles, on: MatchedOn<'_>) -> Option<[f64; 3]> {
        if self.rgb.len() == 1 {
            return Some([1.0; 3]);
        }
        let mut ratios: [Vec<f64>; 3] = Default::default();
        let mut own = 0usize;
        self.for_each_cell(|x, y| {
            let inside = self.tile(tiles, x, y).is_some();
            own += inside as usize;
            let wanted = match on {
                MatchedOn::Region => inside,
                MatchedOn::Reference(Reference::Named(named)) => self.tile(named, x, y).is_some(),
                MatchedOn::Reference(Reference::OtherSkin) => !inside,
                MatchedOn::Reference(Reference::None) => false,
            };
            if wanted {
                let (a, b) = (self.rgb[0].at(x, y), self.rgb[visit].at(x, y));
                for k in 0..3 {
                    ratios[k].push((a[k] as f64 / b[k] as f64).ln());
                }
            }
        });
        let n = ratios[0].len() as f64;
        let others = matches!(on, MatchedOn::Reference(Reference::OtherSkin));
        let share = if others { self.reference_share } else { 0.0 };
        let enough = n >= 1.0 && n >= share * (own as f64 + n);
        enough.then(|| ratios.map(|mut r| median(&mut r).unwrap_or(0.0).exp()))
    }

    /// L*, a*, b* of each cell after [`ToneCells::gains`].
    fn colour(&self, visit: usize, gains: [f64; 3]) -> Grid<[f64; 3]> {
        self.rgb[visit].map(|c| lab([0, 1, 2].map(|k| c[k] as f64 * gains[k])))
    }

    /// ΔE00 of cells that are darker than the skin around them by at least the limit, else 0.
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
