package io.busbar;

import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.engine.Compiler;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleRef;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;

/** A node on a Vert.x of its own, for one test. */
public final class TestNode implements AutoCloseable {
  private final Vertx vertx = Vertx.vertx();
  private final WasmHost host;

  private TestNode(Config config) {
    host = WasmHost.start(vertx, config).await();
  }

  public static TestNode start() {
    return start(Config.standard());
  }

  public static TestNode start(Compiler.Mode mode) {
    return start(config(mode));
  }

  public static TestNode start(Config config) {
    return new TestNode(config);
  }

  /** The standard settings, but every guest on this machine. */
  public static Config config(Compiler.Mode mode) {
    return Config.standard().withCompiler(Compiler.Options.STANDARD.withMode(mode));
  }

  public Vertx vertx() {
    return vertx;
  }

  public WasmHost host() {
    return host;
  }

  public WasmClient client() {
    return host.client();
  }

  /** Starts an instance of a guest of the test resources. */
  public InstanceRef start(String guest) {
    return start(inline(guest));
  }

  public InstanceRef start(InstanceSpec spec) {
    return client().start(spec).await();
  }

  /** Starts an instance of this wasm text. */
  public InstanceRef startText(String wat) {
    return start(inlineText(wat));
  }

  /** A spec that brings a guest of the test resources along. */
  public static InstanceSpec inline(String guest) {
    return InstanceSpec.of(new ModuleRef.Inline(Guests.text(guest)));
  }

  /** The same for a guest that was built from source. */
  public static InstanceSpec inlineBinary(String guest) {
    return InstanceSpec.of(new ModuleRef.Inline(Guests.binary(guest)));
  }

  public static InstanceSpec inlineText(String wat) {
    return InstanceSpec.of(new ModuleRef.Inline(wat.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void close() {
    host.close().eventually(vertx::close).await();
  }
}
