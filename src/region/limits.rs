//! Where skin is possible on a face: inside its outline, without lids, lips, brows and hair.

use super::anatomy::outlines;
use super::frame::FaceFrame;
use super::model_output::{Class, ModelOutput, Segments};
use super::skin::ReducedFace;
use super::template::{BEARD, EYE, HAIRLINE, LIPS, OUTLINE, SHADED};
use crate::filter::label::label_by_sides;
use crate::filter::morphology::dilate;
use crate::plane::{Mask, Plane};
use crate::settings::RegionSettings;

/// Where skin is possible, on the reduced copy.
pub(super) struct Limits {
    /// Where skin is searched for.
    pub outline: Mask,
    /// What is certainly no skin; includes all outside the outline.
    pub excluded: Mask,
    /// Whether the outline is a segmentation of this face's skin, so that its border is one of skin.
    pub segmented: bool,
}

impl Limits {
    /// From the output of a model, else from the shapes of a mean face.
    pub fn of(
        work: &ReducedFace,
        frame: &FaceFrame,
        output: Option<&ModelOutput>,
        settings: &RegionSettings,
    ) -> Self {
        // Lids move: they are never measured, whatever the source of the eyes' position.
        let lids = work.both_sides(frame, EYE);
        let average = work.mask(frame, OUTLINE);
        let lips = work.mask(frame, LIPS);
        let (outline, excluded, segmented) = match output {
            None => (average, lids.zip(&lips, or), false),
            Some(ModelOutput::Landmarks { topology, points, .. }) => {
                let outlines = outlines(*topology);
                let draw = |list: &[usize]| work.outline(list.iter().map(|&i| points[i]));
                let face = average.zip(&draw(outlines.face), |a, b| a && b);
                let brows = draw(outlines.brows[0]).zip(&draw(outlines.brows[1]), or);
                let excluded = lids.zip(&dilate(&brows, work.px(settings.border_mm)), or);
                (face, excluded.zip(&draw(outlines.lips), or), false)
            }
            Some(ModelOutput::Segments(segments)) if segments.recognised[Class::Skin as usize] => {
                let skin = work.probability(segments, &[Class::Skin, Class::Nose]);
                let beard = work.mask(frame, BEARD);
                let folds =
                    work.both_sides(frame, SHADED).zip(&beard, |fold, beard| fold && !beard);
                let skin = segmented_skin(&skin, [&lids, &folds], settings);
                let hair = hair_mask(work, frame, segments, &average, settings);
                let skin = skin.zip(&hair, |skin, hair| skin && !hair);
                let lips =
                    if segments.recognised[Class::Lips as usize] { skin.map(|s| !s) } else { lips };
                (skin, lids.zip(&lips, or), true)
            }
            Some(ModelOutput::Segments(segments)) => {
                let other = work.probability(segments, &Class::ALL);
                let outline = average.zip(&other, |face, p| face && p <= 0.5);
                (outline, lids.zip(&lips, or), false)
            }
        };
        let excluded = excluded.zip(&outline, |excluded, inside| excluded || !inside);
        Limits { outline, excluded, segmented }
    }
}

fn or(a: bool, b: bool) -> bool {
    a || b
}

/// Skin of a segmentation: pixels with at least `skin_probability_min`, and uncertain pixels in the
/// `folds` of the face where skin has at least 0.5 in the whole connected uncertain area, within the
/// folds and beyond. Beside hair or the frame of glasses the probability falls below that, within a
/// bundle of deep lines it does not. The `lids` separate uncertain areas.
fn segmented_skin(skin: &Plane, [lids, folds]: [&Mask; 2], settings: &RegionSettings) -> Mask {
    let certain = skin.map(|p| p >= settings.skin_probability_min as f32);
    let uncertain = certain.zip(lids, |certain, lid| !certain && !lid);
    let (labels, sizes) = label_by_sides(&uncertain);
    let mut least = vec![1.0f32; sizes.len()];
    for (&label, &p) in labels.data().iter().zip(skin.data()) {
        least[label as usize] = least[label as usize].min(p);
    }
    let likely = labels.map(|label| label > 0 && least[label as usize] >= 0.5);
    let folded = likely.zip(folds, |likely, fold| likely && fold);
    certain.zip(&folded, or)
}

