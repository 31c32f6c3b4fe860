// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of the commands that a module has carried out, where its class cannot say what
// it was told: those that the later ones do not stand for, by their kinds.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string_view>

#include "core/graph/module.h"
#include "native/live.pb.h"

namespace bess {

using CommandList = google::protobuf::RepeatedPtrField<native::Command>;

// A command that the class does not have is of the kind that its name says.
CommandKind KindOf(const ModuleClass& mclass, std::string_view command);
bool OnlyReads(const ModuleClass& mclass, std::string_view command);
bool IsRemembered(const ModuleClass& mclass, std::string_view command);

// Those of `told` that have to be remembered, in their order.
CommandList Remembered(const ModuleClass& mclass, const CommandList& told);

// What a module that was told `told` has yet to be told to be as if it had been told `wanted`;
// nothing when only another module can be.
std::optional<CommandList> WhatIsMissing(const ModuleClass& mclass, const CommandList& told,
                                         const CommandList& wanted);

}  // namespace bess
