//! What a reader of a result must know beside its numbers.

use std::fmt;

/// One fact about a photo or a series, told where it becomes known; its `Display` is the text in result.json.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The colour profile of a file could not be used.
    UnreadableProfile {
        /// Name of the file.
        file: String,
    },
    /// A photo lay on its side or upside down, or was mirrored, and was turned back.
    Turned {
        /// Name of the file.
        file: String,
        /// Whether it was mirrored.
        mirrored: bool,
        /// Quarter turns clockwise by which it was turned back.
        quarters: u8,
    },
    /// No face was found where one was expected. The whole result is in doubt.
    NoFace,
    /// The model does not confirm the face that was found.
    FaceNotConfirmed,
    /// The model needs a face, and none was found.
    ModelNeedsFace,
    /// The head is turned, and some regions cannot be seen.
    HeadTurned {
        /// Degrees to the subject's left.
        yaw_deg: f64,
        /// The regions that are not visible.
        hidden: Vec<String>,
    },
    /// A follow-up is the baseline itself.
    SamePhoto {
        /// The follow-up.
        visit: usize,
    },
    /// A follow-up could be registered through another one only.
    RegisteredThrough {
        /// The follow-up.
        visit: usize,
        /// The one between it and the baseline.
        through: usize,
    },
    /// The scale comes from the face.
    ScaleFromFace {
        /// One standard deviation, relative.
        relative_uncertainty: f64,
    },
    /// Filters assume a face of nominal width.
    NominalScale,
    /// Nothing tells the scale.
    NoScale,
    /// Lines that one photo of a pair shows and the other does not.
    LinesComeAndGone {
        /// The follow-up.
        visit: usize,
        /// Length that vanished, that is new, and that both photos show.
        vanished_new_kept: [f64; 3],
        /// Unit of these.
        unit: &'static str,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::UnreadableProfile { file } => {
                write!(f, "{file}: profile unreadable, sRGB assumed")
            }
            Notice::Turned { file, mirrored, quarters } => {
                write!(f, "{file}: {}", turned(*mirrored, *quarters))
            }
            Notice::NoFace => f.write_str(
                "No face was found: all of the picture was measured as if it were skin."
            ),
            Notice::FaceNotConfirmed => f.write_str(
                "the model finds no face where the face detector does: the detector's face is used"
            ),
            Notice::ModelNeedsFace => f.write_str(
                "the model needs a face and none was found: it was not run, all pixels count as skin"
            ),
            Notice::HeadTurned { yaw_deg, hidden } => {
                let side = if *yaw_deg > 0.0 { "left" } else { "right" };
                let (turn, hidden) = (yaw_deg.abs().round(), hidden.join(", "));
                write!(f, "the head is turned {turn}° to the subject's {side}; not visible: {hidden}")
            }
            Notice::SamePhoto { visit } => {
                write!(f, "visit {visit} is the same photo as the baseline")
            }
            Notice::RegisteredThrough { visit, through } => write!(
                f,
                "visit {visit} cannot be registered to the baseline directly; it was through visit \
                 {through}, and is less sure"
            ),
            Notice::ScaleFromFace { relative_uncertainty } => write!(
                f,
                "the scale comes from the eyes: lengths in mm may all be {:.0} % too large or too \
                 small, changes in percent are not affected; give the scale in mm per pixel if you \
                 know it",
                100.0 * relative_uncertainty
            ),
            Notice::NominalScale => f.write_str(
                "no scale is known: filters assume a face of nominal width, lengths are in pixels; \
                 give the scale in mm per pixel for millimetres",
            ),
            Notice::NoScale => f.write_str(
                "no scale is known, and no face gives one: what needs millimetres is not measured; \
                 give the scale in mm per pixel",
            ),
            Notice::LinesComeAndGone { visit, vanished_new_kept: [vanished, new, kept], unit } => {
                write!(
                    f,
                    "visit {visit}: {vanished:.0} {unit} of line have vanished and {new:.0} {unit} are \
                     new, beside {kept:.0} {unit} that both photos show; whether that is real, \
                     wrinkle_length says"
                )
            }
        }
    }
}

/// How a photo lay, and how it was turned.
fn turned(mirrored: bool, quarters: u8) -> String {
    let turned = match quarters % 4 {
        0 => None,
        1 => Some(("lies on its side", "90° clockwise")),
        2 => Some(("is upside down", "180°")),
        _ => Some(("lies on its side", "90° counter-clockwise")),
    };
    match (mirrored, turned) {
        (false, None) => "the photo was left as it is".into(),
        (true, None) => "the photo is mirrored; it was mirrored back".into(),
        (false, Some((how, by))) => format!("the photo {how}; it was turned by {by}"),
        (true, Some((how, by))) => {
            format!("the photo is mirrored and {how}; it was mirrored back and turned by {by}")
        }
    }
}
