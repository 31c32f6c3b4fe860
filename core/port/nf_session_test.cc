// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>

#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_join.h"
#include "core/base/chaos_testing.h"
#include "core/packet/segments.h"
#include "core/port/nf_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using testing_nf::RawPeer;
using testing_ports::Bytes;
using testing_ports::Frame;
using testing_ports::MakePackets;
using testing_ports::Pool;

class NfSessionTest : public testing::TestWithParam<bool> {
 protected:
  void Make(NfSessionOptions options = {.to_nf_slots = 16, .from_nf_slots = 32, .fresh_slots = 8}) {
    options.isolated = GetParam();
    options.alarm = alarm_.get();
    session_.reset();
    auto session = NfSession::Make(domain_, counters_, options);
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
    peer_ = RawPeer(session_->geometry(), session_->Descriptors());
  }
  void TearDown() override {
    session_.reset();
    EXPECT_EQ(Pool().in_use(), 0u) << "buffers were lost";
  }

  uint32_t Send(const std::vector<std::string>& bytes, uint32_t queue = 0) {
    std::vector<Packet*> packets = MakePackets(bytes);
    const auto n = static_cast<uint32_t>(packets.size());
    const Passed sent = session_->Send(queue, packets.data(), n);
    const auto end = bytes.begin() + sent.packets;
    EXPECT_EQ(sent.bytes, absl::StrJoin(bytes.begin(), end, "").size());
    FreePackets(packets.data() + sent.packets, n - sent.packets);
    return sent.packets;
  }
  std::vector<std::string> Receive(uint32_t queue = 0) {
    Packet* packets[kBatchSize];
    const Passed got = session_->Receive(queue, packets, kBatchSize);
    std::vector<std::string> bytes;
    for (uint32_t i = 0; i < got.packets; ++i) bytes.push_back(Bytes(*packets[i]));
    EXPECT_EQ(got.bytes, absl::StrJoin(bytes, "").size());
    FreePackets(packets, got.packets);
    return bytes;
  }
  std::string Seen(BessNfDescriptor d) { return {peer_.Bytes(d), d.length}; }

  FileDescriptor alarm_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  NfDomain domain_{Pool()};
  NfSessionCounters counters_;
  std::unique_ptr<NfSession> session_;
  RawPeer peer_;
};

TEST_P(NfSessionTest, PacketsGoThereAndBack) {
  Make();
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(Send({Frame(60, 'a'), Frame(1500, 'b')}), 2u);
    const std::vector<BessNfDescriptor> got = peer_.Take();
    ASSERT_THAT(got, SizeIs(2));
    EXPECT_EQ(Seen(got[0]), Frame(60, 'a'));
    EXPECT_EQ(Seen(got[1]), Frame(1500, 'b'));
    peer_.Give(got);
    EXPECT_THAT(Receive(), ElementsAre(Frame(60, 'a'), Frame(1500, 'b')));
  }
  EXPECT_EQ(session_->loans(), 8u) << "the fresh ones";
  EXPECT_EQ(counters_.copied, GetParam() ? 40u : 0u);
}

TEST_P(NfSessionTest, HeadersMayBePutBeforeAndTakenOff) {
  Make();
  ASSERT_EQ(Send({Frame(100, 'a')}), 1u);
  BessNfDescriptor d = peer_.Take()[0];
  d.offset = static_cast<uint16_t>(d.offset - 4);
  d.length = static_cast<uint16_t>(d.length + 4);
  std::memcpy(peer_.Bytes(d), "head", 4);
  peer_.Give({d});
  EXPECT_THAT(Receive(), ElementsAre("head" + Frame(100, 'a')));
}

// All of its buffer, headroom and tailroom, is the NF's to use.
TEST_P(NfSessionTest, WhatAnNfMakesMayFillItsBuffer) {
  Make();
  const uint32_t size = session_->geometry().buffer_size;
  ASSERT_EQ(size, uint32_t{kHeadroom} + kDefaultDataRoom);
  for (uint32_t offset = 0; offset < kHeadroom; ++offset) {
    for (uint32_t length = kDefaultDataRoom + 1; length <= size - offset; ++length) {
      ASSERT_EQ(Send({Frame(100)}), 1u);
      BessNfDescriptor d = peer_.Take()[0];
      d.offset = static_cast<uint16_t>(offset);
      d.length = static_cast<uint16_t>(length);
      const std::string frame = Frame(length, static_cast<char>('a' + offset % 26));
      std::memcpy(peer_.Bytes(d), frame.data(), frame.size());
      peer_.Give({d});
      ASSERT_THAT(Receive(), ElementsAre(frame)) << length << " bytes at " << offset;
    }
  }
  EXPECT_EQ(session_->violation(), NfViolation::kNone);
}

