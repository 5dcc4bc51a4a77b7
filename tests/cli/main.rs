//! The command as its user runs it.

mod command;
mod contract;
