package io.busbar.engine;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A valid module of a seed: functions over numbers of all types, a memory, a table, globals, every
 * loop bounded by a fuel of its own.
 *
 * <p>NaNs are made the same before they are stored, since the bits of a NaN may be any.
 */
final class RandomModule {
  static final int EXPORTED = 4;

  private static final int I32 = 0x7f;
  private static final int I64 = 0x7e;
  private static final int F32 = 0x7d;
  private static final int F64 = 0x7c;
  private static final int NONE = 0x40;
  private static final int[] NUMBERS = {I32, I64, F32, F64};

  private static final int DEEPEST = 5;
  private static final int PARAMS = 4; // one of each type, the same for all functions
  private static final int FUEL = 4; // the local that bounds the loops of a function
  private static final int FUEL_GLOBAL = 4; // bounds the calls of all
  private static final int FIRST_OWN = 5;
  private static final int TABLE_ENTRIES = 12;

  private final Random random;
  private final int functions;
  private final int[] results;
  private final int[] entries; // the functions that are in the table at first
  private ByteArrayOutputStream code;
  private List<Integer> locals;
  private List<Integer> labels; // the types that branches to them carry, innermost last

  RandomModule(long seed) {
    random = new Random(seed);
    functions = EXPORTED + random.nextInt(4);
    results = random.ints(functions, 0, NUMBERS.length).map(i -> NUMBERS[i]).toArray();
    entries = random.ints(functions, 0, functions).toArray();
  }

