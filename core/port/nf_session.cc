// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_session.h"

#include <rte_memcpy.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/packet/segments.h"
#include "core/port/fit_first.h"

namespace bess {
namespace {

// Descriptors, judged so many at a time.
typedef uint64_t Words __attribute__((vector_size(64)));
constexpr uint32_t kWords = sizeof(Words) / sizeof(BessNfDescriptor);
static_assert(kBatchSize % kWords == 0);

constexpr uint16_t kBufferSlack = 2048;  // what workers' caches may keep of a private pool

void Ring(const FileDescriptor& bell) { send(bell.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); }

// Bytes of the longest packet that one buffer holds, its headroom included.
uint32_t BufferSize(const PacketPool& pool) { return uint32_t{kHeadroom} + pool.data_room(); }

// A copy of several segments, or one that begins as far before where packets do as its length
// wants: who made the original may have used all its headroom.
[[gnu::noinline]] void CopyOddBytes(const Packet& from, Packet& to) {
  const auto length = static_cast<uint16_t>(from.total_length());
  const int start = std::clamp(to.mbuf()->buf_len - length, 0, int{kHeadroom});
  to.Reset(length, static_cast<uint16_t>(start));
  ReadBytes(from, 0, {to.data(), length});
}

// Into a fresh packet of a pool whose buffers are large enough.
inline void CopyBytes(const Packet& from, Packet& to) {
  if (from.linear() && to.Resize(from.length())) [[likely]] {
    rte_memcpy(to.data(), from.data(), from.length());
  } else {
    CopyOddBytes(from, to);
  }
}

}  // namespace

const char* ViolationText(NfViolation violation) {
  switch (violation) {
    case NfViolation::kNone:
      return "nothing";
    case NfViolation::kIndex:
      return "an index ahead of its ring";
    case NfViolation::kBuffer:
      return "a buffer that does not exist";
    case NfViolation::kOwner:
      return "a buffer it does not own";
    case NfViolation::kBounds:
      return "a packet out of its buffer's bounds";
    case NfViolation::kMessage:
      return "a message out of turn";
  }
  return "";
}

// --- making and unmaking ------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<NfSession>> NfSession::Make(NfDomain& domain,
                                                           NfSessionCounters& counters,
                                                           const NfSessionOptions& options) {
  std::unique_ptr<NfSession> session(new NfSession(domain, counters, options));
  session->SetGeometry(options);
  session->domain_ = &domain;
  if (options.isolated) BESS_RETURN_IF_ERROR(session->MakePrivateDomain());
  NfDomain& shared = *session->domain_;
  if (shared.buffers() > BESS_NF_MAX_BUFFERS) {
    return Error(ENOTSUP, "a network function can tell ", BESS_NF_MAX_BUFFERS,
                 " buffers apart; its domain has ", shared.buffers());
  }
  BessNfGeometry& geometry = session->geometry_;
  geometry.buffers = shared.buffers();
  geometry.stride = shared.stride();
  geometry.buffer_size = BufferSize(shared.pool());
  geometry.headroom = kHeadroom;
  geometry.loans = std::min(geometry.loans, geometry.buffers / 2);
  BESS_RETURN_IF_ERROR(session->MakeLanes());
  return session;
}

void NfSession::SetGeometry(const NfSessionOptions& options) {
  geometry_.to_nf_queues = options.to_nf_queues;
  geometry_.from_nf_queues = options.from_nf_queues;
  geometry_.to_nf_slots = std::bit_ceil(options.to_nf_slots);
  geometry_.from_nf_slots = std::bit_ceil(options.from_nf_slots);
  geometry_.fresh_slots = std::bit_ceil(options.fresh_slots);
  // A ring that waits, as much again in the NF's hands, and what it makes packets of.
  geometry_.loans = geometry_.to_nf_queues * geometry_.to_nf_slots * 2 +
                    geometry_.from_nf_queues * geometry_.fresh_slots;
}

