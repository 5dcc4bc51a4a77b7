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
    /// Making colour comparable.
    pub tone: ToneSettings,
    /// Telling the light.
    pub light: LightSettings,
    /// Reading texture, pores, lines and tone.
    pub metric: MetricSettings,
    /// Judging the input.
    pub quality: QualitySettings,
    /// Telling a change from noise.
    pub change: ChangeSettings,
}

/// Limits on the input.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoSettings {
    /// Largest photo accepted, in megapixels. House rule (issue 2): 200.
    pub max_megapixels: f64,
    /// Codes of 8 bits by which a channel differs within 4 × 4 px of a flat area, at most: a JPEG
    /// rounds by one to each side, a colour profile stretches that by a quarter.
    pub flat_range: f64,
    /// Share of a flat area that holds one code (that range about its median): smooth skin drifts.
    pub flat_same: f64,
    /// Codes of the step within 8 px that an area ends in; of a black or white one, which skin that
    /// is badly exposed makes too, the second.
    pub flat_step: [f64; 2],
    /// Share of an area's border that lies by such a step.
    pub flat_edge: f64,
    /// Largest code of a black corner or bar at the frame's border, compression's ringing included.
    pub flat_black: f64,
    /// Smallest flat area, of the frame.
    pub flat_area: f64,
    /// The same, px: 32 × 32.
    pub flat_area_min_px: usize,
    /// Rim of a flat area, px: a block of a JPEG with halved chroma, and its interpolation.
    pub flat_rim_px: usize,
}

impl Default for PhotoSettings {
    fn default() -> Self {
        PhotoSettings {
            max_megapixels: 200.0,
            flat_range: 2.5,
            flat_same: 0.9,
            flat_step: [12.0, 48.0],
            flat_edge: 0.75,
            flat_black: 16.0,
            flat_area: 0.001,
            flat_area_min_px: 1024,
            flat_rim_px: 20,
        }
    }
}

/// Constants of the face finder and the skin mask.
#[derive(Debug, Clone, Serialize)]
pub struct RegionSettings {
    /// Face width at the cheek bones that stands in where no scale is known, mm. design.md: 140.
    pub nominal_face_width_mm: f64,
    /// One standard deviation of that width over adults, relative.
    pub nominal_face_width_uncertainty: f64,
    /// Longer side of the copy in which faces are looked for, px. 800 holds faces down to a
    /// twentieth of the frame (40 px, the cascade's window).
    pub detector_side_px: usize,
    /// Width of a candidate at the second look, px.
    pub second_look_px: usize,
    /// Smallest summed score of a face at the second look. Measured: 43 faces score 11.4 and more,
    /// what is no face (458 crops of cloth, skin, hair, rooms, each turned by 0 … 330°) at most 4.4.
    pub min_face_score: f64,
    /// Score from which an upright face is not sought in other turns of the photo. Measured: nine in
    /// ten of 43 upright faces reach 29, faces upside down at most 18.
    pub sure_face_score: f64,
    /// Factor on the score of a face less than 45° from upright, where another turn of the photo
    /// shows one at the same place: the wrong turn has a third of the right one's score (median of
    /// 43 faces upside down: 0).
    pub upright_preference: f64,
    /// Search for a face in turned copies, where the upright photo shows none that is sure.
    pub search: SearchSettings,
    /// The same in a photo of a series in which another photo shows a face.
    pub thorough: SearchSettings,
    /// Width of the face on the copy that skin is told apart on, px: a pixel of about 0.2 mm.
    pub skin_face_px: usize,
    /// A pixel of a face is burnt out when all channels reach this share of the encoding's white.
    pub clipped_white: f64,
    /// A pixel of a face is black when no channel exceeds this share of the encoding's white.
    pub clipped_black: f64,
    /// Added to linear light before the logarithm, so that noise in black does not grow.
    pub dark_floor: f64,
    /// Dark lines thinner than twice this stay skin: wrinkles, pores, single hairs; mm.
    pub closing_mm: f64,
    /// Reach over which skin sets its own level of light and chroma, mm.
    pub level_mm: f64,
    /// How far that level of light may lie from what the cheeks let expect, natural log.
    pub level_reach: f64,
    /// How much darker than that level skin may be, natural log.
    pub darker: f64,
    /// How much brighter (a highlight) it may be, natural log.
    pub brighter: f64,
    /// How much darker still it may be beside the nose and on the cheeks, natural log.
    pub shaded: f64,
    /// What a median absolute deviation of light over cheeks and nose (hard light) adds to
    /// `darker`, and half of it to `brighter`.
    pub contrast_gain: f64,
    /// Smallest standard deviation of a chroma (log of a ratio of channels) of skin.
    pub chroma_floor: f64,
    /// Largest standard deviation believed.
    pub chroma_cap: f64,
    /// How many standard deviations chroma may lie off.
    pub chroma_reach: f64,
    /// Width of a strand of hair with its gap, mm.
    pub strand_mm: f64,
    /// Hair has this many times the fine structure of cheeks and nose.
    pub strand_ratio: f64,
    /// Fine structure (mean departure in natural log) that is never hair.
    pub strand_floor: f64,
    /// Outside beard and moustache, hair is at least this much darker than skin, natural log.
    pub strand_darker: f64,
    /// Rounds of accepting pixels and of taking the level from them.
    pub skin_rounds: usize,
    /// Parts of skin thinner than twice this are left out, mm: 1 % of a face.
    pub opening_mm: f64,
    /// Holes of a smaller diameter are filled, mm.
    pub hole_mm: f64,
    /// What lies this near to something that is no skin is left out, mm.
    pub border_mm: f64,
    /// Margin of the window around the skin of a face, in face widths.
    pub margin: f64,
    /// How far around polygons skin is looked for, of the side of a square as large as their mean:
    /// 5 mm about one of 20 × 20 mm.
    pub polygon_reach: f64,
    /// The same, px, at least: small polygons are aligned, and their focus is told, by the skin around.
    pub polygon_reach_min_px: usize,
    /// What lies this near to something that is no skin is left out around polygons, of that reach.
    pub polygon_border: f64,
    /// Share of the log of red over green that skin keeps of that of the skin around: cloth, walls and
    /// black hair keep less; pale patches of dark skin (tone I in V) keep 0.6.
    pub frame_red_kept: f64,
    /// Departure of a chroma that is none of skin, natural log: a dense port-wine stain has 0.7.
    pub frame_chroma: f64,
    /// Red over green of the most frequent chroma, natural log, below which nothing is left out: the
    /// photo is black and white, or the frame no skin.
    pub frame_red_min: f64,
    /// Smallest part that is left out, of the frame.
    pub frame_part: f64,
    /// Reach of the mean of chroma in a frame, and border of what is left out, of the longer side.
    pub frame_smoothing: f64,
    /// Width of a bin of the chroma's histogram, natural log.
    pub frame_bin: f64,
    /// Probability of face skin (the nose included) from which a model is believed. Half of the
    /// labelled people chose 0.8; lowered for a photo of dark skin, see models/README.md. In the folds below the
    /// eyes half is enough, where no doubt around ends in belief in something else.
    pub model_skin: f64,
    /// How many times farther than without a model skin may depart in light, chroma and fine
    /// structure, where a model has drawn its outline. Chosen on the same half.
    pub model_slack: f64,
    /// Distance kept from the hair of the head that a model sees above the eyes, mm: single strands fall that far
    /// and look like lines (one face, looked at: of 109 mm of them 23 were left).
    pub hair_mm: f64,
    /// Probability of a face below which a landmark model is not believed.
    pub presence: f64,
    /// Smallest opening of an eye that is one, squared distances of the pupils: a mean eye has
    /// 0.06, one squinting to a quarter 0.015.
    pub eye_area: f64,
    /// Smallest area of lips, the same unit: a mean mouth has 0.19.
    pub lips_area: f64,
    /// Smallest area of a nose, the same unit: a mean nose has 0.35.
    pub nose_area: f64,
    /// Smallest area of a brow, the same unit: a mean brow has 0.07.
    pub brow_area: f64,
    /// Diameter of the visible iris of adults, mm (science.md: 11.7 ± 0.5).
    pub iris_mm: f64,
    /// One standard deviation of it over adults, relative.
    pub iris_uncertainty: f64,
    /// Error of the fit of a circle to an iris, relative: drawn irises of 17 to 60 px are met to
    /// 1.5 %; a real limbus is no sharp line.
    pub iris_fit_uncertainty: f64,
    /// Smallest iris that is measured, px across.
    pub iris_min_px: f64,
    /// How much the two irises of a face may differ, relative.
    pub iris_differ_max: f64,
    /// How much brighter it must get across the limbus, natural log of red.
    pub iris_contrast: f64,
    /// Distance of the pupils of adults, mm (science.md: 63 ± 3.6).
    pub pupil_distance_mm: f64,
    /// One standard deviation of it over adults, and the error of finding it, relative.
    pub pupil_distance_uncertainty: f64,
    /// Height over width from which an eye is open: a mean eye has 0.4, a closed one below 0.15.
    pub open_eye: f64,
    /// Largest turn of the head at which eyes tell a scale, degrees: its cosine is 0.97.
    pub scale_yaw_max_deg: f64,
}

