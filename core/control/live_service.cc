// SPDX-License-Identifier: Apache-2.0
#include "core/control/live_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/control/transact.h"
#include "core/control/watcher.h"
#include "native/live.grpc.pb.h"

namespace bess {
namespace {

using grpc::ServerContext;

// Bytes. Details travel in a header field, and a client may refuse all fields together when they
// are longer than 8 KiB; there they take a third more, and the message comes once more by itself.
constexpr size_t kMaxDetails = 3 << 10;
constexpr size_t kMaxText = 512;
constexpr int kMaxWatching = 64;
constexpr absl::Duration kWatchPeriod = absl::Milliseconds(100);

// How many bytes the character takes that `text` begins with; 0 if it begins with none in UTF-8.
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  // Nothing that has a shorter form, no surrogates, nothing behind U+10FFFF.
  const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < least || byte(1) > most) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Whole characters only: a client cannot read a message with a text that is not UTF-8.
std::string Shortened(absl::string_view text) {
  std::string shortened;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const absl::string_view next = length == 0 ? "?" : text.substr(0, length);
    if (shortened.size() + next.size() > kMaxText) return shortened + "...";
    shortened.append(next.data(), next.size());
    text.remove_prefix(next.size());
  }
  return shortened;
}

// As many as there is room for.
native::Problems ToProto(const Problems& problems) {
  native::Problems all;
  all.set_count(static_cast<uint32_t>(problems.size()));
  for (const Problem& problem : problems) {
    native::Problem& out = *all.add_problems();
    out.set_path(Shortened(problem.path));
    out.set_code(static_cast<int32_t>(problem.status.code()));
    out.set_errno_value(StatusErrno(problem.status));
    out.set_message(Shortened(problem.status.message()));
    if (all.ByteSizeLong() > kMaxDetails) {
      all.mutable_problems()->RemoveLast();
      break;
    }
  }
  return all;
}

// The status with the problems in its details; without problems, it is one about the request.
grpc::Status ToGrpc(const absl::Status& status, Problems problems) {
  if (status.ok()) return grpc::Status::OK;
  if (problems.empty()) problems.push_back({"", status});
  const native::Problems all = ToProto(problems);
  native::StatusDetails details;
  details.set_code(static_cast<int32_t>(status.code()));
  details.set_message(Shortened(status.message()));
  details.add_details()->PackFrom(all);
  return {static_cast<grpc::StatusCode>(status.code()), details.message(),
          details.SerializeAsString()};
}

// What is thrown for want of memory ends the call, not the daemon.
template <typename Call>
grpc::Status Answer(Call call) {
  Problems problems;
  try {
    const absl::Status status = call(&problems);
    return ToGrpc(status, std::move(problems));
  } catch (const std::bad_alloc&) {
    return ToGrpc(Error(ENOMEM, "out of memory"), {});
  }
}

absl::Status Apply(Engine& engine, const native::ApplyRequest& request,
                   native::ApplyResponse* response, Problems* problems) {
  const Configuration wanted = FromState(request.state(), problems);
  if (!problems->empty()) return problems->front().status;
  const std::string comment = request.comment().empty() ? "Apply" : request.comment();
  BESS_ASSIGN_OR_RETURN(const CommitResult result,
                        engine.Apply(wanted,
                                     {.comment = comment,
                                      .expected_version = request.expected_version(),
                                      .dry_run = request.dry_run(),
                                      .strict = request.strict()},
                                     problems));
  Fill(result, response);
  return absl::OkStatus();
}

absl::Status Rollback(Engine& engine, const native::RollbackRequest& request,
                      native::RollbackResponse* response, Problems* problems) {
  uint64_t version = request.version();
  if (version == 0) return Error(EINVAL, "'version' is missing: which commit is wanted back?");
  BESS_ASSIGN_OR_RETURN(const Configuration wanted, engine.ConfigurationAt(&version));
  BESS_ASSIGN_OR_RETURN(const CommitResult result,
                        engine.Apply(wanted,
                                     {.comment = absl::StrCat("Rollback to ", version),
                                      .expected_version = request.expected_version(),
                                      .dry_run = request.dry_run()},
                                     problems));
  Fill(result, response);
  return absl::OkStatus();
}

