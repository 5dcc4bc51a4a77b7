//! What the hot filters cost on a plane of two megapixels: the first place to look when a stage
//! has become slower. `cargo bench --bench filters`.

use criterion::{Criterion, criterion_group, criterion_main};
use skindelta::filter::gaussian::{band, blur};
use skindelta::filter::label::label;
use skindelta::filter::matched::{Autocovariance, Whitener};
use skindelta::filter::oriented::oriented;
use skindelta::filter::thin::thin;
use skindelta::filter::warp::Spline;
use skindelta::plane::{Mask, Plane, Window};
use std::hint::black_box;

const WIDTH: usize = 1600;
const HEIGHT: usize = 1250;

/// Skin-like: a slow shade, a mesh of lines, and grain that is the same in every run.
fn skin() -> Plane {
    Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        let (fx, fy) = (x as f32, y as f32);
        let grain = (x as u32).wrapping_mul(0x9E37_79B9) ^ (y as u32).wrapping_mul(0x85EB_CA6B);
        let grain = (grain ^ (grain >> 15)).wrapping_mul(0x2C1B_3C6D) >> 8;
        let mesh = (0.31 * fx + 0.17 * fy).sin() * (0.23 * fx - 0.29 * fy).cos();
        0.3 * (0.002 * fx).sin() + 0.05 * mesh + 0.02 * (grain as f32 / (1 << 24) as f32)
    })
}

fn filters(c: &mut Criterion) {
    let plane = skin();
    let mask = Mask::from_fn(WIDTH, HEIGHT, |x, y| {
        let (dx, dy) = (x as f32 / WIDTH as f32 - 0.5, y as f32 / HEIGHT as f32 - 0.5);
        dx * dx + dy * dy < 0.2
    });
    let lines = blur(&plane, 2.0).map(|v| v < -0.01);
    let spline = Spline::new(&plane);

    let mut group = c.benchmark_group("2 MP");
    group.sample_size(20);
    group.bench_function("gaussian sigma 2", |b| b.iter(|| blur(black_box(&plane), 2.0)));
    group.bench_function("gaussian sigma 8", |b| b.iter(|| blur(black_box(&plane), 8.0)));
    group.bench_function("band 4 to 12 px", |b| {
        b.iter(|| band(black_box(&plane), &mask, 4.0, 12.0));
    });
    let window = Window::full(WIDTH, HEIGHT);
    let covariance = || Autocovariance::of(&[&plane], &mask, window, 16, 3).expect("skin");
    let dip = |x: f64, y: f64| -(-(x * x + y * y) / 8.0).exp();
    let filter = Whitener::new(&covariance(), 8, 0.01).and_then(|w| w.filter(dip)).expect("a dip");
    group.bench_function("autocovariance, reach 16", |b| b.iter(covariance));
    group.bench_function("matched, radius 8", |b| {
        b.iter(|| {
            let mut out = Plane::filled(WIDTH, HEIGHT, 0.0);
            out.par_rows(|y, row| {
                row.copy_from_slice(&filter.row(black_box(&plane), y, 0..WIDTH));
            });
            out
        });
    });
    group.bench_function("oriented, 16 directions", |b| {
        b.iter(|| oriented(black_box(&plane), &mask, 8.0, &[1.5, 2.5], 16))
    });
    group.bench_function("spline coefficients", |b| b.iter(|| Spline::new(black_box(&plane))));
    group.bench_function("spline sampling", |b| {
        b.iter(|| {
            Plane::from_fn(WIDTH, HEIGHT, |x, y| {
                spline.at(0.99 * x as f64 + 0.02 * y as f64, 0.98 * y as f64 + 0.3)
            })
        });
    });
    group.bench_function("thin", |b| b.iter(|| thin(black_box(&lines))));
    group.bench_function("label", |b| b.iter(|| label(black_box(&lines))));
    group.finish();
}

criterion_group!(benches, filters);
criterion_main!(benches);
