package io.busbar.model;

import static java.util.stream.Collectors.joining;

import java.util.List;

/** The types of a function: its parameters and its results, in order. */
public record Signature(List<ValueType> params, List<ValueType> results) {
  public Signature {
    params = List.copyOf(params);
    results = List.copyOf(results);
  }

  public static Signature of(List<ValueType> params, List<ValueType> results) {
    return new Signature(params, results);
  }

  /** As people write it: {@code (i32, i32) -> (i64)}. */
  @Override
  public String toString() {
    return list(params) + " -> " + list(results);
  }

  private static String list(List<ValueType> types) {
    return types.stream().map(ValueType::text).collect(joining(", ", "(", ")"));
  }
}
