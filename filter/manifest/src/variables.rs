//! Variables of HLS playlists (EXT-X-DEFINE): what a URL that uses them refers to, and
//! whether the prefix goes into the URL or into the variable's value.
//!
//! A value is the better place: playlists that import the variable get the prefix with it,
//! and a value that names the host has its path within. It is the place only where each use
//! of the variable in this playlist needs the prefix there.

use crate::playlist;
use crate::task::Task;
use crate::url::{absolute, directory};

/// A variable with a value in this playlist.
#[derive(Debug)]
struct Variable<'p> {
    name: &'p str,
    /// Its value; `None` where it is defined twice.
    value: Option<String>,
    /// Where the value begins in the playlist.
    at: usize,
    /// It is used where its value must not change, or has other variables in it.
    is_fixed: bool,
    /// A URL that begins with it needs the prefix.
    is_wanted: bool,
    /// Where in the value the prefix goes, once that is known.
    position: Option<usize>,
}

/// The variables of a playlist.
#[derive(Debug, Default)]
pub(crate) struct Variables<'p>(Vec<Variable<'p>>);

/// A text whose variables were replaced by their values, as far as those are known.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// All of them are known.
    pub(crate) is_whole: bool,
    /// From where in the result to where in what was expanded, for each piece: (start in the
    /// result, start before, place of the variable or none).
    pieces: Vec<(usize, usize, Option<usize>)>,
}

/// A piece of a text: literally, or the name of a variable.
enum TextPiece<'t> {
    Literal(&'t str),
    Reference(&'t str),
}

/// The most variables a playlist may have: those beyond it are taken for unknown.
const VARIABLES_MAX: usize = 256;

/// The most bytes that a text with variables is expanded to.
const EXPANDED_MAX: usize = 16_384;

impl<'p> Variables<'p> {
    /// Those that a playlist defines.
    pub(crate) fn read(playlist: &'p str, task: &Task<'_>) -> Self {
        let mut variables = Self::default();
        if memchr::memmem::find(playlist.as_bytes(), b"#EXT-X-DEFINE").is_none() {
            return variables;
        }
        playlist::each_line(playlist, |at, line| {
            if line.starts_with("#EXT-X-DEFINE:") {
                variables.define(at, line);
            }
        });
        variables.look_at_uses(playlist, task);
        for variable in &mut variables.0 {
            variable.settle(task);
        }
        variables
    }

    /// Where the prefix goes in values.
    pub(crate) fn to_rewrite(&self) -> impl Iterator<Item = usize> {
        let positions = self.0.iter();
        positions.filter_map(|variable| Some(variable.at.saturating_add(variable.position?)))
    }

    fn define(&mut self, at: usize, line: &'p str) {
        let (mut name, mut value) = (None, None);
        for attribute in playlist::attributes(at, line) {
            match attribute.name {
                "NAME" => name = Some(attribute.value),
                "VALUE" => value = Some(attribute),
                _ => {}
            }
        }
        let (Some(name), Some(value)) = (name, value) else {
            return;
        };
        if let Some(known) = self.0.iter_mut().find(|known| known.name == name) {
            known.value = None;
            return;
        }
        if self.0.len() >= VARIABLES_MAX {
            return;
        }
        let mut expanded = Expanded::default();
        self.expand(value.value, &mut expanded);
        self.0.push(Variable {
            name,
            is_fixed: value.value.contains("{$"),
            value: expanded.is_whole.then_some(expanded.text),
            at: value.at,
            is_wanted: false,
            position: None,
        });
    }

    /// Looks at every use of a variable, for whether the prefix may go into its value.
    fn look_at_uses(&mut self, playlist: &str, task: &Task<'_>) {
        let mut room = Expanded::default();
        playlist::each_line(playlist, |at, line| {
            if !playlist::has_variables(line) {
                return;
            }
            if !line.starts_with('#') {
                self.look_at_url(line, &mut room, task);
            }
            for attribute in playlist::attributes(at, line) {
                match playlist::is_url(attribute.name) {
                    true => self.look_at_url(attribute.value, &mut room, task),
                    // What its value means there is not known.
                    false => self.fix_all(attribute.value),
                }
            }
        });
    }

    fn look_at_url(&mut self, url: &str, expanded: &mut Expanded, task: &Task<'_>) {
        self.expand(url, expanded);
        let found = absolute(&expanded.text, task.hosts);
        let at = found
            .filter(|(_, path)| carries_expanded(expanded, path, task))
            .and_then(|(at, _)| expanded.variable_at(at));
        if let Some(variable) = at.and_then(|at| self.0.get_mut(at)) {
            variable.is_wanted = true;
        }
        for (_, _, other) in &expanded.pieces {
            if let Some(other) = *other
                && Some(other) != at
                && let Some(variable) = self.0.get_mut(other)
            {
                variable.is_fixed = true;
            }
        }
    }

    /// No variable of a text may change its value.
    fn fix_all(&mut self, text: &str) {
        for piece in pieces(text) {
            if let (_, TextPiece::Reference(name)) = piece
                && let Some(known) = self.0.iter_mut().find(|known| known.name == name)
            {
                known.is_fixed = true;
            }
        }
    }

    /// Where in a URL that uses variables the prefix goes.
    pub(crate) fn position_of_prefix(
        &self,
        url: &str,
        expanded: &mut Expanded,
        task: &Task<'_>,
    ) -> PrefixPosition {
        self.expand(url, expanded);
        let Some((at, path)) = absolute(&expanded.text, task.hosts) else {
            let is_known = expanded.is_whole || !is_open(&expanded.text);
            return if is_known {
                PrefixPosition::Nowhere
            } else {
                PrefixPosition::Unknown
            };
        };
        if !carries_expanded(expanded, path, task) {
            let is_known = expanded.is_whole || crate::url::has_token(path);
            return if is_known {
                PrefixPosition::Nowhere
            } else {
                PrefixPosition::Unknown
            };
        }
        let variable = expanded.variable_at(at).and_then(|at| self.0.get(at));
        if variable.is_some_and(|variable| variable.position.is_some()) {
            return PrefixPosition::Nowhere;
        }
        expanded
            .position_before(at)
            .map_or(PrefixPosition::Unknown, PrefixPosition::At)
    }

    /// Replaces variables by their values, up to the first that is not known.
    fn expand(&self, text: &str, expanded: &mut Expanded) {
        expanded.text.clear();
        expanded.pieces.clear();
        expanded.is_whole = false;
        for (at, piece) in pieces(text) {
            let (text, variable) = match piece {
                TextPiece::Literal(text) => (text, None),
                TextPiece::Reference(name) => {
                    let at = self.0.iter().position(|known| known.name == name);
                    let known = at.and_then(|at| self.0.get(at));
                    match known.and_then(|known| known.value.as_deref()) {
                        Some(value) => (value, at),
                        None => return,
                    }
                }
            };
            if expanded.text.len().saturating_add(text.len()) > EXPANDED_MAX {
                return;
            }
            expanded.pieces.push((expanded.text.len(), at, variable));
            expanded.text.push_str(text);
        }
        expanded.is_whole = true;
    }
}

impl Variable<'_> {
    /// Decides whether the prefix goes into the value.
    fn settle(&mut self, task: &Task<'_>) {
        let Some(value) = self.value.as_deref().filter(|_| !self.is_fixed) else {
            return;
        };
        let Some((at, path)) = absolute(value, task.hosts) else {
            return;
        };
        // Playlists that import it may use it where this one does not.
        if path.starts_with('/') && (self.is_wanted || task.carries(path)) {
            self.position = Some(at);
        }
    }
}

