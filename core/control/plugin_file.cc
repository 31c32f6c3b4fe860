// SPDX-License-Identifier: Apache-2.0
#include "core/control/plugin_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/strings/str_split.h"
#include "core/base/status.h"
#include "core/graph/plugin.h"

namespace bess {
namespace {

class File {
 public:
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::Status SystemError(const std::string& path) {
  return Error(errno, path, ": ", std::strerror(errno));
}

absl::StatusOr<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return SystemError(path);
  return std::string(real.get());
}

absl::Status CheckRights(const std::string& path, const struct stat& about) {
  if (about.st_uid != 0 && about.st_uid != geteuid()) {
    return Error(EPERM, path, " belongs to user ", about.st_uid,
                 ", not to root or the daemon's user");
  }
  if ((about.st_mode & S_IWOTH) != 0) return Error(EPERM, path, " can be written by everybody");
  return absl::OkStatus();
}

absl::Status NoPlugin(const std::string& path, std::string_view why) {
  return Error(EINVAL, path, " is no plugin: ", why);
}

// --- ELF ----------------------------------------------------------------------------------------

// With the zero that ends it in a note.
constexpr std::string_view kOwner(kPluginNoteOwner.data(), kPluginNoteOwner.size() + 1);

using ElfHandle = std::unique_ptr<Elf, decltype(&elf_end)>;

// The loader maps what the program headers say; where the file ends before, touching it would
// kill the daemon.
absl::Status CheckInside(const std::string& path, uint64_t offset, uint64_t length, uint64_t size) {
  if (offset <= size && length <= size - offset) return absl::OkStatus();
  return NoPlugin(path, "it is cut off");
}

// The description of our note among those of one segment.
std::optional<std::string> FindNote(Elf* elf, const GElf_Phdr& header) {
  const Elf_Type type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
  Elf_Data* data =
      elf_getdata_rawchunk(elf, static_cast<int64_t>(header.p_offset), header.p_filesz, type);
  GElf_Nhdr note;
  size_t name_at = 0, text_at = 0, next = 0;
  while (data != nullptr && (next = gelf_getnote(data, next, &note, &name_at, &text_at)) > 0) {
    const auto* bytes = static_cast<const char*>(data->d_buf);
    const std::string_view owner(bytes + name_at, note.n_namesz);
    if (note.n_type != kPluginNoteType || owner != kOwner) continue;
    return std::string(bytes + text_at, note.n_descsz);
  }
  return std::nullopt;
}

// The three strings of BESS_PLUGIN.
absl::StatusOr<std::vector<std::string>> ReadNote(const std::string& path, Elf* elf,
                                                  uint64_t size) {
  size_t headers = 0;
  if (elf_getphdrnum(elf, &headers) != 0) return NoPlugin(path, elf_errmsg(-1));
  std::optional<std::string> note;
  for (size_t i = 0; i < headers; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr) {
      return NoPlugin(path, elf_errmsg(-1));
    }
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE && header.p_type != PT_DYNAMIC)
      continue;
    BESS_RETURN_IF_ERROR(CheckInside(path, header.p_offset, header.p_filesz, size));
    if (header.p_type == PT_NOTE && !note) note = FindNote(elf, header);
  }
  if (!note) return NoPlugin(path, "its source has no BESS_PLUGIN(...)");
  std::vector<std::string> strings = absl::StrSplit(*note, '\0');
  if (strings.size() < 3) return NoPlugin(path, "its note is damaged");
  return strings;
}

absl::StatusOr<std::vector<std::string>> ReadElf(const std::string& path, int fd, uint64_t size) {
  elf_version(EV_CURRENT);
  const ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr), &elf_end);
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) {
    return NoPlugin(path, "it is no ELF file");
  }
  GElf_Ehdr header;
  if (gelf_getehdr(elf.get(), &header) == nullptr) return NoPlugin(path, elf_errmsg(-1));
  if (header.e_type != ET_DYN) return NoPlugin(path, "it is no shared object");
  // The table of sections is what linkers write last.
  const uint64_t sections = uint64_t{header.e_shnum} * header.e_shentsize;
  BESS_RETURN_IF_ERROR(CheckInside(path, header.e_shoff, sections, size));
  return ReadNote(path, elf.get(), size);
}

}  // namespace

std::string_view PluginAbi() { return BESS_PLUGIN_ABI; }

absl::StatusOr<std::string> CheckPluginDirectory(const std::string& directory) {
  if (directory.empty()) return Error(EPERM, "this daemon was started without plugins");
  BESS_ASSIGN_OR_RETURN(const std::string real, RealPath(directory));
  struct stat about {};
  if (stat(real.c_str(), &about) != 0) return SystemError(real);
  if (!S_ISDIR(about.st_mode)) return Error(ENOTDIR, real, " is no directory");
  BESS_RETURN_IF_ERROR(CheckRights(real, about));
  return real;
}

absl::StatusOr<PluginFile> InspectPlugin(const std::string& directory, const std::string& path) {
  if (path.empty()) return Error(EINVAL, "'path' is missing: which plugin?");
  BESS_ASSIGN_OR_RETURN(const std::string home, CheckPluginDirectory(directory));
  const bool bare = path.find('/') == std::string::npos;
  BESS_ASSIGN_OR_RETURN(const std::string real, RealPath(bare ? home + "/" + path : path));
  if (real.substr(0, real.rfind('/')) != home) {
    return Error(EPERM, real, " is not in ", home, ", the directory of plugins");
  }
  const File file(real);
  struct stat about {};
  if (file.fd() < 0 || fstat(file.fd(), &about) != 0) return SystemError(real);
  if (!S_ISREG(about.st_mode)) return NoPlugin(real, "it is no file");
  BESS_RETURN_IF_ERROR(CheckRights(real, about));
  BESS_ASSIGN_OR_RETURN(const auto note,
                        ReadElf(real, file.fd(), static_cast<uint64_t>(about.st_size)));
  if (note[0] != PluginAbi()) {
    return Error(EINVAL, real, " was compiled for bessd ", note[0], ", this one needs ",
                 PluginAbi(), ": build it again");
  }
  return PluginFile{
      .path = real, .name = note[1], .messages = absl::StrSplit(note[2], ' ', absl::SkipEmpty())};
}

}  // namespace bess
