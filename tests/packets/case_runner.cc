// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/case_runner.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "tests/packets/testbed.h"

namespace bess::packet_tests {
namespace {

using Json = google::protobuf::Struct;

// A sweep builds a graph for each cut packet for so long; from then on all cuts of a packet share
// one, so that long packets through large tables come to an end too.
constexpr std::chrono::milliseconds kFreshGraphs{2000};

google::protobuf::Value& Set(Json* json, const std::string& key) {
  return (*json->mutable_fields())[key];
}
void SetText(Json* json, const std::string& key, std::string text) {
  Set(json, key).set_string_value(std::move(text));
}
void SetNumber(Json* json, const std::string& key, double number) {
  Set(json, key).set_number_value(number);
}
Json* AddObject(Json* json, const std::string& key) {
  return Set(json, key).mutable_list_value()->add_values()->mutable_struct_value();
}
void SetPackets(Json* json, const Packets& packets) {
  auto* list = Set(json, "packets").mutable_list_value();
  for (const std::string& bytes : packets) {
    list->add_values()->set_string_value(absl::BytesToHexString(bytes));
  }
}
void SetError(Json* json, const std::string& key, const absl::Status& status) {
  if (!status.ok()) SetText(json, key, std::string(status.message()));
}
std::string ToLine(const Json& json) {
  std::string line;
  const auto status = google::protobuf::util::MessageToJsonString(json, &line);
  return status.ok() ? line : absl::StrCat("{\"bad\": \"", absl::CEscape(status.ToString()), "\"}");
}

bool IsInput(const Step& step) {
  return step.action == Action::kIn || step.action == Action::kInPort;
}

// A step without the packets that matter to nobody who reads it.
std::string Describe(const Case& wanted, size_t step) {
  return absl::StrCat("step ", step, " of '", wanted.name, "'");
}

// What stands in for a packet: packets cut short, or whole ones that come in two segments.
struct Replacement {
  Packets packets;
  std::vector<size_t> first_segments;  // of each packet; empty when each is one segment
};

void Replace(Step* step, size_t index, const Replacement& replacement) {
  const auto at = step->packets.begin() + static_cast<std::ptrdiff_t>(index);
  step->packets.insert(step->packets.erase(at), replacement.packets.begin(),
                       replacement.packets.end());
  for (const size_t first : replacement.first_segments) step->in_two[index++] = first;
}

// The whole case again with packet `index` of step `step` replaced. Commands may now fail and
// other packets come out: only crashes and the books count.
absl::Status Replay(const Case& wanted, const std::set<Gate>& gates, size_t step, size_t index,
                    const Replacement& replacement) {
  BESS_ASSIGN_OR_RETURN(const auto testbed, Testbed::Build(wanted, 0, gates));
  Packets ignored;
  for (size_t i = 0; i < wanted.steps.size(); ++i) {
    if (i != step) {
      testbed->Do(wanted.steps[i], &ignored).IgnoreError();
    } else {
      Step changed = wanted.steps[i];
      Replace(&changed, index, replacement);
      testbed->Do(changed, &ignored).IgnoreError();
    }
    BESS_RETURN_IF_ERROR(testbed->CheckBooks());
  }
  return testbed->Finish();
}

class Sweep {
 public:
  Sweep(const Case& wanted, std::set<Gate> gates, const Announce& announce)
      : case_(wanted), gates_(std::move(gates)), announce_(announce) {}

  absl::Status Run() {
    for (size_t step = 0; step < case_.steps.size(); ++step) {
      if (!IsInput(case_.steps[step])) continue;
      std::set<std::string> done;  // a step may repeat a packet many times
      const Packets& packets = case_.steps[step].packets;
      for (size_t i = 0; i < packets.size(); ++i) {
        if (!done.insert(packets[i]).second) continue;
        BESS_RETURN_IF_ERROR(CutPacket(step, i, false));
        BESS_RETURN_IF_ERROR(CutPacket(step, i, true));
      }
    }
    return absl::OkStatus();
  }

