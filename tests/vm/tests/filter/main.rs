//! The built filter, held to what it may cost. One program, because compiling the filter
//! takes longer than most of what is asked of it.

mod budget;
mod door;
mod manifests;
mod module;
