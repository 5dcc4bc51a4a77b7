//! A folder of results: what lies in it, and how it is written.

use super::{Report, csv, html, json, maps};
use crate::error::{Error, Result, Step};
use crate::output::{self, Form, Output, Sign};
use crate::plane::{Grid, Mask};
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Finished pictures for the page, all on the baseline's frame (the measured window, at most
/// 1600 px on the longer side); index = visit.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// Photos, aligned to the baseline, 8-bit sRGB; `None` where alignment failed.
    pub photos: Vec<Option<image::RgbImage>>,
    /// Transparent overlay of wrinkle centre lines.
    pub wrinkles: Vec<Option<image::RgbaImage>>,
    /// Transparent overlay of pores.
    pub pores: Vec<Option<image::RgbaImage>>,
    /// Transparent overlay of scars.
    pub scars: Vec<Option<image::RgbaImage>>,
    /// Transparent overlay of region outlines with names, baseline only.
    pub regions: Option<image::RgbaImage>,
}

/// One pore on the baseline, followed over the visits.
#[derive(Debug, Clone, Serialize)]
pub struct PoreRow {
    /// The same over all visits.
    pub pore_id: usize,
    /// Centre, baseline px.
    pub x_px: f64,
    /// Centre, baseline px.
    pub y_px: f64,
    /// Equivalent diameter.
    pub diameter_mm: f64,
    /// Name of the region it lies in.
    pub region: String,
}

/// One depressed scar of a visit.
#[derive(Debug, Clone, Serialize)]
pub struct ScarRow {
    /// Centre, baseline px.
    pub x_px: f64,
    /// Centre, baseline px.
    pub y_px: f64,
    /// Diameter at half depth.
    pub diameter_mm: f64,
    /// Optical estimate.
    pub depth_mm: f64,
    /// Name of the region it lies in.
    pub region: String,
}

/// What `--maps` writes, in baseline coordinates; outer index = visit.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    /// Per follow-up (index 0 = visit 1): position in the follow-up of the baseline pixel (8j, 8i),
    /// NaN outside the overlap; `ceil(H/8)` × `ceil(W/8)`. `None` where alignment failed.
    pub displacement: Vec<Option<Grid<[f32; 2]>>>,
    /// Per visit: wrinkle centre lines, full baseline size.
    pub wrinkles: Vec<Option<Mask>>,
    /// Per visit: pores.
    pub pores: Vec<Option<Vec<PoreRow>>>,
    /// Per visit: scars.
    pub scars: Vec<Option<Vec<ScarRow>>>,
    /// Per visit: the labels of `regions` where skin was measured, in a follow-up together with the
    /// baseline, 0 elsewhere. `None` where alignment failed.
    pub measured: Vec<Option<Grid<u8>>>,
    /// Label per baseline pixel: 0 none, k the k-th name.
    pub regions: Option<Grid<u8>>,
    /// Names of the labels.
    pub region_names: Vec<String>,
}

/// Folder inside the output folder in which files are made before they are moved into place.
const PARTIAL: &str = ".skindelta-partial";

/// How JSON of this program is known, also that of a validation.
pub const JSON_SIGN: Sign = Sign::Form(Form("{\"", "\"tool\": {\"name\": \"skindelta\""));

/// Writes one series into `dir`, which is made where it does not exist: `metrics.csv`,
/// `report.html` where there are pictures to show it with, `maps/` where there are maps, and
/// `result.json`.
///
/// All files are first written beside their place and then moved into it, `result.json` last: a
/// folder with a `result.json` is whole. Files of an earlier run that this one does not make are
/// removed; other people's files are never touched.
///
/// # Errors
/// As [`outputs`] and [`output::check`], and where a file cannot be written.
pub fn write(
    dir: &Path,
    report: &Report,
    pictures: Option<&Pictures>,
    maps: Option<&Maps>,
) -> Result<()> {
    output::check(&outputs(dir, pictures.is_some(), maps.is_some())?, &[])?;
    let files = files(report, pictures, maps)?;
    let partial = dir.join(PARTIAL);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|e| Error::wrap(&partial, Step::Write, e))?;
    }
    fs::create_dir_all(&partial).map_err(|e| Error::wrap(&partial, Step::Write, e))?;
    if maps.is_some() {
        for maps in [partial.join("maps"), dir.join("maps")] {
            fs::create_dir_all(&maps).map_err(|e| Error::wrap(&maps, Step::Write, e))?;
        }
    }
    for (name, bytes) in &files {
        let path = partial.join(name);
        fs::write(&path, bytes).map_err(|e| Error::wrap(&path, Step::Write, e))?;
    }
    let made = |name: &str| files.iter().any(|(new, _)| new == name);
    remove(dir, SIGNED.iter().filter(|(name, _)| !made(name)))?;
    for path in earlier_maps(dir) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !made(&format!("maps/{name}")) {
            fs::remove_file(&path).map_err(|e| Error::wrap(&path, Step::Write, e))?;
        }
    }
    for (name, _) in &files {
        let path = dir.join(name);
        fs::rename(partial.join(name), &path).map_err(|e| Error::wrap(&path, Step::Write, e))?;
    }
    fs::remove_dir_all(&partial).map_err(|e| Error::wrap(&partial, Step::Write, e))
}

