#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "queue/inbox.h"
#include "queue/publisher.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::queue {

inline constexpr UtcMillis kSomeTime{std::chrono::milliseconds(1'790'000'000'123)};

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Replaces the file. It is removed first, for some file systems flush a file that is truncated and written
/// again.
inline void WriteAllTo(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

/// The names in a folder, sorted.
inline std::vector<std::string> NamesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// A header that fits `payload`.
inline Envelope EnvelopeFor(std::string_view payload, std::int64_t producer_seq = 1) {
  Envelope envelope;
  envelope.kind = Kind::kItemBatch;
  envelope.stream = "items";
  envelope.id = Ulid::Generate(kSomeTime);
  envelope.epoch = "5a5a";
  envelope.created_at = kSomeTime;
  envelope.instance = "boot-1";
  envelope.producer_seq = producer_seq;
  envelope.actor = "somebody";
  envelope.payload_bytes = payload.size();
  envelope.payload_sha256 = Sha256(AsBytes(payload));
  return envelope;
}

inline EnvelopeFields FieldsOf(std::string stream = "items") {
  EnvelopeFields fields;
  fields.kind = Kind::kItemBatch;
  fields.stream = std::move(stream);
  fields.epoch = "5a5a";
  fields.actor = "somebody";
  fields.created_at = kSomeTime;
  return fields;
}

/// A volume of its own with the queue's folders, and the ingestor's side of it.
class QueueTest : public ::testing::Test {
 protected:
  QueueTest() : volume_(folder_.path()), inbox_(OpenInbox({})) {}

  Inbox OpenInbox(const InboxLimits& limits) {
    auto inbox = Inbox::Open(volume_, limits);
    if (!inbox) throw std::runtime_error(inbox.error().text);
    return std::move(*inbox);
  }

  std::unique_ptr<Publisher> OpenPublisher(PublishLimits limits = {}) {
    auto publisher = Publisher::Open(volume_, "boot-1", limits);
    if (!publisher) throw std::runtime_error(publisher.error().text);
    return std::move(*publisher);
  }

  /// Puts a file into `new` as if it had been published, and gives its name.
  std::string Place(const Envelope& envelope, std::string_view payload) {
    const std::string name = FileName::Of(envelope).ToText();
    WriteAllTo(volume_.queue_new() / name, SerializeHeader(envelope).value() + "\n" + std::string(payload));
    return name;
  }

  /// Why the inbox refuses the entry; fails the test when it does not.
  RefusalReason WhyRefused(std::string_view name) {
    const auto file = inbox_.Open(name);
    if (file || !file.error().refused()) {
      ADD_FAILURE() << name << " was not refused";
      return RefusalReason{};
    }
    EXPECT_THAT(file.error().ledger_id, ::testing::MatchesRegex("bad:[0-9a-f]+"));
    EXPECT_FALSE(file.error().text.empty());
    return file.error().reason;
  }

  heliograph::testing::TemporaryFolder folder_;
  Volume volume_;
  Inbox inbox_;
};

}  // namespace heliograph::queue
