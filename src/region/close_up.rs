//! Skin without a face: around the polygons of a region file, or in the whole frame.
//!
//! Hair, cloth and walls must not enter the estimates of focus, noise and light, nor the alignment. The
//! polygons are samples of the skin: their surroundings are skin where colour and light are similar.
//! Without polygons the whole frame is skin but for large parts of a colour that skin cannot have.

use super::colour::{Chroma, chroma, inside, median_mad};
use super::polygon::rasterise;
use super::skin::extent;
use super::view::{Rect, resample};
use super::{Polygon, Region};
use crate::filter::box_mean::box_mean;
use crate::filter::label::label_by_sides;
use crate::filter::morphology::dilate;
use crate::filter::warp::bilinear;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::settings::RegionSettings;
use crate::srgb::luminance;

/// The skin of polygons: a window of the photo and the mask inside it.
///
/// All pixels of the polygons (`list`, and `regions` as their masks) are skin, and those within
/// `polygon_reach` that have their colour and light and are connected to them. The window is the
/// bounding box of both with a margin as wide as the reach, cut at the frame. Where all polygons lie
/// outside the frame nothing is skin, and the window is the frame.
///
/// Cost: linear in the pixels of the window; colour is compared on a copy of `skin_face_px`.
pub(super) fn around(
    photo: &Photo,
    list: &[Polygon],
    regions: &[Region],
    settings: &RegionSettings,
) -> (Window, Mask) {
    let (width, height) = (photo.width(), photo.height());
    let union = union(regions, width, height);
    let Some(bounds) = extent(&union) else { return (Window::full(width, height), union) };
    let reach = reach_px(regions, settings);
    let copy = ReducedWindow::new(bounds.grown(reach, width, height), settings);
    let grown = soft(&copy.grown(photo, list, reach, settings));
    let near = Mask::from_fn(width, height, |x, y| {
        union.at(x, y) || copy.position(x, y).is_some_and(|[u, v]| bilinear(&grown, u, v) >= 0.5)
    });
    let window = extent(&near).unwrap_or(bounds).grown(reach, width, height);
    (window, near.crop(window))
}

/// The skin of a close-up, on the whole frame.
///
/// The most frequent chroma, weighted towards the middle, is that of the skin. The log of red over
/// green of grey, blue and black objects is less than half of that of skin; moles, redness, scars,
/// beard shadow, pale patches and an illumination gradient keep more. Parts below `frame_red_kept`, or
/// that depart by `frame_chroma`, are excluded with a border where they cover `frame_part` of the frame.
/// Where the most frequent chroma is grey itself (a black-and-white photo), the whole frame is skin.
///
/// Cost: linear in pixels; colour is compared on a copy of `skin_face_px`.
pub(super) fn of_frame(photo: &Photo, settings: &RegionSettings) -> Mask {
    let (width, height) = (photo.width(), photo.height());
    let copy = ReducedWindow::new(Window::full(width, height), settings);
    let side = copy.width.max(copy.height) as f64;
    let px = |share: f64| ((share * side).round() as usize).max(1);
    let [red, yellow] = chroma(&copy.sample(photo), settings)
        .map(|plane| box_mean(&plane, px(settings.frame_smoothing)));
    let skin = most_frequent(&red, &yellow, settings);
    let other = red.zip(&yellow, |red, yellow| {
        let far = |v: f32, skin: f64| (f64::from(v) - skin).abs() > settings.frame_chroma;
        let greyer = f64::from(red) < settings.frame_red_kept * skin[0];
        greyer || far(red, skin[0]) || far(yellow, skin[1])
    });
    let least = settings.frame_part * (copy.width * copy.height) as f64;
    let other = large(&other, least);
    if skin[0] < settings.frame_red_min || !other.data().contains(&true) {
        return Mask::filled(width, height, true);
    }
    let other = dilate(&other, px(settings.frame_smoothing));
    let other = soft(&large(&other.map(|v| !v), least).map(|v| !v));
    Mask::from_fn(width, height, |x, y| {
        copy.position(x, y).is_some_and(|[u, v]| bilinear(&other, u, v) < 0.5)
    })
}

