//! Foreign objects: text, a stamp, a bandage or a patch of paint in one of two photos only.
//!
//! Changed skin has soft edges: a healed wrinkle or pore has no flat bottom, a spot no straight side. A
//! foreign object is bounded by a step between two flat levels of the difference image, straight over many
//! pixels.

use super::Luminance;
use crate::filter::gaussian::blur;
use crate::filter::morphology::dilate;
use crate::filter::warp::bilinear;
use crate::plane::{Grid, Mask, Plane};
use crate::settings::LuminanceSettings;

/// Distances from an edge, across it, of the end of its step and of the end of the flat level beside it, px.
const ACROSS_PX: [f64; 2] = [2.0, 5.0];
/// Sigma of the smoothing before edges are sought, px.
const SMOOTHING_PX: f32 = 0.5;

/// Foreign objects in one of two photos on the same pixels.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Tiles with a straight step, and their neighbours.
    pub mask: Mask,
    /// Fraction of the valid tiles that have a straight step.
    pub fraction: f64,
}

/// Finds straight steps in the difference of `a` and `b` over the `valid` pixels.
///
/// An edge pixel is a maximum of the difference's gradient where the difference steps by `foreign_step`
/// within 4 px, is flat for 3 px on both sides to within `foreign_level` of the step, and is nearly zero on one
/// side. A tile has a straight step where it holds at least `foreign_edge_px` edge pixels with the same
/// direction. With fewer than `foreign_tiles_min` such tiles nothing is masked.
///
/// Border rule: a profile that leaves the valid pixels is skipped. Cost: a blur and one pass; profiles are
/// sampled only where the gradient is steep.
pub fn foreign(
    a: &Luminance,
    b: &Luminance,
    valid: &Mask,
    settings: &LuminanceSettings,
) -> Foreign {
    let difference = b.flat.zip(&a.flat, |b, a| b - a);
    let difference = blur(&difference, SMOOTHING_PX);
    let side = settings.foreign_tile_px;
    let (columns, rows) = (valid.width().div_ceil(side), valid.height().div_ceil(side));
    let steps = Grid::from_fn(columns, rows, |i, j| {
        let tile = Tile { left: i * side, top: j * side, side };
        tile.has_step(&difference, valid, settings)
    });
    let valid_tiles = steps.data().iter().flatten().count();
    let found = steps.data().iter().flatten().filter(|step| **step).count();
    if found < settings.foreign_tiles_min {
        return Foreign { mask: Mask::filled(valid.width(), valid.height(), false), fraction: 0.0 };
    }
    let near = dilate(&steps.map(|step| step == Some(true)), 1);
    Foreign {
        mask: Mask::from_fn(valid.width(), valid.height(), |x, y| near.at(x / side, y / side)),
        fraction: found as f64 / valid_tiles as f64,
    }
}

/// A square of pixels, cut at the planes' border.
struct Tile {
    left: usize,
    top: usize,
    side: usize,
}

impl Tile {
    /// Whether the tile has a straight step; `None` where less than half of it is valid.
    fn has_step(&self, plane: &Plane, valid: &Mask, settings: &LuminanceSettings) -> Option<bool> {
        let (mut n, mut edges, mut sum) = (0usize, 0usize, [0.0f64; 2]);
        for y in self.top..(self.top + self.side).min(plane.height()) {
            for x in self.left..(self.left + self.side).min(plane.width()) {
                if !valid.at(x, y) {
                    continue;
                }
                n += 1;
                if let Some([u, v]) = edge(plane, valid, [x, y], settings) {
                    edges += 1;
                    // Twice the angle: the two sides of a stroke have the same axis.
                    sum = [sum[0] + u * u - v * v, sum[1] + 2.0 * u * v];
                }
            }
        }
        let straight = sum[0].hypot(sum[1]) >= settings.foreign_straight * edges as f64;
        (2 * n >= self.side * self.side).then_some(edges >= settings.foreign_edge_px && straight)
    }
}

/// Slopes along x and y by central differences, the border repeated.
fn gradient(plane: &Plane, x: usize, y: usize) -> [f64; 2] {
    let (x, y) = (x as isize, y as isize);
    let [dx, dy] = [
        plane.clamped(x + 1, y) - plane.clamped(x - 1, y),
        plane.clamped(x, y + 1) - plane.clamped(x, y - 1),
    ];
    [dx, dy].map(|d| 0.5 * f64::from(d))
}

