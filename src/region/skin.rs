//! Skin or not: a model of colour and light fitted on the face itself.
//!
//! Everything happens on a reduced copy in natural log of linear light, where shading adds and a
//! shadow keeps its chroma. Skin is what stays near the local level of light and chroma that the
//! face's own skin sets; brows, hair, lips, nostrils and background do not. A wrinkle or a pore is
//! thinner than the closing that goes before, so it stays in.

use super::face::{Rect, box_smooth, luminance, resample};
use super::polygon::rasterise;
use super::template::{Corner, EYE, Frame, LIPS, OUTLINE, SEEDS, mirrored};
use super::{Face, Polygon};
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::RegionSettings;

/// Whether each pixel of the photo inside `window` is neither burnt out nor black in all channels.
pub(super) fn unclipped(photo: &Photo, window: Window, settings: &RegionSettings) -> Mask {
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
        let points = corners.iter().map(|&c| {
            let [x, y] = frame.place(c);
            [(x - self.rect.x) * self.scale - 0.5, (y - self.rect.y) * self.scale - 0.5]
        });
        let polygon = Polygon { name: String::new(), points: points.collect() };
        rasterise(&polygon, Window::full(self.width, self.height))
    }

    /// A length in work px, at least 1.
    fn px(&self, mm: f64) -> usize {
        ((mm * self.mm).round() as usize).max(1)
    }
}

/// The skin of a face: a window of the photo and the mask inside it.
pub(super) fn of_face(photo: &Photo, face: &Face, settings: &RegionSettings) -> (Window, Mask) {
    let frame = Frame::of(face);
    let (w, h) = (photo.width(), photo.height());
    let bounds = bounds(&frame.polygon("", OUTLINE), w, h);
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
    let skin = on_copy(&small, &work, &frame, settings);

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
    let soft = box_smooth(&skin.map(|v| if v { 1.0 } else { 0.0 }), 1);
    let lit = unclipped(photo, window, settings);
    let mask = Mask::from_fn(window.width, window.height, |x, y| {
        let at = |v: usize, from: f64| (v as f64 - from) * scale - 0.5;
        let (sx, sy) = (at(window.x + x, rect.x), at(window.y + y, rect.y));
        let outside = sx < -0.5 || sy < -0.5 || sx > width as f64 - 0.5 || sy > height as f64 - 0.5;
        lit.at(x, y) && !outside && bilinear(&soft, sx, sy) >= 0.5
    });
    (window, mask)
}

/// The value of `plane` at a fractional place, border clamped.
pub(super) fn bilinear(plane: &Plane, x: f64, y: f64) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = ((x - x0) as f32, (y - y0) as f32);
    let at = |dx: isize, dy: isize| plane.clamped(x0 as isize + dx, y0 as isize + dy);
    let top = at(0, 0) * (1.0 - fx) + at(1, 0) * fx;
    let bottom = at(0, 1) * (1.0 - fx) + at(1, 1) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// Bounding box of a polygon, cut at the frame and never empty.
pub(super) fn bounds(polygon: &Polygon, width: usize, height: usize) -> Window {
    let range = |k: usize, n: usize| {
        let values = polygon.points.iter().map(|p| p[k]);
        let low = values.clone().fold(f64::INFINITY, f64::min).floor().clamp(0.0, n as f64 - 1.0);
        let high = values.fold(f64::NEG_INFINITY, f64::max).ceil().clamp(low, n as f64 - 1.0);
        (low as usize, (high - low) as usize + 1)
    };
    let ((x, w), (y, h)) = (range(0, width), range(1, height));
    Window { x, y, width: w, height: h }
}

/// Bounding box of the set pixels.
fn extent(mask: &Mask) -> Option<Window> {
    let rows: Vec<usize> = (0..mask.height()).filter(|&y| mask.row(y).contains(&true)).collect();
    let columns: Vec<usize> =
        (0..mask.width()).filter(|&x| (0..mask.height()).any(|y| mask.at(x, y))).collect();
    let (&top, &bottom) = (rows.first()?, rows.last()?);
    let (&left, &right) = (columns.first()?, columns.last()?);
    Some(Window { x: left, y: top, width: right - left + 1, height: bottom - top + 1 })
}

