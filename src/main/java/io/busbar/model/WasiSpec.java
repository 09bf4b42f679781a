package io.busbar.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a WASI guest sees of the world: nothing, unless it is given here.
 *
 * @param args the program's name and its arguments
 * @param env its whole environment; the node's own is never seen
 * @param preopens the directories it can open files in
 * @param stdin what it reads first; the end comes right after, unless {@code stdinOpen}
 * @param stdinOpen whether more can be written to stdin until that is closed
 * @param publish whether output is published instead of being kept until it is read
 */
public record WasiSpec(
    List<String> args,
    Map<String, String> env,
    List<Preopen> preopens,
    byte[] stdin,
    boolean stdinOpen,
    boolean publish) {

  /** No arguments, environment, files or input; output waits until it is read. */
  public static final WasiSpec ISOLATED =
      new WasiSpec(List.of(), Map.of(), List.of(), new byte[0], false, false);

  public WasiSpec {
    args = List.copyOf(args);
    env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
    preopens = List.copyOf(preopens);
    args.forEach(arg -> checkText("wasi.args", arg));
    env.forEach(WasiSpec::checkVariable);
  }

  private static void checkText(String what, String text) {
    if (text.indexOf('\0') >= 0) {
      throw Failure.BAD_REQUEST.because("`%s` must not contain NUL", what);
    }
  }

  private static void checkVariable(String name, String value) {
    checkText("wasi.env", name + value);
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw Failure.BAD_REQUEST.because("bad name `%s` in `wasi.env`", Names.shown(name));
    }
  }

  /**
   * A directory the guest finds open when it starts.
   *
   * @param guest its path in the guest
   * @param host the real directory; none: it is in memory
   * @param files what a directory in memory holds at first, by relative path
   */
  public record Preopen(
      String guest, Optional<String> host, Map<String, byte[]> files, boolean readOnly) {
    public Preopen {
      checkText("wasi.preopens", guest + host.orElse(""));
      if (guest.isEmpty()) {
        throw Failure.BAD_REQUEST.because("`guest` of a preopen is empty");
      }
      if (host.isPresent() && !files.isEmpty()) {
        throw Failure.BAD_REQUEST.because(
            "preopen `%s` must have `files` or `host`, not both", Names.shown(guest));
      }
      files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
      files.keySet().forEach(Preopen::checkFile);
    }

    /** What its files hold together. */
    public long bytes() {
      return files.values().stream().mapToLong(bytes -> bytes.length).sum();
    }

    private static void checkFile(String path) {
      checkText("wasi.preopens", path);
      for (String name : path.split("/", -1)) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
          throw Failure.BAD_REQUEST.because(
              "bad file `%s` in a preopen: its path must be relative and plain", Names.shown(path));
        }
      }
    }
  }

  /** What it brings along: its input and its files. */
  public long bytes() {
    return stdin.length + preopens.stream().mapToLong(Preopen::bytes).sum();
  }

  /** A program of this name with these arguments. */
  public WasiSpec withArgs(String... args) {
    return new WasiSpec(List.of(args), env, preopens, stdin, stdinOpen, publish);
  }

  /** One more variable of the environment. */
  public WasiSpec withEnv(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(env);
    more.put(name, value);
    return new WasiSpec(args, more, preopens, stdin, stdinOpen, publish);
  }

  /** One more directory, in memory, that the guest may change. */
  public WasiSpec withFiles(String guest, Map<String, byte[]> files) {
    return withPreopen(new Preopen(guest, Optional.empty(), files, false));
  }

  /** One more directory, a real one, that the guest may only read. */
  public WasiSpec withDirectory(String guest, String host) {
    return withPreopen(new Preopen(guest, Optional.of(host), Map.of(), true));
  }

  public WasiSpec withPreopen(Preopen preopen) {
    List<Preopen> more = new ArrayList<>(preopens);
    more.add(preopen);
    return new WasiSpec(args, env, more, stdin, stdinOpen, publish);
  }

  public WasiSpec withStdin(byte[] stdin) {
    return new WasiSpec(args, env, preopens, stdin, stdinOpen, publish);
  }

  public WasiSpec withStdinOpen(boolean stdinOpen) {
    return new WasiSpec(args, env, preopens, stdin, stdinOpen, publish);
  }

  public WasiSpec withPublish(boolean publish) {
    return new WasiSpec(args, env, preopens, stdin, stdinOpen, publish);
  }
}
