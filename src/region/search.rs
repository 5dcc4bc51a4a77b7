//! The search for a face: detector passes over the photo, each detection verified by the model
//! where there is one.

use super::detector::{self, Detection};
use super::face::Face;
use super::model_output::ModelOutput;
use super::onnx::Model;
use super::{anatomy, iris, landmarks};
use crate::error::Result;
use crate::photo::{Photo, Reduction};
use crate::settings::RegionSettings;

/// A face, and the output of the model for it.
#[derive(Debug, Clone)]
pub struct FoundFace {
    /// The face.
    pub face: Face,
    /// `None` without a model, and where the model finds no face.
    pub(super) output: Option<ModelOutput>,
}

impl FoundFace {
    /// The same in the reduced photo.
    pub fn reduced(self, reduction: &Reduction) -> FoundFace {
        let output = self.output.map(|output| output.reduced(reduction));
        FoundFace { face: self.face.reduced(reduction), output }
    }
}

/// Finds the face of a photo, and the output of the model for it, if the model finds that face too.
///
/// A detection in the upright photo with at least `sure_face_score`, confirmed by the model, ends
/// the search. Else the photo is searched in all turns, and the first detection is the face that
/// the model confirms or, without a model, that has at least `min_face_score`. A detection with
/// that score which the model does not confirm is used where no better one is found.
///
/// # Errors
/// A `model` that cannot run on the photo.
pub fn find_face(
    photo: &Photo,
    model: Option<&Model>,
    settings: &RegionSettings,
) -> Result<Option<FoundFace>> {
    log::trace!(target: "skindelta", "find face {}", photo.file);
    let upright = detector::upright(&photo.linear, settings);
    let sure = upright.filter(|one| one.score >= settings.sure_face_score);
    let mut best = match &sure {
        Some(one) => Some(verify(photo, model, one, settings)?),
        None => None,
    };
    if !best.as_ref().is_some_and(|one| one.accepted) {
        for detection in detector::turned(&photo.linear, upright, settings) {
            let verified = verify(photo, model, &detection, settings)?;
            if verified.accepted {
                best = Some(verified);
                break;
            }
            if best.is_none() && detection.score >= settings.min_face_score {
                best = Some(verified);
            }
        }
    }
    Ok(best.map(|Verified { mut face, output, .. }| {
        face.mm_per_px = iris::mm_per_px(photo, &face, settings);
        FoundFace { face, output }
    }))
}

/// A detection with the output of the model for it.
struct Verified {
    face: Face,
    /// `None` without a model, and where the model finds no face.
    output: Option<ModelOutput>,
    /// Whether the search may end with it.
    accepted: bool,
}

/// Locates the eyes and the mouth of a detection and runs the model there: around the eyes of the
/// template face, then, where it finds no face, around the eyes that the detector's box predicts.
///
/// Accepted: a detection with at least `min_face_score` unless the model finds no face there; one
/// with a lower score where the model finds a face with both eyes.
fn verify(
    photo: &Photo,
    model: Option<&Model>,
    detection: &Detection,
    settings: &RegionSettings,
) -> Result<Verified> {
    let good = detection.score >= settings.min_face_score;
    let located = landmarks::locate(&photo.linear, detection);
    if let Some(model) = model {
        for eyes in [located.face.eyes, located.box_eyes] {
            if let Some(ModelFace { face, output }) = run_model(photo, model, eyes, settings)? {
                let both_eyes = face.is_some_and(|face| face.expression.is_some());
                let face = face.unwrap_or(located.face);
                return Ok(Verified { face, output: Some(output), accepted: good || both_eyes });
            }
        }
    }
    Ok(Verified { face: located.face, output: None, accepted: good && model.is_none() })
}

/// The output of a model around the eyes, and the face in it.
struct ModelFace {
    /// `None` for a model without classes for eyes and lips.
    face: Option<Face>,
    output: ModelOutput,
}

/// Runs the model around these `eyes` and a second time around the eyes of the face it has found;
/// `None` where it finds no face.
fn run_model(
    photo: &Photo,
    model: &Model,
    mut eyes: [[f64; 2]; 2],
    settings: &RegionSettings,
) -> Result<Option<ModelFace>> {
    let mut last = None;
    for _ in 0..2 {
        let output = model.run(photo, Some(eyes))?;
        let found = match &output {
            ModelOutput::Segments(segments) if !segments.locates_faces() => {
                return Ok(Some(ModelFace { face: None, output }));
            }
            ModelOutput::Segments(segments) => anatomy::of_segments(segments, eyes, settings),
            ModelOutput::Landmarks { presence: Some(p), .. } if *p < settings.presence_min => None,
            ModelOutput::Landmarks { topology, points, .. } => {
                anatomy::of_landmarks(*topology, points)
            }
        };
        let Some(face) = found else { break };
        eyes = face.eyes;
        last = Some(ModelFace { face: Some(face), output });
    }
    Ok(last)
}