// The same to the NF, by a copy: from the domain to an isolated one, from elsewhere to any.
TEST_P(NfSessionTest, PacketsThatFillTheirBuffersAreCopiedWhole) {
  Make();
  const auto other = PacketPool::Create("plain", PacketPool::Kind::kPlain, 1024);
  ASSERT_TRUE(other.ok()) << other.status();
  for (PacketPool* pool : {&Pool(), other->get()}) {
    for (uint16_t headers = 1; headers <= kHeadroom; ++headers) {
      Packet* packet = nullptr;
      ASSERT_TRUE(pool->Alloc(&packet, 1, kDefaultDataRoom));
      ASSERT_NE(packet->Prepend(headers), nullptr);
      const std::string frame = Frame(packet->length());
      std::memcpy(packet->data(), frame.data(), frame.size());
      ASSERT_EQ(session_->Send(0, &packet, 1).packets, 1u) << headers;
      const BessNfDescriptor d = peer_.Take()[0];
      ASSERT_EQ(Seen(d), frame);
      ASSERT_LE(uint32_t{d.offset} + d.length, session_->geometry().buffer_size);
      peer_.Give({d});
      ASSERT_THAT(Receive(), ElementsAre(frame));
    }
  }
}

// What lies in several buffers becomes one, if that holds it.
TEST_P(NfSessionTest, ChainsAreCopiedWhole) {
  Make();
  const std::string fits = Frame(session_->geometry().buffer_size - 1);
  std::vector<Packet*> packets =
      MakePackets({Frame(60, 'a'), fits.substr(0, 1000), fits.substr(1000), Frame(60, 'b'),
                   Frame(2000), Frame(2000), Frame(60, 'c')});
  AddSegment(*packets[1], packets[2]);
  AddSegment(*packets[4], packets[5]);
  packets.erase(packets.begin() + 5);
  packets.erase(packets.begin() + 2);
  const Passed sent = session_->Send(0, packets.data(), 5);
  EXPECT_EQ(sent.packets, 4u);
  EXPECT_EQ(sent.bytes, fits.size() + 180);
  EXPECT_EQ(packets[4]->total_length(), 4000u) << "too long, so it is left behind the others";
  FreePackets(&packets[4], 1);
  const std::vector<BessNfDescriptor> got = peer_.Take();
  ASSERT_THAT(got, SizeIs(4));
  EXPECT_EQ(Seen(got[0]), Frame(60, 'a'));
  EXPECT_EQ(Seen(got[1]), fits);
  EXPECT_EQ(Seen(got[2]), Frame(60, 'b'));
  EXPECT_EQ(Seen(got[3]), Frame(60, 'c'));
}

TEST_P(NfSessionTest, FreshBuffersAreReadyAndRefilled) {
  Make();
  for (int round = 0; round < 10; ++round) {
    const std::vector<BessNfDescriptor> fresh = peer_.TakeFresh();
    ASSERT_THAT(fresh, SizeIs(8)) << "round " << round;
    for (BessNfDescriptor d : fresh) {
      d.length = 64;
      const std::string frame = Frame(64, static_cast<char>('a' + round));
      std::memcpy(peer_.Bytes(d), frame.data(), frame.size());
      peer_.Give({d});
    }
    EXPECT_THAT(Receive(), SizeIs(8));
    EXPECT_THAT(Receive(), SizeIs(0));
  }
}

TEST_P(NfSessionTest, BuffersGivenBackAreFreed) {
  Make();
  ASSERT_EQ(Send({Frame(60), Frame(60)}), 2u);
  for (BessNfDescriptor d : peer_.Take()) {
    d.length = 0;
    d.offset = 0xffff;
    peer_.Give({d});
  }
  EXPECT_THAT(Receive(), SizeIs(0));
  EXPECT_EQ(session_->violation(), NfViolation::kNone);
  EXPECT_EQ(session_->loans(), 8u);
}

TEST_P(NfSessionTest, AFullRingTakesNoMore) {
  Make();
  EXPECT_EQ(Send(std::vector<std::string>(20, Frame(60))), 16u);
  EXPECT_EQ(Send({Frame(60)}), 0u);
  EXPECT_THAT(peer_.Take(), SizeIs(16));
  EXPECT_EQ(Send({Frame(60)}), 1u);
}

TEST_P(NfSessionTest, AHoarderGetsNoMore) {
  Make();
  uint32_t sent = 0;
  for (int i = 0; i < 10; ++i) {
    sent += Send(std::vector<std::string>(16, Frame(60)));
    peer_.Take();
  }
  EXPECT_EQ(sent, 32u) << "a ring full, and as many again";
  EXPECT_EQ(session_->loans(), session_->geometry().loans);
}

