//! Where a stream's requests come from, as record and copy know it together.

use proptest::collection::vec;
use proptest::prelude::*;
use streamgate_policy::sharing::{CLIENTS_KEPT_MAX, Clients, SeenClient};

use crate::testing::NOW;

fn clients() -> impl Strategy<Value = Clients> {
    let seen = || {
        let one = (0..14_u8, 0..9_u64, 0..9_u64).prop_map(|(n, since, for_ms)| SeenClient {
            mark: [n; 8],
            since: NOW.plus_ms(since),
            until: NOW.plus_ms(since + for_ms),
        });
        let each_once = |mut all: Vec<SeenClient>| {
            all.sort_by_key(|seen| seen.mark);
            all.dedup_by_key(|seen| seen.mark);
            all
        };
        vec(one, 0..14).prop_map(each_once)
    };
    (seen(), seen()).prop_map(|(networks, agents)| Clients::new(networks, agents))
}

proptest! {
    #[test]
    fn either_may_be_told_of_the_other_and_once_is_enough(one in clients(), other in clients()) {
        let both = one.merged(&other);
        prop_assert_eq!(&other.merged(&one), &both);
        prop_assert_eq!(&both.merged(&other), &both);
        prop_assert_eq!(&both.merged(&one), &both);
        prop_assert_eq!(&one.merged(&one), &one);
        prop_assert_eq!(&one.merged(&Clients::default()), &one);
    }

    #[test]
    fn no_more_are_kept_than_may_be_and_those_that_came_first(
        one in clients(),
        other in clients(),
    ) {
        let both = one.merged(&other);
        for (kept, sides) in [
            (both.networks(), [one.networks(), other.networks()]),
            (both.agents(), [one.agents(), other.agents()]),
        ] {
            prop_assert!(kept.len() <= CLIENTS_KEPT_MAX);
            let last = kept.last().map(|seen| seen.since);
            for seen in sides.concat() {
                let is_kept = kept.iter().any(|kept| kept.mark == seen.mark);
                prop_assert!(is_kept || last.is_some_and(|last| seen.since >= last));
            }
        }
    }
}
