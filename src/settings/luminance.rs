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
    /// The same where no scale is known, share of the window's longer side.
    pub flatten_sigma_unscaled: f64,
    /// Light at which a channel counts as clipped, linear light (0–1).
    pub clip_limit: f64,
    /// Luminance below which skin is too dark to be measured, linear light (0–1).
    pub dark_limit: f64,
    /// Mean contrast of a highlight to its surroundings, natural log.
    pub highlight_log: f64,
    /// Sigma of that mean, mm.
    pub highlight_sigma_mm: f64,
    /// Border of the frame that is left out, px.
    pub border_px: f64,
    /// Shortest period a photo's pixels carry, px.
    pub shortest_period_px: f64,
    /// Side of the tiles that noise is estimated in, px.
    pub noise_tile_px: usize,
    /// Quantile of the tiles' noise power that is taken.
    pub noise_quantile: f64,
    /// Blur of a sharp photo of skin; matching lengthens the shortest period by what it adds to this, px.
    pub own_blur_px: f64,
    /// Largest blur difference that is matched, px.
    pub blur_match_max_px: f64,
    /// Step of the difference of two photos that is not of skin, natural log.
    pub foreign_step: f64,
    /// Most that the levels beside such a step vary, share of the step.
    pub foreign_level: f64,
    /// Largest difference of the two photos on the lesser side of a step, share of the step.
    pub foreign_none: f64,
    /// Side of a tile that straight steps are sought in, px.
    pub foreign_tile_px: usize,
    /// Fewest pixels of a step's edge in a tile.
    pub foreign_edge_px: usize,
    /// Least length of the mean of their unit vectors at twice the edge's angle, 0–1.
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
    /// Least error of the ratio of two photos' amplitudes in an octave, natural log.
    pub ratio_error: f64,
    /// Least coherence of an octave in a tile, squared correlation.
    pub coherence_min: f64,
    /// Least standard deviation of noise, natural log.
    pub noise_floor: f64,
    /// Least standard deviation of noise that a single photo is given, natural log.
    pub own_noise_floor: f64,
    /// Shares of a difference explained by a common gain up to which it is treatment, and from which processing.
    pub share: [f64; 2],
    /// Unexplained energy from which a difference is treatment, and up to which processing, shares of the octave's.
    pub unexplained: [f64; 2],
    /// Standard deviation of the variance of a blur that too little skin shows, px².
    pub unknown_px2: f64,
}

impl Default for TransferSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.luminance.transfer.clone()
    }
}
