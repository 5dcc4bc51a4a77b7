//! What the hot filters cost, in pixels a second on planes of 2 and 12 megapixels: the first place to look when a stage
//! has become slower. `cargo bench --bench filters`; beside OpenCV: benches/kernels.py. Threads: RAYON_NUM_THREADS.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use skindelta::filter::gaussian::{MaskedBlur, band, blur};
use skindelta::filter::label::label;
use skindelta::filter::matched::{Pairs, Whitener};
use skindelta::filter::morphology::open;
use skindelta::filter::oriented::oriented;
use skindelta::filter::thin::thin;
use skindelta::filter::warp::Spline;
use skindelta::plane::{Mask, Plane, Window};
use std::hint::black_box;

/// Skin-like: a slow shade, a mesh of lines, and grain that is the same in every run.
fn skin(width: usize, height: usize) -> Plane {
    Plane::from_fn(width, height, |x, y| {
        let (fx, fy) = (x as f32, y as f32);
        let grain = (x as u32).wrapping_mul(0x9E37_79B9) ^ (y as u32).wrapping_mul(0x85EB_CA6B);
        let grain = (grain ^ (grain >> 15)).wrapping_mul(0x2C1B_3C6D) >> 8;
        let mesh = (0.31 * fx + 0.17 * fy).sin() * (0.23 * fx - 0.29 * fy).cos();
        0.3 * (0.002 * fx).sin() + 0.05 * mesh + 0.02 * (grain as f32 / (1 << 24) as f32)
    })
}

fn filters(c: &mut Criterion) {
    for (name, width, height) in [("2 MP", 1600, 1250), ("12 MP", 3000, 4000)] {
        let mut group = c.benchmark_group(name);
        group.sample_size(10).throughput(Throughput::Elements((width * height) as u64));
        let plane = skin(width, height);
        // Six tenths of the frame, as a face is.
        let mask = Mask::from_fn(width, height, |x, y| {
            let (dx, dy) = (x as f32 / width as f32 - 0.5, y as f32 / height as f32 - 0.5);
            dx * dx + dy * dy < 0.2
        });
        smoothing(&mut group, &plane, &mask);
        detection(&mut group, plane, &mask);
    }
}

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn smoothing(group: &mut Group<'_>, plane: &Plane, mask: &Mask) {
    for sigma in [2.0, 8.0] {
        group.bench_function(format!("gaussian sigma {sigma}"), |b| {
            b.iter(|| blur(black_box(plane), sigma));
        });
        group.bench_function(format!("masked gaussian sigma {sigma}"), |b| {
            b.iter(|| MaskedBlur::new(mask, sigma).mean(black_box(plane)));
        });
    }
    group.bench_function("band 4 to 12 px", |b| {
        b.iter(|| band(black_box(plane), mask, 4.0, 12.0));
    });
    let spline = Spline::new(plane);
    group.bench_function("spline coefficients", |b| b.iter(|| Spline::new(black_box(plane))));
    group.bench_function("spline sampling", |b| {
        b.iter(|| {
            let mut out = Plane::filled(plane.width(), plane.height(), 0.0);
            out.par_rows(|y, row| {
                let at = |x: usize| [0.99 * x as f64 + 0.02 * y as f64, 0.98 * y as f64 + 0.3];
                let positions: Vec<[f64; 2]> = (0..row.len()).map(at).collect();
                spline.row(&positions, row);
            });
            out
        });
    });
}

fn detection(group: &mut Group<'_>, plane: Plane, mask: &Mask) {
    let (width, height) = (plane.width(), plane.height());
    let lines = blur(&plane, 2.0).map(|v| v < -0.01);
    let planes = [plane];
    let plane = &planes[0];
    let pairs = || Pairs::new(mask, Window::full(width, height), 16, 3).expect("skin");
    group.bench_function("autocovariance, reach 16", |b| b.iter(|| pairs().covariance(&planes)));
    let dip = |x: f64, y: f64| -(-(x * x + y * y) / 8.0).exp();
    let covariance = pairs().covariance(&planes);
    let filter = Whitener::new(&covariance, 8, 0.01).and_then(|w| w.filter(dip)).expect("a dip");
    group.bench_function("matched, radius 8", |b| {
        b.iter(|| {
            let mut out = Plane::filled(width, height, 0.0);
            out.par_rows(|y, row| {
                row.copy_from_slice(&filter.row(black_box(plane), y, 0..width));
            });
            out
        });
    });
    group.bench_function("oriented, 16 directions", |b| {
        b.iter(|| oriented(black_box(plane), mask, 8.0, &[1.5, 2.5], 16))
    });
    group.bench_function("opening, radius 20", |b| b.iter(|| open(black_box(&lines), 20)));
    group.bench_function("thin", |b| b.iter(|| thin(black_box(&lines))));
    group.bench_function("label", |b| b.iter(|| label(black_box(&lines))));
}

criterion_group!(benches, filters);
criterion_main!(benches);
