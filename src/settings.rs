//! Every tunable number: its default, its unit, its source.
//!
//! One struct per stage. The whole is written into result.json, so that a number can be traced.

use serde::Serialize;

/// All settings of an analysis.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Settings {
    /// Reading photos.
    pub photo: PhotoSettings,
    /// Finding the face and its regions.
    pub region: RegionSettings,
    /// Mapping follow-ups onto the baseline.
    pub align: AlignSettings,
    /// Making luminance comparable.
    pub luminance: LuminanceSettings,
}

/// Limits on the input.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoSettings {
    /// Largest photo accepted, in megapixels. House rule (issue 2): 200.
    pub max_megapixels: f64,
}

impl Default for PhotoSettings {
    fn default() -> Self {
        PhotoSettings { max_megapixels: 200.0 }
    }
}

/// Constants of the face finder and the skin mask.
#[derive(Debug, Clone, Serialize)]
pub struct RegionSettings {
    /// Face width at the cheek bones that stands in where no scale is known, mm. design.md: 140.
    pub nominal_face_width_mm: f64,
}

impl Default for RegionSettings {
    fn default() -> Self {
        RegionSettings { nominal_face_width_mm: 140.0 }
    }
}

/// Constants of the alignment. Sources: (D) chosen on the project's own phantoms, see README.
#[derive(Debug, Clone, Serialize)]
pub struct AlignSettings {
    /// Longest side of the baseline's measured window for feature matching, px (ecosystem.md:
    /// SIFT at ≤ 1500 px, then dense).
    pub feature_size_px: usize,
    /// Longest side of the follow-up for feature matching, px.
    pub feature_frame_px: usize,
    /// Features kept per photo, strongest first.
    pub features_max: usize,
    /// SIFT contrast threshold (Lowe 2004: 0.03 of the grey range; skin needs less).
    pub feature_contrast: f64,
    /// Nearest over second-nearest distance (Lowe 2004: 0.8).
    pub match_ratio: f64,
    /// Distance within which a match agrees with the global map, of the window's longer side:
    /// room for pose and mimic.
    pub inlier_tolerance: f64,
    /// Fewest agreeing matches; unrelated photos reach 9 (D).
    pub inliers_min: usize,
    /// Hypotheses tried: finds 10 % inliers with probability > 0.999.
    pub ransac_hypotheses: usize,
    /// Follow-up px per baseline px that are believed.
    pub scale_range: [f64; 2],
    /// Largest rotation believed, degrees.
    pub rotation_max_deg: f64,
    /// Distance of the field's nodes, mm: the field follows bends longer than about twice this,
    /// and no single wrinkle or pore.
    pub node_spacing_mm: f64,
    /// Nodes along the window's longer side where no scale is known.
    pub nodes_unscaled: f64,
    /// Smallest node distance in px of a level: enough pixels for a stable fit.
    pub node_spacing_min_px: f64,
    /// Expected change of the displacement's slope from node to node, of the node distance (D).
    pub bending: f64,
    /// Sigma of the registration band-pass, px of a level.
    pub feature_band_px: f64,
    /// Contrast (log units) below which registration features fade out.
    pub feature_floor: f64,
    /// Coarsest level's longer side is at most twice this, px.
    pub coarsest_size_px: usize,
    /// Windows with more pixels than this are refined at half resolution.
    pub full_resolution_max_px: usize,
    /// Gauss–Newton rounds per level.
    pub rounds: usize,
    /// Rounds at the finest level.
    pub rounds_finest: usize,
    /// Conjugate-gradient steps per round.
    pub solver_steps: usize,
    /// Least share of a node's window that must be skin seen in both photos.
    pub node_seen_min: f64,
    /// Median correlation over nodes below which the two photos are not of the same skin (D).
    pub correlation_min: f64,
    /// Median residual of a region above which it is not comparable, px.
    pub residual_max_px: f64,
}

impl Default for AlignSettings {
    fn default() -> Self {
        AlignSettings {
            feature_size_px: 1000,
            feature_frame_px: 1600,
            features_max: 2500,
            feature_contrast: 0.01,
            match_ratio: 0.8,
            inlier_tolerance: 0.015,
            inliers_min: 16,
            ransac_hypotheses: 4000,
            scale_range: [0.5, 2.0],
            rotation_max_deg: 45.0,
            node_spacing_mm: 4.0,
            nodes_unscaled: 24.0,
            node_spacing_min_px: 16.0,
            bending: 0.01,
            feature_band_px: 4.0,
            feature_floor: 0.02,
            coarsest_size_px: 96,
            full_resolution_max_px: 6_000_000,
            rounds: 3,
            rounds_finest: 2,
            solver_steps: 200,
            node_seen_min: 0.3,
            correlation_min: 0.25,
            residual_max_px: 2.0,
        }
    }
}

/// Constants of comparable luminance.
#[derive(Debug, Clone, Serialize)]
pub struct LuminanceSettings {
    /// Sigma of the illumination low-pass, mm: half of a 21 mm period is taken out, 2 % of a 4 mm
    /// one (design.md, trap 4: coarser than the widest scar, finer than the face's shading).
    pub flatten_sigma_mm: f64,
    /// The same, of the window's longer side, where no scale is known.
    pub flatten_sigma_unscaled: f64,
    /// Linear light (0–1) at which a channel counts as clipped: sRGB 252 of 255.
    pub clip_limit: f64,
    /// Linear luminance below which quantisation drowns texture: sRGB 8 of 255.
    pub dark_limit: f64,
    /// Frame border that resampling would mirror, px.
    pub border_px: f64,
    /// Shortest period a photo's pixels carry, px (design.md, Bands).
    pub shortest_period_px: f64,
    /// Side of the tiles that noise is estimated in, px.
    pub noise_tile_px: usize,
    /// Quantile of the tiles' noise power that is taken: skin adds, so low.
    pub noise_quantile: f64,
    /// Side of the tiles that relative blur is fitted in, px.
    pub blur_tile_px: usize,
    /// Gaussian sigmas whose differences are the bands of that fit, px.
    pub blur_sigmas_px: Vec<f64>,
    /// A band joins the fit where its signal power is this many times its noise power.
    pub blur_signal_min: f64,
    /// Fewest tiles for a fit; below, sharpness is left as it is.
    pub blur_tiles_min: usize,
    /// Largest blur difference that is matched, px; beyond, bands are lost.
    pub blur_match_max_px: f64,
}

impl Default for LuminanceSettings {
    fn default() -> Self {
        LuminanceSettings {
            flatten_sigma_mm: 4.0,
            flatten_sigma_unscaled: 0.03,
            clip_limit: 0.97,
            dark_limit: 0.0024,
            border_px: 3.0,
            shortest_period_px: 3.0,
            noise_tile_px: 24,
            noise_quantile: 0.1,
            blur_tile_px: 48,
            blur_sigmas_px: vec![0.7, 1.0, 1.4, 2.0, 2.8, 4.0],
            blur_signal_min: 1.0,
            blur_tiles_min: 12,
            blur_match_max_px: 2.0,
        }
    }
}
