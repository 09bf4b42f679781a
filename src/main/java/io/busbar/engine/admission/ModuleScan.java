package io.busbar.engine.admission;

import java.util.Arrays;
import java.util.Optional;

/** Reads one module from its first byte to its last, section by section. */
final class ModuleScan {
  private static final int MAGIC = 0x6D736100;
  private static final int CUSTOM = 0;

  /** The sections by number, in the order in which a module may have them. */
  private static final int[] ORDER = {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};

  private static final int MOST_PAGES = 65_536;

  private final Bytes in;
  private final Admission.Options options;
  private final Weight weight;
  private final Types types;
  private final Kept kept;
  private final ConstantScan constants;
  private int[] functions = {}; // the types of those imported, and then of those defined
  private int imported; // functions
  private int bodies;
  private long equalTypes;
  private int memories;
  private long pages;
  private int tables;
  private long tableElements;
  private int tags;
  private long elements;

  ModuleScan(byte[] wasm, Admission.Options options) {
    this.in = new Bytes(wasm);
    this.options = options;
    this.weight = new Weight(wasm.length);
    this.types = new Types(in, options, weight);
    this.constants = new ConstantScan(in, types, options, weight);
    this.kept = new Kept(wasm);
  }

  Admission.Admitted scan() {
    header();
    int last = -1;
    while (in.left() > 0) {
      int start = in.at();
      int id = in.u8();
      int place = place(id, start);
      if (id != CUSTOM) {
        if (place <= last) {
          throw Bytes.broken(start, "unexpected section %d after the last section", id);
        }
        last = place;
      }
      section(id, start);
    }
    if (bodies != functions.length - imported) {
      throw in.broken("%d functions have %d bodies", functions.length - imported, bodies);
    }
    return new Admission.Admitted(kept.bytes(), weight.heap());
  }

  private void header() {
    if (in.left() < 4 || fixed32() != MAGIC) {
      throw Bytes.broken(0, "magic header not detected");
    }
    int version = in.u8() | in.u8() << 8;
    int layer = in.u8() | in.u8() << 8;
    if (version != 1 || layer != 0) {
      throw Unsupported.version(version, layer);
    }
  }

  private int fixed32() {
    return in.u8() | in.u8() << 8 | in.u8() << 16 | in.u8() << 24;
  }

  private static int place(int id, int offset) {
    for (int i = 0; i < ORDER.length; i++) {
      if (ORDER[i] == id) {
        return i;
      }
    }
    if (id != CUSTOM) {
      throw Bytes.broken(offset, "malformed section id %d", id);
    }
    return -1;
  }

  private void section(int id, int start) {
    int outer = in.enter(in.u32(), "section " + id);
    if (id == CUSTOM) {
      custom(start);
      in.abandon(outer);
      return;
    }
    content(id);
    in.leave(outer, "section " + id);
    kept.keep(start, in.at());
  }

  private void content(int id) {
    switch (id) {
      case 1 -> types.section();
      case 2 -> imports();
      case 3 -> functions();
      case 4 -> tables();
      case 5 -> memories();
      case 6 -> globals();
      case 7 -> exports();
      case 8, 12 -> in.u32(); // start function, number of data segments
      case 9 -> elementSegments();
      case 10 -> code();
      case 11 -> dataSegments();
      default -> tags();
    }
  }

  /** Leaves it out, but for what the engine can use of the names. */
  private void custom(int start) {
    kept.leaveOut(start);
    int length = in.name("a custom section's name");
    if (length == 4 && in.text(in.at() - 4, in.at()).equals("name")) {
      NameSection names = new NameSection(in, functions.length);
      Optional<byte[]> section = names.read();
      section.ifPresent(bytes -> kept.add(bytes, 0, bytes.length));
      weight.items(names.count());
    }
  }

  private int items(String what, ModuleLimit limit) {
    int count = in.count(what, limit, options);
    weight.items(count);
    return count;
  }

  private void name() {
    options.check(ModuleLimit.NAME_BYTES, in.name("a name"));
  }

  private void imports() {
    int count = items("imports", ModuleLimit.IMPORTS);
    functions = new int[count];
    for (int i = 0; i < count; i++) {
      name();
      name();
      importType();
    }
    functions = Arrays.copyOf(functions, imported);
  }

  private void importType() {
    int kind = in.u8();
    switch (kind) {
      case 0 -> functions[imported++] = function();
      case 1 -> table();
      case 2 -> memory();
      case 3 -> global();
      case 4 -> tag();
      default -> throw in.broken("malformed import kind %d", kind);
    }
  }

  private int function() {
    int type = types.index();
    equalTypes = options.check(ModuleLimit.EQUAL_TYPES, equalTypes + types.equal(type));
    return type;
  }

