// SPDX-License-Identifier: Apache-2.0
//
// packet_runner: a line of JSON with a case in, lines of JSON out: any number of {"at": "..."},
// which say what is about to run, then the answer. The line "classes" asks for all module classes.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <iostream>
#include <string>

#include "tests/packets/case_runner.h"

namespace bess::packet_tests {
namespace {

std::string Object(const std::string& key, const std::string& text) {
  google::protobuf::Struct json;
  (*json.mutable_fields())[key].set_string_value(text);
  std::string line;
  return google::protobuf::util::MessageToJsonString(json, &line).ok() ? line : "{}";
}

std::string Answer(const std::string& line) {
  if (line == "classes") return DescribeClasses();
  const auto wanted = ParseCase(line);
  if (!wanted.ok()) return Object("bad", std::string(wanted.status().message()));
  // Flushed at once: after a crash this is all there is.
  return RunCase(*wanted,
                 [](const std::string& what) { std::cout << Object("at", what) << std::endl; });
}

}  // namespace
}  // namespace bess::packet_tests

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << bess::packet_tests::Answer(line) << std::endl;
  }
  return 0;
}
