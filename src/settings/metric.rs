//! Settings of the metrics.

use serde::{Deserialize, Serialize};

/// Constants of the metrics. Contrasts are in natural log units.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSettings {
    /// Bounds of the fine and coarse texture bands, periods in mm.
    pub texture_periods_mm: [f64; 3],
    /// Largest noise power of a pair, multiple of that which each photo predicts.
    pub texture_noise_cap: f64,
    /// Least share of a band's amplitude that a file's rounding must have kept.
    pub texture_gain_min: f64,
    /// Distance of the two pixels of a co-occurrence, mm.
    pub glcm_distance_mm: f64,
    /// Width of a grey-level bin, natural log.
    pub glcm_bin_width: f64,
    /// Smallest and largest pore, mm.
    pub pore_diameter_mm: [f64; 2],
    /// Coarsest scale at which pores are measured, mm/px.
    pub pore_mm_per_px_max: f64,
    /// Error of one pore's diameter, mm, by which a pore may fall below the smallest.
    pub pore_diameter_error_mm: f64,
    /// Largest side of a pixel of the planes on which pores are searched, mm.
    pub pore_grid_mm: f64,
    /// Sigmas of the templates' dark profiles, mm.
    pub pore_sigmas_mm: Vec<f64>,
    /// Radius of the filters, mm.
    pub pore_filter_radius_mm: f64,
    /// Sigma of the Gaussian mean that is subtracted before pores are searched, mm.
    pub pore_surround_mm: f64,
    /// Side of a cell within which light and background texture count as uniform, mm; of scars too.
    pub pore_cell_mm: f64,
    /// Distance of the pixels from which the background texture's covariance is estimated, mm.
    pub pore_covariance_step_mm: f64,
    /// White noise added to that covariance, share of the background texture's variance.
    pub pore_regularisation: f64,
    /// Sigma of the smoothing before the slopes that the light's direction is estimated from, mm.
    pub light_slope_sigma_mm: f64,
    /// Contrast of a template's walls per unit of the slopes' skewness, and its upper limit, both shares of the dark
    /// profile's depth.
    pub pore_wall_contrast: [f64; 2],
    /// Least amplitude of a pore in some visit, natural log.
    pub pore_contrast: f64,
    /// Least amplitude of a pore in some visit, standard deviations of the response to background texture.
    pub pore_response_min: f64,
    /// Amplitude at which a pore is present in a visit, share of the larger of `pore_contrast` and the limit of
    /// `pore_response_min`.
    pub pore_hysteresis: f64,
    /// Amplitude from which a pore counts as captured by a visit alone, multiple of the detection limit.
    pub pore_capture_response: f64,
    /// Amplitude from which a pore is used for the change of diameters, multiple of the detection limit.
    pub pore_diameter_response: f64,
    /// Least difference from the strongest visit where a pore is absent, standard deviations of the difference of the
    /// visits in background texture.
    pub pore_vanished_sd: f64,
    /// Least distance of two candidates, px of the planes of the search.
    pub pore_distance_min_px: usize,
    /// Largest ratio of a pore's axes.
    pub pore_elongation_max: f64,
    /// Most directions, of twelve, in which a pore's dark profile does not rise to half.
    pub pore_open_directions_max: usize,
    /// Variance of the smoothing before pores are read, px².
    pub pore_smoothing_px2: f64,
    /// Width that scattering in skin and the camera add in quadrature to a pore's diameter, mm.
    pub pore_spread_mm: f64,
    /// Least distance of pores from the mask's edge, mm.
    pub pore_margin_mm: f64,
    /// Largest shortest period of a photo in which lines are measured, mm.
    pub line_period_max_mm: f64,
    /// Largest side of a pixel of the planes on which lines are searched, mm.
    pub line_grid_mm: f64,
    /// Sigmas of the derivatives across a line, mm.
    pub line_sigmas_mm: Vec<f64>,
    /// Lower limit of these sigmas, px of those planes.
    pub line_sigma_min_px: f64,
    /// Sigma of the mean along a line, mm.
    pub line_along_mm: f64,
    /// Number of directions of the filters.
    pub line_directions: usize,
    /// Sigma of the Gaussian mean by which the response of background texture is estimated, mm.
    pub line_surround_mm: f64,
    /// Limit to which responses are clipped in that mean, multiple of the mean without clipping.
    pub line_background_max: f64,
    /// Least excess of a ridge point's response over that of the background texture, share of the latter.
    pub line_excess_min: f64,
    /// Longest gap over which ridge points are linked, mm.
    pub line_gap_mm: f64,
    /// Largest angle between a line, the way to its next point and the line there, degrees.
    pub line_turn_deg: f64,
    /// Least response at a line's ends, share of the line's median.
    pub line_end_response: f64,
    /// Least saliency of a line, that excess summed along it, mm.
    pub line_saliency_min_mm: f64,
    /// Distance across a line within which its ridge must be the largest response, mm.
    pub line_distance_min_mm: f64,
    /// Shortest line, mm.
    pub line_min_mm: f64,
    /// Least distance of lines from the skin's edge, mm.
    pub line_margin_mm: f64,
    /// Half the width of the widest hole in the mask whose edge lines may touch, mm.
    pub line_hole_mm: f64,
    /// Length along the line over which a cross-section is averaged, mm.
    pub line_average_mm: f64,
    /// Radius within which cross-sections are smoothed along a line before its presence is decided, mm.
    pub line_smooth_mm: f64,
    /// Least contrast of a line in some visit, natural log.
    pub line_contrast: f64,
    /// Least amplitude in a visit where a line is present, share of that in the strongest visit.
    pub line_retained_min: f64,
    /// Least amplitude in a visit where a line is present, share of the upper quartile of the fraction that the visit
    /// retains along the line.
    pub line_retained_q75_share: f64,
    /// Width and depth of lines.
    pub groove: GrooveSettings,
    /// Largest side of a pixel of the planes on which scars are searched, mm.
    pub scar_grid_mm: f64,
    /// Radii at half depth of the templates, mm.
    pub scar_radii_mm: Vec<f64>,
    /// Radius of the filters, mm.
    pub scar_filter_radius_mm: f64,
    /// Sigma of the Gaussian mean that is subtracted before scars are searched, mm.
    pub scar_surround_mm: f64,
    /// Half-width of the strip along a line in which no scars are searched, mm.
    pub scar_line_mm: f64,
    /// Sigma of the smoothing before the luminance is regressed on colour, mm.
    pub scar_colour_mm: f64,
    /// Contrast at which planes are clipped, for the search and for the depth, median contrasts.
    pub scar_clip: [f64; 2],
    /// Contrast at which the planes of the search are clipped for the covariance of the background texture, median
    /// contrasts.
    pub scar_texture_clip: f64,
    /// White noise added to that covariance, share of the variance.
    pub scar_regularisation: f64,
    /// Share of skin below which a cell takes background texture and light of all skin.
    pub scar_cell_skin_min: f64,
    /// Least skewness of the slopes at which the light counts as oblique.
    pub scar_light_skewness_min: f64,
    /// Least amplitude of a scar in some visit, standard deviations of the response to background texture.
    pub scar_response_min: f64,
    /// Amplitude at which a scar is present in a visit, share of that limit.
    pub scar_hysteresis: f64,
    /// Least difference from the strongest visit where a scar is absent, standard deviations of the difference of the
    /// visits in background texture.
    pub scar_vanished_sd: f64,
    /// Selection bias of the depth beside that of the amplitude, standard deviations of the response to background
    /// texture.
    pub scar_depth_bias_sd: f64,
    /// Least distance of a scar's centre from a larger one's rim, and between candidates, mm.
    pub scar_distance_min_mm: f64,
    /// Least distance of scars from the mask's edge, mm.
    pub scar_margin_mm: f64,
    /// Least share of skin within two radii of a scar.
    pub scar_visible_min: f64,
    /// Largest response two radii beside a scar, across the light, share of that at the scar.
    pub scar_flank_response_max: f64,
    /// Log luminance per slope along the light, natural log.
    pub scar_shading_per_slope: f64,
    /// Sigma of the Gaussian mean that a spot is compared with, mm.
    pub spot_surround_mm: f64,
    /// Least share of all skin that lies outside a region, for its tone to be measured relative to that.
    pub tone_reference_share: f64,
    /// Smallest spot, mm².
    pub spot_min_mm2: f64,
    /// Least difference of a spot's cell from that mean, ΔE00.
    pub spot_contrast: f64,
}