absl::Status NfSession::MakePrivateDomain() {
  BESS_ASSIGN_OR_RETURN(
      private_pool_,
      PacketPool::Create(absl::StrCat("nf", owner_), PacketPool::Kind::kShareable,
                         geometry_.loans * 2 + kBufferSlack, into_.pool().data_room()));
  private_domain_ = std::make_unique<NfDomain>(*private_pool_);
  domain_ = private_domain_.get();
  return absl::OkStatus();
}

// What we ring is a socket and no eventfd, whose counter the peer could fill, and whose flags it
// could change, so that our next write would block. It leads one way only: a peer that could send
// could pass descriptors, and whoever throws these away waits for what their closing waits for.
absl::StatusOr<NfSession::Doorbell> NfSession::MakeDoorbell() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error(errno, "cannot make a doorbell: ", std::strerror(errno));
  }
  Doorbell bell{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  if (shutdown(bell.ours.get(), SHUT_RD) != 0) {
    return Error(errno, "cannot close a doorbell to the peer: ", std::strerror(errno));
  }
  return bell;
}

// What the NF rings is an eventfd, through which nothing can be passed. It is the same open file at
// both ends, flags included, so we never write to it, and read only in a way that asks no flags.
absl::StatusOr<FileDescriptor> NfSession::MakeOwnDoorbell() {
  FileDescriptor bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) return Error(errno, "cannot make a doorbell: ", std::strerror(errno));
  return bell;
}

absl::Status NfSession::MakeLanes() {
  const BessNfGeometry& g = geometry_;
  BESS_ASSIGN_OR_RETURN(
      switch_memory_,
      NfMemory::Make("bess_switch", bess_nf_switch_memory_size(&g), NfMemory::Peer::kReads));
  BESS_ASSIGN_OR_RETURN(
      nf_memory_, NfMemory::Make("bess_nf", bess_nf_nf_memory_size(&g), NfMemory::Peer::kWrites));
  const auto own = [this](uint64_t offset) { return OwnMemory(switch_memory_.start(), offset); };
  const PeerMemory peer(nf_memory_.start());
  send_lanes_ = std::vector<SendLane>(g.to_nf_queues);
  for (uint32_t q = 0; q < g.to_nf_queues; ++q) {
    send_lanes_[q].ring = ToNf(own(bess_nf_to_nf_producer(&g, q)), peer,
                               bess_nf_to_nf_consumer(&g, q), g.to_nf_slots);
    BESS_ASSIGN_OR_RETURN(send_lanes_[q].bell, MakeDoorbell());
  }
  receive_lanes_ = std::vector<ReceiveLane>(g.from_nf_queues);
  for (uint32_t q = 0; q < g.from_nf_queues; ++q) {
    ReceiveLane& lane = receive_lanes_[q];
    lane.ring = FromNf(own(bess_nf_from_nf_consumer(&g, q)), peer, bess_nf_from_nf_producer(&g, q),
                       g.from_nf_slots);
    lane.fresh = ToNf(own(bess_nf_fresh_producer(&g, q)), peer, bess_nf_fresh_consumer(&g, q),
                      g.fresh_slots);
    BESS_ASSIGN_OR_RETURN(lane.bell, MakeOwnDoorbell());
    // Whoever may wait for the next NF does not know yet that it is here.
    lane.ring.GoToSleep();
    for (uint32_t i = 0; i < g.fresh_slots; i += FreshBatch()) FillFresh(lane.fresh);
  }
  return absl::OkStatus();
}

NfSession::~NfSession() { domain_->Reclaim(owner_); }

std::vector<int> NfSession::Descriptors() const {
  std::vector<int> all = {domain_->pool().memfd(), switch_memory_.fd(), nf_memory_.fd()};
  for (const SendLane& lane : send_lanes_) all.push_back(lane.bell.theirs.get());
  for (const ReceiveLane& lane : receive_lanes_) all.push_back(lane.bell.get());
  return all;
}

