//! Rendered photos, each rendered once for all runs of the tests: kept below the target folder, under a name
//! that follows from what they show and from the sources of the renderer.

use sha2::{Digest, Sha256};
use skindelta::phantom::{Capture, Scene, Skin, SkinSpec, Spec, Treatment};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

/// Files of this repository with their content, as compiled into the tests.
macro_rules! sources {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!(concat!("../../", $path)))),+]
    };
}

/// All that a rendered photo depends on; a test holds the list to the imports.
const RENDERER: [(&str, &str); 9] = sources![
    "src/phantom/mod.rs",
    "src/phantom/camera.rs",
    "src/phantom/face.rs",
    "src/phantom/fixtures.rs",
    "src/phantom/skin.rs",
    "src/phantom/truth.rs",
    "src/plane.rs",
    "src/rng.rs",
    "Cargo.lock",
];

/// Folder of the photos that these sources render; those of other sources are removed.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenes");
    let mut hash = Sha256::new();
    RENDERER.iter().for_each(|(_, text)| hash.update(text));
    let folder = root.join(hex(hash));
    for other in fs::read_dir(root).into_iter().flatten().flatten() {
        if other.path() != folder {
            let _ = fs::remove_dir_all(other.path());
        }
    }
    let _ = fs::create_dir_all(&folder);
    folder
});

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes kept under `key`; made, and kept where the folder can be written, when there are none.
fn kept(key: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let file = FOLDER.join(hex(Sha256::new_with_prefix(key)));
    if let Ok(bytes) = fs::read(&file) {
        return bytes;
    }
    let bytes = make();
    // Under another name first: tests run side by side, and one may be stopped at any time.
    if let Ok(mut part) = tempfile::NamedTempFile::new_in(&*FOLDER)
        && part.write_all(&bytes).is_ok()
    {
        let _ = part.persist(file);
    }
    bytes
}

/// What stands before the camera. The skin is grown when the first photo is not kept.
pub struct Sitter {
    of: Of,
    skin: OnceLock<Skin>,
}

#[derive(Debug)]
enum Of {
    Patch(SkinSpec),
    Series(Spec),
}

impl Sitter {
    /// A patch of skin.
    pub fn patch(spec: SkinSpec) -> Sitter {
        Sitter { of: Of::Patch(spec), skin: OnceLock::new() }
    }

    /// The skin or the face of a series of test photos.
    pub fn series(spec: Spec) -> Sitter {
        Sitter { of: Of::Series(spec), skin: OnceLock::new() }
    }

    pub fn skin(&self) -> &Skin {
        self.skin.get_or_init(|| match &self.of {
            Of::Patch(spec) => Skin::new(spec),
            Of::Series(spec) => spec.skin(),
        })
    }

    /// The file of a photo after a treatment.
    pub fn shoot(&self, treatment: &Treatment, capture: &Capture) -> Vec<u8> {
        kept(&format!("{:?} {treatment:?} {capture:?}", self.of), || {
            let scene = match &self.of {
                Of::Patch(_) => Scene::of_skin(self.skin(), treatment),
                Of::Series(spec) => {
                    Spec { treatments: vec![*treatment], ..spec.clone() }.scene(self.skin(), 0)
                }
            };
            scene.shoot(capture).encode()
        })
    }

    /// The file of an untreated photo.
    pub fn plain(&self, capture: &Capture) -> Vec<u8> {
        self.shoot(&Treatment::default(), capture)
    }
}

/// A photo from the cache is the photo that the renderer makes.
#[test]
fn a_kept_photo_is_the_rendered_one() {
    let spec = SkinSpec { size_mm: [42.0, 37.0], samples_per_mm: 12.0, ..SkinSpec::default() };
    let capture = Capture { width_px: 60, height_px: 50, px_per_mm: 6.0, ..Capture::default() };
    let rendered = Scene::of_skin(&Skin::new(&spec), &Treatment::default()).shoot(&capture);
    let sitter = Sitter::patch(spec);
    for _ in 0..2 {
        assert!(sitter.plain(&capture) == rendered.encode());
    }
    assert!(sitter.plain(&Capture { seed: 1, ..capture }) != rendered.encode());
}

/// Every module that the renderer imports is in the list, or makes no pixel.
#[test]
fn the_cache_knows_the_sources_of_the_renderer() {
    const NO_PIXELS: [&str; 3] = ["error", "npy", "output"];
    let known: Vec<&str> = RENDERER
        .iter()
        .map(|(path, _)| path.trim_start_matches("src/").trim_end_matches(".rs"))
        .map(|module| module.strip_suffix("/mod").unwrap_or(module))
        .chain(NO_PIXELS)
        .collect();
    for (path, text) in RENDERER.iter().filter(|(path, _)| path.ends_with(".rs")) {
        for import in crate::layers::imports(text) {
            let in_list = known.iter().any(|module| import.starts_with(module));
            assert!(in_list, "{path} imports {import}: add its file to RENDERER");
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/phantom");
    for file in fs::read_dir(folder).expect("the renderer").flatten() {
        let name = format!("src/phantom/{}", file.file_name().to_string_lossy());
        assert!(RENDERER.iter().any(|(path, _)| *path == name), "{name}: add it to RENDERER");
    }
}
