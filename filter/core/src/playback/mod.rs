//! The gate in front of manifests and segments (contract, section 4).

mod again;
mod anew;
mod buffer;
mod by_lease;
mod class;
mod flow;
mod gate;
mod kept_token;
mod lease;
mod long_response;
mod manifest;
mod media;
mod mint;
pub(crate) mod origin_redirects;
pub(crate) mod passage;
mod prefetch;
mod preflight;
mod redirected;
mod refusal;
mod request;
pub(crate) mod response;
mod rewrite;
mod scrub;
mod shared;
mod shared_positions;

pub(crate) use class::may_fit_below;
pub use class::{Class, Classes, Exclusions, PathPattern, PathPatterns, PatternError};
pub use flow::Flows;
pub use gate::Gate;
pub use lease::{Lease, Leased, Leases};
pub use long_response::Cut;
pub(crate) use manifest::accepts_gzip;
pub use passage::Scrub;
pub use passage::{Forward, Watch};
pub use rewrite::{Coding, End, Held, Rewrite};
pub use scrub::is_origin_alone;
