//! Small drawings of the page as inline SVG.

use super::words;
use maud::{Markup, html};

/// Width of an interval drawing, in SVG units.
const FOREST_WIDTH: f64 = 200.0;
/// Height of an interval drawing.
const FOREST_HEIGHT: f64 = 20.0;

/// A change as it is drawn, all in one unit.
#[derive(Debug, Clone, Copy)]
pub struct Effect {
    /// The estimate.
    pub change: f64,
    /// Its 95 % interval.
    pub ci: [f64; 2],
    /// Smallest detectable change.
    pub sdc: f64,
}

/// One change: the interval and the estimate against the band of ±SDC. The
/// axis runs from −`reach` to `reach` times the SDC, so that the band is equally wide in all rows;
/// what lies outside ends in an arrow. `label` says the same in words.
pub fn forest(effect: Effect, reach: f64, tone: &str, label: &str) -> Markup {
    let Effect { change, ci, sdc } = effect;
    let x = |v: f64| {
        let v = if sdc > 0.0 { v / sdc } else { v.signum() * if v == 0.0 { 0.0 } else { reach } };
        FOREST_WIDTH / 2.0 * (1.0 + v.clamp(-reach, reach) / reach)
    };
    let [low, point, high, left, right] =
        [x(ci[0]), x(change), x(ci[1]), x(-sdc), x(sdc)].map(|v| v.clamp(1.0, FOREST_WIDTH - 1.0));
    let out = |v: f64| sdc > 0.0 && v.abs() > reach * sdc;
    let middle = FOREST_HEIGHT / 2.0;
    html! {
        svg class={ "forest " (tone) } viewBox={ "0 0 " (FOREST_WIDTH) " " (FOREST_HEIGHT) }
            role="img" aria-label=(label) {
            rect class="band" x=(svg(left)) y="2" width=(svg(right - left)) height="16" {}
            line class="zero" x1=(FOREST_WIDTH / 2.0) x2=(FOREST_WIDTH / 2.0) y1="0" y2="20" {}
            line class="ci" x1=(svg(low)) x2=(svg(high)) y1=(middle) y2=(middle) {}
            @if out(ci[0]) { path class="tip" d="M0 10l6-4v8z" {} }
            @if out(ci[1]) { path class="tip" d="M200 10l-6-4v8z" {} }
            @if !out(change) { circle class="point" cx=(svg(point)) cy=(middle) r="4" {} }
        }
    }
}

/// One visit of a trend: change, interval and SDC in percent of the baseline.
pub struct Point {
    /// Name of the visit.
    pub label: String,
    /// Estimate, interval, SDC; none where the visit is not comparable.
    pub change: Option<Effect>,
}

/// Change in percent over the visits, the baseline first, with intervals and the band of ±SDC.
pub fn trend(points: &[Point], label: &str) -> Markup {
    let (w, h) = (300.0, 150.0);
    let (left, right, top, bottom) = (44.0, 14.0, 10.0, 24.0);
    let known = || points.iter().filter_map(|p| p.change);
    let reach = |f: fn(f64, f64) -> f64| {
        known().fold(0.0, |a, Effect { ci, sdc, .. }| f(f(a, f(ci[0], ci[1])), f(sdc, -sdc)))
    };
    let (low, high) = (reach(f64::min).max(-200.0), reach(f64::max).min(200.0));
    let step = tick_step(high - low);
    let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
    let span = (high - low).max(step);
    let last = (points.len().max(2) - 1) as f64;
    let x = |i: usize| left + (w - left - right) * i as f64 / last;
    let y = |v: f64| top + (h - top - bottom) * (high - v.clamp(low, high)) / span;
    let ticks = (0..=(span / step).round() as usize).map(|i| low + step * i as f64);
    let shown: Vec<_> =
        points.iter().enumerate().filter_map(|(i, p)| p.change.map(|c| (i, c))).collect();
    let path = |value: fn(&Effect) -> f64| {
        shown.iter().map(move |(i, c)| format!("{},{} ", svg(x(*i)), svg(y(value(c)))))
    };
    let band: String = path(|c| c.sdc).chain(path(|c| -c.sdc).rev()).collect();
    let line: String = path(|c| c.change).collect();
    html! {
        svg class="trend" viewBox={ "0 0 " (w) " " (h) } role="img" aria-label=(label) {
            polygon class="band" points=(band.trim()) {}
            @for tick in ticks {
                line class=(if tick.abs() < step / 2.0 { "zero" } else { "grid" })
                    x1=(left) x2=(w - right) y1=(svg(y(tick))) y2=(svg(y(tick))) {}
                text class="tick" x=(left - 6.0) y=(svg(y(tick) + 3.5)) text-anchor="end" {
                    (words::signed(tick, if step < 1.0 { 1 } else { 0 })) "%"
                }
            }
            polyline class="line" points=(line.trim()) {}
            @for (i, Effect { change: value, ci, .. }) in &shown {
                @let x = svg(x(*i));
                line class="ci" x1=(x) x2=(x) y1=(svg(y(ci[0]))) y2=(svg(y(ci[1]))) {}
                circle class="point" cx=(x) cy=(svg(y(*value))) r="3.5" {}
            }
            @for (i, point) in points.iter().enumerate() {
                @let anchor = match i { 0 => "start", i if i + 1 == points.len() => "end", _ => "middle" };
                text class="tick" x=(svg(x(i))) y=(h - 7.0) text-anchor=(anchor) {
                    (point.label)
                }
            }
        }
    }
}

/// Step of 1, 2 or 5 times a power of ten that cuts `span` into two to five parts.
fn tick_step(span: f64) -> f64 {
    let rough = (span / 4.0).max(0.05);
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough)
}

/// A coordinate, short.
fn svg(v: f64) -> String {
    let text = format!("{v:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(change: f64, ci: [f64; 2], sdc: f64) -> Effect {
        Effect { change, ci, sdc }
    }

    #[test]
    fn a_change_of_one_sdc_lies_on_the_edge_of_the_band() {
        let html = forest(effect(-3.0, [-6.0, 0.0], 3.0), 4.0, "same", "x").into_string();
        assert!(html.contains(r#"rect class="band" x="75" y="2" width="50""#), "{html}");
        assert!(html.contains(r#"class="ci" x1="50" x2="100""#), "{html}");
        assert!(html.contains(r#"cx="75""#), "{html}");
        assert!(!html.contains("tip"));
    }

    #[test]
    fn what_lies_outside_ends_in_an_arrow() {
        let html = forest(effect(-30.0, [-40.0, -1.0], 3.0), 4.0, "improved", "x").into_string();
        assert!(html.contains("M0 10l6-4v8z") && !html.contains("M200"), "{html}");
        assert!(!html.contains("circle"));
    }

    #[test]
    fn no_change_and_no_band_is_drawn_at_zero() {
        let html = forest(effect(0.0, [0.0, 0.0], 0.0), 4.0, "same", "x").into_string();
        assert!(html.contains(r#"cx="100""#) && !html.contains("NaN"), "{html}");
    }

    #[test]
    fn ticks_are_round() {
        for (span, step) in [(4.0, 1.0), (9.0, 5.0), (40.0, 10.0), (0.0, 0.05), (70.0, 20.0)] {
            assert!((tick_step(span) - step).abs() < 1e-12, "{span}: {}", tick_step(span));
        }
    }
}
