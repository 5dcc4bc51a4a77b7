//! Regions: the pixels of the baseline that are measured, and the names under which they are reported.
//!
//! - the face: `search` runs `detector` (cascade), `landmarks` (eyes and mouth in the detector's box) and the model
//!   (`onnx`, the only file that names the engine; `sidecar`; `model_output`); `face` holds what they find, `iris`
//!   reads the scale;
//! - its regions: `anatomy` (from the model's output to the parts of a face), `frame` (face frame), `template` (shapes
//!   in that frame);
//! - skin: `skin`, `limits` and `colour` on a face, `close_up` without one;
//! - `polygon`: region files; `view`: resampling.

mod anatomy;
mod close_up;
mod colour;
#[cfg(all(test, feature = "onnx"))]
mod data;
mod detector;
mod face;
mod frame;
mod iris;
#[cfg(all(test, feature = "onnx"))]
mod labelled;
mod landmarks;
mod limits;
mod model_output;
mod onnx;
pub mod polygon;
mod search;
#[cfg(feature = "onnx")]
mod sidecar;
mod skin;
mod template;
mod view;

pub use face::{Expression, Face, Pose};
pub use onnx::Model;
pub use search::{FoundFace, find_face};

use crate::error::{Error, Result, Step};
use crate::notice::Notice;
use crate::photo::{Photo, Reduction};
use crate::plane::{Mask, Window};
use crate::series::{Scale, ScaleSource};
use crate::settings::RegionSettings;
use crate::units::MmPerPx;
use frame::FaceFrame;
use model_output::ModelOutput;

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
    /// The named regions of a face; `whole` where no face is found.
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

/// Source of the regions of a [`RegionMap`] (`regions.source` in result.json).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// Regions of the baseline, made once; the alignment resamples every visit onto them.
#[derive(Debug, Clone)]
pub struct RegionMap {
    /// Source of the regions.
    pub source: RegionSource,
    /// Bounding box of the measured pixels, with a margin for filters, in baseline pixels. The
    /// planes of all later stages cover this window.
    pub window: Window,
    /// Skin (no hair, eyes, lips, background …) inside `window`.
    pub skin: Mask,
    /// Named regions in table order; [`WHOLE`] is last and covers the window.
    pub regions: Vec<Region>,
    /// The face, where one was searched for and found.
    pub face: Option<Face>,
    /// File name and SHA-256 of the ONNX model used, if one was.
    pub model: Option<(String, String)>,
    /// Messages to the user about the choice of regions.
    pub notices: Vec<Notice>,
}

impl RegionRequest {
    /// The same of the reduced photo.
    pub fn reduced(&self, reduction: &Reduction) -> RegionRequest {
        let RegionRequest::Polygons(list) = self else { return self.clone() };
        let polygon = |Polygon { name, points }: &Polygon| {
            let points = points.iter().map(|point| reduction.from_file(*point)).collect();
            Polygon { name: name.clone(), points }
        };
        RegionRequest::Polygons(list.iter().map(polygon).collect())
    }
}

/// The `given` scale of a photo, else the one from the eyes of its face, else a nominal one from the face's width.
pub fn scale(
    given: Option<(f64, ScaleSource)>,
    face: Option<&Face>,
    settings: &RegionSettings,
) -> Scale {
    let (mm_per_px, source, relative_uncertainty) = match (given, face) {
        (Some((mm, source)), _) => (Some(MmPerPx(mm)), source, 0.0),
        (None, Some(Face { mm_per_px: Some((mm, uncertainty)), .. })) => {
            (Some(MmPerPx(*mm)), ScaleSource::Face, *uncertainty)
        }
        (None, Some(face)) => {
            let mm = settings.nominal_face_width_mm / face.width_px;
            (Some(MmPerPx(mm)), ScaleSource::Nominal, settings.nominal_face_width_uncertainty)
        }
        (None, None) => (None, ScaleSource::None, 0.0),
    };
    Scale { mm_per_px, source, relative_uncertainty, file_px: 1.0 }
}

