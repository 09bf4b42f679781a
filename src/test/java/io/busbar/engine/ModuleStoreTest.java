package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is put is there again, under its digest and its names, or it is refused. */
class ModuleStoreTest {
  private static final byte[] ONE = {1};
  private static final byte[] TWO = {2, 2};
  private static final ModuleId ONE_ID = ModuleId.of(ONE);
  private static final ModuleId TWO_ID = ModuleId.of(TWO);

  @TempDir Path folder;

  private static Optional<ModuleRef.Named> named(String ref) {
    return Optional.of((ModuleRef.Named) ModuleRef.parse(ref));
  }

  private ModuleStore open() {
    return new ModuleStore(Optional.of(folder.resolve("modules")));
  }

  @Test
  void folder_isReadAgain() {
    ModuleStore store = open();
    assertTrue(store.put(ONE_ID, ONE, named("a:1")));
    assertFalse(store.put(ONE_ID, ONE, named("b")));
    ModuleStore again = open();
    assertArrayEquals(ONE, again.bytes(ONE_ID));
    assertEquals(List.of("a", "a:1", "b"), again.stored(ONE_ID).tags());
    assertEquals(ONE_ID, again.resolve(ModuleRef.parse("a")));
  }

  @Test
  void bareName_followsTheLastVersion_andAVersionIsForEver() {
    ModuleStore store = new ModuleStore(Optional.empty());
    store.put(ONE_ID, ONE, named("a:1"));
    store.put(TWO_ID, TWO, named("a:2"));
    assertEquals(TWO_ID, store.resolve(ModuleRef.parse("a")));
    assertEquals(ONE_ID, store.resolve(ModuleRef.parse("a:1")));
    store.put(ONE_ID, ONE, named("a:1"));
    Failing.with(
        Failure.CONFLICT, "`a:1` is already " + ONE_ID, () -> store.put(TWO_ID, TWO, named("a:1")));
  }

  @Test
  void damagedFile_isNeverHandedOut() throws IOException {
    open().put(ONE_ID, ONE, Optional.empty());
    Files.write(folder.resolve("modules").resolve(ONE_ID.hex() + ".wasm"), TWO);
    Failing.with(Failure.UNAVAILABLE, () -> open().bytes(ONE_ID));
  }

  @Test
  void unfinishedFile_isNotAModule() throws IOException {
    Files.createDirectories(folder.resolve("modules"));
    Files.write(folder.resolve("modules").resolve(ONE_ID.hex() + ".wasm.new"), ONE);
    assertEquals(List.of(), open().list());
  }

  @Test
  void folderThatCannotBeWritten_isSaidSo_andLeavesNothing() throws IOException {
    ModuleStore store = open();
    Files.delete(folder.resolve("modules"));
    Failing.with(Failure.UNAVAILABLE, () -> store.put(ONE_ID, ONE, named("a")));
    assertEquals(List.of(), store.list());
  }

  @Test
  void remove_ofANameLeavesTheOthers_ofADigestTakesAll() throws IOException {
    ModuleStore store = open();
    store.put(ONE_ID, ONE, named("a:1"));
    store.put(ONE_ID, ONE, named("b"));
    assertEquals(Optional.empty(), store.remove(ModuleRef.parse("a:1")));
    assertEquals(List.of("b"), store.stored(ONE_ID).tags());
    assertEquals(Optional.of(ONE_ID), store.remove(ModuleRef.parse("b")));
    Failing.with(
        Failure.NO_SUCH_MODULE, "module `b` not found", () -> store.resolve(ModuleRef.parse("b")));
    try (Stream<Path> files = Files.list(folder.resolve("modules"))) {
      assertEquals(List.of("tags.properties"), files.map(f -> f.getFileName().toString()).toList());
    }
  }

  @Test
  void moduleInUse_cannotBeRemoved_andOneThatWasNeverPutGoesWithItsLastUser() {
    ModuleStore store = new ModuleStore(Optional.empty());
    store.use(ONE_ID, ONE, ModuleStore.user("i", 1));
    store.use(ONE_ID, ONE, ModuleStore.user("j", 1));
    Failing.with(
        Failure.CONFLICT,
        "module " + ONE_ID + " is in use by 2 instances: `i`, `j`",
        () -> store.remove(new ModuleRef.Digest(ONE_ID)));
    assertFalse(store.unuse(ONE_ID, ModuleStore.user("i", 1)));
    assertTrue(store.unuse(ONE_ID, ModuleStore.user("j", 1)));
    assertEquals(List.of(), store.list());
    store.use(TWO_ID, TWO, ModuleStore.user("i", 1));
    store.put(TWO_ID, TWO, Optional.empty());
    assertFalse(store.unuse(TWO_ID, ModuleStore.user("i", 1)));
    assertEquals(1, store.list().size());
  }
}