/// The mode of two chromas, red and yellow, weighted towards the middle of the frame.
fn most_frequent(red: &Plane, yellow: &Plane, settings: &RegionSettings) -> [f64; 2] {
    const BINS: usize = 80;
    let bin = |v: f32| {
        let at = (f64::from(v) / settings.frame_bin).round() + (BINS / 2) as f64;
        at.clamp(1.0, (BINS - 2) as f64) as usize
    };
    let mut counts = Grid::filled(BINS, BINS, 0.0f64);
    for y in 0..red.height() {
        for x in 0..red.width() {
            let [u, v] = [(x, red.width()), (y, red.height())]
                .map(|(i, n)| 2.0 * (i as f64 + 0.5) / n as f64 - 1.0);
            let (i, j) = (bin(red.at(x, y)), bin(yellow.at(x, y)));
            counts.set(i, j, counts.at(i, j) + (-(u * u + v * v)).exp());
        }
    }
    // Sum over a bin and its neighbours: the chroma of skin spreads over several bins.
    let around = |i: usize, j: usize| -> f64 {
        (j - 1..=j + 1)
            .flat_map(|j| (i - 1..=i + 1).map(move |i| (i, j)))
            .map(|(i, j)| counts.at(i, j))
            .sum()
    };
    let bins = (1..BINS - 1).flat_map(|j| (1..BINS - 1).map(move |i| (i, j)));
    let mode = bins.max_by(|a, b| around(a.0, a.1).total_cmp(&around(b.0, b.1)));
    let (i, j) = mode.unwrap_or((BINS / 2, BINS / 2));
    [i, j].map(|k| (k as f64 - (BINS / 2) as f64) * settings.frame_bin)
}

/// The 4-connected components of `mask` of at least `least` pixels.
fn large(mask: &Mask, least: f64) -> Mask {
    let (labels, sizes) = label_by_sides(mask);
    labels.map(|label| label > 0 && sizes[label as usize] as f64 >= least)
}

/// The union of the polygons on the frame.
fn union(regions: &[Region], width: usize, height: usize) -> Mask {
    let mut union = Mask::filled(width, height, false);
    for Region { window, inside, .. } in regions {
        for y in 0..window.height {
            for x in (0..window.width).filter(|&x| inside.at(x, y)) {
                union.set(window.x + x, window.y + y, true);
            }
        }
    }
    union
}

/// Distance around the polygons within which skin is searched for, px: a share of the side of a
/// square as large as their mean.
fn reach_px(regions: &[Region], settings: &RegionSettings) -> usize {
    let areas = regions.iter().map(|r| r.inside.count());
    let areas: Vec<f64> = areas.filter(|area| *area > 0).map(|area| area as f64).collect();
    let mean = areas.iter().sum::<f64>() / areas.len().max(1) as f64;
    ((settings.polygon_reach * mean.sqrt()).round() as usize).max(settings.polygon_reach_min_px)
}

/// The mask as shares of 3 × 3 px, for interpolation.
fn soft(mask: &Mask) -> Plane {
    box_mean(&mask.map(|v| if v { 1.0 } else { 0.0 }), 1)
}

/// The raster of a reduced copy of a part of the photo.
struct ReducedWindow {
    /// The part, photo px.
    part: Window,
    /// Copy px per photo px.
    scale: f64,
    width: usize,
    height: usize,
}

impl ReducedWindow {
    fn new(part: Window, settings: &RegionSettings) -> Self {
        let scale = (settings.skin_face_px as f64 / part.width.max(part.height) as f64).min(1.0);
        let [width, height] =
            [part.width, part.height].map(|n| ((n as f64 * scale).round() as usize).max(1));
        ReducedWindow { part, scale, width, height }
    }

    /// Position on the copy of a pixel of the photo; `None` outside.
    fn position(&self, x: usize, y: usize) -> Option<[f64; 2]> {
        let at = |v: usize, from: usize| ((v - from) as f64 + 0.5) * self.scale - 0.5;
        self.part.contains(x, y).then(|| [at(x, self.part.x), at(y, self.part.y)])
    }

