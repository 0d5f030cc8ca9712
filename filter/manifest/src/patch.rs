//! What an operation of a manifest's patch sets (RFC 5261, as DASH uses it).

use crate::text::{Text, text_of};

/// What the text of an `add` or `replace` is, by one of its attributes: `type="@media"` adds
/// an attribute, `sel="/MPD/BaseURL/text()"` and `sel="//SegmentTemplate/@media"` replace what
/// they select.
pub(crate) fn text(attribute: &str, value: &str) -> Option<Text> {
    let step = match attribute {
        "type" => value,
        "sel" => last_step(value)?,
        _ => return None,
    };
    let (step, is_attribute) = match step.strip_prefix('@') {
        Some(name) => (name, true),
        None => (step, false),
    };
    let name = step.rsplit(':').next()?;
    text_of(name, is_attribute)
}

/// The last step of a path that is no `text()`, without its predicates.
fn last_step(path: &str) -> Option<&str> {
    let path = path.trim_ascii();
    let path = path.strip_suffix("/text()").unwrap_or(path);
    // A predicate may have slashes in it.
    let path = match path.strip_suffix(']') {
        Some(path) => path.rsplit_once('[')?.0,
        None => path,
    };
    path.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::bases::Role;
    use crate::test;
    use crate::text::Text;

    #[test]
    fn what_a_patch_sets_is_told_by_its_selector() {
        let template = Some(Text::Leaf(Role::Template));
        for (attribute, value, expected) in [
            ("type", "@media", template),
            ("sel", "/MPD/Period[1]/SegmentTemplate/@media", template),
            ("sel", "/MPD/BaseURL/text()", Some(Text::Base)),
            ("sel", "/MPD/Period[@id='a/b']/BaseURL[1]", Some(Text::Base)),
            ("sel", "/d:MPD/d:BaseURL[2]/text()", Some(Text::Base)),
            ("sel", "/MPD/@publishTime", None),
            ("sel", "/MPD/Period[@media='/vod/']", None),
            ("sel", "]", None),
            ("pos", "@media", None),
        ] {
            assert_eq!(text(attribute, value), expected, "{attribute}={value}");
        }
    }
}