/// The skin mask on the reduced copy.
fn on_copy(small: &Grid<[f32; 3]>, work: &Work, frame: &Frame, settings: &RegionSettings) -> Mask {
    let floor = settings.dark_floor as f32;
    let light = small.map(|rgb| (luminance(rgb) + floor).ln());
    // Chroma: red over green and green over blue, in logs.
    let red = small.map(|[r, g, _]| ((r + floor) / (g + floor)).ln());
    let yellow = small.map(|[_, g, b]| ((g + floor) / (b + floor)).ln());

    let outline = work.mask(frame, OUTLINE);
    let eyes = [work.mask(frame, EYE), work.mask(frame, &mirrored(EYE))];
    let lips = work.mask(frame, LIPS);
    let barred = Mask::from_fn(work.width, work.height, |x, y| {
        !outline.at(x, y) || eyes[0].at(x, y) || eyes[1].at(x, y) || lips.at(x, y)
    });
    let seeds = SEEDS.map(|corners| work.mask(frame, corners));

    // Without thin dark lines (wrinkles, single hairs) and smooth over a pore.
    let closed = close(&light, work.px(settings.closing_mm));
    let closed = box_smooth(&closed, work.px(0.5));
    let red = box_smooth(&red, work.px(0.7));
    let yellow = box_smooth(&yellow, work.px(0.7));

    let planes = [&closed, &red, &yellow];
    let limits = Limits::fit(planes, &seeds, settings);
    let mut level = limits.start(&closed, &seeds, &barred);
    let mut good = Mask::filled(work.width, work.height, false);
    for _ in 0..settings.skin_rounds {
        good = Mask::from_fn(work.width, work.height, |x, y| {
            !barred.at(x, y)
                && limits.accept([0, 1, 2].map(|k| planes[k].at(x, y) - level[k].at(x, y)))
        });
        level = local_level(planes, &good, &level, work.px(settings.level_mm));
    }

    let good = open(&good, work.px(settings.opening_mm));
    let good = keep_large(&good, &seeds);
    let hole = (std::f64::consts::PI * work.px(settings.hole_mm).pow(2) as f64 / 4.0) as usize;
    let good = fill_small(&good, &barred, hole);
    // The border of what is no skin (its shadow, its blur) is no skin either; the outline itself is
    // a limit of the search, not a border.
    let bad = Mask::from_fn(work.width, work.height, |x, y| outline.at(x, y) && !good.at(x, y));
    let near = dilate(&bad, work.px(settings.border_mm));
    Mask::from_fn(work.width, work.height, |x, y| good.at(x, y) && !near.at(x, y))
}

/// What skin may differ from its local level, in natural logs.
struct Limits {
    /// Median of light, red, yellow over the seeds.
    middle: [f32; 3],
    darker: f32,
    brighter: f32,
    /// One standard deviation of the two chromas.
    chroma: [f32; 2],
    chroma_reach: f32,
}

impl Limits {
    fn fit(planes: [&Plane; 3], seeds: &[Mask; 4], settings: &RegionSettings) -> Self {
        let core = |k: usize| {
            let all = planes[k].data().iter().enumerate();
            let inside = |i: usize| seeds[..3].iter().any(|seed| seed.data()[i]);
            median_mad(all.filter(|&(i, _)| inside(i)).map(|(_, &v)| v).collect())
        };
        let fits = [core(0), core(1), core(2)];
        let floor = settings.chroma_floor as f32;
        Limits {
            middle: fits.map(|f| f.0),
            darker: settings.darker as f32,
            brighter: settings.brighter as f32,
            chroma: [(1.4826 * fits[1].1).max(floor), (1.4826 * fits[2].1).max(floor)],
            chroma_reach: settings.chroma_reach as f32,
        }
    }

    /// The first guess of the local level: light falls off as a plane through the seeds' medians
    /// in which the brighter seeds count; chroma is the same everywhere.
    fn start(&self, light: &Plane, seeds: &[Mask; 4], barred: &Mask) -> [Plane; 3] {
        let (w, h) = (light.width(), light.height());
        let side = |mask: &Mask| {
            let (mut values, mut x) = (Vec::new(), 0.0);
            for (i, &inside) in mask.data().iter().enumerate() {
                if inside && !barred.data()[i] {
                    values.push(light.data()[i]);
                    x += (i % w) as f32;
                }
            }
            let n = values.len().max(1) as f32;
            (x / n, median_mad(values).0)
        };
        let ((x0, l0), (x1, l1)) = (side(&seeds[1]), side(&seeds[0]));
        let slope = if x1 > x0 { (l1 - l0) / (x1 - x0) } else { 0.0 };
        let (xm, lm) = (0.5 * (x0 + x1), self.middle[0].max(0.5 * (l0 + l1)));
        let reach = 0.6 * (x1 - x0).abs();
        [
            Plane::from_fn(w, h, |x, _| lm + slope * (x as f32 - xm).clamp(-reach, reach)),
            Plane::filled(w, h, self.middle[1]),
            Plane::filled(w, h, self.middle[2]),
        ]
    }

    fn accept(&self, [light, red, yellow]: [f32; 3]) -> bool {
        let (r, y) = (red / self.chroma[0], yellow / self.chroma[1]);
        light > -self.darker
            && light < self.brighter
            && r * r + y * y < self.chroma_reach * self.chroma_reach
    }
}

