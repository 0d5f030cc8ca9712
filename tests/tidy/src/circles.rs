//! Files of one crate that need each other.
//!
//! A file needs another if a path in it leads there: to where an item is defined, whatever
//! passes it on. Tests may need whatever they test.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Source, sources};

/// Segments of a path.
type Path = Vec<String>;

/// Each circle of a crate, as the files in it and, for each, why it needs one of the others.
#[must_use]
pub fn circles(room: &str) -> Vec<Vec<String>> {
    let source = format!("{room}/src");
    let files = sources(&source)
        .into_iter()
        .filter(|file| !is_test(&file.path));
    let files: Vec<(Path, Source)> = files
        .map(|file| (module(&file.path[source.len() + 1..]), file))
        .collect();
    let tests = sources(&source)
        .into_iter()
        .filter(|file| is_test(&file.path));
    let tests = tests
        .map(|file| module(&file.path[source.len() + 1..]))
        .collect();
    let map = Map {
        modules: files.iter().map(|(module, _)| module.clone()).collect(),
        tests,
        passed_on: files
            .iter()
            .flat_map(|(module, file)| uses(module, code_of(file)))
            .collect(),
    };
    let needs: BTreeMap<&Path, BTreeMap<Path, String>> = files
        .iter()
        .map(|(module, file)| (module, map.needs(module, code_of(file))))
        .collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    let mut seen: BTreeSet<&Path> = BTreeSet::new();
    for (module, _) in &files {
        if seen.contains(module) {
            continue;
        }
        let ahead = reached(module, &needs);
        let circle: Vec<&Path> = files
            .iter()
            .map(|(other, _)| other)
            .filter(|other| ahead.contains(*other) && reached(other, &needs).contains(module))
            .collect();
        seen.extend(&circle);
        if !circle.is_empty() {
            let told = circle.iter().map(|of| {
                let inside = needs[*of].iter().filter(|(to, _)| circle.contains(to));
                let inside: Vec<String> = inside
                    .map(|(to, by)| format!("{} ({by})", to.join("::")))
                    .collect();
                format!("{} needs {}", of.join("::"), inside.join(", "))
            });
            circles.push(told.collect());
        }
    }
    circles
}

fn reached(from: &Path, needs: &BTreeMap<&Path, BTreeMap<Path, String>>) -> BTreeSet<Path> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Path> = needs
        .get(from)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    while let Some(module) = next.pop() {
        if reached.insert(module.clone()) {
            next.extend(needs.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    reached
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| {
        let part = part.trim_end_matches(".rs");
        part.ends_with("tests") || matches!(part, "testing" | "properties" | "test_edge")
    })
}

/// The code before a file's own tests.
fn code_of(file: &Source) -> &str {
    crate::before_tests(&file.code)
}

fn module(path: &str) -> Path {
    let mut module: Path = path
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    module
}

/// What the `use`s of a module bring into it: the name there, and what it stands for.
fn uses(module: &Path, code: &str) -> Vec<(Path, (Path, Path))> {
    let mut uses = Vec::new();
    for tree in statements(code) {
        for (path, name) in leaves(tree) {
            let mut here = module.clone();
            here.push(name);
            uses.push((here, (module.clone(), path)));
        }
    }
    uses
}

/// The trees of the `use`s in some code.
fn statements(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let begins = rest[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace);
        rest = &rest[at + 4..];
        if begins && let Some(end) = rest.find(';') {
            found.push(&rest[..end]);
        }
    }
    found
}

/// The paths of a `use`'s tree, each with the name it has from then on.
fn leaves(tree: &str) -> Vec<(Path, String)> {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let before: Path = segments(&tree[..open]);
        let inside = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
        return parts(inside)
            .into_iter()
            .flat_map(leaves)
            .map(|(path, name)| {
                let mut whole = before.clone();
                let is_self = path == ["self"];
                whole.extend(path.into_iter().filter(|_| !is_self));
                let name = if name == "self" {
                    whole.last().cloned().unwrap_or_default()
                } else {
                    name
                };
                (whole, name)
            })
            .collect();
    }
    if tree.is_empty() {
        return Vec::new();
    }
    let (path, alias) = tree
        .split_once(" as ")
        .map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let path = segments(path);
    let name = alias.map(str::to_owned).or_else(|| path.last().cloned());
    vec![(path, name.unwrap_or_default())]
}

