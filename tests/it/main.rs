//! The library as a whole, on rendered and real photos.
//!
//! Real photos are not in the repository: `SKINDELTA_DATA` names their folder (default
//! `../shared/data`), and what needs them says so and returns where they are absent. Long forms of tests are ignored:
//! `cargo test --release -- --ignored` runs them.

mod accuracy_page;
mod alignment;
mod browser;
mod comparable;
#[path = "../../src/region/data.rs"]
mod data;
mod finding;
mod fixtures;
mod layers;
mod metrics_page;
mod no_photo;
mod photo;
mod pipeline;
mod quality;
mod region;
mod report;
mod sample;
mod scars;
mod scenes;
mod schema;
mod shots;
mod turned;
mod unchanged;
mod validation;
