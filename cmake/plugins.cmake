# SPDX-License-Identifier: Apache-2.0
#
# Plugins: each directory of bess_plugin() becomes build/<mode>/modules/<directory's name>.so.

# What a plugin is compiled against, as one string that daemon and plugin both carry.
set(plugin_abi ${CMAKE_BINARY_DIR}/generated/plugin_abi.h)
file(GLOB abi_files CONFIGURE_DEPENDS core/base/*.h core/packet/*.h core/tc/*.h core/graph/*.h
     core/match/*.h core/port/*.h)
list(FILTER abi_files EXCLUDE REGEX "_test(ing|er)\\.h$")
list(APPEND abi_files ${proto_files})
list(JOIN abi_files "," abi_names)
set(abi_command ${CMAKE_COMMAND} -DOUT=${plugin_abi}
    "-DTEXT=${CMAKE_CXX_COMPILER_VERSION} ${DPDK_VERSION} ${Protobuf_VERSION} ${CMAKE_BUILD_TYPE} ${SANITIZE} ${PORTABLE}"
    -DVERSION_FILE=${CMAKE_SOURCE_DIR}/core/control/version.h -DFILES=${abi_names}
    -P ${CMAKE_SOURCE_DIR}/cmake/plugin_abi.cmake)
add_custom_command(OUTPUT ${plugin_abi} COMMAND ${abi_command} VERBATIM
                   DEPENDS ${abi_files} core/control/version.h cmake/plugin_abi.cmake)
add_custom_target(plugin_abi DEPENDS ${plugin_abi})
if(NOT EXISTS ${plugin_abi})  # linters read sources that nobody has built yet
  execute_process(COMMAND ${abi_command} COMMAND_ERROR_IS_FATAL ANY)
endif()
set_source_files_properties(core/control/plugin_file.cc PROPERTIES
  COMPILE_OPTIONS "-include;${plugin_abi}" OBJECT_DEPENDS ${plugin_abi})

# hosts_plugins(<program>): the program has, and shows to plugins, all that they may call.
function(hosts_plugins program)
  set(rooms base packet tc graph match sched port observe control protos)
  list(JOIN rooms "," rooms)
  set_target_properties(${program} PROPERTIES ENABLE_EXPORTS ON
                        LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,${rooms}")
endfunction()

# plugin_messages(<name> <directory> <protos>...): the plugin's messages as a library of their own.
# protobuf knows no way to forget a message, so this library stays when the plugin goes; its name
# says what is in it, and the plugin's note what it needs.
function(plugin_messages name directory)
  set(out ${CMAKE_BINARY_DIR}/plugins/${name})
  file(MAKE_DIRECTORY ${out})
  set(sources)
  set(all)
  set(stated)
  foreach(file ${ARGN})
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${directory} OUTPUT_VARIABLE relative)
    string(REGEX REPLACE "\\.proto$" "" stem ${relative})
    add_custom_command(OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h DEPENDS ${file} VERBATIM
      COMMAND protobuf::protoc -I ${directory} -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} ${file})
    list(APPEND sources ${out}/${stem}.pb.cc)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(SHA256 ${file} hash)
    string(SUBSTRING ${hash} 0 16 hash)
    string(APPEND all ${hash})
    string(APPEND stated "${relative}@${hash} ")
  endforeach()
  string(SHA256 hash "${all}")
  string(SUBSTRING ${hash} 0 16 hash)
  add_library(${name}_messages SHARED ${sources})
  set_target_properties(${name}_messages PROPERTIES
    PREFIX "" OUTPUT_NAME ${name}-${hash} SUFFIX .messages
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules COMPILE_OPTIONS "-O1;-w")
  target_include_directories(${name}_messages SYSTEM PUBLIC ${out})
  target_link_libraries(${name}_messages PUBLIC protobuf::libprotobuf)
  target_link_options(${name}_messages PRIVATE -Wl,-z,nodelete)
  add_dependencies(${name}_messages protos)
  target_include_directories(${name}_messages SYSTEM PRIVATE ${proto_out})
  target_link_libraries(${name} PRIVATE ${name}_messages)
  target_compile_definitions(${name} PRIVATE BESS_PLUGIN_MESSAGES="${stated}")
endfunction()

# bess_plugin(<directory>): its *.cc and *.proto make one plugin. What they use of the daemon is the
# daemon's; -fno-gnu-unique lets the plugin be unloaded.
function(bess_plugin directory)
  cmake_path(ABSOLUTE_PATH directory NORMALIZE)
  string(REGEX REPLACE "/$" "" directory ${directory})
  cmake_path(GET directory FILENAME name)
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  file(GLOB_RECURSE protos CONFIGURE_DEPENDS ${directory}/*.proto)
  add_library(${name} MODULE ${sources})
  set_target_properties(${name} PROPERTIES PREFIX "" BUILD_RPATH "$ORIGIN"
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${plugin_abi})
  target_compile_options(${name} PRIVATE -fno-gnu-unique "SHELL:-include ${plugin_abi}")
  target_include_directories(${name} SYSTEM PRIVATE ${proto_out})
  target_link_libraries(${name} PRIVATE house_rules dpdk abseil protobuf::libprotobuf)
  add_dependencies(${name} protos plugin_abi)
  if(protos)
    plugin_messages(${name} ${directory} ${protos})
  endif()
endfunction()
