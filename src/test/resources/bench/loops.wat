;; small programs of different shapes: loops over memory, floats, calls, calls by table, branches
(module $loops
  (memory 32)
  (type $step (func (param i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 0) $s0 $s1 $s2 $s3)
  (func $s0 (type $step) (i32.add (local.get 0) (i32.const 1)))
  (func $s1 (type $step) (i32.xor (local.get 0) (i32.const 0x55)))
  (func $s2 (type $step) (i32.mul (local.get 0) (i32.const 3)))
  (func $s3 (type $step) (i32.rotl (local.get 0) (i32.const 5)))

  (func (export "sieve") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $found i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get $n))
    (local.set $i (i32.const 2))
    (loop $next
      (if (i32.load8_u (local.get $i))
        (then
          (local.set $found (i32.add (local.get $found) (i32.const 1)))
          (local.set $j (i32.add (local.get $i) (local.get $i)))
          (block $done
            (loop $strike
              (br_if $done (i32.ge_u (local.get $j) (local.get $n)))
              (i32.store8 (local.get $j) (i32.const 0))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br $strike)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $found))

  ;; c = a * b of n by n doubles, at 0, 512 KiB and 1 MiB
  (func (export "matmul") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $k i32) (local $sum f64)
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f64.const 0))
        (local.set $k (i32.const 0))
        (loop $inner
          (local.set $sum (f64.add (local.get $sum) (f64.mul
            (f64.load (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $k)) (i32.const 3)))
            (f64.load offset=524288
              (i32.shl (i32.add (i32.mul (local.get $k) (local.get $n)) (local.get $j)) (i32.const 3))))))
          (local.set $k (i32.add (local.get $k) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $k) (local.get $n))))
        (f64.store offset=1048576
          (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j)) (i32.const 3))
          (local.get $sum))
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $n))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $n))))
    (i32.const 0))

  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))

  (func (export "indirect") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call_indirect (type $step)
        (local.get $x) (i32.and (local.get $n) (i32.const 3))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (local.get $x))

  ;; sorts n numbers that a congruential generator makes; how many are out of order afterwards
  (func (export "sort") (param $n i32) (result i32) (local $i i32) (local $x i32) (local $wrong i32)
    (local.set $x (i32.const 12345))
    (loop $make
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1103515245)) (i32.const 12345)))
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $x))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $make (i32.lt_u (local.get $i) (local.get $n))))
    (call $quick (i32.const 0) (i32.shl (i32.sub (local.get $n) (i32.const 1)) (i32.const 2)))
    (local.set $i (i32.const 1))
    (loop $look
      (local.set $wrong (i32.add (local.get $wrong) (i32.gt_s
        (i32.load (i32.shl (i32.sub (local.get $i) (i32.const 1)) (i32.const 2)))
        (i32.load (i32.shl (local.get $i) (i32.const 2))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $look (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $wrong))

  (func $quick (param $low i32) (param $high i32)
    (local $i i32) (local $j i32) (local $pivot i32) (local $swap i32)
    (if (i32.ge_s (local.get $low) (local.get $high)) (then (return)))
    (local.set $i (local.get $low))
    (local.set $j (local.get $high))
    (local.set $pivot (i32.load (i32.and
      (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)) (i32.const -4))))
    (block $parted
      (loop $part
        (loop $left
          (if (i32.lt_s (i32.load (local.get $i)) (local.get $pivot))
            (then (local.set $i (i32.add (local.get $i) (i32.const 4))) (br $left))))
        (loop $right
          (if (i32.gt_s (i32.load (local.get $j)) (local.get $pivot))
            (then (local.set $j (i32.sub (local.get $j) (i32.const 4))) (br $right))))
        (br_if $parted (i32.gt_s (local.get $i) (local.get $j)))
        (local.set $swap (i32.load (local.get $i)))
        (i32.store (local.get $i) (i32.load (local.get $j)))
        (i32.store (local.get $j) (local.get $swap))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (local.set $j (i32.sub (local.get $j) (i32.const 4)))
        (br_if $part (i32.le_s (local.get $i) (local.get $j)))))
    (call $quick (local.get $low) (local.get $j))
    (call $quick (local.get $i) (local.get $high)))
)
