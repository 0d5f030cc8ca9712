//! Where a stream stands that wants to play, before any rule is heard.

use streamgate_values::moment::Moment;

use super::admit::is_kept_alive;
use super::event::{Play, Recall, Unknown};
use super::rule::ContenderStanding;
use super::set_back::{AGREE_MS, watermark_now};
use crate::activity::Stream;

/// Where the stream that wants to play stands; `None` if it is over.
pub(super) fn standing<'a>(
    play: &Play,
    live: Option<&'a Stream>,
    released: Option<&Stream>,
    recall: &Recall,
    now: Moment,
) -> Option<ContenderStanding<'a>> {
    if let Some(stream) = live {
        return Some(ContenderStanding::Known {
            started_at: stream.started_at,
            before: &stream.attributes,
        });
    }
    if let Some(stream) = released {
        return is_kept_alive(stream, play).then_some(ContenderStanding::New);
    }
    if play.unknown == Unknown::IsNew {
        return Some(ContenderStanding::New);
    }
    let may_start = play.unknown == Unknown::Starts;
    let Some(issued_at) = play.stream.issued_at() else {
        return may_start.then_some(ContenderStanding::New);
    };
    if issued_at <= watermark_now(recall.watermark, now) {
        return None;
    }
    // An id from the future is of a time that was set back since, maybe before this store began.
    let is_of_now = issued_at <= now.plus_ms(AGREE_MS);
    if issued_at >= recall.memory_since && (may_start || is_of_now) {
        return may_start.then_some(ContenderStanding::New);
    }
    // From before this store began: lost with the last one, if it lived at all.
    (now <= recall.memory_since.plus_ms(play.timeout_ms)).then_some(ContenderStanding::Revived {
        started_at: issued_at.min(now),
    })
}
