//! The one error of the library: which file, which step, why.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

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
    /// A run that its caller has stopped.
    Cancelled,
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
            Step::Cancelled => "cancelled",
        }
    }
}

/// An underlying error: of the system, of a decoder, of a parser.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of the pipeline, displayed as `file: step: why`.
///
/// Where it comes of another error, [`source`](std::error::Error::source) gives that one; `why` holds
/// its message already. Two errors are equal where file, step and why are.
#[derive(Debug, Clone)]
pub struct Error {
    /// The file concerned, as the user wrote it; empty where there is none.
    pub file: String,
    /// Where it happened.
    pub step: Step,
    /// What is wrong, and where possible what to do.
    pub why: String,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        (&self.file, self.step, &self.why) == (&other.file, other.step, &other.why)
    }
}

impl Eq for Error {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
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
        let file = file.as_ref().display().to_string();
        Error { file, step, why: why.to_string(), cause: None }
    }

    /// An error about `file` in `step` that comes of another one, in that one's words.
    pub fn wrap(file: impl AsRef<Path>, step: Step, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        Error::caused(file, step, cause.to_string(), cause)
    }

    /// As [`Error::wrap`], in other words; `why` holds the message of the `cause`.
    pub fn caused(
        file: impl AsRef<Path>,
        step: Step,
        why: impl fmt::Display,
        cause: impl Into<Cause>,
    ) -> Self {
        Error { cause: Some(cause.into().into()), ..Error::new(file, step, why) }
    }

    /// The same error about another file.
    #[cfg(feature = "onnx")]
    pub fn about(self, file: impl AsRef<Path>) -> Self {
        Error { file: file.as_ref().display().to_string(), ..self }
    }
}

/// `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::io;

    #[test]
    fn the_cause_is_displayed_once_and_can_be_read() {
        let cause = io::Error::from(io::ErrorKind::NotFound);
        let message = cause.to_string();
        let error = Error::wrap("a.jpg", Step::Read, cause);
        assert_eq!(error.to_string(), format!("a.jpg: read: {message}"));
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
        assert_eq!(error, Error::new("a.jpg", Step::Read, message));
        assert!(Error::new("", Step::Usage, "none").source().is_none());
    }
}
