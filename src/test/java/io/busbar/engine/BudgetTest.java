package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import io.busbar.Failing;
import io.busbar.model.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is reserved is never more than there is, and all of it comes back once. */
class BudgetTest {
  @Test
  void full_namesWhoseBudgetItIs() {
    Budget node = Budget.of("the node", 100);
    Budget user = node.within("user `a`", 60);
    Budget guest = user.part();
    guest.reserve(50);
    Failing.with(
        Failure.LIMIT,
        "user `a` has no room for 11 bytes more: 50 of 60 are reserved",
        () -> guest.reserve(11));
    assertTrue(node.tryReserve(45));
    Failing.with(
        Failure.LIMIT,
        "the node has no room for 6 bytes more: 95 of 100 are reserved",
        () -> guest.reserve(6));
    guest.reserve(5);
    assertEquals(List.of(55L, 55L, 100L), reserved(guest, user, node));
  }

  private static List<Long> reserved(Budget... budgets) {
    return Arrays.stream(budgets).map(Budget::reserved).toList();
  }

  @Test
  void closed_givesBackOnceAndTakesNoMore() {
    Budget node = Budget.of("the node", 100);
    Budget instance = node.part();
    Budget guest = instance.part();
    guest.reserve(40);
    instance.reserve(10);
    instance.close();
    assertEquals(0, node.reserved());
    guest.release(40); // the one within knows nothing of it yet
    guest.close();
    instance.close();
    assertFalse(instance.tryReserve(1));
    assertFalse(instance.part().tryReserve(1));
    assertEquals(List.of(0L, 0L, 0L), reserved(guest, instance, node));
  }

  @Test
  void hugeNumbers_doNotOverflow() {
    Budget node = Budget.of("the node", Long.MAX_VALUE);
    assertTrue(node.tryReserve(Long.MAX_VALUE - 1));
    assertFalse(node.tryReserve(2));
    assertFalse(node.tryReserve(Long.MAX_VALUE));
    assertTrue(node.tryReserve(1));
  }

  @Test
  void manyThreads_neverReserveTooMuch_andLeaveNothing() throws Exception {
    int most = 1000;
    Budget node = Budget.of("the node", most);
    Budget user = node.within("user `a`", most / 2);
    AtomicInteger held = new AtomicInteger(); // what was granted and not given back, at least
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Random random = new Random(i);
      Budget outer = i % 2 == 0 ? node : user;
      all.add(threads.submit(() -> churn(random, outer, held, most)));
    }
    for (Future<?> one : all) {
      one.get();
    }
    threads.shutdown();
    assertEquals(List.of(0L, 0L), reserved(user, node));
    assertTrue(node.tryReserve(most));
  }

  private static void churn(Random random, Budget outer, AtomicInteger held, int most) {
    for (int i = 0; i < 20_000; i++) {
      Budget guest = outer.part();
      int bytes = 1 + random.nextInt(200);
      if (guest.tryReserve(bytes)) {
        assertTrue(held.addAndGet(bytes) <= most);
        held.addAndGet(-bytes);
        if (random.nextBoolean()) {
          guest.release(bytes);
        }
      }
      guest.close();
    }
  }

  /** Whoever reserves while it is closed either gets nothing, or what was closed with it. */
  @Test
  void closeWhileReserving_leavesNothing() throws Exception {
    Budget node = Budget.of("the node", 1_000_000);
    for (int i = 0; i < 2_000; i++) {
      Budget guest = node.part();
      Thread other =
          new Thread(
              () -> {
                while (guest.tryReserve(7)) {
                  guest.release(3);
                }
              });
      other.start();
      guest.close();
      other.join();
      assertEquals(0, node.reserved());
    }
  }

  @Test
  void user_whoAllocatesTooFast_waits() {
    Budget node = Budget.of("the node", 1_000_000);
    node.part().pace(Long.MAX_VALUE); // the operator never does
    Budget guest = node.within("user `a`", 1000).part();
    guest.pace(1000);
    long start = System.nanoTime();
    guest.pace(100);
    assertTrue(System.nanoTime() - start > 100_000_000); // a tenth of four seconds, about
    Thread.currentThread().interrupt();
    assertThrows(ChicoryInterruptedException.class, () -> guest.pace(1_000_000));
    assertTrue(Thread.interrupted());
    guest.pace(1); // what was interrupted need not be waited for
  }
}
