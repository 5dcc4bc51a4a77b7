//! Centre lines of all photos together: ridge points, linked, and kept by length and saliency.

use super::RidgeResponse;
use crate::filter::gaussian::{MaskedBlur, away_from_edges};
use crate::filter::link::{Linked, link};
use crate::filter::morphology::open;
use crate::filter::oriented::Oriented;
use crate::filter::resize::shrink_mask;
use crate::filter::stats::quantile;
use crate::filter::thin::thin;
use crate::filter::warp::bilinear;
use crate::metric::Sampling;
use crate::plane::{Grid, Mask, Plane};
use crate::settings::MetricSettings;
use crate::units::PixelSize;

/// A point of a centre line before it is read.
pub(super) struct TracedPoint {
    /// Column in the window of the region map, px.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// Length of line that this point stands for, px.
    pub length_px: f64,
    /// Direction of the line, unit vector.
    pub along: [f64; 2],
    /// Mean response of the background texture around, over the line's response.
    pub background: f64,
    /// Number of its line.
    pub line: u32,
    /// Whether no skin is hidden beside it.
    pub unobstructed: bool,
}

/// Traces the centre lines of all photos together on the skin that is `valid` in all.
pub(super) fn trace(
    valid: &Mask,
    responses: &[&RidgeResponse],
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Vec<TracedPoint> {
    let factor = responses[0].factor;
    let pixel = PixelSize::new(sampling.mm_per_px, factor);
    let valid = shrink_mask(valid, factor);
    let searched = searched(&valid, pixel, settings);
    let unobstructed = away_from_edges(&valid, pixel.px(settings.line_margin_mm));
    let map = RidgeMap::new(largest(responses), &valid, pixel, settings);
    let ridge = map.ridge_points(&searched);
    let gap = pixel.px(settings.line_gap_mm) as f32;
    let turn = settings.line_turn_deg.to_radians() as f32;
    let linked = link(&thin(&ridge), &map.ridges, gap, turn);
    let mut traced = Vec::new();
    for (line, points) in linked.iter().enumerate() {
        let points = map.without_weak_ends(points);
        if map.is_too_faint(points) {
            continue;
        }
        for point in points {
            let [x, y] = map.subpixel(point).map(|v| (v + 0.5) * factor as f64 - 0.5);
            let response = f64::from(map.response.at(point.x, point.y));
            traced.push(TracedPoint {
                x,
                y,
                length_px: factor as f64 * point.length,
                along: map.ridges.at(point.x, point.y).along.map(f64::from),
                background: f64::from(map.background.at(point.x, point.y)) / response,
                line: line as u32,
                unobstructed: unobstructed.at(point.x, point.y),
            });
        }
    }
    traced
}

/// The largest response of all photos: a line of one photo only has appeared or vanished.
fn largest(responses: &[&RidgeResponse]) -> Grid<Oriented> {
    let larger = |a: Oriented, b: Oriented| if a.response >= b.response { a } else { b };
    let mut ridges = responses[0].ridges.clone();
    for other in &responses[1..] {
        ridges = ridges.zip(&other.ridges, larger);
    }
    ridges
}

/// Where lines are searched: skin, also beside a small hole such as a highlight, but not at the skin's edge, of which
/// the window may show a strip.
fn searched(valid: &Mask, pixel: PixelSize, settings: &MetricSettings) -> Mask {
    let (w, h) = (valid.width(), valid.height());
    let hole = pixel.px(settings.line_hole_mm).round() as usize;
    let wide = open(&valid.map(|skin| !skin), hole);
    let filled = Mask::from_fn(w, h, |x, y| {
        let inside = x >= hole && y >= hole && x + hole < w && y + hole < h;
        valid.at(x, y) || (inside && !wide.at(x, y))
    });
    let inner = away_from_edges(&filled, pixel.px(settings.line_margin_mm));
    inner.zip(valid, |inner, skin| inner && skin)
}

/// Ridge response, and that of the background texture around each pixel.
struct RidgeMap<'a> {
    pixel: PixelSize,
    ridges: Grid<Oriented>,
    /// Strength of `ridges`.
    response: Plane,
    /// Mean response of the background texture.
    background: Plane,
    /// Excess of the response over the background, share of the background.
    excess: Plane,
    settings: &'a MetricSettings,
}

