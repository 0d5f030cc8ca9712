//! The way out that a rule offers.

use streamgate_policy::{Action, Message};

use super::super::limits::{LABEL_MAX, URL_MAX};
use super::super::raw::{RawAction, RawHttps, RawMessage, RawUrl};
use super::check::{Check, field, shown};

impl Check<'_> {
    pub(super) fn action(&mut self, path: &str, raw: Option<&RawAction>) -> Option<Action> {
        let RawAction { label, url } = raw?;
        Some(Action {
            label: self.label(&field(path, "label"), label),
            url: self.url(&field(path, "url"), url),
        })
    }

    fn label(&mut self, path: &str, raw: &RawMessage) -> Message {
        let label = self.message(path, Some(raw), LABEL_MAX);
        match raw {
            RawMessage::Text(text) => self.check_label(path, text),
            RawMessage::ByLanguage(texts) => {
                for (tag, text) in texts.iter() {
                    self.check_label(&field(path, tag), text);
                }
            }
        }
        label
    }

    fn check_label(&mut self, path: &str, text: &str) {
        if text.chars().any(char::is_control) {
            self.wrong(path, shown(path, text), "a text without control characters");
        }
    }

    fn url(&mut self, path: &str, raw: &RawUrl) -> Message {
        match raw {
            RawUrl::Text(RawHttps(url)) => {
                self.check_url(path, url);
                Message::plain(url)
            }
            RawUrl::ByLanguage(urls) => {
                for (tag, RawHttps(url)) in urls.iter() {
                    self.check_url(&field(path, tag), url);
                }
                let urls = urls.iter().map(|(tag, RawHttps(url))| (tag, url));
                self.by_language(path, urls)
            }
        }
    }

    fn check_url(&mut self, path: &str, url: &str) {
        if url.len() > URL_MAX || !is_https(url) {
            let allowed = format!(
                "an https URL in ASCII, without user and password, of at most {URL_MAX} bytes"
            );
            self.wrong(path, shown(path, url), allowed);
        }
    }
}

/// Whether a text is an https URL that any app can open. Stricter than the standard has it:
/// what is refused here is told to an operator, and what is let in goes to every viewer.
fn is_https(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |port: &str| is_digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !host.is_empty()
        && host.bytes().all(is_in_name)
        && port.is_none_or(is_port)
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn only_what_every_app_can_open_safely_is_an_https_url() {
        for good in [
            "https://example.com",
            "https://example.com:8443/a?b=c#d",
            "https://xn--bcher-kva.example/%C3%BC",
            "https://help.example?topic=screens",
        ] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///a",
            "http://example.com",
            "HTTPS://example.com",
            "//example.com",
            "/help",
            "javascript:alert(1)",
            "data:text/html,x",
            " https://example.com",
            "https://user:password@example.com",
            "https://example.com@evil.example",
            "https://example.com\\@evil.example",
            "https://example.com:0",
            "https://example.com:+1",
            "https://example.com:65536",
            "https://example.com:",
            "https://example.com/a b",
            "https://example.com/\n",
            "https://bücher.example",
            "https://example.com/ü",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
    }
}