impl Default for MetricSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.metric.clone()
    }
}

/// Width and depth from a cross-section of lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrooveSettings {
    /// Half length of a cross-section, mm.
    pub reach_mm: f64,
    /// Least half-width of the dark profile, mm.
    pub half_width_min_mm: f64,
    /// Half-width of the dark profile, groove widths.
    pub half_width_ratio: f64,
    /// Width of each flank beside the dark profile, mm.
    pub flank_mm: f64,
    /// Full width at half height of the dark profile, groove widths.
    pub profile_width_ratio: f64,
    /// Width that scattering in skin and the line's placement add in quadrature, mm.
    pub spread_mm: f64,
    /// Sigma of a photo's own blur, shortest periods that it resolves.
    pub blur_periods: f64,
    /// Lower limit of the corrected width, share of the dark profile's.
    pub width_min: f64,
    /// Least length of lines whose mean cross-section is read, mm.
    pub length_min_mm: f64,
    /// Share of a line's cross-section attributed to background texture, per unit of relative background response.
    pub background: f64,
    /// Integral of a solid dark profile, over its contrast times its width.
    pub solidity: f64,
    /// K of the dark profile's integral K·w·q²/(1 + q²/2), q = depth/width.
    pub depth_factor: f64,
}

impl Default for GrooveSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.metric.groove
    }
}
