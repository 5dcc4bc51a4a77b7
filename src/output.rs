//! May these files be written? Asked for all outputs of a command before its work starts.
//!
//! No result replaces a file that the command reads, nor one that this program did not write.

use crate::error::{Error, Result, Step};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A place that a command writes to, made where it does not exist.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where it lies.
    pub path: PathBuf,
    /// How an earlier one is known.
    pub sign: Sign,
}

/// How what lies at an output's place is known as this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// The file is of this form.
    Form(Form),
    /// Another file of the same results is.
    Beside(PathBuf, Form),
    /// It was made sure before that the folder above holds this program's results.
    Inside,
    /// It is a folder, in which files are made.
    Folder,
}

/// What a file of this program looks like: it starts with the first text, and holds the second one among
/// its first 4096 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form(pub &'static str, pub &'static str);

/// Bytes at the start of a file in which its form is sought.
const HEAD_BYTES: u64 = 4096;
const ELSEWHERE: &str = "choose another place for the results";

/// Whether all of `outputs` may be written by a command that reads `inputs`. Leaves nothing behind.
///
/// Files are the same where their places are, whatever they are called, and on Unix where they are
/// links to the same data. An empty file, a pipe and a device hold nothing that could be lost.
///
/// # Errors
/// The first output that would replace an input, another output, or a file that this program did not
/// write; that is a folder where a file is to be written, or the reverse; or that cannot be written.
pub fn check(outputs: &[Output], inputs: &[PathBuf]) -> Result<()> {
    let inputs = Inputs::new(inputs);
    let mut tried = HashSet::new();
    for output in outputs {
        check_one(output, &inputs, &mut tried)?;
    }
    check_distinct(outputs)
}

fn check_one(output: &Output, inputs: &Inputs, tried: &mut HashSet<PathBuf>) -> Result<()> {
    let path = &output.path;
    let folder = output.sign == Sign::Folder;
    let refused = |why: String| Err(Error::new(path, Step::Write, why));
    let cannot = |cause: io::Error| {
        let why = format!("cannot be written ({cause}); {ELSEWHERE}");
        Error::caused(path, Step::Write, why, cause)
    };
    match fs::metadata(path) {
        Err(why) if why.kind() == ErrorKind::NotFound => {
            if path.is_symlink() {
                return refused(format!("this link leads to no file; remove it, or {ELSEWHERE}"));
            }
            try_folder(path, tried).map_err(cannot)
        }
        Err(why) => Err(cannot(why)),
        Ok(found) if found.is_dir() && folder => try_folder(path, tried).map_err(cannot),
        Ok(found) if found.is_dir() => refused(format!("this is a folder; {ELSEWHERE}")),
        Ok(_) if folder => refused(format!("this is no folder; {ELSEWHERE}, or move it away")),
        Ok(found) if !found.is_file() => Ok(()),
        Ok(found) if inputs.hold(path, &found) => refused(format!(
            "this file is read by the same command and would be replaced; {ELSEWHERE}"
        )),
        Ok(found) if found.len() > 0 && !output.sign.knows(path) => refused(format!(
            "skindelta did not write this file and does not replace it; {ELSEWHERE}, or move it away"
        )),
        Ok(_) => OpenOptions::new().append(true).open(path).map(|_| ()).map_err(cannot),
    }
}

/// Whether a file can be made in the lowest folder at or above `path` that exists: makes one without a
/// byte and removes it, once per folder.
fn try_folder(path: &Path, tried: &mut HashSet<PathBuf>) -> io::Result<()> {
    let here = |p: &Path| if p.as_os_str().is_empty() { PathBuf::from(".") } else { p.into() };
    let Some(folder) = path.ancestors().map(here).find(|p| p.exists()) else { return Ok(()) };
    let probe = folder.join(format!(".skindelta-{}", std::process::id()));
    if !tried.insert(folder) {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => fs::remove_file(&probe),
        // Another thread is asking.
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(why) => Err(why),
    }
}

/// Holds the outputs to a place each; results of the same kind may share one.
fn check_distinct(outputs: &[Output]) -> Result<()> {
    let error = |output: &Output| {
        let why = format!("two results would be written here; {ELSEWHERE} for one of them");
        Error::new(&output.path, Step::Write, why)
    };
    let mut places: HashMap<PathBuf, &Output> = HashMap::new();
    for output in outputs {
        let other = places.insert(place(&output.path), output);
        if other.is_some_and(|other| other.sign != output.sign) {
            return Err(error(output));
        }
    }
    let files_above = places.keys().flat_map(|place| place.ancestors().skip(1));
    let mut files_above = files_above.filter_map(|place| places.get(place));
    match files_above.find(|output| output.sign != Sign::Folder) {
        Some(output) => Err(error(output)),
        None => Ok(()),
    }
}

