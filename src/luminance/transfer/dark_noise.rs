//! How noise grows where less light falls on the skin.

use super::Tile;
use super::blur_map::TileFit;
use crate::filter::stats::{median, quantile};
use crate::luminance::{Luminance, NoiseMap};
use crate::plane::Grid;

/// Loss of light in the cells of two photos, relative to each photo's bright skin.
pub(super) struct LightLoss<'a> {
    /// Mean log illumination of each cell.
    illumination: [&'a Grid<f32>; 2],
    /// Median log illumination of each photo's bright tiles.
    bright: [f64; 2],
    cell_px: usize,
}

impl LightLoss<'_> {
    /// Relative to the tiles within [`DARK`] of the 90th percentile.
    pub(super) fn of<'a>(
        tiles: &[Tile],
        photos: [&'a Luminance; 2],
        cell_px: usize,
    ) -> LightLoss<'a> {
        let bright = photos.map(|l| {
            let level = |t: &Tile| level(&l.illumination, t.cell(cell_px));
            let mut levels: Vec<f64> = tiles.iter().map(level).collect();
            let brightest = quantile(&mut levels, 0.9).unwrap_or(0.0);
            levels.retain(|level| brightest - level < DARK);
            median(&mut levels).unwrap_or(0.0)
        });
        LightLoss { illumination: photos.map(|l| &l.illumination), bright, cell_px }
    }

    /// Natural log of the loss in a cell, that of the photo with the smaller loss; at least 0.
    fn at(&self, cell: [usize; 2]) -> f64 {
        let [a, b] = [0, 1].map(|v| self.bright[v] - level(self.illumination[v], cell));
        a.min(b).max(0.0)
    }

    /// The loss in the cell of a tile.
    pub(super) fn in_tile(&self, tile: &Tile) -> f64 {
        self.at(tile.cell(self.cell_px))
    }
}

fn level(illumination: &Grid<f32>, [i, j]: [usize; 2]) -> f64 {
    f64::from(illumination.clamped(i as isize, j as isize))
}

/// Factor of the noise variance in each cell over `white`, the noise of bright skin: variance = `white` · lossᵖ,
/// 0 ≤ p ≤ 2 (1: photon noise, 2: read noise). p is the median of the dark tiles' own estimates, from the energy
/// that the photos do not share in their finest octaves beside the tile's `fit`. With
/// fewer than [`DARK_TILES_MIN`] dark tiles the noise is uniform. `gains`: noise power that each octave passes.
pub(super) fn noise_map(
    tiles: &[Tile],
    fit: impl Fn(&Tile) -> Option<TileFit>,
    loss: &LightLoss<'_>,
    white: [f64; 2],
    gains: &[f64],
) -> NoiseMap {
    let power = |tile: &Tile| {
        let tile_loss = loss.in_tile(tile);
        // Where noise hides all detail, no gain and no blur are assumed.
        let [gain, variance] = fit(tile).map_or([0.0; 2], |fit| [fit.gain, fit.variance]);
        let noise = |k: usize| {
            let energies = tile.unshared(k, gain, variance);
            0.5 * (0..2).map(|v| energies[v] / gains[k] / white[v]).sum::<f64>()
        };
        // The rounding of a file removes noise from the finest octaves first: the noisiest octave counts.
        let most = (0..DARK_OCTAVES).map(noise).fold(1.0, f64::max);
        (tile_loss > DARK).then(|| most.ln() / tile_loss)
    };
    let mut powers: Vec<f64> = tiles.iter().filter_map(power).collect();
    let power =
        if powers.len() < DARK_TILES_MIN { 0.0 } else { median(&mut powers).unwrap_or(0.0) };
    let [of_a, _] = loss.illumination;
    let factors = Grid::from_fn(of_a.width(), of_a.height(), |i, j| {
        (power.min(2.0) * loss.at([i, j])).exp() as f32
    });
    NoiseMap { factors, cell_px: loss.cell_px }
}

/// Loss of light above which a tile is dark, natural log: a factor of four, two stops.
pub(super) const DARK: f64 = 1.386;
/// Finest octaves used for the noise of dark tiles.
const DARK_OCTAVES: usize = 3;
/// Fewest dark tiles for an estimate of the power.
const DARK_TILES_MIN: usize = 6;

#[cfg(test)]
mod tests {
    use crate::luminance::Luminance;
    use crate::luminance::transfer::focus_difference;
    use crate::luminance::transfer::samples::{SMALL, all};
    use crate::plane::{Grid, Plane};
    use crate::settings::LuminanceSettings;
    use crate::testing::{Texture, noise};

    /// An eighth of the light, and eight times the noise variance, on two fifths of the skin.
    #[test]
    fn noise_grows_where_less_light_falls() {
        let texture = Texture::new(3, 0.08).plane(SMALL, SMALL);
        let dark = |x: usize| x >= 3 * 48;
        let loss = 8f64.ln();
        let shot = |stream: u64| {
            let noise = noise(SMALL, SMALL, stream);
            let sd = |x: usize| if dark(x) { 0.01 * 8f32.sqrt() } else { 0.01 };
            let mut shot = Luminance::synthetic(Plane::from_fn(SMALL, SMALL, |x, y| {
                texture.at(x, y) + sd(x) * noise.at(x, y)
            }));
            shot.illumination =
                Grid::from_fn(6, 6, |i, _| if dark(48 * i) { -1.0 - loss as f32 } else { -1.0 });
            shot.noise.white = 1e-4;
            shot
        };
        let [a, b] = [11, 12].map(shot);
        let settings = LuminanceSettings::default().transfer;
        let found = focus_difference([&a, &b], &all(SMALL), &settings).expect("enough skin");
        println!("{} {:?}", found.noise_map.at(200, 100), found.white);
        assert_eq!(found.noise_map.at(20, 100), 1.0);
        assert!(
            (found.noise_map.at(200, 100) / 8.0 - 1.0).abs() < 0.25,
            "{}",
            found.noise_map.at(200, 100)
        );
        assert!(
            found.white.iter().all(|white| (white / 1e-4 - 1.0).abs() < 0.2),
            "{:?}",
            found.white
        );
    }
}
