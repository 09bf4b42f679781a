;; keeps a count, and fails in many ways after having changed it
(module
  (import "env" "ask" (func $ask))
  (memory (export "memory") 1)
  (global $n (export "n") (mut i32) (i32.const 0))
  (func $spoil
    (global.set $n (i32.const 100))
    (i32.store8 (i32.const 0) (i32.const 1))
    (drop (memory.grow (i32.const 1))))
  (func (export "next") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (global.get $n))
  (func (export "take") (param i32))
  (func (export "trap") (call $spoil) (unreachable))
  (func (export "loop") (call $spoil) (loop (br 0)))
  (func (export "ask") (call $spoil) (call $ask))
  (func (export "recurse") (call $spoil) (call $deeper))
  (func $deeper (call $deeper)))
