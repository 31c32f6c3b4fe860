// SPDX-License-Identifier: Apache-2.0
#include "core/control/journal.h"

#include <fcntl.h>
#include <rte_hash_crc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "core/base/status.h"
#include "native/live.pb.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr char kCurrent[] = "journal";
constexpr char kOld[] = "journal.old";
constexpr char kNew[] = "journal.new";

struct Header {
  uint32_t length;
  uint32_t checksum;
};

absl::Status Failed(const char* what, const std::string& path) {
  const int code = errno;
  return Error(code, "cannot ", what, " ", path, ": ", std::strerror(code));
}

// Reads words, so `bytes` has to be aligned, as strings of their own are.
uint32_t Checksum(const std::string& bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  return rte_hash_crc(bytes.data(), length, length);
}

std::string Framed(const native::JournalRecord& record) {
  const std::string bytes = record.SerializeAsString();
  const Header header{static_cast<uint32_t>(bytes.size()), Checksum(bytes)};
  std::string framed(sizeof(header), '\0');
  std::memcpy(framed.data(), &header, sizeof(header));
  return framed + bytes;
}

std::string Framed(const native::Commit& commit) {
  native::JournalRecord record;
  *record.mutable_commit() = commit;
  return Framed(record);
}

std::string Framed(const History& history) {
  native::JournalRecord record;
  record.mutable_snapshot()->set_version(history.base_version());
  *record.mutable_snapshot()->mutable_state() = ToState(history.base());
  std::string framed = Framed(record);
  for (const native::Commit& commit : history.commits()) framed += Framed(commit);
  return framed;
}

// Takes the next record off `bytes`; nothing if it is not whole.
std::optional<native::JournalRecord> TakeRecord(std::string_view* bytes) {
  Header header;
  if (bytes->size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes->data(), sizeof(header));
  const std::string_view rest = bytes->substr(sizeof(header));
  if (rest.size() < header.length) return std::nullopt;
  const std::string body(rest.substr(0, header.length));
  native::JournalRecord record;
  if (Checksum(body) != header.checksum || !record.ParseFromString(body)) return std::nullopt;
  *bytes = rest.substr(header.length);
  return record;
}

std::string Contents(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(contents).str();
}

// The history a file holds, as far as it is whole; nothing if not even its snapshot is.
std::optional<History> Read(const std::string& path) {
  const std::string contents = Contents(path);
  std::string_view rest = contents;
  const auto first = TakeRecord(&rest);
  if (!first || !first->has_snapshot()) {
    if (!contents.empty()) spdlog::error("{}: nothing in it is whole", path);
    return std::nullopt;
  }
  Problems problems;
  History history(first->snapshot().version(), FromState(first->snapshot().state(), &problems));
  for (const Problem& problem : problems) {
    spdlog::error("{}: {} is left out: {}", path, problem.path,
                  std::string(problem.status.message()));
  }
  while (auto record = TakeRecord(&rest)) {
    if (!record->has_commit()) break;
    history.Add(std::move(*record->mutable_commit()));
  }
  if (!rest.empty()) {
    spdlog::error("{}: the last {} of {} bytes are damaged; the last good commit is version {}",
                  path, rest.size(), contents.size(), history.version());
  }
  return history;
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", directory);
  const absl::Status synced = fsync(fd) == 0 ? absl::OkStatus() : Failed("sync", directory);
  close(fd);
  return synced;
}

absl::StatusOr<int> Lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Failed("open", path);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return Error(EBUSY, "another bessd has ", path, " open");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& directory,
                                                       History* history) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return Failed("make", directory);
  BESS_ASSIGN_OR_RETURN(const int lock, Lock(directory + "/lock"));
  std::unique_ptr<Journal> journal(new Journal(directory, lock));
  auto found = Read(journal->Path(kCurrent));
  if (!found) found = Read(journal->Path(kOld));
  if (found) *history = *std::move(found);
  BESS_RETURN_IF_ERROR(journal->Rewrite(*history));
  return journal;
}

Journal::~Journal() {
  if (file_ >= 0) close(file_);
  close(lock_);
}

absl::Status Journal::Append(const native::Commit& commit) {
  const std::string path = Path(kCurrent);
  const std::string bytes = Framed(commit);
  last_size_ = size_;
  absl::Status written = WriteAll(file_, bytes, path);
  if (written.ok() && fdatasync(file_) != 0) written = Failed("sync", path);
  if (!written.ok()) {
    Undo().IgnoreError();
    return written;
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status Journal::Undo() {
  size_ = last_size_;
  const std::string path = Path(kCurrent);
  if (ftruncate(file_, static_cast<off_t>(size_)) != 0) return Failed("shorten", path);
  return fdatasync(file_) == 0 ? absl::OkStatus() : Failed("sync", path);
}

absl::StatusOr<int> Journal::WriteNew(const std::string& bytes) const {
  const std::string path = Path(kNew);
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Failed("open", path);
  absl::Status written = WriteAll(fd, bytes, path);
  if (written.ok() && fsync(fd) != 0) written = Failed("sync", path);
  if (written.ok()) return fd;
  close(fd);
  unlink(path.c_str());
  return written;
}

absl::Status Journal::Rewrite(const History& history) {
  rewritten_size_ = size_;
  const std::string bytes = Framed(history);
  BESS_ASSIGN_OR_RETURN(const int fd, WriteNew(bytes));
  rename(Path(kCurrent).c_str(), Path(kOld).c_str());  // there may be none yet
  if (rename(Path(kNew).c_str(), Path(kCurrent).c_str()) != 0) {
    const absl::Status failed = Failed("rename", Path(kNew));
    close(fd);
    return failed;
  }
  if (file_ >= 0) close(file_);
  file_ = fd;
  size_ = last_size_ = rewritten_size_ = bytes.size();
  return SyncDirectory(directory_);
}

}  // namespace bess