 private:
  // To each length, or in two segments at each length.
  absl::Status CutPacket(size_t step, size_t index, bool in_two) {
    const std::string& bytes = case_.steps[step].packets[index];
    const char* how = in_two ? "in two behind " : "to ";
    Replacement cuts;
    for (size_t length = 0; length < bytes.size(); ++length) {
      cuts.packets.push_back(in_two ? bytes : bytes.substr(0, length));
      if (in_two) cuts.first_segments.push_back(length);
      if (!InTime()) continue;
      BESS_RETURN_IF_ERROR(Announced(step, index, absl::StrCat(how, length), cuts));
      cuts = {};
    }
    if (cuts.packets.empty()) return absl::OkStatus();
    const size_t first = bytes.size() - cuts.packets.size();
    return Announced(step, index, absl::StrCat(how, first, "..", bytes.size() - 1), cuts);
  }

  absl::Status Announced(size_t step, size_t index, const std::string& cut,
                         const Replacement& replacement) {
    const std::string what =
        absl::StrCat(Describe(case_, step), " with packet ", index, " cut ", cut, " bytes");
    announce_(what);
    const absl::Status status = Replay(case_, gates_, step, index, replacement);
    if (status.ok()) return status;
    return Error(EINVAL, what, ": ", std::string(status.message()));
  }

  bool InTime() const { return std::chrono::steady_clock::now() - start_ < kFreshGraphs; }

  const Case& case_;
  const std::set<Gate> gates_;
  const Announce& announce_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// False when the books are wrong: what follows would only repeat it.
bool RunStep(Testbed& testbed, const Step& step, Json* answer) {
  Packets out;
  const absl::Status status = testbed.Do(step, &out);
  SetError(answer, "error", status);
  if (!status.ok()) SetNumber(answer, "errno", StatusErrno(status));
  if (step.action == Action::kOut || step.action == Action::kOutPort) SetPackets(answer, out);
  const absl::Status books = testbed.CheckBooks();
  SetError(answer, "books", books);
  return books.ok();
}

void Report(Testbed& testbed, Json* answer) {
  for (const auto& [module, counts] : testbed.Drops()) {
    for (size_t i = 0; i < kNumDropReasons; ++i) {
      if (counts[i] == 0) continue;
      Json* drop = AddObject(answer, "drops");
      SetText(drop, "module", module);
      SetText(drop, "reason", std::string(DropReasonName(static_cast<DropReason>(i))));
      SetNumber(drop, "count", static_cast<double>(counts[i]));
    }
  }
  for (const Untaken& left : testbed.TakeAll()) {
    Json* untaken = AddObject(answer, "untaken");
    SetText(untaken, "kind", left.kind);
    SetText(untaken, "name", left.gate.first);
    SetNumber(untaken, "gate", left.gate.second);
    SetPackets(untaken, left.packets);
  }
}

}  // namespace

std::string RunCase(const Case& wanted, const Announce& announce) {
  Json answer;
  announce(absl::StrCat("the graph of '", wanted.name, "'"));
  auto testbed = Testbed::Build(wanted, Testbed::kCollectedGates, {});
  if (!testbed.ok()) {
    SetText(&answer, "graph", std::string(testbed.status().message()));
    return ToLine(answer);
  }
  bool good = true;
  for (size_t i = 0; i < wanted.steps.size() && good; ++i) {
    announce(Describe(wanted, i));
    good = RunStep(**testbed, wanted.steps[i], AddObject(&answer, "steps"));
  }
  const std::set<Gate> gates = (*testbed)->UsedGates();
  Report(**testbed, &answer);
  announce(absl::StrCat("the end of '", wanted.name, "'"));
  const absl::Status end = (*testbed)->Finish();
  SetError(&answer, "end", end);
  if (wanted.sweep && good && end.ok()) {
    SetError(&answer, "sweep", Sweep(wanted, gates, announce).Run());
  }
  return ToLine(answer);
}

std::string DescribeClasses() {
  Json answer;
  for (const auto& [name, mclass] : ModuleRegistry::Get().classes()) {
    Json* description = Set(&answer, name).mutable_struct_value();
    SetText(description, "type", mclass->argument->full_name());
    Json* commands = Set(description, "commands").mutable_struct_value();
    for (const CommandClass& command : mclass->commands) {
      SetText(commands, command.name, command.argument->full_name());
    }
  }
  return ToLine(answer);
}

}  // namespace bess::packet_tests
