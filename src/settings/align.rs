//! Settings of the alignment.

use serde::{Deserialize, Serialize};

/// Constants of the alignment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignSettings {
    /// Longest side of the baseline's measured window for feature matching, px.
    pub feature_size_px: usize,
    /// Longest side of the follow-up for feature matching, px.
    pub feature_frame_px: usize,
    /// Number of features kept per photo, strongest first.
    pub features_max: usize,
    /// SIFT contrast threshold, fraction of the grey range.
    pub feature_contrast: f64,
    /// Largest ratio of the nearest to the second-nearest distance of a match.
    pub match_ratio: f64,
    /// Distance within which a match agrees with the global map, fraction of the window's longer side.
    pub inlier_tolerance: f64,
    /// Fewest agreeing matches.
    pub inliers_min: usize,
    /// Number of hypotheses tried.
    pub ransac_hypotheses: usize,
    /// Smallest and largest scale accepted, follow-up px per baseline px.
    pub scale_range: [f64; 2],
    /// Largest rotation accepted, degrees.
    pub rotation_max_deg: f64,
    /// Distance of the field's nodes, mm.
    pub node_spacing_mm: f64,
    /// Nodes along the window's longer side where no scale is known.
    pub nodes_unscaled: f64,
    /// Most nodes along the window's longer side.
    pub nodes_max: f64,
    /// Smallest distance of nodes, px of the octave.
    pub node_spacing_min_px: f64,
    /// Expected change of the displacement's slope from node to node.
    pub bending: f64,
    /// Weight of the displacement's slope relative to its bending.
    pub slope: f64,
    /// Sigma of the registration band-pass, px of an octave.
    pub feature_band_px: f64,
    /// Contrast below which registration features fade out, natural log.
    pub feature_floor: f64,
    /// Area of an octave per independent residual, pixels.
    pub correlation_area_px: f64,
    /// Half of the largest longer side of the coarsest octave, px.
    pub coarsest_size_px: usize,
    /// Windows of more pixels than this are refined at half resolution.
    pub full_resolution_max_px: usize,
    /// Gauss–Newton rounds at each octave.
    pub rounds: usize,
    /// Gauss–Newton rounds at the finest octave.
    pub rounds_finest: usize,
    /// Longest step of a node in a round, px of the coarsest octave that is solved.
    pub step_px: f64,
    /// Feature difference at which a pixel keeps a quarter of its weight, local contrasts.
    pub outlier_difference: f64,
    /// Margin around the skin as located by the rough map, fraction of the window's longer side.
    pub seed_margin: f64,
    /// Smallest fraction of a node's surroundings that is skin visible in both photos.
    pub node_visible_min: f64,
    /// Correlation of the second finest octave from which a node has the same skin in both photos.
    pub node_correlation_min: f64,
    /// Smallest fraction of the nodes with the same skin in both photos.
    pub matching_nodes_min: f64,
    /// Number of solutions with random signs from which the error is estimated.
    pub bootstrap_draws: usize,
    /// Fraction of the penalties' nominal variance used in these solutions.
    pub bootstrap_penalties: f64,
    /// Nodes to each side over which the displacements of two octaves are compared.
    pub bias_nodes: usize,
    /// Smallest fraction of the gradients, in the nodes whose octaves are compared, that counts as signal.
    pub bias_signal_min: f64,
    /// Factor from the difference between the octaves to the error.
    pub bias_gain: f64,
    /// Smallest error, px.
    pub error_floor_px: f64,
    /// Estimated error above which skin is not comparable, px.
    pub error_max_px: f64,
}

impl Default for AlignSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.align.clone()
    }
}
