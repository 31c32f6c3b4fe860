// SPDX-License-Identifier: Apache-2.0
#include "modules/dump/printer.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/status.h"

namespace bess {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(10);
constexpr int kStuckMilliseconds = 100;
constexpr size_t kRow = 16;  // bytes

void AppendRow(std::string& text, size_t offset, absl::Span<const uint8_t> row) {
  absl::StrAppend(&text, "  ", absl::Hex(offset, absl::kZeroPad4), " ");
  for (size_t i = 0; i < kRow; ++i) {
    if (i < row.size()) {
      absl::StrAppend(&text, " ", absl::Hex(row[i], absl::kZeroPad2));
    } else {
      text += "   ";
    }
  }
  text += "  ";
  for (const uint8_t byte : row) {
    text += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
  }
  text += '\n';
}

void AppendRows(std::string& text, absl::Span<const uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size(); at += kRow) AppendRow(text, at, bytes.subspan(at, kRow));
}

}  // namespace

void PacketSnapshot::Take(PacketView packet) {
  time = WallSeconds();
  total_length = packet.packet().total_length();
  length = std::min<uint32_t>(packet.length(), kDataRoom);
  std::memcpy(bytes.data(), packet.Bytes(0, length), length);
  std::memcpy(metadata.data(), packet.packet().metadata(), kMetadataSize);
}

std::string PacketSnapshot::Format(std::string_view name) const {
  const absl::Time when = absl::FromUnixMicros(static_cast<int64_t>(time * 1e6));
  std::string text = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", when, absl::UTCTimeZone());
  absl::StrAppend(&text, " ", AbslView(name), ": packet of ", total_length, " bytes");
  if (length < total_length) absl::StrAppend(&text, ", the first ", length);
  text += '\n';
  AppendRows(text, {bytes.data(), length});
  text += "  metadata\n";
  AppendRows(text, metadata);
  return text;
}

DumpPrinter::DumpPrinter(std::string_view name) : name_(name), thread_([this] { Run(); }) {}

DumpPrinter::~DumpPrinter() {
  stop_.Notify();
  thread_.join();
}

bool DumpPrinter::Offer(Packet& packet) {
  const uint32_t offered = offered_.load(std::memory_order_relaxed);
  if (offered - printed_.load(std::memory_order_acquire) == kSlots) return false;
  slots_[offered % kSlots].Take(PacketView(packet));
  offered_.store(offered + 1, std::memory_order_release);
  return true;
}

void DumpPrinter::Run() {
  // A closed pipe is no reason to die.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (!stop_.WaitForNotificationWithTimeout(kPause)) PrintAll();
  PrintAll();
}

void DumpPrinter::PrintAll() {
  uint32_t printed = printed_.load(std::memory_order_relaxed);
  while (printed != offered_.load(std::memory_order_acquire)) {
    if (!Write(slots_[printed % kSlots].Format(name_))) return;
    printed_.store(++printed, std::memory_order_release);
  }
}

// In pieces that poll() has promised not to block, so that a reader who went to sleep cannot keep
// the module from being destroyed. False when it gave up.
bool DumpPrinter::Write(std::string_view text) {
  while (!text.empty()) {
    pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&output, 1, kStuckMilliseconds) <= 0) {
      if (stop_.HasBeenNotified()) return false;
      continue;
    }
    const ssize_t written =
        write(STDOUT_FILENO, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0) return true;  // nobody reads any more: this one is lost
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace bess
