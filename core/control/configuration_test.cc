// SPDX-License-Identifier: Apache-2.0
#include "core/control/configuration.h"

#include <google/protobuf/wrappers.pb.h>

#include <set>

#include "gtest/gtest.h"

namespace bess {
namespace {

native::State OneOfEach() {
  native::State state;
  state.add_workers()->set_wid(3);
  state.add_ports()->set_name("p");
  state.add_modules()->set_name("m");
  state.add_connections()->set_from("m");
  state.add_classes()->set_name("c");
  state.add_resume_hooks()->set_name("r");
  native::GateHook& hook = *state.add_gate_hooks();
  hook.set_module("m");
  hook.set_igate(2);
  hook.set_name("h");
  return state;
}

TEST(ConfigurationTest, HasAPathForEachKind) {
  Problems problems;
  const Configuration all = FromState(OneOfEach(), &problems);
  EXPECT_TRUE(problems.empty());
  for (const char* path : {"workers/3", "ports/p", "modules/m", "connections/m:0", "classes/c",
                           "resume_hooks/r", "gate_hooks/m:in2:h"}) {
    EXPECT_TRUE(all.contains(path)) << path;
  }
  EXPECT_EQ(ToState(all).SerializeAsString(), OneOfEach().SerializeAsString());
}

TEST(ConfigurationTest, RefusesWhatComesTwiceOrHasNoName) {
  native::State state;
  state.add_modules()->set_name("m");
  state.add_modules()->set_name("m");
  state.add_ports();
  Problems problems;
  FromState(state, &problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].path, "ports/");
  EXPECT_EQ(problems[1].path, "modules/m");
}

TEST(ConfigurationTest, ANameMayEndAsItLikes) {
  native::State state;
  state.add_modules()->set_name("a/");
  state.add_connections()->set_from("a/");
  native::GateHook& any = *state.add_gate_hooks();
  any.set_module("a/");
  any.set_ogate(0);
  Problems problems;
  const Configuration all = FromState(state, &problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_TRUE(all.contains("modules/a/"));
  EXPECT_EQ(ToState(all).SerializeAsString(), state.SerializeAsString());
  state.add_connections();
  state.add_gate_hooks()->set_ogate(1);
  FromState(state, &problems);
  ASSERT_EQ(problems.size(), 2u) << "whose?";
  EXPECT_EQ(problems[0].path, "connections/:0");
  EXPECT_EQ(problems[1].path, "gate_hooks/:out1:");
}

TEST(ConfigurationTest, OtherKeysAreOtherPaths) {
  const std::string names[] = {"a", "a:out0:x", "x", "x:out0:y", "y", "a/b", "a%2Fb", ":", ""};
  std::set<std::string> paths;
  size_t hooks = 0;
  for (const std::string& module : names) {
    for (const std::string& name : names) {
      native::Entry entry;
      entry.mutable_gate_hook()->set_module(module);
      entry.mutable_gate_hook()->set_ogate(0);
      entry.mutable_gate_hook()->set_name(name);
      paths.insert(PathOf(entry));
      ++hooks;
    }
  }
  EXPECT_EQ(paths.size(), hooks);
  EXPECT_TRUE(paths.contains("gate_hooks/a:out0:x%3Aout0%3Ay"));
  EXPECT_TRUE(paths.contains("gate_hooks/a%2Fb:out0:")) << "the last colon is before the name";
}

TEST(ConfigurationTest, DifferencesLeadFromOneToTheOther) {
  Problems problems;
  Configuration from = FromState(OneOfEach(), &problems);
  native::State other = OneOfEach();
  other.clear_ports();
  other.mutable_modules(0)->set_mclass("Other");
  other.add_workers()->set_wid(4);
  const Configuration to = FromState(other, &problems);
  const auto changes = Difference(from, to);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].action(), native::Change::UPDATE);
  EXPECT_EQ(changes[1].action(), native::Change::REMOVE);
  EXPECT_EQ(changes[2].action(), native::Change::ADD);
  for (const native::Change& change : changes) ApplyChange(change, &from);
  EXPECT_EQ(ToState(from).SerializeAsString(), ToState(to).SerializeAsString());
}

TEST(ConfigurationTest, ChangesAreJoined) {
  Problems problems;
  const Configuration start = FromState(OneOfEach(), &problems);
  native::State fewer = OneOfEach();
  fewer.clear_ports();
  fewer.clear_modules();
  fewer.clear_connections();
  native::State end = OneOfEach();
  end.clear_ports();
  end.mutable_modules(0)->set_mclass("Other");
  end.add_workers()->set_wid(4);
  const Configuration middle = FromState(fewer, &problems), last = FromState(end, &problems);
  const auto joined = Joined(Difference(start, middle), Difference(middle, last));
  const auto direct = Difference(start, last);
  ASSERT_EQ(joined.size(), direct.size()) << "a connection that came back is no change";
  for (size_t i = 0; i < direct.size(); ++i) {
    EXPECT_EQ(joined[i].SerializeAsString(), direct[i].SerializeAsString());
  }
}

TEST(ConfigurationTest, ArgumentsAreComparedByWhatTheySay) {
  google::protobuf::Int64Value zero, one;
  one.set_value(1);
  google::protobuf::Any absent, empty, full;
  empty.PackFrom(zero);
  full.PackFrom(one);
  EXPECT_TRUE(SameArgument(absent, empty));
  EXPECT_TRUE(SameArgument(full, full));
  EXPECT_FALSE(SameArgument(absent, full));
  google::protobuf::Any spelled = empty;
  spelled.set_value(std::string("\x08\x00", 2));  // the same zero, written out
  EXPECT_TRUE(SameArgument(spelled, empty));
}

}  // namespace
}  // namespace bess
