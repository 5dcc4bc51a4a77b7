//! Skin or not: a model of colour and light fitted on the face itself.
//!
//! Everything happens on a reduced copy in natural log of linear light, where shading adds and a
//! shadow keeps its chroma. Skin is what stays near the local level of light and chroma that the
//! face's own skin sets; brows, hair, lips, nostrils and background do not. A wrinkle or a pore is
//! thinner than the closing that goes before, so it stays in.

use super::anatomy::outlines;
use super::frame::Frame;
use super::model_output::{Class, ModelOutput, Segments};
use super::polygon::{self, rasterise};
use super::template::{BEARD, Corner, EYE, HAIRLINE, LIPS, OUTLINE, SEEDS, SHADED, mirrored};
use super::view::{Rect, resample};
use super::{Face, Polygon};
use crate::filter::box_mean::box_mean;
use crate::filter::label::label_by_sides;
use crate::filter::morphology::{close, dilate, open};
use crate::filter::warp::bilinear;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::RegionSettings;
use crate::srgb::luminance;

/// Whether each pixel of the photo inside `window` is neither burnt out nor black in all channels.
fn unclipped(photo: &Photo, window: Window, settings: &RegionSettings) -> Mask {
    let level = |share: f64| (share * 65535.0).round() as u16;
    let (white, black) = (level(settings.clipped_white), level(settings.clipped_black));
    Mask::from_fn(window.width, window.height, |x, y| {
        let rgb = photo.linear.at(window.x + x, window.y + y);
        !(rgb.iter().all(|&v| v >= white) || rgb.iter().all(|&v| v <= black))
    })
}

/// The reduced copy that the skin is told apart on.
struct Work {
    /// What it covers, photo px.
    rect: Rect,
    /// Work px per photo px.
    scale: f64,
    width: usize,
    height: usize,
    /// Work px per millimetre, on a face of nominal width.
    mm: f64,
}

impl Work {
    /// A shape of the face frame on the copy.
    fn mask(&self, frame: &Frame, corners: &[Corner]) -> Mask {
        self.outline(corners.iter().map(|&c| frame.place(c)))
    }

    /// A shape in photo pixels on the copy.
    fn outline(&self, points: impl Iterator<Item = [f64; 2]>) -> Mask {
        let points = points.map(|[x, y]| {
            [(x - self.rect.x) * self.scale - 0.5, (y - self.rect.y) * self.scale - 0.5]
        });
        let polygon = Polygon { name: String::new(), points: points.collect() };
        rasterise(&polygon, Window::full(self.width, self.height))
    }

    /// The summed probability of some classes on the copy; 0 where the model did not look.
    fn probability(&self, segments: &Segments, classes: &[Class]) -> Plane {
        let at = |v: usize, from: f64| from + (v as f64 + 0.5) / self.scale;
        Plane::from_fn(self.width, self.height, |x, y| {
            let place = [at(x, self.rect.x), at(y, self.rect.y)];
            segments.probability(classes, place).unwrap_or(0.0)
        })
    }

    /// A length in work px, at least 1.
    fn px(&self, mm: f64) -> usize {
        ((mm * self.mm).round() as usize).max(1)
    }
}

