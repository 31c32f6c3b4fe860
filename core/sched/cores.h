// SPDX-License-Identifier: Apache-2.0
//
// Which CPUs workers may have, and that everybody else stays off those they have: a control thread
// that the kernel puts beside a worker keeps packets waiting for milliseconds.
#pragma once

#include <sys/types.h>

#include <set>
#include <vector>

namespace bess {

// The CPUs this process could run on when somebody asked first, in increasing order.
const std::vector<int>& AllowedCores();

// Keeps all threads of the process, but for `workers`, off the CPUs that are `taken`; if those are
// all there are, nobody is kept off any. Threads made later inherit it from who makes them.
void KeepOff(const std::set<int>& taken, const std::set<pid_t>& workers);

}  // namespace bess