/// How a face is sought in turned and mirrored copies of a photo. Sources: 17 faces at seven turns
/// (the figures below), `tests/finding.rs`.
#[derive(Debug, Clone, Serialize)]
pub struct SearchSettings {
    /// Longer side of the copy, px. Of 119 turned faces the cascade sees 118 at 300 px, 118 at 440
    /// and 114 to 118 at 800: a face that fills the frame is too large a window for it there.
    pub side_px: usize,
    /// Turns searched, evenly spaced over 360°: the cascade sees faces up to 15° from upright.
    pub turns: usize,
    /// Ratio of one size of the cascade's pyramid to the next.
    pub pyramid: f32,
    /// Most candidates that get a second look: bounds the cost on cloth and hair.
    pub candidates_max: usize,
    /// Smallest score of a face that is accepted where a model sees it with both eyes. At 1.5 the
    /// thorough search saw one face in 190 pictures without any (`tests/finding.rs`).
    pub doubtful_score: f64,
}

impl RegionSettings {
    /// The same settings with the thorough search in place of the usual one.
    pub fn thorough(&self) -> Self {
        RegionSettings { search: self.thorough.clone(), ..self.clone() }
    }
}

impl Default for RegionSettings {
    fn default() -> Self {
        RegionSettings {
            nominal_face_width_mm: 140.0,
            nominal_face_width_uncertainty: 0.06,
            detector_side_px: 800,
            second_look_px: 120,
            min_face_score: 6.0,
            sure_face_score: 20.0,
            upright_preference: 1.5,
            search: SearchSettings {
                side_px: 320,
                turns: 12,
                pyramid: 0.8,
                candidates_max: 24,
                doubtful_score: 2.5,
            },
            thorough: SearchSettings {
                side_px: 480,
                turns: 24,
                pyramid: 0.9,
                candidates_max: 48,
                doubtful_score: 2.5,
            },
            skin_face_px: 640,
            clipped_white: 0.997,
            clipped_black: 0.0005,
            dark_floor: 0.004,
            closing_mm: 1.2,
            level_mm: 12.0,
            level_reach: 0.5,
            darker: 0.5,
            brighter: 0.6,
            shaded: 0.4,
            contrast_gain: 1.5,
            chroma_floor: 0.08,
            chroma_cap: 0.10,
            chroma_reach: 3.5,
            strand_mm: 0.8,
            strand_ratio: 3.0,
            strand_floor: 0.15,
            strand_darker: 0.25,
            skin_rounds: 4,
            opening_mm: 0.7,
            hole_mm: 5.0,
            border_mm: 1.0,
            margin: 0.04,
            polygon_reach: 0.25,
            polygon_reach_min_px: 96,
            polygon_border: 0.1,
            frame_red_kept: 0.5,
            frame_chroma: 1.0,
            frame_red_min: 0.15,
            frame_part: 0.02,
            frame_smoothing: 0.01,
            frame_bin: 0.05,
            model_skin: 0.7,
            model_slack: 2.0,
            hair_mm: 6.0,
            presence: 0.5,
            eye_area: 0.012,
            lips_area: 0.03,
            nose_area: 0.08,
            brow_area: 0.01,
            iris_mm: 11.7,
            iris_uncertainty: 0.043,
            iris_fit_uncertainty: 0.02,
            iris_min_px: 12.0,
            iris_differ_max: 0.08,
            iris_contrast: 0.15,
            pupil_distance_mm: 63.0,
            pupil_distance_uncertainty: 0.06,
            open_eye: 0.2,
            scale_yaw_max_deg: 15.0,
        }
    }
}