  static int i32(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextInt();
      case 1 -> Integer.MIN_VALUE;
      case 2 -> Integer.MAX_VALUE;
      case 3 -> -1;
      case 4 -> 65_536 - random.nextInt(12);
      default -> random.nextInt(40) - 4;
    };
  }

  static long i64(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextLong();
      case 1 -> Long.MIN_VALUE;
      case 2 -> Long.MAX_VALUE;
      case 3 -> 1L << 31;
      default -> i32(random);
    };
  }

  static float f32(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> Float.NaN;
      case 1 -> Float.NEGATIVE_INFINITY;
      case 2 -> -0.0f;
      case 3 -> Float.intBitsToFloat(random.nextInt() & 0x7f7f_ffff);
      default -> i32(random) / 4.0f;
    };
  }

  static double f64(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> Double.NaN;
      case 1 -> Double.POSITIVE_INFINITY;
      case 2 -> -0.0;
      case 3 -> Double.longBitsToDouble(random.nextLong() & 0x7fe7_ffff_ffff_ffffL);
      default -> i64(random) / 8.0;
    };
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
    section(out, 1, types());
    section(out, 3, declarations());
    section(out, 4, bytes(1, 0x70, 1, TABLE_ENTRIES, 30));
    section(out, 5, bytes(1, 1, 1, 3));
    section(out, 6, globals());
    section(out, 7, exports());
    section(out, 9, elements());
    section(out, 12, bytes(1));
    section(out, 10, bodies());
    section(out, 11, bytes(1, 1, 8, 1, 2, 3, 4, 250, 251, 252, 253));
    return out.toByteArray();
  }

  /** A type for each result, and one more for the function that looks at the table. */
  private byte[] types() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(NUMBERS.length + 1);
    for (int result : NUMBERS) {
      out.writeBytes(bytes(0x60, PARAMS, I32, I64, F32, F64, 1, result));
    }
    out.writeBytes(bytes(0x60, 0, 1, I32));
    return out.toByteArray();
  }

  private int type(int function) {
    return I32 - results[function];
  }

  private byte[] declarations() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(functions + 1);
    for (int i = 0; i < functions; i++) {
      out.write(type(i));
    }
    out.write(NUMBERS.length);
    return out.toByteArray();
  }

  private byte[] globals() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(NUMBERS.length + 1);
    for (int type : NUMBERS) {
      out.writeBytes(bytes(type, 1));
      code = out;
      constant(type);
      out.write(0x0b);
    }
    out.writeBytes(bytes(I32, 1, 0x41, 60, 0x0b));
    return out.toByteArray();
  }

  private byte[] exports() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(EXPORTED + NUMBERS.length + 3);
    for (int i = 0; i < EXPORTED; i++) {
      export(out, "f" + i, 0, i);
    }
    for (int i = 0; i < NUMBERS.length; i++) {
      export(out, "g" + i, 3, i);
    }
    export(out, "fuel", 3, FUEL_GLOBAL);
    export(out, "m", 2, 0);
    export(out, "table", 0, functions);
    return out.toByteArray();
  }

  private static void export(ByteArrayOutputStream out, String name, int kind, int index) {
    out.write(name.length());
    out.writeBytes(name.getBytes(StandardCharsets.UTF_8));
    out.writeBytes(bytes(kind, index));
  }

  /** Some of the table's entries, a passive segment of all functions, and a declaration of all. */
  private byte[] elements() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(3);
    out.writeBytes(bytes(0, 0x41, 0, 0x0b, functions));
    for (int entry : entries) {
      out.write(entry);
    }
    for (int kind : new int[] {1, 3}) {
      out.writeBytes(bytes(kind, 0, functions));
      for (int i = 0; i < functions; i++) {
        out.write(i);
      }
    }
    return out.toByteArray();
  }

  private byte[] bodies() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    leb(out, functions + 1);
    for (int i = 0; i < functions; i++) {
      body(out, body(results[i]));
    }
    body(out, tableBody());
    return out.toByteArray();
  }

  private static void body(ByteArrayOutputStream out, byte[] body) {
    leb(out, body.length);
    out.writeBytes(body);
  }

  /** A number with a bit for each null among the first entries. */
  private byte[] tableBody() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(bytes(0, 0xfc, 16, 0));
    for (int i = 0; i < TABLE_ENTRIES; i++) {
      out.writeBytes(bytes(0x41, 1, 0x74, 0x41, i, 0x25, 0, 0xd1, 0x72));
    }
    out.write(0x0b);
    return out.toByteArray();
  }

  private byte[] body(int result) {
    code = new ByteArrayOutputStream();
    locals = new ArrayList<>(List.of(I32, I64, F32, F64, I32));
    labels = new ArrayList<>(List.of(result));
    int own = random.nextInt(5);
    code.write(own + 1);
    code.writeBytes(bytes(1, I32));
    for (int i = 0; i < own; i++) {
      int type = number();
      locals.add(type);
      code.writeBytes(bytes(1, type));
    }
    // each call costs one of what all may make together; after that they return at once
    code.writeBytes(bytes(0x23, FUEL_GLOBAL, 0x41, 1, 0x6b, 0x24, FUEL_GLOBAL));
    code.writeBytes(bytes(0x23, FUEL_GLOBAL, 0x41, 0, 0x48, 0x04, NONE));
    constant(result);
    code.writeBytes(bytes(0x0f, 0x0b));
    code.writeBytes(bytes(0x41, 30, 0x21, FUEL));
    statements(0);
    expression(result, 0);
    code.write(0x0b);
    return code.toByteArray();
  }

  private int number() {
    return NUMBERS[random.nextInt(NUMBERS.length)];
  }

  private void statements(int depth) {
    for (int i = random.nextInt(depth == 0 ? 8 : 4); i >= 0; i--) {
      statement(depth + 1);
    }
  }

  private void statement(int depth) {
    if (depth > DEEPEST) {
      return;
    }
    switch (random.nextInt(20)) {
      case 0, 1, 2 -> setLocal(depth);
      case 3 -> setGlobal(depth);
      case 4, 5, 6 -> store(depth);
      case 7 -> block(depth);
      case 8, 9 -> loop(depth);
      case 10, 11 -> ifElse(depth);
      case 12 -> branchIf(depth);
      case 13 -> branchTable(depth);
      case 14 -> bulkMemory(depth);
      case 15 -> bulkTable(depth);
      case 16 -> setTable(depth);
      case 17 -> drop(depth);
      case 18 -> dropSegment();
      default -> returns(depth);
    }
  }

  private void drop(int depth) {
    expression(number(), depth);
    code.write(0x1a);
  }

  private void dropSegment() {
    if (random.nextInt(6) == 0) {
      code.writeBytes(random.nextBoolean() ? bytes(0xfc, 9, 0) : bytes(0xfc, 13, 1));
    }
  }

  /** Any local but the fuel. */
  private int local(int type) {
    List<Integer> fitting = new ArrayList<>();
    for (int i = 0; i < locals.size(); i++) {
      if (locals.get(i) == type && i != FUEL) {
        fitting.add(i);
      }
    }
    return fitting.get(random.nextInt(fitting.size()));
  }

  private void setLocal(int depth) {
    int type = number();
    expression(type, depth);
    code.writeBytes(bytes(0x21, local(type)));
  }

  private void setGlobal(int depth) {
    int global = random.nextInt(NUMBERS.length);
    expression(NUMBERS[global], depth);
    code.writeBytes(bytes(0x24, global));
  }

  /** Mostly inside. */
  private void address(int depth) {
    expression(I32, depth);
    if (random.nextInt(40) > 0) {
      code.write(0x41);
      sleb(code, 0x7fff);
      code.write(0x71);
    }
  }

  private void memoryArgument(int widthLog2) {
    leb(code, random.nextInt(widthLog2 + 1));
    leb(code, random.nextInt(80) == 0 ? random.nextInt() & 0xffff_ffffL : random.nextInt(64));
  }

  private void store(int depth) {
    int type = number();
    address(depth);
    expression(type, depth);
    int[][] stores = {
      {0x36, 2, I32},
      {0x3a, 0, I32},
      {0x3b, 1, I32},
      {0x37, 3, I64},
      {0x3c, 0, I64},
      {0x3d, 1, I64},
      {0x3e, 2, I64},
      {0x38, 2, F32},
      {0x39, 3, F64}
    };
    access(stores, type);
  }

  private void access(int[][] accesses, int type) {
    int[] access;
    do {
      access = accesses[random.nextInt(accesses.length)];
    } while (access[2] != type);
    code.write(access[0]);
    memoryArgument(access[1]);
  }

  private void block(int depth) {
    code.writeBytes(bytes(0x02, NONE));
    inside(NONE, () -> statements(depth));
    code.write(0x0b);
  }

  private void inside(int label, Runnable body) {
    labels.add(label);
    body.run();
    labels.remove(labels.size() - 1);
  }

  /** Goes back while the fuel lasts, by a branch of each kind. */
  private void loop(int depth) {
    code.writeBytes(bytes(0x02, NONE, 0x03, NONE));
    inside(
        NONE,
        () ->
            inside(
                NONE,
                () -> {
                  code.writeBytes(bytes(0x20, FUEL, 0x45, 0x0d, 1));
                  code.writeBytes(bytes(0x20, FUEL, 0x41, 1, 0x6b, 0x21, FUEL));
                  statements(depth);
                  switch (random.nextInt(3)) {
                    case 0 -> code.writeBytes(bytes(0x0c, 0));
                    case 1 -> {
                      expression(I32, depth + 1);
                      code.writeBytes(bytes(0x0d, 0));
                    }
                    default -> {
                      expression(I32, depth + 1);
                      code.writeBytes(bytes(0x0e, 2, 0, 1, 0));
                    }
                  }
                }));
    code.writeBytes(bytes(0x0b, 0x0b));
  }

  private void ifElse(int depth) {
    expression(I32, depth);
    code.writeBytes(bytes(0x04, NONE));
    inside(NONE, () -> statements(depth));
    if (random.nextBoolean()) {
      code.write(0x05);
      inside(NONE, () -> statements(depth));
    }
    code.write(0x0b);
  }

  private void branchIf(int depth) {
    int label = random.nextInt(labels.size());
    int carried = labels.get(labels.size() - 1 - label);
    if (carried == NONE) {
      expression(I32, depth);
      code.writeBytes(bytes(0x0d, label));
    } else {
      expression(carried, depth);
      expression(I32, depth);
      code.writeBytes(bytes(0x0d, label, 0x1a));
    }
  }

  private void branchTable(int depth) {
    List<Integer> plain = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      if (labels.get(labels.size() - 1 - i) == NONE) {
        plain.add(i);
      }
    }
    if (plain.isEmpty()) {
      return;
    }
    code.writeBytes(bytes(0x02, NONE));
    expression(I32, DEEPEST); // no deeper: its labels would be one further out
    int targets = random.nextInt(4);
    code.writeBytes(bytes(0x0e, targets));
    for (int i = 0; i <= targets; i++) {
      code.write(plain.get(random.nextInt(plain.size())) + 1);
    }
    code.write(0x0b);
  }

  private void returns(int depth) {
    if (random.nextInt(4) == 0) {
      expression(I32, depth);
      code.writeBytes(bytes(0x04, NONE));
      inside(
          NONE,
          () -> {
            expression(labels.get(0), depth);
            code.write(0x0f);
          });
      code.write(0x0b);
    }
  }

  private void length(int depth) {
    expression(I32, depth);
    if (random.nextInt(20) > 0) {
      code.writeBytes(bytes(0x41, 31, 0x71));
    }
  }

  private void bulkMemory(int depth) {
    address(depth);
    switch (random.nextInt(3)) {
      case 0 -> {
        expression(I32, depth);
        length(depth);
        code.writeBytes(bytes(0xfc, 11, 0));
      }
      case 1 -> {
        address(depth);
        length(depth);
        code.writeBytes(bytes(0xfc, 10, 0, 0));
      }
      default -> {
        code.writeBytes(bytes(0x41, random.nextInt(9)));
        code.writeBytes(bytes(0x41, random.nextInt(9)));
        code.writeBytes(bytes(0xfc, 8, 0, 0));
      }
    }
  }

  private void entry(int depth) {
    expression(I32, depth);
    if (random.nextInt(30) > 0) {
      code.writeBytes(bytes(0x41, 3, 0x71));
    }
  }

  private void reference(int depth) {
    switch (random.nextInt(3)) {
      case 0 -> code.writeBytes(random.nextInt(4) > 0 ? bytes(0xd2, 0) : bytes(0xd0, 0x70));
      case 1 -> code.writeBytes(bytes(0xd2, random.nextInt(functions)));
      default -> {
        entry(depth);
        code.writeBytes(bytes(0x25, 0));
      }
    }
  }

  private void setTable(int depth) {
    entry(depth);
    reference(depth);
    code.writeBytes(bytes(0x26, 0));
  }

  private void bulkTable(int depth) {
    entry(depth);
    switch (random.nextInt(3)) {
      case 0 -> {
        reference(depth);
        entry(depth);
        code.writeBytes(bytes(0xfc, 17, 0));
      }
      case 1 -> {
        entry(depth);
        entry(depth);
        code.writeBytes(bytes(0xfc, 14, 0, 0));
      }
      default -> {
        entry(depth);
        entry(depth);
        code.writeBytes(bytes(0xfc, 12, 1, 0));
      }
    }
  }

  private void constant(int type) {
    switch (type) {
      case I32 -> {
        code.write(0x41);
        sleb(code, i32(random));
      }
      case I64 -> {
        code.write(0x42);
        sleb(code, i64(random));
      }
      case F32 -> {
        code.write(0x43);
        code.writeBytes(little(4).putFloat(f32(random)).array());
      }
      default -> {
        code.write(0x44);
        code.writeBytes(little(8).putDouble(f64(random)).array());
      }
    }
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Leaves one value of the type; a NaN that was calculated as the one that all are. */
  private void expression(int type, int depth) {
    if (depth >= DEEPEST || random.nextInt(6) == 0) {
      leaf(type);
      return;
    }
    int next = depth + 1;
    switch (random.nextInt(9)) {
      case 0, 1, 2 -> operation(type, next);
      case 3 -> load(type, next);
      case 4 -> select(type, next);
      case 5 -> valueBlock(type, next);
      case 6 -> call(type, next);
      case 7 -> convert(type, next);
      default -> special(type, next);
    }
  }

  private void leaf(int type) {
    switch (random.nextInt(4)) {
      case 0 -> constant(type);
      case 1 -> code.writeBytes(bytes(0x23, I32 - type));
      default -> code.writeBytes(bytes(0x20, local(type)));
    }
  }

  private void operation(int type, int depth) {
    int[][] binary = {{0x6a, 0x78}, {0x7c, 0x8a}, {0x92, 0x98}, {0xa0, 0xa6}};
    int[][] unary = {{0x67, 0x69}, {0x79, 0x7b}, {0x8b, 0x91}, {0x99, 0x9f}};
    int at = I32 - type;
    boolean two = random.nextInt(4) > 0;
    int[] range = two ? binary[at] : unary[at];
    expression(type, depth);
    if (two) {
      expression(type, depth);
    }
    int operation;
    do {
      operation = range[0] + random.nextInt(range[1] - range[0] + 1);
    } while (isDivision(operation) && random.nextInt(8) > 0);
    code.write(operation);
    calm(type);
  }

  /** Of integers: most of the random ones trap. */
  private static boolean isDivision(int operation) {
    return operation >= 0x6d && operation <= 0x70 || operation >= 0x7f && operation <= 0x82;
  }

  /** Signs and payloads of NaNs may differ, so they are all made the same. */
  private void calm(int type) {
    if (type != F32 && type != F64) {
      return;
    }
    int local = local(type);
    code.writeBytes(bytes(0x22, local));
    code.write(type == F32 ? 0x43 : 0x44);
    code.writeBytes(
        type == F32
            ? little(4).putFloat(Float.NaN).array()
            : little(8).putDouble(Double.NaN).array());
    code.writeBytes(bytes(0x20, local, 0x20, local, type == F32 ? 0x5b : 0x61, 0x1b, 0x22, local));
  }

  private void load(int type, int depth) {
    int[][] loads = {
      {0x28, 2, I32}, {0x2c, 0, I32}, {0x2d, 0, I32}, {0x2e, 1, I32}, {0x2f, 1, I32},
      {0x29, 3, I64}, {0x30, 0, I64}, {0x31, 0, I64}, {0x32, 1, I64}, {0x33, 1, I64},
      {0x34, 2, I64}, {0x35, 2, I64}, {0x2a, 2, F32}, {0x2b, 3, F64}
    };
    address(depth);
    access(loads, type);
    calm(type);
  }

  private void select(int type, int depth) {
    expression(type, depth);
    expression(type, depth);
    expression(I32, depth);
    if (random.nextBoolean()) {
      code.write(0x1b);
    } else {
      code.writeBytes(bytes(0x1c, 1, type));
    }
  }

  private void valueBlock(int type, int depth) {
    if (random.nextBoolean()) {
      code.writeBytes(bytes(0x02, type));
      inside(
          type,
          () -> {
            statements(depth);
            expression(type, depth);
          });
    } else {
      expression(I32, depth);
      code.writeBytes(bytes(0x04, type));
      inside(type, () -> expression(type, depth));
      code.write(0x05);
      inside(type, () -> expression(type, depth));
    }
    code.write(0x0b);
  }

  /** A function of that result, by name or through the table. */
  private void call(int type, int depth) {
    List<Integer> byName = new ArrayList<>();
    List<Integer> inTable = new ArrayList<>();
    for (int i = 0; i < functions; i++) {
      if (results[i] == type) {
        byName.add(i);
      }
      if (results[entries[i]] == type) {
        inTable.add(i);
      }
    }
    for (int param : NUMBERS) {
      expression(param, depth + 1);
    }
    if (!inTable.isEmpty() && random.nextBoolean() || byName.isEmpty()) {
      callIndirect(type, inTable, depth);
    } else {
      code.writeBytes(bytes(0x10, byName.get(random.nextInt(byName.size()))));
    }
  }

  /** Mostly an entry that had the type at first. */
  private void callIndirect(int type, List<Integer> fitting, int depth) {
    if (fitting.isEmpty() || random.nextInt(20) == 0) {
      entry(depth + 1);
    } else {
      code.writeBytes(bytes(0x41, fitting.get(random.nextInt(fitting.size()))));
    }
    code.writeBytes(bytes(0x11, I32 - type, 0));
  }

  private void convert(int type, int depth) {
    int[][] conversions = {
      {0xa7, I64, I32}, {0xa8, F32, I32}, {0xa9, F32, I32}, {0xaa, F64, I32}, {0xab, F64, I32},
      {0xac, I32, I64}, {0xad, I32, I64}, {0xae, F32, I64}, {0xaf, F32, I64}, {0xb0, F64, I64},
      {0xb1, F64, I64}, {0xb2, I32, F32}, {0xb3, I32, F32}, {0xb4, I64, F32}, {0xb5, I64, F32},
      {0xb6, F64, F32}, {0xb7, I32, F64}, {0xb8, I32, F64}, {0xb9, I64, F64}, {0xba, I64, F64},
      {0xbb, F32, F64}, {0xbc, F32, I32}, {0xbd, F64, I64}, {0xbe, I32, F32}, {0xbf, I64, F64},
      {0xc0, I32, I32}, {0xc1, I32, I32}, {0xc2, I64, I64}, {0xc3, I64, I64}, {0xc4, I64, I64},
      {0x45, I32, I32}, {0x50, I64, I32}
    };
    int[] conversion;
    do {
      conversion = conversions[random.nextInt(conversions.length)];
    } while (conversion[2] != type);
    expression(conversion[1], depth);
    if (isTruncation(conversion[0]) && random.nextInt(12) > 0) {
      code.writeBytes(bytes(0xfc, saturating(conversion[0])));
    } else {
      code.write(conversion[0]);
    }
    calm(type);
  }

  private static boolean isTruncation(int conversion) {
    return conversion >= 0xa8 && conversion <= 0xab || conversion >= 0xae && conversion <= 0xb1;
  }

  /** The truncation that does not trap. */
  private static int saturating(int truncation) {
    return truncation <= 0xab ? truncation - 0xa8 : truncation - 0xae + 4;
  }

  private void special(int type, int depth) {
    if (type == I32) {
      switch (random.nextInt(7)) {
        case 0 -> code.writeBytes(bytes(0x3f, 0));
        case 1 -> {
          expression(I32, depth);
          code.writeBytes(bytes(0x41, 3, 0x71, 0x40, 0));
        }
        case 2 -> code.writeBytes(bytes(0xfc, 16, 0));
        case 3 -> {
          reference(depth);
          entry(depth);
          code.writeBytes(bytes(0xfc, 15, 0));
        }
        case 4 -> {
          reference(depth);
          code.write(0xd1);
        }
        default -> compare(depth);
      }
    } else {
      operation(type, depth);
    }
  }

  private void compare(int depth) {
    int[][] comparisons = {
      {I32, 0x46, 0x4f}, {I64, 0x51, 0x5a}, {F32, 0x5b, 0x60}, {F64, 0x61, 0x66}
    };
    int[] comparison = comparisons[random.nextInt(comparisons.length)];
    expression(comparison[0], depth);
    expression(comparison[0], depth);
    code.write(comparison[1] + random.nextInt(comparison[2] - comparison[1] + 1));
  }

  private static void section(ByteArrayOutputStream out, int id, byte[] body) {
    out.write(id);
    leb(out, body.length);
    out.writeBytes(body);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static void leb(ByteArrayOutputStream out, long value) {
    for (long rest = value; ; rest >>>= 7) {
      if (rest >>> 7 == 0) {
        out.write((int) rest);
        return;
      }
      out.write((int) (rest & 0x7f | 0x80));
    }
  }

  private static void sleb(ByteArrayOutputStream out, long value) {
    for (long rest = value; ; rest >>= 7) {
      int low = (int) (rest & 0x7f);
      boolean last = rest >> 6 == 0 || rest >> 6 == -1;
      out.write(last ? low : low | 0x80);
      if (last) {
        return;
      }
    }
  }
}