void ListCommits(std::vector<native::Commit> commits, uint32_t limit,
                 native::HistoryResponse* response) {
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    if (limit != 0 && response->commits_size() == static_cast<int>(limit)) return;
    commit->clear_changes();
    *response->add_commits() = std::move(*commit);
  }
}

void RunBulk(Engine& engine, native::BulkCommandRequest request,
             native::BulkCommandResponse* response) {
  uint64_t version = 0;
  for (BulkOutcome& outcome : engine.RunCommands(std::move(request), &version)) {
    auto& out = *response->add_outcomes();
    out.set_code(static_cast<int32_t>(outcome.status.code()));
    if (!outcome.status.ok()) out.set_message(std::string(outcome.status.message()));
    if (!outcome.reply.type_url().empty()) *out.mutable_data() = std::move(outcome.reply);
  }
  response->set_version(version);
}

class LiveService final : public native::Live::Service {
 public:
  explicit LiveService(Engine& engine) : engine_(engine) {}

  grpc::Status Transact(ServerContext*, const native::TransactRequest* request,
                        native::TransactResponse* response) override {
    return Answer(
        [&](Problems* problems) { return bess::Transact(engine_, *request, response, problems); });
  }
  grpc::Status Apply(ServerContext*, const native::ApplyRequest* request,
                     native::ApplyResponse* response) override {
    return Answer(
        [&](Problems* problems) { return bess::Apply(engine_, *request, response, problems); });
  }
  grpc::Status Rollback(ServerContext*, const native::RollbackRequest* request,
                        native::RollbackResponse* response) override {
    return Answer(
        [&](Problems* problems) { return bess::Rollback(engine_, *request, response, problems); });
  }
  grpc::Status GetState(ServerContext*, const native::GetStateRequest* request,
                        native::GetStateResponse* response) override {
    return Answer([&](Problems*) -> absl::Status {
      uint64_t version = request->version();
      BESS_ASSIGN_OR_RETURN(const Configuration now, engine_.ConfigurationAt(&version));
      response->set_version(version);
      *response->mutable_state() = ToState(now);
      return absl::OkStatus();
    });
  }
  grpc::Status History(ServerContext*, const native::HistoryRequest* request,
                       native::HistoryResponse* response) override {
    ListCommits(engine_.Commits(), request->limit(), response);
    return grpc::Status::OK;
  }
  grpc::Status BulkCommand(ServerContext*,
                           grpc::ServerReaderWriter<native::BulkCommandResponse,
                                                    native::BulkCommandRequest>* stream) override {
    native::BulkCommandRequest request;
    while (stream->Read(&request)) {
      native::BulkCommandResponse response;
      RunBulk(engine_, std::move(request), &response);
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }
  grpc::Status Watch(ServerContext* context, const native::WatchRequest* request,
                     grpc::ServerWriter<native::Event>* writer) override {
    const Place place(watching_);
    if (place.number > kMaxWatching) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED,
              absl::StrCat(kMaxWatching, " clients watch already")};
    }
    Watcher watcher(engine_, request->after_version());
    while (!context->IsCancelled()) {
      const auto events = watcher.Next(kWatchPeriod);
      if (!events.ok()) return ToGrpc(events.status(), {});
      for (const native::Event& event : *events) {
        if (!writer->Write(event)) return grpc::Status::CANCELLED;
      }
    }
    return grpc::Status::CANCELLED;
  }

 private:
  // Counts a call while it lasts.
  struct Place {
    explicit Place(std::atomic<int>& all) : counter(all), number(++all) {}
    ~Place() { --counter; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::atomic<int>& counter;
    const int number;
  };

  Engine& engine_;
  std::atomic<int> watching_{0};
};

}  // namespace

std::unique_ptr<grpc::Service> MakeLiveService(Engine& engine) {
  return std::make_unique<LiveService>(engine);
}

}  // namespace bess
