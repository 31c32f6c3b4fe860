// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/packet_case.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <memory>

#include "absl/strings/escaping.h"
#include "core/base/status.h"

namespace bess::packet_tests {
namespace {

using Json = google::protobuf::Struct;
using JsonValue = google::protobuf::Value;

// A field that is missing reads as nothing: "", 0, an empty list.
const JsonValue& Field(const Json& json, const std::string& key) {
  const auto it = json.fields().find(key);
  return it == json.fields().end() ? JsonValue::default_instance() : it->second;
}
const std::string& Text(const Json& json, const std::string& key) {
  return Field(json, key).string_value();
}
uint32_t Number(const Json& json, const std::string& key) {
  return static_cast<uint32_t>(Field(json, key).number_value());
}
const auto& List(const Json& json, const std::string& key) {
  return Field(json, key).list_value().values();
}

// A type that is not linked into this program keeps its name and no content: the module refuses
// it by name.
absl::StatusOr<google::protobuf::Any> ParseArgument(const Json& json) {
  google::protobuf::Any any;
  any.set_type_url("type.googleapis.com/" + Text(json, "type"));
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(Text(json, "type"));
  if (type == nullptr) return any;
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  const std::unique_ptr<google::protobuf::Message> message(prototype->New());
  const auto status =
      google::protobuf::util::JsonStringToMessage(Text(json, "argument"), message.get());
  if (!status.ok()) {
    return Error(EINVAL, "the argument is not a ", type->full_name(), ": ", status.ToString());
  }
  any.PackFrom(*message);
  return any;
}

absl::StatusOr<Action> ParseAction(const std::string& name) {
  static const auto* const actions = new std::map<std::string, Action>{
      {"in", Action::kIn},    {"in_port", Action::kInPort},   {"run", Action::kRun},
      {"out", Action::kOut},  {"out_port", Action::kOutPort}, {"command", Action::kCommand},
      {"tick", Action::kTick}};
  const auto it = actions->find(name);
  if (it == actions->end()) return Error(EINVAL, "there is no step '", name, "'");
  return it->second;
}

absl::StatusOr<Step> ParseStep(const Json& json) {
  Step step;
  BESS_ASSIGN_OR_RETURN(step.action, ParseAction(Text(json, "do")));
  step.name = Text(json, "name");
  step.gate = Number(json, "gate");
  step.times = Number(json, "times");
  step.seconds = Field(json, "seconds").number_value();
  for (const JsonValue& packet : List(json, "packets")) {
    step.packets.push_back(absl::HexStringToBytes(packet.string_value()));
  }
  if (step.action == Action::kCommand) {
    step.command = Text(json, "command");
    BESS_ASSIGN_OR_RETURN(step.argument, ParseArgument(json));
  }
  return step;
}

}  // namespace

absl::StatusOr<Case> ParseCase(const std::string& line) {
  Json json;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &json);
  if (!status.ok()) return Error(EINVAL, "not a line of JSON: ", status.ToString());
  Case result;
  result.name = Text(json, "name");
  result.sweep = Field(json, "sweep").bool_value();
  for (const JsonValue& value : List(json, "ports")) {
    const Json& port = value.struct_value();
    result.ports.push_back({Text(port, "name"), Number(port, "queues")});
  }
  for (const JsonValue& value : List(json, "modules")) {
    const Json& module = value.struct_value();
    BESS_ASSIGN_OR_RETURN(auto argument, ParseArgument(module));
    result.modules.push_back({Text(module, "name"), Text(module, "mclass"), argument});
  }
  for (const JsonValue& value : List(json, "connections")) {
    const Json& edge = value.struct_value();
    result.connections.push_back(
        {Text(edge, "from"), Number(edge, "ogate"), Text(edge, "to"), Number(edge, "igate")});
  }
  for (const JsonValue& value : List(json, "steps")) {
    BESS_ASSIGN_OR_RETURN(Step step, ParseStep(value.struct_value()));
    result.steps.push_back(std::move(step));
  }
  return result;
}

}  // namespace bess::packet_tests
