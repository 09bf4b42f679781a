package io.busbar.engine;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes modules that are almost like the ones it was given: always the same of the same seed. */
final class Mutants {
  private static final int HEADER = 8;
  private static final int CODE = 10;
  private static final int[] BYTES = {0x00, 0x01, 0x0B, 0x40, 0x7F, 0x80, 0xFB, 0xFC, 0xFD, 0xFE};

  private final List<byte[]> originals;
  private final Random random;

  Mutants(List<byte[]> originals, long seed) {
    this.originals = originals;
    this.random = new Random(seed);
  }

  private record Section(int id, byte[] content) {}

  byte[] next() {
    byte[] original = any(originals);
    byte[] mutant = once(original);
    for (int more = random.nextInt(4); more > 2; more--) {
      mutant = once(mutant);
    }
    return mutant;
  }

  private byte[] once(byte[] original) {
    return switch (random.nextInt(12)) {
      case 0 -> Arrays.copyOf(original, random.nextInt(original.length + 1));
      case 1 -> flip(original);
      case 2 -> inSections(original, this::duplicate);
      case 3 -> inSections(original, this::drop);
      case 4 -> inSections(original, this::swap);
      case 5 -> inSections(original, this::replace);
      case 6, 7 -> inSections(original, sections -> change(sections, this::count));
      case 8 -> inSections(original, sections -> change(sections, this::lengthen));
      case 9 -> inSections(original, sections -> change(sections, this::flip));
      default -> inSections(original, this::splice);
    };
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private byte[] flip(byte[] bytes) {
    byte[] flipped = bytes.clone();
    if (bytes.length > 0) {
      int at = random.nextInt(bytes.length);
      flipped[at] =
          random.nextBoolean()
              ? (byte) (flipped[at] ^ 1 << random.nextInt(8))
              : (byte) BYTES[random.nextInt(BYTES.length)];
    }
    return flipped;
  }

  private interface Change {
    void in(List<Section> sections);
  }

  private interface Content {
    byte[] of(byte[] content);
  }

  /** The whole again, its sections' sizes as they have become. */
  private byte[] inSections(byte[] wasm, Change change) {
    List<Section> sections = sections(wasm);
    if (sections.isEmpty()) {
      return flip(wasm);
    }
    change.in(sections);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(wasm, 0, HEADER);
    for (Section section : sections) {
      out.write(section.id);
      writeNumber(out, section.content.length);
      out.writeBytes(section.content);
    }
    return out.toByteArray();
  }

  private static List<Section> sections(byte[] wasm) {
    List<Section> sections = new ArrayList<>();
    int[] at = {HEADER};
    while (at[0] + 1 < wasm.length) {
      int id = wasm[at[0]++];
      long size = readNumber(wasm, at);
      if (size < 0 || size > wasm.length - at[0]) {
        break;
      }
      sections.add(new Section(id, Arrays.copyOfRange(wasm, at[0], at[0] + (int) size)));
      at[0] += (int) size;
    }
    return sections;
  }

  private void duplicate(List<Section> sections) {
    sections.add(random.nextInt(sections.size() + 1), any(sections));
  }

  private void drop(List<Section> sections) {
    sections.remove(random.nextInt(sections.size()));
  }

  private void swap(List<Section> sections) {
    int one = random.nextInt(sections.size());
    sections.set(one, sections.set(random.nextInt(sections.size()), sections.get(one)));
  }

  /** A section of another module in place of one of the same kind. */
  private void replace(List<Section> sections) {
    int at = random.nextInt(sections.size());
    for (Section other : sections(any(originals))) {
      if (other.id == sections.get(at).id) {
        sections.set(at, other);
      }
    }
  }

  private void change(List<Section> sections, Content change) {
    int at = random.nextInt(sections.size());
    Section section = sections.get(at);
    byte[] content =
        section.id == CODE && random.nextInt(4) > 0
            ? inBodies(section.content, bodies -> changeOne(bodies, change))
            : change.of(section.content);
    sections.set(at, new Section(section.id, content));
  }

  private void changeOne(List<byte[]> bodies, Content change) {
    int at = random.nextInt(bodies.size());
    bodies.set(at, change.of(bodies.get(at)));
  }

  /** A number that may be a count, an index or a size becomes another. */
  private byte[] count(byte[] content) {
    if (content.length == 0) {
      return content;
    }
    int[] at = {random.nextInt(4) == 0 ? 0 : random.nextInt(content.length)};
    int from = at[0];
    long number = Math.max(0, readNumber(content, at));
    long[] others = {0, number - 1, number + 1, 0x7FFFFFFFL, 0xFFFFFFFFL};
    long other = others[random.nextInt(number < 1000 ? 3 : 5)];
    if (random.nextInt(10) == 0) {
      other = others[3 + random.nextInt(2)];
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(content, 0, from);
    writeNumber(out, Math.max(0, other));
    out.write(content, at[0], content.length - at[0]);
    return out.toByteArray();
  }

  /** The same number in more bytes than it needs. */
  private byte[] lengthen(byte[] content) {
    if (content.length == 0) {
      return content;
    }
    int at = random.nextInt(content.length);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(content, 0, at);
    out.write(content[at] | 0x80);
    for (int more = random.nextInt(6); more > 4; more--) {
      out.write(0x80);
    }
    out.write((content[at] & 0x40) != 0 && random.nextBoolean() ? 0x7F : 0);
    out.write(content, at + 1, content.length - at - 1);
    return out.toByteArray();
  }

  /** A function gets the body of another, of this module or one of the others. */
  private void splice(List<Section> sections) {
    for (int i = 0; i < sections.size(); i++) {
      if (sections.get(i).id == CODE) {
        byte[] content = inBodies(sections.get(i).content, this::spliceOne);
        sections.set(i, new Section(CODE, content));
      }
    }
  }

  private void spliceOne(List<byte[]> bodies) {
    List<byte[]> others = new ArrayList<>(bodies);
    for (Section section : sections(random.nextBoolean() ? any(originals) : new byte[0])) {
      if (section.id == CODE) {
        inBodies(section.content, others::addAll);
      }
    }
    int at = random.nextInt(bodies.size());
    byte[] one = bodies.get(at);
    byte[] other = any(others);
    if (random.nextBoolean() && one.length > 2 && other.length > 2) {
      int from = 1 + random.nextInt(one.length - 1);
      int to = 1 + random.nextInt(other.length - 1);
      byte[] joined = Arrays.copyOf(one, from + other.length - to);
      System.arraycopy(other, to, joined, from, other.length - to);
      other = joined;
    }
    bodies.set(at, other);
  }

  private interface Bodies {
    void in(List<byte[]> bodies);
  }

  private static byte[] inBodies(byte[] content, Bodies change) {
    int[] at = {0};
    List<byte[]> bodies = new ArrayList<>();
    long count = readNumber(content, at);
    for (long i = 0; i < count && at[0] < content.length; i++) {
      long size = readNumber(content, at);
      if (size < 0 || size > content.length - at[0]) {
        return content;
      }
      bodies.add(Arrays.copyOfRange(content, at[0], at[0] + (int) size));
      at[0] += (int) size;
    }
    if (bodies.isEmpty()) {
      return content;
    }
    change.in(bodies);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    writeNumber(out, bodies.size());
    for (byte[] body : bodies) {
      writeNumber(out, body.length);
      out.writeBytes(body);
    }
    return out.toByteArray();
  }

  private static long readNumber(byte[] bytes, int[] at) {
    long number = 0;
    for (int shift = 0; shift < 35 && at[0] < bytes.length; shift += 7) {
      int next = bytes[at[0]++];
      number |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return number;
      }
    }
    return number;
  }

  private static void writeNumber(ByteArrayOutputStream out, long number) {
    long rest = number;
    for (; rest > 0x7F; rest >>>= 7) {
      out.write((int) (rest & 0x7F | 0x80));
    }
    out.write((int) rest);
  }
}
