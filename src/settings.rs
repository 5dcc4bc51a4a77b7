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
    /// Longer side of the copy in which faces are looked for, px. 800 holds faces down to a
    /// twentieth of the frame (40 px, the cascade's window).
    pub detector_side_px: usize,
    /// Width of a candidate at the second look, px.
    pub second_look_px: usize,
    /// Smallest summed score of a face at the second look. Measured: 43 faces score 11.9 and more,
    /// what is no face (360 crops of cloth, skin, hair, rooms) at most 2.3.
    pub min_face_score: f64,
    /// Width of the face on the copy that skin is told apart on, px: a pixel of about 0.2 mm.
    pub skin_face_px: usize,
    /// A pixel is burnt out when all channels reach this share of the encoding's white.
    pub clipped_white: f64,
    /// A pixel is black when no channel exceeds this share of the encoding's white.
    pub clipped_black: f64,
    /// Added to linear light before the logarithm, so that noise in black does not grow.
    pub dark_floor: f64,
    /// Dark lines thinner than twice this stay skin: wrinkles, pores, single hairs; mm.
    pub closing_mm: f64,
    /// Reach over which skin sets its own level of light and chroma, mm.
    pub level_mm: f64,
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
}

impl Default for RegionSettings {
    fn default() -> Self {
        RegionSettings {
            nominal_face_width_mm: 140.0,
            detector_side_px: 800,
            second_look_px: 120,
            min_face_score: 6.0,
            skin_face_px: 640,
            clipped_white: 0.997,
            clipped_black: 0.0005,
            dark_floor: 0.004,
            closing_mm: 1.2,
            level_mm: 12.0,
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
        }
    }
}
