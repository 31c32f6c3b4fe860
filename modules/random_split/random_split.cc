// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/graph/gate_list.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/random_split.pb.h"

namespace bess {
namespace {

constexpr size_t kMaxListedGates = 16384;

struct Lottery {
  Chance drop;
  std::vector<uint32_t> gates;
};

absl::StatusOr<Chance> ReadDropRate(double rate) {
  // Written so that what is not a number is refused too.
  if (!(rate >= 0 && rate <= 1)) return Error(EINVAL, "'drop_rate' must be 0..1, not ", rate);
  return Chance(rate);
}

class RandomSplit final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "RandomSplit",
      .help = "drops some packets and spreads the rest over gates, at random",
      .ogates = kMaxGates,
  };
  static Commands<RandomSplit> commands() {
    return {{"set_droprate", &RandomSplit::SetDropRate, CommandKind::kSets},
            {"set_gates", &RandomSplit::SetGates, CommandKind::kSets}};
  }

  absl::Status Init(const pb::RandomSplitArg& arg) {
    randoms_.Seed(name());
    Lottery lottery;
    BESS_ASSIGN_OR_RETURN(lottery.drop, ReadDropRate(arg.drop_rate()));
    BESS_ASSIGN_OR_RETURN(lottery.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(lottery));
  }

  absl::Status SetDropRate(const pb::RandomSplitCommandSetDroprateArg& arg) {
    Lottery lottery = *lottery_.Get();
    BESS_ASSIGN_OR_RETURN(lottery.drop, ReadDropRate(arg.drop_rate()));
    return Use(std::move(lottery));
  }

  absl::Status SetGates(const pb::RandomSplitCommandSetGatesArg& arg) {
    Lottery lottery = *lottery_.Get();
    BESS_ASSIGN_OR_RETURN(lottery.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(lottery));
  }

  void Process(Context& context, Batch& batch) {
    const Lottery& lottery = *lottery_.Get();
    if (lottery.gates.empty()) return context.Drop(batch, DropReason::kNoGate);
    Random random = randoms_.At(context.worker());
    Verdict verdicts[kBatchSize];
    for (uint32_t i = 0; i < batch.size(); ++i) verdicts[i] = Draw(lottery, random);
    randoms_.At(context.worker()) = random;
    context.Deliver(batch, verdicts);
  }

 private:
  static Verdict Draw(const Lottery& lottery, Random& random) {
    if (lottery.drop.Happens(random)) return Verdict::Drop(DropReason::kDenied);
    return Verdict::Gate(lottery.gates[random.Below(lottery.gates.size())]);
  }

  absl::Status Use(Lottery lottery) {
    lottery_.Swap(host(), std::make_unique<const Lottery>(std::move(lottery)));
    return absl::OkStatus();
  }

  Versioned<Lottery> lottery_;
  WorkerRandoms randoms_;
};

REGISTER_MODULE(RandomSplit);

}  // namespace
}  // namespace bess
