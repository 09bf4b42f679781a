package io.busbar.spec.text;

/** All index spaces of a module. */
record Spaces(
    Types types,
    Space functions,
    Space tables,
    Space memories,
    Space globals,
    Space tags,
    Space elements,
    Space data) {
  static Spaces create() {
    return new Spaces(
        new Types(),
        new Space(),
        new Space(),
        new Space(),
        new Space(),
        new Space(),
        new Space(),
        new Space());
  }

  /** The space that fields and descriptions which start so are counted in; null if none is. */
  Space of(String head) {
    return switch (head) {
      case "func" -> functions;
      case "table" -> tables;
      case "memory" -> memories;
      case "global" -> globals;
      case "tag" -> tags;
      case "elem" -> elements;
      case "data" -> data;
      default -> null;
    };
  }
}
