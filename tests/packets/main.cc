// SPDX-License-Identifier: Apache-2.0
//
// packet_runner: a line of JSON with a case in, lines of JSON out: any number of {"at": "..."},
// which say what is about to run, then the answer. The line "classes" asks for all module classes.
// Whatever modules print goes to stderr.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <cstdio>
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

// The channel of the answers: what stdout was before modules got to write there.
class Answers {
 public:
  Answers() : file_(fdopen(dup(STDOUT_FILENO), "w")) { dup2(STDERR_FILENO, STDOUT_FILENO); }

  // Flushed at once: after a crash this is all there is.
  void Send(const std::string& line) {
    fwrite(line.data(), 1, line.size(), file_);
    fwrite("\n", 1, 1, file_);
    fflush(file_);
  }

 private:
  std::FILE* file_;
};

std::string Answer(const std::string& line, Answers& answers) {
  if (line == "classes") return DescribeClasses();
  const auto wanted = ParseCase(line);
  if (!wanted.ok()) return Object("bad", std::string(wanted.status().message()));
  return RunCase(*wanted, [&](const std::string& what) { answers.Send(Object("at", what)); });
}

}  // namespace
}  // namespace bess::packet_tests

int main() {
  bess::packet_tests::Answers answers;
  for (std::string line; std::getline(std::cin, line);) {
    answers.Send(bess::packet_tests::Answer(line, answers));
  }
  return 0;
}
