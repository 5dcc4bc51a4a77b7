//! The one error of the library: which file, which step, why.

use std::fmt;
use std::path::Path;

/// The pipeline step in which an error arose; printed between the file and the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Opening and reading a file.
    Read,
    /// Turning bytes into pixels.
    Decode,
    /// Placing regions on the baseline.
    Region,
    /// Mapping a follow-up onto the baseline.
    Align,
    /// Measuring a region.
    Measure,
    /// Reading a batch manifest.
    Manifest,
    /// Loading or running an ONNX model.
    Model,
    /// Writing results.
    Write,
    /// Rendering test photos.
    Phantom,
    /// An option that cannot be used as it stands.
    Usage,
}

impl Step {
    /// The word printed in messages and in `failures.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Step::Read => "read",
            Step::Decode => "decode",
            Step::Region => "region",
            Step::Align => "align",
            Step::Measure => "measure",
            Step::Manifest => "manifest",
            Step::Model => "model",
            Step::Write => "write",
            Step::Phantom => "phantom",
            Step::Usage => "usage",
        }
    }
}

/// An error of the pipeline, displayed as `file: step: why`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The file concerned, as the user wrote it; empty where there is none.
    pub file: String,
    /// Where it happened.
    pub step: Step,
    /// What is wrong, and where possible what to do.
    pub why: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        write!(f, "{}: {}", self.step.name(), self.why)
    }
}

impl Error {
    /// An error about `file` in `step`.
    pub fn new(file: impl AsRef<Path>, step: Step, why: impl fmt::Display) -> Self {
        Error { file: file.as_ref().display().to_string(), step, why: why.to_string() }
    }
}

/// `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
