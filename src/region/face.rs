//! Finding a face and its eyes and mouth, without a learned landmark model.
//!
//! The box comes from rustface (SeetaFace's funnel-structured cascade, Wu et al. 2017,
//! doi:10.1016/j.neucom.2016.09.072). Inside it the pupils are the centres that most dark-to-light
//! gradients point away from (Timm & Barth 2011, doi:10.5220/0003326101170122), weighted by where
//! the box expects them; the mouth is the best dark and red bar below them.

use super::Face;
use crate::plane::{Grid, Plane, Window, par_collect};
use crate::settings::RegionSettings;

/// The cascade's weights, shipped inside the published crate (BSD-2-Clause).
static FACE_MODEL: &[u8] = include_bytes!(env!("SKINDELTA_FACE_MODEL"));

/// A rectangle in photo pixels with fractional corners; pixel (0, 0) covers −½ … ½.
#[derive(Debug, Clone, Copy)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Mean colour of each cell of a `width`×`height` raster laid over `rect` of a linear photo.
///
/// A cell smaller than a pixel is widened to one, which makes it linear interpolation. Pixels
/// outside the photo are those of its border. Result: linear light, 0 … 1.
pub(super) fn resample(
    linear: &Grid<[u16; 3]>,
    rect: Rect,
    width: usize,
    height: usize,
) -> Grid<[f32; 3]> {
    let columns = spans(rect.x, rect.width, width, linear.width());
    let rows = spans(rect.y, rect.height, height, linear.height());
    let mut out = Grid::filled(width, height, [0.0f32; 3]);
    out.par_rows(|y, cells| {
        let mut sums = vec![[0.0f32; 3]; cells.len()];
        for &(sy, wy) in &rows[y] {
            let source = linear.row(sy);
            for (sum, span) in sums.iter_mut().zip(&columns) {
                for &(sx, wx) in span {
                    let w = wx * wy;
                    for c in 0..3 {
                        sum[c] += w * f32::from(source[sx][c]);
                    }
                }
            }
        }
        for (cell, sum) in cells.iter_mut().zip(sums) {
            *cell = sum.map(|v| v / 65535.0);
        }
    });
    out
}

/// For each of `n` cells over `[start, start + length)`: the pixels it covers and their weights.
fn spans(start: f64, length: f64, n: usize, pixels: usize) -> Vec<Vec<(usize, f32)>> {
    let step = length / n as f64;
    let half = 0.5 * step.max(1.0);
    let last = pixels as f64 - 1.0;
    (0..n)
        .map(|i| {
            // Shifted by half a pixel, so that pixel k covers [k, k + 1).
            let centre = start + (i as f64 + 0.5) * step + 0.5;
            let (from, to) = (centre - half, centre + half);
            let mut span: Vec<(usize, f32)> = Vec::new();
            for k in from.floor() as i64..to.ceil() as i64 {
                let weight = ((k + 1) as f64).min(to) - (k as f64).max(from);
                if weight > 0.0 {
                    span.push(((k as f64).clamp(0.0, last) as usize, (weight / (to - from)) as f32));
                }
            }
            span
        })
        .collect()
}

/// Scene luminance (Rec. 709) of linear sRGB.
pub(super) fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// A face found by the cascade, in photo pixels.
#[derive(Debug, Clone, Copy)]
struct Found {
    rect: Rect,
    score: f64,
}

/// The largest face that still scores well at a second look, as the cascade's square box.
///
/// The first look is coarse and takes weak faces; the second, on the box and its surround alone at
/// middle grey, tells a dark face (many windows agree) from a chance likeness (few do).
pub(super) fn detect(linear: &Grid<[u16; 3]>, settings: &RegionSettings) -> Option<Rect> {
    let (w, h) = (linear.width() as f64, linear.height() as f64);
    let frame = Rect { x: -0.5, y: -0.5, width: w, height: h };
    let scale = (settings.detector_side_px as f64 / w.max(h)).min(1.0);
    let mut first = look(linear, frame, scale, 4, settings);
    first.sort_by(|a, b| b.rect.width.total_cmp(&a.rect.width).then(b.score.total_cmp(&a.score)));
    first.into_iter().find_map(|candidate| {
        let Rect { x, y, width, .. } = candidate.rect;
        let margin = 0.4 * width;
        let side = width + 2.0 * margin;
        let around = Rect { x: x - margin, y: y - margin, width: side, height: side };
        let scale = SECOND_LOOK_PX / width;
        let second = look(linear, around, scale, 2, settings);
        let near = |f: &&Found| (f.rect.x + 0.5 * f.rect.width - x - 0.5 * width).abs() < 0.25 * width && (f.rect.y + 0.5 * f.rect.width - y - 0.5 * width).abs() < 0.25 * width && (f.rect.width / width).ln().abs() < 0.4;
        let best = second.iter().filter(near).max_by(|a, b| a.score.total_cmp(&b.score));
        if std::env::var("RG_DEBUG").is_ok() { eprintln!("CAND {:?} -> {:?} all {:?}", candidate, best.map(|b|b.score), second.iter().map(|s|s.score as i32).collect::<Vec<_>>()); }
        best.filter(|best| best.score >= settings.min_face_score).map(|best| best.rect)
    })
}

/// Width of the box in the second look, px.
const SECOND_LOOK_PX: f64 = 120.0;

/// Runs the cascade over `rect`, resampled by `scale`, its window moved in steps of `step` px.
fn look(
    linear: &Grid<[u16; 3]>,
    rect: Rect,
    scale: f64,
    step: u32,
    settings: &RegionSettings,
) -> Vec<Found> {
    let (w, h) = ((rect.width * scale).round() as usize, (rect.height * scale).round() as usize);
    if w.min(h) < 40 {
        return Vec::new(); // the cascade's window
    }
    let light = resample(linear, rect, w, h).map(luminance);
    // Middle grey by a power law: the cascade was trained on well exposed faces.
    let mut sorted = light.data().to_vec();
    sorted.sort_by(f32::total_cmp);
    let median = if step == 4 { 0.2 } else { sorted[sorted.len() / 2].clamp(0.01, 0.8) };
    let power = (0.45f32.ln() / median.ln()).clamp(0.25, 0.8);
    // A border keeps faces at the frame, and the cascade's windows, inside the raster.
    let pad = (w.max(h) / 8).max(20);
    let (pw, ph) = (w + 2 * pad, h + 2 * pad);
    let grey = Grid::from_fn(pw, ph, |x, y| {
        let v = light.clamped(x as isize - pad as isize, y as isize - pad as isize);
        (255.0 * v.max(0.0).powf(power)).round().min(255.0) as u8
    });
    let Ok(model) = rustface::read_model(FACE_MODEL) else { return Vec::new() };
    let mut detector = rustface::create_detector_with_model(model);
    detector.set_slide_window_step(step, step);
    detector.set_pyramid_scale_factor(if step == 4 { 0.8 } else { 0.9 });
    detector.set_score_thresh(1.0);
    detector
        .detect(&rustface::ImageData::new(grey.data(), pw as u32, ph as u32))
        .iter()
        .map(|face| {
            let b = face.bbox();
            let at = |v: i32, from: f64| from + (f64::from(v) - pad as f64) / scale;
            let (x, y) = (at(b.x(), rect.x), at(b.y(), rect.y));
            let width = f64::from(b.width()) / scale;
            Found { rect: Rect { x, y, width, height: width }, score: face.score() }
        })
        .collect()
}

pub fn detect_dev(linear: &Grid<[u16; 3]>, settings: &RegionSettings) -> Option<Rect> { detect(linear,settings) }
