//! What a whole analysis costs: two visits of the shipped close-up, from files to the report's
//! numbers and pictures. `cargo bench --bench pipeline`; for real sizes see benches/peer.py.

use criterion::{Criterion, criterion_group, criterion_main};
use skindelta::analyze::{Request, analyze};
use skindelta::region::RegionRequest;
use skindelta::series::ScaleSource;
use std::path::Path;

fn pipeline(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/closeup");
    let photos = ["visit-0.jpg", "visit-1.jpg"].map(|name| folder.join(name));
    let mut request = Request::new(photos);
    request.options.regions = RegionRequest::Whole;
    request.options.scale = Some((1.0 / 14.0, ScaleSource::Argument));
    request.pictures = true;
    let mut group = c.benchmark_group("close-up of 0.6 MP");
    group.sample_size(10);
    group.bench_function("compare two visits", |b| {
        b.iter(|| analyze(&request).expect("the fixtures can be analysed"));
    });
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
