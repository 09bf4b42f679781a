// Text in, JSON or text out, in C without a library.
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define PAGE 65536u

extern unsigned char __heap_base;

static u32 next;
static u32 live;

// A bump allocator that starts over when the last block is freed.
EXPORT("alloc") unsigned char *alloc(u32 size) {
  if (live == 0) next = (u32)&__heap_base;
  u64 end = (u64)next + size;
  u64 have = (u64)__builtin_wasm_memory_size(0) * PAGE;
  if (end > have &&
      __builtin_wasm_memory_grow(0, (u32)((end - have + PAGE - 1) / PAGE)) == (u32)-1)
    return 0;
  unsigned char *block = (unsigned char *)next;
  next = (u32)end;
  live++;
  return block;
}

EXPORT("dealloc") void dealloc(unsigned char *block, u32 size) {
  (void)block;
  (void)size;
  live--;
}

EXPORT("live") u32 blocks(void) { return live; }

static u64 answer(unsigned char *start, u32 length) {
  return (u64)(u32)start << 32 | length;
}

static unsigned char *put_text(unsigned char *at, const char *text) {
  while (*text) *at++ = (unsigned char)*text++;
  return at;
}

static unsigned char *put_number(unsigned char *at, u32 number) {
  if (number >= 10) at = put_number(at, number / 10);
  *at++ = (unsigned char)('0' + number % 10);
  return at;
}

static int is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// {"words":2,"lines":1,"bytes":12}
EXPORT("count") u64 count(const unsigned char *text, u32 length) {
  u32 words = 0, lines = 0;
  int inside = 0;
  for (u32 i = 0; i < length; i++) {
    lines += text[i] == '\n';
    words += !inside && !is_space(text[i]);
    inside = !is_space(text[i]);
  }
  unsigned char *start = alloc(80);
  if (!start) __builtin_trap();
  unsigned char *at = put_number(put_text(start, "{\"words\":"), words);
  at = put_number(put_text(at, ",\"lines\":"), lines);
  at = put_number(put_text(at, ",\"bytes\":"), length);
  at = put_text(at, "}");
  return answer(start, (u32)(at - start));
}

// ASCII letters in capitals: in place, the answer is the input's own block.
EXPORT("upper") u64 upper(unsigned char *text, u32 length) {
  for (u32 i = 0; i < length; i++)
    if (text[i] >= 'a' && text[i] <= 'z') text[i] -= 'a' - 'A';
  return answer(text, length);
}

// Without the spaces around it: the answer lies inside the input's block.
EXPORT("trim") u64 trim(unsigned char *text, u32 length) {
  u32 start = 0;
  while (start < length && is_space(text[start])) start++;
  while (length > start && is_space(text[length - 1])) length--;
  return answer(text + start, length - start);
}
