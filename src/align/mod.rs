//! Alignment: each follow-up mapped onto the baseline's coordinates.
//!
//! First a rough map ([`estimate`]: from the eyes and mouths of the faces, else from matched features),
//! then a smooth field of displacements on a grid of nodes (`refine`), computed from skin alone, without
//! hair, clothes and background.
//!
//! The stiffness of the field is a physical length. Nodes lie `AlignSettings::node_spacing_mm` apart, and
//! bending between them is penalised, so that the field follows deformations over a centimetre (pose,
//! expression, another lens) but no wrinkle of a millimetre and no pore: otherwise a fainter wrinkle would be
//! stretched onto the deeper one, and its change be lost. `tests/it/alignment.rs` limits that effect to
//! 0.1 px.
//!
//! Each node has an estimated error ([`Alignment::error_px`]); skin whose error is above
//! `AlignSettings::error_max_px` is not measured. A map is accepted where both photos show the same skin:
//! by the fraction of nodes whose surroundings correlate in the second finest octave. Coarser octaves show
//! eyes and noses, which all faces have in common.
//!
//! Cost: linear in pixels; the finest octave is processed once, the second finest three times. The
//! equations of the nodes cost their number squared.

pub mod estimate;
mod field;
mod refine;
mod system;

pub use field::{Field, FieldRow, apply};

use crate::error::{Error, Step};
use crate::filter::stats::{median, quantile};
use crate::photo::Photo;
use crate::photo::turn::Turn;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::region::{Face, Region, RegionMap};
use crate::series::Scale;
use crate::settings::AlignSettings;
use refine::{FeaturePyramid, NodeFit, Refined};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Outcome of aligning one follow-up, or one region of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentStatus {
    /// Every measured region is aligned.
    Aligned,
    /// Some regions are, some are not.
    Partial,
    /// The photos could not be aligned.
    Failed,
}

/// One region of an alignment.
#[derive(Debug, Clone)]
pub struct RegionAlignment {
    /// Region name.
    pub region: String,
    /// Whether the region may be compared.
    pub aligned: bool,
    /// Estimated registration error, median over the region's skin, baseline px.
    pub residual_median_px: Option<f64>,
    /// Its 95th percentile, baseline px.
    pub residual_p95_px: Option<f64>,
    /// Part of the region's skin visible in the follow-up, %.
    pub overlap_percent: f64,
}

/// Registration of one follow-up to the baseline.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// Overall outcome.
    pub status: AlignmentStatus,
    /// Why the alignment failed.
    pub reason: Option<String>,
    /// The map; none where alignment failed.
    pub field: Option<Field>,
    /// Estimated error of each node of the field: root mean square distance from the true position,
    /// baseline px.
    errors: Grid<f64>,
    /// Largest error at which skin is compared, baseline px.
    limit_px: f64,
    /// Fraction of the nodes at which both photos show the same skin; none where it was not computed.
    pub matching_nodes: Option<f64>,
    /// The earlier visit through which this one was aligned, where it could not be directly.
    pub through: Option<usize>,
    /// All regions together, named `whole`.
    pub all: Option<RegionAlignment>,
    /// Each region of the map, in its order.
    pub regions: Vec<RegionAlignment>,
}

impl Alignment {
    /// Estimated error at a baseline position, px: the root mean square distance of the map from the truth.
    /// `None` where it is above the limit, so that the skin there is not comparable.
    pub fn error_px(&self, x: f64, y: f64) -> Option<f64> {
        let field = self.field.as_ref()?;
        let error = interpolated_error(field, &self.errors, x, y);
        (error <= self.limit_px).then_some(error)
    }

    /// The pixels of `skin`, which covers `window`, at which the estimated error is within the limit.
    pub fn trusted<'a>(&self, window: Window, skin: &'a Mask) -> Cow<'a, Mask> {
        if self.errors.data().iter().all(|e| *e <= self.limit_px) {
            return Cow::Borrowed(skin);
        }
        Cow::Owned(Mask::from_fn(window.width, window.height, |x, y| {
            let at = |v: usize, first: usize| (first + v) as f64;
            skin.at(x, y) && self.error_px(at(x, window.x), at(y, window.y)).is_some()
        }))
    }
}

/// Where a photo lies on the baseline, and the skin that may be measured in it.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// From the baseline's pixels to the photo's; the identity for the baseline.
    pub field: &'a Field,
    /// Regions of the baseline.
    pub regions: &'a RegionMap,
    /// Skin inside the window of the regions.
    pub skin: &'a Mask,
    /// Scale of the baseline.
    pub scale: &'a Scale,
}