TEST_P(NfSessionTest, ForeignPacketsAreCopied) {
  Make();
  const auto other = PacketPool::Create("plain", PacketPool::Kind::kPlain, 1024);
  ASSERT_TRUE(other.ok()) << other.status();
  Packet* packets[3];
  ASSERT_TRUE((*other)->Alloc(packets, 1, 0));
  ASSERT_TRUE(Pool().Alloc(packets + 1, 1, 0));
  ASSERT_TRUE((*other)->Alloc(packets + 2, 1, 0));
  for (Packet* packet : packets) std::memset(packet->Append(70), 'p', 70);
  ASSERT_EQ(session_->Send(0, packets, 3).packets, 3u);
  for (const BessNfDescriptor d : peer_.Take()) EXPECT_EQ(Seen(d), std::string(70, 'p'));
  EXPECT_EQ(counters_.copied, GetParam() ? 3u : 2u);
  EXPECT_EQ((*other)->in_use(), 0u);
}

TEST_P(NfSessionTest, ASleeperIsRungOnce) {
  Make();
  const int bell = session_->Descriptors()[BESS_NF_FIXED_DESCRIPTORS];
  char byte[8];
  ASSERT_EQ(Send({Frame(60)}), 1u);
  EXPECT_LT(recv(bell, byte, 8, MSG_DONTWAIT), 0) << "it is awake";
  peer_.ours().Store(
      bess_nf_to_nf_consumer(&peer_.geometry(), 0) + offsetof(BessNfConsumerPart, sleeps), 1u);
  ASSERT_EQ(Send({Frame(60)}), 1u);
  ASSERT_EQ(Send({Frame(60)}), 1u);
  EXPECT_EQ(recv(bell, byte, 8, MSG_DONTWAIT), 1);
}

// The switch asks to be rung for what comes after it has found nothing.
TEST_P(NfSessionTest, TheSwitchSaysThatItSleeps) {
  Make();
  const uint64_t part = bess_nf_from_nf_consumer(&peer_.geometry(), 0);
  const auto sleeps = [&] {
    return peer_.theirs().Load<uint32_t>(part + offsetof(BessNfConsumerPart, sleeps));
  };
  EXPECT_EQ(sleeps(), 1u) << "for the first packet of all";
  EXPECT_TRUE(session_->Await(0));
  EXPECT_EQ(sleeps(), 2u);
  ASSERT_EQ(Send({Frame(60)}), 1u);
  peer_.Give(peer_.Take());
  EXPECT_FALSE(session_->Await(0)) << "something came before";
  EXPECT_THAT(Receive(), SizeIs(1));
  EXPECT_TRUE(session_->Await(0));
}

// What a peer rings in vain costs one read each time the switch goes to sleep; and it never makes
// the switch wait, though the bell's flags are the peer's, too.
TEST_P(NfSessionTest, APeerMayRingAsMuchAsItLikes) {
  Make();
  const int bell = session_->Descriptors()[BESS_NF_FIXED_DESCRIPTORS + 1];
  const auto can_be_read = [&] {
    pollfd ours = {.fd = session_->bell(0), .events = POLLIN, .revents = 0};
    return poll(&ours, 1, 0) == 1;
  };
  ASSERT_EQ(fcntl(bell, F_SETFL, 0), 0);
  for (const uint64_t rings : {uint64_t{1}, uint64_t{100}, ~uint64_t{1}}) {
    EXPECT_TRUE(session_->Await(0)) << "nobody rang";
    ASSERT_EQ(eventfd_write(bell, rings), 0);
    EXPECT_TRUE(can_be_read());
    EXPECT_TRUE(session_->Await(0));
    EXPECT_FALSE(can_be_read()) << rings << " rings are one";
  }
  EXPECT_THAT(Receive(), SizeIs(0));
  EXPECT_EQ(session_->violation(), NfViolation::kNone);
}

// A file that the switch would have to close could hold up the worker that does.
TEST_P(NfSessionTest, NothingCanBePassedByADoorbell) {
  Make({.to_nf_queues = 2, .from_nf_queues = 2, .to_nf_slots = 16, .from_nf_slots = 16});
  const std::vector<int> all = session_->Descriptors();
  const uint64_t ring = 1;
  for (size_t i = BESS_NF_FIXED_DESCRIPTORS; i < all.size(); ++i) {
    for (const std::vector<int>& passed : {std::vector<int>{STDERR_FILENO}, std::vector<int>{}}) {
      EXPECT_LT(bessnf_testing::SendWithDescriptors(all[i], &ring, sizeof(ring), passed), 0);
      EXPECT_EQ(errno, i < BESS_NF_FIXED_DESCRIPTORS + 2 ? EPIPE : ENOTSOCK);
    }
  }
}

