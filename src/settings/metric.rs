//! Settings of the metrics.

use serde::{Deserialize, Serialize};

/// Constants of the metrics. Contrasts are in natural log units.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSettings {
    /// Bounds of the fine and coarse texture bands, periods in mm.
    pub texture_periods_mm: [f64; 3],
    /// Largest power of a difference of two photos called noise, multiple of what each photo predicts.
    pub texture_noise_cap: f64,
    /// Least share of a band's amplitude that a file must have kept.
    pub texture_gain_min: f64,
    /// Distance of the two pixels of a co-occurrence, mm.
    pub glcm_distance_mm: f64,
    /// Width of a grey-level bin, natural log.
    pub glcm_bin_width: f64,
    /// Smallest and largest pore, mm.
    pub pore_diameter_mm: [f64; 2],
    /// Coarsest scale at which pores are measured, mm/px.
    pub pore_mm_per_px_max: f64,
    /// Error of one pore's diameter, mm: it is not held against a small one.
    pub pore_diameter_error_mm: f64,
    /// Largest side of a pixel that pores are sought on, mm.
    pub pore_grid_mm: f64,
    /// Sigmas of the dark profiles that are sought, mm.
    pub pore_sigmas_mm: Vec<f64>,
    /// Radius of the filters, mm.
    pub pore_filter_radius_mm: f64,
    /// Sigma of the mean that is taken off before pores are sought, mm.
    pub pore_surround_mm: f64,
    /// Side of a cell that light and background texture are estimated from, mm.
    pub pore_cell_mm: f64,
    /// Distance of the pixels that the background texture's covariance is taken at, mm.
    pub pore_covariance_step_mm: f64,
    /// White noise added to that covariance, share of the background texture's variance.
    pub pore_regularisation: f64,
    /// Scale of the slopes that the light direction is estimated from, mm.
    pub light_slope_sigma_mm: f64,
    /// Brightness of a pore's walls per unit of the slopes' skewness, and the most it may be, natural log.
    pub pore_wall_contrast: [f64; 2],
    /// Least contrast of a pore in some visit, natural log.
    pub pore_contrast: f64,
    /// Least response of a pore in some visit, standard deviations of that of the background texture.
    pub pore_response_min: f64,
    /// Least share of both limits in each visit that shows the pore.
    pub pore_hysteresis: f64,
    /// Response from which pores count in the share that all visits show, multiple of the limit.
    pub pore_capture_response: f64,
    /// Response from which a pore is used for the change of diameters, multiple of the limit.
    pub pore_diameter_response: f64,
    /// Least difference of the visits where a pore has vanished, standard deviations of that of all skin.
    pub pore_vanished_sd: f64,
    /// Least distance of two pores, px of the grid.
    pub pore_distance_min_px: usize,
    /// Largest ratio of a pore's axes.
    pub pore_elongation_max: f64,
    /// Most directions, of twelve, in which a pore's dark profile does not rise to half.
    pub pore_open_directions_max: usize,
    /// Variance of the smoothing before pores are read, px².
    pub pore_smoothing_px2: f64,
    /// What scattering in skin and the camera add to a pore's diameter (their squares), mm.
    pub pore_spread_mm: f64,
    /// Distance of pores kept from the mask's edge, mm.
    pub pore_margin_mm: f64,
    /// Longest shortest period at which lines are measured, mm.
    pub line_period_max_mm: f64,
    /// Largest side of a pixel that lines are sought on, mm.
    pub line_grid_mm: f64,
    /// Sigmas of the derivatives across a line, mm.
    pub line_sigmas_mm: Vec<f64>,
    /// Smallest of these sigmas, px of that grid.
    pub line_sigma_min_px: f64,
    /// Sigma of the mean along a line, mm.
    pub line_along_mm: f64,
    /// Number of directions that are tried.
    pub line_directions: usize,
    /// Sigma of the surround whose mean response counts as background texture, mm.
    pub line_surround_mm: f64,
    /// Largest response that is counted as background texture, multiple of the mean.
    pub line_background_max: f64,
    /// Least excess of the response of a line's point over that mean, share of the mean.
    pub line_excess_min: f64,
    /// Longest gap that a line is followed over, mm.
    pub line_gap_mm: f64,
    /// Largest angle between a line, the way to its next point and the line there, degrees.
    pub line_turn_deg: f64,
    /// Response at which a line ends, share of its median.
    pub line_end_response: f64,
    /// Least excess summed along a line, mm.
    pub line_saliency_min_mm: f64,
    /// Distance from a line within which no other is found beside it, mm.
    pub line_distance_min_mm: f64,
    /// Shortest line, mm.
    pub line_min_mm: f64,
    /// Distance of lines kept from the skin's edge, mm.
    pub line_margin_mm: f64,
    /// Half the width of the widest hole whose edge lines may touch, mm.
    pub line_hole_mm: f64,
    /// Length along the line over which a cross-section is averaged, mm.
    pub line_average_mm: f64,
    /// Radius along a line within which sections are averaged before a point is judged, mm.
    pub line_smooth_mm: f64,
    /// Contrast at which a line counts in some visit, natural log.
    pub line_contrast: f64,
    /// Least amplitude in a visit where a line is present, share of that of the strongest visit.
    pub line_retained_min: f64,
    /// The same, share of what the visit keeps along most of the line.
    pub line_retained_q75_share: f64,
    /// Reading of depth and width.
    pub groove: GrooveSettings,
    /// Largest side of a pixel that scars are sought on, mm.
    pub scar_grid_mm: f64,
    /// Radii at half depth of the bowls that are sought, mm.
    pub scar_radii_mm: Vec<f64>,
    /// Radius of the filters, mm.
    pub scar_filter_radius_mm: f64,
    /// Sigma of the mean that is taken off before scars are sought, mm.
    pub scar_surround_mm: f64,
    /// Half width of what is left out about a line, mm.
    pub scar_line_mm: f64,
    /// Sigma of the mean of the colour that pigment is estimated from, mm.
    pub scar_colour_mm: f64,
    /// Contrast of cut-off where scars are sought, and where their depth is read, median contrasts.
    pub scar_clip: [f64; 2],
    /// Contrast on the planes of the search that still counts as texture, median contrasts.
    pub scar_texture_clip: f64,
    /// White noise added to the covariance, share of its variance.
    pub scar_regularisation: f64,
    /// Share of skin below which a cell takes texture and light of all skin.
    pub scar_cell_skin_min: f64,
    /// Least skewness of the slopes at which the light stands beside.
    pub scar_light_skewness_min: f64,
    /// Least response of a bowl, standard deviations of that of the skin around.
    pub scar_response_min: f64,
    /// Least share of that response in each visit that shows the bowl.
    pub scar_hysteresis: f64,
    /// Difference of the visits below which the bowl is there all the same, standard deviations.
    pub scar_vanished_sd: f64,
    /// Selection bias of the depth, standard deviations of the response of the skin around.
    pub scar_depth_bias_sd: f64,
    /// Least distance of a scar's middle from a larger one's rim, and between candidates, mm.
    pub scar_distance_min_mm: f64,
    /// Distance of scars kept from the mask's edge, mm.
    pub scar_margin_mm: f64,
    /// Least share of skin within two radii of a scar.
    pub scar_visible_min: f64,
    /// Largest response two radii beside a scar, across the light, share of its own.
    pub scar_flank_response_max: f64,
    /// Light per slope along the light direction, natural log.
    pub scar_shading_per_slope: f64,
    /// Sigma of the surround that a spot is held against, mm.
    pub spot_surround_mm: f64,
    /// Least share of all skin outside a region that its tone is measured against.
    pub tone_reference_share: f64,
    /// Smallest spot, mm².
    pub spot_min_mm2: f64,
    /// Least contrast of a spot cell against its surround, ΔE00.
    pub spot_contrast: f64,
}

impl Default for MetricSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.metric.clone()
    }
}

/// How depth and width come from a cross-section of lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrooveSettings {
    /// Half length of a cross-section, mm.
    pub reach_mm: f64,
    /// Least half width of the dark profile, mm.
    pub half_width_min_mm: f64,
    /// Half width of the dark profile, groove widths.
    pub half_width_ratio: f64,
    /// Width of each flank beside the dark profile, mm.
    pub flank_mm: f64,
    /// Width of a groove's dark profile, groove widths.
    pub profile_width_ratio: f64,
    /// What scattering in skin and the placing of the line add to the width, mm.
    pub spread_mm: f64,
    /// Sigma of a photo's own blur, shortest periods that it carries.
    pub blur_periods: f64,
    /// Smallest width that is reported, share of the one seen.
    pub width_min: f64,
    /// Least length of lines whose mean section is read, mm.
    pub length_min_mm: f64,
    /// Share of a line's section that is background texture, per unit of relative background response.
    pub background: f64,
    /// Integral of a solid dark profile, of its contrast times its width.
    pub solidity: f64,
    /// K of the dark profile's integral K·w·q²/(1 + q²/2), q = depth/width.
    pub depth_factor: f64,
}

impl Default for GrooveSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.metric.groove
    }
}