void NfSession::ForgetPeerEnds() {
  for (SendLane& lane : send_lanes_) lane.bell.theirs.reset();
}

uint32_t NfSession::Progress() const {
  const PeerMemory peer(nf_memory_.start());
  uint32_t taken = 0;
  for (uint32_t q = 0; q < geometry_.to_nf_queues; ++q) {
    taken += peer.Load<uint32_t>(bess_nf_to_nf_consumer(&geometry_, q));
  }
  return taken;
}

bool NfSession::Drained() const {
  const PeerMemory peer(nf_memory_.start());
  for (uint32_t q = 0; q < geometry_.from_nf_queues; ++q) {
    const auto head = peer.Load<uint32_t>(bess_nf_from_nf_producer(&geometry_, q));
    if (head != receive_lanes_[q].taken.load(std::memory_order_relaxed)) return false;
  }
  return true;
}

// No more than each ring holds, or a peer that goes on filling it could keep us here. One that lies
// about its rings makes the count wrong by as much, which harms nobody.
void NfSession::CountUnreceived() {
  uint64_t packets = 0;
  for (ReceiveLane& lane : receive_lanes_) {
    BessNfDescriptor descriptor{};
    for (uint32_t i = 0; i < geometry_.from_nf_slots && lane.ring.Available().value_or(0) > 0;
         ++i) {
      lane.ring.Take({&descriptor, 1});
      packets += descriptor.length != 0;
    }
  }
  counters_.unreceived.fetch_add(packets, std::memory_order_relaxed);
}

void NfSession::Break(NfViolation violation) {
  NfViolation none = NfViolation::kNone;
  if (violation_.compare_exchange_strong(none, violation)) eventfd_write(alarm_, 1);
}

// --- to the NF ----------------------------------------------------------------------------------

uint32_t NfSession::LoanRoom() const {
  const uint32_t loans = loans_.load(std::memory_order_relaxed);
  return loans < geometry_.loans ? geometry_.loans - loans : 0;
}

// The first of the `n` packets, up to one that is not of our domain. The ring is published by the
// caller.
Passed NfSession::LendTo(ToNf& ring, Packet** packets, uint32_t n) {
  const NfBook book = domain_->book();
  const uint32_t owner = owner_;
  const ToNf::Slots slots = ring.slots();
  uint64_t bytes = 0;
  uint32_t lent = 0;
  for (; lent < n; ++lent) {
    Packet& packet = *packets[lent];
    if (!book.Has(packet)) [[unlikely]]
      break;
    const uint32_t buffer = book.BufferOf(packet);
    book.Lend(buffer, owner);
    bytes += packet.length();
    slots.Put(lent, {.buffer = buffer, .offset = packet.headroom(), .length = packet.length()});
  }
  if (lent == 0) return {};
  ring.Put(lent);
  loans_.fetch_add(lent, std::memory_order_relaxed);
  return {.packets = lent, .bytes = bytes};
}

Passed NfSession::Send(uint32_t queue, Packet** packets, uint32_t n) {
  SendLane& lane = send_lanes_[queue];
  if (violation() != NfViolation::kNone) return {};
  n = std::min({n, kBatchSize, LoanRoom()});
  const std::optional<uint32_t> room = lane.ring.Room(n);
  if (!room) {
    Break(NfViolation::kIndex);
    return {};
  }
  n = std::min(n, *room);
  Passed lent = LendTo(lane.ring, packets, n);
  if (lent.packets < n) [[unlikely]] {
    Packet** others = packets + lent.packets;
    const Passed more = LendTo(lane.ring, others, MakeOwn(others, n - lent.packets));
    lent = {.packets = lent.packets + more.packets, .bytes = lent.bytes + more.bytes};
  }
  if (lent.packets == 0) return {};
  lane.ring.Publish();
  if (lane.ring.WentToSleep()) Ring(lane.bell.ours);
  return lent;
}