/// Constants of the alignment. Sources: (D) chosen on drawn skin and drawn faces of seeds 900 and 901,
/// `tests/alignment.rs`; the figures in README are of other seeds too.
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
    /// Distance of the field's nodes, mm: the field follows bends longer than about twice this, as
    /// pose and mimic make them, and no single wrinkle (at most 2 mm wide) or pore. 4 and 6 are as
    /// accurate (D).
    pub node_spacing_mm: f64,
    /// Nodes along the window's longer side where no scale is known.
    pub nodes_unscaled: f64,
    /// Most nodes along the window's longer side: bounds the cost of a solution.
    pub nodes_max: f64,
    /// Smallest node distance, px of the octave: enough pixels for a stable fit.
    pub node_spacing_min_px: f64,
    /// Expected change of the displacement's slope from node to node (D): a bend of 20 px over a face
    /// of 1000 px makes 0.02. Stiffer loses the rim of a bent face, looser follows noise.
    pub bending: f64,
    /// Weight of the displacement's slope beside its bending: where no skin steers, the field
    /// levels out over some 1/√slope nodes (D).
    pub slope: f64,
    /// Sigma of the registration band-pass, px of an octave (D).
    pub feature_band_px: f64,
    /// Contrast (log units) below which registration features fade out.
    pub feature_floor: f64,
    /// Pixels of an octave that share one independent residual: the area of the registration
    /// band-pass's correlation (D).
    pub correlation_area_px: f64,
    /// The coarsest octave's longer side is at most twice this, px.
    pub coarsest_size_px: usize,
    /// Windows with more pixels than this are refined at half resolution.
    pub full_resolution_max_px: usize,
    /// Gauss–Newton rounds at each octave; a third gains nothing (D).
    pub rounds: usize,
    /// Rounds at the finest octave; a second gains nothing (D).
    pub rounds_finest: usize,
    /// Longest step of a node in a round, px of the coarsest octave that is solved.
    pub step_px: f64,
    /// Difference of the two photos' features, of their local contrast, at which a pixel keeps a
    /// quarter of its weight.
    pub outlier: f64,
    /// Margin around the place where the rough map has the skin, of the window's longer side.
    pub seed_margin: f64,
    /// Least share of a node's window that must be skin seen in both photos.
    pub node_seen_min: f64,
    /// Correlation of the second finest octave around a node above which it shows the same skin in
    /// both photos (D).
    pub alike_correlation: f64,
    /// Share of the nodes that must show the same skin: half as much again as the likest of 90 pairs of
    /// rendered strangers (0.27, `tests/alignment.rs`); drawn skin under
    /// a lamp moved by 20° still has more.
    pub likeness_min: f64,
    /// Solutions with random signs that the stated error is told from.
    pub bootstrap: usize,
    /// Share of the stiffness' variance that a bond of the field may really hold (D): real bends
    /// are smoother than `bending` lets them be.
    pub bootstrap_bonds: f64,
    /// Nodes to each side over which octaves are asked whether they agree.
    pub disagreement_nodes: usize,
    /// Least share of the gradients that counts as signal there: an octave that is all noise has
    /// no say.
    pub disagreement_signal: f64,
    /// Factor on what the octaves disagree about (D).
    pub error_bias_gain: f64,
    /// Error that is left however good the match, px (D).
    pub error_floor_px: f64,
    /// Stated error above which skin is not comparable, px: a third of the shortest
    /// period that is measured (3 px).
    pub error_max_px: f64,
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
            node_spacing_mm: 5.0,
            nodes_unscaled: 24.0,
            nodes_max: 64.0,
            node_spacing_min_px: 16.0,
            bending: 0.007,
            slope: 0.001,
            feature_band_px: 3.0,
            feature_floor: 0.02,
            correlation_area_px: 16.0,
            coarsest_size_px: 96,
            full_resolution_max_px: 6_000_000,
            rounds: 2,
            rounds_finest: 1,
            step_px: 2.0,
            outlier: 2.0,
            seed_margin: 0.1,
            node_seen_min: 0.3,
            alike_correlation: 0.5,
            likeness_min: 0.4,
            bootstrap: 24,
            bootstrap_bonds: 0.07,
            disagreement_nodes: 5,
            disagreement_signal: 0.25,
            error_bias_gain: 3.2,
            error_floor_px: 0.01,
            error_max_px: 1.0,
        }
    }
}

/// Constants of comparable luminance.
#[derive(Debug, Clone, Serialize)]
pub struct LuminanceSettings {
    /// Weights of red, green and blue in log light: those of a JPEG's luma (ITU-R BT.601) times the
    /// encoded channels of mean skin (1.3 : 1 : 0.85), so that the rounding of its chroma cancels.
    pub channel_weights: [f32; 3],
    /// Sigma of the illumination low-pass, mm: half of a 21 mm period is taken out, 2 % of a 4 mm
    /// one (design.md, trap 4: coarser than the widest scar, finer than the face's shading).
    pub flatten_sigma_mm: f64,
    /// The same, of the window's longer side, where no scale is known.
    pub flatten_sigma_unscaled: f64,
    /// Linear light (0–1) at which a channel counts as clipped: sRGB 252 of 255.
    pub clip_limit: f64,
    /// Linear luminance below which quantisation drowns texture: sRGB 8 of 255.
    pub dark_limit: f64,
    /// Log light by which a highlight outshines its surroundings (twice as bright), meant over the next:
    /// the bends and folds of matt skin stay below, drawn and on the Unsplash faces.
    pub highlight_log: f64,
    /// Sigma of that mean, mm: a glint on one ridge of the skin's relief is its texture.
    pub highlight_sigma_mm: f64,
    /// Frame border that resampling would mirror, px.
    pub border_px: f64,
    /// Shortest period a photo's pixels carry, px (design.md, Bands).
    pub shortest_period_px: f64,
    /// Side of the tiles that noise is estimated in, px.
    pub noise_tile_px: usize,
    /// Quantile of the tiles' noise power that is taken: skin adds, so low.
    pub noise_quantile: f64,
    /// Blur that a sharp photo of skin has by itself (lens, demosaicing, compression), px: matching
    /// lengthens the shortest period by what it adds to this. Close-ups of the phantoms showed 1.3
    /// by the slope of their spectrum.
    pub own_blur_px: f64,
    /// Largest blur difference that is matched, px; beyond, bands are lost.
    pub blur_match_max_px: f64,
    /// What two photos differ by.
    pub transfer: TransferSettings,
}