/// The path without links as far as it exists, the rest as it stands.
fn place(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
    for above in whole.ancestors() {
        if let (Ok(place), Ok(rest)) = (above.canonicalize(), whole.strip_prefix(above)) {
            return place.components().chain(rest.components()).collect();
        }
    }
    whole
}

impl Form {
    fn fits(self, path: &Path) -> bool {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
        let head = String::from_utf8_lossy(&head);
        read.is_ok() && head.starts_with(self.0) && head.contains(self.1)
    }
}

impl Sign {
    /// Whether what lies at `path` is a file that is known by this sign as this program's.
    pub fn knows(&self, path: &Path) -> bool {
        match self {
            Sign::Form(form) => form.fits(path),
            Sign::Beside(other, form) => form.fits(other),
            Sign::Inside => path.is_file(),
            Sign::Folder => false,
        }
    }
}

/// What a command reads: its files' places, and on Unix their device and number.
struct Inputs {
    places: HashSet<PathBuf>,
    ids: HashSet<(u64, u64)>,
}

impl Inputs {
    fn new(paths: &[PathBuf]) -> Inputs {
        // What is not there is told where it is read.
        let places = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let ids = paths.iter().filter_map(|path| id(&fs::metadata(path).ok()?)).collect();
        Inputs { places, ids }
    }

    fn hold(&self, path: &Path, found: &Metadata) -> bool {
        id(found).is_some_and(|id| self.ids.contains(&id))
            || path.canonicalize().is_ok_and(|place| self.places.contains(&place))
    }
}

#[cfg(unix)]
fn id(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(_: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form("{", "made by us");
    const SIGN: Sign = Sign::Form(FORM);

    fn told(path: PathBuf, sign: Sign, inputs: &[PathBuf]) -> Result<(), String> {
        check(&[Output { path, sign }], inputs).map_err(|error| error.why)
    }

    #[test]
    fn a_file_is_ours_by_its_start_or_by_one_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("ours"), "{made by us}").unwrap();
        fs::write(path("late"), format!("{{{:4096}made by us}}", "")).unwrap();
        fs::write(path("quoted"), "> {made by us}").unwrap();
        fs::write(path("other"), "made by them").unwrap();
        fs::write(path("empty"), "").unwrap();
        for name in ["ours", "empty", "new", "new/folder/file"] {
            assert_eq!(told(path(name), SIGN, &[]), Ok(()), "{name}");
        }
        for name in ["late", "quoted", "other"] {
            let why = told(path(name), SIGN, &[]).unwrap_err();
            assert!(why.starts_with("skindelta did not write this file"), "{name}: {why}");
        }
        let beside = |name| Sign::Beside(path(name), FORM);
        assert_eq!(told(path("other"), beside("ours"), &[]), Ok(()));
        assert!(told(path("other"), beside("empty"), &[]).is_err());
        assert!(told(path("other"), beside("gone"), &[]).is_err());
        assert!(told(path("ours"), Sign::Folder, &[]).unwrap_err().contains("no folder"));
        assert!(told(home.path().into(), SIGN, &[]).unwrap_err().contains("this is a folder"));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 5, "nothing is left behind");
    }

    #[test]
    fn an_input_is_known_under_all_its_names() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("input"), "{made by us}").unwrap();
        fs::hard_link(path("input"), path("hard")).unwrap();
        let mut names = vec!["input", "folder/../input", "./input", "hard"];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(path("input"), path("soft")).unwrap();
            names.push("soft");
        }
        for output in &names {
            for input in &names {
                let why = told(path(output), SIGN, &[path(input)]);
                // Only Unix tells links to the same data.
                let linked = (*output == "hard") != (*input == "hard");
                if cfg!(unix) || !linked {
                    assert!(
                        why.unwrap_err().contains("read by the same command"),
                        "{output} {input}"
                    );
                }
            }
        }
        assert_eq!(told(path("input"), SIGN, &[path("gone")]), Ok(()));
    }

    #[test]
    fn two_outputs_need_two_places() {
        let home = tempfile::tempdir().unwrap();
        let output = |name: &str, sign| Output { path: home.path().join(name), sign };
        let other = Sign::Form(Form("other", ""));
        for (first, second, good) in [
            (output("a/b", SIGN), output("a/c", other.clone()), true),
            (output("a/b", SIGN), output("a/b", SIGN), true),
            (output("a", Sign::Folder), output("a/b", SIGN), true),
            (output("a/b", SIGN), output("a/./b", other.clone()), false),
            (output("a", SIGN), output("a/b", other.clone()), false),
            (output("a/b/c", other), output("a", SIGN), false),
        ] {
            let names = [&first, &second].map(|o| o.path.display().to_string());
            let outcome = check(&[first, second], &[]);
            assert_eq!(outcome.is_ok(), good, "{names:?}: {outcome:?}");
        }
    }
}
