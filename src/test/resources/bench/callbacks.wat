(module $callbacks
  (import "env" "next" (func $next (param i32) (result i32)))
  (func (export "run") (param $times i32) (result i32)
    (local $value i32)
    (loop $more
      (local.set $value (call $next (local.get $value)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $more (local.get $times)))
    (local.get $value)))
