//! What a resource does to its records, as written.

use super::model::{Located, Spot};
use super::node::Node;

/// `processing_steps`, and the keys of a resource that are a step by themselves.
#[derive(Clone, Debug, Default)]
pub struct StepsConfig {
    /// `processing_steps`; none: not written.
    pub processing: Option<Vec<StepConfig>>,
    /// `keep`, `drop`, `rename` and `set` of the resource, in this order.
    pub own: Vec<StepConfig>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepConfig {
    /// Its name for people: `processing_steps[0].filter`, `keep`.
    pub name: String,
    /// Where it stands.
    pub at: Spot,
    /// What it does.
    pub action: ActionConfig,
}

/// What a step does.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants carry the names of the keys")]
pub enum ActionConfig {
    Filter(Located<String>),
    Map(Located<String>),
    Explode(Located<String>),
    Keep(Vec<Located<String>>),
    Drop(Vec<Located<String>>),
    /// Old names, each with its new one.
    Rename(Vec<(String, Located<String>)>),
    /// Names, each with its value.
    Set(Vec<(String, Located<Node>)>),
}

/// What is done to the values of a column.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct ColumnValuesConfig {
    pub convert: Option<Located<String>>,
    pub trim: bool,
    pub lower: bool,
    pub empty_as_null: bool,
}

/// The keys of [`StepsConfig::own`], in the order in which they are applied.
pub const OWN: [&str; 4] = ["keep", "drop", "rename", "set"];

impl StepsConfig {
    /// These over those of `resource_defaults`: each key is replaced whole.
    #[must_use]
    pub fn over(mut self, defaults: Self) -> Self {
        let missing = |step: &StepConfig| !self.own.iter().any(|own| own.name == step.name);
        let inherited: Vec<_> = defaults.own.into_iter().filter(missing).collect();
        self.own.extend(inherited);
        self.own.sort_by_key(|step| OWN.iter().position(|key| *key == step.name));
        Self { processing: self.processing.or(defaults.processing), own: self.own }
    }
}