impl<'a> RidgeMap<'a> {
    fn new(
        ridges: Grid<Oriented>,
        valid: &Mask,
        pixel: PixelSize,
        settings: &'a MetricSettings,
    ) -> Self {
        let response = ridges.map(|l| l.response);
        let surround = MaskedBlur::new(valid, pixel.px(settings.line_surround_mm) as f32);
        let mean = surround.mean(&response);
        // What is much stronger than the mean is lines.
        let limited = response.zip(&mean, |v, m| v.min(settings.line_background_max as f32 * m));
        let background = surround.mean(&limited);
        let excess = response.zip(&background, |v, b| v / b - 1.0);
        RidgeMap { pixel, ridges, response, background, excess, settings }
    }

    /// The response `offset` px beside a pixel, across the line.
    fn beside(&self, x: usize, y: usize, offset: f64) -> f64 {
        let [tx, ty] = self.ridges.at(x, y).along.map(f64::from);
        f64::from(bilinear(&self.response, x as f64 - offset * ty, y as f64 + offset * tx))
    }

    /// Pixels whose response exceeds the background enough and is the largest across the line.
    fn ridge_points(&self, searched: &Mask) -> Mask {
        let reach = self.pixel.px(self.settings.line_distance_min_mm).max(1.0) as usize;
        Mask::from_fn(self.response.width(), self.response.height(), |x, y| {
            let v = f64::from(self.response.at(x, y));
            // Without v > 0 a plateau of 0 would be a ridge.
            searched.at(x, y)
                && v > 0.0
                && f64::from(self.excess.at(x, y)) >= self.settings.line_excess_min
                && (1..=reach).all(|s| {
                    v >= self.beside(x, y, s as f64) && v >= self.beside(x, y, -(s as f64))
                })
        })
    }

    /// A line's points between the first and the last with a fair share of the median response.
    fn without_weak_ends<'p>(&self, points: &'p [Linked]) -> &'p [Linked] {
        let response = |p: &Linked| f64::from(self.response.at(p.x, p.y));
        let median = quantile(&mut points.iter().map(response).collect::<Vec<_>>(), 0.5);
        let strong =
            |p: &Linked| median.is_some_and(|v| response(p) >= self.settings.line_end_response * v);
        let first = points.iter().position(strong).unwrap_or(0);
        let last = points.iter().rposition(strong).unwrap_or(0);
        &points[first..=last]
    }

    /// Whether linked points lack the length or the saliency of a line.
    fn is_too_faint(&self, points: &[Linked]) -> bool {
        let length_mm = self.pixel.mm() * points.iter().map(|p| p.length).sum::<f64>();
        let excess = |p: &Linked| p.length * f64::from(self.excess.at(p.x, p.y));
        let saliency_mm = self.pixel.mm() * points.iter().map(excess).sum::<f64>();
        length_mm < self.settings.line_min_mm || saliency_mm < self.settings.line_saliency_min_mm
    }

    /// Position of the largest response across the line, from a parabola through three samples.
    fn subpixel(&self, &Linked { x, y, .. }: &Linked) -> [f64; 2] {
        let before = self.beside(x, y, -1.0);
        let here = f64::from(self.response.at(x, y));
        let after = self.beside(x, y, 1.0);
        let bend = before + after - 2.0 * here;
        let offset =
            if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-1.0, 1.0) } else { 0.0 };
        let [tx, ty] = self.ridges.at(x, y).along.map(f64::from);
        [x as f64 - offset * ty, y as f64 + offset * tx]
    }
}
