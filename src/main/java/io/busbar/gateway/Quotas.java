package io.busbar.gateway;

import io.busbar.model.Failure;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** How much tenants have asked through this gateway of late, and whether they may ask more. */
public final class Quotas {
  private static final int MOST_TENANTS = 10_000;

  /**
   * What one tenant may ask of one gateway.
   *
   * @param callsPerSecond 0: as many as it likes
   * @param fuelPerMinute 0: as much as it likes
   */
  public record Quota(long callsPerSecond, long fuelPerMinute) {
    public static final Quota STANDARD = new Quota(1000, 0);
  }

  /**
   * The quotas of all tenants.
   *
   * @param each where nothing else is said
   * @param of those of single tenants
   */
  public record Options(Quota each, Map<String, Quota> of) {
    public static final Options STANDARD = new Options(Quota.STANDARD, Map.of());

    public Options {
      of = Map.copyOf(of);
    }
  }

  /** What is left of a tenant's quota. */
  private static final class Left {
    private final Quota quota;
    private final Optional<Bucket> calls;
    private final Optional<Bucket> fuel;

    Left(Quota quota) {
      this.quota = quota;
      this.calls = bucket(quota.callsPerSecond, Duration.ofSeconds(1));
      this.fuel = bucket(quota.fuelPerMinute, Duration.ofMinutes(1));
    }

    private static Optional<Bucket> bucket(long most, Duration each) {
      return most == 0
          ? Optional.empty()
          : Optional.of(Bucket.builder().addLimit(limit(most, each)).build());
    }

    private static Bandwidth limit(long most, Duration each) {
      return Bandwidth.builder().capacity(most).refillGreedy(most, each).build();
    }
  }

  private final Options options;
  private final Map<String, Left> left; // by tenant, guarded by this

  Quotas(Options options) {
    this.options = options;
    this.left =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<String, Left> eldest) {
            return size() > MOST_TENANTS;
          }
        };
  }

  private synchronized Left left(String tenant) {
    return left.computeIfAbsent(
        tenant, name -> new Left(options.of.getOrDefault(name, options.each)));
  }

  /** Takes so many calls; fails with {@code OVERLOADED} where there are not so many left. */
  void takeCalls(Client client, int calls) {
    client.tenant().ifPresent(tenant -> takeCalls(tenant, calls));
  }

  private void takeCalls(String tenant, int calls) {
    Left some = left(tenant);
    if (some.calls.isPresent() && !some.calls.get().tryConsume(calls)) {
      throw Failure.OVERLOADED.because(
          "tenant `%s` asks for more than %d operations a second",
          tenant, some.quota.callsPerSecond);
    }
  }

  /**
   * What an operation may use at most, given what it asks for; empty for as much as it likes. Fails
   * with {@code OVERLOADED} where nothing is left.
   */
  OptionalLong fuel(Client client, OptionalLong asked) {
    Optional<Left> some = client.tenant().map(this::left).filter(known -> known.fuel.isPresent());
    if (some.isEmpty()) {
      return asked;
    }
    long most = some.get().fuel.orElseThrow().getAvailableTokens();
    if (most <= 0) {
      throw Failure.OVERLOADED.because(
          "tenant `%s` has used its %d units of fuel of this minute",
          client.tenant().orElseThrow(), some.get().quota.fuelPerMinute);
    }
    return OptionalLong.of(Math.min(most, asked.orElse(most)));
  }

  /** The fuel that each instance of this client must have at most; empty: none need have any. */
  OptionalLong fuelOfInstance(Client client) {
    return client
        .tenant()
        .map(this::left)
        .filter(some -> some.fuel.isPresent())
        .map(some -> OptionalLong.of(some.quota.fuelPerMinute))
        .orElse(OptionalLong.empty());
  }

  /** An operation has used so much, perhaps more than was left: that is missing later. */
  void used(Client client, long fuel) {
    if (fuel > 0) {
      client
          .tenant()
          .map(this::left)
          .flatMap(some -> some.fuel)
          .ifPresent(bucket -> bucket.consumeIgnoringRateLimits(fuel));
    }
  }
}
