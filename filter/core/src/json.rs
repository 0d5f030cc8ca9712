//! JSON, written field by field. What serde makes for each type takes six times as much of the
//! module, and what is written by this is written in one way only.

/// JSON under way. Fields of an object have a name, items of a list have none (`""`).
#[derive(Default)]
pub(crate) struct Json(Vec<u8>);

impl Json {
    /// An object.
    pub(crate) fn of(fields: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::default();
        json.object("", fields);
        json.0
    }

    pub(crate) fn object(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.open(name, b'{');
        fields(self);
        self.0.push(b'}');
    }

    pub(crate) fn list<T>(
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
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.value(text);
    }

    /// A text that is left out where it is empty.
    #[inline(never)]
    pub(crate) fn known(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    #[inline(never)]
    pub(crate) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.0.extend_from_slice(number.to_string().as_bytes());
    }

    pub(crate) fn count(&mut self, name: &str, count: usize) {
        self.number(name, u64::try_from(count).unwrap_or(u64::MAX));
    }

    #[inline(never)]
    pub(crate) fn truth(&mut self, name: &str, truth: bool) {
        self.name(name);
        let word: &[u8] = if truth { b"true" } else { b"false" };
        self.0.extend_from_slice(word);
    }

    #[inline(never)]
    pub(crate) fn null(&mut self, name: &str) {
        self.name(name);
        self.0.extend_from_slice(b"null");
    }

    /// What serde writes of a value.
    pub(crate) fn written(&mut self, name: &str, value: &impl serde::Serialize) {
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
        let mut bytes = text.bytes();
        // As most are. One answer has a thousand of them.
        if bytes.all(|byte| byte >= b' ' && !b"\"\\".contains(&byte)) {
            self.quoted(text);
            return;
        }
        let written = serde_json::to_vec(text).unwrap_or_default();
        self.0.extend_from_slice(&written);
    }
}
