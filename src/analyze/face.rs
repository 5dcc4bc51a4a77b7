//! The faces of a series: sought once a photo, harder where one is expected, and turned upright.

use super::{Analyzer, Baseline};
use crate::error::Result;
use crate::photo::Photo;
use crate::region::{self, Face, FoundFace, Model, RegionRequest};
use crate::settings::RegionSettings;

impl Analyzer {
    /// The face of a photo, where faces are measured.
    pub(super) fn face(&self, visit: usize, photo: &Photo) -> Result<Option<FoundFace>> {
        if self.options.regions != RegionRequest::Face {
            return Ok(None);
        }
        self.stage(visit, "find face")?;
        self.find(photo, &self.options.settings.region)
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

    /// Prepares the first photo of a series: its face is sought thoroughly where the usual search finds none and a
    /// later photo shows one.
    pub(super) fn series_baseline(&self, photo: Photo, later: &[Photo]) -> Result<Baseline> {
        let usual = &self.options.settings.region;
        let found = self.face(0, &photo)?;
        if found.is_none() {
            for (k, other) in later.iter().enumerate() {
                if self.face(k + 1, other)?.is_some() {
                    let thorough = &usual.thorough();
                    let found = self.find(&photo, thorough)?;
                    return self.prepare_baseline(photo, found, thorough);
                }
            }
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

    /// A follow-up, upright, with its face where one is `expected`: what shows one face is likely to show it again.
    pub(super) fn upright_follow_up(
        &self,
        visit: usize,
        photo: Photo,
        expected: bool,
    ) -> Result<(Photo, Option<Face>)> {
        if !expected {
            return Ok((photo, None));
        }
        let found = match self.face(visit, &photo)? {
            None => self.find(&photo, &self.options.settings.region.thorough())?,
            found => found,
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
