package io.busbar.attack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Lanes and jobs, by reflection: what an Error in the middle of things does. */
class LaneTest {
  private final Vertx vertx = Vertx.vertx();
  private final Object lanes;

  LaneTest() throws Exception {
    Object options = make("Lanes$Options", 2, 8, 1024);
    lanes = make("Lanes", vertx, options);
  }

  @AfterEach
  void stop() throws Exception {
    call(lanes, "close");
    vertx.close().await();
  }

  private static Object make(String name, Object... args) throws Exception {
    for (Constructor<?> c : Class.forName("io.busbar.host." + name).getDeclaredConstructors()) {
      if (c.getParameterCount() == args.length) {
        c.setAccessible(true);
        return c.newInstance(args);
      }
    }
    throw new AssertionError(name);
  }

  private static Object call(Object on, String name, Object... args) throws Exception {
    for (Method m : on.getClass().getDeclaredMethods()) {
      if (m.getName().equals(name) && m.getParameterCount() == args.length) {
        m.setAccessible(true);
        return m.invoke(on, args);
      }
    }
    throw new AssertionError(name);
  }

  private static Object get(Object of, String name) throws Exception {
    Field field = of.getClass().getDeclaredField(name);
    field.setAccessible(true);
    return field.get(of);
  }

  private Object lane(String name) throws Exception {
    return make("Lane", lanes, name, 100);
  }

  @SuppressWarnings("unchecked")
  private static Future<Object> submit(Object lane, Callable<Object> work, long millis)
      throws Exception {
    Class<?> type = Class.forName("io.busbar.host.Job$Work");
    Object job =
        make(
            "Job",
            Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (p, m, a) -> work.call()),
            Optional.empty(),
            Optional.empty(),
            Duration.ofMillis(millis));
    return (Future<Object>) call(lane, "submit", job);
  }

  private static boolean done(Future<?> future) throws Exception {
    CountDownLatch latch = new CountDownLatch(1);
    future.onComplete(x -> latch.countDown());
    return latch.await(3, TimeUnit.SECONDS);
  }

  /** Answering on the guest's thread needs memory: base64 of a slice, for one. */
  @Test
  void errorWhileAnswering_leavesTheLaneUsable() throws Exception {
    Object lane = lane("a");
    CountDownLatch go = new CountDownLatch(1);
    Future<Object> first =
        submit(
            lane,
            () -> {
              go.await();
              return 1;
            },
            5000);
    first.onComplete(
        x -> {
          throw new OutOfMemoryError("while answering");
        });
    go.countDown();
    Thread.sleep(100);
    Future<Object> second = submit(lane, () -> 2, 1000);
    assertTrue(done(second));
    assertEquals(2, second.result(), "" + second.cause());
  }

  /** The watch answers for the late ones; an Error there must not end all deadlines. */
  @Test
  void errorInTheWatch_doesNotEndIt() throws Exception {
    Object lane = lane("a");
    CountDownLatch hold = new CountDownLatch(1);
    submit(
        lane,
        () -> {
          hold.await();
          return 1;
        },
        60_000);
    submit(lane, () -> 2, 20)
        .onComplete(
            x -> {
              throw new OutOfMemoryError("while answering");
            });
    Thread.sleep(200);
    Future<Object> late = submit(lane, () -> 3, 50);
    boolean told = done(late);
    hold.countDown();
    assertTrue(told, "no deadline is kept any more");
  }

  /** A job that ends while the watch looks at it: its lane must not stay lent. */
  @Test
  void lentRights_comeBack() throws Exception {
    Random random = new Random(1);
    List<Future<Object>> all = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Object lane = lane("l" + i);
      for (int j = 0; j < 60; j++) {
        int micros = 19_500 + random.nextInt(6000);
        all.add(
            submit(
                lane,
                () -> {
                  long until = System.nanoTime() + micros * 1000L;
                  while (System.nanoTime() < until) {
                    Thread.sleep(0, 100_000);
                  }
                  return 1;
                },
                60_000));
      }
    }
    for (Future<Object> each : all) {
      assertTrue(each.await(60, TimeUnit.SECONDS) != null);
    }
    Thread.sleep(300);
    assertEquals(Set.of(), get(lanes, "lent"), "lanes that do nothing are lent for ever");
    assertEquals(0, get(lanes, "running"));
  }

  /** The same by hand: the watch has seen a long job, and lends after it has ended. */
  @Test
  void lendAfterTheEnd_isNoLend() throws Exception {
    Object idle = lane("idle");
    Object other = lane("other");
    CountDownLatch hold = new CountDownLatch(1);
    for (int i = 0; i < 2; i++) {
      submit(lane("h" + i), () -> {
        hold.await();
        return 1;
      }, 10_000);
    }
    submit(other, () -> 1, 5000);
    call(lanes, "lend", idle);
    hold.countDown();
    Thread.sleep(200);
    assertEquals(Set.of(), get(lanes, "lent"));
  }

  @Test
  void threadsAllTaken_queuedJobsKeepTheirDeadlines() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    List<Future<Object>> all = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      all.add(submit(lane("h" + i), () -> {
        hold.await();
        return 1;
      }, 20_000));
    }
    Thread.sleep(500);
    Future<Object> late = submit(lane("x"), () -> 1, 100);
    assertTrue(done(late));
    Failing.with(Failure.DEADLINE, late::await);
    hold.countDown();
    for (Future<Object> each : all) {
      assertTrue(done(each));
    }
    Thread.sleep(300);
    assertEquals(0, get(lanes, "running"));
    assertEquals(Set.of(), get(lanes, "lent"));
    assertEquals(1, submit(lane("y"), () -> 1, 1000).await());
  }

  @Test
  void random_everyJobIsAnsweredOnce() throws Exception {
    Random random = new Random(2);
    List<Future<Object>> all = new ArrayList<>();
    List<Object> made = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      made.add(lane("r" + i));
    }
    int refused = 0;
    for (int i = 0; i < 4000; i++) {
      Object lane = made.get(random.nextInt(made.size()));
      int micros = random.nextInt(3000);
      try {
        all.add(submit(lane, () -> {
          Thread.sleep(0, micros * 100);
          if (Thread.interrupted()) {
            throw new AssertionError("interrupted at the start");
          }
          return 1;
        }, 1 + random.nextInt(200)));
      } catch (java.lang.reflect.InvocationTargetException e) {
        refused++;
      }
      if (i % 1000 == 999) {
        call(made.remove(0), "close");
      }
    }
    for (Future<Object> each : all) {
      assertTrue(done(each));
      assertTrue(each.succeeded() || each.cause() instanceof io.busbar.model.WasmException, "" + each.cause());
    }
    System.out.println("refused " + refused);
    Thread.sleep(300);
    assertEquals(0, get(lanes, "running"));
    assertEquals(Set.of(), get(lanes, "busy"));
    assertEquals(Set.of(), get(lanes, "lent"));
  }
}
