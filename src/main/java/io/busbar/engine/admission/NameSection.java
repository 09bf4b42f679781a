package io.busbar.engine.admission;

import io.busbar.model.WasmException;
import java.io.ByteArrayOutputStream;
import java.util.Optional;

/**
 * The section of names: of the module and of its functions, as far as the engine can use them. Who
 * made it is not trusted to have followed its rules, and the module is as good without.
 */
final class NameSection {
  private static final int OF_MODULE = 0;
  private static final int OF_FUNCTIONS = 1;
  private static final byte[] NAME = {4, 'n', 'a', 'm', 'e'};

  private final Bytes in;
  private final int functions;
  private final ByteArrayOutputStream names = new ByteArrayOutputStream();
  private int last = -1;
  private int count;

  /** At the beginning of what the section holds. */
  NameSection(Bytes in, int functions) {
    this.in = in;
    this.functions = functions;
  }

  int count() {
    return count;
  }

  /** A custom section of the names that are kept; empty where it breaks a rule. */
  Optional<byte[]> read() {
    try {
      int part = -1;
      while (in.left() > 0) {
        int next = in.u8();
        int outer = in.enter(in.u32(), "names");
        if (next <= part) {
          return Optional.empty();
        }
        part = next;
        if (!keep(part)) {
          return Optional.empty();
        }
        in.abandon(outer);
      }
      return Optional.of(section());
    } catch (WasmException e) {
      return Optional.empty();
    }
  }

  private boolean keep(int part) {
    if (part == OF_MODULE) {
      int from = in.at();
      in.name("the module's name");
      if (isReadable(from, in.at())) {
        write(OF_MODULE, slice(from, in.at()));
      }
    }
    return part != OF_FUNCTIONS || functions();
  }

  /** False where they do not stand in their order. */
  private boolean functions() {
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    int most = in.count("names");
    for (int i = 0; i < most; i++) {
      int from = in.at();
      long index = in.u32();
      if (index <= last || index >= functions) {
        return false;
      }
      last = (int) index;
      int name = in.at();
      in.name("a function's name");
      if (isReadable(name, in.at())) {
        kept.write(in.array(), from, in.at() - from);
        count++;
      }
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    number(all, count);
    all.writeBytes(kept.toByteArray());
    write(OF_FUNCTIONS, all.toByteArray());
    return true;
  }

  /** The engine refuses a module for names with letters that it does not know. */
  private boolean isReadable(int from, int to) {
    String text = in.text(from, to);
    return text != null
        && text.chars().allMatch(c -> c < 0x80 || Character.isUnicodeIdentifierPart(c));
  }

  private byte[] slice(int from, int to) {
    return java.util.Arrays.copyOfRange(in.array(), from, to);
  }

  private void write(int part, byte[] bytes) {
    names.write(part);
    number(names, bytes.length);
    names.writeBytes(bytes);
  }

  private byte[] section() {
    ByteArrayOutputStream section = new ByteArrayOutputStream();
    section.write(0);
    number(section, NAME.length + names.size());
    section.writeBytes(NAME);
    section.writeBytes(names.toByteArray());
    return section.toByteArray();
  }

  private static void number(ByteArrayOutputStream out, int number) {
    int rest = number;
    for (; rest > 0x7F; rest >>>= 7) {
      out.write(rest & 0x7F | 0x80);
    }
    out.write(rest);
  }
}
