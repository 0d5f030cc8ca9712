//! A session and its player are one stream.
//!
//! An app of the reference service's shape is given an id and no prefix to play under, and its
//! player is one that nobody changed: it begins under an id of its own, or is redirected to one.
//! Both say which device they are on. So a session whose app was given nothing to play by awaits a
//! player: the first of its application that begins on its device is this session's, and from
//! then on its requests are signs of life of the session. Where the player begins before its app
//! creates the session, the session is the player's stream. Either way they end together. An id that names a
//! device is that of all its players: it goes on with the latest session of its device.
//!
//! A lone edge that was restarted has forgotten whose player is whose. A session that comes back before its
//! player, and does not say its device again, takes up the first that may be its own. One that comes
//! back after a player is over: its app creates it again, and says which device it is on.

use std::borrow::Cow;

use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, Stream};
use crate::book::PolicyBook;
use crate::event::{Judgement, Play, Recall, Unknown, Verdict};
use crate::rule::{ContenderStanding, device};
use crate::session_player::SessionPlayer;

/// An event of a stream, or of the session that the stream belongs to.
pub(super) struct TakenUp<'a> {
    /// The event, by the key that both are on record under.
    pub(super) play: Cow<'a, Play>,
    /// They have become one stream by this event; what its player was before.
    before: Option<SessionPlayer>,
}

impl<'a> TakenUp<'a> {
    /// The event as one of the stream's session, if it has one. A session that awaited the player
    /// knows it from here on, and a player whose session is created belongs to it, so that both
    /// end if they may not play.
    pub(super) fn of(
        activity: &mut Activity,
        play: &'a Play,
        book: &PolicyBook,
        recall: &Recall,
    ) -> Self {
        let (stream, before) = if play.unknown == Unknown::IsNew {
            (begun(activity, play, book), Some(SessionPlayer::None))
        } else if play.is_call {
            // It is of the session that it names.
            (None, None)
        } else if let Some(session) = awaiting(activity, play, recall) {
            (Some(session), Some(SessionPlayer::Awaited))
        } else {
            (activity.session_of(&play.stream), None)
        };
        let Some(stream) = stream else {
            return Self {
                play: Cow::Borrowed(play),
                before: None,
            };
        };
        match before {
            Some(SessionPlayer::None) => set(activity, &stream, SessionPlayer::Known(stream)),
            Some(_) => set(activity, &stream, SessionPlayer::Known(play.stream)),
            None => {}
        }
        let play = Play {
            stream,
            ..play.clone()
        };
        Self {
            play: Cow::Owned(play),
            before,
        }
    }

    /// Has the activity remember what follows from the judgement.
    pub(super) fn settle(
        &self,
        activity: &mut Activity,
        book: &PolicyBook,
        mut judgement: Judgement,
    ) -> Judgement {
        let Play {
            stream, is_call, ..
        } = &*self.play;
        match (&mut judgement.verdict, self.before) {
            (Verdict::Plays(plays), Some(before)) => {
                plays.learned = true;
                plays.taken = (before == SessionPlayer::None).then_some(*stream);
                judgement.changed = true;
            }
            (Verdict::Plays(plays), None)
                if plays.started && *is_call && book.sessions_have_players =>
            {
                set(activity, stream, SessionPlayer::Awaited);
            }
            (Verdict::Refused(_), Some(before)) => set(activity, stream, before),
            _ => {}
        }
        judgement
    }
}

/// The latest session that awaits a player like this one, if its stream may be taken up: nothing is known of
/// it, or its id names a device and it does not play for another session.
fn awaiting(activity: &Activity, play: &Play, recall: &Recall) -> Option<StreamKey> {
    let own = device(&play.attributes)?;
    let key = &play.stream;
    // It has come back from before a restart, no later than its player began.
    let is_back = |session: &Stream| {
        let issued_at = session.key.issued_at();
        issued_at < Some(recall.memory_since)
            && key.issued_at().is_none_or(|at| issued_at <= Some(at))
    };
    let session = latest(activity, play, &|session| {
        session.player == SessionPlayer::Awaited
            && match device(&session.attributes) {
                Some(device) => device == own,
                None => is_back(session),
            }
    })?;
    let may_be_taken_up = play.unknown == Unknown::Starts
        && activity.stream(key).is_none()
        && (play.recurring
            || (activity.end_of(key).is_none() && activity.faded_end_of(key).is_none()));
    may_be_taken_up.then_some(session)
}

/// Whether a session that was forgotten is to be created again by its app: what may be its player has come back
/// before, and the app alone knows whether it is.
pub(super) fn is_made_anew(
    activity: &Activity,
    play: &Play,
    book: &PolicyBook,
    standing: &ContenderStanding<'_>,
) -> bool {
    matches!(standing, ContenderStanding::Revived { .. }) && begun(activity, play, book).is_some()
}

/// The stream that plays already on the device of an app that creates its session, or that comes back and does
/// not say its device: the latest of its application that belongs to no session. What plays for another session
/// is replaced instead, as the device has started again.
fn begun(activity: &Activity, play: &Play, book: &PolicyBook) -> Option<StreamKey> {
    if !play.is_call || !book.sessions_have_players {
        return None;
    }
    let own = device(&play.attributes);
    latest(activity, play, &|player| {
        let of = device(&player.attributes);
        player.player == SessionPlayer::None
            && of.is_some()
            && (of == own || (own.is_none() && play.unknown != Unknown::IsNew))
    })
}

/// The latest stream of an event's application that is like this.
fn latest(
    activity: &Activity,
    play: &Play,
    is_like: &dyn Fn(&Stream) -> bool,
) -> Option<StreamKey> {
    let streams = activity.streams.iter();
    let alike =
        streams.filter(|stream| stream.application == play.application.id && is_like(stream));
    let latest = alike.max_by_key(|stream| (stream.began_at, stream.key))?;
    Some(latest.key)
}

fn set(activity: &mut Activity, session: &StreamKey, player: SessionPlayer) {
    if let Some(stream) = activity.stream_mut(session) {
        stream.player = player;
    }
}
