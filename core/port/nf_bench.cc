// SPDX-License-Identifier: Apache-2.0
//
// A network function at the other end of whatever there is, as fast as can be: it sends back what
// comes, and looks again at once.
//
//   port_bench ring CORE IN_FLIGHT SECONDS OTHER_CORE   the yardstick: another thread sends back
//                                                       too, through two rte_rings of pointers
//   port_bench nf CORE IN_FLIGHT SECONDS SOCKET         at an NFPort
//   port_bench kernel CORE IN_FLIGHT SECONDS DEVICE     a raw socket at a network device
//   port_bench attach CORE TIMES SOCKET                 attaches and waits for a packet
//   port_bench chain CORE SECONDS SOCKET...             all at once, each passes its packets on
//
// Prints packets a second that come round; with one in flight, one by that is the time there and
// back. Of many short stretches the best tenth counts, so that what else the machine does stays out
// of the figure. `attach` prints the median of the milliseconds to the first packet, `chain`
// packets a second that the last one passed on.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <rte_ring.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/types/span.h"
#include "core/base/clock.h"
#include "core/packet/batch.h"
#include "nf/bessnf.h"

namespace bess {
namespace {

constexpr uint32_t kFrame = 60;            // bytes; 64 with the checksum
constexpr uint32_t kRingSlots = 1024;      // as many as a port has
constexpr double kStretchSeconds = 0.001;  // short enough to fall between two others' time slices
constexpr double kSilenceSeconds = 0.2;    // after it packets are lost and made anew

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "port_bench: " << what << "\n";
  std::exit(1);
}

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (sched_setaffinity(0, sizeof(cores), &cores) != 0) Fail("cannot run on this core");
}

template <typename T>
T Best(std::vector<T> values, double part) {
  const auto at =
      values.begin() + static_cast<ptrdiff_t>(static_cast<double>(values.size()) * part);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Packets a second through `exchange`, which says how many packets it has moved.
template <typename Exchange>
double Rate(double seconds, Exchange exchange) {
  constexpr int kExchanges = 16;  // from one look at the clock to the next
  const auto stretch = static_cast<uint64_t>(CyclesPerSecond() * kStretchSeconds);
  std::vector<double> rates;
  uint64_t start = Cycles();
  const uint64_t end = start + static_cast<uint64_t>(CyclesPerSecond() * seconds);
  for (uint64_t packets = 0; start < end;) {
    for (int i = 0; i < kExchanges; ++i) packets += exchange();
    const uint64_t now = Cycles();
    if (now - start < stretch) continue;
    rates.push_back(static_cast<double>(packets) / static_cast<double>(now - start));
    start = now;
    packets = 0;
  }
  return CyclesPerSecond() * Best(std::move(rates), 0.9);
}

// --- rings --------------------------------------------------------------------------------------

class Ring {
 public:
  Ring() : memory_(std::aligned_alloc(RTE_CACHE_LINE_SIZE, rte_ring_get_memsize(kRingSlots))) {
    if (rte_ring_init(ring(), "bench", kRingSlots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
      Fail("cannot make a ring");
    }
  }
  rte_ring* ring() { return static_cast<rte_ring*>(memory_.get()); }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
};

uint32_t Move(Ring& from, Ring& to) {
  std::array<void*, kBatchSize> pointers;
  const unsigned n = rte_ring_sc_dequeue_burst(from.ring(), pointers.data(), kBatchSize, nullptr);
  return rte_ring_sp_enqueue_burst(to.ring(), pointers.data(), n, nullptr);
}

double RingRate(uint32_t in_flight, double seconds, int other_core) {
  Ring there;
  Ring back;
  std::vector<void*> pointers(in_flight, &there);
  if (rte_ring_sp_enqueue_burst(there.ring(), pointers.data(), in_flight, nullptr) != in_flight) {
    Fail("so many packets are not in flight");
  }
  std::atomic<bool> stop{false};
  std::thread other([&] {
    PinTo(other_core);
    while (!stop.load(std::memory_order_relaxed)) Move(there, back);
  });
  const double rate = Rate(seconds, [&] { return Move(back, there); });
  stop = true;
  other.join();
  return rate;
}

// --- the switch ---------------------------------------------------------------------------------

BessNf* Attach(const char* socket, uint32_t fresh) {
  const BessNfOptions options{.name = "bench", .fresh = fresh};
  BessNf* nf = bess_nf_attach(socket, &options);
  if (nf == nullptr) Fail(bess_nf_error());
  return nf;
}

// As the switch makes fresh buffers ready little by little, so the packets start.
void Launch(BessNf* nf, uint32_t in_flight) {
  while (in_flight > 0) {
    BessNfPacket packet;
    if (bess_nf_alloc(nf, 0, &packet, 1) == 0) continue;
    std::memset(bess_nf_append(nf, &packet, kFrame), 0, kFrame);
    in_flight -= bess_nf_send(nf, 0, &packet, 1);
  }
}

double NfRate(uint32_t in_flight, double seconds, const char* socket) {
  BessNf* nf = Attach(socket, in_flight);
  Launch(nf, in_flight);
  const double rate = Rate(seconds, [&] {
    std::array<BessNfPacket, kBatchSize> packets;
    const int n = bess_nf_receive(nf, 0, packets.data(), kBatchSize);
    if (n < 0) Fail("the switch is gone");
    return bess_nf_send(nf, 0, packets.data(), static_cast<uint32_t>(n));
  });
  bess_nf_detach(nf);
  return rate;
}

double AttachMilliseconds(uint32_t times, const char* socket) {
  std::vector<double> all;
  for (uint32_t i = 0; i < times; ++i) {
    const uint64_t start = Cycles();
    BessNf* nf = Attach(socket, 0);
    BessNfPacket packet;
    while (bess_nf_receive(nf, 0, &packet, 1) == 0) {
    }
    all.push_back(1e3 * static_cast<double>(Cycles() - start) / CyclesPerSecond());
    bess_nf_detach(nf);
  }
  return Best(std::move(all), 0.5);
}

// A network function of a chain. It keeps what the switch does not take until it does.
class Link {
 public:
  explicit Link(const std::string& socket) : nf_(Attach(socket.c_str(), 0)) {}

  // How many packets it has passed on.
  uint32_t Pass() {
    if (next_ == end_) {
      const int n = bess_nf_receive(nf_.get(), 0, packets_.data(), kBatchSize);
      if (n < 0) Fail("the switch is gone");
      next_ = 0;
      end_ = static_cast<uint32_t>(n);
    }
    const uint32_t sent = bess_nf_send(nf_.get(), 0, packets_.data() + next_, end_ - next_);
    next_ += sent;
    return sent;
  }
  // Leaves the core to others until it could pass something on, or for a while.
  void Rest() {
    constexpr int kMilliseconds = 10;
    if (next_ == end_) {
      bess_nf_wait(nf_.get(), 0, kMilliseconds);
    } else {
      sched_yield();
    }
  }

 private:
  struct Detach {
    void operator()(BessNf* nf) const { bess_nf_detach(nf); }
  };
  std::unique_ptr<BessNf, Detach> nf_;
  std::array<BessNfPacket, kBatchSize> packets_;
  uint32_t next_ = 0, end_ = 0;  // of the packets it still has
};

// Several share a core with nobody; one may share it with others, which run while it rests.
double ChainRate(double seconds, absl::Span<const std::string> sockets) {
  std::deque<Link> links;
  for (const std::string& socket : sockets) links.emplace_back(socket);
  return Rate(seconds, [&] {
    uint32_t last = 0, all = 0;
    for (Link& link : links) all += last = link.Pass();
    if (all == 0 && links.size() == 1) links.front().Rest();
    return last;
  });
}

// --- the kernel ---------------------------------------------------------------------------------

int OpenRaw(const char* device) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(device));
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Fail(std::string("cannot open a raw socket at ") + device + ": " + std::strerror(errno));
  }
  return fd;
}

