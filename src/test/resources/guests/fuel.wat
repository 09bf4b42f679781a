;; what each function costs is in the comments: the function 1, each instruction 1, some nothing
(module $fuel
  (import "env" "left" (func $left (result i64)))
  (import "env" "refuel" (func $refuel))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 0) $sum $nothing)
  (type $binary (func (param i32 i32) (result i32)))
  (global $g (mut i32) (i32.const 0))

  (func $nothing (export "nothing")) ;; 1

  (func $sum (export "sum") (param i32 i32) (result i32) ;; 4
    (i32.add (local.get 0) (local.get 1)))

  (func (export "free") ;; 2: the constant costs, all else does not
    (nop) (block (nop)) (drop (i32.const 1)) (return))

  (func (export "choose") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.const 1))
      (else (i32.add (i32.const 1) (i32.const 1)))))

  (func (export "count") (param $n i32) (result i32) (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i))

  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))

  (func (export "twist") (param $n i32) (result i32) (local $sum i32)
    (block $out
      (loop $again
        (block $two
          (block $one
            (block $zero
              (br_table $zero $one $two (i32.rem_u (local.get $n) (i32.const 4))))
            (local.set $sum (i32.add (local.get $sum) (i32.const 100)))
            (br $two))
          (local.set $sum (call_indirect (type $binary)
            (local.get $sum) (i32.const 10) (i32.const 0)))
          (if (i32.gt_u (local.get $sum) (i32.const 100000)) (then (br $out))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $out (i32.eqz (local.get $n)))
        (br $again)
        (unreachable)))
    (local.get $sum))

  (func (export "fill") ;; 5, whatever is filled
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)))

  (func (export "trap") (param i32) (result i32) ;; the stretch that traps is paid
    (i32.add (i32.const 1) (i32.div_u (i32.const 1) (local.get 0))))

  (func (export "forever") (loop (br 0)))
  (func (export "forever-if") (loop (br_if 0 (i32.const 1))))
  (func $down (export "down") (call $down))

  (func (export "left") (result i64) (call $left))
  (func (export "refuel") (result i64) (call $refuel) (call $left))
  (func (export "forever-refuel") (loop (call $refuel) (br 0)))
)
