// SPDX-License-Identifier: Apache-2.0
//
// The configuration on disk, so that a daemon that is killed comes back as it was. A directory
// holds `journal`, a snapshot and the commits since, each of which is on disk before it is
// acknowledged, and `journal.old`, the one before the last rewriting. Whatever the moment of a
// crash, one of the two has all commits that were acknowledged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/control/history.h"

namespace bess {

class Journal {
 public:
  // Makes the directory (mode 0700) if it is missing, and reads what it holds into `history`, up
  // to the last record that is whole; the log says if that is not all. EBUSY when another process
  // has it open, or the errno of the file system.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& directory,
                                                       History* history);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // On disk when it returns. What fails leaves the journal as it was.
  absl::Status Append(const native::Commit& commit);
  // Takes the last Append back.
  absl::Status Undo();
  // So much has come since the last rewriting that another one pays: it writes the commits that the
  // history still has, too, so only what is more than it wrote last time can be got rid of.
  bool overgrown() const { return size_ > kGrowth * rewritten_size_ + kMinRewrite; }
  // Replaces the file by one that holds this history. One that fails is not overgrown until as much
  // has come again.
  absl::Status Rewrite(const History& history);

 private:
  static constexpr uint64_t kGrowth = 2;
  static constexpr uint64_t kMinRewrite = 4 << 20;

  Journal(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  std::string Path(const char* name) const { return directory_ + "/" + name; }
  // Leaves no file when it fails.
  absl::StatusOr<int> WriteNew(const std::string& bytes) const;

  const std::string directory_;
  const int lock_;
  int file_ = -1;
  uint64_t size_ = 0;
  uint64_t last_size_ = 0;       // before the last Append
  uint64_t rewritten_size_ = 0;  // after the last Rewrite
};

}  // namespace bess
