package io.busbar.chaos;

/**
 * A process that calls, at its parent's words: {@code prepare <workers>}, {@code load <calls a
 * second>}, {@code settle}, {@code stop}. It is a member of the cluster that no fault strikes.
 */
final class Driver {
  private Driver() {}

  /** Of workers of ours. */
  static final class OfBusbar {
    private OfBusbar() {}

    public static void main(String[] args) {
      Place place = Place.parse(args[0]);
      run(new BusbarTarget(place), place);
    }
  }

  /** Of workers of the baseline. */
  static final class OfPlain {
    private OfPlain() {}

    public static void main(String[] args) {
      Place place = Place.parse(args[0]);
      run(new PlainTarget(place), place);
    }
  }

  private static void run(Target target, Place place) {
    Load load = new Load(target, place.log());
    Child.say("ready");
    Child.listen(line -> Child.say(obey(line.split(" "), target, load)));
  }

  /** The word that tells it is done. */
  private static String obey(String[] words, Target target, Load load) {
    switch (words[0]) {
      case "prepare" -> target.prepare(Integer.parseInt(words[1]));
      case "load" -> load.start(Integer.parseInt(words[1]));
      case "settle" -> {
        return settles(target) ? "settled" : "unsettled";
      }
      case "stop" -> load.stop();
      default -> throw new IllegalArgumentException(words[0]);
    }
    return "done";
  }

  private static boolean settles(Target target) {
    try {
      target.settle();
      return true;
    } catch (AssertionError e) {
      return false;
    }
  }
}
