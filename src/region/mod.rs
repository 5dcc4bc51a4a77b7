//! Regions: which pixels of the baseline are measured, and under which name.

mod anatomy;
mod close_up;
#[cfg(all(test, feature = "onnx"))]
mod data;
mod face;
mod frame;
mod iris;
#[cfg(all(test, feature = "onnx"))]
mod labelled;
mod model_output;
mod onnx;
pub mod polygon;
#[cfg(feature = "onnx")]
mod sidecar;
mod skin;
mod template;
mod view;

pub use onnx::Model;

use crate::error::{Error, Result, Step};
use crate::photo::Photo;
use crate::photo::turn::Turn;
use crate::plane::{Mask, Window};
use crate::series::{Scale, ScaleSource};
use crate::settings::RegionSettings;
use crate::units::MmPerPx;
use frame::Frame;
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

/// A face as found in a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Centres of the eyes, subject's right eye first (left in the picture), photo px.
    pub eyes: [[f64; 2]; 2],
    /// Middle of the mouth, photo px.
    pub mouth: [f64; 2],
    /// Width of the face at the cheek bones, px: that of a mean face with these eyes.
    pub width_px: f64,
    /// Base of the nose, photo px; a model tells it.
    pub nose_base: Option<[f64; 2]>,
    /// Tip of the chin, photo px; a model tells it, under no beard.
    pub chin: Option<[f64; 2]>,
    /// How the head is held; a model tells it.
    pub pose: Option<Pose>,
    /// What the face does; a model tells it.
    pub expression: Option<Expression>,
    /// Millimetres per pixel in the plane of the eyes, with one relative standard deviation, where
    /// irises or pupils tell.
    pub mm_per_px: Option<(f64, f64)>,
}

/// How a head is held, degrees; all 0 for the mean face looking into the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Turned towards the subject's left.
    pub yaw_deg: f64,
    /// Lowered. The shape of a nose is in it too: compare only photos of one person.
    pub pitch_deg: f64,
    /// Leaning, clockwise in the picture.
    pub roll_deg: f64,
}

/// What a face does. Faces differ at rest: compare only photos of one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expression {
    /// Height of the eyes' openings over their width; falls when they close.
    pub eye_opening: f64,
    /// Width of the mouth over the distance of the eyes; grows with a smile.
    pub mouth_width: f64,
    /// Height of the mouth with its lips over the distance of the eyes; grows when it opens.
    pub mouth_opening: f64,
    /// Height of the brows above the eyes over the distance of the eyes; `None` where hidden.
    pub brow_height: Option<f64>,
}

/// Width of a face at the cheek bones over the distance of the pupils (140 mm / 63 mm).
const WIDTH_PER_PUPIL_DISTANCE: f64 = 2.22;

impl Face {
    /// A face of which no more is known than its eyes and its mouth.
    fn of(eyes: [[f64; 2]; 2], mouth: [f64; 2]) -> Self {
        Face {
            eyes,
            mouth,
            width_px: WIDTH_PER_PUPIL_DISTANCE * distance(eyes),
            nose_base: None,
            chin: None,
            pose: None,
            expression: None,
            mm_per_px: None,
        }
    }

    /// The turn that brings the face to within 45° of upright.
    pub fn to_upright(&self) -> Turn {
        Turn::to_upright(self.roll())
    }

    /// The face as it lies in its photo, of `size` px (width, height) before, after a turn.
    pub fn turned(&self, turn: Turn, size: [usize; 2]) -> Face {
        let place = |p: [f64; 2]| turn.place(p, size);
        let mut eyes = self.eyes.map(place);
        if turn.mirrored {
            eyes.reverse();
        }
        let pose = self.pose.map(|pose| Pose {
            yaw_deg: if turn.mirrored { -pose.yaw_deg } else { pose.yaw_deg },
            roll_deg: roll(eyes).to_degrees(),
            ..pose
        });
        let [nose_base, chin] = [self.nose_base, self.chin].map(|p| p.map(place));
        Face { eyes, mouth: place(self.mouth), pose, nose_base, chin, ..*self }
    }

    /// Distance of the pupils, photo px.
    fn pupil_distance_px(&self) -> f64 {
        distance(self.eyes)
    }

    /// Lean of the line of the eyes, radians, clockwise in the picture.
    fn roll(&self) -> f64 {
        roll(self.eyes)
    }
}

