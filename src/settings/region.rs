//! Settings of the face detection, the regions and the skin mask.

use serde::{Deserialize, Serialize};

/// Constants of the face detection, the regions and the skin mask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// Face width at the cheek bones, used where no scale is known, mm.
    pub nominal_face_width_mm: f64,
    /// One standard deviation of that width over adults, relative.
    pub nominal_face_width_uncertainty: f64,
    /// Longer side of the copy in which faces are detected, px.
    pub detector_side_px: usize,
    /// Width of a candidate at the second detector pass, px.
    pub second_pass_px: usize,
    /// Minimum summed score of a face at the second detector pass.
    pub min_face_score: f64,
    /// Minimum score of an upright face to end the search without other turns of the photo.
    pub sure_face_score: f64,
    /// Factor on the score of detections less than 45° from upright, in the search of all turns.
    pub upright_preference: f64,
    /// Search in turned copies, where the upright photo has no face with `sure_face_score`.
    pub search: SearchSettings,
    /// The same in a photo of a series in which another photo has a face.
    pub thorough: SearchSettings,
    /// Width of the face on the copy on which skin is segmented, px.
    pub skin_face_px: usize,
    /// A pixel of a face is clipped when all channels reach this, share of the encoding's white.
    pub clipped_white: f64,
    /// A pixel of a face is black when no channel exceeds this, share of the encoding's white.
    pub clipped_black: f64,
    /// Added to light before the logarithm, linear light (0–1).
    pub dark_floor: f64,
    /// Dark lines thinner than twice this stay skin, mm.
    pub closing_mm: f64,
    /// Radius of the mean that is the local level of light and chroma, mm.
    pub level_mm: f64,
    /// Largest departure of the level of light from the cheeks' linear prediction, natural log.
    pub level_departure_max: f64,
    /// Largest darkness of skin below its level, natural log.
    pub darker_max: f64,
    /// Largest brightness of skin above its level, natural log.
    pub brighter_max: f64,
    /// Added to `darker_max` beside the nose and on the cheeks, for shadows, natural log.
    pub shadow_tolerance: f64,
    /// Added to `darker_max`, half to `brighter_max`, per median absolute deviation of light of cheeks and nose.
    pub contrast_gain: f64,
    /// Smallest standard deviation of a chroma (log of a ratio of channels) of skin, natural log.
    pub chroma_floor: f64,
    /// Largest standard deviation of a chroma of skin, natural log.
    pub chroma_cap: f64,
    /// Largest departure of the chroma of skin, standard deviations.
    pub chroma_departure_max: f64,
    /// Width of a hair with its gap, mm.
    pub hair_period_mm: f64,
    /// Minimum fine structure of hair, multiple of that of cheeks and nose.
    pub hair_texture_ratio: f64,
    /// Minimum fine structure of hair (mean departure of light from its surround), natural log.
    pub hair_texture_min: f64,
    /// Minimum darkness of hair below skin, outside beard and moustache, natural log.
    pub hair_darker_min: f64,
    /// Iterations of classifying pixels and of estimating the level from those accepted.
    pub skin_rounds: usize,
    /// Parts of skin thinner than twice this are excluded, mm.
    pub opening_mm: f64,
    /// Holes of a smaller diameter are filled, mm.
    pub hole_mm: f64,
    /// Width of the excluded border beside other objects, mm.
    pub border_mm: f64,
    /// Margin of the window around the skin of a face, face widths.
    pub margin: f64,
    /// Distance around polygons within which skin is searched for, sides of a square as large as their mean.
    pub polygon_reach: f64,
    /// Minimum of that distance, px.
    pub polygon_reach_min_px: usize,
    /// Width of the excluded border beside other objects around polygons, share of that distance.
    pub polygon_border: f64,
    /// Minimum log of red over green of skin in a frame, share of that of the most frequent chroma.
    pub frame_red_kept: f64,
    /// Largest departure of skin from the most frequent chroma, natural log.
    pub frame_chroma: f64,
    /// Red over green of the most frequent chroma below which nothing is excluded, natural log.
    pub frame_red_min: f64,
    /// Smallest part that is excluded, share of the frame.
    pub frame_part: f64,
    /// Radius of the mean of chroma, and border of excluded parts, share of the longer side.
    pub frame_smoothing: f64,
    /// Width of a bin of the chroma's histogram, natural log.
    pub frame_bin: f64,
    /// Minimum probability of face skin (the nose included) in a model's output.
    pub skin_probability_min: f64,
    /// Factor on the limits of light, chroma and fine structure where a model has segmented the skin.
    pub segmented_tolerance_factor: f64,
    /// Width of the excluded border beside hair of the head that a model segments above the eyes, mm.
    pub hair_border_mm: f64,
    /// Minimum probability of a face for a landmark model's output to be used.
    pub presence_min: f64,
    /// Smallest opening of an eye, squared distances of the pupils.
    pub eye_area: f64,
    /// Smallest area of lips, squared distances of the pupils.
    pub lips_area: f64,
    /// Smallest area of a nose, squared distances of the pupils.
    pub nose_area: f64,
    /// Smallest area of a brow, squared distances of the pupils.
    pub brow_area: f64,
    /// Diameter of the visible iris of adults, mm.
    pub iris_mm: f64,
    /// One standard deviation of that diameter over adults, relative.
    pub iris_uncertainty: f64,
    /// Error of the fit of a circle to an iris, relative.
    pub iris_fit_uncertainty: f64,
    /// Smallest diameter of a measured iris, px.
    pub iris_min_px: f64,
    /// Largest difference of the two irises of a face, relative.
    pub iris_difference_max: f64,
    /// Minimum rise of brightness across the limbus, natural log of red.
    pub iris_contrast: f64,
    /// Distance of the pupils of adults, mm.
    pub pupil_distance_mm: f64,
    /// One standard deviation of that distance over adults and of its measurement, relative.
    pub pupil_distance_uncertainty: f64,
    /// Minimum height over width of an open eye.
    pub eye_opening_min: f64,
    /// Largest yaw of the head at which the scale is measured, degrees.
    pub scale_yaw_max_deg: f64,
}

impl Default for RegionSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.region.clone()
    }
}

impl RegionSettings {
    /// The same settings with the `thorough` search in place of `search`.
    pub fn thorough(&self) -> Self {
        RegionSettings { search: self.thorough.clone(), ..self.clone() }
    }
}

/// Search for a face in turned and mirrored copies of a photo.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSettings {
    /// Longer side of the copy, px.
    pub side_px: usize,
    /// Number of turns searched, evenly spaced over 360°.
    pub turns: usize,
    /// Ratio of one size of the cascade's pyramid to the next.
    pub pyramid: f32,
    /// Maximum number of candidates for the second detector pass.
    pub candidates_max: usize,
    /// Minimum score of a face that a model confirms with both eyes.
    pub min_score_with_model: f64,
}
