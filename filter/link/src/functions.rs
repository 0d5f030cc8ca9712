//! What functions a module has, and how often which calls which.

use std::collections::BTreeMap;

use wasmparser::{
    CompositeInnerType, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef,
};

use crate::error::LinkError;
use crate::fast_path::keeps_calls;

/// Functions of fewer bytes keep their calls: V8 takes in twice a caller's size at most, so small
/// callers cost it next to nothing, and most calls of a start or a refusal are theirs.
const KEEPS_CALLS_BELOW: usize = 120;

/// The functions of a module. An index counts imported functions first, as the module does.
#[derive(Debug, Default)]
pub struct Functions {
    /// How many of them are imported.
    pub imported: u32,
    /// The index of the type of each function that is not imported.
    pub types: Vec<u32>,
    /// How many parameters each type has; 0 for what is no function's type.
    pub parameters: Vec<u32>,
    /// Functions whose calls stay as they are.
    pub keeping: Vec<u32>,
    /// How often each function is called by those that are not among [`Self::keeping`].
    pub called: BTreeMap<u32, u32>,
}

impl Functions {
    /// Reads a module.
    ///
    /// # Errors
    ///
    /// [`LinkError::NotAModule`], and [`LinkError::NoNames`] if no function has a name.
    pub fn of(module: &[u8]) -> Result<Self, LinkError> {
        let mut functions = Self::default();
        let mut bodies = Vec::new();
        let mut named = false;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(groups) => {
                    for group in groups {
                        for ty in group?.into_types() {
                            let count = match ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => ty.params().len(),
                                _ => 0,
                            };
                            functions
                                .parameters
                                .push(u32::try_from(count).unwrap_or(u32::MAX));
                        }
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports {
                        if matches!(import?.ty, TypeRef::Func(_)) {
                            functions.imported = functions.imported.saturating_add(1);
                        }
                    }
                }
                Payload::FunctionSection(types) => {
                    functions.types = types.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(names) = section.as_known() else {
                        continue;
                    };
                    for name in names {
                        let Name::Function(names) = name? else {
                            continue;
                        };
                        for function in names {
                            let function = function?;
                            named = true;
                            if keeps_calls(function.name) {
                                functions.keeping.push(function.index);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        if !named {
            return Err(LinkError::NoNames);
        }
        for (function, body) in (functions.imported..).zip(&bodies) {
            if body.range().len() < KEEPS_CALLS_BELOW {
                functions.keeping.push(function);
            }
        }
        functions.keeping.sort_unstable();
        for (function, body) in (functions.imported..).zip(&bodies) {
            if !functions.keeps_calls(function) {
                functions.count_calls(body)?;
            }
        }
        Ok(functions)
    }

    /// Whether a function's calls stay as they are.
    #[must_use]
    pub fn keeps_calls(&self, function: u32) -> bool {
        self.keeping.binary_search(&function).is_ok()
    }

    /// The type of a function that is not imported.
    #[must_use]
    pub fn type_of(&self, function: u32) -> Option<u32> {
        let index = function.checked_sub(self.imported)?;
        self.types.get(usize::try_from(index).ok()?).copied()
    }

    /// How many parameters a function has that is not imported.
    #[must_use]
    pub fn parameters_of(&self, function: u32) -> Option<u32> {
        let ty = self.type_of(function)?;
        self.parameters.get(usize::try_from(ty).ok()?).copied()
    }

    fn count_calls(&mut self, body: &FunctionBody<'_>) -> Result<(), LinkError> {
        for operator in body.get_operators_reader()? {
            if let Operator::Call { function_index } = operator?
                && function_index >= self.imported
            {
                let count = self.called.entry(function_index).or_default();
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }
}
