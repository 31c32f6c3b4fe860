// SPDX-License-Identifier: Apache-2.0
#include "core/graph/class_registry.h"

#include <dlfcn.h>

namespace bess {
namespace {

std::shared_ptr<Library>& OpeningOfThisThread() {
  static thread_local std::shared_ptr<Library> opening;
  return opening;
}

}  // namespace

Library::~Library() {
  if (handle_ != nullptr) dlclose(handle_);
}

const std::shared_ptr<Library>& Library::Opening() { return OpeningOfThisThread(); }

std::string Library::Open(const std::shared_ptr<Library>& library, const std::string& path) {
  OpeningOfThisThread() = library;
  library->handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  OpeningOfThisThread() = nullptr;
  return library->handle_ == nullptr ? dlerror() : "";
}

}  // namespace bess