    /// The copy: linear light, 0 … 1.
    fn sample(&self, photo: &Photo) -> Grid<[f32; 3]> {
        let Window { x, y, width, height } = self.part;
        let rect = Rect {
            x: x as f64 - 0.5,
            y: y as f64 - 0.5,
            width: width as f64,
            height: height as f64,
        };
        resample(&photo.linear, rect, self.width, self.height)
    }

    /// The union of the polygons.
    fn core(&self, list: &[Polygon]) -> Mask {
        let at = |v: f64, from: usize| (v - from as f64 + 0.5) * self.scale - 0.5;
        let mut core = Mask::filled(self.width, self.height, false);
        for Polygon { points, .. } in list {
            let points = points.iter().map(|p| [at(p[0], self.part.x), at(p[1], self.part.y)]);
            let polygon = Polygon { name: String::new(), points: points.collect() };
            let inside = rasterise(&polygon, Window::full(self.width, self.height));
            core = core.zip(&inside, |a, b| a || b);
        }
        core
    }

    /// The polygons with the pixels around them that are similar and connected to them.
    fn grown(
        &self,
        photo: &Photo,
        list: &[Polygon],
        reach_px: usize,
        settings: &RegionSettings,
    ) -> Mask {
        let core = self.core(list);
        let share = |of: f64| ((of * reach_px as f64 * self.scale).round() as usize).max(1);
        let similar = similar(&self.sample(photo), &core, share(1.0), settings);
        let connected = connected(&similar.zip(&core, |a, b| a || b), &core);
        // A border of other objects (their shadow, their blur) is excluded, too.
        let other = dilate(&connected.map(|v| !v), share(settings.polygon_border));
        connected.zip(&other, |connected, other| connected && !other)
    }
}

/// The pixels within `reach` of the `core` that have its colour and the light of its nearby pixels.
fn similar(small: &Grid<[f32; 3]>, core: &Mask, reach: usize, settings: &RegionSettings) -> Mask {
    let floor = settings.dark_floor as f32;
    // Over a sixteenth of the reach: without the texture.
    let smooth = |plane: Plane| box_mean(&plane, (reach / 16).max(1));
    let light = smooth(small.map(|rgb| (luminance(rgb) + floor).ln()));
    let chroma = chroma(small, settings);
    let [red, yellow] = chroma.map(|plane| Chroma::without_light(&smooth(plane), &light, core));
    let limits = [red.sd, yellow.sd]
        .map(|s| s.clamp(settings.chroma_floor as f32, settings.chroma_cap as f32));
    let weight = box_mean(&core.map(|v| if v { 1.0 } else { 0.0 }), reach);
    let level = box_mean(&light.zip(core, |v, inside| if inside { v } else { 0.0 }), reach);
    let spread = settings.contrast_gain * f64::from(median_mad(inside(&light, core)).1);
    let (darker, brighter) = (settings.darker_max + spread, settings.brighter_max + 0.5 * spread);
    Mask::from_fn(core.width(), core.height(), |x, y| {
        let near = weight.at(x, y) > 0.0;
        let off = f64::from(light.at(x, y) - level.at(x, y) / weight.at(x, y));
        let (r, b) = (red.plane.at(x, y) / limits[0], yellow.plane.at(x, y) / limits[1]);
        near && off > -darker
            && off < brighter
            && f64::from(r.hypot(b)) < settings.chroma_departure_max
    })
}

