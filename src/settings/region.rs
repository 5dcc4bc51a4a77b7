//! Settings of finding the face, its regions and the skin.

use serde::{Deserialize, Serialize};

/// Constants of the face finder and the skin mask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// Face width at the cheek bones that stands in where no scale is known, mm.
    pub nominal_face_width_mm: f64,
    /// One standard deviation of that width over adults, relative.
    pub nominal_face_width_uncertainty: f64,
    /// Longer side of the copy in which faces are detected, px.
    pub detector_side_px: usize,
    /// Width of a candidate at the second detector pass, px.
    pub second_look_px: usize,
    /// Least summed score of a face at the second detector pass.
    pub min_face_score: f64,
    /// Score from which an upright face is not sought in other turns of the photo.
    pub sure_face_score: f64,
    /// Factor on the score of a face less than 45° from upright that another turn shows, too.
    pub upright_preference: f64,
    /// Search for a face in turned copies, where the upright photo shows none that is sure.
    pub search: SearchSettings,
    /// The same in a photo of a series in which another photo shows a face.
    pub thorough: SearchSettings,
    /// Width of the face on the copy that skin is segmented on, px.
    pub skin_face_px: usize,
    /// A pixel of a face is burnt out when all channels reach this, share of the encoding's white.
    pub clipped_white: f64,
    /// A pixel of a face is black when no channel exceeds this, share of the encoding's white.
    pub clipped_black: f64,
    /// Added to light before the logarithm, linear light (0–1).
    pub dark_floor: f64,
    /// Dark lines thinner than twice this stay skin, mm.
    pub closing_mm: f64,
    /// Reach over which skin sets its own level of light and chroma, mm.
    pub level_mm: f64,
    /// Most that the level of light departs from what the cheeks predict, natural log.
    pub level_reach: f64,
    /// Most that skin is darker than its level, natural log.
    pub darker: f64,
    /// Most that skin is brighter than its level, natural log.
    pub brighter: f64,
    /// Added to `darker` beside the nose and on the cheeks, natural log.
    pub shaded: f64,
    /// Added to `darker`, half to `brighter`, per median absolute deviation of light of cheeks and nose.
    pub contrast_gain: f64,
    /// Smallest standard deviation of a chroma (log of a ratio of channels) of skin, natural log.
    pub chroma_floor: f64,
    /// Largest standard deviation of a chroma of skin, natural log.
    pub chroma_cap: f64,
    /// Most that the chroma of skin departs, standard deviations.
    pub chroma_reach: f64,
    /// Width of a strand of hair with its gap, mm.
    pub strand_mm: f64,
    /// Fine structure of hair, multiple of that of cheeks and nose.
    pub strand_ratio: f64,
    /// Fine structure (mean departure) that is never hair, natural log.
    pub strand_floor: f64,
    /// Least that hair outside beard and moustache is darker than skin, natural log.
    pub strand_darker: f64,
    /// Rounds of accepting pixels and of taking the level from them.
    pub skin_rounds: usize,
    /// Parts of skin thinner than twice this are left out, mm.
    pub opening_mm: f64,
    /// Holes of a smaller diameter are filled, mm.
    pub hole_mm: f64,
    /// Distance kept from what is no skin, mm.
    pub border_mm: f64,
    /// Margin of the window around the skin of a face, face widths.
    pub margin: f64,
    /// Distance around polygons within which skin is sought, sides of a square as large as their mean.
    pub polygon_reach: f64,
    /// The least of that distance, px.
    pub polygon_reach_min_px: usize,
    /// Distance kept from what is no skin around polygons, share of that distance.
    pub polygon_border: f64,
    /// Least log of red over green of skin in a frame, share of that of the most frequent chroma.
    pub frame_red_kept: f64,
    /// Departure from the most frequent chroma that is not of skin, natural log.
    pub frame_chroma: f64,
    /// Red over green of the most frequent chroma below which nothing is left out, natural log.
    pub frame_red_min: f64,
    /// Smallest part that is left out, share of the frame.
    pub frame_part: f64,
    /// Reach of the mean of chroma, and border of what is left out, share of the longer side.
    pub frame_smoothing: f64,
    /// Width of a bin of the chroma's histogram, natural log.
    pub frame_bin: f64,
    /// Least probability of face skin (the nose included) at which a model is accepted.
    pub model_skin: f64,
    /// Factor on the limits of light, chroma and fine structure where a model has drawn the outline.
    pub model_slack: f64,
    /// Distance kept from the hair of the head that a model sees above the eyes, mm.
    pub hair_mm: f64,
    /// Least probability of a face at which a landmark model is accepted.
    pub presence: f64,
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
    /// Smallest diameter of an iris that is measured, px.
    pub iris_min_px: f64,
    /// Most that the two irises of a face differ, relative.
    pub iris_differ_max: f64,
    /// Least rise of brightness across the limbus, natural log of red.
    pub iris_contrast: f64,
    /// Distance of the pupils of adults, mm.
    pub pupil_distance_mm: f64,
    /// One standard deviation of that distance over adults, and the error of finding it, relative.
    pub pupil_distance_uncertainty: f64,
    /// Height over width from which an eye is open.
    pub open_eye: f64,
    /// Largest turn of the head at which the eyes give a scale, degrees.
    pub scale_yaw_max_deg: f64,
}

impl Default for RegionSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.region.clone()
    }
}

impl RegionSettings {
    /// The same settings with the thorough search in place of the usual one.
    pub fn thorough(&self) -> Self {
        RegionSettings { search: self.thorough.clone(), ..self.clone() }
    }
}

/// How a face is sought in turned and mirrored copies of a photo.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSettings {
    /// Longer side of the copy, px.
    pub side_px: usize,
    /// Number of turns searched, evenly spaced over 360°.
    pub turns: usize,
    /// Ratio of one size of the cascade's pyramid to the next.
    pub pyramid: f32,
    /// Most candidates that get a second detector pass.
    pub candidates_max: usize,
    /// Smallest score of a face that is accepted where a model sees it with both eyes.
    pub doubtful_score: f64,
}
