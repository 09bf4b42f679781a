package io.busbar;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rooms and their order: what stands in one may use only what stands before it. */
class LayersTest {
  private static final String ROOT = "io.busbar";
  private static final List<String> ROOMS =
      List.of("model", "engine", "wire", "client", "host", "cluster", "gateway");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT);

  @Test
  void rooms_useOnlyEarlierRooms() {
    for (int i = 0; i < ROOMS.size(); i++) {
      String[] later = ROOMS.stream().skip(i + 1).map(LayersTest::room).toArray(String[]::new);
      if (later.length > 0) {
        forbid(room(ROOMS.get(i)), later);
      }
      forbid(room(ROOMS.get(i)), ROOT);
    }
  }

  @Test
  void wireAndClient_doNotKnowTheEngine() {
    forbid(room("wire"), room("engine"));
    forbid(room("client"), room("engine"));
  }

  @Test
  void gateway_isOneMoreClient() {
    forbid(room("gateway"), room("engine"), room("host"), room("cluster"));
  }

  @Test
  void host_doesNotKnowTheClient() {
    forbid(room("host"), room("client"));
  }

  @Test
  void model_dependsOnTheJdkAlone() {
    noClasses()
        .that()
        .resideInAPackage(room("model"))
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages(room("model"), "java..")
        .check(CLASSES);
  }

  @Test
  void engine_knowsNoVertx() {
    forbid(room("engine"), "io.vertx..");
  }

  @Test
  void chicory_isNamedInTheEngineAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("engine"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.dylibso..")
        .check(CLASSES);
  }

  @Test
  void hazelcast_isNamedInMembersAlone() {
    noClasses()
        .that()
        .haveNameNotMatching("io\\.busbar\\.cluster\\.Members(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.hazelcast..", "io.vertx.spi.cluster.hazelcast..")
        .check(CLASSES);
  }

  private static String room(String name) {
    return ROOT + "." + name + "..";
  }

  private void forbid(String room, String... others) {
    noClasses()
        .that()
        .resideInAPackage(room)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(others)
        .check(CLASSES);
  }
}
