package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Until;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each job ends once and harms no other, whatever happens at the same time. */
class LaneTest {
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final Vertx vertx = Vertx.vertx();
  private final Health health = new Health("n", 1, new Events(vertx, Addresses.STANDARD, "n"));
  private final Lanes lanes = new Lanes(vertx, new Lanes.Options(2, 8, 1024, PATIENCE), health);

  @AfterEach
  void stop() {
    lanes.close();
    vertx.close().await();
  }

  private Lane lane(String name) {
    return new Lane(lanes, name, Optional.empty(), 100);
  }

  private static Future<Integer> submit(Lane lane, Callable<Integer> work, long millis) {
    return lane.submit(
        new Job<>(job -> work.call(), Job.Asker.NOBODY, Job.Time.from(Duration.ofMillis(millis))));
  }

  private static Integer result(Future<Integer> future) {
    try {
      return future.await(20, TimeUnit.SECONDS);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new AssertionError("no answer", e);
    }
  }

  private static Integer heldBy(CountDownLatch latch) throws InterruptedException {
    latch.await();
    return 1;
  }

  @Test
  void errorOfAListener_leavesTheLaneUsable() {
    Lane lane = lane("a");
    CountDownLatch go = new CountDownLatch(1);
    submit(lane, () -> heldBy(go), 20_000)
        .onComplete(
            done -> {
              throw new OutOfMemoryError("while answering");
            });
    go.countDown();
    assertEquals(2, result(submit(lane, () -> 2, 20_000)));
  }

  @Test
  void errorOfAListenerInTheWatch_leavesTheOtherDeadlines() {
    Lane lane = lane("a");
    CountDownLatch hold = new CountDownLatch(1);
    submit(lane, () -> heldBy(hold), 60_000);
    for (int i = 0; i < 2; i++) {
      Future<Integer> late = submit(lane, () -> 2, 20);
      late.onComplete(
          done -> {
            throw new OutOfMemoryError("while answering");
          });
      Until.isTrue(late::isComplete);
    }
    hold.countDown();
  }

  @Test
  void rightsThatWereLent_comeBack() {
    List<Future<Integer>> all = new ArrayList<>();
    CountDownLatch hold = new CountDownLatch(1);
    for (int i = 0; i < 6; i++) {
      Lane lane = lane("l" + i);
      all.add(submit(lane, () -> heldBy(hold), 60_000));
      all.add(submit(lane, () -> 1, 60_000));
    }
    Until.isTrue(() -> lanes.running() == 6 && lanes.lent() >= 4);
    hold.countDown();
    all.forEach(LaneTest::result);
    Until.isTrue(() -> lanes.running() == 0 && lanes.lent() == 0);
  }