uint32_t NfSession::Waiting(uint32_t queue) {
  const uint32_t slots = geometry_.to_nf_slots;
  const std::optional<uint32_t> room = send_lanes_[queue].ring.Room(slots);
  if (room) return slots - std::min({*room, LoanRoom(), slots});
  Break(NfViolation::kIndex);
  return 0;
}

// Puts copies in the place of packets that are not of our domain. Returns how many of the `n` are
// ready to be lent; those that cannot be are moved to the end.
uint32_t NfSession::MakeOwn(Packet** packets, uint32_t n) {
  const NfBook book = domain_->book();
  const auto is_foreign = [&book](Packet* packet) { return !book.Has(*packet); };
  const uint32_t size = geometry_.buffer_size;
  n = FitFirst(packets, n, [size](const Packet& packet) { return packet.total_length() <= size; });
  std::array<Packet*, kBatchSize> copies;
  if (!domain_->pool().Alloc(copies.data(), n, 0)) {
    return static_cast<uint32_t>(std::find_if(packets, packets + n, is_foreign) - packets);
  }
  uint32_t copied = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (!is_foreign(packets[i])) continue;
    Packet*& copy = copies[copied++];
    CopyBytes(*packets[i], *copy);
    std::swap(packets[i], copy);
  }
  FreePackets(copies.data(), copied);               // the originals
  FreePackets(copies.data() + copied, n - copied);  // what was not wanted
  counters_.copied.fetch_add(copied, std::memory_order_relaxed);
  return n;
}

// How many fresh buffers are lent at once: as soon as half of them are gone.
uint32_t NfSession::FreshBatch() const {
  return std::clamp(geometry_.fresh_slots / 2, uint32_t{1}, kBatchSize);
}

void NfSession::FillFresh(ToNf& fresh) {
  const uint32_t batch = FreshBatch();
  const std::optional<uint32_t> room = fresh.Room(batch);
  if (!room) return Break(NfViolation::kIndex);
  if (*room < batch || LoanRoom() < batch) return;
  std::array<Packet*, kBatchSize> packets;
  if (!domain_->pool().Alloc(packets.data(), batch, 0)) return;
  LendTo(fresh, packets.data(), batch);
  fresh.Publish();
}

// --- from the NF --------------------------------------------------------------------------------

Passed NfSession::Receive(uint32_t queue, Packet** packets, uint32_t max) {
  ReceiveLane& lane = receive_lanes_[queue];
  if (violation() != NfViolation::kNone) return {};
  const Passed sent = TakeBack(lane.ring, packets, std::min(max, kBatchSize));
  lane.taken.store(lane.ring.tail(), std::memory_order_relaxed);
  FillFresh(lane.fresh);
  return !isolated_ || CopyOut(packets, sent.packets) ? sent : Passed();
}

// One read takes all that the peer has rung. It does not wait, though the peer may have taken
// O_NONBLOCK off.
bool NfSession::Await(uint32_t queue) {
  ReceiveLane& lane = receive_lanes_[queue];
  if (violation() != NfViolation::kNone) return true;
  eventfd_t rings;
  const iovec into{.iov_base = &rings, .iov_len = sizeof(rings)};
  preadv2(lane.bell.get(), &into, 1, /*offset=*/-1, RWF_NOWAIT);
  return lane.ring.GoToSleep();
}

// Frees the buffers that the NF gave back, and returns what it sent. Each step is done for all
// descriptors before the next: short loops stay in registers.
Passed NfSession::TakeBack(FromNf& ring, Packet** packets, uint32_t max) {
  const std::optional<uint32_t> available = ring.Available();
  if (!available) Break(NfViolation::kIndex);
  const uint32_t n = std::min(available.value_or(0), max);
  if (n == 0) return {};
  DescriptorBurst descriptors{};
  ring.Take({descriptors.data(), n});
  const uint32_t taken = Accept(descriptors, n);
  ring.Release();
  loans_.fetch_sub(taken, std::memory_order_relaxed);
  return PacketsOf({descriptors.data(), taken}, packets);
}

