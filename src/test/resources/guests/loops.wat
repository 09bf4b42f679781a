;; every way never to end
(module
  (memory 1000)
  (type $v (func))
  (table 1 funcref)
  (elem (i32.const 0) $nothing)
  (func (export "br") (loop (br 0)))
  (func (export "br_if") (loop (br_if 0 (i32.const 1))))
  (func (export "br_table") (loop (br_table 0 0 (i32.const 0))))
  (func (export "counting") (local i64)
    (loop
      (local.set 0 (i64.add (local.get 0) (i64.const 1)))
      (br_if 0 (i64.lt_u (local.get 0) (i64.const 1000000000000000)))))
  (func $nothing)
  (func (export "call_indirect")
    (loop (call_indirect (type $v) (i32.const 0)) (br 0)))
  (func $fib (export "fib") (param i64) (result i64)
    (if (result i64) (i64.lt_s (local.get 0) (i64.const 2))
      (then (local.get 0))
      (else
        (i64.add
          (call $fib (i64.sub (local.get 0) (i64.const 1)))
          (call $fib (i64.sub (local.get 0) (i64.const 2)))))))
  (func (export "fill")
    (loop
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536000))
      (br_if 0 (i32.const 1))))
  (func (export "two") (result i32) (i32.const 2)))
