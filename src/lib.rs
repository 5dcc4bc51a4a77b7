//! skindelta: before/after photo analysis of skin texture.

pub mod align;
pub mod analyze;
pub mod arguments;
pub mod batch;
pub mod change;
pub mod cielab;
pub mod citations;
pub mod error;
pub mod filter;
pub mod luminance;
pub mod metric;
pub mod phantom;
pub mod photo;
pub mod plane;
pub mod quality;
pub mod region;
pub mod report;
pub mod series;
pub mod settings;
pub mod show;
pub mod tone;
pub mod units;
pub mod validate;

pub use error::{Error, Result, Step};
