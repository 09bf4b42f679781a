package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TagInstance;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.TypeSection;
import com.dylibso.chicory.wasm.types.ValType;
import java.util.ArrayList;
import java.util.List;

/**
 * The exception tags that a guest's parts define.
 *
 * <p>The engine takes an imported tag for any other of the same type. So, while guests run, the
 * type of each tag also has results, which no tag has, and no two tags the same; while a part is
 * linked, they have the types they should.
 */
final class Tags {
  private static final int DIGITS = Integer.SIZE;

  private final List<Tag> tags = new ArrayList<>();

  private record Tag(TagInstance instance, FunctionType type) {}

  /** Adds those that an instance defines itself. */
  void add(Instance instance) {
    int imported = instance.imports().tagCount();
    TypeSection types = instance.module().typeSection();
    int defined = instance.module().tagSection().map(section -> section.tagCount()).orElse(0);
    for (int i = imported; i < imported + defined; i++) {
      TagInstance tag = instance.tag(i);
      tags.add(new Tag(tag, types.getType(tag.tagType().typeIdx())));
    }
  }

  /** A part is going to be linked. */
  void showTypes() {
    tags.forEach(tag -> tag.instance.setType(tag.type));
  }

  /** Code is going to run. */
  void tellApart() {
    for (int i = 0; i < tags.size(); i++) {
      Tag tag = tags.get(i);
      tag.instance.setType(FunctionType.of(tag.type.params(), digits(i)));
    }
  }

  private static List<ValType> digits(int number) {
    List<ValType> digits = new ArrayList<>();
    for (int i = 0; i < DIGITS; i++) {
      digits.add((number >> i & 1) == 0 ? ValType.I32 : ValType.I64);
    }
    return digits;
  }
}