/// Distance of two points, in their own unit.
fn distance([a, b]: [[f64; 2]; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// Direction from one point to another, radians, clockwise in the picture from its rows.
fn roll([a, b]: [[f64; 2]; 2]) -> f64 {
    (b[1] - a[1]).atan2(b[0] - a[0])
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

impl RegionMap {
    /// The scale that was `given`, else that of the face's eyes, else a nominal one from its width.
    pub fn scale(&self, given: Option<(f64, ScaleSource)>, settings: &RegionSettings) -> Scale {
        if let Some((mm, source)) = given {
            return Scale { mm_per_px: Some(MmPerPx(mm)), source, relative_uncertainty: 0.0 };
        }
        match &self.face {
            Some(Face { mm_per_px: Some((mm, uncertainty)), .. }) => Scale {
                mm_per_px: Some(MmPerPx(*mm)),
                source: ScaleSource::Face,
                relative_uncertainty: *uncertainty,
            },
            Some(face) => Scale {
                mm_per_px: Some(MmPerPx(settings.nominal_face_width_mm / face.width_px)),
                source: ScaleSource::Nominal,
                relative_uncertainty: settings.nominal_face_width_uncertainty,
            },
            None => Scale { mm_per_px: None, source: ScaleSource::None, relative_uncertainty: 0.0 },
        }
    }
}

/// The warning where a face was looked for and none was found.
pub const NO_FACE: &str = "No face was found: all of the picture was measured as if it were skin.";

/// ModelOutput where a model sees no face at the place where the face finder does.
const MODEL_SEES_NONE: &str =
    "the model sees no face where the face finder does: the face finder is believed";

/// ModelOutput where a model that looks at faces is named for a photo without one.
const MODEL_WANTS_A_FACE: &str =
    "the model looks at faces and no face is found: it is not asked, all pixels count as skin";

/// Places the regions of a baseline photo.
///
/// With [`RegionRequest::Face`], `found` is what [`find_face`] has found; the model, if it sees that face, then
/// tells where its parts are and what is skin, else an average face and the skin's own colour do. Of polygons
/// all that is inside is skin, and what is near and looks alike. Without a face, and for the other
/// requests, all of the frame is skin but large parts of another colour, and what the model takes for
/// something else. Bars and frames
/// ([`Photo::flat`]) never do. What a photo shows of it, burnt out or black, is for [`crate::luminance`] to say.
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
        RegionRequest::Face => match found {
            Some(FoundFace { face, output }) => {
                map.source = RegionSource::Face;
                map.face = Some(*face);
                map.model = output.as_ref().and(model).map(Model::identity);
                if model.is_some() && output.is_none() {
                    map.notices.push(MODEL_SEES_NONE.into());
                }
                (map.window, map.skin) = skin::of_face(photo, face, output.as_ref(), settings);
                let list = template::regions(&Frame::of(face));
                map.notices.extend(hidden(&list, face));
                map.regions = polygons(&list, full);
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
        (map.window, map.skin) = match request {
            RegionRequest::Polygons(list) => close_up::around(photo, list, &map.regions, settings),
            _ => (full, close_up::of_frame(photo, settings)),
        };
        if let Some(model) = model {
            // Where a face was asked for, it has been looked for: there is none.
            let asked = *request == RegionRequest::Face;
            let wanted = model.looks_at_faces();
            let find = || {
                let found = face::upright(&photo.linear, settings)?;
                Some(face::parts(&photo.linear, &found).face.eyes)
            };
            let eyes = (wanted && !asked).then(find).flatten();
            if wanted && eyes.is_none() {
                map.notices.extend((!asked).then(|| MODEL_WANTS_A_FACE.into()));
            } else if let ModelOutput::Segments(segments) = model.run(photo, eyes)? {
                let own = segments.skin(map.window);
                map.skin = map.skin.zip(&own, |skin, own| skin && own);
                map.model = Some(model.identity());
            }
        }
    }
    if !photo.flat.is_empty() {
        let Window { x, y, width, height } = map.window;
        let photographed = Mask::from_fn(width, height, |i, j| !photo.flat.contains(x + i, y + j));
        map.skin = map.skin.zip(&photographed, |skin, photographed| skin && photographed);
    }
    map.regions.push(Region {
        name: WHOLE.into(),
        window: map.window,
        inside: Mask::filled(map.window.width, map.window.height, true),
    });
    Ok(map)
}

/// A face, and what a model sees in it.
#[derive(Debug, Clone)]
pub struct FoundFace {
    /// The face.
    pub face: Face,
    /// `None` without a model, and where it sees no face.
    output: Option<ModelOutput>,
}

/// Finds the face of a photo, and the output of the model for it, if the model finds that face too.
///
/// A large score of the cascade on the upright photo, which the model confirms, ends the search.
/// Else the photo is searched in all turns, and the first detection that is confirmed, or that has
/// a good score where there is no model to ask, is the face. A good score that the model does not
/// confirm is accepted where nothing better is found.
///
/// # Errors
/// A `model` that cannot run on the photo.
pub fn find_face(
    photo: &Photo,
    model: Option<&Model>,
    settings: &RegionSettings,
) -> Result<Option<FoundFace>> {
    log::trace!(target: "skindelta", "find face {}", photo.file);
    let upright = face::upright(&photo.linear, settings);
    let sure = upright.filter(|one| one.score >= settings.sure_face_score);
    let mut best = match &sure {
        Some(one) => Some(assess(photo, model, one, settings)?),
        None => None,
    };
    if !best.as_ref().is_some_and(|one| one.accepted) {
        for detection in face::turned(&photo.linear, upright, settings) {
            let found = assess(photo, model, &detection, settings)?;
            if found.accepted {
                best = Some(found);
                break;
            }
            if best.is_none() && detection.score >= settings.min_face_score {
                best = Some(found);
            }
        }
    }
    Ok(best.map(|Assessed { mut face, output, .. }| {
        face.mm_per_px = iris::mm_per_px(photo, &face, settings);
        FoundFace { face, output }
    }))
}

/// A detection with the output of the model for it.
struct Assessed {
    face: Face,
    /// `None` without a model, and where it finds no face.
    output: Option<ModelOutput>,
    /// Whether nothing better need be sought.
    accepted: bool,
}

/// Finds the parts of a detected face and asks the model about it, which looks where the drawn face
/// has the eyes, else where the cascade's box has them.
///
/// A detection with a good score is accepted unless the model sees no face there, a doubtful one
/// where the model sees a face with both eyes.
fn assess(
    photo: &Photo,
    model: Option<&Model>,
    detection: &face::Detection,
    settings: &RegionSettings,
) -> Result<Assessed> {
    let good = detection.score >= settings.min_face_score;
    let sighting = face::parts(&photo.linear, detection);
    if let Some(model) = model {
        for eyes in [sighting.face.eyes, sighting.box_eyes] {
            if let Some((seen, output)) = run_model(photo, model, eyes, settings)? {
                let both_eyes = seen.is_some_and(|face| face.expression.is_some());
                let face = seen.unwrap_or(sighting.face);
                return Ok(Assessed { face, output: Some(output), accepted: good || both_eyes });
            }
        }
    }
    Ok(Assessed { face: sighting.face, output: None, accepted: good && model.is_none() })
}

/// The face that a model finds around these `eyes`, and its output. It runs a second time, around
/// the eyes of the first run's face.
///
/// `None` where it finds no face. Of a model without classes for eyes and lips, the output alone.
fn run_model(
    photo: &Photo,
    model: &Model,
    mut eyes: [[f64; 2]; 2],
    settings: &RegionSettings,
) -> Result<Option<(Option<Face>, ModelOutput)>> {
    let mut last = None;
    for _ in 0..2 {
        let output = model.run(photo, Some(eyes))?;
        let seen = match &output {
            ModelOutput::Segments(segments) if !segments.locates_faces() => {
                return Ok(Some((None, output)));
            }
            ModelOutput::Segments(segments) => anatomy::of_segments(segments, eyes, settings),
            ModelOutput::Landmarks { presence: Some(p), .. } if *p < settings.presence => None,
            ModelOutput::Landmarks { topology, points, .. } => {
                anatomy::of_landmarks(*topology, points)
            }
        };
        let Some(face) = seen else { break };
        eyes = face.eyes;
        last = Some((Some(face), output));
    }
    Ok(last)
}

/// Which regions a turned head hides.
fn hidden(regions: &[Polygon], face: &Face) -> Option<String> {
    let names: Vec<&str> =
        regions.iter().filter(|r| r.points.is_empty()).map(|r| r.name.as_str()).collect();
    let yaw = face.pose?.yaw_deg;
    let side = if yaw > 0.0 { "left" } else { "right" };
    (!names.is_empty()).then(|| {
        let (names, turn) = (names.join(", "), yaw.abs().round());
        format!("the head is turned {turn}° to the subject's {side}; not seen: {names}")
    })
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
    fn polygons_lie_where_their_corners_say() {
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
    fn nothing_to_see_is_no_face() {
        for (w, h) in [(1, 1), (39, 500), (200, 150)] {
            let map = mapped(&plain(w, h, 9_000), &RegionRequest::Face);
            assert_eq!(map.source, RegionSource::Whole);
            assert_eq!(map.notices, [NO_FACE]);
            assert_eq!(map.regions.len(), 1);
        }
    }
}
