//! Policies and the applications that list them, compiled and ready to judge by.

use hashbrown::HashMap;

/// What happens when a start would exceed a rule's limit (contract, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// LIFO: the newcomer is refused, nobody else is touched.
    DenyNew,
    /// FIFO: the newcomer plays, the oldest conflicting streams lose their place.
    StopOldest,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Name, unique within its policy.
    pub name: String,
    /// The most streams allowed at once.
    pub max: u32,
    /// Who gives way.
    pub on_conflict: OnConflict,
    /// What the viewer is told.
    pub message: String,
}

/// A named group of rules, all of which hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name, unique in the configuration.
    pub name: String,
    /// The rules.
    pub rules: Vec<Rule>,
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
}

/// Every policy and application of a configuration.
#[derive(Debug, Clone)]
pub struct PolicyBook {
    policies: Vec<Policy>,
    applications: HashMap<String, Application>,
    /// The most live streams one subject may have, whatever its policies say.
    pub max_streams_per_subject: usize,
}

impl PolicyBook {
    /// An empty book.
    #[must_use]
    pub fn new(max_streams_per_subject: usize) -> Self {
        Self {
            policies: Vec::new(),
            applications: HashMap::new(),
            max_streams_per_subject,
        }
    }

    /// Adds a policy; applications list it by its name from then on.
    pub fn add_policy(&mut self, policy: Policy) {
        self.policies.push(policy);
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
            let known = |policy: &Policy| policy.name == *wanted;
            places.push(self.policies.iter().position(known).ok_or(at)?);
        }
        let application = Application {
            id: id.to_owned(),
            name: name.to_owned(),
            tenant: tenant.to_owned(),
            policies: places,
        };
        self.applications.insert(id.to_owned(), application);
        Ok(())
    }

    /// The application with this id.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Application> {
        self.applications.get(id)
    }

    /// The policies that an application lists.
    pub fn policies_of<'a>(
        &'a self,
        application: &'a Application,
    ) -> impl Iterator<Item = &'a Policy> {
        application
            .policies
            .iter()
            .filter_map(|place| self.policies.get(*place))
    }

    /// Whether the application with this id lists `policy`. One that is no longer
    /// configured lists none.
    #[must_use]
    pub fn lists(&self, application: &str, policy: &Policy) -> bool {
        self.application(application).is_some_and(|application| {
            self.policies_of(application)
                .any(|listed| core::ptr::eq(listed, policy))
        })
    }

    /// A rule by its policy's name and its own.
    #[must_use]
    pub fn rule(&self, policy: &str, rule: &str) -> Option<(&Policy, &Rule)> {
        let policy = self.policies.iter().find(|known| known.name == policy)?;
        let rule = policy.rules.iter().find(|known| known.name == rule)?;
        Some((policy, rule))
    }
}
