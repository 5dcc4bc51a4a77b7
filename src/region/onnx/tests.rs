//! Models that load, models that do not, and their outputs compared with onnxruntime.

use super::*;

#[cfg(not(feature = "onnx"))]
#[test]
fn a_build_without_the_engine_says_how_to_get_it() {
    let error = Model::load(Path::new("folder/net.onnx")).expect_err("no engine").to_string();
    assert_eq!(error, "net.onnx: model: this build cannot run models; it needs the onnx feature");
}

#[cfg(feature = "onnx")]
mod with_engine {
    use super::super::engine::Net;
    use super::*;
    use crate::plane::Grid;
    use crate::region::data::data;
    use crate::region::model_output::{Class, Segments};
    use crate::region::sidecar::OutputId;
    use crate::rng::Rng;
    use crate::settings::PhotoSettings;
    use std::time::Instant;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn shipped(name: &str) -> String {
        std::fs::read_to_string(root().join("models/sidecars").join(name)).expect("a sidecar")
    }

    /// A tiny model of `tests/onnx/synthetic.py`.
    fn tiny(name: &str) -> Vec<u8> {
        std::fs::read(root().join("tests/onnx").join(name)).expect("a model")
    }

    /// Two hues side by side, each as 0 or full light.
    fn photo(width: usize, height: usize, left: [u16; 3], right: [u16; 3]) -> Photo {
        let linear = Grid::from_fn(width, height, |x, _| if 2 * x < width { left } else { right });
        Photo::drawn(linear)
    }

    const RED: [u16; 3] = [65_535, 0, 0];
    const GREEN: [u16; 3] = [0, 65_535, 0];
    const BLUE: [u16; 3] = [0, 0, 65_535];

    fn sidecar(classes: &str) -> String {
        format!(
            "kind = \"segmentation\"\nwidth = 16\nheight = 16\nlayout = \"nchw\"\norder = \"rgb\"\n\
             scale = 1.0\nmean = [0.0, 0.0, 0.0]\nstd = [255.0, 255.0, 255.0]\nview = \"photo\"\n\
             activation = \"logits\"\nclasses = {classes}\n[map]\nskin = [\"a\"]\n"
        )
    }

    const POINTS: &str = "kind = \"landmarks\"\nwidth = 16\nheight = 16\nlayout = \"nchw\"\n\
        order = \"rgb\"\nscale = 1.0\nmean = [0.0, 0.0, 0.0]\nstd = [255.0, 255.0, 255.0]\n\
        view = \"photo\"\ntopology = \"ibug68\"\ncoordinates = \"px\"\ndimensions = 2\n";

    fn segments(model: &Model, photo: &Photo, eyes: Option<[[f64; 2]; 2]>) -> Segments {
        match model.run(photo, eyes).expect("segments") {
            ModelOutput::Segments(segments) => segments,
            output => panic!("{output:?}"),
        }
    }

