# SPDX-License-Identifier: Apache-2.0
#
# Everything below proto/ becomes C++ under build/<mode>/proto. The generated code carries none of
# the mode's flags: it compiles once and ccache serves every mode.
file(GLOB_RECURSE proto_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/*.proto)
set(proto_out ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${proto_out})
set(grpc_sources)
set(message_sources)
foreach(file ${proto_files})
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/proto OUTPUT_VARIABLE relative)
  string(REGEX REPLACE "\\.proto$" "" stem ${relative})
  set(outputs ${proto_out}/${stem}.pb.cc ${proto_out}/${stem}.pb.h)
  set(plugin)
  file(STRINGS ${file} services REGEX "^service ")
  if(services)
    list(APPEND outputs ${proto_out}/${stem}.grpc.pb.cc ${proto_out}/${stem}.grpc.pb.h)
    set(plugin --grpc_out=${proto_out}
        --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    list(APPEND grpc_sources ${proto_out}/${stem}.pb.cc ${proto_out}/${stem}.grpc.pb.cc)
  else()
    list(APPEND message_sources ${proto_out}/${stem}.pb.cc)
  endif()
  add_custom_command(OUTPUT ${outputs} DEPENDS ${file} VERBATIM
    COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${proto_out} ${plugin} ${file})
endforeach()

add_library(protos STATIC ${message_sources})
target_include_directories(protos SYSTEM PUBLIC ${proto_out})
target_link_libraries(protos PUBLIC protobuf::libprotobuf)
add_library(grpc_protos STATIC ${grpc_sources})
target_link_libraries(grpc_protos PUBLIC protos gRPC::grpc++)
foreach(target protos grpc_protos)
  set_target_properties(${target} PROPERTIES COMPILE_OPTIONS "-O1;-w")
endforeach()