/// Hair of the head with a border of `hair_border_mm`: hair above the eyes that extends beyond the
/// `average` outline of a face, as brows do not.
fn hair_mask(
    work: &ReducedFace,
    frame: &FaceFrame,
    segments: &Segments,
    average: &Mask,
    settings: &RegionSettings,
) -> Mask {
    // In the plane: the corners lie beyond the head, where the face has no depth.
    let above = work.outline(HAIRLINE.iter().map(|&corner| frame.plane_to_photo(corner)));
    let hair = work.probability(segments, &[Class::Hair]);
    let hair = hair.zip(&above, |p, above| p >= 0.5 && above);
    let (labels, sizes) = label_by_sides(&hair);
    let mut beyond = vec![false; sizes.len()];
    for (&label, &inside) in labels.data().iter().zip(average.data()) {
        beyond[label as usize] |= label > 0 && !inside;
    }
    dilate(&labels.map(|label| beyond[label as usize]), work.px(settings.hair_border_mm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Face;
    use crate::region::view::{Rect, View};

    /// Uncertain pixels in the folds are skin unless their connected area, also beyond the folds, has pixels that
    /// are certainly something else.
    #[test]
    fn a_bundle_of_lines_is_skin_and_the_edge_of_hair_is_none() {
        let settings = RegionSettings::default();
        let skin = Plane::from_fn(60, 20, |x, _| match x {
            5..15 | 36..42 | 50..55 => 0.6,
            42..45 => 0.1,
            _ => 0.95,
        });
        let folds = Mask::from_fn(60, 20, |x, _| x < 40);
        let row = |lid: Option<usize>| -> Vec<bool> {
            let lids = Mask::from_fn(60, 20, |x, _| Some(x) == lid);
            let mask = segmented_skin(&skin, [&lids, &folds], &settings);
            (0..60).map(|x| mask.at(x, 10)).collect()
        };
        let plain = row(None);
        assert!(plain[..36].iter().all(|v| *v), "{plain:?}");
        assert!(!plain[36..45].contains(&true) && !plain[50..55].contains(&true), "{plain:?}");
        // A lid between the uncertain pixels and the hair beside them.
        let separated = row(Some(39));
        assert!(separated[36..39].iter().all(|v| *v), "{separated:?}");
        assert!(!separated[39..45].contains(&true), "{separated:?}");
    }

    /// The hair mask of a copy of 200 × 200 px, 1 px/mm, with the pupils at (80, 80) and (120, 80), with `hair`
    /// on it.
    fn hair_mask_of(hair: impl Fn(usize, usize) -> bool + Sync) -> Mask {
        let face = Face::of([[402.0, 402.0], [602.0, 402.0]], [502.0, 602.0]);
        let rect = Rect { x: -0.5, y: -0.5, width: 1000.0, height: 1000.0 };
        let work = ReducedFace { rect, scale: 0.2, width: 200, height: 200, mm: 1.0 };
        let view = View { centre: [499.5; 2], step: [5.0; 2], roll: 0.0, width: 200, height: 200 };
        let mut planes = vec![Plane::filled(200, 200, 0.0); Class::COUNT];
        planes[Class::Hair as usize] =
            Plane::from_fn(200, 200, |x, y| if hair(x, y) { 1.0 } else { 0.0 });
        let segments = Segments { view, planes, recognised: [true; Class::COUNT] };
        let frame = FaceFrame::of(&face);
        let average = work.mask(&frame, OUTLINE);
        hair_mask(&work, &frame, &segments, &average, &RegionSettings::default())
    }

    #[test]
    fn only_hair_of_the_head_has_a_border() {
        let border = RegionSettings::default().hair_border_mm as usize;
        // A fringe down to row 45, on a forehead that begins at 35 or so.
        let fringe = hair_mask_of(|_, y| y <= 45);
        for x in [70, 100, 130] {
            let last = (0..200).rposition(|y| fringe.at(x, y));
            assert_eq!(last, Some(45 + border), "column {x}");
        }
        let set = |mask: &Mask| mask.count();
        let beard = hair_mask_of(|_, y| y > 130);
        let brow = hair_mask_of(|x, y| (70..95).contains(&x) && (66..71).contains(&y));
        let none = hair_mask_of(|_, _| false);
        assert_eq!([beard, brow, none].map(|mask| set(&mask)), [0; 3]);
    }
}