    #[test]
    fn a_model_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Model>();
        let model = Model::from_bytes("planes19.onnx", &tiny("planes19.onnx"), &shipped(BISENET));
        let model = model.expect("a model");
        let photo = photo(300, 200, RED, GREEN);
        let eyes = Some([[120.0, 90.0], [180.0, 90.0]]);
        let alone = segments(&model, &photo, eyes).planes;
        let run = || segments(&model, &photo, eyes).planes;
        let both = std::thread::scope(|scope| {
            let threads = [scope.spawn(run), scope.spawn(run)];
            threads.map(|thread| thread.join().expect("planes"))
        });
        assert!(both.iter().all(|planes| *planes == alone));
    }

    const BISENET: &str = "celebamask-19.toml";

    #[test]
    fn nineteen_classes_become_ours_around_the_eyes() {
        let bytes = tiny("planes19.onnx");
        let model = Model::from_bytes("planes19.onnx", &bytes, &shipped(BISENET)).expect("a model");
        let (name, sha256) = model.identity();
        assert_eq!((name.as_str(), sha256.len()), ("planes19.onnx", 64));
        for (left, right, classes) in [
            (RED, GREEN, [Class::Skin, Class::Hair]),
            (GREEN, BLUE, [Class::Hair, Class::Background]),
        ] {
            let photo = photo(300, 200, left, right);
            let output = segments(&model, &photo, Some([[120.0, 90.0], [180.0, 90.0]]));
            assert_eq!(output.recognised, [true; Class::COUNT]);
            // 4 pupil distances wide, its centre a ninth of one below the eyes.
            assert!((output.view.step[0] * output.view.width as f64 - 240.0).abs() < 1e-9);
            assert!((output.view.centre[1] - (90.0 + 0.11 * 60.0)).abs() < 1e-9);
            for (at, class) in [([100.0, 60.0], classes[0]), ([200.0, 60.0], classes[1])] {
                let [i, j] = output.view.to_raster(at).map(|v| v.round() as usize);
                for other in Class::ALL {
                    let p = output.planes[other as usize].at(i, j);
                    assert_eq!(p > 0.9, other == class, "{other:?} {p}");
                }
                let sum: f32 = output.planes.iter().map(|plane| plane.at(i, j)).sum();
                assert!(sum <= 1.0 + 1e-6, "{sum}");
            }
        }
        let message = model.run(&photo(30, 20, RED, RED), None).expect_err("no eyes").to_string();
        assert_eq!(message, "planes19.onnx: model: needs the eyes of a face, and there is none");
    }

    #[test]
    fn a_mismatch_with_the_sidecar_is_an_error_on_loading() {
        let three = sidecar("[\"a\", \"b\", \"c\"]");
        let sized = three.replace("width = 16", "width = 24");
        let named = three.replace("activation", "output = \"masks\"\nactivation");
        let second = three.replace("activation", "output = 2\nactivation");
        for (file, toml, expected) in [
            ("planes19.onnx", &three, "one plane for each of the 3 classes is needed, 1×3×height"),
            (
                "planes19.onnx",
                &POINTS.into(),
                "gives 4864 values (shape [1, 19, 16, 16]): 68 points",
            ),
            ("flat.onnx", &three, "gives scores of shape [1, 3]: one plane for each of the 3"),
            (
                "flat.onnx",
                &POINTS.into(),
                "gives 3 values (shape [1, 3]): 68 points of 2 are needed",
            ),
            ("flat.onnx", &sized, "an input of 1×3×16×16, and the sidecar says 1×3×16×24"),
            ("flat.onnx", &named, "it has no output \"masks\"; it has 2: numbers, mean"),
            ("flat.onnx", &second, "it has no output 2; it has 2: numbers, mean"),
            ("unknown_operator.onnx", &three, "cannot be prepared: "),
            ("unknown_operator.onnx", &three, "Frobnicate"),
            ("two_inputs.onnx", &three, "it takes 2 inputs"),
        ] {
            let message = Model::from_bytes(file, &tiny(file), toml).expect_err(file).to_string();
            assert!(message.starts_with(&format!("{file}: model: ")), "{message}");
            assert!(message.contains(expected) && !message.contains('\n'), "{file}: {message}");
        }
        let message =
            Model::from_bytes("net.onnx", &tiny("flat.onnx"), "kind = 3").expect_err("kind");
        assert!(message.to_string().starts_with("net.toml: model: line 1: "), "{message}");
    }

    #[test]
    fn scores_that_are_not_finite_are_an_error_on_running() {
        let toml = sidecar("[\"a\", \"b\", \"c\"]");
        let model = Model::from_bytes("not_finite.onnx", &tiny("not_finite.onnx"), &toml);
        let message = model.expect("a model").run(&photo(30, 20, RED, BLUE), None);
        let message = message.expect_err("NaN").to_string();
        assert_eq!(message, "not_finite.onnx: model: gives scores that are not finite");
    }

    #[test]
    fn files_that_are_missing_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("net.onnx");
        let message = Model::load(&path).expect_err("no model").to_string();
        assert!(message.starts_with("net.onnx: model: cannot be read"), "{message}");
        std::fs::write(&path, tiny("planes19.onnx")).expect("a file");
        let message = Model::load(&path).expect_err("no sidecar").to_string();
        assert!(message.starts_with("net.toml: model: cannot be read"), "{message}");
        assert!(message.ends_with("it must say what the model beside it takes"), "{message}");
        std::fs::write(path.with_extension("toml"), shipped(BISENET)).expect("a file");
        assert_eq!(Model::load(&path).expect("a model").identity().0, "net.onnx");
    }

    /// No bytes make the program panic; cut files and noise are errors. With a changed byte in a name or
    /// a weight the model may still load.
    #[test]
    fn broken_files_are_errors() {
        let good = tiny("planes19.onnx");
        let toml = shipped(BISENET);
        let load = |bytes: &[u8]| Model::from_bytes("net.onnx", bytes, &toml);
        for length in 0..good.len() {
            // Cut between two fields, near its end, the file lacks its operators' version only.
            if let Err(error) = load(&good[..length]) {
                assert_eq!(error.file, "net.onnx");
            } else {
                assert!(length > good.len() - 16, "a model of {length} bytes");
            }
        }
        let mut rng = Rng::new(0, 0);
        for _ in 0..60 {
            let noise: Vec<u8> = (0..999).map(|_| rng.below(256) as u8).collect();
            assert!(load(&noise).is_err());
        }
        for _ in 0..300 {
            let mut changed = good.clone();
            let at = rng.below(changed.len());
            changed[at] = rng.below(256) as u8;
            let _ = load(&changed);
        }
    }

    /// Models that are not in the repository, the sidecar for them (a shipped one, or its first
    /// lines changed), and words of the expected error, if one is expected.
    fn table() -> [(&'static str, String, Option<&'static str>); 9] {
        let sinet = shipped("portrait-sinet.toml");
        let sized = |width: &str, height: &str| {
            let text = sinet.replace("width = 320", &format!("width = {width}"));
            text.replace("height = 320", &format!("height = {height}"))
        };
        let mesh = shipped("face-landmark-468.toml");
        let boxes = Some("one plane for each of the 2 classes is needed");
        [
            ("portraitseg_SINet.onnx", sinet.clone(), None),
            ("portraitseg_deeplab_nchw.onnx", sized("513", "513"), Some("Upsample")),
            ("portraitseg_prisma_nchw.onnx", shipped("portrait-prisma.toml"), None),
            ("ultraface_version-slim-320_simplified.onnx", sized("320", "240"), boxes),
            ("zaru_face_detection_full_range.onnx", sized("192", "192"), boxes),
            ("zaru_face_detection_short_range.onnx", sized("128", "128"), boxes),
            ("zaru_face_landmark.onnx", mesh.clone(), None),
            ("zaru_face_landmarks_detector.onnx", mesh.replace("192", "256"), Some("type F16")),
            ("zaru_slim_160_latest.onnx", shipped("slim-68.toml"), None),
        ]
    }

    #[test]
    fn models_of_others_run_or_give_a_reason() {
        let Some(folder) = data("onnx") else { return };
        let photo = photo(600, 800, [30_000, 16_000, 11_000], [26_000, 14_000, 9_000]);
        let eyes = Some([[240.0, 380.0], [360.0, 384.0]]);
        for (file, toml, expected) in table() {
            let bytes = std::fs::read(folder.join(file)).expect("a model");
            let start = Instant::now();
            match (Model::from_bytes(file, &bytes, &toml), expected) {
                (Ok(model), None) => {
                    let loaded = start.elapsed();
                    let first = model.run(&photo, eyes);
                    first.unwrap_or_else(|error| panic!("{error}"));
                    let start = Instant::now();
                    let again =
                        (0..5).map(|_| model.run(&photo, eyes)).all(|output| output.is_ok());
                    let each = start.elapsed() / 5;
                    assert!(again);
                    println!("{file}: loaded in {loaded:.0?}, runs in {each:.1?}");
                }
                (Err(error), Some(words)) => {
                    let message = error.to_string();
                    println!("{message}");
                    assert!(message.starts_with(file) && message.contains(words), "{message}");
                }
                (outcome, _) => panic!("{file}: {outcome:?}"),
            }
        }
        // Where the sizes of model and sidecar differ, the error names both.
        let bytes = std::fs::read(folder.join("portraitseg_SINet.onnx")).expect("a model");
        let toml = shipped("portrait-sinet.toml").replace("320", "256");
        let message = Model::from_bytes("a.onnx", &bytes, &toml).expect_err("256").to_string();
        assert!(message.contains("1×3×320×320, and the sidecar says 1×3×256×256"), "{message}");
    }

    /// The net on the face of `fixtures`; prints the times of loading and running.
    #[test]
    fn the_projects_model_recognises_all_classes_and_repeats_its_output() {
        let start = Instant::now();
        let onnx = std::fs::read(root().join("models/face-regions.onnx")).expect("the net");
        let toml = std::fs::read_to_string(root().join("models/face-regions.toml")).expect("text");
        let model = Model::from_bytes("face-regions.onnx", &onnx, &toml).expect("a model");
        println!("face-regions.onnx: loaded in {:.0?}", start.elapsed());
        let path = root().join("fixtures/face_small/before.jpg");
        let photo = Photo::open(&path, &PhotoSettings::default()).expect("a photo");
        let eyes = [[342.0, 590.0], [657.0, 590.0]];
        let run = || {
            let start = Instant::now();
            let output = segments(&model, &photo, Some(eyes));
            println!("face-regions.onnx: runs in {:.1?}", start.elapsed());
            output
        };
        let output = run();
        assert_eq!(output.recognised, [true; Class::COUNT]);
        for (at, class) in [
            (eyes[0], Class::Eyes),
            (eyes[1], Class::Eyes),
            ([500.0, 740.0], Class::Nose),
            ([500.0, 935.0], Class::Lips),
            ([320.0, 800.0], Class::Skin),
            ([500.0, 180.0], Class::Hair),
            ([310.0, 480.0], Class::Brows),
            ([500.0, 1200.0], Class::EarsNeck),
            ([30.0, 400.0], Class::Background),
        ] {
            let p = output.probability(&[class], at);
            assert!(p.is_some_and(|p| p > 0.5), "{class:?} at {at:?}: {p:?}");
            let all = output.probability(&Class::ALL, at);
            assert!(all.is_some_and(|all| (all - 1.0).abs() < 1e-5), "{all:?} at {at:?}");
        }
        let bits = |output: Segments| -> Vec<u32> {
            output.planes.iter().flat_map(|plane| plane.data()).map(|p| p.to_bits()).collect()
        };
        let again = bits(run());
        assert!(bits(output) == again, "two runs differ");
    }

    #[derive(serde::Deserialize)]
    struct Reference {
        file: String,
        input: InputPattern,
        outputs: Vec<ReferenceOutput>,
    }

    #[derive(serde::Deserialize)]
    struct InputPattern {
        shape: [usize; 4],
        seed: u32,
        low: f64,
        high: f64,
    }

    #[derive(serde::Deserialize)]
    struct ReferenceOutput {
        name: String,
        shape: Vec<usize>,
        low: f64,
        high: f64,
        every: usize,
        values: Vec<f64>,
    }

    impl InputPattern {
        /// The pattern of `tests/onnx/reference.py`.
        fn values(&self) -> Vec<f32> {
            let [_, channels, height, width] = self.shape;
            let value = |c: usize, y: usize, x: usize| {
                let mut h = self
                    .seed
                    .wrapping_mul(0x9E37_79B1)
                    .wrapping_add((c as u32).wrapping_mul(0x85EB_CA6B))
                    .wrapping_add((y as u32 / 8).wrapping_mul(0xC2B2_AE35))
                    .wrapping_add((x as u32 / 8).wrapping_mul(0x27D4_EB2F));
                for (shift, factor) in [(15, 0x2C1B_3C6D), (12, 0x297A_2D39)] {
                    h = (h ^ (h >> shift)).wrapping_mul(factor);
                }
                h ^= h >> 15;
                let unit = f64::from(h >> 8) / f64::from(1 << 24);
                (self.low + (self.high - self.low) * unit) as f32
            };
            let rows = (0..channels).flat_map(|c| (0..height).map(move |y| (c, y)));
            rows.flat_map(|(c, y)| (0..width).map(move |x| value(c, y, x))).collect()
        }
    }

    /// The engine's numbers are those of onnxruntime, within 1e-4 of the range of the output (of
    /// its size, where it is a single number).
    #[test]
    fn outputs_are_those_of_onnxruntime() {
        let Some(folder) = data("onnx") else { return };
        let text = std::fs::read_to_string(root().join("tests/reference/onnx.json")).expect("text");
        let references: Vec<Reference> = serde_json::from_str(&text).expect("references");
        assert_eq!(references.len(), 7);
        for reference in references {
            let bytes = std::fs::read(folder.join(&reference.file)).expect("a model");
            let names: Vec<OutputId> =
                reference.outputs.iter().map(|kept| OutputId::Name(kept.name.clone())).collect();
            let outputs: Vec<&OutputId> = names.iter().collect();
            let net = Net::new(&bytes, reference.input.shape, &outputs).expect("a net");
            let input = reference.input.values();
            net.run(input.clone()).expect("outputs");
            let start = Instant::now();
            let outputs = net.run(input).expect("outputs");
            let time = start.elapsed();
            for (kept, output) in reference.outputs.iter().zip(outputs) {
                let label = format!("{} {}", reference.file, kept.name);
                assert_eq!(output.shape, kept.shape, "{label}");
                let range =
                    if output.values.len() == 1 { kept.low.abs() } else { kept.high - kept.low };
                let ours = output.values.iter().step_by(kept.every);
                assert_eq!(ours.len(), kept.values.len(), "{label}");
                let differences = ours.zip(&kept.values).map(|(a, b)| (f64::from(*a) - b).abs());
                let worst = differences.fold(0.0, f64::max) / range;
                println!("{label}: {time:.1?}, {worst:.1e} of the range");
                assert!(worst <= 1e-4, "{label}: {worst:.1e}");
            }
        }
    }
}
