//! Skin or not: a model of colour and light, fitted to the face itself.
//!
//! All steps work on a reduced copy in natural log of linear light, where shading is additive and a
//! shadow keeps its chroma. Skin is what departs little from the local level of light and chroma of
//! the face's own skin; brows, hair, lips, nostrils and background depart more. A morphological closing
//! removes wrinkles and pores first, so that they stay skin.

use super::Polygon;
use super::colour::{Chroma, chroma, inside, median_mad};
use super::face::Face;
use super::frame::FaceFrame;
use super::limits::Limits;
use super::model_output::{Class, ModelOutput, Segments};
use super::polygon::{self, rasterise};
use super::template::{BEARD, Corner, OUTLINE, SEEDS, SHADED, mirrored};
use super::view::{Rect, resample};
use crate::filter::box_mean::box_mean;
use crate::filter::label::label_by_sides;
use crate::filter::morphology::{close, dilate, open};
use crate::filter::warp::bilinear;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::RegionSettings;
use crate::srgb::luminance;

/// The pixels of the photo inside `window` that are neither clipped nor black in all channels.
fn unclipped(photo: &Photo, window: Window, settings: &RegionSettings) -> Mask {
    let level = |share: f64| (share * 65535.0).round() as u16;
    let (white, black) = (level(settings.clipped_white), level(settings.clipped_black));
    Mask::from_fn(window.width, window.height, |x, y| {
        let rgb = photo.linear.at(window.x + x, window.y + y);
        !(rgb.iter().all(|&v| v >= white) || rgb.iter().all(|&v| v <= black))
    })
}

/// The raster of the reduced copy on which skin is segmented.
pub(super) struct ReducedFace {
    /// The part of the photo, photo px.
    pub rect: Rect,
    /// Copy px per photo px.
    pub scale: f64,
    pub width: usize,
    pub height: usize,
    /// Copy px per millimetre, on a face of nominal width.
    pub mm: f64,
}

impl ReducedFace {
    /// A shape of the face frame on the copy.
    pub fn mask(&self, frame: &FaceFrame, corners: &[Corner]) -> Mask {
        self.outline(corners.iter().map(|&c| frame.to_photo(c)))
    }

    /// A shape of the face frame and its mirror image on the copy.
    pub fn both_sides(&self, frame: &FaceFrame, corners: &[Corner]) -> Mask {
        self.mask(frame, corners).zip(&self.mask(frame, &mirrored(corners)), |a, b| a || b)
    }

    /// A shape in photo pixels on the copy.
    pub fn outline(&self, points: impl Iterator<Item = [f64; 2]>) -> Mask {
        let points = points.map(|[x, y]| {
            [(x - self.rect.x) * self.scale - 0.5, (y - self.rect.y) * self.scale - 0.5]
        });
        let polygon = Polygon { name: String::new(), points: points.collect() };
        rasterise(&polygon, Window::full(self.width, self.height))
    }

    /// The summed probability of some classes on the copy; 0 outside the model's input.
    pub fn probability(&self, segments: &Segments, classes: &[Class]) -> Plane {
        let at = |v: usize, from: f64| from + (v as f64 + 0.5) / self.scale;
        Plane::from_fn(self.width, self.height, |x, y| {
            let position = [at(x, self.rect.x), at(y, self.rect.y)];
            segments.probability(classes, position).unwrap_or(0.0)
        })
    }

    /// A length in copy px, at least 1.
    pub fn px(&self, mm: f64) -> usize {
        ((mm * self.mm).round() as usize).max(1)
    }
}