/// Constants of the difference in focus and processing between two photos.
#[derive(Debug, Clone, Serialize)]
pub struct TransferSettings {
    /// Side of the tiles, px.
    pub tile_px: usize,
    /// Fewest tiles for a fit; below, the difference in focus is not known.
    pub tiles_min: usize,
    /// Gaussian sigmas whose differences are the octaves, px.
    pub sigmas_px: Vec<f64>,
    /// Error of the log ratio of two photos' amplitudes in an octave, however well they agree.
    pub ratio_error: f64,
    /// Least coherence (squared correlation) of an octave in a tile.
    pub coherence_min: f64,
    /// Least standard deviation of noise, log units: rounding to 8 bits leaves it.
    pub noise_floor: f64,
    /// Standard deviation of noise, log units, that one photo by itself cannot tell from the skin's finest relief
    /// and its file's rounding.
    pub own_noise_floor: f64,
    /// Share of the difference that a common gain explains up to which it is treatment, and from which it is
    /// processing. Rendered treatments have at most 0.4, filters and curves 0.6 to 0.99.
    pub share: [f64; 2],
    /// Blur variance by which a denoised photo is at least softer, px²: pores that shrank to 0.65 look like 0.25.
    pub denoised_px2: f64,
    /// Noise power that a denoised photo has at most, of the other's.
    pub denoised_noise: f64,
    /// Variance of the blur that is taken for unknown where too little skin tells it: standard deviation, px².
    pub unknown_px2: f64,
}

impl Default for TransferSettings {
    fn default() -> Self {
        TransferSettings {
            tile_px: 48,
            tiles_min: 12,
            sigmas_px: vec![0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.2, 16.0],
            ratio_error: 0.01,
            coherence_min: 0.2,
            noise_floor: 0.001,
            own_noise_floor: 0.01,
            share: [0.5, 0.75],
            denoised_px2: 0.36,
            denoised_noise: 0.5,
            unknown_px2: 1.0,
        }
    }
}

impl Default for LuminanceSettings {
    fn default() -> Self {
        LuminanceSettings {
            channel_weights: [0.36, 0.55, 0.09],
            flatten_sigma_mm: 4.0,
            flatten_sigma_unscaled: 0.03,
            clip_limit: 0.97,
            dark_limit: 0.0024,
            highlight_log: 0.7,
            highlight_sigma_mm: 0.3,
            border_px: 3.0,
            shortest_period_px: 3.0,
            noise_tile_px: 24,
            noise_quantile: 0.1,
            own_blur_px: 1.3,
            blur_match_max_px: 2.0,
            transfer: TransferSettings::default(),
        }
    }
}

/// Constants of comparable colour.
#[derive(Debug, Clone, Serialize)]
pub struct ToneSettings {
    /// Side of a colour cell, mm: below the smallest spot counted, above the grain of texture.
    pub cell_mm: f64,
    /// Cells along the window's longer side where no scale is known.
    pub cells_unscaled: f64,
    /// Linear light (0–1) at which a channel counts as clipped: sRGB 252 of 255.
    pub clip_limit: f64,
}

impl Default for ToneSettings {
    fn default() -> Self {
        ToneSettings { cell_mm: 0.4, cells_unscaled: 350.0, clip_limit: 0.97 }
    }
}

/// Constants of the light's direction and of its change.
#[derive(Debug, Clone, Serialize)]
pub struct LightSettings {
    /// Weights of log red, green and blue that leave shading: their sum is 1, and they are blind to
    /// melanin (μ ∝ λ^−3.48, Jacques 1998) and haemoglobin (70 % saturated, Prahl's tables) at 610, 540
    /// and 465 nm, 0.65 : 1 : 1.68 and 0.10 : 1 : 0.60 (after Tsumura et al. 1999, 2003).
    pub shading_weights: [f64; 3],
    /// Sigma of the mean that leaves the skin's form, mm: above texture, pores and wrinkles. At 2.5 relief
    /// of half the depth changes it by 21 %, at 4 by 17 %, and a lamp by a tenth more.
    pub form_sigma_mm: f64,
    /// Fewest cells of skin.
    pub cells_min: usize,
    /// Least cosine between skin and light that a ratio of two photos is trusted at.
    pub grazing: f64,
    /// Rounds of the robust fit.
    pub rounds: usize,
}

impl Default for LightSettings {
    fn default() -> Self {
        LightSettings {
            shading_weights: [1.438, 0.298, -0.736],
            form_sigma_mm: 4.0,
            cells_min: 200,
            grazing: 0.1,
            rounds: 10,
        }
    }
}

