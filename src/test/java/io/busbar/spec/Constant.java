package io.busbar.spec;

import io.busbar.model.V128;
import io.busbar.spec.text.Lane;
import io.busbar.spec.text.Term;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** A value, or a pattern for one, as scripts write it. */
sealed interface Constant {

  /** A number or vector, as the Java client takes and gives it. */
  record Exact(Object value) implements Constant {
    @Override
    public boolean matches(Object given) {
      return Lane.bits(value).equals(Lane.bits(given));
    }
  }

  /** Any NaN of this kind: an {@code f32} or {@code f64}, or lanes of a vector. */
  record Lanes(List<Lane> lanes) implements Constant {
    @Override
    public boolean matches(Object given) {
      BigInteger bits = Lane.bits(given);
      for (Lane lane : lanes) {
        BigInteger mask = BigInteger.ONE.shiftLeft(lane.width()).subtract(BigInteger.ONE);
        if (!lane.matches(bits.and(mask))) {
          return false;
        }
        bits = bits.shiftRight(lane.width());
      }
      return bits.signum() == 0;
    }
  }

  /** A reference: null, or one that can neither go in nor come out. */
  record Reference(boolean isNull) implements Constant {
    @Override
    public boolean matches(Object given) {
      return isNull && given == null;
    }
  }

  record Either(List<Constant> choices) implements Constant {
    @Override
    public boolean matches(Object given) {
      return choices.stream().anyMatch(choice -> choice.matches(given));
    }
  }

  boolean matches(Object given);

  /** Whether it is, or may be, a reference other than null. */
  default boolean isForeign() {
    return this instanceof Reference reference && !reference.isNull();
  }

  static List<Constant> all(List<Term> terms) {
    return terms.stream().map(Constant::of).toList();
  }

  private static Constant of(Term term) {
    Term.Group group = (Term.Group) term;
    List<Term> rest = group.items().subList(1, group.items().size());
    return switch (group.head()) {
      case "i32.const", "i64.const", "f32.const", "f64.const" ->
          number(group.head().substring(0, 3), ((Term.Word) rest.get(0)).text());
      case "v128.const" -> vector(rest);
      case "either" -> new Either(all(rest));
      default -> reference(group.head());
    };
  }

  private static Constant reference(String head) {
    if (!head.startsWith("ref.")) {
      throw new IllegalArgumentException("unknown constant " + head);
    }
    return new Reference(head.equals("ref.null"));
  }

  private static Constant number(String type, String text) {
    Lane lane = Lane.of(type, text);
    if (lane.nan() != Lane.Nan.NONE) {
      return new Lanes(List.of(lane));
    }
    BigInteger bits = lane.bits();
    return new Exact(
        switch (type) {
          case "i32" -> bits.intValue();
          case "i64" -> bits.longValue();
          case "f32" -> Float.intBitsToFloat(bits.intValue());
          default -> Double.longBitsToDouble(bits.longValue());
        });
  }

  private static Constant vector(List<Term> shapeAndLanes) {
    String type = ((Term.Word) shapeAndLanes.get(0)).text().replaceFirst("x.*", "");
    List<Lane> lanes = new ArrayList<>();
    BigInteger bits = BigInteger.ZERO;
    int shift = 0;
    for (Term term : shapeAndLanes.subList(1, shapeAndLanes.size())) {
      Lane lane = Lane.of(type, ((Term.Word) term).text());
      lanes.add(lane);
      bits = bits.or(lane.bits().shiftLeft(shift));
      shift += lane.width();
    }
    boolean exact = lanes.stream().allMatch(lane -> lane.nan() == Lane.Nan.NONE);
    return exact ? new Exact(V128.of(bits)) : new Lanes(lanes);
  }
}
