//! Log luminance without what colour explains, in which the shading of scars remains.

use super::SearchArea;
use crate::filter::gaussian::MaskedBlur;
use crate::filter::resize::{enlarge, shrink, shrink_mask};
use crate::filter::stats::median;
use crate::metric::ComparableVisit;
use crate::plane::{Mask, Plane};
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// Planes of shading, one per visit each.
#[derive(Debug, Clone)]
pub(super) struct Shading {
    /// Clipped for the search.
    pub search: Vec<Plane>,
    /// Clipped less, for the depth.
    pub depth: Vec<Plane>,
}

/// Step between the pixels that the median contrast of all visits is estimated from.
const SAMPLE_STEP: usize = 31;

impl Shading {
    /// Log luminance of the visits on the planes of the search, without what colour explains and without what is
    /// slower than scars.
    pub fn of(views: &[ComparableVisit<'_>], area: &SearchArea, settings: &MetricSettings) -> Self {
        let colourless = colourless(views, area.mm_per_px, settings);
        let valid = &views[0].luminance.valid;
        let contrasts = colourless.iter().flat_map(|plane| magnitudes(plane, valid, SAMPLE_STEP));
        let median = median(&mut contrasts.collect::<Vec<f64>>()).unwrap_or(0.0);
        let surround =
            MaskedBlur::new(&area.valid, area.pixel.px(settings.scar_surround_mm) as f32);
        // Pores and remainders of lines are darker than the shading of most bowls, and would be detected as some: one
        // limit for all visits.
        let clipped = |limit: f64| {
            let most = (limit * median) as f32;
            let clip = |plane: &Plane| shrink(&plane.map(|v| v.clamp(-most, most)), area.factor);
            colourless.iter().map(|plane| surround.residual(&clip(plane))).collect()
        };
        let [search, depth] = settings.scar_clip.map(clipped);
        Shading { search, depth }
    }
}

/// Absolute values of every `step`th pixel, where it lies inside a mask.
pub(super) fn magnitudes(plane: &Plane, mask: &Mask, step: usize) -> Vec<f64> {
    let pixels = plane.data().iter().zip(mask.data()).step_by(step);
    pixels.filter(|(_, m)| **m).map(|(v, _)| f64::from(v.abs())).collect()
}

/// Band-passed luminance and colour of one visit, on the cells of its tone.
struct ColourBands {
    luminance: Plane,
    /// Of log red over green.
    red_green: Plane,
    /// Of log green over blue.
    green_blue: Plane,
}

/// Log luminance of the visits at all pixels, without what their colour explains.
fn colourless(
    views: &[ComparableVisit<'_>],
    mm_per_px: f64,
    settings: &MetricSettings,
) -> Vec<Plane> {
    let cell_px = views[0].tone.cell_px;
    let cell = PixelSize::new(mm_per_px, cell_px);
    let luminance = &views[0].luminance.valid;
    let reduced = shrink_mask(luminance, cell_px);
    let valid = Mask::from_fn(reduced.width(), reduced.height(), |x, y| {
        reduced.at(x, y) && views.iter().all(|v| v.tone.valid.at(x, y))
    });
    let mean = |mm: f64| MaskedBlur::new(&valid, cell.px(mm) as f32);
    let (near, surround) = (mean(settings.scar_colour_mm), mean(settings.scar_surround_mm));
    let band = |plane: &Plane| surround.residual(&near.mean(plane));
    let bands = |view: &ComparableVisit<'_>| {
        let log_ratio = |a: usize, b: usize| {
            let [a, b] = [a, b].map(|k| view.tone.rgb.map(|c| c[k].max(f32::MIN_POSITIVE).ln()));
            band(&a.zip(&b, |a, b| a - b))
        };
        ColourBands {
            luminance: band(&shrink(&view.luminance.flat, cell_px)),
            red_green: log_ratio(0, 1),
            green_blue: log_ratio(1, 2),
        }
    };
    let bands: Vec<ColourBands> = views.iter().map(bands).collect();
    let all = |plane: fn(&ColourBands) -> &Plane| -> Vec<f64> {
        let pixels = bands.iter().flat_map(|b| plane(b).data().iter().zip(valid.data()));
        pixels.filter(|(_, m)| **m).map(|(v, _)| f64::from(*v)).collect()
    };
    let coefficients =
        regression(&all(|b| &b.luminance), &all(|b| &b.red_green), &all(|b| &b.green_blue));
    let [u, v] = coefficients.map(|v| v as f32);
    let residual = |(view, bands): (&ComparableVisit<'_>, &ColourBands)| {
        let explained = bands.red_green.zip(&bands.green_blue, |a, b| u * a + v * b);
        let explained = enlarge(&explained, cell_px, luminance.width(), luminance.height());
        view.luminance.flat.zip(&explained, |l, c| l - c)
    };
    views.iter().zip(&bands).map(residual).collect()
}

/// The u and v that minimise the mean square of l − u·a − v·b; 0 where a and b are proportional.
fn regression(l: &[f64], a: &[f64], b: &[f64]) -> [f64; 2] {
    let sum = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
    let (aa, ab, bb, la, lb) = (sum(a, a), sum(a, b), sum(b, b), sum(l, a), sum(l, b));
    let determinant = aa * bb - ab * ab;
    if determinant <= 1e-9 * aa * bb || !determinant.is_finite() {
        return [0.0; 2];
    }
    [(la * bb - lb * ab) / determinant, (lb * aa - la * ab) / determinant]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficients_of_colour_are_those_of_least_squares() {
        let a = [1.0, -2.0, 0.5, 3.0, -1.0];
        let b = [0.3, 0.9, -1.2, 0.4, 2.0];
        let l: Vec<f64> = a.iter().zip(b).map(|(a, b)| -1.2 * a + 0.7 * b).collect();
        let [u, v] = regression(&l, &a, &b);
        assert!((u + 1.2).abs() < 1e-12 && (v - 0.7).abs() < 1e-12);
        // Grey skin has one colour.
        assert_eq!(regression(&l, &[0.0; 5], &[0.0; 5]), [0.0; 2]);
        assert_eq!(regression(&l, &a, &a), [0.0; 2]);
    }
}