/// Constants of the metrics. Contrasts are in natural log units. Sources: (P) chosen on the
/// project's phantoms by `skindelta validate`; (R) design.md.
#[derive(Debug, Clone, Serialize)]
pub struct MetricSettings {
    /// Bounds of the fine and coarse texture bands, periods in mm (R).
    pub texture_periods_mm: [f64; 3],
    /// Most power that what two photos do not share may have and be called noise, in powers of what
    /// each photo lets expect: the model of compression is good to a factor of 2 (`tests/comparable.rs`).
    pub texture_noise_cap: f64,
    /// Least share of a band's amplitude that a file must have kept: below, what it was is a guess of the
    /// coefficients' distribution.
    pub texture_gain_min: f64,
    /// Distance of the two pixels of a co-occurrence, mm.
    pub glcm_distance_mm: f64,
    /// Width of a grey-level bin, log units: 32 bins span ±32 %.
    pub glcm_bin_width: f64,
    /// Smallest and largest pore, mm (R).
    pub pore_diameter_mm: [f64; 2],
    /// Coarsest scale at which pores are told, mm/px (R: 10 px/mm).
    pub pore_mm_per_px_max: f64,
    /// What one pore's diameter may be wrong by, mm: it is not held against a small one (drawn skin: a
    /// standard deviation of 0.06 to 0.08).
    pub pore_diameter_error_mm: f64,
    /// Side of a pixel that pores are sought on, mm, at most.
    pub pore_grid_mm: f64,
    /// Sigmas of the dips that are sought, mm: pores of 0.2 to 0.6 mm as a camera and the scattering of
    /// light in skin show them; larger ones answer to the last.
    pub pore_sigmas_mm: Vec<f64>,
    /// Radius of the filters, mm: a dip and its surroundings.
    pub pore_reach_mm: f64,
    /// Sigma of the mean that is taken off before pores are sought, mm.
    pub pore_surround_mm: f64,
    /// Side of a cell that light and mesh are taken from, mm: some thousand cells of the mesh.
    pub pore_cell_mm: f64,
    /// Distance of the pixels that the mesh's covariance is taken at, mm.
    pub pore_sample_mm: f64,
    /// White noise added to the mesh's covariance, in shares of its variance.
    pub pore_ridge: f64,
    /// Scale of the slopes that tell the light, mm: their skewness points within 6° of a lamp at 52° on six
    /// drawn skins of all tones, and at half or twice the scale too.
    pub lamp_slope_mm: f64,
    /// Brightness of a pore's walls per unit of the slopes' skewness, and the most it may be (P).
    pub pore_lit: [f64; 2],
    /// A pore is counted if some visit shows at least this contrast, and this many standard deviations of
    /// what the mesh of skin makes (P) …
    pub pore_contrast: f64,
    /// … (drawn skin, single photos: 98 % of what is found are pores and 45 % of those of 0.25 mm and more are
    /// found, `skindelta validate`; with 3.0 more are found, and nine in ten are right) …
    pub pore_noises: f64,
    /// … and in each visit that shows at least this part of it (P).
    pub pore_hysteresis: f64,
    /// The count is told by the share that all visits show of the pores that one shows at this multiple of the
    /// limit: what is no pore stays where pores vanish, and is mostly weak (P: of pores halved in number 46.8 % are
    /// told gone, with 1.1 46.2 %; untouched ones move by 0.44 %, with 1.1 by 0.34 %).
    pub pore_sure: f64,
    /// A pore tells how diameters have changed from this multiple of the limit: shrunk to half it answers 0.43 as
    /// strongly in the mean (P), and most of them still count.
    pub pore_strong: f64,
    /// It has not vanished unless the visits differ, besides, by this many standard deviations of what they
    /// differ by all over the skin: 1 in 200 by chance.
    pub pore_differences: f64,
    /// Least distance of two pores, px of the grid.
    pub pore_apart_px: usize,
    /// Largest ratio of axes; longer dips are line ends (P).
    pub pore_elongation_max: f64,
    /// Directions of twelve in which the dip may not rise to half: more, and it is a valley (P).
    pub pore_open_directions_max: usize,
    /// Variance of the smoothing before pores are read, px²: without, the noisier photo's pores
    /// read 2 % smaller (`tests/comparable.rs`, noise).
    pub pore_smoothing_px2: f64,
    /// What the scattering of light in skin, and the camera, add to a pore's diameter (their squares), mm (P:
    /// 39 photos of 15 drawn skins, 11–20 px/mm, whose diameters it reads 1 % too large).
    pub pore_spread_mm: f64,
    /// Distance kept from the mask's edge, mm.
    pub pore_margin_mm: f64,
    /// Longest shortest period at which lines are told, mm: twice the width of a fine wrinkle.
    pub line_period_max_mm: f64,
    /// Side of a pixel that lines are sought on, mm, at most.
    pub line_grid_mm: f64,
    /// Sigmas of the derivatives across a line, mm: half widths of fine lines and of folds.
    pub line_sigmas_mm: Vec<f64>,
    /// Smallest sigma in px of that grid: below, a derivative sees single pixels.
    pub line_sigma_min_px: f64,
    /// Sigma of the mean along a line, mm: longer than the mesh of skin, shorter than a line bends (P).
    pub line_along_mm: f64,
    /// Directions that are tried: a line is at most 6° off one.
    pub line_directions: usize,
    /// Sigma of the surround whose mean response counts as mesh, mm: wider than a bundle of lines, such as a
    /// forehead's (P: of 6 and 12 alike).
    pub line_surround_mm: f64,
    /// Largest response that is counted as mesh, of the mean (P).
    pub line_mesh_max: f64,
    /// How much more than that mean a point of a line answers at least, of it (P).
    pub line_excess: f64,
    /// Longest gap that a line is followed over, mm: what a pore or a furrow across takes (P).
    pub line_gap_mm: f64,
    /// Largest angle between a line, the way to its next point and the line there, degrees: three of
    /// `line_directions`, about.
    pub line_turn_deg: f64,
    /// A line ends where its answer falls to this part of its median: half, as the mean along one that ends does.
    pub line_end: f64,
    /// That excess summed along a line, mm, at least (P: 12 gave 97 % of what is told for line on its own; with
    /// 15 the nasolabial folds of one face were lost, looked at).
    pub line_salience_mm: f64,
    /// Beside a line no other is told within this, mm: the far wall of a wide groove is none, crow's feet are
    /// (P: of 0.5–1.2 nearly alike).
    pub line_apart_mm: f64,
    /// Shortest line, mm: the mesh of primary skin lines is finer (P).
    pub line_min_mm: f64,
    /// Distance kept from the skin's edge, mm …
    pub line_margin_mm: f64,
    /// … and not from that of a hole narrower than twice this, mm, a highlight as a rule: the ridges between
    /// deep creases shine (one face, looked at).
    pub line_hole_mm: f64,
    /// Length along the line over which a cross-section is averaged, mm.
    pub line_average_mm: f64,
    /// Radius along a line within which sections are averaged before a point is judged, mm.
    pub line_smooth_mm: f64,
    /// Contrast at which a line counts in some visit (P).
    pub line_contrast: f64,
    /// A line is present in a visit that keeps this part of the dip that the strongest visit shows (P).
    pub line_remains: f64,
    /// … and this part of what the visit keeps along most of the line: a line whose depth was halved is
    /// still there, one that was shortened is not at its ends (P).
    pub line_remains_usual: f64,
    /// Reading of depth and width.
    pub groove: GrooveSettings,
    /// Side of a pixel that scars are sought on, mm, at most.
    pub scar_grid_mm: f64,
    /// Radii at half depth of the bowls that are sought, mm.
    pub scar_radii_mm: Vec<f64>,
    /// Radius of the filters, mm: half as much again as the largest.
    pub scar_reach_mm: f64,
    /// Sigma of the mean that is taken off before, mm.
    pub scar_surround_mm: f64,
    /// Half width of what is left out about a line, mm.
    pub scar_line_mm: f64,
    /// Sigma of the mean of the colour that pigment is told by, mm: finer, it is noise and compression.
    pub scar_colour_mm: f64,
    /// Contrast at which light and dark are cut off, of the median contrast: where scars are sought, and where
    /// their depth is read (P).
    pub scar_clip: [f64; 2],
    /// Contrast on the planes of the search that still counts as texture, of the median contrast: twice the
    /// standard deviation.
    pub scar_texture: f64,
    /// White noise added to the covariance, in shares of its variance.
    pub scar_ridge: f64,
    /// Share of skin below which a cell takes texture and light of all skin.
    pub scar_cell_min: f64,
    /// Least skewness of the slopes by which a lamp is seen to stand beside.
    pub scar_falls_min: f64,
    /// How many standard deviations of what the skin around answers a bowl must answer (P).
    pub scar_noises: f64,
    /// It is there in each visit that shows at least this part of that …
    pub scar_hysteresis: f64,
    /// … or differs by less than this many standard deviations of what the visits differ by.
    pub scar_differences: f64,
    /// Standard deviations of what the skin around answers by which those that are chosen are shown too deep:
    /// of bowls as faint as these, those are passed over that the skin around makes shallower (P: what was
    /// told of scars taken away).
    pub scar_chosen: f64,
    /// Least distance of one's middle from the larger one's rim, mm, and between places that answer.
    pub scar_apart_mm: f64,
    /// Distance kept from the mask's edge, mm …
    pub scar_margin_mm: f64,
    /// … and least share of skin within two radii.
    pub scar_seen_min: f64,
    /// Largest answer two radii beside a scar, across the light, of its own (P).
    pub scar_sides_max: f64,
    /// Log light per slope along the light: of a lamp that gives the skin half of its light, tan 31° / 2. How far
    /// off the skin's normal it stands is not known: of 25–40° that by which drawn scars are right (P).
    pub scar_shading: f64,
    /// Sigma of the surround that a spot is held against, mm.
    pub spot_surround_mm: f64,
    /// Least share of all skin that must lie outside a region for its tone to be told against.
    pub tone_reference_share: f64,
    /// Smallest spot, mm².
    pub spot_min_mm2: f64,
    /// Least ΔE00 of a spot cell against its surround.
    pub spot_contrast: f64,
}

