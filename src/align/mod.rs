//! Alignment: each follow-up mapped onto the baseline's coordinates.
//!
//! First a rough map ([`estimate`]: from the faces' eyes and mouths, else from matched features),
//! then a smooth field of displacements on a grid of nodes (`refine`), steered by the skin alone:
//! hair, clothes and background have no say.
//!
//! How stiff the field is, is a physical length. Nodes lie `AlignSettings::node_spacing_mm` apart and
//! are joined by a penalty on bending, so that the field follows what bends over a centimetre (pose,
//! mimic, another lens) and cannot follow a wrinkle of a millimetre or a pore: were it to, a milder
//! wrinkle would be stretched onto the deep one, and the change be hidden. `tests/it/alignment.rs` holds
//! it to less than 0.1 px.
//!
//! Each node states its error ([`Alignment::error_px`]); skin whose error is above
//! `AlignSettings::error_max_px` is not measured. Whether two photos are of one skin at all is asked
//! of the second finest octave: the share of nodes around which both show the same detail. All faces
//! have eyes and noses in common, which the coarser octaves show; no two have their skin in common.
//!
//! Cost: linear in pixels; the finest octave is gone over once, the second finest three times. The
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
use refine::{Fit, Refined};
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
    /// The tool's own estimate of the error, median over the region's skin, baseline px.
    pub residual_median_px: Option<f64>,
    /// 95th percentile.
    pub residual_p95_px: Option<f64>,
    /// Share of the region's skin that the follow-up shows.
    pub overlap_percent: f64,
}

/// How one follow-up lies on the baseline.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// Overall outcome.
    pub status: AlignmentStatus,
    /// Why it failed.
    pub reason: Option<String>,
    /// The map; none where alignment failed.
    pub field: Option<Field>,
    /// Stated error of each node of the field: root mean square distance from the true place,
    /// baseline px.
    errors: Grid<f64>,
    /// Stated errors above this are not to be compared, baseline px.
    limit_px: f64,
    /// Share of the nodes at which the two photos show the same skin; none where it was not asked.
    pub likeness: Option<f64>,
    /// The earlier visit through which this one was aligned, where it could not be directly.
    pub through: Option<usize>,
    /// All regions together, named `whole`.
    pub all: Option<RegionAlignment>,
    /// Each region of the map, in its order.
    pub regions: Vec<RegionAlignment>,
}

impl Alignment {
    /// The stated error at a baseline position, px: the root mean square distance of the map from
    /// the truth. `None` where it is above the limit, so that the skin there cannot be compared.
    pub fn error_px(&self, x: f64, y: f64) -> Option<f64> {
        let field = self.field.as_ref()?;
        let error = stated(field, &self.errors, x, y);
        (error <= self.limit_px).then_some(error)
    }

