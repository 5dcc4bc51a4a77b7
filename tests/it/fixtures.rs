//! The shipped test photos are what the code writes: made anew, and compared.

use crate::shots::{Form, two_forms};
use serde_json::Value;
use skindelta::phantom;
use std::path::{Path, PathBuf};

/// Every file below a folder, relative, sorted.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// The largest difference of two numbers at the same place; everything else must be equal.
fn difference(a: &Value, b: &Value) -> f64 {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs(),
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).map(|(a, b)| difference(a, b)).fold(0.0, f64::max)
        }
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()));
            a.values().zip(b.values()).map(|(a, b)| difference(a, b)).fold(0.0, f64::max)
        }
        _ => {
            assert_eq!(a, b);
            0.0
        }
    }
}

fn floats(npy: &[u8]) -> Vec<f32> {
    npy[128..].chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

/// The short form leaves out the large face, which takes minutes to render.
fn shipped(form: Form) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let made = tempfile::tempdir().unwrap();
    phantom::write_fixtures(made.path(), form.long()).unwrap();
    let shipped_files = files(&shipped);
    let sizes = shipped_files.iter().map(|file| shipped.join(file).metadata().unwrap().len());
    let bytes_in_all: u64 = sizes.sum();
    assert!(bytes_in_all < 12_000_000, "{bytes_in_all} bytes of fixtures");
    let compared = |file: &PathBuf| form.long() || !file.starts_with("face");
    let shipped_files: Vec<PathBuf> = shipped_files.into_iter().filter(compared).collect();
    assert_eq!(shipped_files, files(made.path()), "the same files");

    for file in shipped_files {
        let [old, new] =
            [shipped.as_path(), made.path()].map(|root| std::fs::read(root.join(&file)).unwrap());
        let name = file.display();
        match file.extension().and_then(|e| e.to_str()) {
            Some("jpg") if !file.starts_with("broken") => {
                let [old, new] =
                    [old, new].map(|bytes| image::load_from_memory(&bytes).unwrap().into_rgb8());
                assert_eq!(old.dimensions(), new.dimensions());
                let pairs = old.as_raw().iter().zip(new.as_raw());
                let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max();
                assert!(worst <= Some(1), "{name}: pixels differ by {worst:?}");
            }
            Some("json") => {
                let [old, new] = [old, new].map(|b| serde_json::from_slice(&b).unwrap());
                let worst = difference(&old, &new);
                assert!(worst <= 1e-6, "{name}: numbers differ by {worst}");
            }
            Some("npy") => {
                assert_eq!(old[..128], new[..128], "{name}: header");
                let (old, new) = (floats(&old), floats(&new));
                assert_eq!(old.len(), new.len());
                for (a, b) in old.iter().zip(&new) {
                    assert!(a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-3, "{name}: {a} {b}");
                }
            }
            // The cut JPEG holds the pixels of another file, compared above.
            _ if file.ends_with("truncated.jpg") => assert_eq!(old.len(), new.len()),
            _ => assert_eq!(old, new, "{name}"),
        }
    }
}
two_forms!(shipped: the_shipped_fixtures_are_what_the_code_writes, the_shipped_fixtures_are_what_the_code_writes_long);

#[test]
fn the_broken_fixtures_hold_no_photo() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken");
    for file in files(&broken) {
        let bytes = std::fs::read(broken.join(&file)).unwrap();
        if file.ends_with("truncated.jpg") {
            // Lenient decoders fill the missing rows; what tells is the missing end of image.
            assert!(bytes.starts_with(&[0xff, 0xd8]) && !bytes.ends_with(&[0xff, 0xd9]));
            continue;
        }
        assert!(image::load_from_memory(&bytes).is_err(), "{} decodes", file.display());
    }
}
