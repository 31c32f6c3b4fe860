// SPDX-License-Identifier: Apache-2.0
//
// A plugin is a shared object with classes of modules, gate hooks, resume hooks or port drivers
// that a running daemon may load and unload. Its source is as any other's, and has once
//
//   BESS_PLUGIN("name");
//
// which leaves an ELF note: what the plugin was compiled against (BESS_PLUGIN_ABI), its name, and
// which protos its messages come from (BESS_PLUGIN_MESSAGES); the build defines both. The daemon
// reads the note before any code of the plugin runs. `./build.py plugin DIRECTORY` builds one.
#pragma once

#include <string_view>

namespace bess {

inline constexpr std::string_view kPluginNoteOwner = "bessd";
inline constexpr int kPluginNoteType = 1;

}  // namespace bess

#ifndef BESS_PLUGIN_MESSAGES
#define BESS_PLUGIN_MESSAGES ""
#endif

// System V ABI, "Note Section": sizes of owner and description, type; owner; description. The
// description is three strings.
#define BESS_PLUGIN(name)                                                        \
  asm(".pushsection .note.bessd, \"a\", @note\n"                                 \
      ".balign 4\n"                                                              \
      ".long 2f - 1f, 4f - 3f, 1\n"                                              \
      "1: .asciz \"bessd\"\n"                                                    \
      "2: .balign 4\n"                                                           \
      "3: .asciz \"" BESS_PLUGIN_ABI "\", \"" name "\", \"" BESS_PLUGIN_MESSAGES \
      "\"\n"                                                                     \
      "4: .balign 4\n"                                                           \
      ".popsection\n")
