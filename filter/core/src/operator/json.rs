//! An answer's JSON.

use crate::exchange::Answer;
pub(super) use crate::json::Json;

impl Json {
    /// Answers with an object.
    pub(super) fn answer(status: u16, fields: impl FnOnce(&mut Self)) -> Answer {
        let type_name = match status {
            200 => "application/json",
            _ => "application/problem+json",
        };
        let mut answer = Answer::empty(status).with("content-type", type_name);
        answer.body = Self::of(fields);
        answer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::test;

    #[test]
    fn what_is_written_is_json_whatever_texts_hold() {
        let awkward = "a\"b\\c\u{0}\u{7f}ü\u{2028}</script>";
        let answer = Json::answer(400, |json| {
            json.text("text", awkward);
            json.known("none", "");
            json.object("empty", |_| ());
            json.list("list", [1_u64, 2], |json, n| {
                json.object("", |json| json.number("n", n));
            });
            json.list("texts", ["a", "["], |json, text| json.text("", text));
            json.truth("is", true);
            json.null("null");
            json.count("most", usize::MAX);
        });
        let read: Value = serde_json::from_slice(&answer.body).unwrap();
        let expected = json!({
            "text": awkward, "empty": {}, "list": [{"n": 1}, {"n": 2}], "texts": ["a", "["],
            "is": true, "null": null, "most": usize::MAX,
        });
        assert_eq!(read, expected);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}