/// The 4-connected components of `mask` that overlap the `core`.
fn connected(mask: &Mask, core: &Mask) -> Mask {
    let (labels, sizes) = label_by_sides(mask);
    let mut overlaps = vec![false; sizes.len()];
    for (&label, &core) in labels.data().iter().zip(core.data()) {
        overlaps[label as usize] |= core;
    }
    labels.map(|label| label > 0 && overlaps[label as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Skin with a mole left of column 400, a grey wall right of it, both with texture and an
    /// illumination gradient; 600 × 500 px.
    fn skin_before_a_wall(chroma: f64) -> Photo {
        Photo::drawn(Grid::from_fn(600, 500, |x, y| {
            let texture = 1.0 + 0.1 * ((x * 7 + y * 13) % 11) as f64 / 11.0;
            let mole = (x as f64 - 260.0).hypot(y as f64 - 250.0) < 12.0;
            let light = texture * (0.8 + 0.4 * x as f64 / 600.0) * if mole { 0.5 } else { 1.0 };
            let tint = if x < 400 { [1.0 + chroma, 1.0, 1.0 - 0.6 * chroma] } else { [1.0; 3] };
            tint.map(|v| (18_000.0 * v * light) as u16)
        }))
    }

    fn square(left: f64, top: f64, side: f64) -> Vec<Polygon> {
        let (right, bottom) = (left + side, top + side);
        let points = vec![[left, top], [right, top], [right, bottom], [left, bottom]];
        vec![Polygon { name: "p".into(), points }]
    }

    fn mapped(photo: &Photo, list: &[Polygon]) -> (Window, Mask) {
        let full = Window::full(photo.width(), photo.height());
        around(photo, list, &super::super::polygons(list, full), &RegionSettings::default())
    }

    #[test]
    fn skin_around_polygons_counts_and_the_wall_does_not() {
        let (window, skin) = mapped(&skin_before_a_wall(0.5), &square(220.0, 200.0, 120.0));
        let at = |x: usize, y: usize| window.contains(x, y) && skin.at(x - window.x, y - window.y);
        assert!(
            (200..300).all(|y| (135..385).all(|x| at(x, y))),
            "inside with its mole, and around"
        );
        assert!((0..500).all(|y| (402..600).all(|x| !at(x, y))), "the wall");
        assert!(!at(100, 250) && !at(280, 60), "beyond the reach");
        assert!(window.x < 130 && window.width < 480, "{window:?}");
    }

    #[test]
    fn all_pixels_of_a_polygon_are_skin() {
        let list = square(330.0, 200.0, 120.0);
        let (window, skin) = mapped(&skin_before_a_wall(0.5), &list);
        for (x, y) in [(331, 201), (399, 250), (410, 250), (448, 318)] {
            assert!(skin.at(x - window.x, y - window.y), "{x} {y}");
        }
    }

    #[test]
    fn without_colour_similar_light_is_sufficient() {
        let (window, skin) = mapped(&skin_before_a_wall(0.0), &square(220.0, 200.0, 120.0));
        assert!(skin.at(420 - window.x, 250 - window.y));
    }

    /// Whether the frame of a photo counts as skin at each pixel.
    fn framed(photo: &Photo) -> Mask {
        of_frame(photo, &RegionSettings::default())
    }

    #[test]
    fn in_a_frame_the_wall_is_excluded_and_blemishes_of_skin_are_not() {
        let skin = framed(&skin_before_a_wall(0.5));
        let at = |x: usize| (0..500).all(|y| skin.at(x, y));
        assert!((0..380).all(at), "skin with a mole");
        assert!((400..600).all(|x| (0..500).all(|y| !skin.at(x, y))), "the wall");
        // Blood, pigment and their lack: red over green and green over blue, as factors.
        for patch in [[1.5, 1.0, 1.1], [1.25, 1.0, 0.8], [0.85, 1.0, 1.2]] {
            let mut photo = skin_before_a_wall(0.5);
            let within = |x: usize, y: usize| (50..250).contains(&x) && (50..300).contains(&y);
            photo.linear = Grid::from_fn(380, 500, |x, y| {
                let rgb = photo.linear.at(x, y).map(f64::from);
                let by = if within(x, y) { patch } else { [1.0; 3] };
                [0, 1, 2].map(|k| (0.7 * rgb[k] * by[k]) as u16)
            });
            assert!(framed(&photo).data().iter().all(|v| *v), "{patch:?}");
        }
    }

    #[test]
    fn small_objects_and_black_and_white_photos_exclude_nothing() {
        assert!(framed(&skin_before_a_wall(0.0)).data().iter().all(|v| *v));
        let mut photo = skin_before_a_wall(0.5);
        photo.linear = photo.linear.crop(Window { x: 0, y: 0, width: 405, height: 500 });
        assert!(framed(&photo).data().iter().all(|v| *v));
    }

    #[test]
    fn polygons_outside_the_frame_contain_no_skin() {
        let (window, skin) = mapped(&skin_before_a_wall(0.5), &square(900.0, 900.0, 50.0));
        assert_eq!(window, Window::full(600, 500));
        assert!(!skin.data().contains(&true));
    }
}
