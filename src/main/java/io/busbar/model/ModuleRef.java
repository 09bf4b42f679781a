package io.busbar.model;

import java.util.Arrays;

/** How a module is named where one is wanted: by digest, by name, or brought along inline. */
public sealed interface ModuleRef {
  /** The module with this digest. */
  record Digest(ModuleId id) implements ModuleRef {
    @Override
    public String toString() {
      return id.toString();
    }
  }

  /** The module that was put or tagged under this name, and version if there is one. */
  record Named(String name, String version) implements ModuleRef {
    public Named {
      Names.check("module name", name);
      if (version != null) {
        Names.check("module version", version);
      }
    }

    @Override
    public String toString() {
      return version == null ? name : name + ":" + version;
    }
  }

  /** The module itself: wasm, or wasm text. */
  record Inline(byte[] bytes) implements ModuleRef {
    @Override
    public boolean equals(Object other) {
      return other instanceof Inline inline && Arrays.equals(bytes, inline.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "inline module of " + bytes.length + " bytes";
    }
  }

  /** From {@code sha256:<hex>}, {@code name} or {@code name:version}. */
  static ModuleRef parse(String text) {
    if (text.startsWith(ModuleId.PREFIX)) {
      return new Digest(ModuleId.parse(text));
    }
    int colon = text.indexOf(':');
    return colon < 0
        ? new Named(text, null)
        : new Named(text.substring(0, colon), text.substring(colon + 1));
  }
}
