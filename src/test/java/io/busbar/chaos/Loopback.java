package io.busbar.chaos;

import java.util.List;

/** This machine's own loopback, which cannot be cut. */
final class Loopback implements Network {
  @Override
  public String host(int number) {
    return "127.0.0.1";
  }

  @Override
  public List<String> before(int number) {
    return List.of();
  }

  @Override
  public void cut(int number) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void heal(int number) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    // there is nothing to take away
  }
}