impl Expanded {
    /// The variable whose value has this place of the result in it.
    fn variable_at(&self, at: usize) -> Option<usize> {
        let mut pieces = self.pieces.iter().rev();
        let (_, _, variable) = pieces.find(|(start, ..)| *start <= at)?;
        *variable
    }

    /// The place in what was expanded that is this place of the result; `None` where it is
    /// within a value.
    fn position_before(&self, at: usize) -> Option<usize> {
        let mut pieces = self.pieces.iter().rev();
        let (start, before, variable) = pieces.find(|(start, ..)| *start <= at)?;
        let within = at.saturating_sub(*start);
        (variable.is_none() || within == 0).then_some(before.saturating_add(within))
    }
}

/// Where in a URL the prefix goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrefixPosition {
    /// In front of this byte of it.
    At(usize),
    /// It needs none, or a variable that it uses has it.
    Nowhere,
    /// That cannot be known.
    Unknown,
}

/// Whether a path of which only the beginning may be known is to have the prefix.
fn carries_expanded(expanded: &Expanded, path: &str, task: &Task<'_>) -> bool {
    match expanded.is_whole {
        true => task.carries(path),
        false => task.carries(directory(path)),
    }
}

/// Whether an unknown rest decides at which host a URL is, or that it is a path.
fn is_open(known: &str) -> bool {
    match known.split_once("//") {
        Some((_, host)) => !host.contains('/'),
        None => known.is_empty(),
    }
}

/// The pieces of a text, and where each begins.
fn pieces(text: &str) -> impl Iterator<Item = (usize, TextPiece<'_>)> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let at = text.len().saturating_sub(rest.len());
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix("{$")
            && let Some((name, behind)) = after.split_once('}')
        {
            rest = behind;
            return Some((at, TextPiece::Reference(name)));
        }
        // A brace that begins no reference is part of the text.
        let after = rest.as_bytes().get(1..).unwrap_or_default();
        let end = memchr::memchr(b'{', after).map(|next| next.saturating_add(1));
        let (literal, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = behind;
        Some((at, TextPiece::Literal(literal)))
    })
}
