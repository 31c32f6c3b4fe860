// SPDX-License-Identifier: Apache-2.0
#include "core/graph/registry.h"

#include <gmock/gmock.h>

#include "bess/hook.pb.h"
#include "bess/util.pb.h"
#include "core/graph/fake_host_testing.h"
#include "modules/arp_responder.pb.h"
#include "modules/merge.pb.h"
#include "modules/queue.pb.h"
#include "modules/update.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

google::protobuf::Any Pack(const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.PackFrom(message);
  return any;
}

pb::QueueArg SomeQueueArg() {
  pb::QueueArg arg;
  arg.set_size(64);
  return arg;
}

void ExpectInvalid(const google::protobuf::Any& any, google::protobuf::Message&& target,
                   const std::string& text) {
  const absl::Status status = UnpackArgument(any, "What", &target);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_EQ(status.message(), text);
}

TEST(UnpackArgumentTest, TakesTheRightType) {
  pb::QueueArg arg;
  EXPECT_TRUE(UnpackArgument(Pack(SomeQueueArg()), "What", &arg).ok());
  EXPECT_EQ(arg.size(), 64u);
}

TEST(UnpackArgumentTest, OnlyTheNameBehindTheLastSlashMatters) {
  for (const char* url : {"bess.pb.QueueArg", "/bess.pb.QueueArg", "a.b/c/bess.pb.QueueArg"}) {
    auto any = Pack(SomeQueueArg());
    any.set_type_url(url);
    pb::QueueArg arg;
    EXPECT_TRUE(UnpackArgument(any, "What", &arg).ok()) << url;
    EXPECT_EQ(arg.size(), 64u);
  }
}

TEST(UnpackArgumentTest, AnEmptyAnyStandsForNoFieldsSet) {
  pb::QueueArg arg;
  EXPECT_TRUE(UnpackArgument({}, "What", &arg).ok());
  EXPECT_EQ(arg.size(), 0u);
}

TEST(UnpackArgumentTest, AMessageWithNothingSetStandsForOneWithoutFields) {
  pb::MergeArg merge;
  EXPECT_TRUE(UnpackArgument(Pack(pb::EmptyArg()), "What", &merge).ok());
  pb::EmptyArg empty;
  EXPECT_TRUE(UnpackArgument(Pack(pb::MergeArg()), "What", &empty).ok());
  EXPECT_TRUE(UnpackArgument(Pack(pb::QueueArg()), "What", &empty).ok());
}

TEST(UnpackArgumentTest, OtherTypesAreRefusedAndNamed) {
  ExpectInvalid(Pack(SomeQueueArg()), pb::UpdateArg(),
                "'What' takes a bess.pb.UpdateArg, not a 'bess.pb.QueueArg'");
  ExpectInvalid(Pack(pb::EmptyArg()), pb::QueueArg(),
                "'What' takes a bess.pb.QueueArg, not a 'bess.pb.EmptyArg'");
  ExpectInvalid(Pack(SomeQueueArg()), pb::EmptyArg(),
                "'What' takes a bess.pb.EmptyArg, not a 'bess.pb.QueueArg'");
  google::protobuf::Any any;
  any.set_type_url("x/no.such.Type");
  ExpectInvalid(any, pb::EmptyArg(), "'What' takes a bess.pb.EmptyArg, not a 'no.such.Type'");
  any.set_type_url("");
  any.set_value("bytes of who knows what");
  ExpectInvalid(any, pb::QueueArg(), "'What' takes a bess.pb.QueueArg, not a ''");
  any = Pack(pb::MergeArg());
  any.set_value("\x08\x01");
  ExpectInvalid(any, pb::EmptyArg(), "'What' takes a bess.pb.EmptyArg, not a 'bess.pb.MergeArg'");
}

TEST(UnpackArgumentTest, BytesThatMakeNoMessageAreRefused) {
  auto any = Pack(SomeQueueArg());
  any.set_value("\x08");  // a field's tag and no value
  ExpectInvalid(any, pb::QueueArg(),
                "the argument of 'What' is not a well-formed bess.pb.QueueArg");
}

