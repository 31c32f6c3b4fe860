// SPDX-License-Identifier: Apache-2.0
//
// The classes of one kind by name: of modules, gate hooks, resume hooks, port drivers. Static
// objects fill it, those of the daemon before main(), those of a plugin while it is loaded. Who
// holds a class, or anything made by it, keeps the code of the plugin it came from in memory.
//
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace bess {

// The code of a plugin. It is unmapped with the last holder.
class Library {
 public:
  Library() = default;
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Maps the file and runs its static objects: what they register belongs to `library`. Returns
  // the words of the loader, empty when all is well. Once for each library.
  static std::string Open(const std::shared_ptr<Library>& library, const std::string& path);
  // The library whose static objects this thread is running; nullptr for the daemon's own.
  static const std::shared_ptr<Library>& Opening();

  // The names it wanted for its classes that were taken.
  const std::vector<std::string>& refused() const { return refused_; }
  void Refuse(std::string_view name) { refused_.emplace_back(name); }

 private:
  void* handle_ = nullptr;
  std::vector<std::string> refused_;
};

// A Class has `info.name`, `library` (its first member, so that it goes last) and `self`.
template <typename Class>
class ClassRegistry {
 public:
  using Classes = std::map<std::string, std::shared_ptr<const Class>, std::less<>>;

  // One for the whole process, plugins included.
  static ClassRegistry& Get();

  // False when there is one of that name already.
  bool Add(Class added);
  // nullptr when there is none.
  std::shared_ptr<const Class> Find(std::string_view name) const;
  // What there is now.
  Classes classes() const;
  // Takes out what came from a library.
  void RemoveAll(const Library& library);

 private:
  mutable absl::Mutex mutex_;
  Classes classes_ ABSL_GUARDED_BY(mutex_);
};

template <typename Class>
bool ClassRegistry<Class>::Add(Class added) {
  added.library = Library::Opening();
  const auto shared = std::make_shared<Class>(std::move(added));
  shared->self = shared;
  const std::string name(shared->info.name);
  absl::MutexLock lock(&mutex_);
  if (classes_.emplace(name, shared).second) return true;
  if (shared->library != nullptr) shared->library->Refuse(name);
  return false;
}

template <typename Class>
std::shared_ptr<const Class> ClassRegistry<Class>::Find(std::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = classes_.find(name);
  return it == classes_.end() ? nullptr : it->second;
}

template <typename Class>
typename ClassRegistry<Class>::Classes ClassRegistry<Class>::classes() const {
  absl::MutexLock lock(&mutex_);
  return classes_;
}

template <typename Class>
void ClassRegistry<Class>::RemoveAll(const Library& library) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(classes_,
                [&](const auto& entry) { return entry.second->library.get() == &library; });
}

// What was made by a class from a plugin keeps that class, and so its code, until it is gone.
template <typename T, typename Class>
std::shared_ptr<T> KeepClass(std::unique_ptr<T> made, std::shared_ptr<const Class> from) {
  if (from == nullptr || from->library == nullptr) return made;
  return {made.release(), [from = std::move(from)](T* gone) { std::default_delete<T>()(gone); }};
}

}  // namespace bess

// In the .cc file of the Class: all code of its registry is the daemon's, so that it is there when
// a plugin no longer is.
#define BESS_DEFINE_REGISTRY(Class)                   \
  template <>                                         \
  ClassRegistry<Class>& ClassRegistry<Class>::Get() { \
    static ClassRegistry registry;                    \
    return registry;                                  \
  }                                                   \
  template class ClassRegistry<Class>
#define BESS_DECLARE_REGISTRY(Class)                 \
  template <>                                        \
  ClassRegistry<Class>& ClassRegistry<Class>::Get(); \
  extern template class ClassRegistry<Class>
