//! Photos finer than skin is measured, reduced before anything else looks at all of their pixels.

use super::{Analyzer, Baseline};
use crate::photo::Photo;
use crate::region::{self, Face, FoundFace};
use crate::series::Scale;

impl Analyzer {
    /// A baseline of at most `finest_mm_per_px`, with its face and its scale.
    pub(super) fn reduced_baseline(
        &self,
        photo: Photo,
        found: Option<FoundFace>,
    ) -> (Photo, Option<FoundFace>, Scale) {
        let face = found.as_ref().map(|found| &found.face);
        let scale = region::scale(self.options.scale, face, &self.options.settings.region);
        let Some(factor) = scale.mm_per_px.and_then(|mm| self.reduction(mm.0)) else {
            return (photo, found, scale);
        };
        let photo = photo.reduced(factor);
        let found = found.map(|found| found.reduced(&photo.reduction));
        (photo, found, scale.reduced(factor))
    }

    /// A follow-up reduced to the same pixels: its scale follows from the sizes of both faces; without these it counts as
    /// that of the baseline.
    pub(super) fn reduced_follow_up(
        &self,
        baseline: &Baseline,
        photo: Photo,
        face: Option<Face>,
    ) -> (Photo, Option<Face>) {
        let Scale { mm_per_px, file_px, .. } = baseline.scale;
        let nearer = baseline
            .regions
            .face
            .zip(face)
            .map_or(1.0 / file_px, |(before, after)| before.width_px / after.width_px);
        let Some(factor) = mm_per_px.and_then(|mm| self.reduction(mm.0 * nearer)) else {
            return (photo, face);
        };
        let photo = photo.reduced(factor);
        let face = face.map(|face| face.reduced(&photo.reduction));
        (photo, face)
    }

    /// By how much to reduce a photo of `mm_per_px`; `None` where that gains little.
    fn reduction(&self, mm_per_px: f64) -> Option<f64> {
        let settings = &self.options.settings.photo;
        let factor = settings.finest_mm_per_px / mm_per_px;
        (factor >= settings.reduction_min).then_some(factor)
    }
}