    /// The pixels of `skin`, which covers `window`, at which the stated error is within the limit.
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

/// Stated error between the nodes, by linear interpolation.
fn stated(field: &Field, errors: &Grid<f64>, x: f64, y: f64) -> f64 {
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

/// What follow-ups are registered to: the light of the baseline's skin, in octaves.
pub struct Reference {
    light: Plane,
    octaves: refine::Reference,
    spacing_px: f64,
}

impl Reference {
    /// Of the baseline. Cost: linear in the pixels of the regions' window.
    pub fn new(
        baseline: &Photo,
        regions: &RegionMap,
        scale: &Scale,
        settings: &AlignSettings,
    ) -> Reference {
        let light = baseline.luminance(regions.window);
        let octaves = refine::Reference::new(&light, &regions.skin, regions.window, settings);
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
    /// What its skin shows.
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
struct Found {
    field: Field,
    /// Stated error of each node, px.
    errors: Grid<f64>,
    likeness: f64,
}

impl Aligner<'_> {
    /// Registers one follow-up, of which a `face` may be known; `earlier` are the follow-ups registered before it,
    /// visit 1 first.
    ///
    /// Directly where that succeeds; else through the nearest earlier visit that is aligned directly:
    /// that visit, warped to the baseline's pixels, stands in for the baseline. Where neither succeeds,
    /// the follow-up may be a mirror image (a front camera's) or lie on its side: what its features, and
    /// its face, say of that is tried, and the photo that aligns takes the follow-up's place.
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
        let light = refine::laid(photo, field, window, &visible);
        let skin = self.regions.skin.zip(&visible, |skin, visible| skin && visible);
        let stand_in = refine::Reference::new(&light, &skin, window, self.settings);
        let found = self.find(&stand_in, &light, faces, follow_up).ok()?;
        let errors = found.errors.zip(&alignment.errors, f64::hypot);
        self.summarise(Found { errors, ..found }, Some(j), follow_up).ok()
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
            likeness: None,
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
            likeness: None,
            through: None,
            all: None,
            regions: Vec::new(),
        }
    }

    /// Maps the `reference` made of `light` onto a follow-up: from the faces, and where they are not
    /// there or mislead, from matched features.
    fn find(
        &self,
        reference: &refine::Reference,
        light: &Plane,
        faces: [Option<&Face>; 2],
        follow_up: &Photo,
    ) -> Result<Found, String> {
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

    /// Registers a follow-up that lies turned or mirrored. `None` where no turn of it shows the same skin.
    fn turned(&self, [face, other]: [Option<&Face>; 2], follow_up: &Photo) -> Option<Registered> {
        let size = [follow_up.width(), follow_up.height()];
        let Reference { light, octaves, .. } = self.reference;
        let by_features = estimate::turn(light, follow_up, self.regions, self.settings);
        // Eyes and mouth of a mirrored face fit as well as those of the right one.
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

    /// Whether a refined field maps skin to the same skin.
    fn accepted(&self, refined: Refined) -> Result<Found, String> {
        let settings = self.settings;
        let seen: Vec<&Fit> =
            refined.fits.data().iter().filter(|f| f.seen >= settings.node_seen_min).collect();
        if seen.is_empty() {
            return Err("the photos do not overlap on the skin that is measured".into());
        }
        let alike = seen.iter().filter(|f| f.correlation >= settings.alike_correlation).count();
        let likeness = alike as f64 / seen.len() as f64;
        if likeness < settings.likeness_min {
            return Err(format!(
                "{:.0} % of the skin matches after alignment, {:.0} % needed: is it the same \
                 person, the same view and the same face (a smile moves the skin)?",
                100.0 * likeness,
                100.0 * settings.likeness_min
            ));
        }
        Ok(Found { field: refined.field, errors: refined.errors, likeness })
    }

    /// The stated errors of a map by region; `through` is the visit that stood in for the baseline.
    fn summarise(
        &self,
        found: Found,
        through: Option<usize>,
        follow_up: &Photo,
    ) -> Result<Alignment, String> {
        let Found { field, errors, likeness } = found;
        let shows = self.overlap(&field, follow_up);
        let rows: Vec<_> = (self.regions.regions.iter())
            .map(|region| self.region(region, &field, &errors, &shows))
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
            likeness: Some(likeness),
            through,
            // The last region is the whole.
            all: rows.last().cloned(),
            regions: rows,
        })
    }

    /// Which pixels of the window the follow-up shows.
    fn overlap(&self, field: &Field, follow_up: &Photo) -> Mask {
        let (w, h) = (follow_up.width() as f64 - 1.0, follow_up.height() as f64 - 1.0);
        let origin = self.regions.window;
        let mut shows = Mask::filled(origin.width, origin.height, false);
        shows.par_rows(|y, out| {
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
        shows
    }

    fn region(
        &self,
        region: &Region,
        field: &Field,
        errors: &Grid<f64>,
        shows: &Mask,
    ) -> RegionAlignment {
        let Region { name, window, inside } = region;
        let (frame, skin) = (self.regions.window, &self.regions.skin);
        let in_region = |x: usize, y: usize| {
            window.contains(x, y)
                && inside.at(x - window.x, y - window.y)
                && frame.contains(x, y)
                && skin.at(x - frame.x, y - frame.y)
        };
        let (mut all, mut seen) = (0usize, Vec::new());
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                if in_region(x, y) {
                    all += 1;
                    if shows.at(x - frame.x, y - frame.y) {
                        seen.push((x as u32, y as u32));
                    }
                }
            }
        }
        // A thousand places tell a region's errors.
        let mut residuals: Vec<f64> = seen
            .iter()
            .step_by(seen.len().div_ceil(1000).max(1))
            .map(|(x, y)| stated(field, errors, f64::from(*x), f64::from(*y)))
            .collect();
        let median_px = median(&mut residuals);
        RegionAlignment {
            region: name.clone(),
            // Without any skin there is nothing that could lie wrong: coverage speaks for it.
            aligned: all == 0 || median_px.is_some_and(|m| m <= self.settings.error_max_px),
            residual_median_px: median_px,
            residual_p95_px: quantile(&mut residuals, 0.95),
            overlap_percent: 100.0 * seen.len() as f64 / all.max(1) as f64,
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

    fn alone(follow_up: Photo) -> Alignment {
        aligned(vec![shot(1, &STILL), follow_up]).remove(0).alignment
    }

    #[test]
    fn the_same_photo_lies_where_it_is_without_error() {
        let found = alone(shot(1, &STILL));
        assert_eq!(found.status, AlignmentStatus::Aligned);
        assert!(found.field.as_ref().is_some_and(Field::is_identity));
        assert_eq!(found.error_px(100.0, 30.0), Some(0.0));
        let all = found.all.expect("the whole");
        assert_eq!((all.residual_p95_px, all.overlap_percent), (Some(0.0), 100.0));
    }

    #[test]
    fn a_turned_and_shifted_photo_is_laid_onto_the_baseline() {
        let map = similarity(1.05, 6.0, [14.4, -21.7]);
        let found = alone(shot(1, &map));
        assert_eq!(found.status, AlignmentStatus::Aligned);
        let field = found.field.as_ref().expect("a field");
        let (mut sum, mut stated, mut n) = (0.0, 0.0, 0.0);
        for (x, y) in (40..200).step_by(20).flat_map(|y| (40..200).step_by(20).map(move |x| (x, y)))
        {
            let [x, y] = [x, y].map(f64::from);
            let (p, q) = (field.at(x, y), apply(&map, x, y));
            sum += (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
            stated += found.error_px(x, y).expect("small").powi(2);
            n += 1.0;
        }
        let [off, stated] = [sum, stated].map(|sum| f64::sqrt(sum / n));
        println!("{off} {stated}");
        assert!(off < 0.04 && off < 2.0 * stated, "{off} ± {stated}");
        assert!(found.likeness.expect("asked") > 0.9 && found.through.is_none());
    }

    #[test]
    fn the_overlap_is_the_part_that_the_photo_shows() {
        // The right quarter of the baseline has left the frame.
        let found = alone(shot(1, &similarity(1.0, 0.0, [60.0, 0.0])));
        let all = found.all.expect("the whole");
        println!("{}", all.overlap_percent);
        assert!((all.overlap_percent - 75.0).abs() < 1.0, "{}", all.overlap_percent);
        assert!(all.aligned && all.residual_median_px.is_some_and(|median| median < 0.1));
    }

    #[test]
    fn another_skin_is_refused_and_named() {
        let found = alone(shot(2, &STILL));
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

    /// Of the baseline's skin the last photo has 30 % left, which is too little; the one between has 60 %, and
    /// 70 % in common with the last.
    #[test]
    fn errors_add_up_through_a_visit_between() {
        let [old, odd, new] = [1, 2, 3].map(|seed| Texture::new(seed, 0.12));
        // Old skin up to a column of the baseline, new skin from another on.
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
    fn the_stated_error_is_linear_between_nodes_and_bounded_by_the_limit() {
        let nodes = Grid::filled(2, 2, [0.0; 2]);
        let mut found = alone(shot(1, &STILL));
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
            let stated = found.error_px(x, y);
            let near = stated.zip(error).is_some_and(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near || (stated, error) == (None, None), "({x}, {y}): {stated:?}");
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
