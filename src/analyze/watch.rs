//! Progress and cancellation.

use super::Analyzer;
use crate::error::{Error, Result, Step};
use std::ops::ControlFlow;

/// Called before each stage with the number of the visit and the name of the stage; `Break` cancels.
pub type Watch = dyn Fn(usize, &'static str) -> ControlFlow<()> + Send + Sync;

impl Analyzer {
    /// The same, which calls `watch` before each stage.
    pub fn watched(
        self,
        watch: impl Fn(usize, &'static str) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Analyzer {
        Analyzer { watch: Some(Box::new(watch)), ..self }
    }

    pub(super) fn stage(&self, visit: usize, stage: &'static str) -> Result<()> {
        match self.watch.as_ref().map(|watch| watch(visit, stage)) {
            Some(ControlFlow::Break(())) => {
                let why = format!("stopped before \"{stage}\" of visit {visit}, as asked");
                Err(Error::new("", Step::Cancelled, why))
            }
            _ => Ok(()),
        }
    }
}