/// The skin of a face: a window of the photo and the mask inside it; `output`: that of the model.
pub(super) fn of_face(
    photo: &Photo,
    face: &Face,
    output: Option<&ModelOutput>,
    settings: &RegionSettings,
) -> (Window, Mask) {
    let frame = FaceFrame::of(face);
    let (w, h) = (photo.width(), photo.height());
    let bounds = polygon::bounds(&frame.polygon("", OUTLINE), w, h);
    let scale = (settings.skin_face_px as f64 / face.width_px).min(1.0);
    let (width, height) = (
        ((bounds.width as f64 * scale).round() as usize).max(1),
        ((bounds.height as f64 * scale).round() as usize).max(1),
    );
    let rect = Rect {
        x: bounds.x as f64 - 0.5,
        y: bounds.y as f64 - 0.5,
        width: bounds.width as f64,
        height: bounds.height as f64,
    };
    let mm = face.width_px * scale / settings.nominal_face_width_mm;
    let work = ReducedFace { rect, scale, width, height, mm };
    let small = resample(&photo.linear, rect, width, height);
    let limits = Limits::of(&work, &frame, output, settings);
    let skin = on_copy(&small, &work, &frame, &limits, settings);

    // Later stages work on the bounding box of the skin with a margin.
    let margin = (settings.margin * face.width_px).round() as usize;
    let window = match extent(&skin) {
        None => bounds,
        Some(found) => {
            let at = |v: usize| (v as f64 / scale).floor() as usize;
            let to = |v: usize| (v as f64 / scale).ceil() as usize;
            let inner = Window {
                x: bounds.x + at(found.x),
                y: bounds.y + at(found.y),
                width: to(found.width),
                height: to(found.height),
            };
            inner.grown(margin, w, h)
        }
    };
    let soft = box_mean(&skin.map(|v| if v { 1.0 } else { 0.0 }), 1);
    let unclipped = unclipped(photo, window, settings);
    let mask = Mask::from_fn(window.width, window.height, |x, y| {
        let at = |v: usize, from: f64| (v as f64 - from) * scale - 0.5;
        let (sx, sy) = (at(window.x + x, rect.x), at(window.y + y, rect.y));
        let outside = sx < -0.5 || sy < -0.5 || sx > width as f64 - 0.5 || sy > height as f64 - 0.5;
        unclipped.at(x, y) && !outside && bilinear(&soft, sx, sy) >= 0.5
    });
    (window, mask)
}

/// Bounding box of the set pixels.
pub(super) fn extent(mask: &Mask) -> Option<Window> {
    let rows: Vec<usize> = (0..mask.height()).filter(|&y| mask.row(y).contains(&true)).collect();
    let columns: Vec<usize> =
        (0..mask.width()).filter(|&x| (0..mask.height()).any(|y| mask.at(x, y))).collect();
    let (&top, &bottom) = (rows.first()?, rows.last()?);
    let (&left, &right) = (columns.first()?, columns.last()?);
    Some(Window { x: left, y: top, width: right - left + 1, height: bottom - top + 1 })
}

/// The skin mask on the reduced copy.
fn on_copy(
    small: &Grid<[f32; 3]>,
    work: &ReducedFace,
    frame: &FaceFrame,
    limits: &Limits,
    settings: &RegionSettings,
) -> Mask {
    let shapes = Shapes::new(work, frame);
    let core = shapes.core(&limits.excluded);
    let features = Features::new(small, work, &core, settings);
    let tolerance = Tolerance::new(&features, &core, limits.segmented, settings);
    let classifier = Classifier { excluded: &limits.excluded, shapes, features, tolerance };
    let skin = classifier.iterate(&core, work.px(settings.level_mm), limits.segmented, settings);
    cleaned(&skin, &classifier.shapes.seeds, work, limits, settings)
}

/// Areas of a mean face on the reduced copy.
struct Shapes {
    /// With shadows and seldom with hair.
    shaded: Mask,
    /// With a beard or a moustache on some faces.
    beard: Mask,
    /// With skin on nearly every face: left and right cheek, nose, forehead.
    seeds: [Mask; 4],
}

impl Shapes {
    fn new(work: &ReducedFace, frame: &FaceFrame) -> Self {
        Shapes {
            shaded: work.both_sides(frame, SHADED),
            beard: work.mask(frame, BEARD),
            seeds: SEEDS.map(|corners| work.mask(frame, corners)),
        }
    }

    /// Cheeks and nose, the samples of skin.
    fn core(&self, excluded: &Mask) -> Mask {
        Mask::from_fn(excluded.width(), excluded.height(), |x, y| {
            !excluded.at(x, y) && self.seeds[..3].iter().any(|seed| seed.at(x, y))
        })
    }
}

/// The planes by which pixels are classified, natural logs.
struct Features {
    /// Light and two chromas, without thin dark lines (wrinkles, single hairs) and smoothed over a pore.
    planes: [Plane; 3],
    /// Standard deviations of the two chromas over the core.
    chroma_sd: [f32; 2],
    /// Fine structure, of hair or a beard: mean departure of light from its surround.
    hair_texture: Plane,
}

