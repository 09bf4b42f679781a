package io.busbar.chaos;

import java.util.List;

/** Where the processes of a trial meet. */
interface Network extends AutoCloseable {
  /** The address of the n-th process, a loopback one. */
  String host(int number);

  /** What stands before the command that starts the n-th process. */
  List<String> before(int number);

  /** From now on nothing reaches the n-th process or comes from it, and nobody is told. */
  void cut(int number);

  /** It is reached again. */
  void heal(int number);

  @Override
  void close();
}
