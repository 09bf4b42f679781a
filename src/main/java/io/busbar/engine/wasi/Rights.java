package io.busbar.engine.wasi;

/** What may be done with a descriptor, as bits. */
final class Rights {
  static final long READ = 1L << 1;
  static final long WRITE = 1L << 6;
  static final long POLL = 1L << 27;

  private static final long READ_FILE = READ | bits(2, 3, 5, 7, 21, 27);
  private static final long WRITE_FILE = WRITE | bits(0, 4, 8, 22, 23);
  private static final long READ_DIRECTORY = bits(3, 13, 14, 15, 18, 21);
  private static final long WRITE_DIRECTORY = bits(9, 10, 11, 12, 16, 17, 19, 20, 23, 24, 25, 26);

  private Rights() {}

  private static long bits(int... numbers) {
    long bits = 0;
    for (int number : numbers) {
      bits |= 1L << number;
    }
    return bits;
  }

  static long file(boolean writable) {
    return writable ? READ_FILE | WRITE_FILE : READ_FILE;
  }

  static long directory(boolean writable) {
    return writable ? READ_DIRECTORY | WRITE_DIRECTORY : READ_DIRECTORY;
  }
}
