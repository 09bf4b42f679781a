;; three imports and exports that forward to them
(module $import_test
  (import "env" "imported_sum3" (func $sum3 (param i32 i32 i32) (result i32)))
  (import "env" "imported_sumf" (func $sumf (param f32 f32) (result f32)))
  (import "env" "imported_void" (func $void))
  (memory (export "memory") 17)
  (func (export "using_imported_sum3") (param i32 i32 i32) (result i32)
    (call $sum3 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "using_imported_sumf") (param f32 f32) (result f32)
    (call $sumf (local.get 0) (local.get 1)))
  (func (export "using_imported_void") (call $void)))
