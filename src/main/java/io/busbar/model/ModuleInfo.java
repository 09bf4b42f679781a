package io.busbar.model;

import java.util.List;
import java.util.Optional;

/** What a module says of itself: its name, imports and exports, with their types. */
public record ModuleInfo(
    ModuleId id, Optional<String> name, int size, List<Import> imports, List<Export> exports) {
  /** Something the module needs: where it looks for it, and of which type. */
  public record Import(String module, String name, ExternType type) {}

  /** Something the module offers. */
  public record Export(String name, ExternType type) {}

  public ModuleInfo {
    imports = List.copyOf(imports);
    exports = List.copyOf(exports);
  }
}
