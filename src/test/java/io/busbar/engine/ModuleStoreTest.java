package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
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

  private static Library.Use use(String instance) {
    return new Library.Use(instance, 1, Optional.empty());
  }

  private ModuleStore open() {
    return new ModuleStore(Optional.of(folder.resolve("modules")));
  }

  @Test
  void folder_isReadAgain() {
    ModuleStore store = open();
    assertTrue(store.put(ONE_ID, ONE, named("a:1"), Reach.OPERATOR));
    assertFalse(store.put(ONE_ID, ONE, named("b"), Reach.OPERATOR));
    ModuleStore again = open();
    assertArrayEquals(ONE, again.bytes(ONE_ID));
    assertEquals(List.of("a", "a:1", "b"), again.stored(ONE_ID, Reach.OPERATOR).tags());
    assertEquals(ONE_ID, again.resolve(ModuleRef.parse("a"), Reach.OPERATOR));
  }

  @Test
  void bareName_followsTheLastVersion_andAVersionIsForEver() {
    ModuleStore store = new ModuleStore(Optional.empty());
    store.put(ONE_ID, ONE, named("a:1"), Reach.OPERATOR);
    store.put(TWO_ID, TWO, named("a:2"), Reach.OPERATOR);
    assertEquals(TWO_ID, store.resolve(ModuleRef.parse("a"), Reach.OPERATOR));
    assertEquals(ONE_ID, store.resolve(ModuleRef.parse("a:1"), Reach.OPERATOR));
    store.put(ONE_ID, ONE, named("a:1"), Reach.OPERATOR);
    Failing.with(
        Failure.CONFLICT,
        "`a:1` is already " + ONE_ID,
        () -> store.put(TWO_ID, TWO, named("a:1"), Reach.OPERATOR));
  }

  @Test
  void damagedFile_isNeverHandedOut() throws IOException {
    open().put(ONE_ID, ONE, Optional.empty(), Reach.OPERATOR);
    Files.write(folder.resolve("modules").resolve(ONE_ID.hex() + ".wasm"), TWO);
    Failing.with(Failure.UNAVAILABLE, () -> open().bytes(ONE_ID));
  }

  @Test
  void unfinishedFile_isNotAModule() throws IOException {
    Files.createDirectories(folder.resolve("modules"));
    Files.write(folder.resolve("modules").resolve(ONE_ID.hex() + ".wasm.new"), ONE);
    assertEquals(List.of(), open().list(Reach.OPERATOR));
  }

  @Test
  void folderThatCannotBeWritten_isSaidSo_andLeavesNothing() throws IOException {
    ModuleStore store = open();
    Files.delete(folder.resolve("modules"));
    Failing.with(Failure.UNAVAILABLE, () -> store.put(ONE_ID, ONE, named("a"), Reach.OPERATOR));
    assertEquals(List.of(), store.list(Reach.OPERATOR));
  }

  @Test
  void remove_ofANameLeavesTheOthers_ofADigestTakesAll() throws IOException {
    ModuleStore store = open();
    store.put(ONE_ID, ONE, named("a:1"), Reach.OPERATOR);
    store.put(ONE_ID, ONE, named("b"), Reach.OPERATOR);
    assertFalse(store.remove(ModuleRef.parse("a:1"), Reach.OPERATOR).gone());
    assertEquals(List.of("b"), store.stored(ONE_ID, Reach.OPERATOR).tags());
    assertTrue(store.remove(ModuleRef.parse("b"), Reach.OPERATOR).deleted());
    Failing.with(
        Failure.NO_SUCH_MODULE,
        "module `b` not found",
        () -> store.resolve(ModuleRef.parse("b"), Reach.OPERATOR));
    try (Stream<Path> files = Files.list(folder.resolve("modules"))) {
      assertEquals(List.of("tags.properties"), files.map(f -> f.getFileName().toString()).toList());
    }
  }

  @Test
  void moduleInUse_cannotBeRemoved_andOneThatWasNeverPutGoesWithItsLastUser() {
    ModuleStore store = new ModuleStore(Optional.empty());
    store.use(ONE_ID, ONE, use("i"));
    store.use(ONE_ID, ONE, use("j"));
    Failing.with(
        Failure.CONFLICT,
        "module " + ONE_ID + " is in use by 2 instances: `i`, `j`",
        () -> store.remove(new ModuleRef.Digest(ONE_ID), Reach.OPERATOR));
    assertFalse(store.unuse(ONE_ID, use("i")));
    assertTrue(store.unuse(ONE_ID, use("j")));
    assertEquals(List.of(), store.list(Reach.OPERATOR));
    store.use(TWO_ID, TWO, use("i"));
    store.put(TWO_ID, TWO, Optional.empty(), Reach.OPERATOR);
    assertFalse(store.unuse(TWO_ID, use("i")));
    assertEquals(1, store.list(Reach.OPERATOR).size());
  }

  @Test
  void folder_tellsAgainWhoKeepsWhat() {
    Reach ann = Reach.of("ann");
    Reach bob = Reach.of("bob/x");
    ModuleStore store = open();
    store.put(ONE_ID, ONE, named("a:1"), ann);
    store.put(ONE_ID, ONE, Optional.empty(), bob);
    store.put(TWO_ID, TWO, named("b"), Reach.OPERATOR);
    store.put(TWO_ID, TWO, named("b"), ann);
    ModuleStore again = open();
    assertEquals(List.of("a", "a:1"), again.stored(ONE_ID, ann).tags());
    assertEquals(List.of("ann/a", "ann/a:1"), again.stored(ONE_ID, Reach.OPERATOR).tags());
    assertEquals(List.of(), again.stored(ONE_ID, bob).tags());
    Failing.with(Failure.NO_SUCH_MODULE, () -> again.stored(TWO_ID, bob));
    assertFalse(again.remove(ModuleRef.parse("b"), Reach.OPERATOR).deleted());
    assertFalse(again.remove(new ModuleRef.Digest(ONE_ID), ann).deleted());
    ModuleStore last = open();
    assertEquals(List.of(ONE_ID), ids(last.list(bob)));
    assertEquals(List.of(TWO_ID), ids(last.list(ann)));
    assertTrue(last.remove(new ModuleRef.Digest(ONE_ID), bob).deleted());
    assertEquals(List.of(TWO_ID), ids(open().list(Reach.OPERATOR)));
  }

  private static List<ModuleId> ids(List<Library.Stored> modules) {
    return modules.stream().map(Library.Stored::id).toList();
  }

  /** A store from before there were users. */
  @Test
  void moduleWithoutAMark_isTheOperators() {
    open().put(ONE_ID, ONE, named("a"), Reach.OPERATOR);
    ModuleStore again = open();
    assertTrue(again.put(ONE_ID, ONE, Optional.empty(), Reach.of("ann")));
    assertFalse(again.remove(new ModuleRef.Digest(ONE_ID), Reach.of("ann")).deleted());
    assertEquals(List.of("a"), open().stored(ONE_ID, Reach.OPERATOR).tags());
    assertEquals(ONE_ID, open().resolve(ModuleRef.parse("a"), new Reach(Optional.of("bob"), true)));
  }
}
