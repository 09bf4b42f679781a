package io.busbar.cluster;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Which nodes answer, as this one sees it, and what this one may still run for each of them.
 *
 * <p>Every node pings every other. Who hears no ping of a node for the length of the window
 * suspects it, and tells the askers of what it sent there that the outcome is unknown. The answer
 * to a ping is a lease, shorter than the window and counted from when the ping was sent: while it
 * holds, the node that answered does not suspect this one. So what was asked through a node is
 * begun only under its lease, and never after its asker was told, however long this process stood
 * still. Terms tell what was asked before a suspicion from what was asked after it.
 *
 * <p>Nothing here blocks; {@link #tick} is called on one thread, the rest from any.
 */
final class Pulse {
  private static final System.Logger LOG = System.getLogger(Pulse.class.getName());

  /** A suspected node is trusted again after so many pings, so that it knows its new term. */
  private static final int PINGS_AGAIN = 2;

  private static final long LONGEST_PERIOD = Duration.ofMillis(250).toNanos();

  /**
   * What a ping is answered.
   *
   * @param member whether who answers knows the other as a member; else it is no lease
   * @param term what the time since it last suspected the other is called
   * @param reached whether its own pings reach the other
   */
  record Answer(boolean member, long term, boolean reached) {}

  /** Another node. */
  private static final class Peer {
    private long heard; // nanoTime; this and the next three guarded by this
    private int pings; // since it was suspected, or ever
    private long term;
    private boolean suspected;
    private volatile long lease; // nanoTime of the ping that was answered last; 0: none was
    private volatile long theirTerm = -1; // what it calls the time since it suspected this node
    private volatile boolean unreached; // nobody took the last ping to it
    private volatile boolean trusted; // it was heard, and is not suspected

    synchronized boolean isSuspect(long now, long since, long window) {
      return pings > 0 && !suspected && now - Math.max(heard, since) > window;
    }

    Peer(long term) {
      this.term = term;
    }

    synchronized void suspect(long newTerm) {
      suspected = true;
      pings = 0;
      term = newTerm;
      trusted = false;
    }

    /** True if it is trusted from now on and was not before. */
    synchronized boolean hear(long now) {
      heard = now;
      pings = Math.min(pings + 1, PINGS_AGAIN);
      if (trusted || suspected && pings < PINGS_AGAIN) {
        return false;
      }
      suspected = false;
      trusted = true;
      return true;
    }

    synchronized long term() {
      return term;
    }
  }

  private final String self;
  private final int size;
  private final long window;
  private final long lease;
  private final long period;
  private final LongSupplier clock;
  private final Map<String, Peer> peers = new ConcurrentHashMap<>();
  private final AtomicLong terms = new AtomicLong();
  private final Consumer<String> pinging;
  private final Consumer<String> suspecting;
  private volatile long ticked;
  private volatile long woke; // when this process last stood still for long; 0: never
  private volatile long cuts; // written in tick
  private volatile long caughtUp; // cuts that it has caught up with
  private volatile long cutSince; // nanoTime; 0: it has the majority
  private long pinged; // only in tick

  /**
   * A node's pulse.
   *
   * @param size how many nodes the cluster is meant to have; 0: not said, so there is no majority
   * @param window how long a node may be silent
   * @param pinging sends a ping to that node
   * @param suspecting told of each node that is suspected from now on
   */
  Pulse(
      String self,
      int size,
      Duration window,
      LongSupplier clock,
      Consumer<String> pinging,
      Consumer<String> suspecting) {
    this.self = self;
    this.size = size;
    this.window = window.toNanos();
    this.lease = this.window * 9 / 10;
    this.period = Math.min(this.window / 3, LONGEST_PERIOD);
    this.clock = clock;
    this.pinging = pinging;
    this.suspecting = suspecting;
    this.ticked = clock.getAsLong();
    this.pinged = ticked - period;
  }

  /** How often {@link #tick} wants to be called. */
  Duration step() {
    return Duration.ofNanos(period / 5);
  }

  /** Looks after these members: pings them, and suspects who has been silent for too long. */
  void tick(Collection<String> members) {
    long now = clock.getAsLong();
    if (now - ticked > lease) {
      woke = now;
    }
    ticked = now;
    peers.keySet().retainAll(members);
    for (String member : members) {
      if (!member.equals(self)) {
        look(member, peers.computeIfAbsent(member, m -> new Peer(terms.incrementAndGet())), now);
      }
    }
    if (now - pinged >= period) {
      pinged = now;
      peers.keySet().forEach(pinging);
    }
    if (size > 0) {
      lookForMajority(now);
    }
  }

  private void look(String node, Peer peer, long now) {
    if (peer.isSuspect(now, woke, window)) {
      peer.suspect(terms.incrementAndGet());
      LOG.log(System.Logger.Level.WARNING, "node {0} does not answer", node);
      suspecting.accept(node);
    }
  }

  /** A ping has come; the answer goes back at once. */
  Answer pinged(String node) {
    Peer peer = peers.get(node);
    if (peer == null) {
      return new Answer(false, 0, true);
    }
    if (peer.hear(clock.getAsLong())) {
      LOG.log(System.Logger.Level.DEBUG, "node {0} answers", node);
    }
    return new Answer(true, peer.term(), !peer.unreached);
  }

  /** A ping that was sent then has been answered. */
  void answered(String node, long sent, Answer answer) {
    Peer peer = peers.get(node);
    if (peer != null) {
      peer.unreached = false;
      if (answer.member) {
        peer.theirTerm = answer.term;
        peer.lease = Math.max(peer.lease, sent);
      }
    }
  }

  /** Nobody was there to take a ping to a node that is in the cluster. */
  void unreached(String node) {
    Peer peer = peers.get(node);
    if (peer != null) {
      peer.unreached = true;
    }
  }

  /** That node is no member any more: it is not trusted from now on, before anyone is told. */
  void left(String node) {
    peers.remove(node);
  }

  /** Whether this node hears from that one; itself, always. */
  boolean isTrusted(String node) {
    Peer peer = peers.get(node);
    return node.equals(self) || peer != null && peer.trusted;
  }

  /** Whether it is a member that was heard before and is silent now. */
  boolean isSuspected(String node) {
    Peer peer = peers.get(node);
    if (peer == null) {
      return false;
    }
    synchronized (peer) {
      return peer.suspected;
    }
  }

  /** What the time since that node was last suspected is called: what is sent there says so. */
  long term(String node) {
    Peer peer = peers.get(node);
    return peer == null ? 0 : peer.term();
  }

  /** Whether all members answer, both ways. */
  boolean isWhole(Set<String> members) {
    long now = clock.getAsLong();
    return members.stream()
        .filter(member -> !member.equals(self))
        .map(peers::get)
        .allMatch(peer -> peer != null && peer.trusted && holds(peer, now));
  }

  private boolean holds(Peer peer, long now) {
    long granted = peer.lease;
    return granted != 0 && now - granted < lease;
  }

  /**
   * Why what was asked through that node must not be begun now; empty if it may be.
   *
   * @param via the node that has passed it on and tells its asker; empty: none did
   * @param term what that node called the time when it passed it on
   */
  Optional<WasmException> refusal(Optional<String> via, long term) {
    long now = clock.getAsLong();
    Optional<Peer> peer = via.filter(node -> !node.equals(self)).map(peers::get);
    boolean mayRun =
        via.isEmpty() || via.get().equals(self)
            ? !isWaking(now)
            : peer.isPresent() && holds(peer.get(), now) && peer.get().theirTerm == term;
    return mayRun ? Optional.empty() : Optional.of(outOfTouch());
  }

  private WasmException outOfTouch() {
    return Failure.UNAVAILABLE
        .because("node `%s` had lost touch with who asked: the operation did not run", self)
        .with("ran", "never");
  }

  /** Whether it stood still, and what reaches it may still be from before. */
  private boolean isWaking(long now) {
    if (now - ticked > lease) {
      return true; // the tick has not seen it yet
    }
    long since = woke;
    return since != 0
        && now - since < 2 * window
        && peers.values().stream().anyMatch(peer -> peer.lease - since < 0 && peer.lease != 0);
  }

  /** Whether this process stood still within that time: others may have taken it for dead. */
  boolean stoodStillWithin(Duration time) {
    long since = woke;
    return since != 0 && clock.getAsLong() - since < time.toNanos();
  }

  /**
   * Why this node may decide nothing, and answer for nothing that others may have taken over: it
   * does not reach the majority, or has not looked yet at what the majority did meanwhile. Empty if
   * it may, and always where the size of the cluster is not said.
   */
  Optional<WasmException> minority() {
    if (size == 0) {
      return Optional.empty();
    }
    int reached = reached();
    if (reached >= majority()) {
      return isToCatchUp()
          ? refused("node `%s` was cut off, and does not know yet what the others did", self)
          : Optional.empty();
    }
    return refused(
        "node `%s` is cut off: it reaches %d of %d nodes, and a majority are %d",
        self, reached, size, majority());
  }

  private static Optional<WasmException> refused(String format, Object... args) {
    return Optional.of(Failure.UNAVAILABLE.because(format, args).with("ran", "never"));
  }

  /** Fails with {@code UNAVAILABLE} where this node may decide nothing. */
  void checkMajority() {
    Optional<WasmException> why = minority();
    if (why.isPresent()) {
      throw why.get();
    }
  }

  private int majority() {
    return size / 2 + 1;
  }

  private int reached() {
    long now = clock.getAsLong();
    int reached = 1;
    for (Peer peer : peers.values()) {
      reached += holds(peer, now) ? 1 : 0;
    }
    return reached;
  }

  /** Whether it has been without the majority for longer than a moment. */
  boolean isCutOff() {
    long since = cutSince;
    return since != 0 && clock.getAsLong() - since > 2 * window;
  }

  /** Whether it reaches the majority now, whatever it has missed. */
  boolean hasMajority() {
    return size == 0 || reached() >= majority();
  }

  /** How often it has lost the majority. */
  long cuts() {
    return cuts;
  }

  /** Whether it has lost the majority since it last caught up. */
  boolean isToCatchUp() {
    return cuts != caughtUp;
  }

  /** It knows all that the majority had done by the time it had lost it for the so manieth time. */
  void caughtUp(long cut) {
    if (cutSince == 0) {
      caughtUp = cut;
    }
  }

  /** On the ticking thread. */
  private void lookForMajority(long now) {
    if (hasMajority()) {
      cutSince = 0;
    } else if (cutSince == 0) {
      cuts++;
      cutSince = now;
      LOG.log(System.Logger.Level.WARNING, "this node reaches no majority of {0} nodes", size);
    }
  }
}
