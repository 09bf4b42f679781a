package io.busbar.engine.wasi;

import io.busbar.engine.Budget;
import java.util.Optional;

/** The other end of a guest's stdin, stdout and stderr: for any thread, and it never waits. */
public final class Stdio {
  private final Input stdin;
  private final Output stdout;
  private final Output stderr;

  /**
   * Streams that hold at most so many bytes each; fails with {@code LIMIT} where the budget has no
   * room for the first ones.
   *
   * @param stdin what the guest reads first
   * @param open whether more may be written
   * @param budget where what they hold is reserved, until it is closed
   */
  public Stdio(byte[] stdin, boolean open, int capacity, Budget budget) {
    this.stdin = new Input(stdin, Math.max(capacity, stdin.length), budget);
    this.stdout = new Output(capacity, budget);
    this.stderr = new Output(capacity, budget);
    if (!open) {
      this.stdin.close();
    }
  }

  /**
   * Runs a command that reads this input, and then the end, as its stdin.
   *
   * @param most how much it may write
   * @return what it wrote to stdout; empty if that was more
   */
  public Optional<byte[]> exchange(byte[] input, int most, Runnable command) {
    stdin.divert(input);
    stdout.divert(most);
    Optional<byte[]> output;
    try {
      command.run();
    } finally {
      stdin.resume();
      output = stdout.resume();
    }
    return output;
  }

  public Input stdin() {
    return stdin;
  }

  public Output stdout() {
    return stdout;
  }

  public Output stderr() {
    return stderr;
  }
}
