//! Settings of making luminance comparable.

use serde::{Deserialize, Serialize};

/// Constants of comparable luminance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LuminanceSettings {
    /// Weights of red, green and blue in log light.
    pub channel_weights: [f32; 3],
    /// Sigma of the illumination low-pass, mm.
    pub flatten_sigma_mm: f64,
    /// The same where no scale is known, fraction of the window's longer side.
    pub flatten_sigma_unscaled: f64,
    /// Light at which a channel counts as clipped, linear light (0–1).
    pub clip_limit: f64,
    /// Luminance below which skin is too dark to be measured, linear light (0–1).
    pub dark_limit: f64,
    /// Mean brightness of a highlight over the illumination, natural log.
    pub highlight_log: f64,
    /// Sigma of that mean, mm.
    pub highlight_sigma_mm: f64,
    /// Border of the frame that is masked, px.
    pub border_px: f64,
    /// Shortest period that a photo's pixels resolve, px.
    pub shortest_period_px: f64,
    /// Side of the tiles in which noise is estimated, px.
    pub noise_tile_px: usize,
    /// Quantile of the tiles' noise power.
    pub noise_quantile: f64,
    /// Blur of a sharp photo of skin, px; the shortest period grows with the blur that matching adds to it.
    pub own_blur_px: f64,
    /// Largest blur difference that is matched, px.
    pub blur_match_max_px: f64,
    /// Smallest step of the difference of two photos at the edge of a foreign object, natural log.
    pub foreign_step: f64,
    /// Largest variation of the levels beside such a step, fraction of the step.
    pub foreign_level: f64,
    /// Largest difference of the two photos on one side of a step, fraction of the step.
    pub foreign_zero: f64,
    /// Side of a tile in which straight steps are detected, px.
    pub foreign_tile_px: usize,
    /// Fewest pixels of a step's edge in a tile.
    pub foreign_edge_px: usize,
    /// Straightness of a step, 0–1: smallest length of the mean, over the pixels of its edge, of unit vectors at twice
    /// the edge's angle.
    pub foreign_straight: f64,
    /// Fewest tiles with a straight step.
    pub foreign_tiles_min: usize,
    /// Difference in focus and processing.
    pub transfer: TransferSettings,
}

impl Default for LuminanceSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.luminance.clone()
    }
}

/// Constants of the difference in focus and processing between two photos.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferSettings {
    /// Side of the tiles, px.
    pub tile_px: usize,
    /// Fewest tiles for a fit; with fewer the difference in focus is unknown.
    pub tiles_min: usize,
    /// Gaussian sigmas whose differences are the octaves, px.
    pub sigmas_px: Vec<f64>,
    /// Smallest error of the ratio of two photos' amplitudes in an octave, natural log.
    pub ratio_error: f64,
    /// Smallest coherence of an octave in a tile, squared correlation.
    pub coherence_min: f64,
    /// Smallest standard deviation of noise, natural log.
    pub noise_floor: f64,
    /// Standard deviation added to the noise estimated from a single photo, natural log.
    pub own_noise_floor: f64,
    /// Fraction of a difference that a common gain explains: treatment up to the first, processing from the second.
    pub explained_fraction: [f64; 2],
    /// Unexplained energy, fraction of the octave's: treatment from the first, processing up to the second.
    pub unexplained_fraction: [f64; 2],
    /// Standard error of the difference in blur where too little skin is visible to measure it, px².
    pub unknown_error_px2: f64,
}

impl Default for TransferSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.luminance.transfer.clone()
    }
}
