package io.busbar.host;

import io.busbar.engine.Budget;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How many instances this node has, whose they are, and what of its heap they may reserve.
 *
 * <p>A user's share lies within the node's; who asks without a user is the operator, whom only the
 * node's own bounds hold.
 */
final class Tenants {
  private final Host.Quota quota;
  private final Budget node;
  private final Map<String, Tenant> users = new HashMap<>(); // this and the rest guarded by this
  private int instances;

  Tenants(Host.Quota quota) {
    this.quota = quota;
    this.node = Budget.of("the node", quota.all().bytes());
  }

  /** A user with at least one instance. */
  private static final class Tenant {
    final Budget budget;
    int instances; // guarded by the map's owner

    Tenant(Budget budget) {
      this.budget = budget;
    }
  }

  /** What is reserved on this node. */
  Budget node() {
    return node;
  }

  /**
   * A seat for one more instance of this user; fails with {@code LIMIT} where the user has as many
   * as one may have, with {@code OVERLOADED} where the node has.
   */
  synchronized Seat take(Optional<String> user) {
    if (instances >= quota.all().instances()) {
      throw Failure.OVERLOADED.because(
          "the node has %d instances already, as many as it takes", instances);
    }
    Budget share = user.map(this::share).orElse(node);
    instances++;
    return new Seat(user, share.part(), () -> leave(user));
  }

  private Budget share(String user) {
    Tenant tenant = users.get(user);
    Host.Share most = quota.of(user);
    int has = tenant == null ? 0 : tenant.instances;
    if (has >= most.instances()) {
      throw Failure.LIMIT.because(
          "user `%s` has %d instances already, as many as one may have", Names.shown(user), has);
    }
    if (tenant == null) {
      String owner = "user `" + Names.shown(user) + "`";
      tenant = new Tenant(node.within(owner, most.bytes()));
      users.put(user, tenant);
    }
    tenant.instances++;
    return tenant.budget;
  }

  private synchronized void leave(Optional<String> user) {
    instances--;
    user.ifPresent(
        name -> {
          Tenant tenant = users.get(name);
          if (--tenant.instances == 0) {
            users.remove(name);
            tenant.budget.close();
          }
        });
  }
}
