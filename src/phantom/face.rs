//! A simple frontal face with the same skin on it.
