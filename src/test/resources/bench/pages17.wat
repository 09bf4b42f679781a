;; sum with the memory that C and Rust compilers ask for: a 1 MiB stack and one page
(module
  (memory (export "memory") 17)
  (func (export "sum") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