/// Makes the regions and the skin mask of a baseline photo.
///
/// - [`RegionRequest::Face`] with a face (`found`, of [`find_face`]): the named regions. Parts of the face and skin
///   come from the output of the model, where it has found the face, else from a mean face and the colour of the skin.
/// - [`RegionRequest::Polygons`]: all inside of the polygons is skin, and what is near them and of their colour.
/// - else the whole frame is skin, without large parts of another colour and without what the model, if one is named,
///   classifies as something else.
///
/// Bars and frames ([`Photo::flat`]) are never skin. Clipped and black pixels are excluded later, in
/// [`crate::luminance`].
///
/// # Errors
/// A grid without cells, a `model` that cannot run on the photo; both name the photo's file.
pub fn map(
    photo: &Photo,
    request: &RegionRequest,
    found: Option<&FoundFace>,
    model: Option<&Model>,
    settings: &RegionSettings,
) -> Result<RegionMap> {
    let full = Window::full(photo.width(), photo.height());
    let mut map = RegionMap::empty(full);
    match request {
        RegionRequest::Face => match found {
            Some(found) => map.add_face(photo, found, model, settings),
            None => map.notices.push(Notice::NoFace),
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
        (map.window, map.skin) = match request {
            RegionRequest::Polygons(list) => close_up::around(photo, list, &map.regions, settings),
            _ => (full, close_up::of_frame(photo, settings)),
        };
        if let Some(model) = model {
            map.apply_model(photo, request, model, settings)?;
        }
    }
    map.exclude_flat_areas(photo);
    map.regions.push(Region {
        name: WHOLE.into(),
        window: map.window,
        inside: Mask::filled(map.window.width, map.window.height, true),
    });
    Ok(map)
}

/// The steps of [`map`].
impl RegionMap {
    /// No region and no skin yet, on this window.
    fn empty(window: Window) -> Self {
        RegionMap {
            source: RegionSource::Whole,
            window,
            skin: Mask::filled(0, 0, false),
            regions: Vec::new(),
            face: None,
            model: None,
            notices: Vec::new(),
        }
    }

    /// Adds a face with its named regions and its skin.
    fn add_face(
        &mut self,
        photo: &Photo,
        found: &FoundFace,
        model: Option<&Model>,
        settings: &RegionSettings,
    ) {
        let FoundFace { face, output } = found;
        self.source = RegionSource::Face;
        self.face = Some(*face);
        self.model = output.as_ref().and(model).map(Model::identity);
        if model.is_some() && output.is_none() {
            self.notices.push(Notice::FaceNotConfirmed);
        }
        (self.window, self.skin) = skin::of_face(photo, face, output.as_ref(), settings);
        let list = template::regions(&FaceFrame::of(face));
        self.notices.extend(hidden(&list, face));
        self.regions = polygons(&list, Window::full(photo.width(), photo.height()));
    }

    /// Removes what a segmentation model classifies as no skin, in a photo without named regions.
    fn apply_model(
        &mut self,
        photo: &Photo,
        request: &RegionRequest,
        model: &Model,
        settings: &RegionSettings,
    ) -> Result<()> {
        // A request for a face has been searched already, without success.
        let searched = *request == RegionRequest::Face;
        let needed = model.needs_eyes();
        let find = || {
            let detection = detector::upright(&photo.linear, settings)?;
            Some(landmarks::locate(&photo.linear, &detection).face.eyes)
        };
        let eyes = (needed && !searched).then(find).flatten();
        if needed && eyes.is_none() {
            self.notices.extend((!searched).then_some(Notice::ModelNeedsFace));
        } else if let ModelOutput::Segments(segments) = model.run(photo, eyes)? {
            let segmented = segments.skin(self.window);
            self.skin = self.skin.zip(&segmented, |skin, segmented| skin && segmented);
            self.model = Some(model.identity());
        }
        Ok(())
    }

    /// Removes bars, boxes and frames that an editor painted.
    fn exclude_flat_areas(&mut self, photo: &Photo) {
        if photo.flat.is_empty() {
            return;
        }
        let Window { x, y, width, height } = self.window;
        let photographed = Mask::from_fn(width, height, |i, j| !photo.flat.contains(x + i, y + j));
        self.skin = self.skin.zip(&photographed, |skin, photographed| skin && photographed);
    }
}

/// A notice that names the regions which the turn of the head hides.
fn hidden(regions: &[Polygon], face: &Face) -> Option<Notice> {
    let hidden: Vec<String> =
        regions.iter().filter(|r| r.points.is_empty()).map(|r| r.name.clone()).collect();
    let yaw_deg = face.pose?.yaw_deg;
    (!hidden.is_empty()).then_some(Notice::HeadTurned { yaw_deg, hidden })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Grid;

    fn plain(width: usize, height: usize, value: u16) -> Photo {
        let linear = Grid::filled(width, height, [value; 3]);
        Photo::drawn(linear)
    }

    fn mapped(photo: &Photo, request: &RegionRequest) -> RegionMap {
        let settings = RegionSettings::default();
        let found = match request {
            RegionRequest::Face => find_face(photo, None, &settings).expect("no model"),
            _ => None,
        };
        map(photo, request, found.as_ref(), None, &settings).expect("regions")
    }

    #[test]
    fn whole_is_the_only_region_and_all_of_it_is_skin() {
        let mut photo = plain(30, 20, 20_000);
        photo.linear.set(3, 4, [65_535; 3]);
        let map = mapped(&photo, &RegionRequest::Whole);
        assert_eq!(map.regions.len(), 1);
        assert_eq!(map.regions[0].name, WHOLE);
        assert_eq!(map.window, Window::full(30, 20));
        assert!(map.notices.is_empty());
        assert_eq!(map.skin.data(), [true; 600]);
    }

    #[test]
    fn grid_cells_tile_the_frame_row_by_row() {
        let request = RegionRequest::Grid { rows: 3, columns: 4 };
        let map = mapped(&plain(31, 20, 20_000), &request);
        let names: Vec<&str> = map.regions.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names[..5], ["r1c1", "r1c2", "r1c3", "r1c4", "r2c1"]);
        assert_eq!(names[12], WHOLE);
        let mut covered = Grid::filled(31, 20, 0);
        for region in &map.regions[..12] {
            let w = region.window;
            for y in w.y..w.y + w.height {
                for x in w.x..w.x + w.width {
                    covered.set(x, y, covered.at(x, y) + 1);
                }
            }
        }
        assert!(covered.data().iter().all(|&n| n == 1));
    }

    #[test]
    fn a_grid_finer_than_the_photo_is_refused() {
        for (rows, columns) in [(0, 1), (1, 0), (21, 1), (1, usize::MAX)] {
            let request = RegionRequest::Grid { rows, columns };
            let settings = RegionSettings::default();
            let error =
                map(&plain(30, 20, 20_000), &request, None, None, &settings).expect_err("a grid");
            assert!(error.to_string().starts_with("drawn.png: region: a grid of"), "{error}");
        }
    }

    #[test]
    fn polygons_cover_the_pixels_inside_their_corners() {
        let square = |name: &str, a: f64, b: f64| Polygon {
            name: name.into(),
            points: vec![[a, a], [b, a], [b, b], [a, b]],
        };
        let list = vec![square("scar", 2.5, 6.5), square("outside", 100.0, 120.0)];
        let map = mapped(&plain(30, 20, 20_000), &RegionRequest::Polygons(list));
        assert_eq!(map.source, RegionSource::File);
        let area = |k: usize| map.regions[k].inside.data().iter().filter(|&&v| v).count();
        assert_eq!(area(0), 16);
        assert_eq!(area(1), 0);
        assert_eq!(map.regions[2].name, WHOLE);
    }

    #[test]
    fn a_plain_photo_has_no_face() {
        for (w, h) in [(1, 1), (39, 500), (200, 150)] {
            let map = mapped(&plain(w, h, 9_000), &RegionRequest::Face);
            assert_eq!(map.source, RegionSource::Whole);
            assert_eq!(map.notices, [Notice::NoFace]);
            assert_eq!(map.regions.len(), 1);
        }
    }
}
