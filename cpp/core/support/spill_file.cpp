#include "support/spill_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "support/error.hpp"

namespace mlestar {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& folder, int code) {
    throw io_error(code, what + " a temporary file in '" + folder + "': " + std::strerror(code));
}

// A file whose name is gone before anything is in it.
int open_nameless(const std::string& folder) {
#ifdef O_TMPFILE
    const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (nameless >= 0) return nameless;
    // Not every file system has them.
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return -1;
#endif
    std::string path = folder + "/mlestar-XXXXXX";
    const int named = ::mkstemp(path.data());
    if (named < 0) return -1;
    ::unlink(path.c_str());
    ::fcntl(named, F_SETFD, FD_CLOEXEC);
    return named;
}

}  // namespace

spill_file::spill_file(const std::string& folder)
    : folder_(folder), descriptor_(open_nameless(folder)) {
    if (descriptor_ < 0) fail("cannot create", folder_, errno);
}

spill_file::~spill_file() { ::close(descriptor_); }

void spill_file::write(std::int64_t offset, const void* data, std::size_t bytes) {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t done = ::pwrite(descriptor_, from, bytes, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) fail("cannot write", folder_, done < 0 ? errno : ENOSPC);
        from += done;
        offset += done;
        bytes -= static_cast<std::size_t>(done);
    }
}

void spill_file::read(std::int64_t offset, void* data, std::size_t bytes) const {
    auto* to = static_cast<char*>(data);
    while (bytes > 0) {
        const ssize_t done = ::pread(descriptor_, to, bytes, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) fail("cannot read", folder_, done < 0 ? errno : EIO);
        to += done;
        offset += done;
        bytes -= static_cast<std::size_t>(done);
    }
}

}  // namespace mlestar
