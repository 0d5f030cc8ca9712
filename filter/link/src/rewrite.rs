//! A module, with calls through a table.

use core::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, Function, FunctionSection, Instruction,
    Module, RefType, TableSection, TableType,
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, ElementSectionReader, FunctionBody,
    FunctionSectionReader, Operator, Parser, TableSectionReader,
};

use crate::error::LinkError;
use crate::functions::Functions;
use crate::table::Table;

/// The same module, in which functions are called through a table but for calls that small functions
/// make or those on the [fast path](crate::fast_path), and without sections that only tools read.
///
/// # Errors
///
/// [`LinkError`]. What is made of a module is a valid one.
pub fn through_table(module: &[u8]) -> Result<Vec<u8>, LinkError> {
    let functions = Functions::of(module)?;
    let table = Table::of(&functions);
    let mut rewriting = ModuleRewriting {
        functions,
        table,
        tables: 0,
    };
    let mut rewritten = Module::new();
    utils::parse_core_module(&mut rewriting, &mut rewritten, Parser::new(0), module)?;
    let rewritten = rewritten.finish();
    wasmparser::validate(&rewritten)?;
    Ok(rewritten)
}

type Outcome<T = ()> = Result<T, reencode::Error<Infallible>>;

struct ModuleRewriting {
    functions: Functions,
    table: Table,
    /// How many tables the module had, which is the number of the new one.
    tables: u32,
}

impl Reencode for ModuleRewriting {
    type Error = Infallible;

    /// Whoever names a function means itself. Calls that are to reach its stand-in do not ask here.
    fn function_index(&mut self, function: u32) -> Outcome<u32> {
        Ok(self.table.itself(function))
    }

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Outcome {
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        section: &mut FunctionSection,
        reader: FunctionSectionReader<'_>,
    ) -> Outcome {
        utils::parse_function_section(self, section, reader)?;
        for function in self.table.moved() {
            section.function(self.functions.type_of(function).unwrap_or_default());
        }
        Ok(())
    }

    fn parse_table_section(
        &mut self,
        section: &mut TableSection,
        reader: TableSectionReader<'_>,
    ) -> Outcome {
        self.tables = reader.count();
        utils::parse_table_section(self, section, reader)?;
        let size = u64::try_from(self.table.elements().len()).unwrap_or(u64::MAX);
        section.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: size,
            maximum: Some(size),
            shared: false,
        });
        Ok(())
    }

    fn parse_element_section(
        &mut self,
        section: &mut ElementSection,
        reader: ElementSectionReader<'_>,
    ) -> Outcome {
        utils::parse_element_section(self, section, reader)?;
        let elements = Elements::Functions(self.table.elements().into());
        section.active(Some(self.tables), &ConstExpr::i32_const(0), elements);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        section: &mut CodeSection,
        reader: CodeSectionReader<'_>,
    ) -> Outcome {
        let mut moved = Vec::new();
        for (function, body) in (self.functions.imported..).zip(reader) {
            let rewritten = self.rewritten(function, &body?)?;
            if self.table.has_stand_in(function) {
                section.function(&self.stand_in(function));
                moved.push(rewritten);
            } else {
                section.function(&rewritten);
            }
        }
        for function in &moved {
            section.function(function);
        }
        Ok(())
    }
}

impl ModuleRewriting {
    fn rewritten(&mut self, function: u32, body: &FunctionBody<'_>) -> Outcome<Function> {
        let keeps_calls = self.functions.keeps_calls(function);
        let mut rewritten = self.new_function_with_parsed_locals(body)?;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } if !keeps_calls => {
                    self.call(&mut rewritten, function_index);
                }
                operator => {
                    rewritten.instruction(&self.instruction(operator)?);
                }
            }
        }
        Ok(rewritten)
    }

    /// Calls a function by its stand-in or the table; an imported one as before.
    fn call(&self, caller: &mut Function, function: u32) {
        if self.functions.type_of(function).is_none() || self.table.has_stand_in(function) {
            caller.instruction(&Instruction::Call(function));
        } else {
            self.call_by_position(caller, function);
        }
    }

    /// What has a function's number in its place, and calls it.
    fn stand_in(&self, function: u32) -> Function {
        let mut stand_in = Function::new([]);
        for parameter in 0..self.functions.parameters_of(function).unwrap_or_default() {
            stand_in.instruction(&Instruction::LocalGet(parameter));
        }
        self.call_by_position(&mut stand_in, function);
        stand_in.instruction(&Instruction::End);
        stand_in
    }

    fn call_by_position(&self, caller: &mut Function, function: u32) {
        let position = self.table.position(function).unwrap_or_default();
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        caller.instruction(&Instruction::I32Const(position));
        caller.instruction(&Instruction::CallIndirect {
            type_index: self.functions.type_of(function).unwrap_or_default(),
            table_index: self.tables,
        });
    }
}
