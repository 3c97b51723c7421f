#include "queue/folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace heliograph::queue {
namespace {

constexpr mode_t kFolderMode = 02770;

/// Makes `parent`/`name` under another name first, so that it is there with its mode or not at all: mkdir
/// obeys the umask and drops the set-group-id bit. Another process may do the same at the same time, and the
/// first one wins.
tl::expected<void, IoError> MakeFolder(int parent, const std::string& name, const std::string& path) {
  const auto error = [&](int code, std::string_view what) {
    return tl::unexpected<IoError>(ErrorOf(code, what, path));
  };
  const std::string unfinished = "." + name + ".unfinished";
  if (::mkdirat(parent, unfinished.c_str(), kFolderMode & 0777) != 0 && errno != EEXIST)
    return error(errno, "make the folder");
  const FileDescriptor folder(OpenAt(parent, unfinished.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!folder.valid())
    return errno == ENOENT ? tl::expected<void, IoError>() : error(errno, "make the folder");
  if (::fchmod(folder.get(), kFolderMode) != 0) return error(errno, "set mode 2770 on the folder");
  const int moved = MoveWithoutReplacing(parent, unfinished, parent, name);
  if (moved == EEXIST) ::unlinkat(parent, unfinished.c_str(), AT_REMOVEDIR);
  if (moved != 0 && moved != EEXIST && moved != ENOENT) return error(moved, "make the folder");
  if (const int code = Sync(parent); code != 0) return error(code, "make durable the folder");
  return {};
}

/// Opens `parent`/`name`, made first when it is missing; `path` is for messages.
tl::expected<FileDescriptor, IoError> EnsureFolder(int parent, const char* name,
                                                   const std::filesystem::path& path, int flags) {
  const auto open = [&] { return FileDescriptor(OpenAt(parent, name, O_RDONLY | O_DIRECTORY | flags)); };
  FileDescriptor folder = open();
  if (!folder.valid() && errno == ENOENT) {
    if (const auto made = MakeFolder(parent, name, path.string()); !made)
      return tl::unexpected<IoError>(made.error());
    folder = open();
  }
  if (!folder.valid()) return tl::unexpected<IoError>(LastError("open the folder", path.string()));
  return folder;
}

tl::expected<FileDescriptor, IoError> OpenRoot(const std::filesystem::path& root) {
  FileDescriptor folder(OpenAt(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY));
  if (!folder.valid()) return tl::unexpected<IoError>(LastError("open the data folder", root.string()));
  return folder;
}

tl::expected<dev_t, IoError> MountOf(const FileDescriptor& folder, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(folder.get(), &status) != 0)
    return tl::unexpected<IoError>(LastError("inspect", path.string()));
  return status.st_dev;
}

tl::expected<void, IoError> CheckOneMount(const Folders& folders) {
  const auto fresh = MountOf(folders.fresh, folders.volume.queue_new());
  const auto temporary = MountOf(folders.temporary, folders.volume.queue_temporary());
  const auto failed = MountOf(folders.failed, folders.volume.queue_failed());
  for (const auto* mount : {&fresh, &temporary, &failed}) {
    if (!*mount) return tl::unexpected<IoError>(mount->error());
    if (**mount != *fresh) {
      return tl::unexpected<IoError>(
          ErrorOf(EXDEV, "use the queue, whose folders tmp, new and failed must be one mount,",
                  folders.volume.queue().string()));
    }
  }
  return {};
}

}  // namespace

tl::expected<Folders, IoError> EnsureFolders(const Volume& volume) {
  auto root = OpenRoot(volume.root());
  if (!root) return tl::unexpected<IoError>(root.error());
  // A deployment may make the queue itself a link to another volume; its parts may not lead elsewhere.
  auto queue = EnsureFolder(root->get(), "queue", volume.queue(), 0);
  if (!queue) return tl::unexpected<IoError>(queue.error());
  auto temporary = EnsureFolder(queue->get(), "tmp", volume.queue_temporary(), O_NOFOLLOW);
  if (!temporary) return tl::unexpected<IoError>(temporary.error());
  auto fresh = EnsureFolder(queue->get(), "new", volume.queue_new(), O_NOFOLLOW);
  if (!fresh) return tl::unexpected<IoError>(fresh.error());
  auto failed = EnsureFolder(queue->get(), "failed", volume.queue_failed(), O_NOFOLLOW);
  if (!failed) return tl::unexpected<IoError>(failed.error());

  Folders folders{std::move(*queue), std::move(*temporary), std::move(*fresh), std::move(*failed), volume};
  if (const auto one_mount = CheckOneMount(folders); !one_mount)
    return tl::unexpected<IoError>(one_mount.error());
  return folders;
}

}  // namespace heliograph::queue