TEST_P(NfSessionTest, QueuesAreApartAndBuffersMayChangeQueues) {
  Make({.to_nf_queues = 3, .from_nf_queues = 2, .to_nf_slots = 16, .from_nf_slots = 16});
  ASSERT_THAT(session_->Descriptors(), SizeIs(3 + 3 + 2));
  for (uint32_t q = 0; q < 3; ++q) {
    const std::string frame = Frame(60, static_cast<char>('a' + q));
    ASSERT_EQ(Send({frame}, q), 1u);
    const std::vector<BessNfDescriptor> got = peer_.Take(q);
    ASSERT_THAT(got, SizeIs(1));
    peer_.Give(got, q % 2);
    EXPECT_THAT(Receive(q % 2), ElementsAre(frame));
  }
}

// What a peer may do wrong, one at a time; whatever was right before it is still delivered.
TEST_P(NfSessionTest, BrokenRulesEndTheSession) {
  struct Case {
    NfViolation violation;
    std::function<void(RawPeer&, BessNfDescriptor)> crime;
  };
  const auto give = [](auto change) {
    return [change](RawPeer& peer, BessNfDescriptor d) {
      change(d);
      peer.Give({d});
    };
  };
  const Case cases[] = {
      {NfViolation::kBuffer, give([](auto& d) { d.buffer = 1u << 31; })},
      {NfViolation::kOwner,
       [](RawPeer& p, BessNfDescriptor d) {
         std::set<uint32_t> own{d.buffer};
         for (const BessNfDescriptor fresh : p.TakeFresh()) own.insert(fresh.buffer);
         while (own.contains(d.buffer)) d.buffer = (d.buffer + 1) % p.geometry().buffers;
         p.Give({d});
       }},
      {NfViolation::kBounds, give([](auto& d) { d.length = 13; })},
      {NfViolation::kBounds, give([](auto& d) { d.length = 0xffff; })},
      {NfViolation::kBounds, give([](auto& d) { d.offset = 0xffff; })},
      {NfViolation::kBounds, give([](auto& d) { d.length = 2176, d.offset = 1; })},
      {NfViolation::kOwner,
       [](RawPeer& p, BessNfDescriptor d) {
         p.Give({d, d});
       }},
      {NfViolation::kIndex,
       [](RawPeer& p, BessNfDescriptor) {
         p.ours().Store(bess_nf_from_nf_producer(&p.geometry(), 0), 34u);
       }},
      {NfViolation::kIndex,
       [](RawPeer& p, BessNfDescriptor) {
         p.ours().Store(bess_nf_fresh_consumer(&p.geometry(), 0), 9u);
       }},
  };
  for (const Case& c : cases) {
    Make();
    ASSERT_EQ(Send({Frame(60, 'a'), Frame(60, 'b')}), 2u);
    const std::vector<BessNfDescriptor> got = peer_.Take();
    peer_.Give({got[0]});
    EXPECT_THAT(Receive(), ElementsAre(Frame(60, 'a')));
    c.crime(peer_, got[1]);
    Receive();
    EXPECT_EQ(session_->violation(), c.violation) << ViolationText(c.violation);
    eventfd_t alarms = 0;
    EXPECT_EQ(eventfd_read(alarm_.get(), &alarms), 0);
    EXPECT_EQ(Send({Frame(60)}), 0u);
    EXPECT_THAT(Receive(), SizeIs(0));
  }
}

TEST_P(NfSessionTest, ATailAheadOfTheRingEndsTheSession) {
  Make();
  peer_.ours().Store(bess_nf_to_nf_consumer(&peer_.geometry(), 0), 1u);
  Send(std::vector<std::string>(16, Frame(60)));
  peer_.ours().Store(bess_nf_to_nf_consumer(&peer_.geometry(), 0), 17u);
  EXPECT_EQ(Send({Frame(60)}), 0u);
  EXPECT_EQ(session_->violation(), NfViolation::kIndex);
}

