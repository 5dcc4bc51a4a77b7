//! What a whole analysis costs: two visits of the shipped close-up, from files to the report's
//! numbers and pictures. `cargo bench --bench pipeline`; for real sizes see benches/peer.py.

use criterion::{Criterion, criterion_group, criterion_main};
use skindelta::analyze::{PhotoInput, Request, analyze};
use skindelta::region::RegionRequest;
use skindelta::series::ScaleSource;
use skindelta::settings::Settings;
use std::path::Path;

fn pipeline(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/closeup");
    let photo = |name| PhotoInput { path: folder.join(name), label: None, date: None };
    let request = Request {
        photos: ["visit-0.jpg", "visit-1.jpg"].map(photo).to_vec(),
        regions: RegionRequest::Whole,
        scale: Some((1.0 / 14.0, ScaleSource::Argument)),
        model: None,
        reference: None,
        pictures: true,
        maps: false,
        settings: Settings::default(),
    };
    let mut group = c.benchmark_group("close-up of 0.6 MP");
    group.sample_size(10);
    group.bench_function("compare two visits", |b| {
        b.iter(|| analyze(&request).expect("the fixtures can be analysed"));
    });
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