/// Mean of each plane over the good pixels near each pixel; where there are few, what it was.
fn local_level(planes: [&Plane; 3], good: &Mask, before: &[Plane; 3], radius: usize) -> [Plane; 3] {
    let weight = box_smooth(&good.map(|v| if v { 1.0 } else { 0.0 }), radius);
    [0, 1, 2].map(|k| {
        let (w, h) = (good.width(), good.height());
        let held =
            Plane::from_fn(w, h, |x, y| if good.at(x, y) { planes[k].at(x, y) } else { 0.0 });
        let sum = box_smooth(&held, radius);
        Plane::from_fn(w, h, |x, y| {
            // A twentieth of a full neighbourhood of trust in what was believed before.
            let (n, prior) = (weight.at(x, y), 0.05);
            (sum.at(x, y) + prior * before[k].at(x, y)) / (n + prior)
        })
    })
}

/// Median and median absolute deviation; zeros for no values.
fn median_mad(mut values: Vec<f32>) -> (f32, f32) {
    let middle = |values: &mut Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let median = middle(&mut values);
    let mut off: Vec<f32> = values.iter().map(|v| (v - median).abs()).collect();
    (median, middle(&mut off))
}

/// Sliding extreme along rows and columns with an octagon-like reach: a square of `r`, border
/// clamped.
fn extreme(plane: &Plane, r: usize, pick: fn(f32, f32) -> f32) -> Plane {
    let r = r as isize;
    let (w, h) = (plane.width(), plane.height());
    let across = Plane::from_fn(w, h, |x, y| {
        (-r..=r).map(|d| plane.clamped(x as isize + d, y as isize)).fold(plane.at(x, y), pick)
    });
    Plane::from_fn(w, h, |x, y| {
        (-r..=r).map(|d| across.clamped(x as isize, y as isize + d)).fold(across.at(x, y), pick)
    })
}

/// Grey closing: dark structures thinner than `2r + 1` vanish.
fn close(plane: &Plane, r: usize) -> Plane {
    extreme(&extreme(plane, r, f32::max), r, f32::min)
}

/// Pixels within `r` of a set one.
fn dilate(mask: &Mask, r: usize) -> Mask {
    extreme(&mask.map(|v| if v { 1.0 } else { 0.0 }), r, f32::max).map(|v| v > 0.5)
}

/// Opening: parts thinner than `2r + 1` vanish.
fn open(mask: &Mask, r: usize) -> Mask {
    let plane = mask.map(|v| if v { 1.0 } else { 0.0 });
    extreme(&extreme(&plane, r, f32::min), r, f32::max).map(|v| v > 0.5)
}

/// Sizes of the 4-connected components of `mask`, and for each pixel its component + 1.
fn components(mask: &Mask) -> (Grid<u32>, Vec<usize>) {
    let (w, h) = (mask.width(), mask.height());
    let mut label = Grid::filled(w, h, 0u32);
    let mut sizes = Vec::new();
    let mut stack = Vec::new();
    for start in 0..w * h {
        if !mask.data()[start] || label.data()[start] != 0 {
            continue;
        }
        sizes.push(0);
        let id = sizes.len() as u32;
        label.data_mut()[start] = id;
        stack.push(start);
        while let Some(i) = stack.pop() {
            sizes[id as usize - 1] += 1;
            let (x, y) = (i % w, i / w);
            let mut visit = |j: usize| {
                if mask.data()[j] && label.data()[j] == 0 {
                    label.data_mut()[j] = id;
                    stack.push(j);
                }
            };
            if x > 0 {
                visit(i - 1)
            }
            if x + 1 < w {
                visit(i + 1)
            }
            if y > 0 {
                visit(i - w)
            }
            if y + 1 < h {
                visit(i + w)
            }
        }
    }
    (label, sizes)
}

/// The components that hold a fair part of a seed, or are as large as one.
fn keep_large(mask: &Mask, seeds: &[Mask; 4]) -> Mask {
    let (label, sizes) = components(mask);
    let seed: usize = seeds[0].data().iter().filter(|&&v| v).count();
    label.map(|id| id > 0 && sizes[id as usize - 1] * 2 > seed)
}

/// Fills holes of at most `area` px; what is `barred` stays out.
fn fill_small(mask: &Mask, barred: &Mask, area: usize) -> Mask {
    let (label, sizes) = components(&mask.map(|v| !v));
    Mask::from_fn(mask.width(), mask.height(), |x, y| {
        let id = label.at(x, y);
        mask.at(x, y) || (sizes[id as usize - 1] <= area && !barred.at(x, y))
    })
}