/// How depth and width come from a cross-section of lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GrooveSettings {
    /// Half length of a cross-section, mm.
    pub reach_mm: f64,
    /// Half width of the dip, mm, at least (P: what is narrower cuts the walls of a groove of 0.7 mm) …
    pub core_mm: f64,
    /// … and this many times the groove's width.
    pub core_widths: f64,
    /// Width of what is beside it on each side, mm.
    pub rim_mm: f64,
    /// Width of the dark dip of a groove, of its own (P: 0.8; by radiosity 0.7, with 0.3–1 in single shapes and
    /// lights, `benches/groove.py`).
    pub dark: f64,
    /// What the scattering of light in skin (science.md: 0.1–0.3 mm) and the placing of the line add to its
    /// width, mm (P).
    pub spread_mm: f64,
    /// Sigma of a photo's own blur, of the shortest period that it carries.
    pub blur_periods: f64,
    /// Smallest width, of the one seen, that is told.
    pub width_min: f64,
    /// Least length of lines whose mean section is read, mm: the mesh that crosses fewer does not average
    /// out.
    pub least_mm: f64,
    /// How much of a line's section is the mesh of skin it was found on, of the response that the mesh gives
    /// around, of its own (P).
    pub mesh: f64,
    /// Integral of a solid dip, of its contrast times its width: half of a Gaussian's (P).
    pub solid: f64,
    /// K of the dip's integral K·w·q²/(1 + q²/2), q = depth/width: 0.46–0.88 for V and Gaussian, 0.9–1.7 for U
    /// shaped grooves (radiosity, `benches/groove.py`).
    pub dip: f64,
}

impl Default for GrooveSettings {
    fn default() -> Self {
        GrooveSettings {
            reach_mm: 2.4,
            core_mm: 1.2,
            core_widths: 1.3,
            rim_mm: 0.4,
            dark: 0.8,
            spread_mm: 0.2,
            blur_periods: 0.25,
            width_min: 0.3,
            least_mm: 6.0,
            mesh: 0.45,
            solid: 0.5,
            dip: 1.1,
        }
    }
}

impl Default for MetricSettings {
    fn default() -> Self {
        MetricSettings {
            texture_periods_mm: [0.25, 0.7, 2.0],
            texture_noise_cap: 2.0,
            texture_gain_min: 0.7,
            glcm_distance_mm: 0.3,
            glcm_bin_width: 0.02,
            pore_diameter_mm: [0.2, 1.0],
            pore_mm_per_px_max: 0.1,
            pore_diameter_error_mm: 0.1,
            pore_grid_mm: 0.07,
            pore_sigmas_mm: vec![0.12, 0.17, 0.25],
            pore_reach_mm: 0.6,
            pore_surround_mm: 1.5,
            pore_cell_mm: 24.0,
            pore_sample_mm: 0.2,
            pore_ridge: 0.01,
            lamp_slope_mm: 0.1,
            pore_lit: [4.0, 0.6],
            pore_contrast: 0.1,
            pore_noises: 3.3,
            pore_hysteresis: 0.7,
            pore_sure: 1.4,
            pore_strong: 1.7,
            pore_differences: 2.8,
            pore_apart_px: 2,
            pore_elongation_max: 3.0,
            pore_open_directions_max: 2,
            pore_smoothing_px2: 1.0,
            pore_spread_mm: 0.255,
            pore_margin_mm: 0.4,
            line_period_max_mm: 0.8,
            line_grid_mm: 0.2,
            line_sigmas_mm: vec![0.25, 0.45],
            line_sigma_min_px: 1.0,
            line_along_mm: 1.6,
            line_directions: 16,
            line_surround_mm: 12.0,
            line_mesh_max: 1.5,
            line_excess: 0.6,
            line_gap_mm: 0.6,
            line_turn_deg: 30.0,
            line_end: 0.5,
            line_salience_mm: 13.0,
            line_apart_mm: 0.8,
            line_min_mm: 5.0,
            line_margin_mm: 0.6,
            line_hole_mm: 1.0,
            line_average_mm: 1.0,
            line_smooth_mm: 3.0,
            line_contrast: 0.04,
            line_remains: 0.25,
            line_remains_usual: 0.7,
            groove: GrooveSettings::default(),
            scar_grid_mm: 0.3,
            scar_radii_mm: vec![0.75, 1.0, 1.35, 1.8, 2.4],
            scar_reach_mm: 3.6,
            scar_surround_mm: 4.0,
            scar_line_mm: 0.8,
            scar_colour_mm: 0.5,
            scar_clip: [3.0, 8.0],
            scar_texture: 3.0,
            scar_ridge: 0.02,
            scar_cell_min: 0.25,
            scar_falls_min: 0.03,
            scar_noises: 5.0,
            scar_hysteresis: 0.55,
            scar_differences: 2.8,
            scar_chosen: 0.45,
            scar_apart_mm: 0.5,
            scar_margin_mm: 1.0,
            scar_seen_min: 0.97,
            scar_sides_max: 0.35,
            scar_shading: 0.3,
            spot_surround_mm: 4.0,
            tone_reference_share: 0.2,
            spot_min_mm2: 1.0,
            spot_contrast: 3.0,
        }
    }
}

