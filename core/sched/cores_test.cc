// SPDX-License-Identifier: Apache-2.0
#include "core/sched/cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <latch>
#include <thread>

namespace bess {
namespace {

std::vector<int> CoresOf(pid_t thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(thread, sizeof(set), &set), 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

// A thread that does nothing until the end.
class Bystander {
 public:
  Bystander() : thread_([this] { Run(); }) { started_.wait(); }
  ~Bystander() {
    end_.count_down();
    thread_.join();
  }
  pid_t id() const { return id_; }

 private:
  void Run() {
    id_ = gettid();
    started_.count_down();
    end_.wait();
  }

  pid_t id_ = 0;
  std::latch started_{1}, end_{1};
  std::thread thread_;
};

class CoresTest : public testing::Test {
 protected:
  ~CoresTest() override { KeepOff({}, {}); }

  const std::vector<int> all_ = AllowedCores();
};

TEST_F(CoresTest, AllowedAreThoseOfTheProcess) { EXPECT_EQ(CoresOf(0), all_); }

TEST_F(CoresTest, EverybodyButWorkersStaysOffWhatIsTaken) {
  if (all_.size() < 2) return;  // the next test has that
  const Bystander worker, other;
  const int taken = all_.back();
  KeepOff({taken}, {worker.id()});
  const std::vector<int> rest(all_.begin(), all_.end() - 1);
  EXPECT_EQ(CoresOf(0), rest);
  EXPECT_EQ(CoresOf(other.id()), rest);
  EXPECT_EQ(CoresOf(worker.id()), all_);
  EXPECT_EQ(CoresOf(Bystander().id()), rest) << "who is made later";
  EXPECT_EQ(AllowedCores(), all_);
  KeepOff({}, {worker.id()});
  EXPECT_EQ(CoresOf(other.id()), all_);
}

TEST_F(CoresTest, WhereAllIsTakenNobodyIsKeptOff) {
  const Bystander other;
  KeepOff({all_.begin(), all_.end()}, {});
  EXPECT_EQ(CoresOf(other.id()), all_);
}

}  // namespace
}  // namespace bess
