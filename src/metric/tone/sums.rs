//! Sums over tiles for the metrics of tone, and texts that these share.

use super::{MatchedOn, ReferenceSkin, ToneCells, for_each_set};
use crate::cielab::delta_e00;
use crate::filter::label::label;
use crate::metric::sums::{Sums, sums};
use crate::metric::{Reason, Sheet, Tiles};
use crate::plane::Mask;

pub(super) const COLOUR_SECTION: &str = "Skin colour";
pub(super) const COLOUR_ALSO_MOVED_BY: &str = "White balance and light of the whole skin: a change is measured \
    only against other skin (`--reference` or the other regions), else `no_reference`; in one photo the value is \
    that of the photo as it is.";
pub(super) const SPOT_SECTION: &str = "Spots";
pub(super) const SPOT_ALSO_MOVED_BY: &str = "Uneven light over millimetres; make-up. With few spots the value \
    varies much: see its interval.";

sums! {
    /// Sums over the cells of skin of a tile.
    pub(crate) struct ToneSums {
        /// Cells.
        cells: f64,
        /// L*; this, a*, b* and the unevenness are NaN without reference skin.
        lightness: f64,
        /// a*.
        redness: f64,
        /// b*.
        yellowness: f64,
        /// ΔE00 from the region's mean colour.
        unevenness: f64,
        /// Cells of spots.
        spot_cells: f64,
        /// Spots, each in the tile of its first cell.
        spots: f64,
        /// ΔE00 of the cells of spots from the skin around.
        spot_contrast: f64,
    }
}

impl ToneSums {
    /// A sum over the cells as their mean.
    pub(super) fn mean(&self, sum: f64) -> Result<f64, Reason> {
        if self.cells <= 0.0 {
            Err(Reason::LowCoverage)
        } else if sum.is_nan() {
            Err(Reason::NoReference)
        } else {
            Ok(sum / self.cells)
        }
    }
}

impl ToneCells {
    /// Sums over tiles; in a pair the follow-up's colours are matched to visit 0 first.
    pub fn sheet(
        &self,
        visit: usize,
        tiles: &Tiles,
        reference: ReferenceSkin<'_>,
    ) -> Result<Sheet, Reason> {
        let cells = self.cells_of(tiles);
        let tile = |x: usize, y: usize| self.tile(tiles, cells.x + x, cells.y + y);
        let inside = Mask::from_fn(cells.width, cells.height, |x, y| {
            self.valid.at(cells.x + x, cells.y + y) && tile(x, y).is_some()
        });
        let within = self.gains(visit, tiles, MatchedOn::Region).ok_or(Reason::LowCoverage)?;
        let colour = self.colour(visit, within, &inside, cells);
        let matched = self.gains(visit, tiles, MatchedOn::Reference(reference));
        let matched = matched.map(|gains| self.colour(visit, gains, &inside, cells));
        let (mut mean, mut n) = ([0.0f64; 3], 0.0f64);
        for_each_set(&inside, |x, y| {
            let c = colour.at(x, y);
            (0..3).for_each(|k| mean[k] += c[k]);
            n += 1.0;
        });
        let mean = mean.map(|v| v / n.max(1.0));
        let spots = self.spots(&colour, &inside);
        let (labels, count) = label(&spots.map(|c| c > 0.0));
        let mut sizes = vec![0usize; count + 1];
        labels.data().iter().for_each(|&l| sizes[l as usize] += 1);
        let mut counted = vec![false; count + 1];
        let mut sums = vec![ToneSums::ZERO; tiles.count()];
        for_each_set(&inside, |x, y| {
            let Some(tile) = tile(x, y) else { return };
            let sums = &mut sums[tile];
            sums.cells += 1.0;
            let [l, a, b] = matched.as_ref().map_or([f64::NAN; 3], |colour| colour.at(x, y));
            sums.lightness += l;
            sums.redness += a;
            sums.yellowness += b;
            // Over all visible skin, an illumination gradient cannot be distinguished from uneven skin.
            let unevenness = || delta_e00(colour.at(x, y), mean);
            sums.unevenness += matched.as_ref().map_or(f64::NAN, |_| unevenness());
            let spot = labels.at(x, y) as usize;
            if spot > 0 && sizes[spot] >= self.spot_min_cells {
                sums.spot_cells += 1.0;
                sums.spots += !std::mem::replace(&mut counted[spot], true) as u8 as f64;
                sums.spot_contrast += spots.at(x, y) as f64;
            }
        });
        Ok(Sheet::of(sums))
    }
}
