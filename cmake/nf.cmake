# SPDX-License-Identifier: Apache-2.0
#
# What network functions link: C alone, compiled for any CPU of the kind, since it is installed.
include(GNUInstallDirs)

file(GLOB nf_sources CONFIGURE_DEPENDS nf/*.c)
file(GLOB nf_tests CONFIGURE_DEPENDS nf/*_test.cc)
file(GLOB nf_examples CONFIGURE_DEPENDS nf/examples/*.c nf/examples/*.cc)

add_library(nf_rules INTERFACE)
target_compile_options(nf_rules INTERFACE -Wall -Wextra -Wshadow -Werror ${sanitize_flags})
target_link_options(nf_rules INTERFACE ${sanitize_flags})
target_include_directories(nf_rules INTERFACE ${CMAKE_SOURCE_DIR})

add_library(bessnf SHARED ${nf_sources})
set_target_properties(bessnf PROPERTIES C_STANDARD 11 C_VISIBILITY_PRESET hidden SOVERSION 1
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/nf)
target_compile_options(bessnf PRIVATE -O3)
target_link_libraries(bessnf PRIVATE nf_rules)
target_include_directories(bessnf PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)

set(nf_programs)
foreach(source ${nf_examples})
  cmake_path(GET source STEM name)
  add_executable(nf_${name} ${source})
  set_target_properties(nf_${name} PROPERTIES OUTPUT_NAME ${name} C_STANDARD 11
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/nf)
  target_link_libraries(nf_${name} PRIVATE bessnf nf_rules)
  list(APPEND nf_programs nf_${name})
endforeach()
add_custom_target(nf_examples DEPENDS ${nf_programs})

add_executable(nf_victim tests/nf/victim.c)
target_link_libraries(nf_victim PRIVATE bessnf nf_rules)

if(nf_tests)
  test_program(nf_test ${nf_tests})
  target_link_libraries(nf_test PRIVATE bessnf house_rules Threads::Threads)
endif()

set(BESS_NF_LIBRARY_VERSION 1.0.0)
file(RELATIVE_PATH BESS_NF_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(nf/bessnf.pc.in ${CMAKE_BINARY_DIR}/nf/bessnf.pc @ONLY)
install(TARGETS bessnf LIBRARY COMPONENT nf)
install(FILES nf/bessnf.h nf/bessnf_cxx.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bess/nf
        COMPONENT nf)
install(FILES nf/bessnf.py DESTINATION ${CMAKE_INSTALL_DATADIR}/bess/python COMPONENT nf)
install(FILES ${CMAKE_BINARY_DIR}/nf/bessnf.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT nf)
