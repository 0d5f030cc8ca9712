use wasmparser::{Operator, Parser, Payload};
use wasmtime::{Engine, Instance, Module, Store};

use crate::error::LinkError;
use crate::through_table;

/// A module with two functions that are not small. One calls `often` from 48 places, and the rest
/// from few; the other is on the fast path.
fn module() -> Vec<u8> {
    let calls =
        "(local.set $sum (i32.add (local.get $sum) (call $often (i32.const 3) (i32.const 4))))"
            .repeat(48);
    let text = format!(
        r#"(module
            (import "host" "asks" (func $asks (param i32) (result i32)))
            (type $one (func (param i32) (result i32)))
            (table 1 1 funcref)
            (elem (i32.const 0) $seldom)
            (func $often (param i32 i32) (result i32)
                (i32.sub (local.get 0) (local.get 1)))
            (func $seldom (param i32) (result i32)
                (i32.mul (local.get 0) (call $asks (i32.const 5))))
            (func $seldom_without (result i32) (i32.const 11))
            (func $slow (export "slow") (result i32) (local $sum i32)
                {calls}
                (i32.add (local.get $sum)
                    (i32.add (call $seldom (i32.const 7)) (call $seldom_without))))
            (func $"playback::by_lease" (export "fast") (result i32) (local $sum i32)
                {calls}
                (i32.add (local.get $sum) (call $seldom (i32.const 2))))
            (func (export "by_table") (result i32)
                (call_indirect (type $one) (i32.const 6) (i32.const 0)))
            (export "often" (func $often))
            (@custom "producers" "\00"))"#
    );
    wat::parse_str(text).expect("a module")
}

/// What the functions of a module say that take nothing.
fn said(module: &[u8]) -> Vec<i32> {
    let engine = Engine::default();
    let module = Module::new(&engine, module).expect("valid");
    let mut store = Store::new(&engine, ());
    let asks = wasmtime::Func::wrap(&mut store, |number: i32| number + 1);
    let instance = Instance::new(&mut store, &module, &[asks.into()]).expect("imports");
    ["slow", "fast", "by_table"]
        .map(|name| {
            let function = instance.get_typed_func::<(), i32>(&mut store, name);
            let function = function.expect("a function");
            function.call(&mut store, ()).expect("a number")
        })
        .to_vec()
}

/// How often each function that is not imported calls by number, and through a table.
fn calls(module: &[u8]) -> Vec<(usize, usize)> {
    let mut calls = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload.expect("valid") {
            let (mut by_number, mut by_table) = (0, 0);
            for operator in body.get_operators_reader().expect("operators") {
                match operator.expect("an operator") {
                    Operator::Call { .. } => by_number += 1,
                    Operator::CallIndirect { .. } => by_table += 1,
                    _ => {}
                }
            }
            calls.push((by_number, by_table));
        }
    }
    calls
}

#[test]
fn a_module_says_what_it_said() {
    let rewritten = through_table(&module()).expect("a module");
    assert_eq!(said(&rewritten), [-48 + 7 * 6 + 11, -48 + 2 * 6, 6 * 6]);
    assert_eq!(said(&rewritten), said(&module()));
}

#[test]
fn who_is_small_or_on_the_fast_path_calls_as_before_and_the_rest_through_the_table() {
    let rewritten = through_table(&module()).expect("a module");
    assert_eq!(
        calls(&rewritten),
        [
            // The stand-in of `often`.
            (0, 1),
            // Small functions call as before.
            (1, 0),
            (0, 0),
            // `often` has a stand-in, whose number it had.
            (48, 2),
            (49, 0),
            (0, 1),
            // `often`, behind all others.
            (0, 0),
        ]
    );
}

#[test]
fn whoever_names_a_function_has_it_and_no_stand_in() {
    let rewritten = through_table(&module()).expect("a module");
    let mut exported = None;
    let mut custom = 0;
    for payload in Parser::new(0).parse_all(&rewritten) {
        match payload.expect("valid") {
            Payload::ExportSection(exports) => {
                let mut exports = exports.into_iter().map(Result::unwrap);
                exported = exports.find(|export| export.name == "often");
            }
            Payload::CustomSection(_) => custom += 1,
            _ => {}
        }
    }
    // One is imported, six were there.
    assert_eq!(exported.expect("it is exported").index, 7);
    assert_eq!(custom, 0, "sections for tools are left out");
}

#[test]
fn without_names_nobody_knows_what_is_on_the_fast_path() {
    let unnamed = wat::parse_str("(module (func) (func call 0))").expect("a module");
    let error = through_table(&unnamed).unwrap_err();
    assert!(matches!(error, LinkError::NoNames), "{error}");
    let error = through_table(b"no module").unwrap_err();
    assert!(matches!(error, LinkError::NotAModule(_)), "{error}");
}

#[test]
fn names_are_known_however_they_are_written() {
    use crate::fast_path::keeps_calls;
    for name in [
        "streamgate_on_request_headers",
        "_ZN10streamgate4http4take17hd0ebc66a6171a117E",
        "_RNvCsfLfy6EI15iL_7___rustc14___rust_dealloc",
        "byn$mgfn-shared$_ZN4core4cell16RefCell$LT$T$GT$6borrow17h01caf577349d8601E",
    ] {
        assert!(keeps_calls(name), "{name}");
    }
    for name in [
        "streamgate_on_configure",
        "_ZN10streamgate4http13take_response17hd0ebc66a6171a117E",
        "_ZN15streamgate_core4edge4Edge7request17h830b41cf4b071448E",
        "",
    ] {
        assert!(!keeps_calls(name), "{name}");
    }
}
