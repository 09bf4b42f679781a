package io.busbar.engine.wasi;

/** The other end of a guest's stdin, stdout and stderr: for any thread, and it never waits. */
public final class Stdio {
  private final Input stdin;
  private final Output stdout;
  private final Output stderr;

  /**
   * Streams that hold at most so many bytes each.
   *
   * @param stdin what the guest reads first
   * @param open whether more may be written
   */
  public Stdio(byte[] stdin, boolean open, int capacity) {
    this.stdin = new Input(stdin, Math.max(capacity, stdin.length));
    this.stdout = new Output(capacity);
    this.stderr = new Output(capacity);
    if (!open) {
      this.stdin.close();
    }
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
