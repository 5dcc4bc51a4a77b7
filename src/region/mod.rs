//! Regions: which pixels of the baseline are measured, and under which name.

mod face;
mod onnx;
pub mod polygon;
mod skin;
mod template;

pub use onnx::Model;

use crate::error::{Error, Result, Step};
use crate::photo::Photo;
use crate::plane::{Mask, Window};
use crate::settings::RegionSettings;

/// Name of the region that is always added: every skin pixel.
pub const WHOLE: &str = "whole";

/// The named facial regions in the order of result tables; left and right are the subject's own.
pub const FACE_REGIONS: [&str; 13] = [
    "forehead",
    "glabella",
    "lateral_canthal_left",
    "lateral_canthal_right",
    "infraorbital_left",
    "infraorbital_right",
    "nose",
    "cheek_left",
    "cheek_right",
    "nasolabial_left",
    "nasolabial_right",
    "perioral",
    "chin",
];

/// What the user asked for with `--regions`.
#[derive(Debug, Clone, PartialEq)]
pub enum RegionRequest {
    /// The named regions of a face; `whole` where none is found.
    Face,
    /// The whole frame.
    Whole,
    /// Rows × columns of equal cells.
    Grid {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// Polygons read from a region file, in baseline pixels.
    Polygons(Vec<Polygon>),
}

/// One region of a region file.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// `[a-z0-9_]+`
    pub name: String,
    /// Corners (x, y) in baseline pixels.
    pub points: Vec<[f64; 2]>,
}

/// How the regions of a [`RegionMap`] came about (`regions.source` in result.json).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionSource {
    /// Named regions on a face.
    Face,
    /// The whole frame.
    Whole,
    /// Grid cells.
    Grid,
    /// A region file.
    File,
}

/// One named region: a mask on its own bounding box.
#[derive(Debug, Clone)]
pub struct Region {
    /// Permanent name.
    pub name: String,
    /// Bounding box in baseline pixels.
    pub window: Window,
    /// Pixels of the box that belong to the region, before the skin mask is applied.
    pub inside: Mask,
}

/// The face found on the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Pupils, subject's right eye first (left in the picture), baseline px.
    pub eyes: [[f64; 2]; 2],
    /// Middle of the mouth, baseline px.
    pub mouth: [f64; 2],
    /// Width of the face at the cheek bones, px.
    pub width_px: f64,
}

/// Regions of the baseline, made once and carried to every visit by the alignment.
#[derive(Debug, Clone)]
pub struct RegionMap {
    /// How the regions came about.
    pub source: RegionSource,
    /// Bounding box of all that is measured, with a margin for filters, in baseline pixels.
    /// Every plane of the later stages covers just this window.
    pub window: Window,
    /// Skin (no hair, eyes, lips, background …) inside `window`.
    pub skin: Mask,
    /// Named regions in table order; [`WHOLE`] is last and covers the window.
    pub regions: Vec<Region>,
    /// The face, where one was looked for and found.
    pub face: Option<Face>,
    /// File name and SHA-256 of the ONNX model used, if one was.
    pub model: Option<(String, String)>,
    /// What the user must know about the choice of regions.
    pub notices: Vec<String>,
}

/// Said where a face was looked for and none was found.
const NO_FACE: &str =
    "no face found: the whole frame is measured (name --regions whole to silence this)";

/// Places the regions of a baseline photo.
///
/// With [`RegionRequest::Face`] the face is found without a model; `model`, if given, has the last
/// word on skin inside what the face's own colour model took for skin. Without a face, and for the
/// other requests, every pixel that is not clipped counts as skin.
///
/// # Errors
/// A grid without cells, a `model` that cannot run on the photo; both name the photo's file.
pub fn map(
    photo: &Photo,
    request: &RegionRequest,
    model: Option<&Model>,
    settings: &RegionSettings,
) -> Result<RegionMap> {
    let (width, height) = (photo.width(), photo.height());
    let full = Window::full(width, height);
    let mut map = RegionMap {
        source: RegionSource::Whole,
        window: full,
        skin: Mask::filled(0, 0, false),
        regions: Vec::new(),
        face: None,
        model: None,
        notices: Vec::new(),
    };
    match request {
        RegionRequest::Face => match face::find(&photo.linear, settings) {
            Some(found) => {
                map.source = RegionSource::Face;
                map.face = Some(found);
                (map.window, map.skin) = skin::of_face(photo, &found, settings);
                map.regions = polygons(&template::regions(&template::Frame::of(&found)), full);
            }
            None => map.notices.push(NO_FACE.into()),
        },
        RegionRequest::Whole => {}
        RegionRequest::Grid { rows, columns } => {
            map.source = RegionSource::Grid;
            map.regions = grid(*rows, *columns, photo)?;
        }
        RegionRequest::Polygons(list) => {
            map.source = RegionSource::File;
            map.regions = polygons(list, full);
        }
    }
    if map.face.is_none() {
        map.skin = skin::unclipped(photo, full, settings);
    }
    if let Some(model) = model {
        let said = model.skin(photo, map.window)?;
        map.skin.par_rows(|y, row| {
            row.iter_mut().zip(said.row(y)).for_each(|(skin, said)| *skin &= said);
        });
        map.model = Some(model.identity());
    }
    map.regions.push(Region {
        name: WHOLE.into(),
        window: map.window,
        inside: Mask::filled(map.window.width, map.window.height, true),
    });
    Ok(map)
}

/// Each polygon on its own bounding box, cut at the frame.
fn polygons(list: &[Polygon], frame: Window) -> Vec<Region> {
    let region = |polygon: &Polygon| {
        let window = polygon::bounds(polygon, frame.width, frame.height);
        let inside = polygon::rasterise(polygon, window);
        Region { name: polygon.name.clone(), window, inside }
    };
    list.iter().map(region).collect()
}

/// Equal cells `r1c1`, `r1c2` … row by row; sizes differ by at most one pixel.
fn grid(rows: usize, columns: usize, photo: &Photo) -> Result<Vec<Region>> {
    let (width, height) = (photo.width(), photo.height());
    if rows == 0 || columns == 0 || rows > height || columns > width {
        let why = format!(
            "a grid of {rows}x{columns} does not fit a photo of {width}x{height} px: \
             ask for 1 to {height} rows and 1 to {width} columns"
        );
        return Err(Error::new(&photo.file, Step::Region, why));
    }
    let edge = |i: usize, n: usize, length: usize| i * length / n;
    let mut regions = Vec::new();
    for r in 0..rows {
        for c in 0..columns {
            let (x, y) = (edge(c, columns, width), edge(r, rows, height));
            let w = edge(c + 1, columns, width) - x;
            let h = edge(r + 1, rows, height) - y;
            let name = format!("r{}c{}", r + 1, c + 1);
            let window = Window { x, y, width: w, height: h };
            regions.push(Region { name, window, inside: Mask::filled(w, h, true) });
        }
    }
    Ok(regions)
}