/// Estimated error between the nodes, by linear interpolation.
fn interpolated_error(field: &Field, errors: &Grid<f64>, x: f64, y: f64) -> f64 {
    let split = |v: f64, origin: f64, n: usize| {
        let t = ((v - origin) / field.spacing_px).clamp(0.0, (n - 1) as f64);
        let i = (t as usize).min(n.saturating_sub(2));
        (i, (i + 1).min(n - 1), t - i as f64)
    };
    let (x0, x1, u) = split(x, field.origin[0], errors.width());
    let (y0, y1, v) = split(y, field.origin[1], errors.height());
    let line = |y: usize| errors.at(x0, y) + u * (errors.at(x1, y) - errors.at(x0, y));
    line(y0) + v * (line(y1) - line(y0))
}

/// The baseline as follow-ups are registered to it: luminance, and features of its skin in octaves.
pub struct Reference {
    light: Plane,
    octaves: FeaturePyramid,
    spacing_px: f64,
}

impl Reference {
    /// Prepares the baseline. Cost: linear in the pixels of the regions' window.
    pub fn new(
        baseline: &Photo,
        regions: &RegionMap,
        scale: &Scale,
        settings: &AlignSettings,
    ) -> Reference {
        let light = baseline.luminance(regions.window);
        let octaves = FeaturePyramid::new(&light, &regions.skin, regions.window, settings);
        Reference { light, octaves, spacing_px: node_spacing_px(regions, scale, settings) }
    }
}

/// A follow-up registered to the baseline.
pub struct Registered {
    /// The photo; one that lay turned or mirrored is turned back, and a notice of it says so.
    pub photo: Photo,
    /// Its face, as it lies in `photo`.
    pub face: Option<Face>,
    /// How it lies on the baseline.
    pub alignment: Alignment,
}

/// Registers follow-ups to one baseline.
pub struct Aligner<'a> {
    /// The baseline's photo.
    pub baseline: &'a Photo,
    /// Its regions.
    pub regions: &'a RegionMap,
    /// Features of its skin.
    pub reference: &'a Reference,
    /// Tunable numbers.
    pub settings: &'a AlignSettings,
}

/// Length of the field's node spacing in baseline px.
fn node_spacing_px(regions: &RegionMap, scale: &Scale, settings: &AlignSettings) -> f64 {
    let long = regions.window.width.max(regions.window.height) as f64;
    let wanted = match scale.mm_per_px {
        Some(mm) => settings.node_spacing_mm / mm.0,
        None => long / settings.nodes_unscaled,
    };
    wanted.max(settings.node_spacing_min_px).max(long / settings.nodes_max)
}

/// An accepted map.
struct AcceptedMap {
    field: Field,
    /// Estimated error of each node, px.
    errors: Grid<f64>,
    /// Fraction of the nodes at which both photos show the same skin.
    matching_nodes: f64,
}

