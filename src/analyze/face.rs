//! The faces of a series: sought once a photo, harder where one is expected, and turned upright.

use super::{Analyzer, Baseline};
use crate::error::Result;
use crate::photo::Photo;
use crate::plane::par_collect;
use crate::region::{self, Face, FoundFace, Model, RegionRequest};
use crate::settings::RegionSettings;

impl Analyzer {
    /// The face of a photo, where faces are measured.
    pub(super) fn face(&self, visit: usize, photo: &Photo) -> Result<Option<FoundFace>> {
        Ok(self.faces(visit, std::slice::from_ref(photo))?.pop().flatten())
    }

    /// The faces of photos from visit `first` on, sought at the same time, where faces are measured.
    pub(super) fn faces(&self, first: usize, photos: &[Photo]) -> Result<Vec<Option<FoundFace>>> {
        if self.options.regions != RegionRequest::Face {
            return Ok(vec![None; photos.len()]);
        }
        (0..photos.len()).try_for_each(|k| self.stage(first + k, "find face"))?;
        let find = |k: usize| self.find(&photos[k], &self.options.settings.region);
        par_collect(photos.len(), find).into_iter().collect()
    }

    fn find(&self, photo: &Photo, settings: &RegionSettings) -> Result<Option<FoundFace>> {
        region::find_face(photo, self.model(), settings)
    }

    pub(super) fn model(&self) -> Option<&Model> {
        match (&self.options.model, &self.options.regions) {
            (Some(model), _) => Some(model),
            (None, RegionRequest::Face) => Model::built_in(),
            (None, _) => None,
        }
    }

    /// Prepares the first photo of a series: its face is sought thoroughly where the usual search has found none and a
    /// later photo shows one.
    pub(super) fn series_baseline(
        &self,
        photo: Photo,
        found: Option<FoundFace>,
        later_face: bool,
    ) -> Result<Baseline> {
        let usual = &self.options.settings.region;
        if found.is_none() && later_face {
            let thorough = &usual.thorough();
            let found = self.find(&photo, thorough)?;
            return self.prepare_baseline(photo, found, thorough);
        }
        self.prepare_baseline(photo, found, usual)
    }

    /// A baseline with the face that `search` found in it: one that lies on its side or upside down is turned and
    /// searched again, and a notice of the photo says so.
    pub(super) fn upright(
        &self,
        photo: Photo,
        found: Option<FoundFace>,
        search: &RegionSettings,
    ) -> Result<(Photo, Option<FoundFace>)> {
        match found.as_ref().map(|found| found.face.to_upright()) {
            Some(turn) if !turn.is_identity() => {
                let photo = photo.turned(turn);
                let found = self.find(&photo, search)?;
                Ok((photo, found))
            }
            _ => Ok((photo, found)),
        }
    }

    /// A follow-up, upright, with the face `found` in it; none was sought where none is `expected`, and it is sought
    /// thoroughly where one is: what shows one face is likely to show it again.
    pub(super) fn upright_follow_up(
        &self,
        photo: Photo,
        found: Option<FoundFace>,
        expected: bool,
    ) -> Result<(Photo, Option<Face>)> {
        let found = match found {
            None if expected => self.find(&photo, &self.options.settings.region.thorough())?,
            found => found.filter(|_| expected),
        };
        let Some(FoundFace { face, .. }) = found else { return Ok((photo, None)) };
        let turn = face.to_upright();
        if turn.is_identity() {
            return Ok((photo, Some(face)));
        }
        let face = face.turned(turn, [photo.width(), photo.height()]);
        Ok((photo.turned(turn), Some(face)))
    }
}