/// The skin of a face: a window of the photo and the mask inside it; `output`: that of a model.
pub(super) fn of_face(
    photo: &Photo,
    face: &Face,
    output: Option<&ModelOutput>,
    settings: &RegionSettings,
) -> (Window, Mask) {
    let frame = Frame::of(face);
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
    let work = Work { rect, scale, width, height, mm };
    let small = resample(&photo.linear, rect, width, height);
    let limits = Limits::of(&work, &frame, output, settings);
    let skin = on_copy(&small, &work, &frame, &limits, settings);

    // The box of the skin itself, with a margin, is all that later stages see.
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
    let lit = unclipped(photo, window, settings);
    let mask = Mask::from_fn(window.width, window.height, |x, y| {
        let at = |v: usize, from: f64| (v as f64 - from) * scale - 0.5;
        let (sx, sy) = (at(window.x + x, rect.x), at(window.y + y, rect.y));
        let outside = sx < -0.5 || sy < -0.5 || sx > width as f64 - 0.5 || sy > height as f64 - 0.5;
        lit.at(x, y) && !outside && bilinear(&soft, sx, sy) >= 0.5
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

/// Where skin can be at all, on the reduced copy.
struct Limits {
    /// Where it is looked for.
    outline: Mask,
    /// What is none for certain.
    barred: Mask,
    /// Whether the outline follows the face itself, so that what lies beyond is no skin.
    followed: bool,
}

impl Limits {
    /// From the output of a model, else from the shapes of an average face.
    fn of(
        work: &Work,
        frame: &Frame,
        output: Option<&ModelOutput>,
        settings: &RegionSettings,
    ) -> Self {
        let or = |a: bool, b: bool| a || b;
        let and = |a: bool, b: bool| a && b;
        // Lids move: they are measured in no face, whoever tells where the eyes are.
        let lids = work.mask(frame, EYE).zip(&work.mask(frame, &mirrored(EYE)), or);
        let average = work.mask(frame, OUTLINE);
        let lips = work.mask(frame, LIPS);
        let (outline, barred, followed) = match output {
            None => (average, lids.zip(&lips, or), false),
            Some(ModelOutput::Landmarks { topology, points, .. }) => {
                let outlines = outlines(*topology);
                let draw = |list: &[usize]| work.outline(list.iter().map(|&i| points[i]));
                let face = average.zip(&draw(outlines.face), and);
                let brows = draw(outlines.brows[0]).zip(&draw(outlines.brows[1]), or);
                let barred = lids.zip(&dilate(&brows, work.px(settings.border_mm)), or);
                (face, barred.zip(&draw(outlines.lips), or), false)
            }
            Some(ModelOutput::Segments(segments)) if segments.recognised[Class::Skin as usize] => {
                let skin = work.probability(segments, &[Class::Skin, Class::Nose]);
                let folds = work.mask(frame, SHADED).zip(&work.mask(frame, &mirrored(SHADED)), or);
                let folds = folds.zip(&work.mask(frame, BEARD), |fold, beard| fold && !beard);
                let sure = believed(&skin, [&lids, &folds], settings);
                let strands = strands(work, frame, segments, &average, settings);
                let sure = sure.zip(&strands, |sure, strand| sure && !strand);
                let lips =
                    if segments.recognised[Class::Lips as usize] { sure.map(|s| !s) } else { lips };
                (sure, lids.zip(&lips, or), true)
            }
            Some(ModelOutput::Segments(segments)) => {
                let other = work.probability(segments, &Class::ALL);
                let outline = average.zip(&other, |face, p| face && p <= 0.5);
                (outline, lids.zip(&lips, or), false)
            }
        };
        let barred = barred.zip(&outline, |barred, inside| barred || !inside);
        Limits { outline, barred, followed }
    }
}

/// Where a model sees skin, told how likely it holds it: where it believes so, and in the `folds` of the face where
/// it doubts, but skin is likelier than all else together all over the doubt, within the folds and beyond. Beside
/// hair or the frame of glasses doubt ends in belief, within a bundle of deep lines it does not. The `lids` part
/// one doubt from another.
fn believed(skin: &Plane, [lids, folds]: [&Mask; 2], settings: &RegionSettings) -> Mask {
    let sure = skin.map(|p| p >= settings.model_skin as f32);
    let (labels, sizes) = label_by_sides(&sure.zip(lids, |sure, lid| !sure && !lid));
    let mut least = vec![1.0f32; sizes.len()];
    for (&label, &p) in labels.data().iter().zip(skin.data()) {
        least[label as usize] = least[label as usize].min(p);
    }
    let likely = labels.map(|label| label > 0 && least[label as usize] >= 0.5);
    let folded = likely.zip(folds, |likely, fold| likely && fold);
    sure.zip(&folded, |sure, folded| sure || folded)
}

/// Hair of the head and where its strands fall: hair above the eyes that goes on beyond the face's
/// `average` outline, as no brow does.
fn strands(
    work: &Work,
    frame: &Frame,
    segments: &Segments,
    average: &Mask,
    settings: &RegionSettings,
) -> Mask {
    // Flat: the corners lie beyond the head, where the face has no depth.
    let above = work.outline(HAIRLINE.iter().map(|&corner| frame.in_plane(corner)));
    let hair = work.probability(segments, &[Class::Hair]);
    let hair = hair.zip(&above, |p, above| p >= 0.5 && above);
    let (labels, sizes) = label_by_sides(&hair);
    let mut beyond = vec![false; sizes.len()];
    for (&label, &inside) in labels.data().iter().zip(average.data()) {
        beyond[label as usize] |= label > 0 && !inside;
    }
    dilate(&labels.map(|label| beyond[label as usize]), work.px(settings.hair_mm))
}

/// The skin mask on the reduced copy.
fn on_copy(
    small: &Grid<[f32; 3]>,
    work: &Work,
    frame: &Frame,
    limits: &Limits,
    settings: &RegionSettings,
) -> Mask {
    let Limits { outline, barred, followed } = limits;
    let floor = settings.dark_floor as f32;
    let light = small.map(|rgb| (luminance(rgb) + floor).ln());
    let [red, yellow] = chroma(small, settings);

    let shaded = [work.mask(frame, SHADED), work.mask(frame, &mirrored(SHADED))];
    let beard = work.mask(frame, BEARD);
    let seeds = SEEDS.map(|corners| work.mask(frame, corners));

    // Strands: much fine structure, of hair or a beard, seen as the mean departure from its surround.
    let fine = box_mean(&light, work.px(settings.strand_mm));
    let fine =
        Plane::from_fn(work.width, work.height, |x, y| (light.at(x, y) - fine.at(x, y)).abs());
    let strands = box_mean(&fine, work.px(2.0 * settings.strand_mm));

    // Without thin dark lines (wrinkles, single hairs) and smooth over a pore.
    let closed = close(&light, work.px(settings.closing_mm));
    let closed = box_mean(&closed, work.px(0.5));
    let red = box_mean(&red, work.px(0.7));
    let yellow = box_mean(&yellow, work.px(0.7));

    // A highlight adds white, a shadow takes it away: chroma is told against light.
    let core = Mask::from_fn(work.width, work.height, |x, y| {
        !barred.at(x, y) && seeds[..3].iter().any(|seed| seed.at(x, y))
    });
    let (red, red_spread) = against(&red, &closed, &core);
    let (yellow, yellow_spread) = against(&yellow, &closed, &core);

    let planes = [&closed, &red, &yellow];
    let spread = median_mad(inside(&closed, &core)).1;
    let slack = if *followed { settings.model_slack } else { 1.0 };
    let departs = Departs {
        darker: (slack * settings.darker + settings.contrast_gain * f64::from(spread)) as f32,
        brighter: (slack * settings.brighter + 0.5 * settings.contrast_gain * f64::from(spread))
            as f32,
        shaded: settings.shaded as f32,
        chroma: [red_spread, yellow_spread]
            .map(|s| s.clamp(settings.chroma_floor as f32, settings.chroma_cap as f32)),
        chroma_reach: (slack * settings.chroma_reach) as f32,
    };
    let usual = median_mad(inside(&strands, &core)).0;
    let coarse =
        (slack * settings.strand_ratio * f64::from(usual)).max(settings.strand_floor) as f32;
    let first = start(&closed, &core, &seeds);
    let mut level = first.clone();
    let mut good = Mask::filled(work.width, work.height, false);
    for _ in 0..settings.skin_rounds {
        good = Mask::from_fn(work.width, work.height, |x, y| {
            // Fine structure in skin that is not dark is a wrinkle, unless a moustache may be there.
            let off = closed.at(x, y) - level[0].at(x, y);
            let strand = strands.at(x, y) >= coarse
                && (beard.at(x, y) || off < -settings.strand_darker as f32);
            // A shade of skin is redder and yellower than its light; cloth and grey hair are not.
            let shade = |c: f32| if c > 0.0 { 0.5 * c } else { c };
            let fold = shaded[0].at(x, y) || shaded[1].at(x, y);
            !barred.at(x, y)
                && !strand
                && departs.chroma([red.at(x, y), yellow.at(x, y)].map(shade))
                && departs.chroma([1, 2].map(|k| {
                    let off = planes[k].at(x, y) - level[k].at(x, y);
                    if fold { shade(off) } else { off }
                }))
                && departs.light(off, fold)
        });
        level = local_level(planes, &good, &level, work.px(settings.level_mm));
        // Hair that has got in must not set a level of its own; a model has kept it out.
        if !*followed {
            let reach = settings.level_reach as f32;
            level[0] = level[0].zip(&first[0], |at, first| at.clamp(first - reach, first + reach));
        }
    }

    let good = open(&good, work.px(settings.opening_mm));
    let good = keep_large(&good, &seeds);
    let hole = (std::f64::consts::PI * work.px(settings.hole_mm).pow(2) as f64 / 4.0) as usize;
    let good = fill_small(&good, barred, hole);
    // The border of what is no skin (its shadow, its blur) is no skin either; an outline that does
    // not follow the face is a limit of the search, not a border.
    let bad = Mask::from_fn(work.width, work.height, |x, y| {
        (*followed || outline.at(x, y)) && !good.at(x, y)
    });
    let near = dilate(&bad, work.px(settings.border_mm));
    Mask::from_fn(work.width, work.height, |x, y| good.at(x, y) && !near.at(x, y))
}

/// Chroma: log ratios of red to green and of green to blue.
pub(super) fn chroma(small: &Grid<[f32; 3]>, settings: &RegionSettings) -> [Plane; 2] {
    let floor = settings.dark_floor as f32;
    [
        small.map(|[r, g, _]| ((r + floor) / (g + floor)).ln()),
        small.map(|[_, g, b]| ((g + floor) / (b + floor)).ln()),
    ]
}

/// What skin may differ from its local level, in natural logs.
struct Departs {
    darker: f32,
    brighter: f32,
    /// How much darker still where shadows fall.
    shaded: f32,
    /// One standard deviation of the two chromas.
    chroma: [f32; 2],
    chroma_reach: f32,
}

impl Departs {
    fn light(&self, off: f32, shaded: bool) -> bool {
        let darker = if shaded { self.darker + self.shaded } else { self.darker };
        off > -darker && off < self.brighter
    }

    fn chroma(&self, [red, yellow]: [f32; 2]) -> bool {
        let (r, y) = (red / self.chroma[0], yellow / self.chroma[1]);
        r * r + y * y < self.chroma_reach * self.chroma_reach
    }
}

/// The first guess of the local level: light falls off from cheek to cheek, chroma is the same
/// everywhere.
fn start(light: &Plane, core: &Mask, seeds: &[Mask; 4]) -> [Plane; 3] {
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

/// The values of `plane` where `mask` is set.
pub(super) fn inside(plane: &Plane, mask: &Mask) -> Vec<f32> {
    plane.data().iter().zip(mask.data()).filter(|&(_, &m)| m).map(|(&v, _)| v).collect()
}

/// `chroma` less its regression on `light` over `core`, and one robust standard deviation of what
/// is left there.
pub(super) fn against(chroma: &Plane, light: &Plane, core: &Mask) -> (Plane, f32) {
    let (c, l) = (inside(chroma, core), inside(light, core));
    let (mc, ml) = (median_mad(c.clone()).0, median_mad(l.clone()).0);
    let (mut cross, mut square) = (0.0f64, 0.0f64);
    for (c, l) in c.iter().zip(&l) {
        let (dc, dl) = ((c - mc).clamp(-0.5, 0.5), l - ml);
        cross += f64::from(dc * dl);
        square += f64::from(dl * dl);
    }
    // Less than a tenth of a nat of shading says nothing about the slope.
    let slope = (cross / (square + 0.01 * c.len() as f64 + 1e-9)).clamp(-0.3, 0.3) as f32;
    let left = Plane::from_fn(chroma.width(), chroma.height(), |x, y| {
        chroma.at(x, y) - mc - slope * (light.at(x, y) - ml)
    });
    let spread = 1.4826 * median_mad(inside(&left, core)).1;
    (left, spread)
}

/// Mean of each plane over the good pixels near each pixel; where there are few, what it was.
fn local_level(planes: [&Plane; 3], good: &Mask, before: &[Plane; 3], radius: usize) -> [Plane; 3] {
    let weight = box_mean(&good.map(|v| if v { 1.0 } else { 0.0 }), radius);
    [0, 1, 2].map(|k| {
        let (w, h) = (good.width(), good.height());
        let held =
            Plane::from_fn(w, h, |x, y| if good.at(x, y) { planes[k].at(x, y) } else { 0.0 });
        let sum = box_mean(&held, radius);
        Plane::from_fn(w, h, |x, y| {
            // A twentieth of a full neighbourhood of trust in what was believed before.
            let (n, prior) = (weight.at(x, y), 0.05);
            (sum.at(x, y) + prior * before[k].at(x, y)) / (n + prior)
        })
    })
}

/// Median and median absolute deviation; zeros for no values.
pub(super) fn median_mad(mut values: Vec<f32>) -> (f32, f32) {
    let middle = |values: &mut Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let median = middle(&mut values);
    let mut off: Vec<f32> = values.iter().map(|v| (v - median).abs()).collect();
    (median, middle(&mut off))
}

/// The components that hold a fair part of a seed, or are as large as one.
fn keep_large(mask: &Mask, seeds: &[Mask; 4]) -> Mask {
    let (labels, sizes) = label_by_sides(mask);
    let seed: usize = seeds[0].data().iter().filter(|&&v| v).count();
    labels.map(|id| id > 0 && sizes[id as usize] * 2 > seed)
}

/// Fills holes of at most `area` px; what is `barred` stays out.
fn fill_small(mask: &Mask, barred: &Mask, area: usize) -> Mask {
    let (labels, sizes) = label_by_sides(&mask.map(|v| !v));
    Mask::from_fn(mask.width(), mask.height(), |x, y| {
        mask.at(x, y) || (sizes[labels.at(x, y) as usize] <= area && !barred.at(x, y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::view::View;

    /// A doubt in the folds is skin where it ends in no belief in something else, be it beyond the folds.
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
            let believed = believed(&skin, [&lids, &folds], &settings);
            (0..60).map(|x| believed.at(x, 10)).collect()
        };
        let plain = row(None);
        assert!(plain[..36].iter().all(|v| *v), "{plain:?}");
        assert!(!plain[36..45].contains(&true) && !plain[50..55].contains(&true), "{plain:?}");
        // A lid between the doubt and the strand that it ends in.
        let parted = row(Some(39));
        assert!(parted[36..39].iter().all(|v| *v) && !parted[39..45].contains(&true), "{parted:?}");
    }

    /// Where strands are told on a copy of 200 × 200 px, 1 px/mm and 40 px between the pupils, at (80, 80)
    /// and (120, 80), with `hair` on it.
    fn strands_of(hair: impl Fn(usize, usize) -> bool + Sync) -> Mask {
        let face = Face::of([[402.0, 402.0], [602.0, 402.0]], [502.0, 602.0]);
        let rect = Rect { x: -0.5, y: -0.5, width: 1000.0, height: 1000.0 };
        let work = Work { rect, scale: 0.2, width: 200, height: 200, mm: 1.0 };
        let view = View { centre: [499.5; 2], step: [5.0; 2], roll: 0.0, width: 200, height: 200 };
        let mut planes = vec![Plane::filled(200, 200, 0.0); Class::COUNT];
        planes[Class::Hair as usize] =
            Plane::from_fn(200, 200, |x, y| if hair(x, y) { 1.0 } else { 0.0 });
        let segments = Segments { view, planes, recognised: [true; Class::COUNT] };
        let frame = Frame::of(&face);
        let average = work.mask(&frame, OUTLINE);
        strands(&work, &frame, &segments, &average, &RegionSettings::default())
    }

    #[test]
    fn strands_fall_from_the_hair_of_the_head_only() {
        let reach = RegionSettings::default().hair_mm as usize;
        // A fringe down to row 45, on a forehead that begins at 35 or so.
        let fringe = strands_of(|_, y| y <= 45);
        for x in [70, 100, 130] {
            let last = (0..200).rposition(|y| fringe.at(x, y));
            assert_eq!(last, Some(45 + reach), "column {x}");
        }
        let set = |mask: &Mask| mask.data().iter().filter(|v| **v).count();
        let beard = strands_of(|_, y| y > 130);
        let brow = strands_of(|x, y| (70..95).contains(&x) && (66..71).contains(&y));
        let none = strands_of(|_, _| false);
        assert_eq!([beard, brow, none].map(|mask| set(&mask)), [0; 3]);
    }
}
