//! An answer's JSON, written field by field. What serde makes for each type of an answer takes
//! six times as much of the module, and these are written in one way only.

use crate::exchange::Answer;

/// JSON under way. Fields of an object have a name, items of a list have none (`""`).
#[derive(Default)]
pub(super) struct Json(Vec<u8>);

impl Json {
    /// Answers with an object.
    pub(super) fn answer(status: u16, fields: impl FnOnce(&mut Self)) -> Answer {
        let mut json = Self::default();
        json.object("", fields);
        let type_name = match status {
            200 => "application/json",
            _ => "application/problem+json",
        };
        let mut answer = Answer::empty(status).with("content-type", type_name);
        answer.body = json.0;
        answer
    }

    pub(super) fn object(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.open(name, b'{');
        fields(self);
        self.0.push(b'}');
    }

    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.open(name, b'[');
        for one in items {
            item(self, one);
        }
        self.0.push(b']');
    }

    #[inline(never)]
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.value(text);
    }

    /// A text that is left out where it is empty.
    #[inline(never)]
    pub(super) fn known(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    #[inline(never)]
    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.0.extend_from_slice(number.to_string().as_bytes());
    }

    pub(super) fn count(&mut self, name: &str, count: usize) {
        self.number(name, u64::try_from(count).unwrap_or(u64::MAX));
    }

    #[inline(never)]
    pub(super) fn truth(&mut self, name: &str, truth: bool) {
        self.name(name);
        let word: &[u8] = if truth { b"true" } else { b"false" };
        self.0.extend_from_slice(word);
    }

    #[inline(never)]
    pub(super) fn null(&mut self, name: &str) {
        self.name(name);
        self.0.extend_from_slice(b"null");
    }

    /// What serde writes of a value.
    pub(super) fn written(&mut self, name: &str, value: &impl serde::Serialize) {
        self.name(name);
        let written = serde_json::to_vec(value).unwrap_or_default();
        self.0.extend_from_slice(&written);
    }

    fn open(&mut self, name: &str, bracket: u8) {
        self.name(name);
        self.0.push(bracket);
    }

    #[inline(never)]
    fn name(&mut self, name: &str) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[')) {
            self.0.push(b',');
        }
        if !name.is_empty() {
            self.quoted(name);
            self.0.push(b':');
        }
    }

    /// A text in which nothing has to be escaped.
    fn quoted(&mut self, text: &str) {
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    #[inline(never)]
    fn value(&mut self, text: &str) {
        // As most are. One answer has a thousand of them.
        if text
            .bytes()
            .all(|byte| byte >= b' ' && !b"\"\\".contains(&byte))
        {
            self.0.push(b'"');
            self.0.extend_from_slice(text.as_bytes());
            self.0.push(b'"');
            return;
        }
        let written = serde_json::to_vec(text).unwrap_or_default();
        self.0.extend_from_slice(&written);
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
