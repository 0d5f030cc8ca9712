//! Policies and the applications that list them, compiled and ready to judge by.

use std::sync::Arc;

use streamgate_values::attributes::{ATTRIBUTE_BYTES, Attributes};
use streamgate_values::hash::HashMap;

use super::action::Action;
use super::message::Message;
use super::rule::Rule;

/// A named group of rules, all of which hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Name, unique in the configuration.
    pub name: String,
    /// Whether it only watches.
    pub mode: Mode,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// Whether a policy acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
pub enum Mode {
    /// It refuses and evicts.
    #[default]
    Enforce,
    /// It judges and counts, and never refuses or evicts: the safe way to introduce a
    /// limit.
    Monitor,
}

/// A client application of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The application id (HTTP Basic user name).
    pub id: String,
    /// Name shown in advice.
    pub name: String,
    /// The organisation that owns it.
    pub tenant: String,
    /// The policies it lists, as places in the book.
    policies: Vec<usize>,
    /// The same places as a set: one bit for each place in the book.
    listed: Vec<u64>,
}

/// Every policy and application of a configuration.
#[derive(Debug, Clone)]
pub struct PolicyBook {
    policies: Vec<Policy>,
    /// The attributes that policies which act need, each once.
    needed: Vec<String>,
    /// The claims that rules go by, each once.
    limit_claims: Vec<String>,
    /// Whether a message is there in several languages.
    has_languages: bool,
    /// Where in `policies` a name is.
    places: HashMap<String, usize>,
    applications: HashMap<String, Arc<Application>>,
    /// The most live streams one subject may have, whatever its policies say.
    pub max_streams_per_subject: usize,
    /// The most bytes of text that the attributes of one stream may have together.
    pub max_attribute_bytes: usize,
    /// The most heartbeats and stops a session may make in a minute.
    pub calls_per_minute: u32,
    /// The most creates a subject may make in a minute.
    pub creates_per_minute: u32,
    /// Whether what calls create has players with keys of their own.
    pub sessions_have_players: bool,
    /// How long any stream lives at most without a sign of life, in milliseconds. Its player's buffer
    /// comes on top.
    pub longest_timeout_ms: u64,
}

impl Application {
    /// Whether it lists the policy at this place in the book.
    #[must_use]
    pub fn lists(&self, policy: usize) -> bool {
        let (word, bit) = word_and_bit(policy);
        self.listed.get(word).is_some_and(|word| word & bit != 0)
    }
}

impl PolicyBook {
    /// An empty book that throttles nobody.
    #[must_use]
    pub fn new(max_streams_per_subject: usize) -> Self {
        Self {
            policies: Vec::new(),
            needed: Vec::new(),
            limit_claims: Vec::new(),
            has_languages: false,
            places: HashMap::default(),
            applications: HashMap::default(),
            max_streams_per_subject,
            max_attribute_bytes: ATTRIBUTE_BYTES,
            calls_per_minute: u32::MAX,
            creates_per_minute: u32::MAX,
            sessions_have_players: false,
            longest_timeout_ms: u64::MAX,
        }
    }

    /// Adds a policy; applications list it by its name from then on. Of two with the
    /// same name, they list the first.
    pub fn add_policy(&mut self, policy: Policy) {
        let index = self.policies.len();
        self.places.entry(policy.name.clone()).or_insert(index);
        if policy.mode == Mode::Enforce {
            for name in policy.rules.iter().flat_map(Rule::needs) {
                if !self.needed.iter().any(|known| known == name) {
                    self.needed.push(name.to_owned());
                }
            }
        }
        for claim in policy
            .rules
            .iter()
            .filter_map(|rule| rule.max_claim.as_ref())
        {
            if !self.limit_claims.contains(claim) {
                self.limit_claims.push(claim.clone());
            }
        }
        let mut messages = policy.rules.iter().map(|rule| &rule.message);
        self.has_languages |= messages.any(Message::has_languages);
        let mut actions = policy.rules.iter().filter_map(|rule| rule.action.as_ref());
        self.has_languages |= actions.any(Action::has_languages);
        self.policies.push(policy);
    }