  @Test
  void whenAllThreadsAreTaken_queuedJobsKeepTheirDeadlines() {
    CountDownLatch hold = new CountDownLatch(1);
    List<Future<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      all.add(submit(lane("h" + i), () -> heldBy(hold), 20_000));
    }
    Until.isTrue(() -> lanes.running() == 8);
    Future<Integer> late = submit(lane("x"), () -> 1, 50);
    WasmException never = Failing.with(Failure.DEADLINE, () -> result(late));
    assertEquals("never", never.details().get("ran"));
    hold.countDown();
    all.forEach(LaneTest::result);
    Until.isTrue(() -> lanes.running() == 0);
    assertEquals(1, result(submit(lane("y"), () -> 1, 20_000)));
  }

  @Test
  void idleWatch_sleeps_andWakesForADeadline() {
    Until.isTrue(lanes::isIdle);
    CountDownLatch hold = new CountDownLatch(1);
    Lane lane = lane("a");
    Future<Integer> first = submit(lane, () -> heldBy(hold), 20_000);
    Future<Integer> late = submit(lane, () -> 1, 20);
    Failing.with(Failure.DEADLINE, () -> result(late));
    hold.countDown();
    assertEquals(1, result(first));
  }

  private static Integer deafUntil(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        // deaf
      }
    }
    return 1;
  }

  @Test
  void threadsThatCannotBeStopped_areReplaced_andCountUntilTheyComeBack() {
    CountDownLatch hold = new CountDownLatch(1);
    List<Lane> deaf = new ArrayList<>();
    List<Future<Integer>> late = new ArrayList<>();
    for (int i = 0; i < 8; i++) { // as many as there are threads
      deaf.add(lane("d" + i));
      late.add(submit(deaf.get(i), () -> deafUntil(hold), 2000));
    }
    late.forEach(job -> Failing.with(Failure.DEADLINE, () -> result(job)));
    Until.isTrue(() -> lanes.lost() == 8 && lanes.running() == 0 && lanes.lent() == 0);
    assertTrue(health.trouble().isPresent());
    List<Future<Integer>> others = new ArrayList<>();
    CountDownLatch busy = new CountDownLatch(1);
    for (int i = 0; i < 8; i++) {
      others.add(submit(lane("o" + i), () -> heldBy(busy), 20_000));
    }
    Until.isTrue(() -> lanes.running() == 8);
    hold.countDown();
    Until.isTrue(() -> lanes.lost() == 0);
    assertTrue(health.trouble().isEmpty());
    assertEquals(8, lanes.running());
    busy.countDown();
    others.forEach(LaneTest::result);
    Until.isTrue(() -> lanes.running() == 0 && lanes.lent() == 0);
    String parked =
        "instance `d0` is parked: its thread cannot be stopped:"
            + " deadline of 2000 ms exceeded (interrupted)";
    Failing.with(Failure.UNAVAILABLE, parked, () -> submit(deaf.get(0), () -> 1, 20_000));
  }

  @Test
  void laneOfALostThread_runsNothingAgain() {
    CountDownLatch hold = new CountDownLatch(1);
    Lane lane = lane("a");
    Future<Integer> late = submit(lane, () -> deafUntil(hold), 2000);
    Future<Integer> waiting = submit(lane, () -> 2, 20_000);
    Failing.with(Failure.DEADLINE, () -> result(late));
    Failing.with(Failure.UNAVAILABLE, () -> result(waiting));
    Until.isTrue(() -> lanes.lost() == 1);
    Future<Void> closed = lane.close();
    assertFalse(closed.isComplete(), "its thread is still in there");
    hold.countDown();
    Until.isTrue(closed::isComplete);
    Failing.with(Failure.NO_SUCH_INSTANCE, () -> submit(lane, () -> 1, 20_000));
  }

  @Test
  void jobsAtRandom_areAnsweredOnceAndNeverInterruptedByOthers() {
    Random random = new Random(2);
    List<Future<Integer>> all = new ArrayList<>();
    List<Lane> open = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      open.add(lane("r" + i));
    }
    for (int i = 0; i < 4000; i++) {
      Lane lane = open.get(random.nextInt(open.size()));
      int micros = random.nextInt(300);
      try {
        all.add(submit(lane, () -> working(micros), 1 + random.nextInt(200)));
      } catch (WasmException e) {
        assertEquals(Failure.OVERLOADED, e.failure());
      }
      if (i % 1000 == 999) {
        open.remove(0).close();
      }
    }
    assertTrue(all.size() >= 1600, "the mailboxes that stay open hold as many at least");
    for (Future<Integer> each : all) {
      Until.isTrue(each::isComplete);
      if (each.failed()) {
        Failure why = ((WasmException) each.cause()).failure();
        assertTrue(why == Failure.DEADLINE || why == Failure.CANCELLED, each.cause()::toString);
      }
    }
    Until.isTrue(() -> lanes.running() == 0 && lanes.lent() == 0);
  }

  private static int working(int micros) {
    if (Thread.currentThread().isInterrupted()) {
      throw new AssertionError("interrupted before it began");
    }
    LockSupport.parkNanos(micros * 1000L);
    return 1;
  }
}