/// What stands between commas that are in no braces.
fn parts(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[begin..]);
    parts
}

fn segments(path: &str) -> Path {
    let segments = path
        .split("::")
        .map(str::trim)
        .filter(|segment| !segment.is_empty());
    segments.map(str::to_owned).collect()
}

struct Map {
    modules: BTreeSet<Path>,
    tests: BTreeSet<Path>,
    passed_on: BTreeMap<Path, (Path, Path)>,
}

impl Map {
    /// The modules that code of this one needs, each with a path that leads there.
    fn needs(&self, module: &Path, code: &str) -> BTreeMap<Path, String> {
        let mut needs = BTreeMap::new();
        let mut paths: Vec<Path> = Vec::new();
        for tree in statements(code) {
            let passes_on = is_public(code, tree);
            for (path, name) in leaves(tree) {
                let is_module = self
                    .absolute(&path, module)
                    .is_some_and(|path| self.modules.contains(&path));
                let is_used = !passes_on || used(code, tree, &name);
                if is_used && !is_module {
                    paths.push(path);
                }
            }
        }
        paths.extend(written_paths(code));
        for path in paths {
            let Some(whole) = self.absolute(&path, module) else {
                continue;
            };
            if let Some(to) = self.resolved(whole, 0)
                && to != *module
            {
                needs.entry(to).or_insert_with(|| path.join("::"));
            }
        }
        needs
    }

    /// A path from the crate's root, if it leads into this crate.
    fn absolute(&self, path: &Path, module: &Path) -> Option<Path> {
        let mut at = module.clone();
        let mut rest = path.as_slice();
        match rest.first()?.as_str() {
            "crate" => return Some(rest[1..].to_vec()),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let mut here = module.clone();
                here.push(first.to_owned());
                if !self.modules.contains(&here) && !self.passed_on.contains_key(&here) {
                    return None;
                }
            }
        }
        at.extend(rest.iter().cloned());
        Some(at)
    }

    /// The module that defines what a path leads to.
    fn resolved(&self, path: Path, depth: usize) -> Option<Path> {
        if depth > 9 {
            return None;
        }
        for length in 1..=path.len() {
            let head = path[..length].to_vec();
            if self.tests.contains(&head) {
                return None;
            }
            if !self.modules.contains(&head)
                && let Some((module, to)) = self.passed_on.get(&head)
            {
                if *to == path {
                    return None;
                }
                let mut whole = self.absolute(to, module)?;
                whole.extend(path[length..].iter().cloned());
                return (whole != path).then(|| self.resolved(whole, depth + 1))?;
            }
        }
        (0..=path.len())
            .rev()
            .map(|length| path[..length].to_vec())
            .find(|head| self.modules.contains(head))
    }
}

/// Whether a `use` is public, at least to some.
fn is_public(code: &str, tree: &str) -> bool {
    let at = tree.as_ptr() as usize - code.as_ptr() as usize;
    let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
    code[line..at].trim_start().starts_with("pub")
}

/// Whether code says a name besides in this `use`.
fn used(code: &str, tree: &str, name: &str) -> bool {
    let at = tree.as_ptr() as usize - code.as_ptr() as usize;
    let elsewhere =
        |(begin, found): (usize, &str)| found == name && !(at..at + tree.len()).contains(&begin);
    crate::identifiers(code).any(elsewhere)
}

/// Paths of more than one segment that stand in code, besides those of `use`s.
fn written_paths(code: &str) -> Vec<Path> {
    let mut without = code.to_owned();
    for tree in statements(code) {
        let at = tree.as_ptr() as usize - code.as_ptr() as usize;
        without.replace_range(at..at + tree.len(), &" ".repeat(tree.len()));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = without
        .split(|c| !is_part(c))
        .filter(|word| word.contains("::"));
    words
        .map(|word| segments(word.trim_matches(':')))
        .filter(|path| path.len() > 1)
        .collect()
}
