//! The refusal explained, as a support agent would: by one call at the operator's door.

use serde_json::Value;
use streamgate_tests::Client;

use crate::stage::{Unexpected, answered, chapter, check};

/// Where the door of `envoy/edge.yaml` is, and what opens it.
const PORT: u16 = 10_001;
const KEY: &str = "demo-only-operator-key";

/// Asks the door why the account was refused last, and says it in words.
pub(crate) fn explained(account: &str) -> Result<(), Unexpected> {
    chapter("Why was she refused? Support asks the operator's door, a listener of its own.");
    let path = format!("/streamgate/v1/accounts/demo/{account}");
    let call = Client::new(PORT).get(&path);
    let call = call.header("authorization", &format!("Bearer {KEY}"));
    let told = answered(call.try_send())?;
    check(
        &format!("GET http://127.0.0.1:{PORT}{path} answered {}", told.status),
        told.status == 200,
    )?;
    let told = told.json();
    let decisions = told["decisions"].as_array().into_iter().flatten();
    let mut refusals = decisions.filter(|decision| decision["event"] == "refusal");
    let Some(refusal) = refusals.next_back() else {
        return Err(Unexpected(format!("no refusal is told in {told}")));
    };
    let codes: Vec<&Value> = refusal["codes"].as_array().into_iter().flatten().collect();
    check(
        &format!(
            "at {} {} was refused ({}), because rule {} of policy {} allows {}, and {} played",
            time(&refusal["at"]),
            text(&refusal["application"]),
            text(&refusal["reason"]),
            text(&refusal["rule"]),
            text(&refusal["policy"]),
            refusal["limit"],
            refusal["count"],
        ),
        refusal["reason"] == "limit-reached" && refusal["limit"] == 3 && codes.len() == 3,
    )?;
    let streams: Vec<&Value> = told["streams"].as_array().into_iter().flatten().collect();
    for code in &codes {
        let stream = streams.iter().find(|stream| stream["code"] == **code);
        let Some(stream) = stream else {
            return Err(Unexpected(format!(
                "{code} is not among what plays: {told}"
            )));
        };
        println!(
            "      {}  {}, since {}",
            text(code),
            text(&stream["applicationName"]),
            time(&stream["startedAt"]),
        );
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// The time of day in a moment such as `2030-01-01T20:31:07.120Z`.
fn time(value: &Value) -> &str {
    text(value).get(11..19).unwrap_or("?")
}
