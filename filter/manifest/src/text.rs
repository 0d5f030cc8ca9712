//! Which texts of a DASH manifest are URLs, and what for.

use crate::bases::Role;

/// What a URL in an element's text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// What other URLs are resolved against.
    Base,
    /// Something to be fetched.
    Leaf(Role),
}

/// What an element's text is, if that is a URL.
pub(crate) fn text_of_element(name: &str) -> Option<Text> {
    match name {
        "BaseURL" => Some(Text::Base),
        "Location" | "PatchLocation" => Some(Text::Leaf(Role::Document)),
        "ContentSteering" | "ImportedMPD" => Some(Text::Leaf(Role::Link)),
        "Laurl" | "laurl" => Some(Text::Leaf(Role::Aside)),
        _ => None,
    }
}

/// What an attribute of an element is, if that is a URL.
pub(crate) fn role_of_attribute(element: &str, name: &str, has_prefix: bool) -> Option<Role> {
    match name {
        "media" | "initialization" => Some(Role::Template),
        // Elsewhere these are numbers and truth values.
        "index" | "bitstreamSwitching" if matches!(element, "SegmentTemplate" | "SegmentURL") => {
            Some(Role::Template)
        }
        "sourceURL" => Some(Role::Segment),
        "href" if has_prefix => Some(Role::Link),
        "licenseUrl" | "reportingUrl" | "proxyServerURL" | "uri" => Some(Role::Aside),
        "value" if element == "UTCTiming" => Some(Role::Aside),
        _ => None,
    }
}

/// What a patch's `add` or `replace` sets, if that is a URL: the attribute or element of this
/// name.
pub(crate) fn text_of(name: &str, is_attribute: bool) -> Option<Text> {
    match is_attribute {
        true => role_of_attribute("SegmentTemplate", name, false).map(Text::Leaf),
        false => text_of_element(name),
    }
}