impl Features {
    fn new(
        small: &Grid<[f32; 3]>,
        work: &ReducedFace,
        core: &Mask,
        settings: &RegionSettings,
    ) -> Self {
        let floor = settings.dark_floor as f32;
        let light = small.map(|rgb| (luminance(rgb) + floor).ln());
        let around = box_mean(&light, work.px(settings.hair_period_mm));
        let departure = light.zip(&around, |light, around| (light - around).abs());
        let hair_texture = box_mean(&departure, work.px(2.0 * settings.hair_period_mm));

        let closed = close(&light, work.px(settings.closing_mm));
        let closed = box_mean(&closed, work.px(0.5));
        let [red, yellow] = chroma(small, settings)
            .map(|plane| Chroma::without_light(&box_mean(&plane, work.px(0.7)), &closed, core));
        Features {
            planes: [closed, red.plane, yellow.plane],
            chroma_sd: [red.sd, yellow.sd],
            hair_texture,
        }
    }
}

/// Largest departures of skin from its local level, natural logs.
struct Tolerance {
    darker: f32,
    brighter: f32,
    /// Added to `darker` in shaded areas.
    shadow: f32,
    /// Standard deviations of the two chromas.
    chroma_sd: [f32; 2],
    /// Departure of chroma, standard deviations.
    chroma: f32,
    /// Fine structure that is hair.
    hair_texture: f32,
    /// Minimum darkness of hair below skin, outside the area of beards.
    hair_darker: f32,
}

impl Tolerance {
    /// From the spread of light and the median fine structure of the core; wider where skin is
    /// `segmented` by a model already.
    fn new(features: &Features, core: &Mask, segmented: bool, settings: &RegionSettings) -> Self {
        let spread = median_mad(inside(&features.planes[0], core)).1;
        let texture = median_mad(inside(&features.hair_texture, core)).0;
        let slack = if segmented { settings.segmented_tolerance_factor } else { 1.0 };
        Tolerance {
            darker: (slack * settings.darker_max + settings.contrast_gain * f64::from(spread))
                as f32,
            brighter: (slack * settings.brighter_max
                + 0.5 * settings.contrast_gain * f64::from(spread)) as f32,
            shadow: settings.shadow_tolerance as f32,
            chroma_sd: features
                .chroma_sd
                .map(|s| s.clamp(settings.chroma_floor as f32, settings.chroma_cap as f32)),
            chroma: (slack * settings.chroma_departure_max) as f32,
            hair_texture: (slack * settings.hair_texture_ratio * f64::from(texture))
                .max(settings.hair_texture_min) as f32,
            hair_darker: settings.hair_darker_min as f32,
        }
    }

    fn accepts_light(&self, departure: f32, shaded: bool) -> bool {
        let darker = if shaded { self.darker + self.shadow } else { self.darker };
        departure > -darker && departure < self.brighter
    }

    fn accepts_chroma(&self, [red, yellow]: [f32; 2]) -> bool {
        let (r, y) = (red / self.chroma_sd[0], yellow / self.chroma_sd[1]);
        r * r + y * y < self.chroma * self.chroma
    }
}

/// Classifies pixels against a local level of light and chroma.
struct Classifier<'a> {
    excluded: &'a Mask,
    shapes: Shapes,
    features: Features,
    tolerance: Tolerance,
}

impl Classifier<'_> {
    /// Whether a pixel is skin, for a `level` of light and chroma.
    fn is_skin(&self, x: usize, y: usize, level: &[Plane; 3]) -> bool {
        let Classifier { excluded, shapes, features, tolerance } = self;
        let [light, red, yellow] = features.planes.each_ref().map(|plane| plane.at(x, y));
        let off = light - level[0].at(x, y);
        let off_chroma = [red - level[1].at(x, y), yellow - level[2].at(x, y)];
        // Fine structure in skin that is not dark is a wrinkle, except in the area of beards.
        let hair = features.hair_texture.at(x, y) >= tolerance.hair_texture
            && (shapes.beard.at(x, y) || off < -tolerance.hair_darker);
        // A shadow on skin is redder and yellower than lit skin; cloth and grey hair are not.
        let half = |c: f32| if c > 0.0 { 0.5 * c } else { c };
        let shaded = shapes.shaded.at(x, y);
        !excluded.at(x, y)
            && !hair
            && tolerance.accepts_chroma([red, yellow].map(half))
            && tolerance.accepts_chroma(if shaded { off_chroma.map(half) } else { off_chroma })
            && tolerance.accepts_light(off, shaded)
    }

    /// Alternates between classifying all pixels and estimating the level from those accepted, over
    /// `radius` px.
    fn iterate(
        &self,
        core: &Mask,
        radius: usize,
        segmented: bool,
        settings: &RegionSettings,
    ) -> Mask {
        let planes = self.features.planes.each_ref();
        let (width, height) = (core.width(), core.height());
        let first = first_level(planes[0], core, &self.shapes.seeds);
        let mut level = first.clone();
        let mut skin = Mask::filled(width, height, false);
        for _ in 0..settings.skin_rounds {
            skin = Mask::from_fn(width, height, |x, y| self.is_skin(x, y, &level));
            level = local_level(planes, &skin, &level, radius);
            // Hair that was accepted must not shift the level; a segmentation excludes it before.
            if !segmented {
                let most = settings.level_departure_max as f32;
                level[0] =
                    level[0].zip(&first[0], |at, first| at.clamp(first - most, first + most));
            }
        }
        skin
    }
}

