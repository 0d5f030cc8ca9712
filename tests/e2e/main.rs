//! Streamgate in a real Envoy, held to its contract.

mod bad_input;
mod bounds;
mod browsers;
mod carriers;
mod cat;
mod configuration;
mod documents;
mod envoy_files;
mod http2;
mod lapse;
mod live;
mod memory;
mod one_viewer;
mod openapi;
mod packagings;
mod playback;
mod players;
mod policies;
mod privacy;
mod races;
mod refusals;
mod restart;
mod session_api;
mod stores;
mod web_client;
mod worked_cases;
