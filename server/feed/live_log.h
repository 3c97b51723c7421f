#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/feed/feed_cursor.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A numbered table as event streams read it: each stream from its own place, and streams that stand at the
/// same place with one query. Nothing is queued: what nobody asks for is not read. Used by the thread of the
/// streams.
template <typename Row>
class LiveLog {
 public:
  using Clock = std::chrono::steady_clock;

  /// A row is shown as `frame`, and `row` decides who wants it.
  struct Framed {
    std::int64_t position = 0;
    Row row;
    std::string frame;
  };
  struct Page {
    std::vector<Framed> rows;
    std::int64_t end = 0;  ///< everything up to here is in `rows`, or is shown to nobody
  };
  struct Table {
    std::function<StreamBounds(ReaderConnection&)> bounds;
    std::function<Page(ReaderConnection&, std::int64_t after, const StreamBounds&)> page;
  };

  /// `readers` outlives the log.
  LiveLog(ReaderPool& readers, Table table) : readers_(readers), table_(std::move(table)) {}

  /// What can be read; looked up once for all streams that ask at the same `now`. Null while the database
  /// cannot be read.
  std::shared_ptr<const StreamBounds> Bounds(Clock::time_point now) {
    if (now != looked_at_) {
      looked_at_ = now;
      Look([this](ReaderConnection& reader) { return table_.bounds(reader); });
    }
    return bounds_;
  }

  /// The rows after `after`, some tens of KiB at most. Null when they cannot be read now, or no longer: the
  /// bounds of the next round tell.
  std::shared_ptr<const Page> After(std::int64_t after) {
    for (const auto& [position, page] : pages_) {
      if (position == after) return page;
    }
    std::shared_ptr<const Page> page;
    Look([&](ReaderConnection& reader) {
      // In the transaction of the rows, for retention might make a gap between two.
      StreamBounds bounds = table_.bounds(reader);
      if (bounds_ && bounds.epoch == bounds_->epoch && after >= bounds.floor && after <= bounds.head)
        page = std::make_shared<const Page>(table_.page(reader, after, bounds));
      return bounds;
    });
    if (page) {
      pages_.emplace_back(after, page);
      if (pages_.size() > kPages) pages_.pop_front();
    }
    return page;
  }

 private:
  static constexpr std::size_t kPages = 16;

  template <typename Read>
  void Look(Read&& read) {
    std::shared_ptr<const StreamBounds> seen;
    try {
      seen = std::make_shared<const StreamBounds>(readers_.Read(read));
    } catch (const std::exception&) {
      // The writer restarts, or the file is being replaced: the streams wait, and the next round looks again.
    }
    const bool same = seen && bounds_ && seen->epoch == bounds_->epoch && seen->floor == bounds_->floor &&
                      seen->head == bounds_->head;
    if (!same) pages_.clear();
    bounds_ = std::move(seen);
  }

  ReaderPool& readers_;
  const Table table_;
  Clock::time_point looked_at_{};
  std::shared_ptr<const StreamBounds> bounds_;
  std::deque<std::pair<std::int64_t, std::shared_ptr<const Page>>> pages_;
};

}  // namespace heliograph::server
