package io.busbar.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * A network namespace for each process, and one with the bridge that joins them; nothing else can
 * be reached from there.
 *
 * <p>Nodes of this version want loopback addresses. So the namespaces give up 127.0.0.0/8 but for
 * 127.0.0.1, and carry a part of it over the bridge. A cut takes a port off the bridge, like a
 * cable pulled out of the far end: the link stays up, and packets are lost in silence.
 */
final class Namespaces implements Network {
  private final String prefix = "chaos" + ProcessHandle.current().pid();
  private final String hub = prefix + "hub";
  private final List<String> made = new ArrayList<>();

  private Namespaces() {}

  /** Whether namespaces can be made here: by root, with iproute2. */
  static boolean arePossible() {
    String probe = "chaos" + ProcessHandle.current().pid() + "probe";
    return Shell.succeeds("ip", "netns", "add", probe)
        & Shell.succeeds("ip", "netns", "del", probe);
  }

  static Namespaces of(int processes) {
    Namespaces network = new Namespaces();
    Runtime.getRuntime().addShutdownHook(new Thread(network::close));
    try {
      network.makeHub();
      for (int i = 0; i < processes; i++) {
        network.make(i);
      }
      return network;
    } catch (AssertionError e) {
      network.close();
      throw e;
    }
  }

  private void makeHub() {
    add(hub);
    ip("-n", hub, "link", "add", "br0", "type", "bridge", "forward_delay", "0");
    ip("-n", hub, "link", "set", "br0", "up");
  }

  private void make(int number) {
    String space = space(number);
    add(space);
    String port = port(number);
    ip("link", "add", port, "netns", hub, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("-n", hub, "link", "set", port, "master", "br0", "up");
    ip("-n", space, "link", "set", "lo", "up");
    ip("-n", space, "addr", "del", "127.0.0.1/8", "dev", "lo");
    ip("-n", space, "addr", "add", "127.0.0.1/32", "dev", "lo");
    String route = "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet";
    ip("netns", "exec", space, "sh", "-c", route);
    ip("-n", space, "addr", "add", host(number) + "/24", "dev", "eth0");
    ip("-n", space, "link", "set", "eth0", "up");
  }

  private void add(String space) {
    ip("netns", "add", space);
    made.add(space);
  }

  private static void ip(String... words) {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(words));
    Shell.run(command.toArray(String[]::new));
  }

  private String space(int number) {
    return prefix + "n" + number;
  }

  private static String port(int number) {
    return "port" + number;
  }

  @Override
  public String host(int number) {
    return "127.9.0." + (number + 1);
  }

  @Override
  public List<String> before(int number) {
    return List.of("ip", "netns", "exec", space(number));
  }

  @Override
  public void cut(int number) {
    ip("-n", hub, "link", "set", port(number), "nomaster");
  }

  @Override
  public void heal(int number) {
    ip("-n", hub, "link", "set", port(number), "master", "br0");
  }

  @Override
  public synchronized void close() {
    made.forEach(space -> Shell.succeeds("ip", "netns", "del", space));
    made.clear();
  }
}
