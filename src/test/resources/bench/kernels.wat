;; loops that do little but access memory
(module
  (memory (export "memory") 80)

  ;; primes below n: byte stores, byte loads
  (func (export "sieve") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $count i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get $n))
    (local.set $i (i32.const 2))
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $i)))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $j (i32.shl (local.get $i) (i32.const 1)))
          (block $marked
            (loop $mark
              (br_if $marked (i32.ge_s (local.get $j) (local.get $n)))
              (i32.store8 (local.get $j) (i32.const 1))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br $mark)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_s (local.get $i) (local.get $n))))
    (local.get $count))

  ;; the sum of the i32 in the first $bytes
  (func (export "ints") (param $bytes i32) (result i32)
    (local $at i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_s (local.get $at) (local.get $bytes))))
    (local.get $sum))

  ;; a few rounds of y = 0.5 y + x, then an i64 hash of y; x and y lie side by side
  (func (export "longs") (param $bytes i32) (result i32)
    (local $at i32) (local $hash i64)
    (loop $next
      (f64.store offset=8 (local.get $at)
        (f64.add
          (f64.mul (f64.const 0.5) (f64.load offset=8 (local.get $at)))
          (f64.load (local.get $at))))
      (local.set $hash
        (i64.add
          (i64.mul (local.get $hash) (i64.const 31))
          (i64.load offset=8 (local.get $at))))
      (i64.store (local.get $at) (i64.const 0x3ff0000000000000))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_s (local.get $at) (local.get $bytes))))
    (i32.wrap_i64 (local.get $hash)))

  ;; fills and copies 1 KiB at a time
  (func (export "bulk") (param $bytes i32) (result i32)
    (local $at i32)
    (loop $next
      (memory.fill (local.get $at) (local.get $at) (i32.const 1024))
      (memory.copy
        (i32.add (local.get $at) (i32.const 1024))
        (local.get $at)
        (i32.const 1024))
      (local.set $at (i32.add (local.get $at) (i32.const 2048)))
      (br_if $next (i32.lt_s (local.get $at) (local.get $bytes))))
    (i32.load8_u (i32.sub (local.get $at) (i32.const 1)))))
