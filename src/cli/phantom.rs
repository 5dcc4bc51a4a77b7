//! `skindelta phantom`

use super::{Machine, print};
use clap::{Args, ValueEnum};
use skindelta::Result;
use skindelta::output::{self, Output};
use skindelta::phantom::{self, Kind, Spec};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write test photos of rendered skin, and their true values
///
/// The skin improves by known steps from visit to visit; truth.json holds the steps, and
/// visit-K-displacement.npy the displacement of the pixels. No real person is shown: the photos can be
/// shared, and used to learn the program.
#[derive(Args)]
#[command(after_help = "\
Examples:
  skindelta phantom demo
  skindelta compare demo/closeup/visit-0.jpg demo/closeup/visit-1.jpg --regions whole")]
pub struct Phantom {
    /// Folder for the photos
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Which photos to write [default: closeup and face]
    #[arg(long, value_enum)]
    kind: Option<PhotoSet>,
    /// Seed of the skin: the same number gives the same photos
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of visits, the baseline included
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u8).range(1..=20))]
    visits: u8,
    /// Pixels per millimetre; the photographed area of skin stays the same
    #[arg(long, value_name = "F", value_parser = px_per_mm)]
    px_per_mm: Option<f64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PhotoSet {
    /// A patch of skin
    Closeup,
    /// A face
    Face,
    /// The fixtures of the program's tests
    Fixtures,
}

impl Phantom {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let closeup = || (self.dir.join("closeup"), self.spec(Kind::Closeup));
        let face = || (self.dir.join("face"), self.spec(Kind::Face));
        let series = match self.kind {
            None => vec![closeup(), face()],
            Some(PhotoSet::Closeup) => vec![closeup()],
            Some(PhotoSet::Face) => vec![face()],
            Some(PhotoSet::Fixtures) => {
                phantom::write_fixtures(&self.dir, true)?;
                Vec::new()
            }
        };
        let outputs: Vec<Output> =
            series.iter().flat_map(|(dir, spec)| phantom::outputs(dir, spec)).collect();
        output::check(&outputs, &[])?;
        series.iter().try_for_each(|(dir, spec)| phantom::write(dir, spec))?;
        if !machine.quiet {
            print(&format!("Test photos: {}\n", self.dir.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn spec(&self, kind: Kind) -> Spec {
        let spec = Spec::new(kind, self.seed, self.visits.into());
        match self.px_per_mm {
            Some(px_per_mm) => spec.with_px_per_mm(px_per_mm),
            None => spec,
        }
    }
}

fn px_per_mm(text: &str) -> Result<f64, String> {
    const SANE: std::ops::RangeInclusive<f64> = 1.0..=50.0;
    let (low, high) = (SANE.start(), SANE.end());
    text.parse().ok().filter(|n| SANE.contains(n)).ok_or_else(|| format!("{low} to {high}"))
}
