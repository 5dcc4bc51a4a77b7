//! A photo on the baseline's pixels, and what it shows by itself.

use super::{Analyzer, Prepared};
use crate::align::Placement;
use crate::error::Result;
use crate::luminance;
use crate::metric::{self, ComparableVisit, Readings};
use crate::photo::Photo;
use crate::quality::{self, CheckedPhoto};
use crate::series::Scale;
use crate::tone;

impl Analyzer {
    /// What a photo shows by itself.
    pub(super) fn read(&self, photo: &Prepared, scale: &Scale) -> Option<Readings> {
        let detections = photo.detections.as_ref()?;
        let view = ComparableVisit { luminance: &photo.luminance, tone: &photo.tone };
        metric::read(&[view], &[detections], scale, &self.options.settings.metric)
    }

    /// Resamples a photo, judges it, and searches it for lines, pores and scars.
    pub(super) fn prepare(
        &self,
        visit: usize,
        photo: &Photo,
        placement: &Placement<'_>,
    ) -> Result<Prepared> {
        let settings = &self.options.settings;
        self.stage(visit, "resample")?;
        let luminance = luminance::luminance(photo, placement, &settings.luminance);
        let seen = Placement { skin: &luminance.valid, ..*placement };
        let tone = tone::tone(photo, &seen, &settings.tone);
        let checked = CheckedPhoto { photo, placement, luminance: &luminance, tone: &tone };
        let checks = quality::photo(visit, &checked, &settings.quality);
        self.stage(visit, "detect")?;
        let view = ComparableVisit { luminance: &luminance, tone: &tone };
        let detections = metric::detect(&view, placement.scale, &settings.metric);
        Ok(Prepared {
            #[cfg(feature = "cli")]
            field: placement.field.clone(),
            luminance,
            tone,
            detections,
            checks,
        })
    }
}
