//! Whole manifests as packagers write them, with absolute URLs.
