// SPDX-License-Identifier: Apache-2.0
#include "modules/dump/printer.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/base/clock.h"
#include "core/base/pipe.h"
#include "core/base/status.h"

namespace bess {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(10);
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

// A packet as text, with the name of the module.
std::string Format(const PacketSnapshot& packet, std::string_view name) {
  const absl::Time when = absl::FromUnixNanos(static_cast<int64_t>(packet.time));
  std::string text = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", when, absl::UTCTimeZone());
  absl::StrAppend(&text, " ", AbslView(name), ": packet of ", packet.total_length, " bytes");
  if (packet.length < packet.total_length) {
    absl::StrAppend(&text, ", the first ", packet.length);
  }
  text += '\n';
  AppendRows(text, {packet.bytes.data(), packet.length});
  text += "  metadata\n";
  AppendRows(text, packet.metadata);
  return text;
}

}  // namespace

DumpPrinter::DumpPrinter(std::string_view name) : name_(name), thread_([this] { Run(); }) {}

DumpPrinter::~DumpPrinter() {
  stop_.Notify();
  thread_.join();
}

bool DumpPrinter::Offer(Packet& packet) {
  PacketSnapshot* slot = slots_.Empty();
  if (slot == nullptr) return false;
  slot->Take(packet, WallNanoseconds(), kDefaultDataRoom);
  slots_.PutFull();
  return true;
}

void DumpPrinter::Run() {
  BlockBrokenPipeSignal();  // a closed pipe is no reason to die
  while (!stop_.WaitForNotificationWithTimeout(kPause)) PrintAll();
  PrintAll();
}

// A reader who went to sleep cannot keep the module from being destroyed; without a reader all is
// lost, and nobody cares.
void DumpPrinter::PrintAll() {
  const auto stopped = [this] { return stop_.HasBeenNotified(); };
  while (const PacketSnapshot* packet = slots_.Full()) {
    if (WriteToPipe(STDOUT_FILENO, Format(*packet, name_), stopped) == Written::kGaveUp) return;
    slots_.PutEmpty();
  }
}

}  // namespace bess