/// The files in a folder of results that show of themselves who wrote them.
static SIGNED: [(&str, Sign); 3] =
    [("result.json", JSON_SIGN), ("metrics.csv", csv::METRICS_SIGN), ("report.html", html::SIGN)];

/// What [`write`] makes, replaces or removes in `dir`, with `report.html` and `maps/` or without, for
/// [`output::check`].
///
/// # Errors
/// As [`check_folder`].
pub fn outputs(dir: &Path, html: bool, maps: bool) -> Result<Vec<Output>> {
    check_folder(dir)?;
    let output = |path: &str, sign| Output { path: dir.join(path), sign };
    let signed = SIGNED.iter().filter(|(name, _)| html || *name != "report.html");
    let mut outputs: Vec<Output> = signed.map(|(name, sign)| output(name, sign.clone())).collect();
    outputs.push(output(PARTIAL, Sign::Folder));
    if maps {
        outputs.push(output("maps", Sign::Folder));
    }
    let partial = [dir.join(PARTIAL), dir.join(PARTIAL).join("maps")];
    let inside = partial.iter().flat_map(|folder| files_in(folder)).chain(earlier_maps(dir));
    outputs.extend(inside.map(|path| Output { path, sign: Sign::Inside }));
    Ok(outputs)
}

/// Removes the results of an earlier run from `dir`, so that they do not pass for those of one that
/// failed; maps and other people's files stay.
///
/// # Errors
/// A file that cannot be removed.
pub fn withdraw(dir: &Path) -> Result<()> {
    remove(dir, SIGNED.iter())
}

/// Removes those of these files that are there and show that this program wrote them.
fn remove<'a>(dir: &Path, files: impl Iterator<Item = &'a (&'a str, Sign)>) -> Result<()> {
    for (name, sign) in files {
        let path = dir.join(name);
        if sign.knows(&path) {
            fs::remove_file(&path).map_err(|e| Error::wrap(&path, Step::Write, e))?;
        }
    }
    Ok(())
}

/// Whether `dir` may hold results: it does not exist, is empty, or holds results of an earlier run
/// (also of one that was cut short).
///
/// # Errors
/// `dir` is a file, cannot be read, or holds files and no results of this program.
pub fn check_folder(dir: &Path) -> Result<()> {
    let refused = |why: &str| Err(Error::new(dir, Step::Write, why));
    let unread = |cause| Error::wrap(dir, Step::Write, cause);
    match fs::metadata(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(unread(cause)),
        Ok(meta) if !meta.is_dir() => {
            return refused("this is a file; name a folder for the results");
        }
        Ok(_) => {}
    }
    let empty = fs::read_dir(dir).map_err(unread)?.next().is_none();
    if empty || dir.join(PARTIAL).is_dir() || JSON_SIGN.knows(&dir.join("result.json")) {
        return Ok(());
    }
    refused("the folder holds files that skindelta did not write; choose another folder")
}

/// Paths of the files in a folder, none where there is no folder.
fn files_in(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| !path.is_dir())
}

/// The files in `dir/maps` that bear a map's name.
fn earlier_maps(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let is_map =
        |path: &PathBuf| path.file_name().and_then(|n| n.to_str()).is_some_and(maps::is_map);
    files_in(&dir.join("maps")).filter(is_map)
}

/// Names (with `/`) and contents of all files, `result.json` last.
fn files(
    report: &Report,
    pictures: Option<&Pictures>,
    maps: Option<&Maps>,
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = match maps {
        Some(maps) => maps::files(maps)?,
        None => Vec::new(),
    };
    files.push(("metrics.csv".into(), csv::metrics(report).into_bytes()));
    if let Some(pictures) = pictures {
        files.push(("report.html".into(), html::render(report, pictures).into_bytes()));
    }
    files.push(("result.json".into(), json::to_json(report).into_bytes()));
    Ok(files)
}
