;; sum with one page of memory
(module
  (memory (export "memory") 1)
  (func (export "sum") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