impl Aligner<'_> {
    /// Registers one follow-up, whose `face` may be known; `earlier` are the follow-ups registered before it, visit 1
    /// first.
    ///
    /// Directly where that succeeds; else through the nearest earlier visit that is aligned directly: that
    /// visit, warped to the baseline's pixels, replaces the baseline. Where neither succeeds, the follow-up may
    /// be a mirror image (a front camera's) or lie on its side: the turn indicated by its features, and by its
    /// face, is tried, and the turned photo replaces the follow-up where it aligns.
    pub fn register(
        &self,
        photo: Photo,
        face: Option<Face>,
        earlier: &[(&Photo, &Alignment)],
    ) -> Registered {
        if self.baseline.linear == photo.linear {
            return Registered { alignment: self.identity(), photo, face };
        }
        let faces = [self.regions.face.as_ref(), face.as_ref()];
        let Reference { light, octaves, .. } = self.reference;
        let direct = self
            .find(octaves, light, faces, &photo)
            .and_then(|found| self.summarise(found, None, &photo));
        let found = direct.or_else(|why| self.through(earlier, faces, &photo).ok_or(why));
        let alignment = match found {
            Ok(alignment) => alignment,
            Err(why) => match self.turned(faces, &photo) {
                Some(turned) => return turned,
                None => self.rejected(&photo, why),
            },
        };
        Registered { photo, face, alignment }
    }

    /// Registers a follow-up through the nearest earlier one that is aligned directly.
    fn through(
        &self,
        earlier: &[(&Photo, &Alignment)],
        faces: [Option<&Face>; 2],
        follow_up: &Photo,
    ) -> Option<Alignment> {
        let (j, photo, alignment, field) =
            earlier.iter().enumerate().rev().find_map(|(j, e)| {
                let (photo, alignment) = *e;
                let field = alignment.field.as_ref()?;
                let direct = alignment.through.is_none() && !field.is_identity();
                direct.then_some((j + 1, photo, alignment, field))
            })?;
        let visible = self.overlap(field, photo);
        let window = self.regions.window;
        let light = refine::resample(photo, field, window, &visible);
        let skin = self.regions.skin.zip(&visible, |skin, visible| skin && visible);
        let replacement = FeaturePyramid::new(&light, &skin, window, self.settings);
        let found = self.find(&replacement, &light, faces, follow_up).ok()?;
        let errors = found.errors.zip(&alignment.errors, f64::hypot);
        self.summarise(AcceptedMap { errors, ..found }, Some(j), follow_up).ok()
    }

    /// The outcome for the baseline's own photo.
    fn identity(&self) -> Alignment {
        let stats = |region: &Region| RegionAlignment {
            region: region.name.clone(),
            aligned: true,
            residual_median_px: Some(0.0),
            residual_p95_px: Some(0.0),
            overlap_percent: 100.0,
        };
        let rows: Vec<_> = self.regions.regions.iter().map(stats).collect();
        Alignment {
            status: AlignmentStatus::Aligned,
            reason: None,
            field: Some(Field::identity()),
            errors: Grid::filled(1, 1, 0.0),
            limit_px: self.settings.error_max_px,
            matching_nodes: None,
            through: None,
            all: rows.last().cloned(),
            regions: rows,
        }
    }

    /// The outcome for a follow-up that cannot be aligned.
    fn rejected(&self, follow_up: &Photo, why: String) -> Alignment {
        Alignment {
            status: AlignmentStatus::Failed,
            reason: Some(Error::new(&follow_up.file, Step::Align, why).to_string()),
            field: None,
            errors: Grid::filled(1, 1, f64::INFINITY),
            limit_px: self.settings.error_max_px,
            matching_nodes: None,
            through: None,
            all: None,
            regions: Vec::new(),
        }
    }

    /// The map from the `reference`, prepared from `light`, to a follow-up: from the faces, and where these are
    /// missing or no map from them is accepted, from matched features.
    fn find(
        &self,
        reference: &FeaturePyramid,
        light: &Plane,
        faces: [Option<&Face>; 2],
        follow_up: &Photo,
    ) -> Result<AcceptedMap, String> {
        let refined = |affine: [f64; 6]| {
            let spacing = self.reference.spacing_px;
            self.accepted(reference.refine(follow_up, affine, spacing, self.settings))
        };
        let by_features = || {
            estimate::of_features(light, follow_up, self.regions, self.settings).and_then(refined)
        };
        match faces {
            [Some(a), Some(b)] => {
                let affine = estimate::of_faces(a, b);
                let size = affine[0].hypot(affine[3]);
                let [low, high] = self.settings.scale_range;
                let by_faces = if (low..=high).contains(&size) {
                    refined(affine)
                } else {
                    Err(format!(
                        "the face is {size:.2} times as large as in the baseline, {low} to {high} \
                         can be compared: take it from the same distance, with as many pixels"
                    ))
                };
                by_faces.or_else(|why| by_features().map_err(|_| why))
            }
            _ => by_features(),
        }
    }

    /// Registers a follow-up that lies turned or mirrored. `None` where no turn of it is accepted.
    fn turned(&self, [face, other]: [Option<&Face>; 2], follow_up: &Photo) -> Option<Registered> {
        let size = [follow_up.width(), follow_up.height()];
        let Reference { light, octaves, .. } = self.reference;
        let by_features = estimate::turn(light, follow_up, self.regions, self.settings);
        // Eyes and mouth fit a mirrored face as well as an unmirrored one.
        let mirrored = Turn { mirrored: true, quarters: 0 };
        let by_faces = (face.is_some() && other.is_some()).then_some(mirrored);
        let by_faces = by_faces.filter(|turn| by_features != Some(*turn));
        [by_features, by_faces].into_iter().flatten().find_map(|turn| {
            let photo = follow_up.turned(turn);
            let other = other.map(|other| other.turned(turn, size));
            let found = self.find(octaves, light, [face, other.as_ref()], &photo).ok()?;
            let alignment = self.summarise(found, None, &photo).ok()?;
            Some(Registered { photo, face: other, alignment })
        })
    }

    /// Accepts a refined field where it maps skin to the same skin, else gives the reason.
    fn accepted(&self, refined: Refined) -> Result<AcceptedMap, String> {
        let settings = self.settings;
        let visible: Vec<&NodeFit> =
            refined.fits.data().iter().filter(|f| f.visible >= settings.node_visible_min).collect();
        if visible.is_empty() {
            return Err("the photos do not overlap on the skin that is measured".into());
        }
        let matching = |f: &&&NodeFit| f.correlation >= settings.node_correlation_min;
        let matching_nodes = visible.iter().filter(matching).count() as f64 / visible.len() as f64;
        if matching_nodes < settings.matching_nodes_min {
            return Err(format!(
                "{:.0} % of the skin matches after alignment, {:.0} % needed: is it the same \
                 person, the same view and the same face (a smile moves the skin)?",
                100.0 * matching_nodes,
                100.0 * settings.matching_nodes_min
            ));
        }
        Ok(AcceptedMap { field: refined.field, errors: refined.errors, matching_nodes })
    }

    /// The estimated errors of a map by region; `through` is the visit that replaced the baseline.
    fn summarise(
        &self,
        found: AcceptedMap,
        through: Option<usize>,
        follow_up: &Photo,
    ) -> Result<Alignment, String> {
        let AcceptedMap { field, errors, matching_nodes } = found;
        let visible = self.overlap(&field, follow_up);
        let rows: Vec<_> = (self.regions.regions.iter())
            .map(|region| self.region(region, &field, &errors, &visible))
            .collect();
        let status = match rows.iter().filter(|r| r.aligned).count() {
            0 => return Err("no region is aligned well enough to be compared".into()),
            n if n == rows.len() => AlignmentStatus::Aligned,
            _ => AlignmentStatus::Partial,
        };
        Ok(Alignment {
            status,
            reason: None,
            field: Some(field),
            errors,
            limit_px: self.settings.error_max_px,
            matching_nodes: Some(matching_nodes),
            through,
            // The last region is the whole.
            all: rows.last().cloned(),
            regions: rows,
        })
    }

    /// Pixels of the window visible in the follow-up.
    fn overlap(&self, field: &Field, follow_up: &Photo) -> Mask {
        let (w, h) = (follow_up.width() as f64 - 1.0, follow_up.height() as f64 - 1.0);
        let origin = self.regions.window;
        let mut visible = Mask::filled(origin.width, origin.height, false);
        visible.par_rows(|y, out| {
            let row = field.row((origin.y + y) as f64);
            for (x, v) in out.iter_mut().enumerate() {
                let [fx, fy] = row.at((origin.x + x) as f64);
                *v = fx >= 0.0
                    && fy >= 0.0
                    && fx <= w
                    && fy <= h
                    && !follow_up.flat.contains(fx.round() as usize, fy.round() as usize);
            }
        });
        visible
    }

    /// Overlap and estimated errors of one region; `visible` are the window's pixels visible in the follow-up.
    fn region(
        &self,
        region: &Region,
        field: &Field,
        errors: &Grid<f64>,
        visible: &Mask,
    ) -> RegionAlignment {
        let Region { name, window, inside } = region;
        let (frame, skin) = (self.regions.window, &self.regions.skin);
        let in_region = |x: usize, y: usize| {
            window.contains(x, y)
                && inside.at(x - window.x, y - window.y)
                && frame.contains(x, y)
                && skin.at(x - frame.x, y - frame.y)
        };
        let (mut all, mut in_both) = (0usize, Vec::new());
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                if in_region(x, y) {
                    all += 1;
                    if visible.at(x - frame.x, y - frame.y) {
                        in_both.push((x as u32, y as u32));
                    }
                }
            }
        }
        // A sample of a thousand pixels.
        let mut residuals: Vec<f64> = in_both
            .iter()
            .step_by(in_both.len().div_ceil(1000).max(1))
            .map(|(x, y)| interpolated_error(field, errors, f64::from(*x), f64::from(*y)))
            .collect();
        let median_px = median(&mut residuals);
        RegionAlignment {
            region: name.clone(),
            // A region without skin counts as aligned; its coverage makes it not measurable.
            aligned: all == 0 || median_px.is_some_and(|m| m <= self.settings.error_max_px),
            residual_median_px: median_px,
            residual_p95_px: quantile(&mut residuals, 0.95),
            overlap_percent: 100.0 * in_both.len() as f64 / all.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Texture, noisy, similarity, unscaled, whole};

    const SIDE: usize = 240;
    const STILL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    /// A photo of a skin after `map`.
    fn shot(seed: u64, map: &[f64; 6]) -> Photo {
        let log = Texture::new(seed, 0.12).moved(map).plane(SIDE, SIDE);
        testing::photo(&noisy(&log, 11 + seed, 0.003), 0.2)
    }

    /// Photos registered to the first, one after the other.
    fn aligned(mut photos: Vec<Photo>) -> Vec<Registered> {
        let baseline = photos.remove(0);
        let (regions, settings) = (whole(Window::full(SIDE, SIDE)), AlignSettings::default());
        let reference = Reference::new(&baseline, &regions, &unscaled(), &settings);
        let (baseline, regions, reference) = (&baseline, &regions, &reference);
        let aligner = Aligner { baseline, regions, reference, settings: &settings };
        let mut found: Vec<Registered> = Vec::new();
        for photo in photos {
            let earlier: Vec<_> = found.iter().map(|f| (&f.photo, &f.alignment)).collect();
            let next = aligner.register(photo, None, &earlier);
            found.push(next);
        }
        found
    }

    fn registered(follow_up: Photo) -> Alignment {
        aligned(vec![shot(1, &STILL), follow_up]).remove(0).alignment
    }

    #[test]
    fn the_same_photo_has_the_identity_without_error() {
        let found = registered(shot(1, &STILL));
        assert_eq!(found.status, AlignmentStatus::Aligned);
        assert!(found.field.as_ref().is_some_and(Field::is_identity));
        assert_eq!(found.error_px(100.0, 30.0), Some(0.0));
        let all = found.all.expect("the whole");
        assert_eq!((all.residual_p95_px, all.overlap_percent), (Some(0.0), 100.0));
    }

    #[test]
    fn a_turned_and_shifted_photo_is_registered() {
        let map = similarity(1.05, 6.0, [14.4, -21.7]);
        let found = registered(shot(1, &map));
        assert_eq!(found.status, AlignmentStatus::Aligned);
        let field = found.field.as_ref().expect("a field");
        let (mut sum, mut estimated, mut n) = (0.0, 0.0, 0.0);
        for (x, y) in (40..200).step_by(20).flat_map(|y| (40..200).step_by(20).map(move |x| (x, y)))
        {
            let [x, y] = [x, y].map(f64::from);
            let (p, q) = (field.at(x, y), apply(&map, x, y));
            sum += (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
            estimated += found.error_px(x, y).expect("small").powi(2);
            n += 1.0;
        }
        let [off, estimated] = [sum, estimated].map(|sum| f64::sqrt(sum / n));
        println!("{off} {estimated}");
        assert!(off < 0.04 && off < 2.0 * estimated, "{off} ± {estimated}");
        assert!(found.matching_nodes.expect("computed") > 0.9 && found.through.is_none());
    }

    #[test]
    fn the_overlap_is_the_part_visible_in_the_photo() {
        // The right quarter of the baseline has left the frame.
        let found = registered(shot(1, &similarity(1.0, 0.0, [60.0, 0.0])));
        let all = found.all.expect("the whole");
        println!("{}", all.overlap_percent);
        assert!((all.overlap_percent - 75.0).abs() < 1.0, "{}", all.overlap_percent);
        assert!(all.aligned && all.residual_median_px.is_some_and(|median| median < 0.1));
    }

    #[test]
    fn another_skin_is_rejected_with_a_reason() {
        let found = registered(shot(2, &STILL));
        assert_eq!((found.status, found.error_px(100.0, 100.0)), (AlignmentStatus::Failed, None));
        let why = found.reason.expect("a reason");
        assert!(why.starts_with("drawn.png: align: "), "{why}");
        assert!(found.field.is_none() && found.all.is_none() && found.regions.is_empty());
    }

    #[test]
    fn a_mirrored_photo_on_its_side_is_turned_back() {
        let after = shot(1, &similarity(1.0, 2.0, [3.0, 4.0]));
        let lies = Turn { mirrored: true, quarters: 1 };
        let found = aligned(vec![shot(1, &STILL), after.turned(lies)]).remove(0);
        assert_eq!(found.alignment.status, AlignmentStatus::Aligned);
        let photo = &found.photo;
        assert_eq!(photo.linear, after.linear);
        assert!(photo.notices.iter().any(|notice| notice.to_string().contains("mirrored")));
    }

    /// The last photo shows 30 % of the baseline's skin, which is too little; the one between shows 60 % of it, and
    /// has 70 % in common with the last.
    #[test]
    fn errors_add_through_an_intermediate_visit() {
        let [old, odd, new] = [1, 2, 3].map(|seed| Texture::new(seed, 0.12));
        // Old skin up to a column of the baseline, other skin from there, new skin from a second column on.
        let mixed = |[kept, fresh]: [f64; 2], shift: [f64; 2], stream: u64| {
            let [a, b, c] = [&old, &odd, &new]
                .map(|texture| texture.moved(&similarity(1.0, 0.0, shift)).plane(SIDE, SIDE));
            let log = Plane::from_fn(SIDE, SIDE, |x, y| {
                let column = x as f64 - shift[0];
                let of = if column < kept {
                    &a
                } else if column < fresh {
                    &b
                } else {
                    &c
                };
                of.at(x, y)
            });
            testing::photo(&noisy(&log, stream, 0.003), 0.2)
        };
        let ends = [9.1, 4.2];
        let found = aligned(vec![
            mixed([400.0; 2], [0.0; 2], 11),
            mixed([144.0; 2], [5.3, -2.6], 12),
            mixed([72.0, 144.0], ends, 13),
        ]);
        let [direct, through] = [&found[0].alignment, &found[1].alignment];
        println!("{:?} {:?} {:?}", direct.status, through.status, through.reason);
        assert_eq!((direct.through, through.through), (None, Some(1)));
        let field = through.field.as_ref().expect("a field");
        let [x, y] = field.at(40.0, 120.0);
        let off = (x - 40.0 - ends[0]).hypot(y - 120.0 - ends[1]);
        println!("{off} {:?} {:?}", through.error_px(40.0, 120.0), direct.error_px(40.0, 120.0));
        assert!(off < 0.1, "{off}");
        assert!(through.error_px(40.0, 120.0) > direct.error_px(40.0, 120.0));
    }

    #[test]
    fn the_estimated_error_is_linear_between_nodes_and_bounded_by_the_limit() {
        let nodes = Grid::filled(2, 2, [0.0; 2]);
        let mut found = registered(shot(1, &STILL));
        found.field =
            Some(Field { origin: [10.0, 20.0], spacing_px: 40.0, nodes, ..Field::identity() });
        found.errors = Grid::from_vec(2, 2, vec![0.1, 0.5, 0.3, 1.5]);
        found.limit_px = 0.6;
        for (x, y, error) in [
            (10.0, 20.0, Some(0.1)),
            (50.0, 20.0, Some(0.5)),
            (30.0, 20.0, Some(0.3)),
            (30.0, 40.0, Some(0.6)),
            (40.0, 40.0, None),
            (-99.0, 60.0, Some(0.3)),
            (99.0, 99.0, None),
        ] {
            let estimated = found.error_px(x, y);
            let near = estimated.zip(error).is_some_and(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near || (estimated, error) == (None, None), "({x}, {y}): {estimated:?}");
        }
        let window = Window { x: 5, y: 5, width: 60, height: 70 };
        let skin = Mask::from_fn(60, 70, |x, _| x > 3);
        let trusted = found.trusted(window, &skin);
        for (x, y) in (0..70).flat_map(|y| (0..60).map(move |x| (x, y))) {
            let known = found.error_px((x + 5) as f64, (y + 5) as f64).is_some();
            assert_eq!(trusted.at(x, y), x > 3 && known, "({x}, {y})");
        }
        found.limit_px = 2.0;
        assert!(matches!(found.trusted(window, &skin), Cow::Borrowed(same) if same == &skin));
    }

    #[test]
    fn nodes_lie_a_length_of_skin_apart() {
        let (settings, regions) = (AlignSettings::default(), whole(Window::full(600, 400)));
        let spacing = |scale: &Scale| node_spacing_px(&regions, scale, &settings);
        assert!((spacing(&testing::scale(0.1)) - 50.0).abs() < 1e-9);
        assert!((spacing(&unscaled()) - 25.0).abs() < 1e-9);
        // At least 16 px.
        assert!((spacing(&testing::scale(1.0)) - 16.0).abs() < 1e-9);
    }
}
