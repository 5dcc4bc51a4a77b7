//! What differs in the light of two photos.

use super::{Analyzer, Baseline, Prepared};
use crate::light::{self, LightChange};
use crate::metric::Detections;
use crate::plane::Mask;

impl Analyzer {
    /// The change of the light, on skin away from the lines of both photos: a treatment changes the shading there.
    pub(super) fn light_change(&self, baseline: &Baseline, after: &Prepared) -> LightChange {
        let (settings, regions) = (&self.options.settings.light, &baseline.regions);
        let photos = [&baseline.prepared, after];
        let lines = photos.iter().filter_map(|photo| photo.detections.as_ref());
        let lines: Vec<[usize; 2]> = lines.flat_map(Detections::line_points).collect();
        let reach = baseline.scale.mm_per_px.map_or(0.0, |mm| settings.line_margin_mm / mm.0);
        let untreated = photos.map(|photo| photo.tone.without(&lines, reach));
        // Skin that is full of lines keeps them: without skin the light is unknown.
        let [all, left] = [&photos[0].tone.valid, &untreated[0].valid].map(Mask::count);
        let enough = left as f64 >= settings.untreated_share_min * all as f64;
        let [a, b] = if enough { untreated.each_ref() } else { photos.map(|photo| &photo.tone) };
        light::change([a, b], regions.window, regions.face.as_ref(), &baseline.scale, settings)
    }
}