/// Limits of the input checks: at `warn` certainty suffers, at `fail` nothing is compared.
#[derive(Debug, Clone, Serialize)]
pub struct QualitySettings {
    /// Apparent blur of the skin, px: [warn, fail].
    pub blur_px: [f64; 2],
    /// Blur by which two photos differ, px: [warn, fail].
    pub blur_difference_px: [f64; 2],
    /// Blur that varies over the skin between two photos, px: [warn, fail].
    pub depth_of_field_px: [f64; 2],
    /// Gain that processing gave all skin alike, %: [warn, fail: beyond what the intervals hold].
    pub processing_percent: [f64; 2],
    /// Clipped skin, %: [warn, fail: never, it is left out]. Under 2 % are glints and nostrils.
    pub clipped_percent: [f64; 2],
    /// Share of the regions that shows skin, %: [warn, fail: never, each region has its own limit]. Seven
    /// of eight people photographed from the front have more, the one with glasses has not (pointing04).
    pub covered_percent: [f64; 2],
    /// Skin that highlights cover, %: [warn, fail: never, they are left out].
    pub highlight_percent: [f64; 2],
    /// Fine detail of the skin against that of the eyes: [warn, fail]. The Unsplash faces have 1.2 and
    /// 1.5 whatever their blur, after edge-preserving filters 0.8–1.1.
    pub smoothing: [f64; 2],
    /// Median L* of the skin below which a photo is too dark: [warn, fail].
    pub dark_lightness: [f64; 2],
    /// Exposure difference to the baseline, stops: [warn, fail].
    pub exposure_stops: [f64; 2],
    /// Pixels per mm: [warn: pores need it, fail: coarse texture needs it] (design.md, Bands).
    pub px_per_mm: [f64; 2],
    /// Spread (10 to 90 %) of the skin's brightness, stops: [warn, fail: never]. Frontal faces under
    /// the lamps of a laboratory have 2 (pointing04), one in hard light 5 (Unsplash man).
    pub light_evenness_stops: [f64; 2],
    /// Standard deviation of the noise, % of the light: [warn, fail]. Careful phantoms: up to 3.
    pub noise_percent: [f64; 2],
    /// Quality that the tables of a JPEG stand for (IJG's scale): [warn, fail]. The phantoms, which
    /// chose all other numbers, have 80 and more.
    pub jpeg_quality: [f64; 2],
    /// Change of the shading of the skin's form, % of it: [warn, fail: beyond what the intervals are known
    /// to hold]. Drawn skin under a lamp moved by 5° shows 7–22, by 10° 14–43 (`tests/comparable.rs`).
    pub light_change_percent: [f64; 2],
    /// Change of the contrast of the skin's form, %: [warn, fail: never, the intervals grow with it].
    pub contrast_change_percent: [f64; 2],
    /// Turn of the light about the head, degrees: [warn, fail].
    pub light_turn_deg: [f64; 2],
    /// Change of the skin's red or blue beside its green, %: [warn, fail: never, tone is told
    /// against other skin].
    pub colour_change_percent: [f64; 2],
    /// Departure of the skin from grey, % (of ln): [warn, fail: a black-and-white photo]. Skin in colour
    /// has 25 and more.
    pub colour_percent: [f64; 2],
    /// Difference in the size of the face, % (of ln): [warn, fail: beyond what is aligned].
    pub distance_percent: [f64; 2],
    /// Difference of yaw or pitch, degrees: [warn, fail]. The same people, frontal, sitting twice
    /// differ by up to 8° (pointing04); 15° foreshorten by as much as a small treatment.
    pub turn_deg: [f64; 2],
    /// Difference of roll, degrees: [warn, fail]. The alignment takes it out, the light keeps it.
    pub roll_deg: [f64; 2],
    /// Difference of the mouth's width, of the distance of the eyes as the next two: [warn, fail]. Twice neutral:
    /// up to 0.04 (pointing04); a broad smile: 0.20.
    pub smile: [f64; 2],
    /// Difference of the mouth's height: [warn, fail]. Twice neutral: up to 0.04; open: 0.18.
    pub mouth_opening: [f64; 2],
    /// Difference of the brows' height: [warn, fail]. Twice neutral: up to 0.01; raised: 0.07.
    pub brow_height: [f64; 2],
    /// Difference of the eyes' opening, of their width: [warn, fail]. Twice neutral: up to 0.05; closed: 0.3.
    pub eye_opening: [f64; 2],
    /// Share of the baseline's skin that a follow-up shows, %: [warn, fail].
    pub overlap_percent: [f64; 2],
    /// Share of a region that must be measurable, %.
    pub coverage_percent: f64,
}

impl Default for QualitySettings {
    fn default() -> Self {
        QualitySettings {
            blur_px: [1.6, 4.0],
            blur_difference_px: [0.8, 1.9],
            depth_of_field_px: [0.7, 1.6],
            processing_percent: [5.0, 8.0],
            clipped_percent: [2.0, 100.0],
            covered_percent: [50.0, 0.0],
            highlight_percent: [3.0, 100.0],
            smoothing: [1.1, 0.5],
            dark_lightness: [15.0, 5.0],
            exposure_stops: [0.5, 2.0],
            px_per_mm: [10.0, 4.3],
            light_evenness_stops: [2.5, 99.0],
            noise_percent: [5.0, 15.0],
            jpeg_quality: [90.0, 30.0],
            light_change_percent: [10.0, 32.0],
            contrast_change_percent: [4.0, 1000.0],
            light_turn_deg: [8.0, 20.0],
            colour_change_percent: [25.0, 1000.0],
            colour_percent: [8.0, 3.0],
            distance_percent: [20.0, 69.0],
            turn_deg: [6.0, 15.0],
            roll_deg: [8.0, 25.0],
            smile: [0.07, 0.14],
            mouth_opening: [0.07, 0.15],
            brow_height: [0.03, 0.06],
            eye_opening: [0.09, 0.18],
            overlap_percent: [95.0, 30.0],
            coverage_percent: 25.0,
        }
    }
}