TEST(UnpackArgumentTest, UnknownFieldsAreRefusedAtAnyDepth) {
  auto any = Pack(SomeQueueArg());
  any.mutable_value()->append("\x78\x01");  // field 15
  ExpectInvalid(any, pb::QueueArg(),
                "the argument of 'What' has fields that bess.pb.QueueArg does not know");
  pb::UpdateArg update;
  update.add_fields()->set_size(4);
  update.add_fields()->ParseFromString("\x78\x01");
  ExpectInvalid(Pack(update), pb::UpdateArg(),
                "the argument of 'What' has fields that bess.pb.UpdateArg does not know");
  pb::ConfigureGateHookRequest request;
  request.mutable_hook()->ParseFromString("\x78\x01");
  ExpectInvalid(Pack(request), pb::ConfigureGateHookRequest(),
                "the argument of 'What' has fields that bess.pb.ConfigureGateHookRequest does not "
                "know");
  update.mutable_fields(1)->DiscardUnknownFields();
  pb::UpdateArg target;
  EXPECT_TRUE(UnpackArgument(Pack(update), "What", &target).ok());
}

// --- classes ------------------------------------------------------------------------------------

class Example final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "Example", .help = "an example", .ogates = 3};
  static Commands<Example> commands() {
    return {{"set", &Example::Set}, {"get", &Example::Get}, {"fail", &Example::Fail}};
  }

  absl::Status Init(const pb::QueueArg& arg) {
    if (arg.size() == 13) return Error(EPERM, name(), " takes no 13");
    size = arg.size();
    return AddTask(7);
  }
  absl::Status Set(const pb::QueueCommandSetSizeArg& arg) {
    size = arg.size();
    return absl::OkStatus();
  }
  absl::StatusOr<pb::QueueArg> Get(const pb::EmptyArg&) {
    pb::QueueArg answer;
    answer.set_size(size);
    return answer;
  }
  absl::StatusOr<pb::QueueArg> Fail(const pb::EmptyArg&) { return Error(EBUSY, "not now"); }
  TaskResult RunTask(Context&, Batch&, uint64_t argument) {
    return {.packets = static_cast<uint32_t>(argument)};
  }
  using Module::host;

  uint64_t size = 0;
};
REGISTER_MODULE(Example);

class Bare final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "Bare", .help = "no commands, no task"};
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_MODULE(Bare);

class RegistryTest : public testing::Test {
 protected:
  std::shared_ptr<Module> Create(const google::protobuf::Message& arg) {
    return *example_.Create("mine", host_, Pack(arg));
  }

  FakeHost host_;
  const ModuleClass& example_ = *ModuleRegistry::Get().Find("Example");
};

TEST_F(RegistryTest, FindsClassesByName) {
  EXPECT_EQ(ModuleRegistry::Get().Find("example"), nullptr);
  EXPECT_EQ(example_.info.ogates, 3u);
  EXPECT_EQ(example_.argument->full_name(), "bess.pb.QueueArg");
  EXPECT_EQ(example_.process, nullptr);
  EXPECT_NE(example_.run_task, nullptr);
  std::vector<std::string> commands, arguments;
  for (const CommandClass& command : example_.commands) {
    commands.push_back(command.name);
    arguments.push_back(command.argument->name());
  }
  EXPECT_THAT(commands, ElementsAre("set", "get", "fail"));
  EXPECT_THAT(arguments, ElementsAre("QueueCommandSetSizeArg", "EmptyArg", "EmptyArg"));
  const ModuleClass& bare = *ModuleRegistry::Get().Find("Bare");
  EXPECT_EQ(bare.run_task, nullptr);
  EXPECT_NE(bare.process, nullptr);
}

TEST_F(RegistryTest, CreatesAModuleThatKnowsItsOrigin) {
  const auto module = Create(SomeQueueArg());
  EXPECT_EQ(module->name(), "mine");
  EXPECT_EQ(&module->mclass(), &example_);
  auto& mine = static_cast<Example&>(*module);
  EXPECT_EQ(&mine.host(), &host_);
  EXPECT_EQ(mine.size, 64u);
  ASSERT_EQ(module->tasks().size(), 1u);
  EXPECT_EQ(module->tasks()[0].argument, 7u);
}

