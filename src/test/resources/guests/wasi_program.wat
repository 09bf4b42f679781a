;; Small programs: each exported function is one. Their paths are given in memory by the caller.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func (export "trap") unreachable)
  (data (i32.const 512) "Hello, updated world!")
  (data (i32.const 544) "Hello, created world!")
  (data (i32.const 576) "Could not find directory\n")
  (data (i32.const 608) "\n")

  ;; 0: a slice, 8: a length, 16: a result of eight bytes, 4096 on: bytes
  (func $print (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func (export "print_args")
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args (i32.const 1024) (i32.const 4096)))
    (call $print (i32.const 1) (i32.const 4096) (i32.load (i32.const 20))))

  (func (export "print_env")
    (drop (call $env_sizes (i32.const 16) (i32.const 20)))
    (drop (call $env (i32.const 1024) (i32.const 4096)))
    (call $print (i32.const 1) (i32.const 4096) (i32.load (i32.const 20))))

  (func (export "now") (result i64)
    (drop (call $time (i32.const 0) (i64.const 1) (i32.const 16)))
    (i64.load (i32.const 16)))

  (func (export "random") (result i64)
    (drop (call $random (i32.const 16) (i32.const 8)))
    (i64.load (i32.const 16)))

  (func $read_some (param $fd i32) (result i32)
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const 4096))
    (if (call $read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (return (i32.const 0))))
    (i32.load (i32.const 8)))

  (func $copy (param $from i32) (param $to i32)
    (local $length i32)
    (loop $more
      (local.set $length (call $read_some (local.get $from)))
      (if (local.get $length)
        (then
          (call $print (local.get $to) (i32.const 4096) (local.get $length))
          (br $more)))))

  ;; the echo command: stdin to stdout until its end
  (func $start (export "_start")
    (call $copy (i32.const 0) (i32.const 1)))

  (func (export "echo_then_exit") (param $code i32)
    (call $start)
    (call $exit (local.get $code)))

  ;; the file below the first preopen, or -1
  (func $open_file
    (param $at i32) (param $length i32) (param $how i32) (param $rights i64) (result i32)
    (if
      (call $open
        (i32.const 3) (i32.const 1) (local.get $at) (local.get $length) (local.get $how)
        (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 8))
      (then (return (i32.const -1))))
    (i32.load (i32.const 8)))

  (func (export "read_file") (param $at i32) (param $length i32)
    (local $fd i32)
    (local.set $fd
      (call $open_file (local.get $at) (local.get $length) (i32.const 0) (i64.const 2)))
    (call $copy (local.get $fd) (i32.const 1))
    (drop (call $close (local.get $fd)))
    (call $print (i32.const 1) (i32.const 608) (i32.const 1)))

  ;; emptied and written
  (func (export "write_file") (param $at i32) (param $length i32)
    (local $fd i32)
    (local.set $fd
      (call $open_file (local.get $at) (local.get $length) (i32.const 8) (i64.const 64)))
    (call $print (local.get $fd) (i32.const 512) (i32.const 21))
    (drop (call $close (local.get $fd))))

  (func (export "create_file") (param $at i32) (param $length i32)
    (local $fd i32)
    (local.set $fd
      (call $open_file (local.get $at) (local.get $length) (i32.const 5) (i64.const 64)))
    (call $print (local.get $fd) (i32.const 544) (i32.const 21))
    (drop (call $close (local.get $fd))))

  ;; each name on a line
  (func (export "list_files") (param $at i32) (param $length i32)
    (local $fd i32) (local $entry i32) (local $end i32)
    (local.set $fd
      (call $open_file (local.get $at) (local.get $length) (i32.const 2) (i64.const 0)))
    (if (i32.eq (local.get $fd) (i32.const -1))
      (then
        (call $print (i32.const 1) (i32.const 576) (i32.const 25))
        (return)))
    (drop
      (call $readdir
        (local.get $fd) (i32.const 4096) (i32.const 4096) (i64.const 0) (i32.const 8)))
    (local.set $entry (i32.const 4096))
    (local.set $end (i32.add (i32.const 4096) (i32.load (i32.const 8))))
    (loop $more
      (if (i32.lt_u (local.get $entry) (local.get $end))
        (then
          (call $print
            (i32.const 1)
            (i32.add (local.get $entry) (i32.const 24))
            (i32.load (i32.add (local.get $entry) (i32.const 16))))
          (call $print (i32.const 1) (i32.const 608) (i32.const 1))
          (local.set $entry
            (i32.add
              (i32.add (local.get $entry) (i32.const 24))
              (i32.load (i32.add (local.get $entry) (i32.const 16)))))
          (br $more)))))

  ;; so many KiB, 1024 bytes at a time
  (func (export "flood") (param $kib i32)
    (loop $more
      (call $print (i32.const 1) (i32.const 4096) (i32.const 1024))
      (local.set $kib (i32.sub (local.get $kib) (i32.const 1)))
      (br_if $more (local.get $kib)))))
