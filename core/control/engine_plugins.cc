// SPDX-License-Identifier: Apache-2.0
//
// The engine's plugins.
#include <dlfcn.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/control/engine.h"
#include "core/control/plugin_file.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

// "file@hash" of each proto file that plugins have brought; protobuf never forgets one, and ends
// the process when the same file comes twice with different contents.
std::set<std::string>& KnownMessages() {
  static std::set<std::string> known;
  return known;
}

absl::Status CheckMessages(const PluginFile& plugin) {
  for (const std::string& message : plugin.messages) {
    const std::string file = message.substr(0, message.rfind('@'));
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    if (pool->FindFileByName(file) == nullptr || KnownMessages().contains(message)) continue;
    return Error(EEXIST, plugin.path, ": there are other messages of the name ", file,
                 " in this process; they stay until the daemon is started anew");
  }
  return absl::OkStatus();
}

bool IsMapped(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

void RemoveClasses(const Library& library) {
  ModuleRegistry::Get().RemoveAll(library);
  HookRegistry::Get().RemoveAll(library);
  ResumeHookRegistry::Get().RemoveAll(library);
  DriverRegistry::Get().RemoveAll(library);
}

absl::StatusOr<std::shared_ptr<Library>> Load(const PluginFile& plugin) {
  BESS_RETURN_IF_ERROR(CheckMessages(plugin));
  if (IsMapped(plugin.path)) {
    return Error(EBUSY, plugin.path, " is still being unloaded: try again");
  }
  auto library = std::make_shared<Library>();
  if (const std::string problem = Library::Open(library, plugin.path); !problem.empty()) {
    return Error(EINVAL, problem);
  }
  KnownMessages().insert(plugin.messages.begin(), plugin.messages.end());
  if (library->refused().empty()) return library;
  RemoveClasses(*library);
  return Error(EEXIST, plugin.path, ": there are classes of these names already: ",
               absl::StrJoin(library->refused(), ", "));
}

// EBUSY naming something that was made by a class of the library.
absl::Status CheckUnused(const Library& library, const Graph& graph, const PortTable& ports) {
  std::string user;
  for (const auto& [name, entry] : graph.modules) {
    if (entry->module->mclass().library.get() == &library)
      user = absl::StrCat("module '", name, "'");
  }
  ForEachHook(graph, [&](const std::string& module, GateHook& hook) {
    if (hook.hclass().library.get() != &library) return;
    user = absl::StrCat("gate hook '", hook.name(), "' at module '", module, "'");
  });
  ports.VisitAll([&](const Port& port, const google::protobuf::Any&) {
    if (port.driver().library.get() == &library) user = absl::StrCat("port '", port.name(), "'");
  });
  if (user.empty()) return absl::OkStatus();
  return Error(EBUSY, "the plugin is in use, by ", user);
}

}  // namespace

absl::Status Engine::ImportPlugin(const std::string& path) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(const auto plugin, InspectPlugin(options_.plugins, path));
  if (FindPlugin(plugin.path).ok()) return Error(EEXIST, plugin.path, " is loaded already");
  BESS_ASSIGN_OR_RETURN(auto library, Load(plugin));
  absl::MutexLock state(&state_);
  plugins_[plugin.path] = std::move(library);
  return absl::OkStatus();
}

absl::StatusOr<std::pair<std::string, std::shared_ptr<Library>>> Engine::FindPlugin(
    const std::string& path) const {
  absl::MutexLock lock(&state_);
  const auto names = [&](const auto& plugin) {
    const std::filesystem::path known = plugin.first;
    std::error_code unknown;
    return known == path || known.filename() == path ||
           std::filesystem::equivalent(known, path, unknown);
  };
  const auto it = std::find_if(plugins_.begin(), plugins_.end(), names);
  if (it == plugins_.end()) return Error(ENOENT, "no plugin '", path, "' is loaded");
  return *it;
}

absl::Status Engine::UnloadPlugin(const std::string& path) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(auto plugin, FindPlugin(path));
  for (const auto& [name, installed] : resume_hooks_) {
    if (installed.hook->hclass().library != plugin.second) continue;
    return Error(EBUSY, "the plugin is in use, by resume hook '", name, "'");
  }
  BESS_RETURN_IF_ERROR(CheckUnused(*plugin.second, *plan()->graph, ports_));
  RemoveClasses(*plugin.second);
  {
    absl::MutexLock state(&state_);
    plugins_.erase(plugin.first);
  }
  // What its code still has to free is freed before.
  rcu_.Retire([library = std::move(plugin.second)] {});
  WaitForWorkers();
  return absl::OkStatus();
}

std::vector<std::string> Engine::ListPlugins() const {
  absl::MutexLock lock(&state_);
  std::vector<std::string> paths;
  for (const auto& [path, library] : plugins_) paths.push_back(path);
  return paths;
}

void Engine::ImportAllPlugins() {
  std::error_code unreadable;
  std::set<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(options_.plugins, unreadable)) {
    if (file.path().extension() == ".so") paths.insert(file.path().string());
  }
  for (const std::string& path : paths) {
    const absl::Status imported = ImportPlugin(path);
    if (imported.ok()) {
      spdlog::info("loaded plugin {}", path);
    } else {
      spdlog::error("plugin not loaded: {}", std::string(imported.message()));
    }
  }
}

void Engine::UnloadAllPlugins() {
  absl::MutexLock lock(&state_);
  for (auto& [path, library] : plugins_) {
    RemoveClasses(*library);
    rcu_.Retire([library = std::move(library)] {});
  }
  plugins_.clear();
}

}  // namespace bess