TEST_F(RegistryTest, CreatePassesErrorsOn) {
  pb::QueueArg arg;
  arg.set_size(13);
  const auto refused = example_.Create("mine", host_, Pack(arg));
  EXPECT_EQ(StatusErrno(refused.status()), EPERM);
  EXPECT_EQ(refused.status().message(), "mine takes no 13");
  const auto wrong = example_.Create("mine", host_, Pack(pb::UpdateArg()));
  EXPECT_EQ(StatusErrno(wrong.status()), EINVAL);
  EXPECT_EQ(wrong.status().message(),
            "'Example' takes a bess.pb.QueueArg, not a 'bess.pb.UpdateArg'");
}

class Kinds final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "Kinds", .help = "a command of each kind"};
  static Commands<Kinds> commands() {
    return {{"plain", &Kinds::Tell},
            {"get_size", &Kinds::Ask},
            {"ask", &Kinds::Ask, CommandKind::kReads},
            {"clear", &Kinds::Tell, CommandKind::kClears},
            {"put", &Kinds::Put, &pb::ArpResponderArg::ip}};
  }
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::Status Tell(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::Status Put(const pb::ArpResponderArg&) { return absl::OkStatus(); }
  absl::StatusOr<pb::QueueArg> Ask(const pb::EmptyArg&) { return pb::QueueArg(); }
};
REGISTER_MODULE(Kinds);

TEST_F(RegistryTest, CommandsHaveKinds) {
  const ModuleClass& kinds = *ModuleRegistry::Get().Find("Kinds");
  EXPECT_EQ(kinds.FindCommand("plain")->kind, CommandKind::kAdds);
  EXPECT_EQ(kinds.FindCommand("get_size")->kind, CommandKind::kReads) << "by its name";
  EXPECT_EQ(kinds.FindCommand("ask")->kind, CommandKind::kReads);
  EXPECT_EQ(kinds.FindCommand("clear")->kind, CommandKind::kClears);
  EXPECT_EQ(kinds.FindCommand("nothing"), nullptr);
  const CommandClass& put = *kinds.FindCommand("put");
  EXPECT_EQ(put.kind, CommandKind::kSets);
  pb::ArpResponderArg argument;
  argument.set_ip("10.0.0.1");
  argument.set_mac_addr("02:00:00:00:00:01");
  EXPECT_EQ(put.key(Pack(argument)), "10.0.0.1");
  EXPECT_EQ(put.key({}), "");
}

TEST_F(RegistryTest, CommandsReachTheirMembers) {
  const auto module = Create(SomeQueueArg());
  pb::QueueCommandSetSizeArg size;
  size.set_size(256);
  google::protobuf::Any reply;
  EXPECT_TRUE(example_.Run(*module, "set", Pack(size), &reply).ok());
  EXPECT_TRUE(reply.type_url().empty());
  EXPECT_TRUE(example_.Run(*module, "get", {}, &reply).ok());
  pb::QueueArg answer;
  ASSERT_TRUE(reply.UnpackTo(&answer));
  EXPECT_EQ(answer.size(), 256u);
}

TEST_F(RegistryTest, CommandsFailAsTheyShould) {
  const auto module = Create(SomeQueueArg());
  google::protobuf::Any reply;
  EXPECT_EQ(StatusErrno(example_.Run(*module, "fail", {}, &reply)), EBUSY);
  const absl::Status wrong = example_.Run(*module, "set", Pack(pb::QueueArg()), &reply);
  EXPECT_EQ(StatusErrno(wrong), EINVAL);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("'set' takes a"));
  const absl::Status unknown = example_.Run(*module, "reset", {}, &reply);
  EXPECT_EQ(StatusErrno(unknown), ENOTSUP);
  EXPECT_EQ(unknown.message(), "Example has no command 'reset'; it has: set, get, fail");
  const ModuleClass& bare = *ModuleRegistry::Get().Find("Bare");
  const auto plain = *bare.Create("plain", host_, {});
  EXPECT_EQ(bare.Run(*plain, "x", {}, &reply).message(), "Bare has no command 'x'; it has: none");
}

}  // namespace
}  // namespace bess
