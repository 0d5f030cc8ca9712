//! The parts of `docs/performance.md` that are figures. They stand between marks, and a run
//! writes them anew.

/// Puts a text between the marks of a part: `<!-- bench:begin NAME -->` and
/// `<!-- bench:end NAME -->`.
///
/// # Panics
///
/// If the document has no such part.
pub(crate) fn replace(document: &str, part: &str, text: &str) -> String {
    let (begin, end) = (
        format!("<!-- bench:begin {part} -->"),
        format!("<!-- bench:end {part} -->"),
    );
    let (before, rest) = document
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {begin}"));
    let (_, behind) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}\n{}\n{end}{behind}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_what_is_around_it_stays() {
        let document = "a\n<!-- bench:begin x -->\nold\n<!-- bench:end x -->\nb\n";
        let new = replace(document, "x", "new\n");
        assert_eq!(
            new,
            "a\n<!-- bench:begin x -->\nnew\n<!-- bench:end x -->\nb\n"
        );
        assert_eq!(replace(&new, "x", "new"), new);
    }
}
