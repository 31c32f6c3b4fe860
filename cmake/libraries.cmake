# SPDX-License-Identifier: Apache-2.0
#
# The libraries of Debian 12 that bessd stands on.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)

add_library(abseil INTERFACE)
target_link_libraries(abseil INTERFACE absl::status absl::statusor absl::strings absl::flat_hash_map
                      absl::synchronization absl::span Threads::Threads)

# Debian's libdpdk.pc carries -march=corei7. Behind our own -march it would win and turn AVX off
# without a word, so it is taken out; DPDK's headers need SSE4.2, which every mode has.
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(DPDK REQUIRED libdpdk)
set(dpdk_flags ${DPDK_CFLAGS_OTHER})
list(FILTER dpdk_flags EXCLUDE REGEX "^-march=")
string(REPLACE "-include;rte_config.h" "-includerte_config.h" dpdk_flags "${dpdk_flags}")
add_library(dpdk INTERFACE)
target_compile_options(dpdk INTERFACE ${dpdk_flags})
target_include_directories(dpdk SYSTEM INTERFACE ${DPDK_INCLUDE_DIRS})
target_link_libraries(dpdk INTERFACE ${DPDK_LIBRARIES})

pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(NETLINK REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
