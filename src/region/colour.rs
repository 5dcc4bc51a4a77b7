//! Colour of skin: chroma, its regression on light, robust statistics inside a mask.

use crate::plane::{Grid, Mask, Plane};
use crate::settings::RegionSettings;

/// Chroma: log ratios of red to green and of green to blue.
pub(super) fn chroma(small: &Grid<[f32; 3]>, settings: &RegionSettings) -> [Plane; 2] {
    let floor = settings.dark_floor as f32;
    [
        small.map(|[r, g, _]| ((r + floor) / (g + floor)).ln()),
        small.map(|[_, g, b]| ((g + floor) / (b + floor)).ln()),
    ]
}

/// A chroma without the part that varies with light.
pub(super) struct Chroma {
    /// Residual of the regression on light, natural log; median about 0.
    pub plane: Plane,
    /// Its standard deviation over the core, by the median absolute deviation.
    pub sd: f32,
}

impl Chroma {
    /// `chroma` less its regression on `light` over `core`: a highlight adds white, a shadow removes it.
    pub fn without_light(chroma: &Plane, light: &Plane, core: &Mask) -> Self {
        let (c, l) = (inside(chroma, core), inside(light, core));
        let (mc, ml) = (median_mad(c.clone()).0, median_mad(l.clone()).0);
        let (mut cross, mut square) = (0.0f64, 0.0f64);
        for (c, l) in c.iter().zip(&l) {
            let (dc, dl) = ((c - mc).clamp(-0.5, 0.5), l - ml);
            cross += f64::from(dc * dl);
            square += f64::from(dl * dl);
        }
        // Shading of less than 0.1 (natural log) does not determine the slope: it is damped to 0.
        let slope = (cross / (square + 0.01 * c.len() as f64 + 1e-9)).clamp(-0.3, 0.3) as f32;
        let plane = Plane::from_fn(chroma.width(), chroma.height(), |x, y| {
            chroma.at(x, y) - mc - slope * (light.at(x, y) - ml)
        });
        let sd = 1.4826 * median_mad(inside(&plane, core)).1;
        Chroma { plane, sd }
    }
}

/// The values of `plane` where `mask` is set.
pub(super) fn inside(plane: &Plane, mask: &Mask) -> Vec<f32> {
    plane.data().iter().zip(mask.data()).filter(|&(_, &m)| m).map(|(&v, _)| v).collect()
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