/// Constants of the comparison.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeSettings {
    /// Bootstrap replicates: the standard error is known to 1/√(2·200) = 5 %.
    pub replicates: usize,
    /// Side of a tile, mm: longer than the correlation of texture, pores and line pieces.
    pub tile_mm: f64,
    /// Tiles a large region is cut into at most.
    pub tiles_max: usize,
    /// Tiles a small region is cut into at least, where its pixels allow.
    pub tiles_wanted: usize,
    /// Fewest tiles for an interval.
    pub tiles_min: usize,
    /// Fewest tiles with strong pores, or scars, that tell how those change. They are the interval's sample: a
    /// simulated null, 12 % of noise each, lies outside in 1–4 % with one to ten of them on each of four tiles or
    /// more, in 5 % with three. Were the sample all tiles, it would in 11 % with five pores and 33 % with ten on two.
    pub telling_tiles_min: usize,
    /// Smallest tile, px.
    pub tile_min_px: usize,
    /// False discovery rate over the rows of a visit (Benjamini & Hochberg 1995).
    pub false_discovery_rate: f64,
    /// Change of the form's shading (a share of it) that careful photos show: 0.03–0.07 under a lamp moved by
    /// 1.5°. What is beyond is light, and widens the intervals of relief.
    pub light_floor: f64,
    /// Standard deviation of ln(f/b) per such a change, of texture and pores, of wrinkles (scars and
    /// co-occurrence are given the same), and of anisotropy. A lamp moved by 5, 10, 20° changes shading by 0.15,
    /// 0.28, 0.54 (median), texture by 2.4, 4.7, 11 % and wrinkle depth by 5, 10, 19 % RMS: beyond the floor that
    /// is 0.55–0.65 of these; one turned by 33° changes anisotropy by 40 % (drawn skin, `tests/comparable.rs`).
    pub light_gain: [f64; 3],
    /// Change of the form's contrast (natural log) up to which it is chance, and standard deviation of a
    /// relief's ln(f/b) per what is beyond: another tone curve scales all contrast. A dark face whose codes
    /// are 10 % larger shows 0.034, its texture 4–8 % more; codes 5 % farther from the middle 0.098 and
    /// 10–20 %. Careful phantoms: 0.02.
    pub contrast_floor: f64,
    /// See above.
    pub contrast_gain: f64,
    /// Most that it adds: a close-up whose relief was made half as deep all over changes its form's contrast,
    /// too.
    pub contrast_max: f64,
    /// Standard deviation between captures of unchanged skin, from `skindelta validate`.
    pub capture: Vec<CaptureSd>,
}

/// Variance between captures of one metric: `floor² + per_cm² / area`.
#[derive(Debug, Clone, Serialize)]
pub struct CaptureSd {
    /// Metric id.
    pub metric: &'static str,
    /// What is left on any area: of ln(f/b), or in the metric's unit where it is no ratio.
    pub floor: f64,
    /// What 1 cm² adds.
    pub at_1_cm2: f64,
}

/// Between captures: metric, floor, at 1 cm². From `skindelta validate` (short, and `--full`: 36 skins of six
/// tones, three photos each at 11, 14 or 20 px/mm), rounded. What these photos lack, a lamp that moved and another
/// tone curve, is added by `light_gain` and `contrast_gain`. Scars are few: drawn skin shows 5–12 % of
/// `scar_depth`, no real one has been tried, and as much is taken for sure.
const CAPTURE_SD: [(&str, f64, f64); 32] = [
    ("texture_roughness", 0.014, 0.012),
    ("texture_fine", 0.016, 0.012),
    ("texture_coarse", 0.016, 0.012),
    ("texture_anisotropy", 0.08, 0.05),
    ("glcm_contrast", 0.06, 0.04),
    ("glcm_joint_entropy", 0.02, 0.02),
    ("glcm_angular_second_moment", 0.06, 0.04),
    ("glcm_inverse_difference_moment", 0.03, 0.02),
    ("glcm_correlation", 0.03, 0.03),
    ("glcm_dissimilarity", 0.03, 0.02),
    ("pore_count", 0.01, 0.02),
    ("pore_density", 0.01, 0.02),
    ("pore_diameter", 0.012, 0.012),
    ("pore_area_percent", 0.02, 0.02),
    ("visible_pore_density", 0.02, 0.05),
    ("pore_elongation", 0.015, 0.03),
    ("wrinkle_length", 0.01, 0.02),
    ("wrinkle_density", 0.01, 0.02),
    ("wrinkle_width", 0.03, 0.06),
    ("wrinkle_depth", 0.025, 0.04),
    ("wrinkle_depth_max", 0.03, 0.05),
    ("wrinkle_area_percent", 0.03, 0.06),
    ("scar_area_percent", 0.1, 0.2),
    ("scar_depth", 0.1, 0.2),
    ("lightness", 3.0, 0.5),
    ("redness", 0.45, 0.1),
    ("yellowness", 0.6, 0.2),
    ("ita", 6.6, 1.0),
    ("tone_unevenness", 0.11, 0.02),
    ("spot_area_percent", 0.35, 0.12),
    ("spot_count", 0.35, 0.2),
    ("spot_contrast", 0.05, 0.07),
];

impl Default for ChangeSettings {
    fn default() -> Self {
        ChangeSettings {
            replicates: 200,
            tile_mm: 4.0,
            tiles_max: 150,
            tiles_wanted: 24,
            tiles_min: 6,
            telling_tiles_min: 4,
            tile_min_px: 16,
            false_discovery_rate: 0.05,
            light_floor: 0.04,
            contrast_floor: 0.015,
            contrast_gain: 2.0,
            contrast_max: 0.2,
            light_gain: [0.35, 0.7, 3.0],
            capture: CAPTURE_SD
                .map(|(metric, floor, at_1_cm2)| CaptureSd { metric, floor, at_1_cm2 })
                .to_vec(),
        }
    }
}

impl ChangeSettings {
    /// Standard deviation between captures of unchanged skin over `area_cm2`.
    pub fn capture_sd(&self, metric: &str, area_cm2: f64) -> f64 {
        self.capture.iter().find(|c| c.metric == metric).map_or(f64::INFINITY, |c| {
            (c.floor.powi(2) + c.at_1_cm2.powi(2) / area_cm2.max(1e-6)).sqrt()
        })
    }
}

/// What a batch expects of its series. Not part of [`Settings`]: it moves no number.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Memory that each photo of a series holds while the series is measured, bytes per pixel.
    /// Measured with regions on the whole frame, the worst case: 62 to 67 with 1 to 5 visits.
    pub bytes_per_photo_pixel: u64,
    /// Memory of the planes in work, bytes per pixel of the largest photo of a series. A margin
    /// over what was measured.
    pub bytes_per_working_pixel: u64,
}

impl Default for BatchSettings {
    fn default() -> Self {
        BatchSettings { bytes_per_photo_pixel: 65, bytes_per_working_pixel: 20 }
    }
}