/// Skin without small parts and small holes, and with a border to everything else.
fn cleaned(
    skin: &Mask,
    seeds: &[Mask; 4],
    work: &ReducedFace,
    limits: &Limits,
    settings: &RegionSettings,
) -> Mask {
    let Limits { outline, excluded, segmented } = limits;
    let skin = open(skin, work.px(settings.opening_mm));
    let skin = keep_large(&skin, seeds);
    let hole = (std::f64::consts::PI * work.px(settings.hole_mm).pow(2) as f64 / 4.0) as usize;
    let skin = fill_small(&skin, excluded, hole);
    // A border of other objects (their shadow, their blur) is excluded, too; the outline of a mean
    // face limits the search only and has no border.
    let other = Mask::from_fn(work.width, work.height, |x, y| {
        (*segmented || outline.at(x, y)) && !skin.at(x, y)
    });
    let near = dilate(&other, work.px(settings.border_mm));
    Mask::from_fn(work.width, work.height, |x, y| skin.at(x, y) && !near.at(x, y))
}

/// Initial local level: light varies linearly from cheek to cheek, chroma is constant.
fn first_level(light: &Plane, core: &Mask, seeds: &[Mask; 4]) -> [Plane; 3] {
    let (w, h) = (light.width(), light.height());
    let side = |seed: &Mask| {
        let both = Mask::from_fn(w, h, |x, y| seed.at(x, y) && core.at(x, y));
        let columns = Plane::from_fn(w, h, |x, _| x as f32);
        (median_mad(inside(&columns, &both)).0, median_mad(inside(light, &both)).0)
    };
    let ((x0, l0), (x1, l1)) = (side(&seeds[1]), side(&seeds[0]));
    let slope = if x1 > x0 { (l1 - l0) / (x1 - x0) } else { 0.0 };
    let (middle, reach) = (0.5 * (x0 + x1), 0.6 * (x1 - x0).abs());
    let level = median_mad(inside(light, core)).0;
    [
        Plane::from_fn(w, h, |x, _| level + slope * (x as f32 - middle).clamp(-reach, reach)),
        Plane::filled(w, h, 0.0),
        Plane::filled(w, h, 0.0),
    ]
}

/// Mean of each plane over the skin near each pixel; where there is little, the level `before`.
fn local_level(planes: [&Plane; 3], skin: &Mask, before: &[Plane; 3], radius: usize) -> [Plane; 3] {
    let weight = box_mean(&skin.map(|v| if v { 1.0 } else { 0.0 }), radius);
    [0, 1, 2].map(|k| {
        let (w, h) = (skin.width(), skin.height());
        let held =
            Plane::from_fn(w, h, |x, y| if skin.at(x, y) { planes[k].at(x, y) } else { 0.0 });
        let sum = box_mean(&held, radius);
        Plane::from_fn(w, h, |x, y| {
            // The level before has the weight of a twentieth of a full neighbourhood.
            let (n, prior) = (weight.at(x, y), 0.05);
            (sum.at(x, y) + prior * before[k].at(x, y)) / (n + prior)
        })
    })
}

/// The 4-connected components of more than half the area of a seed.
fn keep_large(mask: &Mask, seeds: &[Mask; 4]) -> Mask {
    let (labels, sizes) = label_by_sides(mask);
    let seed: usize = seeds[0].data().iter().filter(|&&v| v).count();
    labels.map(|id| id > 0 && sizes[id as usize] * 2 > seed)
}

/// Fills holes of at most `area` px, but for `excluded` pixels.
fn fill_small(mask: &Mask, excluded: &Mask, area: usize) -> Mask {
    let (labels, sizes) = label_by_sides(&mask.map(|v| !v));
    Mask::from_fn(mask.width(), mask.height(), |x, y| {
        mask.at(x, y) || (sizes[labels.at(x, y) as usize] <= area && !excluded.at(x, y))
    })
}
