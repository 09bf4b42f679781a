package io.busbar.gateway;

import io.busbar.client.Bus;
import java.util.Set;

/** What questions cost a tenant of its quotas: calls when they are asked, fuel when they ran. */
record Costs(Quotas quotas) {
  /** In which no guest runs. */
  private static final Set<String> FREE =
      Set.of("cancel", "describe", "exists", "read-stdout", "write-stdin", "close-stdin");

  /** Takes its calls; what stops an operation is never too much. */
  void take(Client client, Bus.Question question) {
    if (!question.action().equals("cancel")) {
      quotas.takeCalls(client, calls(question));
    }
  }

  private static int calls(Bus.Question question) {
    return question.action().equals("calls")
        ? Math.max(1, question.body().list("calls").size())
        : 1;
  }

  /** With no more fuel than is left, and counted when it is used. */
  Bus.Question metered(Client client, Bus.Question question) {
    if (FREE.contains(question.action())) {
      return question;
    }
    return question
        .withFuel(quotas.fuel(client, question.fuel()))
        .spending(
            spent -> {
              quotas.used(client, spent);
              question.spending().accept(spent);
            });
  }
}
