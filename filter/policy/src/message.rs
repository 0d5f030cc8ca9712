//! What a viewer is told, in the viewer's language.

use super::languages::accepted;

/// A text in one language or several, with placeholders: `{limit}` for the rule's
/// limit, `{attribute}` for what it counts, `{device}` for the device of the stream
/// in the way that has played longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Language tags (RFC 5646) in lower case, each with its text.
    texts: Vec<(String, String)>,
    /// The text for whoever reads none of them.
    fallback: String,
}

impl Message {
    /// One text for everybody.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            texts: Vec::new(),
            fallback: text.into(),
        }
    }

    /// Texts by language; the first is for whoever reads none of them. `None` without any.
    #[must_use]
    pub fn by_language(texts: Vec<(String, String)>) -> Option<Self> {
        let fallback = texts.first()?.1.clone();
        let lower = |(tag, text): (String, String)| (tag.to_ascii_lowercase(), text);
        Some(Self {
            texts: texts.into_iter().map(lower).collect(),
            fallback,
        })
    }

    /// Whether there is more than one to choose from.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        self.texts.len() > 1
    }

    /// The text in the language that an `Accept-Language` header (RFC 9110, section
    /// 12.5.4) prefers, its placeholders filled.
    #[must_use]
    pub fn render(&self, languages: &str, limit: u32, attribute: &str, device: &str) -> String {
        self.text(languages)
            .replace("{limit}", &limit.to_string())
            .replace("{attribute}", attribute)
            .replace("{device}", device)
    }

    /// The text in the language that an `Accept-Language` header prefers, as it is written.
    #[must_use]
    pub fn text(&self, languages: &str) -> &str {
        if self.texts.is_empty() {
            return &self.fallback;
        }
        let mut best = (0, self.fallback.as_str());
        for (tag, weight) in accepted(languages) {
            if weight > best.0
                && let Some(text) = self.in_language(&tag.to_ascii_lowercase())
            {
                best = (weight, text);
            }
        }
        best.1
    }

    /// By the whole tag, else by its language: `de-AT` is served with `de`.
    fn in_language(&self, tag: &str) -> Option<&str> {
        let language = tag.split('-').next().unwrap_or_default();
        [tag, language].iter().find_map(|wanted| {
            let mut texts = self.texts.iter();
            texts
                .find(|(known, _)| known == wanted)
                .map(|(_, text)| text.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_viewers_language_is_chosen_and_placeholders_are_filled() {
        let message = Message::by_language(vec![
            ("en".to_owned(), "Only {limit}; {device} plays".to_owned()),
            ("de".to_owned(), "Nur {limit}; {device} spielt".to_owned()),
        ])
        .unwrap();
        let render = |languages| message.render(languages, 3, "streams", "TV");
        assert_eq!(render("de-AT, en;q=0.5"), "Nur 3; TV spielt");
        assert_eq!(render("fr, de;q=0.3, en;q=0.5"), "Only 3; TV plays");
        assert_eq!(render("fr"), "Only 3; TV plays");
        assert_eq!(render(""), "Only 3; TV plays");
        assert_eq!(render(";;,q=,\u{fffd}"), "Only 3; TV plays");
    }

    #[test]
    fn of_equal_weights_the_first_is_chosen_and_what_has_none_is_not() {
        let texts = [("en", "Only"), ("de", "Nur"), ("fr", "Que")];
        let texts = texts.map(|(tag, text)| (tag.to_owned(), text.to_owned()));
        let message = Message::by_language(texts.to_vec()).unwrap();
        for (languages, expected) in [
            ("fr, de", "Que"),
            ("de;q=0.5, fr;q=0.5", "Nur"),
            ("it, fr;q=0.2, de;q=0.2", "Que"),
            ("de;q=0", "Only"),
            ("de;q=0.000, fr;q=0.001", "Que"),
        ] {
            assert_eq!(message.text(languages), expected, "{languages}");
        }
    }
}