double KernelRate(uint32_t in_flight, double seconds, const char* device) {
  const int fd = OpenRaw(device);
  std::array<char, 2048> frame{};
  const auto silence = static_cast<uint64_t>(CyclesPerSecond() * kSilenceSeconds);
  uint64_t heard = 0;
  const double rate = Rate(seconds, [&]() -> uint32_t {
    const ssize_t length = recv(fd, frame.data(), frame.size(), 0);
    if (length > 0) {
      heard = Cycles();
      return send(fd, frame.data(), static_cast<size_t>(length), 0) == length;
    }
    if (Cycles() - heard < silence) return 0;
    heard = Cycles();
    for (uint32_t i = 0; i < in_flight; ++i) send(fd, frame.data(), kFrame, 0);
    return 0;
  });
  close(fd);
  return rate;
}

template <typename T>
T Number(const std::string& word) {
  T number{};
  if (std::from_chars(word.data(), word.data() + word.size(), number).ec != std::errc()) {
    Fail("'" + word + "' is no number");
  }
  return number;
}

double Measure(const std::vector<std::string>& words) {
  PinTo(Number<int>(words[1]));
  if (words[0] == "chain") {
    return ChainRate(Number<double>(words[2]), absl::MakeSpan(words).subspan(3));
  }
  const auto many = Number<uint32_t>(words[2]);
  const char* where = words.back().c_str();
  if (words[0] == "attach") return AttachMilliseconds(many, where);
  const auto seconds = Number<double>(words[3]);
  if (words[0] == "ring") return RingRate(many, seconds, Number<int>(where));
  if (words[0] == "nf") return NfRate(many, seconds, where);
  return KernelRate(many, seconds, where);
}

}  // namespace
}  // namespace bess

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4) bess::Fail("what is to be measured? nf_bench.cc says what there is");
  std::cout << bess::Measure(words) << "\n";
}