  private void functions() {
    int count = in.count("functions", ModuleLimit.FUNCTIONS, options);
    functions = Arrays.copyOf(functions, imported + count);
    for (int i = 0; i < count; i++) {
      functions[imported + i] = function();
    }
  }

  private void tables() {
    int count = items("tables", ModuleLimit.TABLES);
    for (int i = 0; i < count; i++) {
      if (in.peek() == 0x40) {
        in.u8();
        zero("a table with an initial value");
        table();
        constants.expression();
      } else {
        table();
      }
    }
  }

  private void zero(String what) {
    if (in.u8() != 0) {
      throw in.broken("zero byte expected in %s", what);
    }
  }

  private void table() {
    options.check(ModuleLimit.TABLES, ++tables);
    types.reference();
    int offset = in.at();
    int flags = in.u8();
    if (flags > 1) {
      throw Unsupported.limits("table", flags, offset);
    }
    tableElements = options.check(ModuleLimit.TABLE_ELEMENTS, tableElements + limits(flags));
  }

  /** The minimum; a maximum where the flags say so. */
  private long limits(int flags) {
    long minimum = in.u32();
    if ((flags & 1) != 0) {
      in.u32();
    }
    return minimum;
  }

  private void memories() {
    int count = items("memories", ModuleLimit.MEMORIES);
    for (int i = 0; i < count; i++) {
      memory();
    }
  }

  private void memory() {
    options.check(ModuleLimit.MEMORIES, ++memories);
    int offset = in.at();
    int flags = in.u8();
    if (flags > 1 && flags != 3) {
      throw Unsupported.limits("memory", flags, offset);
    }
    long minimum = limits(flags);
    if (minimum > MOST_PAGES) {
      throw Bytes.broken(offset, "a memory of %d pages; at most %d", minimum, MOST_PAGES);
    }
    pages = options.check(ModuleLimit.MEMORY_PAGES, pages + minimum);
  }

  private void tags() {
    int count = items("tags", ModuleLimit.TAGS);
    for (int i = 0; i < count; i++) {
      tag();
    }
  }

  private void tag() {
    options.check(ModuleLimit.TAGS, ++tags);
    zero("a tag");
    types.index();
  }

  private void globals() {
    int count = items("globals", ModuleLimit.GLOBALS);
    for (int i = 0; i < count; i++) {
      global();
      constants.expression();
    }
  }

  private void global() {
    types.value();
    if (in.u8() > 1) {
      throw in.broken("malformed mutability of a global");
    }
  }

  private void exports() {
    int count = items("exports", ModuleLimit.EXPORTS);
    for (int i = 0; i < count; i++) {
      name();
      if (in.u8() > 4) {
        throw in.broken("malformed export kind");
      }
      in.u32();
    }
  }

  private void elementSegments() {
    int count = items("element segments", ModuleLimit.ELEMENT_SEGMENTS);
    for (int i = 0; i < count; i++) {
      elementSegment();
    }
  }

  /** Bit 0: not placed when started; bit 1: a table, or merely declared; bit 2: expressions. */
  private void elementSegment() {
    int offset = in.at();
    long flags = in.u32();
    if (flags > 7) {
      throw Bytes.broken(offset, "malformed element segment flags %d", flags);
    }
    if ((flags & 3) == 2) {
      in.u32();
    }
    if ((flags & 1) == 0) {
      constants.expression();
    }
    if ((flags & 3) != 0) {
      elementType((flags & 4) != 0);
    }
    elements((flags & 4) != 0);
  }

  private void elementType(boolean expressions) {
    if (expressions) {
      types.reference();
    } else {
      zero("an element segment's kind");
    }
  }

  private void elements(boolean expressions) {
    int count = in.count("elements", ModuleLimit.ELEMENTS, options, elements);
    elements += count;
    weight.elements(count);
    for (int i = 0; i < count; i++) {
      if (expressions) {
        constants.expression();
      } else {
        in.u32();
      }
    }
  }

  private void code() {
    int offset = in.at();
    bodies = in.count("function bodies");
    if (bodies != functions.length - imported) {
      throw Bytes.broken(
          offset, "%d functions have %d bodies", functions.length - imported, bodies);
    }
    FunctionScan scan = new FunctionScan(in, types, functions, options, weight);
    for (int i = 0; i < bodies; i++) {
      scan.body(functions[imported + i]);
    }
  }

  private void dataSegments() {
    int count = items("data segments", ModuleLimit.DATA_SEGMENTS);
    for (int i = 0; i < count; i++) {
      dataSegment();
    }
  }

  private void dataSegment() {
    int offset = in.at();
    long flags = in.u32();
    if (flags > 2) {
      throw Bytes.broken(offset, "malformed data segment flags %d", flags);
    }
    if (flags == 2) {
      in.u32();
    }
    if (flags != 1) {
      constants.expression();
    }
    in.skip(in.u32(), "a data segment");
  }
}
