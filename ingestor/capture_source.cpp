#include "ingestor/capture_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/log.h"

namespace heliograph::ingestor {
namespace {

constexpr std::uint64_t kLoggedLines = 10;
// A hand-over that takes longer had to wait for room; one that does not, did not.
constexpr std::chrono::milliseconds kStall{5};

std::string ErrorText(int error) {
  return std::generic_category().message(error);
}

}  // namespace

tl::expected<std::unique_ptr<CaptureSource>, std::string> CaptureSource::Open(
    const std::filesystem::path& path, SourceIndex index, Options options) {
  if (path == "-") {
    return std::make_unique<CaptureSource>(STDIN_FILENO, false, "standard input", index, std::move(options));
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return tl::unexpected("can't open the capture " + path.string() + ": " + ErrorText(errno));
  }
  struct stat about {};
  if (fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode)) {
    close(descriptor);
    return tl::unexpected("the capture " + path.string() + " is a folder; name a file of JSON lines in it");
  }
  return std::make_unique<CaptureSource>(descriptor, true, path.string(), index, std::move(options));
}

CaptureSource::CaptureSource(int descriptor, bool owned, std::string name, SourceIndex index, Options options)
    : descriptor_(descriptor),
      owned_(owned),
      name_(std::move(name)),
      index_(index),
      options_(std::move(options)),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      splitter_(options_.max_line_bytes) {
  if (wake_descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  struct stat about {};
  if (fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode)) {
    total_bytes_ = static_cast<std::uint64_t>(about.st_size);
  }
  status_.name = name_;
  status_.kind = "capture";
  status_.address = name_;
}

CaptureSource::~CaptureSource() {
  Stop();
  close(wake_descriptor_);
  if (owned_) close(descriptor_);
}

void CaptureSource::Start(MessageSink& sink) {
  {
    const std::lock_guard lock(status_mutex_);
    status_.connected = true;
    status_.connect_count = 1;
    status_.last_connect = WallClockNow();
  }
  thread_ = std::thread([this, &sink] { Run(sink); });
}

void CaptureSource::Stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_descriptor_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  at_end_ = true;
}

SourceStatus CaptureSource::Status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

void CaptureSource::Run(MessageSink& sink) {
  std::vector<char> block(options_.block_bytes);
  std::uint64_t read_bytes = 0;
  while (!refused_) {
    Input input = AwaitInput(false);
    if (input == Input::kNothingYet) {
      // Nobody knows when a pipe will go on: what is here must not wait for it.
      if (!Flush(sink)) break;
      input = AwaitInput(true);
    }
    if (input == Input::kStopped) break;
    const ssize_t count = read(descriptor_, block.data(), block.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) {
      Fail("reading " + name_ + " failed: " + ErrorText(errno));
      break;
    }
    now_ = WallClockNow();
    if (count == 0) {
      FinishLastLine(sink);
      break;
    }
    splitter_.Feed({block.data(), static_cast<std::size_t>(count)},
                   [&](std::string_view line) { TakeLine(line, sink); });
    CountOverlong();
    read_bytes += static_cast<std::uint64_t>(count);
    if (options_.progress) options_.progress(read_bytes, total_bytes_);
  }
  Flush(sink);
  {
    const std::lock_guard lock(status_mutex_);
    status_.connected = false;
    status_.disconnect_count = 1;
    status_.last_disconnect = WallClockNow();
    if (status_.unreadable > kLoggedLines) {
      spdlog::warn("{}: {} lines are no messages; see the first {} above", Sanitised(name_),
                   status_.unreadable, kLoggedLines);
    }
  }
  at_end_ = true;
}

CaptureSource::Input CaptureSource::AwaitInput(bool blocking) {
  pollfd descriptors[] = {{descriptor_, POLLIN, 0}, {wake_descriptor_, POLLIN, 0}};
  while (!stopping_) {
    const int ready = poll(descriptors, 2, blocking ? -1 : 0);
    if (ready < 0 && errno != EINTR) return Input::kEnd;
    if (ready < 0) continue;
    if (stopping_ || descriptors[1].revents != 0) return Input::kStopped;
    // An error or a hang-up is for read to tell.
    if (descriptors[0].revents != 0) return Input::kData;
    if (!blocking) return Input::kNothingYet;
  }
  return Input::kStopped;
}

void CaptureSource::TakeLine(std::string_view line, MessageSink& sink) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (splitter_.line_number() == 1 && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  if (refused_ || stopping_ || line.find_first_not_of(" \t") == std::string_view::npos) return;
  std::optional<Receipt> receipt = line_reader_.Read(line, now_);
  if (!receipt) {
    CountUnreadable("line " + std::to_string(splitter_.line_number()) +
                    " is no message: it must be a JSON object with received_at, topic and payload");
    return;
  }
  receipt->source = index_;
  if (!batch_.empty() && batch_bytes_ + receipt->payload.size() > options_.batch_bytes) Flush(sink);
  batch_bytes_ += receipt->payload.size();
  batch_.push_back(std::move(*receipt));
  if (batch_.size() >= options_.batch_lines) Flush(sink);
}

void CaptureSource::FinishLastLine(MessageSink& sink) {
  const bool unfinished = splitter_.HasRest();
  const std::uint64_t unreadable = Status().unreadable;
  splitter_.Finish([&](std::string_view line) { TakeLine(line, sink); });
  CountOverlong();
  if (unfinished && Status().unreadable > unreadable) {
    Fail(name_ + " ends inside line " + std::to_string(splitter_.line_number()) +
         ": the capture was cut there; all lines before it are taken");
  }
}

void CaptureSource::CountOverlong() {
  for (; overlong_seen_ < splitter_.overlong_lines(); ++overlong_seen_) {
    CountUnreadable("a line up to line " + std::to_string(splitter_.line_number()) + " is longer than " +
                    std::to_string(options_.max_line_bytes) + " bytes and was left out");
  }
}

void CaptureSource::CountUnreadable(const std::string& problem) {
  const std::lock_guard lock(status_mutex_);
  status_.last_error = problem;
  if (++status_.unreadable <= kLoggedLines) spdlog::warn("{}: {}", Sanitised(name_), problem);
}

bool CaptureSource::Flush(MessageSink& sink) {
  if (batch_.empty() || refused_) return !refused_;
  const std::size_t count = batch_.size();
  const UtcMillis last = batch_.back().received_at;
  const auto start = std::chrono::steady_clock::now();
  refused_ = !sink.Submit(std::exchange(batch_, {}));
  batch_bytes_ = 0;
  batch_.reserve(options_.batch_lines);
  const std::lock_guard lock(status_mutex_);
  if (std::chrono::steady_clock::now() - start > kStall) ++status_.stalls;
  if (!refused_) {
    status_.received += count;
    status_.last_receipt = last;
  }
  return !refused_;
}

void CaptureSource::Fail(const std::string& error) {
  spdlog::error("{}", Sanitised(error));
  const std::lock_guard lock(status_mutex_);
  status_.last_error = error;
}

}  // namespace heliograph::ingestor
