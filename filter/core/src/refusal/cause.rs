//! What a decision came by, for the access log and for operators.

use streamgate_policy::{Breach, Plays, Refused};
use streamgate_record::rule_metric::level_label;

use crate::exchange::{CODES_MAX, Cause};

/// The rule that a refusal came by; `None` where no rule had a part in it.
pub(crate) fn of_refusal(refused: &Refused) -> Option<Box<Cause>> {
    match refused {
        Refused::Conflict(breaches) => {
            let first = breaches.first()?;
            let mut cause = of_breach(first);
            // Of a stream that plays already none has a level.
            if first.level > 0 {
                let level = |breach: &Breach| (breach.policy.clone(), level_label(breach.level));
                cause.levels = breaches.iter().map(level).collect();
            }
            Some(cause)
        }
        Refused::Evicted(breach) => Some(of_breach(breach)),
        _ => None,
    }
}

/// Why a start is worth more than a word, and the rule or the streams that it is about: it broke
/// a rule of a policy that only watches, or others were ended for it.
pub(crate) fn of_start(plays: &Plays) -> (Option<&'static str>, Option<Box<Cause>>) {
    if let Some(breach) = &plays.watched {
        return (Some("monitored"), Some(of_breach(breach)));
    }
    if plays.ended.is_empty() {
        return (None, None);
    }
    let ended = plays.ended.iter().take(CODES_MAX);
    let cause = Cause {
        count: plays.ended.len(),
        codes: ended.map(|key| key.termination_code()).collect(),
        ..Cause::default()
    };
    (Some("made-room"), Some(Box::new(cause)))
}

fn of_breach(breach: &Breach) -> Box<Cause> {
    let named = breach.conflicts.iter().take(CODES_MAX);
    Box::new(Cause {
        policy: breach.policy.clone(),
        rule: breach.rule.clone(),
        limit: Some(breach.threshold),
        count: breach.conflicts.len().saturating_add(breach.others),
        codes: named.map(|stream| stream.key.termination_code()).collect(),
        levels: Vec::new(),
    })
}
