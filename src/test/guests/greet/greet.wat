;; Bytes in, bytes out, by hand: "Hello, " + input + "!".
(module $greet
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 16)) ;; where the next block begins
  (global $live (mut i32) (i32.const 0)) ;; blocks that are not freed yet
  (data (i32.const 0) "Hello, ")

  ;; A bump allocator: 0 where the memory cannot grow far enough.
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $block i32) (local $end i64) (local $missing i64)
    (local.set $block (global.get $next))
    (local.set $end
      (i64.add (i64.extend_i32_u (local.get $block)) (i64.extend_i32_u (local.get $size))))
    (local.set $missing
      (i64.sub (local.get $end)
        (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
    (if (i64.gt_s (local.get $missing) (i64.const 0))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow
                (i32.wrap_i64
                  (i64.shr_u (i64.add (local.get $missing) (i64.const 65535)) (i64.const 16)))))
          (then (return (i32.const 0))))))
    (global.set $next (i32.wrap_i64 (local.get $end)))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $block))

  ;; With the last block freed, the memory is as good as new.
  (func (export "dealloc") (param $block i32) (param $size i32)
    (global.set $live (i32.sub (global.get $live) (i32.const 1)))
    (if (i32.eqz (global.get $live))
      (then (global.set $next (i32.const 16)))))

  (func (export "live") (result i32) (global.get $live))

  (func $greet (param $name i32) (param $length i32) (result i32 i32)
    (local $greeting i32)
    (local.set $greeting (call $alloc (i32.add (local.get $length) (i32.const 8))))
    (memory.copy (local.get $greeting) (i32.const 0) (i32.const 7))
    (memory.copy (i32.add (local.get $greeting) (i32.const 7)) (local.get $name) (local.get $length))
    (i32.store8 offset=7 (i32.add (local.get $greeting) (local.get $length)) (i32.const 33)) ;; !
    (local.get $greeting)
    (i32.add (local.get $length) (i32.const 8)))

  ;; The answer as two results.
  (export "greet_pair" (func $greet))

  ;; The answer packed into one.
  (func (export "greet") (param $name i32) (param $length i32) (result i64)
    (local $pointer i32)
    (call $greet (local.get $name) (local.get $length))
    (local.set $length)
    (local.set $pointer)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $pointer)) (i64.const 32))
      (i64.extend_i32_u (local.get $length)))))
