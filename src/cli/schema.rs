//! `skindelta schema`

use super::print;
use clap::Args;
use skindelta::{Result, report};
use std::process::ExitCode;

/// Print the JSON Schema of result.json
#[derive(Args)]
pub struct Schema;

impl Schema {
    pub fn run(&self) -> Result<ExitCode> {
        print(report::SCHEMA)?;
        Ok(ExitCode::SUCCESS)
    }
}