TEST_P(NfSessionTest, KnowsWhatWaitsInItsRings) {
  Make({.from_nf_queues = 2, .to_nf_slots = 16, .from_nf_slots = 16});
  EXPECT_TRUE(session_->Drained());
  ASSERT_EQ(Send({Frame(60), Frame(60), Frame(60)}), 3u);
  std::vector<BessNfDescriptor> got = peer_.Take();
  got[2].length = 0;
  peer_.Give({got[0]}, 0);
  peer_.Give({got[1], got[2]}, 1);
  EXPECT_FALSE(session_->Drained());
  EXPECT_THAT(Receive(0), SizeIs(1));
  EXPECT_FALSE(session_->Drained());
  session_->CountUnreceived();
  EXPECT_EQ(counters_.unreceived, 1u) << "the other one is a buffer given back";
}

// One that fills its ring for ever, or lies about it, keeps nobody busy.
TEST_P(NfSessionTest, WhatWaitsIsNoMoreThanTheRingHolds) {
  Make({.to_nf_slots = 16, .from_nf_slots = 16});
  const uint64_t head = bess_nf_from_nf_producer(&peer_.geometry(), 0);
  for (uint32_t i = 0; i < 16; ++i) {
    peer_.ours().Store(head + SlotOffset(i, 16), ~uint64_t{0});
  }
  peer_.ours().Store(head, 17u);
  EXPECT_FALSE(session_->Drained());
  session_->CountUnreceived();
  EXPECT_EQ(counters_.unreceived, 0u) << "a lie";
  std::atomic<bool> stop{false};
  std::thread filler([&] {
    for (uint32_t i = 1; !stop; ++i) peer_.ours().Store(head, i);
  });
  session_->CountUnreceived();
  stop = true;
  filler.join();
  EXPECT_LE(counters_.unreceived, 16u);
}

TEST_P(NfSessionTest, SwitchMemoryCannotBeWrittenByThePeer) {
  Make();
  const int fd = session_->Descriptors()[1];
  EXPECT_EQ(testing_nf::Mapping(fd).start(), nullptr);
}

// What was delivered from an isolated NF, it cannot change any more; a trusted one may.
TEST_P(NfSessionTest, DeliveredPacketsAreOutOfAnIsolatedPeersReach) {
  Make();
  ASSERT_EQ(Send({Frame(60, 'a')}), 1u);
  const BessNfDescriptor d = peer_.Take()[0];
  peer_.Give({d});
  Packet* packet = nullptr;
  ASSERT_EQ(session_->Receive(0, &packet, 1).packets, 1u);
  std::memset(peer_.data().start(), 'z', peer_.data().size());
  EXPECT_EQ(Bytes(*packet), GetParam() ? Frame(60, 'a') : std::string(60, 'z'));
  FreePackets(&packet, 1);
}

TEST_P(NfSessionTest, AnIsolatedPeerSeesNothingOfTheDomain) {
  const std::string secret = "what others must not read";
  std::vector<Packet*> others = MakePackets({Frame(200) + secret});
  Make();
  ASSERT_EQ(Send({Frame(60, 'a')}), 1u);
  const std::string_view all(peer_.data().start(), peer_.data().size());
  EXPECT_EQ(all.find(secret) == all.npos, GetParam());
  FreePackets(others.data(), 1);
}

// A peer that writes whatever it likes, wherever it can, for a long time.
TEST_P(NfSessionTest, ChaosInMemory) {
  const uint64_t limit = Chaos(20'000, 100'000'000);
  const uint64_t rarely = Chaos(512, 16'384);  // a session that ends is slow to make anew
  std::mt19937_64 random(1);
  uint64_t sessions = 0;
  for (uint64_t done = 0; done < limit;) {
    Make();
    ASSERT_FALSE(HasFatalFailure());
    const auto noise = [&] { return static_cast<uint32_t>(random()); };
    while (session_->violation() == NfViolation::kNone && done < limit) {
      Send(std::vector<std::string>(random() % 8, Frame(60)));
      std::vector<BessNfDescriptor> got = random() % 2 ? peer_.Take() : peer_.TakeFresh();
      for (BessNfDescriptor& d : got) {
        if (random() % rarely == 0) d.length = static_cast<uint16_t>(noise());
        if (random() % rarely == 0) d.offset = static_cast<uint16_t>(noise());
        if (random() % rarely == 0) d.buffer = noise() % (2 * peer_.geometry().buffers);
      }
      if (random() % rarely == 0 && !got.empty()) got.push_back(got[0]);
      peer_.Give(got);
      done += got.size() + 1;
      if (random() % (rarely / 2) == 0)
        peer_.ours().Store<uint32_t>(random() % 128 / 4 * 4, noise());
      Receive();
    }
    ++sessions;
  }
  std::cout << "chaos: " << limit << " hostile descriptors, in " << sessions << " sessions\n";
}

INSTANTIATE_TEST_SUITE_P(Modes, NfSessionTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Isolated" : "Trusted"; });

}  // namespace
}  // namespace bess