/// Direction from dark to bright, a unit vector, if (x, y) lies on the edge of a step; else none.
fn edge(
    plane: &Plane,
    valid: &Mask,
    [x, y]: [usize; 2],
    settings: &LuminanceSettings,
) -> Option<[f64; 2]> {
    let [end, far] = ACROSS_PX;
    let slope = gradient(plane, x, y);
    let steep = slope[0].hypot(slope[1]);
    // Slope of the smallest step, spread over both sides.
    if steep < settings.foreign_step / (2.0 * end) {
        return None;
    }
    let across = slope.map(|v| v / steep);
    let position = |t: f64| [x as f64 + t * across[0], y as f64 + t * across[1]];
    let inside = |t: f64| {
        let [u, v] = position(t).map(f64::round);
        let within = u >= 0.0 && v >= 0.0 && u < valid.width() as f64 && v < valid.height() as f64;
        within && valid.at(u as usize, v as usize)
    };
    if ![-far, -end, end, far].into_iter().all(inside) {
        return None;
    }
    let at = |t: f64| {
        let [u, v] = position(t);
        f64::from(bilinear(plane, u, v))
    };
    let [below, low, high, above] = [-far, -end, end, far].map(at);
    let step = high - low;
    let level = settings.foreign_level * step;
    let steepest = at(0.5) - at(-0.5) >= (at(1.5) - at(0.5)).max(at(-0.5) - at(-1.5));
    let stands = step >= settings.foreign_step
        && (above - high).abs() <= level
        && (below - low).abs() <= level
        && high.abs().min(low.abs()) <= settings.foreign_zero * step;
    (stands && steepest).then_some(across)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Texture, noisy};

    /// Fraction of tiles found and masked fraction, for a difference added to one of two photos of fine texture.
    fn found(difference: impl Fn(f64, f64) -> f64 + Sync) -> (f64, f64) {
        let texture = |x: usize, y: usize| 0.1 * ((x * 37 + y * 61) % 17) as f64 / 17.0;
        let plane = |with: &(dyn Fn(usize, usize) -> f64 + Sync)| {
            Luminance::synthetic(Plane::from_fn(360, 300, |x, y| {
                (texture(x, y) + with(x, y)) as f32
            }))
        };
        let before = plane(&|_, _| 0.0);
        let after = plane(&|x, y| difference(x as f64, y as f64));
        let settings = LuminanceSettings::default();
        let Foreign { mask, fraction } = foreign(&before, &after, &before.valid, &settings);
        let masked = mask.count() as f64 / (360.0 * 300.0);
        (fraction, masked)
    }

    /// A soft edge: 0 outside, 1 inside, rising over `soft` px; `depth` px inside the edge.
    fn rise(depth: f64, soft: f64) -> f64 {
        (depth / soft + 0.5).clamp(0.0, 1.0)
    }

    #[test]
    fn strokes_boxes_and_bandages_are_foreign() {
        // Strokes of 9 px, upright and oblique; a box.
        let stroke = |x: f64, y: f64| {
            let upright = rise(4.5 - (x.rem_euclid(60.0) - 30.0).abs(), 1.5);
            let oblique = rise(4.5 - ((x + y).rem_euclid(120.0) - 60.0).abs() / 2f64.sqrt(), 1.5);
            if y < 150.0 { upright } else { oblique }
        };
        let square = |x: f64, y: f64| rise(50.0 - (x - 150.0).abs().max((y - 140.0).abs()), 2.0);
        for height in [0.2, 0.5, -0.3] {
            let (fraction, masked) = found(|x, y| height * stroke(x, y));
            assert!(fraction > 0.1 && masked > 0.4, "{height}: {fraction} {masked}");
            let (fraction, masked) = found(|x, y| height * square(x, y));
            assert!(fraction > 0.02 && masked > 0.05, "{height}: {fraction} {masked}");
        }
    }

    #[test]
    fn changes_of_skin_are_not_foreign() {
        let bell = |r: f64, sigma: f64| (-0.5 * (r / sigma).powi(2)).exp();
        // Wrinkles, pores, scars and spots with soft edges, gone or new.
        let wrinkle = |x: f64, y: f64, sigma: f64| {
            bell((x.rem_euclid(60.0) - 30.0 + 3.0 * (y / 40.0).sin()).abs(), sigma)
        };
        let dot = |x: f64, y: f64| (x.rem_euclid(40.0) - 20.0).hypot(y.rem_euclid(40.0) - 20.0);
        for height in [0.4, -0.6] {
            for sigma in [1.0, 2.0, 3.0, 5.0, 9.0] {
                assert_eq!(found(|x, y| height * wrinkle(x, y, sigma)).1, 0.0, "line of {sigma}");
                assert_eq!(found(|x, y| height * bell(dot(x, y), sigma)).1, 0.0, "dot of {sigma}");
            }
            assert_eq!(found(|x, y| height * rise(14.0 - dot(x, y), 6.0)).1, 0.0, "a spot");
            // A deep wrinkle registered with an error of one pixel.
            let shifted = |x: f64, y: f64| wrinkle(x + 1.0, y, 2.0) - wrinkle(x, y, 2.0);
            assert_eq!(found(|x, y| height * shifted(x, y)).1, 0.0);
        }
    }

    #[test]
    fn a_single_straight_edge_is_ignored() {
        let scratch =
            |x: f64, y: f64| rise(6.0 - (x - 150.0).abs().max((y - 140.0).abs() - 5.0), 1.5);
        assert_eq!(found(|x, y| 0.4 * scratch(x, y)), (0.0, 0.0));
    }

    /// A letter L of strokes of 12 px whose corner lies at (96, 156).
    fn letter(x: usize, y: usize) -> bool {
        (96..108).contains(&x) && (84..156).contains(&y)
            || (96..156).contains(&x) && (144..156).contains(&y)
    }

    fn of(before: Plane, after: Plane) -> Foreign {
        let [a, b] = [before, after].map(Luminance::synthetic);
        foreign(&a, &b, &a.valid, &LuminanceSettings::default())
    }

    #[test]
    fn a_stamp_is_masked_and_nothing_far_from_it() {
        let skin = Texture::new(1, 0.08).plane(252, 252);
        let [before, after] = [11, 12].map(|stream| noisy(&skin, stream, 0.005));
        let stamp = |plane: &Plane, height: f32| {
            Plane::from_fn(252, 252, |x, y| {
                plane.at(x, y) + if letter(x, y) { height } else { 0.0 }
            })
        };
        for (found, what) in [
            (of(before.clone(), stamp(&after, 0.3)), "lighter"),
            (of(before.clone(), stamp(&after, -0.3)), "darker"),
            (of(stamp(&before, 0.3), after.clone()), "in the first photo"),
        ] {
            for (x, y) in (0..252).flat_map(|y| (0..252).map(move |x| (x, y))) {
                let inside = letter(x, y);
                // A tile of 12 px and the one beside it.
                let near = (72..180).contains(&x) && (60..180).contains(&y);
                assert!(!inside || found.mask.at(x, y), "{what}: ({x}, {y}) is not masked");
                assert!(near || !found.mask.at(x, y), "{what}: ({x}, {y}) is masked");
            }
        }
        let [both, other] = [(&before, &after), (&after, &before)]
            .map(|(a, b)| of(stamp(a, 0.3), stamp(b, 0.3)).fraction);
        assert_eq!([both, other], [0.0, 0.0]);
    }

    #[test]
    fn blurred_fainter_shifted_or_other_skin_is_not_foreign() {
        let texture = Texture::new(2, 0.1);
        let before = noisy(&texture.plane(252, 252), 11, 0.01);
        for (what, after) in [
            ("blurred", texture.blurred(1.0)),
            ("fainter", texture.filtered(|_| 0.5)),
            ("shifted", texture.moved(&[1.0, 0.0, 0.7, 0.0, 1.0, -0.7])),
            ("other", Texture::new(3, 0.1)),
        ] {
            let found = of(before.clone(), noisy(&after.plane(252, 252), 12, 0.01));
            assert_eq!(found.fraction, 0.0, "{what}");
            assert!(!found.mask.data().contains(&true), "{what}");
        }
    }
}
