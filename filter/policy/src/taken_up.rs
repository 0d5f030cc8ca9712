//! A session and its player are one stream.
//!
//! An app of the reference service's shape is given an id and no prefix to play under, and its
//! player is one that nobody changed: it begins under an id of its own, or is redirected to one.
//! Both say which device they are on. So a session whose app was given nothing to play by awaits a
//! player: the first of its application that begins on its device is this session's, and from
//! then on its requests are signs of life of the session. Where the player begins before its app
//! creates the session, the session is the player's stream. Either way they end together.

use std::borrow::Cow;

use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, Stream};
use crate::book::PolicyBook;
use crate::event::{Judgement, Play, Unknown, Verdict};
use crate::rule::device;
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
    pub(super) fn of(activity: &mut Activity, play: &'a Play, book: &PolicyBook) -> Self {
        let alone = Self {
            play: Cow::Borrowed(play),
            before: None,
        };
        if play.unknown == Unknown::IsNew {
            let Some(player) = begun(activity, play, book) else {
                return alone;
            };
            set(activity, &player, SessionPlayer::Known(player));
            let stream = player;
            return Self {
                play: Cow::Owned(Play {
                    stream,
                    ..play.clone()
                }),
                before: Some(SessionPlayer::None),
            };
        }
        // So it is with nearly all accounts.
        if !activity.has_session_players() {
            return alone;
        }
        let awaiting = awaiting(activity, play);
        let Some(session) = awaiting.or_else(|| activity.session_of(&play.stream)) else {
            return alone;
        };
        if awaiting.is_some() {
            set(activity, &session, SessionPlayer::Known(play.stream));
        }
        let play = Play {
            stream: session,
            ..play.clone()
        };
        Self {
            play: Cow::Owned(play),
            before: awaiting.map(|_| SessionPlayer::Awaited),
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

/// The session that awaits a player like this one, if nothing is known of its stream.
fn awaiting(activity: &Activity, play: &Play) -> Option<StreamKey> {
    if play.is_call || play.unknown != Unknown::Starts {
        return None;
    }
    let own = device(&play.attributes)?;
    let is_awaiting = |stream: &&Stream| {
        stream.player == SessionPlayer::Awaited
            && stream.application == play.application.id
            && device(&stream.attributes) == Some(own)
    };
    let session = activity.streams.iter().find(is_awaiting)?.key;
    let is_unknown = activity.stream(&play.stream).is_none()
        && activity.end_of(&play.stream).is_none()
        && activity.faded_end_of(&play.stream).is_none();
    is_unknown.then_some(session)
}

/// The stream that plays already on the device of an app that creates its session: the latest of
/// its application that belongs to no session. What plays for another session is replaced
/// instead, as the device has started again.
fn begun(activity: &Activity, play: &Play, book: &PolicyBook) -> Option<StreamKey> {
    if !play.is_call || !book.sessions_have_players {
        return None;
    }
    let own = device(&play.attributes)?;
    let is_alone = |stream: &&Stream| {
        stream.player == SessionPlayer::None
            && stream.application == play.application.id
            && device(&stream.attributes) == Some(own)
    };
    let alone = activity.streams.iter().filter(is_alone);
    let latest = alone.max_by_key(|stream| (stream.began_at, stream.key))?;
    Some(latest.key)
}

fn set(activity: &mut Activity, session: &StreamKey, player: SessionPlayer) {
    if let Some(stream) = activity.stream_mut(session) {
        stream.player = player;
    }
}