    /// Whether what viewers are told depends on the languages they read.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        self.has_languages
    }

    /// The claims that rules go by (`max_claim`), each once: what is worth reading from
    /// a credential for [`Limits`](streamgate_values::limits::Limits).
    #[must_use]
    pub fn limit_claims(&self) -> &[String] {
        &self.limit_claims
    }

    /// Adds an application that lists the policies with these names.
    ///
    /// # Errors
    ///
    /// The place in `policies` of the first name the book does not have.
    pub fn add_application(
        &mut self,
        id: &str,
        name: &str,
        tenant: &str,
        policies: &[String],
    ) -> Result<(), usize> {
        let mut places = Vec::with_capacity(policies.len());
        for (at, wanted) in policies.iter().enumerate() {
            places.push(*self.places.get(wanted).ok_or(at)?);
        }
        let mut listed = vec![0; self.policies.len().div_ceil(64)];
        for index in &places {
            let (word, bit) = word_and_bit(*index);
            if let Some(word) = listed.get_mut(word) {
                *word |= bit;
            }
        }
        let application = Application {
            id: id.to_owned(),
            name: name.to_owned(),
            tenant: tenant.to_owned(),
            policies: places,
            listed,
        };
        self.applications
            .insert(id.to_owned(), Arc::new(application));
        Ok(())
    }

    /// The application with this id.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Arc<Application>> {
        self.applications.get(id)
    }

    /// The policy at this place.
    #[must_use]
    pub fn policy(&self, index: usize) -> Option<&Policy> {
        self.policies.get(index)
    }

    /// How many policies there are.
    #[must_use]
    pub fn policy_count(&self) -> usize {
        self.policies.len()
    }

    /// All policies, in the configuration's order.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policies that an application lists, with their places in the book.
    pub fn policies_of<'a>(
        &'a self,
        application: &'a Application,
    ) -> impl Iterator<Item = (usize, &'a Policy)> {
        let places = application.policies.iter();
        places.filter_map(|index| Some((*index, self.policies.get(*index)?)))
    }

    /// Whether the policy at this place sees streams of the application with this id.
    /// Of one that is no longer configured none does.
    #[must_use]
    pub fn sees(&self, policy: usize, application: &str) -> bool {
        self.application(application)
            .is_some_and(|application| application.lists(policy))
    }

    /// Whether an application is shown streams of the application with this id, and may ask to
    /// have them stopped: its own, its tenant's, and those that share a policy with it.
    #[must_use]
    pub fn shows(&self, application: &Application, other: &str) -> bool {
        if application.id == other {
            return true;
        }
        let is_tenants = |other: &Arc<Application>| other.tenant == application.tenant;
        self.application(other).is_some_and(is_tenants)
            || self
                .policies_of(application)
                .any(|(index, _)| self.sees(index, other))
    }

    /// A rule by its policy's name and its own, with the policy's place in the book.
    #[must_use]
    pub fn rule(&self, policy: &str, rule: &str) -> Option<(usize, &Policy, &Rule)> {
        let index = *self.places.get(policy)?;
        let policy = self.policies.get(index)?;
        let rule = policy.rules.iter().find(|known| known.name == rule)?;
        Some((index, policy, rule))
    }

    /// The attributes that an application's policies need, each once.
    #[must_use]
    pub fn needs<'a>(&'a self, application: &'a Application) -> Vec<&'a str> {
        let mut names = Vec::new();
        for (_, policy) in self.policies_of(application) {
            for name in policy.rules.iter().flat_map(Rule::needs) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Those of them that a stream with these `attributes` lacks. A rule that looks at
    /// other streams needs nothing of it: one for live streams does not ask for the
    /// channel of a film. Nor does a policy that only watches: it refuses nobody.
    #[must_use]
    pub fn missing(&self, application: &Application, attributes: &Attributes) -> Vec<String> {
        let is_known = |name: &String| attributes.known(name).is_some();
        if self.needed.iter().all(is_known) {
            return Vec::new();
        }
        let mut missing: Vec<String> = Vec::new();
        let policies = self.policies_of(application).map(|(_, policy)| policy);
        let acting = policies.filter(|policy| policy.mode == Mode::Enforce);
        for rule in acting.flat_map(|policy| &policy.rules) {
            let lacks = |name: &&str| attributes.known(name).is_none();
            for name in rule.needs().filter(lacks) {
                if rule.may_concern(attributes) && !missing.iter().any(|known| known == name) {
                    missing.push(name.to_owned());
                }
            }
        }
        missing
    }
}

/// Where a place is in a set of places.
fn word_and_bit(index: usize) -> (usize, u64) {
    let bit = u32::try_from(index % 64).unwrap_or_default();
    (index / 64, 1_u64.rotate_left(bit))
}

#[cfg(test)]
mod tests {
    use crate::OnConflict;
    use crate::testing::{book, limit, test};

    #[test]
    fn an_application_lists_what_it_names_however_many_policies_there_are() {
        let name = |n: usize| format!("P{n}");
        let policies = (0..200).map(|n| limit(&name(n), 1, OnConflict::DenyNew));
        let mut book = book(policies.collect(), &[]);
        let listed = [0, 63, 64, 130, 199];
        book.add_application("app", "app", "tenant", &listed.map(name))
            .unwrap();
        let application = book.application("app").unwrap();
        for index in 0..300 {
            assert_eq!(application.lists(index), listed.contains(&index), "{index}");
        }
    }
}
