//! What the proxy's log is told of an edge, in words that are the same for each body.

use core::fmt;

use streamgate_record::own_time::ClockDifference;

/// How weighty a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is as it should be (again).
    Info,
    /// An operator should look at it.
    Warning,
    /// An operator has to do something.
    Error,
}

/// Something that an operator is to read in the proxy's log. `cluster` is the proxy's name for the
/// fleet's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The machine's clock differs from the time that streams are judged by.
    ClockDiffers {
        /// By how much.
        difference: ClockDifference,
        /// The edge goes by its store's clock, and is not alone.
        is_in_fleet: bool,
    },
    /// Some of the store does not answer.
    StoreAway {
        /// The store.
        cluster: &'a str,
        /// How many of its shards do not.
        down: usize,
    },
    /// All of the store answers again.
    StoreBack {
        /// The store.
        cluster: &'a str,
    },
    /// Edges were found that keep the same accounts elsewhere.
    LayoutsDiffer {
        /// The store.
        cluster: &'a str,
        /// How they lay accounts out.
        other: &'a str,
    },
    /// There are none such any more.
    LayoutsAgree {
        /// The store.
        cluster: &'a str,
    },
}

impl Notice<'_> {
    /// How weighty it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::ClockDiffers { difference, .. } => match difference.is_alarming {
                true => Severity::Error,
                false => Severity::Warning,
            },
            Self::StoreAway { .. } => Severity::Warning,
            Self::LayoutsDiffer { .. } => Severity::Error,
            Self::StoreBack { .. } | Self::LayoutsAgree { .. } => Severity::Info,
        }
    }
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockDiffers {
                difference,
                is_in_fleet,
            } => {
                let way = match difference.ahead_ms {
                    0.. => "ahead of",
                    _ => "behind",
                };
                let by = match is_in_fleet {
                    true => "the store's clock",
                    false => "the time since Envoy started",
                };
                let ms = difference.ahead_ms.unsigned_abs();
                write!(
                    out,
                    "this machine's clock is {ms} ms {way} {by}, which streams go by"
                )
            }
            Self::StoreAway { cluster, down } => {
                write!(out, "cluster {cluster} does not answer for {down} shards")
            }
            Self::StoreBack { cluster } => write!(out, "cluster {cluster} answers again"),
            Self::LayoutsDiffer { cluster, other } => write!(
                out,
                "other edges at cluster {cluster} lay accounts out differently ({other}): limits \
                 count apart until fleet.shards and privacy.subject_key agree"
            ),
            Self::LayoutsAgree { cluster } => {
                write!(out, "all edges at cluster {cluster} lay accounts out alike")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_clock_is_told_by_how_much_and_which_way_it_differs() {
        let of = |ahead_ms, is_alarming, is_in_fleet| {
            let difference = ClockDifference {
                ahead_ms,
                is_alarming,
            };
            let notice = Notice::ClockDiffers {
                difference,
                is_in_fleet,
            };
            (notice.severity(), notice.to_string())
        };
        let line = "this machine's clock is 1500 ms behind the store's clock, which streams go by";
        assert_eq!(
            of(-1_500, false, true),
            (Severity::Warning, line.to_owned())
        );
        let line = "this machine's clock is 61000 ms ahead of the time since Envoy started, which \
                    streams go by";
        assert_eq!(of(61_000, true, false), (Severity::Error, line.to_owned()));
        assert!(of(i64::MIN, true, false).1.contains("9223372036854775808"));
    }
}
