//! Alignment: each follow-up mapped onto the baseline's coordinates.
//!
//! First a rough map ([`estimate`]: from the faces' eyes and mouths, else from matched features),
//! then a smooth field of displacements on a grid of nodes (`refine`), steered by the skin alone:
//! hair, clothes and background have no say.
//!
//! How stiff the field is, is a physical length. Nodes lie `AlignSettings::node_spacing_mm` apart and
//! are joined by a penalty on bending, so that the field follows what bends over a centimetre (pose,
//! mimic, another lens) and cannot follow a wrinkle of a millimetre or a pore: were it to, a milder
//! wrinkle would be stretched onto the deep one, and the change be hidden. `tests/alignment.rs` holds
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
use crate::series::{Scale, Series};
use crate::settings::AlignSettings;
use refine::{Fit, Reference, Refined};
use serde::Serialize;
use std::borrow::Cow;

/// Outcome of aligning one follow-up, or one region of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// A series whose follow-ups are mapped onto the baseline.
#[derive(Debug, Clone)]
pub struct AlignedSeries {
    /// The photos; a follow-up that lay turned or mirrored is turned back, and a notice of it says so.
    pub series: Series,
    /// What is known of the face of each follow-up, as it lies in `series`: index 0 is visit 1.
    pub faces: Vec<Option<Face>>,
    /// Regions of the baseline.
    pub regions: RegionMap,
    /// Scale of the baseline.
    pub scale: Scale,
    /// One per follow-up: index 0 is visit 1.
    pub alignments: Vec<Alignment>,
}

/// Aligns every follow-up of `series` to the baseline; `faces` holds what is known of the face of
/// each follow-up (the first entry is visit 1's).
///
/// Directly where that succeeds; else through the nearest earlier visit that is aligned directly:
/// that visit, laid onto the baseline's pixels, stands in for the baseline. Where neither succeeds,
/// the follow-up may be a mirror image (a front camera's) or lie on its side: what its features, and
/// its face, say of that is tried, and the photo that aligns takes the follow-up's place.
pub fn align(
    mut series: Series,
    regions: RegionMap,
    faces: &[Option<Face>],
    scale: Scale,
    settings: &AlignSettings,
) -> AlignedSeries {
    let aligner = Aligner {
        regions: &regions,
        spacing_px: node_spacing_px(&regions, &scale, settings),
        settings,
    };
    let light = series.baseline().luminance(regions.window);
    let reference = Reference::new(&light, &regions.skin, regions.window, settings);
    let mut alignments: Vec<Alignment> = Vec::new();
    let mut faces = faces.to_vec();
    for k in 1..series.visits.len() {
        let follow_up = &series.visits[k].photo;
        if series.baseline().linear == follow_up.linear {
            alignments.push(aligner.same());
            continue;
        }
        let pair = [regions.face.as_ref(), faces[k - 1].as_ref()];
        let direct = aligner
            .find(&reference, &light, pair, follow_up)
            .and_then(|found| aligner.told(found, None, follow_up));
        let found = direct.or_else(|why| {
            let nearest = (1..k).rev().find_map(|j| {
                let earlier = &alignments[j - 1];
                let field = earlier.field.as_ref()?;
                let direct = earlier.through.is_none() && !field.is_identity();
                direct.then_some((j, earlier, field))
            });
            let Some((j, earlier, field)) = nearest else { return Err(why) };
            let photo = &series.visits[j].photo;
            let shows = aligner.overlap(field, photo);
            let light = refine::laid(photo, field, regions.window, &shows);
            let skin = regions.skin.zip(&shows, |skin, shows| skin && shows);
            let stand_in = Reference::new(&light, &skin, regions.window, settings);
            let through = |found: Found| {
                let errors = found.errors.zip(&earlier.errors, f64::hypot);
                aligner.told(Found { errors, ..found }, Some(j), follow_up)
            };
            aligner.find(&stand_in, &light, pair, follow_up).and_then(through).map_err(|_| why)
        });
        alignments.push(match found {
            Ok(alignment) => alignment,
            Err(why) => match aligner.turned(&reference, &light, pair, follow_up) {
                Some((photo, face, alignment)) => {
                    series.visits[k].photo = photo;
                    faces[k - 1] = face;
                    alignment
                }
                None => aligner.failed(follow_up, why),
            },
        });
    }
    AlignedSeries { series, faces, regions, scale, alignments }
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

/// A map that may be believed.
struct Found {
    field: Field,
    /// Stated error of each node, px.
    errors: Grid<f64>,
    likeness: f64,
}

/// What all follow-ups of a series share.
struct Aligner<'a> {
    regions: &'a RegionMap,
    spacing_px: f64,
    settings: &'a AlignSettings,
}

impl Aligner<'_> {
    /// The outcome for the baseline's own photo.
    fn same(&self) -> Alignment {
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
    fn failed(&self, follow_up: &Photo, why: String) -> Alignment {
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
        reference: &Reference,
        light: &Plane,
        faces: [Option<&Face>; 2],
        follow_up: &Photo,
    ) -> Result<Found, String> {
        let refined = |affine: [f64; 6]| {
            self.believed(reference.refine(follow_up, affine, self.spacing_px, self.settings))
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

    /// Aligns a follow-up that lies turned or mirrored: the photo turned back, its face, and how it
    /// lies on the baseline. `None` where no turn of it shows the same skin.
    fn turned(
        &self,
        reference: &Reference,
        light: &Plane,
        [face, other]: [Option<&Face>; 2],
        follow_up: &Photo,
    ) -> Option<(Photo, Option<Face>, Alignment)> {
        let size = [follow_up.width(), follow_up.height()];
        let by_features = estimate::turn(light, follow_up, self.regions, self.settings);
        // Eyes and mouth of a mirrored face fit as well as those of the right one.
        let mirrored = Turn { mirrored: true, quarters: 0 };
        let by_faces = (face.is_some() && other.is_some()).then_some(mirrored);
        let by_faces = by_faces.filter(|turn| by_features != Some(*turn));
        [by_features, by_faces].into_iter().flatten().find_map(|turn| {
            let photo = follow_up.turned(turn);
            let other = other.map(|other| other.turned(turn, size));
            let found = self.find(reference, light, [face, other.as_ref()], &photo).ok()?;
            let alignment = self.told(found, None, &photo).ok()?;
            Some((photo, other, alignment))
        })
    }

    /// Whether a refined field lays skin onto the same skin.
    fn believed(&self, refined: Refined) -> Result<Found, String> {
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

    /// What a map means for each region; `through` is the visit that stood in for the baseline.
    fn told(
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
