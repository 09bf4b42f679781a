package io.busbar.engine;

import io.busbar.model.ImportSpec;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** This room's own guests of wasm text, all on the same machine. */
final class Ours implements AutoCloseable {
  private final Compiler compiler;

  Ours(Compiler.Mode mode) {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
  }

  CompiledModule load(String wat) {
    return load(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
  }

  CompiledModule load(byte[] wasm) {
    return compiler.load(wasm);
  }

  Guest start(String wat) {
    return Guest.start(Guest.Plan.of(load(wat), "guest"), null);
  }

  /** With links that can use those before them; names and texts take turns. */
  Guest link(String wat, String... links) {
    List<Link> linked = new ArrayList<>();
    for (int i = 0; i < links.length; i += 2) {
      linked.add(new Link(links[i], load(links[i + 1]), List.of()));
    }
    return Guest.start(Guest.Plan.of(load(wat), "guest").withLinks(linked), null);
  }

  Guest start(String wat, ImportSpec spec, HostCall answer) {
    return Guest.start(Guest.Plan.of(load(wat), "guest").withImports(List.of(spec)), answer);
  }

  /** What a call gives, or the word of its trap, or its failure. */
  static String said(Guest guest, String function, Object... params) {
    try {
      return guest.call(function, List.of(params)).toString();
    } catch (WasmException e) {
      return e.trap() == null ? e.toString() : e.trap();
    }
  }

  @Override
  public void close() {
    compiler.close();
  }
}
