//! Test skin and test faces with known truth.
