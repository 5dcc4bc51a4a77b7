//! `skindelta measure`

use super::{Machine, SkinArgs, complain, photo, print};
use clap::Args;
use skindelta::analyze::Request;
use skindelta::{Result, output, report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure each photo on its own, without comparing them
///
/// Writes one folder of results per photo, 001-NAME, 002-NAME and so on. A photo that cannot be
/// read is reported, the others are measured, and the exit code is 1.
#[derive(Args)]
#[command(after_help = "\
Examples:
  skindelta measure photo.jpg --mm-per-px 0.05
  skindelta measure *.jpg --regions whole --out measured")]
pub struct Measure {
    /// Photos: JPEG, PNG, TIFF or WebP
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "skindelta-out", help_heading = "Results")]
    out: PathBuf,
    /// Also write maps: wrinkles, pores, scars, regions, measured skin
    #[arg(long, help_heading = "Results")]
    maps: bool,
    /// Do not write report.html
    #[arg(long, help_heading = "Results")]
    no_html: bool,
    #[command(flatten)]
    skin: SkinArgs,
}

impl Measure {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let mut request = self.skin.request(!self.no_html, self.maps)?;
        let folders = self.photos.iter().enumerate().map(|(i, path)| folder_name(i, path));
        let folders: Vec<PathBuf> = folders.map(|name| self.out.join(name)).collect();
        let mut outputs = Vec::new();
        for folder in &folders {
            outputs.extend(report::outputs(folder, request.pictures, request.maps)?);
        }
        request.photos = self.photos.iter().map(|path| photo(path)).collect();
        output::check(&outputs, &request.inputs())?;
        let mut code = ExitCode::SUCCESS;
        for (path, folder) in self.photos.iter().zip(folders) {
            request.photos = vec![photo(path)];
            match measure(&request, &folder, machine) {
                Ok(()) if machine.quiet => {}
                Ok(()) => print(&format!("{}: {}\n", path.display(), folder.display()))?,
                Err(error) => {
                    complain(&error);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

fn measure(request: &Request, folder: &Path, machine: &Machine) -> Result<()> {
    let analysis = machine.analyze(request)?;
    let pictures = request.pictures.then_some(&analysis.pictures);
    let maps = request.maps.then_some(&analysis.maps);
    report::write(folder, &analysis.report, pictures, maps)
}

/// `NNN-STEM`, counted from 1; characters that file systems may not allow become `_`.
fn folder_name(i: usize, path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    format!("{:03}-{stem}", i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_numbered_and_plain() {
        assert_eq!(folder_name(0, Path::new("a/b c:d.jpg")), "001-b_c_d");
        assert_eq!(folder_name(999, Path::new("Zoë.v2.png")), "1000-Zoë.v2");
    }
}