// The packets that such descriptors name; what is empty is freed.
Passed NfSession::PacketsOf(absl::Span<const BessNfDescriptor> descriptors, Packet** packets) {
  const NfBook book = domain_->book();
  std::array<Packet*, kBatchSize> unused;
  Passed sent;
  uint32_t freed = 0;
  for (const auto [buffer, offset, length] : descriptors) {
    Packet* packet = book.PacketOf(buffer);
    packet->Reset(length, offset);
    if (length == 0) {
      unused[freed++] = packet;
    } else {
      packets[sent.packets++] = packet;
      sent.bytes += length;
    }
  }
  FreePackets(unused.data(), freed);
  return sent;
}

NfViolation NfSession::Judge(BessNfDescriptor descriptor) const {
  if (descriptor.buffer >= geometry_.buffers) return NfViolation::kBuffer;
  if (descriptor.length == 0) return NfViolation::kNone;
  const bool inside = uint32_t{descriptor.offset} + descriptor.length <= geometry_.buffer_size;
  return inside && descriptor.length >= BESS_NF_MIN_LENGTH ? NfViolation::kNone
                                                           : NfViolation::kBounds;
}

// Whether all of the first `n` descriptors name buffers that there are and bytes inside them; false
// also for some odd ones that break no rule. Several are judged at a time, without a branch.
bool NfSession::AreSound(const DescriptorBurst& descriptors, uint32_t n) const {
  const uint64_t last = geometry_.buffers - 1, size = geometry_.buffer_size;
  Words odd{};  // negative where a number would be
  for (uint32_t i = 0; i < n; i += kWords) {
    Words word;
    std::memcpy(&word, &descriptors[i], sizeof(word));
    const Words buffer = word & 0xffffffff, offset = word >> 32 & 0xffff, length = word >> 48;
    const Words short_but_not_empty = (length - BESS_NF_MIN_LENGTH) & ~(length - 1);
    odd |= (last - buffer) | (size - offset - length) | short_but_not_empty;
  }
  uint64_t any = 0;
  for (uint32_t i = 0; i < kWords; ++i) any |= odd[i];
  return static_cast<int64_t>(any) >= 0;
}

// How many there are up to the first that breaks a rule by itself.
uint32_t NfSession::SoundOnes(const DescriptorBurst& descriptors, uint32_t n) const {
  uint32_t sound = 0;
  while (sound < n && Judge(descriptors[sound]) == NfViolation::kNone) ++sound;
  return sound;
}

// Makes the buffers of the first `n` descriptors the switch's again, up to the first that breaks a
// rule, and returns how many those are.
uint32_t NfSession::Accept(const DescriptorBurst& descriptors, uint32_t n) {
  const NfBook book = domain_->book();
  const uint32_t owner = owner_;
  const bool contended = receive_lanes_.size() > 1;
  const uint32_t sound = AreSound(descriptors, n) ? n : SoundOnes(descriptors, n);
  uint32_t taken = 0;
  while (taken < sound && book.TakeBack(descriptors[taken].buffer, owner, contended)) ++taken;
  if (taken < n) [[unlikely]]
    Break(taken < sound ? NfViolation::kOwner : Judge(descriptors[taken]));
  return taken;
}

// Puts copies, which the NF cannot reach, in the place of its packets. False when there are no
// buffers for them: then they are freed.
bool NfSession::CopyOut(Packet** packets, uint32_t n) {
  if (n == 0) return true;
  std::array<Packet*, kBatchSize> copies;
  if (into_.pool().Alloc(copies.data(), n, 0)) {
    for (uint32_t i = 0; i < n; ++i) {
      CopyBytes(*packets[i], *copies[i]);
      std::swap(packets[i], copies[i]);
    }
    FreePackets(copies.data(), n);
    return true;
  }
  FreePackets(packets, n);
  counters_.no_buffers.fetch_add(n, std::memory_order_relaxed);
  return false;
}

}  // namespace bess
